//! The value section of a binary that is stored byte for byte, encrypted or not, read piece by piece.

use bytes::Bytes;

use super::binary_writer::PIECE;
use crate::{
    backing::BlobReader,
    error::{Error, ErrorKind, Result},
    keyring::{BLOCK_LEN, Cipher, Decrypting, unpadded_len},
    layout::Digest,
    meta::Meta,
};

/// See the module's documentation.
pub(super) struct Stored {
    reader: Box<dyn BlobReader>,
    /// Of an encrypted one.
    cipher: Option<Cipher>,
    /// How many bytes the binary has.
    size: u64,
}

impl Stored {
    pub(super) fn new(reader: Box<dyn BlobReader>, meta: &Meta, cipher: Option<Cipher>) -> Self {
        let size = meta.size.unwrap_or_else(|| reader.value_len());
        Self { reader, cipher, size }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The binary as an object of JavaScript's; not an encrypted one, whose bytes lie there as they are stored.
    #[cfg(all(target_arch = "wasm32", feature = "full"))]
    pub(super) fn object(&self) -> Option<wasm_bindgen::JsValue> {
        if self.cipher.is_none() { self.reader.object() } else { None }
    }

    /// Begins to read it from its start.
    pub(super) fn pieces(&self) -> Pieces {
        Pieces {
            at: 0,
            end: Some(0),
            digest: Digest::default(),
            decrypting: self.cipher.as_ref().map(Cipher::decrypting),
        }
    }
}

/// One way through a section.
pub(super) struct Pieces {
    /// Where the next piece begins.
    at: u64,
    /// Where the binary ends; without the padding that an encrypted one has.
    end: Option<u64>,
    digest: Digest,
    decrypting: Option<Decrypting>,
}

impl Pieces {
    /// The next piece and where it begins, of 256 KiB but for the last; `None` at the end. One that is not wanted is read,
    /// and left out.
    pub(super) async fn next(
        &mut self,
        stored: &mut Stored,
        wanted: impl Fn(u64, u64) -> bool,
    ) -> Result<Option<(u64, Bytes)>> {
        let (at, left) = (self.at, stored.reader.value_len().saturating_sub(self.at));
        if left == 0 {
            return Ok(None);
        }
        // Padding alone is no piece.
        let len = usize::try_from(left).ok().filter(|left| *left <= PIECE + BLOCK_LEN).unwrap_or(PIECE);
        let piece = stored.reader.read(at, len).await?;
        self.digest.add(&piece);
        let is_last = piece.len() < len || left == len as u64;
        self.at += if is_last { left } else { len as u64 };
        let content = match &mut self.decrypting {
            None => piece,
            Some(decrypting) if !is_last && !wanted(at, self.at) => {
                decrypting.skip(&piece);
                Bytes::new()
            }
            Some(decrypting) => decrypting.add(&piece).into(),
        };
        let len = if self.decrypting.is_some() && is_last { unpadded_len(&content) } else { Some(content.len()) };
        self.end = len.map(|len| at + len as u64);
        Ok(Some((at, len.map_or_else(Bytes::new, |len| content.slice(..len)))))
    }

    /// The digest of what was read.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest.finish()
    }

    /// That all of a binary was read, and is as long as was written.
    pub(super) fn check_len(&self, stored: &Stored) -> Result<()> {
        if self.end == Some(stored.size) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Corrupt,
            "the binary is not as long as when it was written; restore it from a backup",
        ))
    }
}
