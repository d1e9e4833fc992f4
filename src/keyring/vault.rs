//! The keys of an open store, which `rekey` changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Keyring, built::Built};
use crate::env::Rng;

/// The keyring that is used now, and what salts are drawn from. Clones are the same.
#[derive(Clone)]
pub struct Vault {
    keyring: Arc<Mutex<Arc<Keyring>>>,
    /// What a rekey began with that failed: it may be in the record, or not.
    begun: Arc<Mutex<Option<Keyring>>>,
    rng: Arc<dyn Rng>,
    _built: Built,
}

impl Vault {
    pub fn new(keyring: Keyring, rng: Arc<dyn Rng>) -> Self {
        let built = keyring.built;
        Self { keyring: Arc::new(Mutex::new(Arc::new(keyring))), begun: Arc::default(), rng, _built: built }
    }

    /// The keyring as it is.
    pub fn keyring(&self) -> Arc<Keyring> {
        self.lock().clone()
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
        self.rng.as_ref()
    }

    fn begun(&self) -> MutexGuard<'_, Option<Keyring>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Keyring>> {
        // A keyring is replaced whole, also where a thread panicked.
        self.keyring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
