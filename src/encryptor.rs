//! What a store is encrypted with.

#[cfg(feature = "clojure")]
use crate::codec::encryptor::KonserveEncryptor;
#[cfg(feature = "clojure")]
use crate::error::Result;
use crate::keyring::Secret;
#[cfg(all(feature = "clojure", not(target_arch = "wasm32")))]
use crate::value::ToCbor;

/// How a store is encrypted, and the key.
#[derive(Clone, Debug)]
pub struct Encryptor(pub(crate) Method);

#[derive(Clone, Debug)]
pub(crate) enum Method {
    /// Of the sealed layout.
    AesBlake3(Secret),
    /// Of konserve's.
    #[cfg(feature = "clojure")]
    Konserve(KonserveEncryptor),
}

impl Encryptor {
    /// That of the sealed layout: all that is stored is encrypted (AES-256-CBC) and authenticated (BLAKE3). The key is 32
    /// bytes, or a passphrase, which opens the store more slowly. A store that was made with it opens with no other key.
    pub fn aes_blake3(key: impl Into<Secret>) -> Self {
        Self(Method::AesBlake3(key.into()))
    }
}

/// Of stores that are shared with Clojure.
#[cfg(feature = "clojure")]
impl Encryptor {
    /// konserve's `:aes`: AES-256-CBC. It hides values and tells no damage, nor who wrote them: use it to share stores
    /// that have it. The key is any value that hasch can hash, else `INVALID_CONFIG`.
    #[cfg(not(target_arch = "wasm32"))]
    #[allow(clippy::needless_pass_by_value, reason = "as all that takes a key")]
    pub fn aes(key: impl ToCbor) -> Result<Self> {
        Self::aes_cbor(&key.to_cbor()?)
    }

    /// `aes` with a key that is given as CBOR.
    pub fn aes_cbor(key: &[u8]) -> Result<Self> {
        KonserveEncryptor::aes(key).map(|encryptor| Self(Method::Konserve(encryptor)))
    }

    /// konserve's `:aes-gcm`: AES-256-GCM, which tells damage and blobs that were exchanged. The key is 32 bytes, or their
    /// 64 hexadecimal digits as text, else `INVALID_CONFIG`. Written by its description: it has not been tried against
    /// the version of konserve that has it.
    #[cfg(not(target_arch = "wasm32"))]
    #[allow(clippy::needless_pass_by_value, reason = "as all that takes a key")]
    pub fn aes_gcm(key: impl ToCbor) -> Result<Self> {
        Self::aes_gcm_cbor(&key.to_cbor()?)
    }

    /// `aes_gcm` with a key that is given as CBOR.
    pub fn aes_gcm_cbor(key: &[u8]) -> Result<Self> {
        KonserveEncryptor::aes_gcm(key).map(|encryptor| Self(Method::Konserve(encryptor)))
    }
}
