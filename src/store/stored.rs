//! The value section of a binary that is stored byte for byte, encrypted or not, read piece by piece.

use bytes::{Bytes, BytesMut};

use super::binary_writer::PIECE;
use crate::{
    backing::BlobReader,
    error::{Error, ErrorKind, Result},
    keyring::{BLOCK_LEN, Block, Cipher, encrypted_len, unpadded_len},
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

/// One way through a section.
#[derive(Default)]
pub(super) struct Pieces {
    /// Where the next piece begins.
    at: u64,
    /// The block before it.
    before: Option<Block>,
    digest: Digest,
}

/// Bytes of a section, as they are stored.
pub(super) struct Piece {
    /// Where in the section they begin, at a block.
    pub(super) at: u64,
    before: Option<Block>,
    bytes: Bytes,
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

    /// That the section is as long as such a binary is when it is stored.
    pub(super) fn check_len(&self) -> Result<()> {
        let size = usize::try_from(self.size).ok();
        let expected = match self.cipher {
            None => Some(self.size),
            Some(_) => size.map(|size| encrypted_len(size) as u64),
        };
        if expected == Some(self.reader.value_len()) { Ok(()) } else { Err(other_length()) }
    }

    /// The bytes of the binary that these of its section are, which were checked.
    // `&mut`: a reader may go to another thread, and be used by one at a time.
    pub(super) async fn open(&mut self, Piece { at, before, bytes }: Piece) -> Result<Bytes> {
        let Some(cipher) = &self.cipher else { return Ok(bytes) };
        let is_last = at + bytes.len() as u64 >= self.reader.value_len();
        let plain = Bytes::from(cipher.decrypt_blocks(before, bytes.into()).await);
        if !is_last {
            return Ok(plain);
        }
        let len = unpadded_len(&plain).filter(|len| at + *len as u64 == self.size).ok_or_else(other_length)?;
        Ok(plain.slice(..len))
    }

    /// Where in the section those bytes are that the bytes of the binary from `start` to `end` are made of.
    fn span(&self, start: u64, end: u64) -> (u64, u64) {
        let block = BLOCK_LEN as u64;
        match self.cipher {
            Some(_) if start < end && end == self.size => (start - start % block, self.reader.value_len()),
            Some(_) if start < end => (start - start % block, end.next_multiple_of(block)),
            _ => (start, end),
        }
    }
}

impl Pieces {
    /// The next piece, of 256 KiB but for the last; `None` at the end.
    pub(super) async fn next(&mut self, stored: &mut Stored) -> Result<Option<Piece>> {
        let (at, left) = (self.at, stored.reader.value_len().saturating_sub(self.at));
        if left == 0 {
            return Ok(None);
        }
        // Padding alone is no piece.
        let len = usize::try_from(left).ok().filter(|left| *left <= PIECE + BLOCK_LEN).unwrap_or(PIECE);
        let bytes = stored.reader.read(at, len).await?;
        self.digest.add(&bytes);
        self.at += if bytes.len() < len { left } else { len as u64 };
        Ok(Some(Piece { at, before: std::mem::replace(&mut self.before, bytes.last_chunk().copied()), bytes }))
    }

    /// The digest of what was read.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest.finish()
    }
}

/// A part of a binary, which is kept as it is stored until all was checked.
pub(super) struct Kept {
    /// Of the binary.
    start: u64,
    end: u64,
    /// Of the section.
    span: (u64, u64),
    before: Option<Block>,
    bytes: BytesMut,
}

impl Kept {
    pub(super) fn new(stored: &Stored, (start, end): (u64, u64)) -> Self {
        let span = stored.span(start, end);
        // No more than there is, whatever a damaged head says.
        let room = span.1.saturating_sub(span.0).min(stored.reader.value_len());
        let bytes = BytesMut::with_capacity(usize::try_from(room).unwrap_or_default());
        Self { start, end, span, before: None, bytes }
    }

    /// Keeps what is wanted of a piece.
    pub(super) fn take(&mut self, Piece { at, before, bytes }: Piece) {
        let place =
            |at: u64, piece: u64| usize::try_from(at.saturating_sub(piece)).unwrap_or(usize::MAX).min(bytes.len());
        let (from, to) = (place(self.span.0, at), place(self.span.1, at));
        if self.bytes.is_empty() && from < to {
            self.before = bytes.get(..from).and_then(<[u8]>::last_chunk).copied().or(before);
        }
        self.bytes.extend_from_slice(bytes.get(from..to).unwrap_or_default());
    }

    /// The part, after all was checked.
    pub(super) async fn open(self, stored: &mut Stored) -> Result<Bytes> {
        if self.start >= self.end {
            return Ok(Bytes::new());
        }
        let piece = Piece { at: self.span.0, before: self.before, bytes: self.bytes.freeze() };
        let opened = stored.open(piece).await?;
        let place = |at: u64| usize::try_from(at - self.span.0).unwrap_or(usize::MAX).min(opened.len());
        Ok(opened.slice(place(self.start)..place(self.end)))
    }
}

fn other_length() -> Error {
    let message = "the binary is not as long as when it was written; restore it from a backup";
    Error::new(ErrorKind::Corrupt, message)
}
