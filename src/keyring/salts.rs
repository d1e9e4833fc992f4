//! Salts of writes: never the same one twice. They are not secret.

use std::sync::{Mutex, PoisonError};

use crate::{env::Rng, error::Result};

/// The length of what makes the keys of a write its own, in bytes.
pub const SALT_LEN: usize = 32;

/// How many are drawn at once. Asking JavaScript for random bytes costs as much as the rest of a small write; a native
/// process may be forked, and both would have the same.
const AT_ONCE: usize = if cfg!(target_arch = "wasm32") { 32 } else { 1 };

/// Salts that were drawn and not used.
#[derive(Default)]
pub struct Salts(Mutex<Vec<[u8; SALT_LEN]>>);

impl Salts {
    /// A fresh one. A random source that fails is an error.
    pub fn next(&self, rng: &dyn Rng) -> Result<[u8; SALT_LEN]> {
        let mut ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(salt) = ready.pop() {
            return Ok(salt);
        }
        let mut drawn = [[0; SALT_LEN]; AT_ONCE];
        rng.fill(drawn.as_flattened_mut())?;
        let [salt, rest @ ..] = drawn;
        ready.extend(rest);
        Ok(salt)
    }
}
