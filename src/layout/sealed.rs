//! The sealed layout: every byte is checked.

use bytes::{BufMut, Bytes, BytesMut};

use super::{HEADER_LEN, MAX_META_LEN};
use crate::{
    backing::Blob,
    codec::Codecs,
    error::{Error, ErrorKind, Result},
    key::Key,
    meta::Meta,
    name::BlobName,
};

/// Byte 0 of every blob in this layout.
pub const SEALED: u8 = 0x81;
/// `size u64 ‖ digest 32`, before the map of the meta section.
const PREFIX_LEN: usize = 40;

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
    head.put_u64(meta.size.unwrap_or_default());
    head.put_slice(&meta.digest.unwrap_or_default());
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
    Ok((Codecs { serializer, compressor, encryptor }, meta))
}

/// The length of the value before compression as a head says that may be damaged, in bytes; 0 where it says nothing.
pub fn declared_size(head: &[u8]) -> u64 {
    let size = head.get(HEADER_LEN..).and_then(<[u8]>::first_chunk);
    size.map_or(0, |size| u64::from_be_bytes(*size))
}

/// Checks that a value section of this digest is the one its head was written with.
pub fn check_digest(name: BlobName, meta: &Meta, digest: [u8; 32]) -> Result<()> {
    if meta.digest == Some(digest) {
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
