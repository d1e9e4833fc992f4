//! The sealed layout: every byte is checked, and authenticated where the store is encrypted.
//!
//! `header 20 ‖ meta section ‖ value section`; the header ends with the first 12 bytes of `H(name ‖ header[0..8] ‖ meta
//! section)`. The meta section is `seal(size u64 ‖ digest 32 ‖ map)`, where the digest is that of the value section.

mod cover;
mod digest;
mod outflow;

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};

pub use cover::AES_BLAKE3;
use cover::Cover;
pub use digest::Digest;
pub use outflow::Outflow;

use super::{HEADER_LEN, MAX_META_LEN, Opened};
use crate::{
    backing::Blob,
    codec::{Codec, Codecs, Encoded},
    error::{Error, ErrorKind, Result},
    key::Key,
    keyring::Vault,
    meta::Meta,
    name::BlobName,
};

/// Byte 0 of every blob in this layout.
pub const SEALED: u8 = 0x81;
/// `size u64 ‖ digest 32`, before the map of the meta section.
const PREFIX_LEN: usize = 40;

/// How blobs in this layout are written, and read.
#[derive(Clone)]
pub struct Sealed {
    /// For values.
    pub codec: Codec,
    /// Where the store is encrypted: its keys.
    pub vault: Option<Vault>,
}

impl Sealed {
    /// The name of a key's blob.
    pub fn name(&self, key: &Key) -> BlobName {
        self.vault.as_ref().map_or_else(|| key.name(), |vault| vault.keyring().name(key))
    }

    /// Byte 3 of all blobs.
    fn encryptor(&self) -> u8 {
        if self.vault.is_some() { AES_BLAKE3 } else { 0 }
    }

    /// The blob of an encoded value. Its size and digest are added to the metadata.
    pub fn seal(&self, name: BlobName, meta: Meta, Encoded { codecs, size, section }: Encoded) -> Result<Blob> {
        let cover = Cover::new(self.vault.as_ref())?;
        let value = cover.value(section);
        self.over(name, codecs, Meta { size: Some(size), ..meta }, &cover, value)
    }

    /// The same where the platform is waited for.
    pub async fn seal_later(&self, name: BlobName, meta: Meta, encoded: Encoded) -> Result<Blob> {
        let Encoded { codecs, size, section } = encoded;
        let cover = Cover::new(self.vault.as_ref())?;
        let value = cover.value_later(section).await;
        self.over(name, codecs, Meta { size: Some(size), ..meta }, &cover, value)
    }

    /// Whether the platform is to be waited for to encrypt so many bytes.
    pub fn waits(&self, len: usize) -> bool {
        self.vault.as_ref().is_some_and(|vault| vault.waits(len))
    }

    /// The blob with this value section.
    fn over(&self, name: BlobName, codecs: Codecs, mut meta: Meta, cover: &Cover, value: Bytes) -> Result<Blob> {
        meta.digest = Some(Digest::of(&value));
        Ok(Blob { head: self.head(name, codecs, &meta, cover)?, value })
    }

    /// The head of a blob. Its length does not depend on `size` and `digest`. Metadata beyond 1 MiB is `LIMIT_EXCEEDED`.
    fn head(&self, name: BlobName, codecs: Codecs, meta: &Meta, cover: &Cover) -> Result<Bytes> {
        let map = meta.to_map();
        let mut plain = BytesMut::with_capacity(PREFIX_LEN + map.len());
        plain.put_u64(meta.size.unwrap_or_default());
        plain.put_slice(&meta.digest.unwrap_or_default());
        plain.put_slice(&map);
        let len = cover.meta_len(plain.len());
        let declared = u32::try_from(len).ok().filter(|_| len <= MAX_META_LEN).ok_or_else(|| {
            Error::new(ErrorKind::LimitExceeded, "the metadata is longer than 1 MiB; keep it in a value instead")
        })?;
        let mut head = BytesMut::with_capacity(HEADER_LEN + len);
        head.put_slice(&[SEALED, codecs.serializer, codecs.compressor, self.encryptor()]);
        head.put_u32(declared);
        let header: [u8; 8] = head.first_chunk().copied().unwrap_or_default();
        head.put_bytes(0, HEADER_LEN - header.len());
        cover.meta(name, header, &plain, &mut head);
        let check = check(name, &head);
        if let Some(place) = head.get_mut(8..HEADER_LEN) {
            place.copy_from_slice(&check);
        }
        Ok(head.freeze())
    }

