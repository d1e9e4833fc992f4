//! The encryptors of stores shared with Clojure: of meta and value sections, each by itself, after compression.

mod konserve_aes;
mod konserve_gcm;

use std::{fmt, sync::Arc};

use bytes::Bytes;

pub use konserve_aes::KonserveAes;
pub use konserve_gcm::{KonserveGcm, Section};

use crate::{
    env::Rng,
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

/// What the blobs of a store in konserve's layout are encrypted with, and the key. Metadata and values are encrypted;
/// binaries are not, for konserve does not encrypt them.
///
/// Blobs are read with the encryptor that each of them names, if the key fits it.
#[derive(Clone)]
pub struct KonserveEncryptor {
    /// For what is written next.
    writes: u8,
    aes: Option<Arc<KonserveAes>>,
    gcm: Option<Arc<KonserveGcm>>,
}

impl KonserveEncryptor {
    /// `aes`, with a key that is one CBOR item.
    pub fn aes(key: &[u8]) -> Result<Self> {
        let aes = KonserveAes::new(key)?;
        let gcm = KonserveGcm::new(key).ok().map(Arc::new);
        Ok(Self { writes: KonserveAes::ID, aes: Some(Arc::new(aes)), gcm })
    }

    /// `aes-gcm`, with a key that is one CBOR item.
    pub fn aes_gcm(key: &[u8]) -> Result<Self> {
        let gcm = KonserveGcm::new(key)?;
        let aes = KonserveAes::new(key).ok().map(Arc::new);
        Ok(Self { writes: KonserveGcm::ID, aes, gcm: Some(Arc::new(gcm)) })
    }

    /// Byte 3 of the headers of what is written.
    pub fn id(&self) -> u8 {
        self.writes
    }

    /// A section of a blob, encrypted.
    pub fn encrypt(&self, plain: &[u8], blob: BlobName, section: Section, rng: &dyn Rng) -> Result<Bytes> {
        match (self.writes, &self.aes, &self.gcm) {
            (KonserveAes::ID, Some(aes), _) => aes.encrypt(plain, rng),
            (KonserveGcm::ID, _, Some(gcm)) => gcm.encrypt(plain, blob, section, rng),
            (other, ..) => Err(no_key(other)),
        }
    }

    /// What `read` makes of a section that the encryptor of this number wrote. It may be called twice, see
    /// [`KonserveAes::decrypt`].
    pub fn decrypt<T>(
        &self,
        id: u8,
        encrypted: &[u8],
        (blob, section): (BlobName, Section),
        mut read: impl FnMut(Bytes) -> Result<T>,
    ) -> Result<T> {
        match (id, &self.aes, &self.gcm) {
            (KonserveAes::ID, Some(aes), _) => aes.decrypt(encrypted, read),
            (KonserveGcm::ID, _, Some(gcm)) => gcm.decrypt(encrypted, blob, section).and_then(&mut read),
            (other, ..) => Err(no_key(other)),
        }
    }
}

/// The error of a blob that was encrypted, where there is no key that would fit.
pub fn no_key(encryptor: u8) -> Error {
    match encryptor {
        KonserveAes::ID | KonserveGcm::ID => Error::new(
            ErrorKind::WrongKey,
            "the blob is encrypted, and no key that fits was given; open the store with its encryptor",
        ),
        other => Error::new(
            ErrorKind::Unsupported,
            format!("the blob was written with encryptor {other}, which this build does not have"),
        ),
    }
}

impl fmt::Debug for KonserveEncryptor {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KonserveEncryptor").field("writes", &self.writes).finish_non_exhaustive()
    }
}
