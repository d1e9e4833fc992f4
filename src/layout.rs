//! The sealed layout of a blob as pure functions: `header 20 ‖ meta section ‖ value section`.

use bytes::{BufMut, Bytes, BytesMut};

use crate::{
    backing::Blob,
    error::{Error, ErrorKind, Result},
    key::Key,
    meta::Meta,
    name::BlobName,
};

/// Byte 0 of every blob in this layout.
pub const SEALED: u8 = 0x81;
/// The length of the header in bytes.
pub const HEADER_LEN: usize = 20;
/// The meta section is at most this long, in bytes.
pub const MAX_META_LEN: usize = 1024 * 1024;
/// `size u64 ‖ digest 32`, before the map of the meta section.
const PREFIX_LEN: usize = 40;

/// Which codecs a value went through, as the header's bytes 1 and 2 say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codecs {
    /// Byte 1.
    pub serializer: u8,
    /// Byte 2.
    pub compressor: u8,
}

/// The digest of a value section.
pub fn digest(value: &[u8]) -> [u8; 32] {
    *blake3::hash(value).as_bytes()
}

/// The digest of a value section that comes in pieces.
#[derive(Clone, Debug, Default)]
pub struct Digest(blake3::Hasher);

impl Digest {
    /// Adds a piece.
    pub fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of what was added.
    pub fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

/// Makes the blob of a value section and its metadata, whose `digest` must be the section's.
pub fn seal(name: BlobName, codecs: Codecs, meta: &Meta, value: Bytes) -> Result<Blob> {
    Ok(Blob { head: head(name, codecs, meta)?, value })
}

/// Makes the head of a blob. Its length does not depend on `size` and `digest`. Metadata beyond 1 MiB is `LIMIT_EXCEEDED`.
pub fn head(name: BlobName, codecs: Codecs, meta: &Meta) -> Result<Bytes> {
    let map = meta.to_map();
    let len = PREFIX_LEN + map.len();
    let declared = u32::try_from(len).ok().filter(|_| len <= MAX_META_LEN).ok_or_else(|| {
        Error::new(ErrorKind::LimitExceeded, "the metadata is longer than 1 MiB; keep it in a value instead")
    })?;
    let mut head = BytesMut::with_capacity(HEADER_LEN + len);
    head.put_slice(&[SEALED, codecs.serializer, codecs.compressor, 0]);
    head.put_u32(declared);
    head.put_bytes(0, HEADER_LEN - 8);
    head.put_u64(meta.size);
    head.put_slice(&meta.digest);
    head.put_slice(&map);
    let check = check(name, &head);
    if let Some(place) = head.get_mut(8..HEADER_LEN) {
        place.copy_from_slice(&check);
    }
    Ok(head.freeze())
}

/// Opens the head of a blob: checks it in the order that the format gives, and reads its metadata.
/// `key` is the one that the name was made of, where the caller knows it: then its hash need not be made again.
pub fn open(name: BlobName, key: Option<&Key>, head: &[u8]) -> Result<(Codecs, Meta)> {
    let corrupt = |what: &str| {
        Error::new(
            ErrorKind::Corrupt,
            format!("blob {name} is damaged ({what}); restore it from a backup or delete its key"),
        )
    };
    let declared = Blob::head_len(head).ok_or_else(|| corrupt("it is cut short"))?;
    let section = head.get(HEADER_LEN..).unwrap_or_default();
    if declared != head.len() || section.len() > MAX_META_LEN {
        return Err(corrupt("its lengths do not add up"));
    }
    let &[version, serializer, compressor, encryptor, ..] = head else { return Err(corrupt("it is cut short")) };
    if version != SEALED {
        return Err(corrupt("it is not of this layout"));
    }
    if head.get(8..HEADER_LEN) != Some(&check(name, head)) {
        return Err(corrupt("its head is not what was written"));
    }
    if encryptor != 0 {
        return Err(corrupt("it is encrypted, and the store is not"));
    }
    let (size, rest) = section.split_first_chunk().ok_or_else(|| corrupt("its head has no size"))?;
    let (digest, map) = rest.split_first_chunk().ok_or_else(|| corrupt("its head has no digest"))?;
    let meta = Meta::from_map(map, u64::from_be_bytes(*size), *digest)?;
    if key != Some(&meta.key) && meta.key.name() != name {
        return Err(corrupt("it belongs to another key"));
    }
    Ok((Codecs { serializer, compressor }, meta))
}

/// The length of the value before compression as a head says that may be damaged, in bytes; 0 where it says nothing.
pub fn declared_size(head: &[u8]) -> u64 {
    let size = head.get(HEADER_LEN..).and_then(<[u8]>::first_chunk);
    size.map_or(0, |size| u64::from_be_bytes(*size))
}

/// Checks that a value section is the one its head was written with.
pub fn open_value(name: BlobName, meta: &Meta, value: &[u8]) -> Result<()> {
    open_digest(name, meta, digest(value))
}

/// Checks that a value section of this digest is the one its head was written with.
pub fn open_digest(name: BlobName, meta: &Meta, digest: [u8; 32]) -> Result<()> {
    if digest == meta.digest {
        return Ok(());
    }
    let message = format!(
        "blob {name} is damaged (its value is not what was written); restore it from a backup or delete its key"
    );
    Err(Error::new(ErrorKind::Corrupt, message))
}

/// The first 12 bytes of `H(name ‖ header[0..8] ‖ meta section)`.
fn check(name: BlobName, head: &[u8]) -> [u8; 12] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(name.as_bytes());
    hasher.update(head.get(..8).unwrap_or_default());
    hasher.update(head.get(HEADER_LEN..).unwrap_or_default());
    let mut check = [0; 12];
    check.iter_mut().zip(hasher.finalize().as_bytes()).for_each(|(to, from)| *to = *from);
    check
}