    /// Opens the head of a blob: checks it in the order that the format gives, and reads its metadata. `key` is the one that
    /// the name was made of, where the caller knows it: then its hash need not be made again.
    pub fn open(&self, name: BlobName, key: Option<&Key>, head: &[u8], section: Bytes) -> Result<Opened> {
        let damaged = |what| self.damaged(name, what);
        let declared = Blob::head_len(head).ok_or_else(|| damaged("it is cut short"))?;
        let sealed = head.get(HEADER_LEN..).unwrap_or_default();
        if declared != head.len() || sealed.len() > MAX_META_LEN {
            return Err(damaged("its lengths do not add up"));
        }
        let Some(&header @ [version, serializer, compressor, encryptor, ..]) = head.first_chunk::<8>() else {
            return Err(damaged("it is cut short"));
        };
        if version != SEALED {
            return Err(damaged("it is not of this layout"));
        }
        if head.get(8..HEADER_LEN) != Some(&check(name, head)) {
            return Err(damaged("its head is not what was written"));
        }
        if encryptor != self.encryptor() {
            return Err(damaged("it is encrypted, and the store is not"));
        }
        let (plain, cipher) = match &self.vault {
            None => (Cow::Borrowed(sealed), None),
            Some(vault) => {
                let (plain, cipher) = cover::uncover(vault, name, header, sealed)?;
                (Cow::Owned(plain.into()), Some(cipher))
            }
        };
        let meta = read_meta(name, &plain, key)?;
        if key != Some(&meta.key) && (self.name(&meta.key) != name || !meta.key.is_canonical()) {
            return Err(corrupt(name, "it belongs to another key"));
        }
        let codecs = Codecs { serializer, compressor, encryptor };
        Ok(Opened { name, codecs, meta, cipher, section })
    }

    /// Begins a binary that is written piece by piece.
    pub fn outflow(&self) -> Result<Outflow> {
        Outflow::new(self)
    }

    /// A value section, checked and decrypted.
    pub fn content(&self, opened: &Opened, section: Bytes) -> Result<Bytes> {
        self.check_digest(opened.name, &opened.meta, Digest::of(&section))?;
        match &opened.cipher {
            None => Ok(section),
            Some(cipher) => unpadded(opened.name, cipher.decrypt(&section)),
        }
    }

    /// The same where the platform is waited for.
    pub async fn content_later(&self, opened: &Opened, section: Bytes) -> Result<Bytes> {
        self.check_digest(opened.name, &opened.meta, Digest::of(&section))?;
        match &opened.cipher {
            None => Ok(section),
            Some(cipher) => unpadded(opened.name, cipher.decrypt_later(section).await),
        }
    }

    /// A blob under the active key, as it is otherwise; `None` if it is under that.
    pub fn reseal(&self, name: BlobName, Blob { head, value }: Blob) -> Result<Option<Blob>> {
        let opened = self.open(name, None, &head, Bytes::new())?;
        if self.is_under_active_key(&head) {
            return Ok(None);
        }
        let content = self.content(&opened, value)?;
        let Opened { codecs, meta, .. } = opened;
        let encoded = Encoded { codecs, size: meta.size.unwrap_or_default(), section: content };
        self.seal(name, meta, encoded).map(Some)
    }

    /// Whether a head, which was opened, is under the active key.
    pub fn is_under_active_key(&self, head: &[u8]) -> bool {
        let kid = head.get(HEADER_LEN..).and_then(<[u8]>::first_chunk);
        self.vault.as_ref().is_none_or(|vault| kid == Some(vault.keyring().active_kid()))
    }

    /// Checks that a value section of this digest is the one its head was written with.
    pub fn check_digest(&self, name: BlobName, meta: &Meta, digest: [u8; 32]) -> Result<()> {
        if meta.digest == Some(digest) {
            return Ok(());
        }
        Err(self.damaged(name, "its value is not what was written"))
    }

    /// The error of a blob that was changed since it was written. Of an encrypted one it is always the same: who changed it
    /// learns nothing.
    fn damaged(&self, name: BlobName, what: &str) -> Error {
        if self.vault.is_some() { forged(name) } else { corrupt(name, what) }
    }
}

fn unpadded(name: BlobName, content: Option<Vec<u8>>) -> Result<Bytes> {
    content.map(Bytes::from).ok_or_else(|| corrupt(name, "its value has no padding"))
}

fn read_meta(name: BlobName, plain: &[u8], key: Option<&Key>) -> Result<Meta> {
    let (size, rest) = plain.split_first_chunk().ok_or_else(|| corrupt(name, "its head has no size"))?;
    let (digest, map) = rest.split_first_chunk().ok_or_else(|| corrupt(name, "its head has no digest"))?;
    Meta::from_map(map, u64::from_be_bytes(*size), *digest, key)
}

/// The error of a blob that is not what a store writes.
fn corrupt(name: BlobName, what: &str) -> Error {
    let message = format!("blob {name} is damaged ({what}); restore it from a backup or delete its key");
    Error::new(ErrorKind::Corrupt, message)
}

/// The error of an encrypted blob that this store did not write like that.
fn forged(name: BlobName) -> Error {
    let message = format!("blob {name} is not what this store wrote; restore it from a backup or delete its key");
    Error::new(ErrorKind::Authentication, message)
}

/// The first 12 bytes of `H(name ‖ header[0..8] ‖ meta section)`.
fn check(name: BlobName, head: &[u8]) -> [u8; 12] {
    let parts = [name.as_bytes(), head.get(..8).unwrap_or_default(), head.get(HEADER_LEN..).unwrap_or_default()];
    // Most heads are short, and a hasher that takes parts costs as much as their hash.
    blake3::hash(&parts.concat()).as_bytes().first_chunk().copied().unwrap_or_default()
}
