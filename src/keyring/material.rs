//! What holds keys forgets them, what compares tags takes the same time for all, and salts do not repeat: tests.
#![allow(clippy::unwrap_used, reason = "in a test, that is a failure")]

use std::collections::HashSet;

use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::{
    DataKey, Keyring, Keys, SALT_LEN,
    salts::Salts,
    secret::{Kind, Secret},
};
use crate::{
    env::{Rng, System},
    error::{Error, ErrorKind, Result},
    name::{BlobName, Uuid},
};

/// That it is overwritten when it is dropped. Whoever adds a part to what holds keys has to name it where this is called,
/// and to say whether it is one.
pub fn forgets<T: ZeroizeOnDrop>(_: &T) {}

pub fn keyring() -> Keyring {
    Keyring::random(Uuid::from_bytes([1; 16]), &System).unwrap()
}

#[test]
fn keys_of_users_and_stores_are_overwritten() {
    for secret in [Secret::from([7; 32]), Secret::from("a passphrase")] {
        match &*secret.0 {
            Kind::Raw(bytes) => forgets::<Zeroizing<_>>(bytes),
            Kind::Passphrase(passphrase, _kdf) => forgets::<Zeroizing<_>>(passphrase),
        }
    }
    let keyring = keyring();
    let Keys { id: _, name_key, data } = &*keyring.0;
    forgets(name_key);
    for DataKey { kid: _, key } in data {
        forgets(key);
    }
    forgets(&keyring.secrets());
}

/// A hasher keeps what it was given, and what it makes of that.
#[test]
fn what_keys_are_derived_with_is_overwritten() {
    let mut count = 0;
    for source in [include_str!("slot.rs"), include_str!("blob_keys.rs")] {
        for line in source.lines() {
            let derives =
                ["new_derive_key(", "new_from_context_key(", "finalize_xof("].iter().any(|call| line.contains(call));
            assert!(!derives || line.contains("Zeroizing::new("), "{line}");
            count += usize::from(derives);
        }
    }
    assert_eq!(count, 4);
}

/// `blake3::Hash` compares in constant time, with another and with bytes.
#[test]
fn what_is_compared_is_compared_in_constant_time() {
    let keys = keyring().for_write([2; SALT_LEN], None);
    let hashes: [blake3::Hash; 2] =
        [keyring().record_mac(b"body"), keys.tag(BlobName::from_bytes([3; 16]), [0x81; 8], b"ct")];
    assert_ne!(hashes[0], hashes[1]);
    // No comparison here is of the bytes of a hash.
    for source in [
        include_str!("slot.rs"),
        include_str!("blob_keys.rs"),
        include_str!("../record.rs"),
        include_str!("../layout/sealed/cover.rs"),
    ] {
        let compared = source.lines().filter(|line| line.contains("==") || line.contains("!="));
        for line in compared.filter(|line| line.contains("tag") || line.contains("mac")) {
            assert!(!line.contains("as_bytes()"), "{line}");
        }
    }
}

#[test]
fn a_million_salts_are_a_million() {
    let (salts, mut seen) = (Salts::default(), HashSet::with_capacity(1_000_000));
    for _ in 0..1_000_000 {
        seen.insert(salts.next(&System).unwrap());
    }
    assert_eq!(seen.len(), 1_000_000);
    assert!(!seen.contains(&[0; SALT_LEN]));
}

struct NoChance;

impl Rng for NoChance {
    fn fill(&self, _: &mut [u8]) -> Result<()> {
        Err(Error::new(ErrorKind::Backend, "no chance"))
    }
}

#[test]
fn without_random_bytes_there_is_no_salt_and_no_key() {
    assert_eq!(Salts::default().next(&NoChance).unwrap_err().kind(), ErrorKind::Backend);
    assert_eq!(Keyring::random(Uuid::from_bytes([1; 16]), &NoChance).unwrap_err().kind(), ErrorKind::Backend);
    assert_eq!(keyring().with_new(&NoChance).unwrap_err().kind(), ErrorKind::Backend);
}
