//! The keys of one write: what encrypts and authenticates the two sections of one blob.
//!
//! `okm = DK("konserve 2026 blob keys", K ‖ salt)`, 96 bytes = enc 32 ‖ mac 32 ‖ iv of meta 16 ‖ iv of value 16. A salt is
//! used for one write only, so no key meets two messages.

use std::sync::{Arc, LazyLock};

use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use zeroize::Zeroizing;

use super::{
    DataKey, Keyring, Kid,
    built::Built,
    cipher::{Cipher, Parts},
    platform::PlatformAes,
    salts::SALT_LEN,
};
use crate::name::{BlobName, Uuid};

/// The length of a tag in bytes.
pub const TAG_LEN: usize = 32;

/// See the module's documentation.
pub struct BlobKeys(Built<Box<Keys>>);

struct Keys {
    id: Uuid,
    kid: Kid,
    salt: [u8; SALT_LEN],
    mac: Zeroizing<[u8; 32]>,
    /// For the meta section.
    meta: Cipher,
    /// For the value section.
    value: Cipher,
}

impl BlobKeys {
    /// Those of a write with this salt and data key, in the store of this id.
    pub(super) fn derive(
        keyring: &Keyring,
        DataKey { kid, key }: &DataKey,
        salt: [u8; SALT_LEN],
        platform: Option<&Arc<dyn PlatformAes>>,
    ) -> Self {
        static CONTEXT: LazyLock<ContextKey> = LazyLock::new(|| hash_derive_key_context("konserve 2026 blob keys"));
        let mut hasher = Zeroizing::new(blake3::Hasher::new_from_context_key(&CONTEXT));
        hasher.update(key.as_slice()).update(&salt);
        let mut okm = Zeroizing::new(hasher.finalize_xof());
        let (enc, mac) = (take::<32>(&mut okm), take::<32>(&mut okm));
        let meta = Parts::new(enc, take(&mut okm), platform.cloned());
        let value = meta.with(take(&mut okm));
        let [meta, value] = [meta, value].map(|parts| Cipher(keyring.0.beside(parts)));
        Self(keyring.0.beside(Box::new(Keys { id: keyring.id(), kid: *kid, salt, mac, meta, value })))
    }

    /// What a meta section begins with: which keys these are.
    pub fn kid_and_salt(&self) -> (&Kid, &[u8; SALT_LEN]) {
        (&self.0.kid, &self.0.salt)
    }

    /// For the meta section.
    pub fn meta(&self) -> &Cipher {
        &self.0.meta
    }

    /// For the value section.
    pub fn value(&self) -> &Cipher {
        &self.0.value
    }

    /// `KH(mac, id ‖ name ‖ header[0..8] ‖ kid ‖ salt ‖ ct)`, which is compared in constant time.
    pub fn tag(&self, name: BlobName, header: [u8; 8], ct: &[u8]) -> blake3::Hash {
        let Keys { id, kid, salt, mac, .. } = &**self.0;
        let mut hasher = blake3::Hasher::new_keyed(mac);
        for part in [id.as_bytes().as_slice(), name.as_bytes(), &header, kid, salt, ct] {
            hasher.update(part);
        }
        hasher.finalize()
    }
}

/// The next bytes.
pub(super) fn take<const LEN: usize>(okm: &mut blake3::OutputReader) -> Zeroizing<[u8; LEN]> {
    let mut bytes = Zeroizing::new([0; LEN]);
    okm.fill(bytes.as_mut_slice());
    bytes
}

#[cfg(all(test, feature = "encryption"))]
mod tests {
    use super::*;
    use crate::keyring::material::{forgets, keyring};

    #[test]
    fn keys_of_blobs_are_overwritten() {
        let keys = keyring().for_write([2; SALT_LEN], None);
        let Keys { id: _, kid: _, salt: _, mac, meta: Cipher(_), value: Cipher(_) } = &**keys.0;
        forgets(mac);
    }
}
