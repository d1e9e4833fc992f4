//! A slot of the record: the store's keys, sealed with one key of the user's.
//!
//! ```text
//! slot = kdf 1 ‖ m u32 ‖ t u32 ‖ p u32 ‖ salt 16 ‖ ct ‖ tag 32
//! KEK  = kdf 0: the 32 bytes, m = t = p = 0 | kdf 1: Argon2id of the passphrase
//! okm  = DK("konserve 2026 key slot", KEK ‖ salt), 80 bytes = enc 32 ‖ mac 32 ‖ iv 16
//! ct   = CBC(enc, iv, secrets)      tag = KH(mac, id ‖ slot before the tag)
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use zeroize::Zeroizing;

use super::{
    Keyring,
    blob_keys::{TAG_LEN, take},
    cipher::{Cipher, Parts},
    secret::{KdfParams, Kind, Secret},
};
use crate::{
    env::Rng,
    error::{Error, Result},
    name::Uuid,
};

const RAW: u8 = 0;
const ARGON2ID: u8 = 1;
/// Up to the salt's end.
const HEAD_LEN: usize = 29;

/// A slot as it stands in the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot(pub Bytes);

impl Slot {
    /// The store's keys for one more key of the user's, with a fresh salt.
    pub async fn seal(keyring: &Keyring, secret: &Secret, rng: &dyn Rng) -> Result<Self> {
        let mut salt = [0; 16];
        rng.fill(&mut salt)?;
        let params = KdfParams::new(salt);
        let mut slot = BytesMut::new();
        match *secret.0 {
            Kind::Raw(_) => slot.put_bytes(RAW, 13),
            Kind::Passphrase(..) => {
                slot.put_u8(ARGON2ID);
                [params.memory, params.passes, params.lanes].into_iter().for_each(|n| slot.put_u32(n));
            }
        }
        slot.put_slice(&salt);
        let keys = SlotKeys::derive(secret, params).await?;
        slot.put_slice(&keys.cipher.encrypt(&keyring.secrets()));
        let tag = keys.tag(keyring.id(), &slot);
        slot.put_slice(tag.as_bytes());
        Ok(Self(slot.freeze()))
    }

    /// The store's keys, if this key opens the slot: `None` if not, or if the slot is none that may be tried.
    pub async fn open(&self, id: Uuid, secret: &Secret) -> Result<Option<Keyring>> {
        let Some((params, sealed, tag)) = self.parts(secret) else { return Ok(None) };
        let keys = SlotKeys::derive(secret, params).await?;
        // In constant time: this is blake3's own comparison.
        if keys.tag(id, sealed) != *tag {
            return Ok(None);
        }
        let secrets = sealed.get(HEAD_LEN..).and_then(|encrypted| keys.cipher.decrypt(encrypted));
        Ok(secrets.map(Zeroizing::new).and_then(|secrets| Keyring::from_secrets(id, &secrets, secret)))
    }

    /// Parameters, what the tag is of, and the tag; `None` if the slot is for another kind of key, or is none.
    fn parts(&self, secret: &Secret) -> Option<(KdfParams, &[u8], &[u8; TAG_LEN])> {
        let (sealed, tag) = self.0.split_last_chunk()?;
        let (&[kdf, ref numbers @ ..], rest) = sealed.split_first_chunk::<13>()?;
        let (&salt, _) = rest.split_first_chunk()?;
        let [memory, passes, lanes] = [0, 4, 8].map(|at| numbers.get(at..).and_then(<[u8]>::first_chunk));
        let [memory, passes, lanes] = [memory?, passes?, lanes?].map(|n| u32::from_be_bytes(*n));
        let params = KdfParams { memory, passes, lanes, salt };
        let fits = match *secret.0 {
            Kind::Raw(_) => kdf == RAW && [memory, passes, lanes] == [0; 3],
            Kind::Passphrase(..) => kdf == ARGON2ID && params.are_sound(),
        };
        fits.then_some((params, sealed, tag))
    }
}

struct SlotKeys {
    cipher: Cipher,
    mac: Zeroizing<[u8; 32]>,
}

impl SlotKeys {
    async fn derive(secret: &Secret, params: KdfParams) -> Result<Self, Error> {
        let kek = match &*secret.0 {
            Kind::Raw(bytes) => Zeroizing::new(***bytes),
            Kind::Passphrase(passphrase, kdf) => kdf.derive(passphrase.clone(), params).await?,
        };
        let mut hasher = Zeroizing::new(blake3::Hasher::new_derive_key("konserve 2026 key slot"));
        hasher.update(kek.as_slice()).update(&params.salt);
        let mut okm = Zeroizing::new(hasher.finalize_xof());
        let (enc, mac, iv) = (take::<32>(&mut okm), take::<32>(&mut okm), take::<16>(&mut okm));
        Ok(Self { cipher: Cipher(secret.0.beside(Parts::new(enc, iv, None))), mac })
    }

    fn tag(&self, id: Uuid, slot: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.mac);
        hasher.update(id.as_bytes()).update(slot);
        hasher.finalize()
    }
}

#[cfg(all(test, feature = "encryption"))]
mod tests {
    use super::*;
    use crate::keyring::material::forgets;

    /// The compiler is the test.
    const _KEYS_OF_SLOTS_ARE_OVERWRITTEN: fn(&SlotKeys) = |SlotKeys { cipher: Cipher(_), mac }| forgets(mac);
}
