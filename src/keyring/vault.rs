//! The keys of an open store, which `rekey` changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Keyring, built::Built};
use crate::env::Rng;

/// The keyring that is used now, and what salts are drawn from. Clones are the same.
#[derive(Clone)]
pub struct Vault(Built<Held>);

#[derive(Clone)]
struct Held {
    keyring: Arc<Mutex<Arc<Keyring>>>,
    rng: Arc<dyn Rng>,
}

impl Vault {
    pub fn new(keyring: Keyring, rng: Arc<dyn Rng>) -> Self {
        let keyring = Arc::new(keyring);
        Self(keyring.0.beside(Held { keyring: Arc::new(Mutex::new(keyring.clone())), rng }))
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
        self.0.rng.as_ref()
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Keyring>> {
        // A keyring is replaced whole, also where a thread panicked.
        self.0.keyring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
