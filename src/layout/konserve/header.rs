//! The header of a blob in konserve's layout, and the older forms of it.

use crate::{
    codec::Codecs,
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

/// Byte 0 of every blob in this layout.
pub const VERSION: u8 = 1;
/// The length of the header in bytes.
const LEN: usize = 20;
/// The length of the header in konserve 0.6.0-alpha: what follows is not zero.
const OLD_LEN: usize = 8;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub codecs: Codecs,
    /// Where the meta section begins, in bytes.
    pub meta_at: usize,
    /// Where it ends and the value section begins.
    pub meta_end: usize,
}

impl Header {
    /// Reads the header of the blob that begins so: 20 bytes or more are needed of a blob that has them.
    pub fn read(name: BlobName, start: &[u8]) -> Result<Self> {
        let corrupt = |what: &str| {
            let message = format!("blob {name} is damaged ({what}); restore it from a backup or delete its key");
            Error::new(ErrorKind::Corrupt, message)
        };
        let &[version, serializer, compressor, encryptor, a, b, c, d, ..] = start else {
            // What a write that failed leaves in konserve is an empty file.
            return Err(corrupt("it is cut short"));
        };
        if version != VERSION {
            return Err(corrupt("it is not of this layout"));
        }
        let meta_at = meta_at(start);
        let meta_end = usize::try_from(meta_len([a, b, c, d])).ok().and_then(|len| meta_at.checked_add(len));
        let meta_end = meta_end.ok_or_else(|| corrupt("its lengths do not add up"))?;
        Ok(Self { codecs: Codecs { serializer, compressor, encryptor }, meta_at, meta_end })
    }

    /// The 20 bytes of a new header.
    pub fn to_bytes(codecs: Codecs, meta_len: u32) -> [u8; LEN] {
        let mut header = [0; LEN];
        let [a, b, c, d] = meta_len.to_be_bytes();
        header[..OLD_LEN].copy_from_slice(&[
            VERSION,
            codecs.serializer,
            codecs.compressor,
            codecs.encryptor,
            a,
            b,
            c,
            d,
        ]);
        header
    }
}

/// Where the meta section begins: bytes 8–19 are zero in a header of 20 bytes.
fn meta_at(start: &[u8]) -> usize {
    if start.get(OLD_LEN..LEN).is_some_and(|rest| rest.iter().all(|byte| *byte == 0)) { LEN } else { OLD_LEN }
}

/// The length of the meta section: 4 bytes, of which old versions of ClojureScript wrote the first alone.
fn meta_len(bytes: [u8; 4]) -> u32 {
    match bytes {
        [len, 0, 0, 0] if len != 0 => len.into(),
        bytes => u32::from_be_bytes(bytes),
    }
}
