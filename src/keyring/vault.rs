//! The keys of an open store, which `rekey` changes, and what uses them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    BlobKeys, Keyring, Kid, SALT_LEN,
    built::Built,
    platform::{PlatformAes, WORTH},
    salts::Salts,
};
use crate::{env::Rng, error::Result};

/// The keyring that is used now, and what salts are drawn from. Clones are the same.
#[derive(Clone)]
pub struct Vault(Built<Held>);

#[derive(Clone)]
struct Held {
    keyring: Arc<Mutex<Arc<Keyring>>>,
    /// What a rekey began with that failed: it may be in the record, or not.
    begun: Arc<Mutex<Option<Keyring>>>,
    rng: Arc<dyn Rng>,
    salts: Arc<Salts>,
    platform: Option<Arc<dyn PlatformAes>>,
}

impl Vault {
    pub fn new(keyring: Keyring, rng: Arc<dyn Rng>, platform: Option<Arc<dyn PlatformAes>>) -> Self {
        let keyring = Arc::new(keyring);
        Self(keyring.0.beside(Held {
            keyring: Arc::new(Mutex::new(keyring.clone())),
            begun: Arc::default(),
            rng,
            salts: Arc::default(),
            platform,
        }))
    }

    /// The keyring as it is.
    pub fn keyring(&self) -> Arc<Keyring> {
        self.lock().clone()
    }

    /// What a blob is to be written with, by the active data key and a fresh salt.
    pub fn for_write(&self) -> Result<BlobKeys> {
        let salt = self.0.salts.next(self.rng())?;
        Ok(self.keyring().for_write(salt, self.0.platform.as_ref()))
    }

    /// The keys that a blob was written with; `None` if the data key is not this store's, or is no more.
    pub fn of_write(&self, kid: Kid, salt: [u8; SALT_LEN]) -> Option<BlobKeys> {
        self.keyring().of_write(kid, salt, self.0.platform.as_ref())
    }

    /// Whether the platform is to be waited for to encrypt so many bytes.
    pub fn waits(&self, len: usize) -> bool {
        self.0.platform.as_ref().is_some_and(|platform| len >= WORTH && platform.waits())
    }

    /// Uses this one from now on.
    pub fn replace(&self, keyring: Keyring) {
        *self.begun() = None;
        *self.lock() = Arc::new(keyring);
    }

    /// Says that this one is about to be put into the record.
    pub fn begin(&self, keyring: Keyring) {
        *self.begun() = Some(keyring);
    }

    /// The keyrings that the record may have been written with.
    pub fn candidates(&self) -> Vec<Keyring> {
        let begun = self.begun().clone();
        [Keyring::clone(&self.keyring())].into_iter().chain(begun).collect()
    }

    /// Where random bytes come from.
    pub fn rng(&self) -> &dyn Rng {
        self.0.rng.as_ref()
    }

    fn begun(&self) -> MutexGuard<'_, Option<Keyring>> {
        self.0.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Keyring>> {
        // A keyring is replaced whole, also where a thread panicked.
        self.0.keyring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
