//! What opens a store: 32 bytes, or a passphrase that Argon2id (RFC 9106) makes 32 bytes of.

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

use super::built::Built;
use crate::{
    env::{BoxFut, MaybeSend, MaybeSync},
    error::{Error, ErrorKind, Result},
};

/// A key of the user's.
#[derive(Clone)]
pub struct Secret(pub(super) Built<Kind>);

#[derive(Clone)]
pub(super) enum Kind {
    /// 32 bytes, as random as they should be.
    Raw(Arc<Zeroizing<[u8; 32]>>),
    /// A text as it was given: nothing is normalized, and digits are not read as bytes.
    Passphrase(Arc<Zeroizing<String>>, Arc<dyn Kdf>),
}

/// How much work it is to try a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfParams {
    /// The memory in KiB.
    pub memory: u32,
    /// The passes over it.
    pub passes: u32,
    /// The lanes.
    pub lanes: u32,
    /// What makes equal passphrases different keys.
    pub salt: [u8; 16],
}

/// Makes 32 bytes of a passphrase by Argon2id, version 0x13, without secret and associated data.
pub trait Kdf: MaybeSend + MaybeSync {
    /// The bytes.
    fn derive(
        &self,
        passphrase: Arc<Zeroizing<String>>,
        params: KdfParams,
    ) -> BoxFut<'static, Result<Zeroizing<[u8; 32]>>>;
}

impl KdfParams {
    /// Those of new slots: 19 MiB, two passes, one lane (OWASP's first choice for Argon2id).
    pub const fn new(salt: [u8; 16]) -> Self {
        Self { memory: 19_456, passes: 2, lanes: 1, salt }
    }

    /// Whether they may be asked of a machine: what others wrote is not to cost more than this.
    pub fn are_sound(&self) -> bool {
        (1..=16).contains(&self.passes)
            && (1..=4).contains(&self.lanes)
            && (8 * self.lanes..=262_144).contains(&self.memory)
    }
}

#[cfg(all(feature = "encryption", not(target_arch = "wasm32")))]
impl From<[u8; 32]> for Secret {
    fn from(bytes: [u8; 32]) -> Self {
        Self(Built::here(Kind::Raw(Arc::new(Zeroizing::new(bytes)))))
    }
}

#[cfg(all(feature = "encryption", not(target_arch = "wasm32")))]
impl From<&str> for Secret {
    fn from(passphrase: &str) -> Self {
        let passphrase = Arc::new(Zeroizing::new(passphrase.to_owned()));
        Self(Built::here(Kind::Passphrase(passphrase, Arc::new(super::argon2id::Argon2id))))
    }
}

impl Secret {
    /// A passphrase, of which `kdf` makes bytes.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn passphrase(passphrase: String, kdf: Arc<dyn Kdf>) -> Result<Self> {
        Built::new(Kind::Passphrase(Arc::new(Zeroizing::new(passphrase)), kdf)).map(Self)
    }

    /// 32 bytes; another length is `INVALID_CONFIG`.
    pub fn raw(bytes: &[u8]) -> Result<Self> {
        let bytes = bytes.try_into().map_err(|_| {
            let message = format!("a key for aes-blake3 is 32 bytes, or a passphrase; it has {} bytes", bytes.len());
            Error::new(ErrorKind::InvalidConfig, message)
        })?;
        Built::new(Kind::Raw(Arc::new(Zeroizing::new(bytes)))).map(Self)
    }

    /// That it protects anything: an empty passphrase is `INVALID_CONFIG`.
    pub fn check(&self) -> Result<()> {
        match &*self.0 {
            Kind::Passphrase(passphrase, _) if passphrase.is_empty() => {
                Err(Error::new(ErrorKind::InvalidConfig, "an empty passphrase protects nothing; choose another"))
            }
            Kind::Raw(_) | Kind::Passphrase(..) => Ok(()),
        }
    }
}

impl fmt::Debug for Secret {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self.0 {
            Kind::Raw(_) => "Raw",
            Kind::Passphrase(..) => "Passphrase",
        })
    }
}
