//! What lies over the sections of one blob: nothing, or encryption and a tag.
//!
//! ```text
//! meta section  = kid 8 ‖ salt 32 ‖ ct ‖ tag 32   ct = CBC(enc, iv of meta, size ‖ digest ‖ map)
//! value section = CBC(enc, iv of value, compressed value)
//! tag           = KH(mac, id ‖ name ‖ header[0..8] ‖ kid ‖ salt ‖ ct)
//! ```

use bytes::{BufMut, Bytes, BytesMut};

use super::{corrupt, forged};
use crate::{
    error::{Error, ErrorKind, Result},
    keyring::{BlobKeys, Cipher, Encrypting, Kid, SALT_LEN, TAG_LEN, Vault, encrypted_len},
    name::BlobName,
};

/// Byte 3 of the header of encrypted blobs: AES-256-CBC with a BLAKE3 tag.
pub const AES_BLAKE3: u8 = 128;

/// For one write.
pub(super) enum Cover {
    Plain,
    Encrypted(BlobKeys),
}

impl Cover {
    /// Of the next blob of a store with these keys.
    pub(super) fn new(vault: Option<&Vault>) -> Result<Self> {
        let Some(vault) = vault else { return Ok(Self::Plain) };
        vault.for_write().map(Self::Encrypted)
    }

    /// A value section.
    pub(super) fn value(&self, section: Bytes) -> Bytes {
        match self {
            Self::Plain => section,
            Self::Encrypted(keys) => keys.value().encrypt(&section).into(),
        }
    }

    /// The same where the platform is waited for.
    pub(super) async fn value_later(&self, section: Bytes) -> Bytes {
        match self {
            Self::Plain => section,
            Self::Encrypted(keys) => keys.value().encrypt_later(section).await.into(),
        }
    }

    /// Begins a value section that comes in pieces.
    pub(super) fn encrypting(&self) -> Option<Encrypting> {
        match self {
            Self::Plain => None,
            Self::Encrypted(keys) => Some(keys.value().encrypting()),
        }
    }

    /// How long a meta section is.
    pub(super) fn meta_len(&self, len: usize) -> usize {
        match self {
            Self::Plain => len,
            Self::Encrypted(_) => size_of::<Kid>() + SALT_LEN + encrypted_len(len) + TAG_LEN,
        }
    }

    /// Adds a meta section to its header, of which these are the first bytes.
    pub(super) fn meta(&self, name: BlobName, header: [u8; 8], plain: &[u8], head: &mut BytesMut) {
        let Self::Encrypted(keys) = self else { return head.put_slice(plain) };
        let (kid, salt) = keys.kid_and_salt();
        let ct = keys.meta().encrypt(plain);
        let tag = keys.tag(name, header, &ct);
        for part in [kid.as_slice(), salt, &ct, tag.as_bytes()] {
            head.put_slice(part);
        }
    }
}

/// Opens a meta section whose header is undamaged: nothing is decrypted before the tag is known to be right. With it, the
/// cipher of the value section.
pub(super) fn uncover(vault: &Vault, name: BlobName, header: [u8; 8], section: &[u8]) -> Result<(Bytes, Cipher)> {
    let (sealed, tag) = section.split_last_chunk::<TAG_LEN>().ok_or_else(|| forged(name))?;
    let (kid, rest) = sealed.split_first_chunk().ok_or_else(|| forged(name))?;
    let (salt, ct) = rest.split_first_chunk().ok_or_else(|| forged(name))?;
    let keys = vault.of_write(*kid, *salt).ok_or_else(|| {
        let message = format!("blob {name} was written with a key that this store does not have, or has no more");
        Error::new(ErrorKind::WrongKey, message)
    })?;
    // Hashes are compared in constant time.
    if keys.tag(name, header, ct) != *tag {
        return Err(forged(name));
    }
    let plain = keys.meta().decrypt(ct).ok_or_else(|| corrupt(name, "its head has no padding"))?;
    Ok((plain.into(), keys.value().clone()))
}
