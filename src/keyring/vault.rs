//! The keys of an open store, which `rekey` changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Keyring, built::Built};
use crate::env::Rng;

/// The keyring that is used now, and what salts are drawn from. Clones are the same.
#[derive(Clone)]
pub struct Vault {
    keyring: Arc<Mutex<Arc<Keyring>>>,
    rng: Arc<dyn Rng>,
    _built: Built,
}

impl Vault {
    pub fn new(keyring: Keyring, rng: Arc<dyn Rng>) -> Self {
        let built = keyring.built;
        Self { keyring: Arc::new(Mutex::new(Arc::new(keyring))), rng, _built: built }
    }

    /// The keyring as it is.
    pub fn keyring(&self) -> Arc<Keyring> {
        self.lock().clone()
    }

    /// Uses this one from now on.
    pub fn replace(&self, keyring: Keyring) {
        *self.lock() = Arc::new(keyring);
    }

    /// Where random bytes come from.
    pub fn rng(&self) -> &dyn Rng {
        self.rng.as_ref()
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Keyring>> {
        // A keyring is replaced whole, also where a thread panicked.
        self.keyring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
