//! All that the wasm module `argon2` has: it makes a key of a passphrase, maybe in a worker, where the rest is not wanted.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

/// 32 bytes by Argon2id (RFC 9106), with `memory` in KiB; nothing where the parameters are none.
#[wasm_bindgen]
pub fn argon2id(passphrase: String, salt: &[u8], memory: u32, passes: u32, lanes: u32) -> Option<Vec<u8>> {
    let passphrase = Zeroizing::new(passphrase);
    let params = Params::new(memory, passes, lanes, Some(32)).ok()?;
    let mut blocks = Zeroizing::new(vec![Block::default(); params.block_count()]);
    let mut key = vec![0; 32];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into_with_memory(passphrase.as_bytes(), salt, &mut key, &mut *blocks).ok()?;
    Some(key)
}
