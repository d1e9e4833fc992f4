//! Argon2id of native programs.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use super::secret::{Kdf, KdfParams};
use crate::{
    env::BoxFut,
    error::{Error, ErrorKind, Result},
};

/// On a thread that may be busy for a while.
pub struct Argon2id;

impl Kdf for Argon2id {
    fn derive(
        &self,
        passphrase: Arc<Zeroizing<String>>,
        params: KdfParams,
    ) -> BoxFut<'static, Result<Zeroizing<[u8; 32]>>> {
        Box::pin(blocking::unblock(move || derive(&passphrase, params)))
    }
}

fn derive(passphrase: &str, KdfParams { memory, passes, lanes, salt }: KdfParams) -> Result<Zeroizing<[u8; 32]>> {
    let failed = |error| Error::new(ErrorKind::Backend, format!("the passphrase could not be made a key: {error}"));
    let params = Params::new(memory, passes, lanes, Some(32)).map_err(failed)?;
    let mut blocks = Zeroizing::new(vec![Block::default(); params.block_count()]);
    let mut key = Zeroizing::new([0; 32]);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let filled = argon2.hash_password_into_with_memory(passphrase.as_bytes(), &salt, key.as_mut_slice(), &mut *blocks);
    filled.map_err(failed).map(|()| key)
}
