//! The keys of one write: what encrypts and authenticates the two sections of one blob.
//!
//! `okm = DK("konserve 2026 blob keys", K ‖ salt)`, 96 bytes = enc 32 ‖ mac 32 ‖ iv of meta 16 ‖ iv of value 16. A salt is
//! used for one write only, so no key meets two messages.

use std::sync::LazyLock;

use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use zeroize::Zeroizing;

use super::{
    built::Built,
    cipher::{BLOCK_LEN, Cipher},
};

/// The length of what makes the keys of a write its own, in bytes.
pub const SALT_LEN: usize = 32;
/// The length of a tag in bytes.
pub const TAG_LEN: usize = 32;

/// See the module's documentation.
pub struct BlobKeys {
    mac: Zeroizing<[u8; 32]>,
    /// For the meta section.
    pub meta: Cipher,
    /// For the value section.
    pub value: Cipher,
}

impl BlobKeys {
    /// Those of a write with this salt.
    pub(super) fn derive(key: &[u8; 32], salt: &[u8; SALT_LEN], built: Built) -> Self {
        static CONTEXT: LazyLock<ContextKey> = LazyLock::new(|| hash_derive_key_context("konserve 2026 blob keys"));
        let mut hasher = blake3::Hasher::new_from_context_key(&CONTEXT);
        hasher.update(key).update(salt);
        let mut okm = hasher.finalize_xof();
        let (enc, mac) = (take::<32>(&mut okm), take::<32>(&mut okm));
        let (meta, value) = (take::<BLOCK_LEN>(&mut okm), take::<BLOCK_LEN>(&mut okm));
        Self { mac, meta: Cipher::new(&enc, &meta, built), value: Cipher::new(&enc, &value, built) }
    }

    /// The tag of these parts, one after the other.
    pub fn tag(&self, parts: &[&[u8]]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.mac);
        parts.iter().for_each(|part| _ = hasher.update(part));
        hasher.finalize()
    }
}

/// The next bytes.
pub(super) fn take<const LEN: usize>(okm: &mut blake3::OutputReader) -> Zeroizing<[u8; LEN]> {
    let mut bytes = Zeroizing::new([0; LEN]);
    okm.fill(bytes.as_mut_slice());
    bytes
}
