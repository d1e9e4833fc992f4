//! The keys of an encrypted store: `secrets = name key 32 ‖ active K 32 ‖ older K 32 …`, random, the same in every slot.

#[cfg(all(feature = "encryption", not(target_arch = "wasm32")))]
mod argon2id;
mod blob_keys;
mod built;
mod cipher;
#[cfg(all(test, feature = "encryption"))]
mod material;
mod platform;
mod salts;
mod secret;
mod slot;
mod vault;

use std::{fmt, sync::Arc};

pub use blob_keys::{BlobKeys, TAG_LEN};
use built::Built;
#[cfg(all(test, feature = "encryption"))]
pub use cipher::DECRYPTED;
pub use cipher::{BLOCK_LEN, Block, Cipher, Encrypting, encrypted_len, unpadded_len};
pub use platform::PlatformAes;
#[cfg(all(feature = "encryption", target_arch = "wasm32"))]
pub use platform::Way;
pub use salts::SALT_LEN;
pub use secret::Secret;
#[cfg(all(feature = "encryption", target_arch = "wasm32"))]
pub use secret::{Kdf, KdfParams};
pub use slot::Slot;
pub use vault::Vault;
use zeroize::Zeroizing;

use crate::{
    env::Rng,
    error::Result,
    key::Key,
    name::{BlobName, Uuid},
};

/// Which data key a blob was written with: `DK("konserve 2026 key id", K)[0..8]`.
pub type Kid = [u8; 8];
/// Data keys are at least one and at most so many.
const MAX_KEYS: usize = 8;
const KEY_LEN: usize = 32;

/// The keys of one store.
#[derive(Clone)]
pub struct Keyring(Built<Keys>);

#[derive(Clone)]
struct Keys {
    id: Uuid,
    name_key: Zeroizing<[u8; KEY_LEN]>,
    /// What is written next is encrypted with the first; the others are for what is there.
    data: Vec<DataKey>,
}

#[derive(Clone)]
struct DataKey {
    kid: Kid,
    key: Zeroizing<[u8; KEY_LEN]>,
}

impl DataKey {
    fn new(key: Zeroizing<[u8; KEY_LEN]>) -> Self {
        let id = blake3::derive_key("konserve 2026 key id", key.as_slice());
        Self { kid: id.first_chunk().copied().unwrap_or_default(), key }
    }
}

impl Keyring {
    /// New keys for a new store.
    pub fn random(id: Uuid, rng: &dyn Rng) -> Result<Self> {
        Built::new(Keys { id, name_key: random(rng)?, data: vec![DataKey::new(random(rng)?)] }).map(Self)
    }

    /// From the content of a slot that this key opened; `None` if that is none.
    fn from_secrets(id: Uuid, secrets: &[u8], secret: &Secret) -> Option<Self> {
        let (name_key, keys) = secrets.split_first_chunk()?;
        let (data, []) = keys.as_chunks::<KEY_LEN>() else { return None };
        let data: Vec<_> = data.iter().map(|key| DataKey::new(Zeroizing::new(*key))).collect();
        let name_key = Zeroizing::new(*name_key);
        (1..=MAX_KEYS).contains(&data.len()).then(|| Self(secret.0.beside(Keys { id, name_key, data })))
    }

    /// The content of its slots.
    fn secrets(&self) -> Zeroizing<Vec<u8>> {
        let mut secrets = Zeroizing::new(Vec::with_capacity(KEY_LEN * (self.0.data.len() + 1)));
        secrets.extend_from_slice(self.0.name_key.as_slice());
        self.0.data.iter().for_each(|key| secrets.extend_from_slice(key.key.as_slice()));
        secrets
    }

    /// The store that they are of.
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// The name of a key's blob: who does not have the name key cannot tell which key it is.
    pub fn name(&self, key: &Key) -> BlobName {
        key.name_with(&self.0.name_key)
    }

    /// What a blob is to be written with, by the active data key.
    fn for_write(&self, salt: [u8; SALT_LEN], platform: Option<&Arc<dyn PlatformAes>>) -> BlobKeys {
        BlobKeys::derive(self, self.active(), salt, platform)
    }

    /// The keys that a blob was written with; `None` if the data key is not this store's, or is no more.
    fn of_write(&self, kid: Kid, salt: [u8; SALT_LEN], platform: Option<&Arc<dyn PlatformAes>>) -> Option<BlobKeys> {
        let written = self.0.data.iter().find(|key| key.kid == kid)?;
        Some(BlobKeys::derive(self, written, salt, platform))
    }

    /// `KH(DK("konserve 2026 store record", active K), body)`.
    pub fn record_mac(&self, body: &[u8]) -> blake3::Hash {
        let key = Zeroizing::new(blake3::derive_key("konserve 2026 store record", self.active().key.as_slice()));
        blake3::keyed_hash(&key, body)
    }

    /// The id of the key that is written with.
    pub fn active_kid(&self) -> &Kid {
        &self.active().kid
    }

    /// Whether nothing is under an older key.
    pub fn is_single(&self) -> bool {
        self.0.data.len() == 1
    }

    /// With a new key to write with, beside those there are.
    pub fn with_new(&self, rng: &dyn Rng) -> Result<Self> {
        let mut keys = vec![DataKey::new(random(rng)?)];
        keys.extend(self.0.data.iter().cloned());
        Ok(self.with(keys))
    }

    /// Without the older keys.
    pub fn only_active(&self) -> Self {
        self.with(vec![self.active().clone()])
    }

    fn with(&self, data: Vec<DataKey>) -> Self {
        let Keys { id, name_key, .. } = &*self.0;
        Self(self.0.beside(Keys { id: *id, name_key: name_key.clone(), data }))
    }

    #[allow(clippy::indexing_slicing, reason = "there is at least one, by every constructor")]
    fn active(&self) -> &DataKey {
        &self.0.data[0]
    }
}

/// Without the keys.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("id", &self.0.id).field("keys", &self.0.data.len()).finish_non_exhaustive()
    }
}

fn random(rng: &dyn Rng) -> Result<Zeroizing<[u8; KEY_LEN]>> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    rng.fill(key.as_mut_slice())?;
    Ok(key)
}
