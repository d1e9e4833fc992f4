//! Clojure konserve's encryptor 1, `:aes`: `salt 64 ‖ AES-256-CBC`, PKCS#7, without anything that tells damage.
//!
//! The cipher's key is the start of the [hash](crate::hasch) of `["key" salt K]`, its initial vector that of
//! `["initial-value" salt K]`, where the salt is a list of 64 integers.

use std::fmt;

use aes::Aes256;
use bytes::Bytes;
use cbc::{
    Decryptor, Encryptor,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};
use zeroize::Zeroizing;

use crate::{
    cbor::{Writer, tag},
    env::Rng,
    error::{Error, ErrorKind, Result},
    hasch,
};

const SALT_LEN: usize = 64;
const BLOCK_LEN: usize = 16;
/// The byte of a salt that Clojure on the JVM reads as −128, and in JavaScript as 128.
const AMBIGUOUS: u8 = 0x80;

/// The encryptor with its key, of which the coercion is kept.
pub struct KonserveAes(Zeroizing<Vec<u8>>);

impl KonserveAes {
    /// Byte 3 of the header.
    pub const ID: u8 = 1;

    /// With the key that one CBOR item is: any value that hasch has a hash for, else `INVALID_CONFIG`.
    pub fn new(key: &[u8]) -> Result<Self> {
        let coerced = hasch::coerce(key).map_err(|why| {
            let message =
                "the encryption key cannot be used; let it be a text, bytes or another value that hasch can hash";
            Error::new(ErrorKind::InvalidConfig, message).caused_by(std::sync::Arc::new(why))
        })?;
        Ok(Self(Zeroizing::new(coerced)))
    }

    /// The section of these bytes, with a salt of its own which every platform reads alike.
    pub fn encrypt(&self, plain: &[u8], rng: &dyn Rng) -> Result<Bytes> {
        let mut salt = [0; SALT_LEN];
        rng.fill(&mut salt)?;
        for byte in salt.iter_mut().filter(|byte| **byte == AMBIGUOUS) {
            *byte = 0;
        }
        let Derived { key, iv } = self.derive(&salt, i8::MIN.into())?;
        let encrypted = Encryptor::<Aes256>::new(&(*key).into(), &(*iv).into()).encrypt_padded_vec::<Pkcs7>(plain);
        Ok([salt.as_slice(), &encrypted].concat().into())
    }

    /// What `read` makes of the bytes before encryption.
    ///
    /// A salt may mean two keys, according to the platform that wrote it. Then `read` is called with what the other one
    /// gives where it fails with the first: an error of `read`'s is that of the first call. `WRONG_KEY` if neither gives
    /// anything, `CORRUPT` if the section's length is none that was written.
    pub fn decrypt<T>(&self, section: &[u8], mut read: impl FnMut(Bytes) -> Result<T>) -> Result<T> {
        let damaged = || Error::new(ErrorKind::Corrupt, "an encrypted section is cut short, or has more behind it");
        let (salt, encrypted) = section.split_first_chunk::<SALT_LEN>().ok_or_else(damaged)?;
        if encrypted.is_empty() || !encrypted.len().is_multiple_of(BLOCK_LEN) {
            return Err(damaged());
        }
        let meanings = if salt.contains(&AMBIGUOUS) { [-128, 128].as_slice() } else { &[-128] };
        let mut first_error = None;
        for ambiguous in meanings {
            let Derived { key, iv } = self.derive(salt, *ambiguous)?;
            let cipher = Decryptor::<Aes256>::new(&(*key).into(), &(*iv).into());
            let Ok(plain) = cipher.decrypt_padded_vec::<Pkcs7>(encrypted) else { continue };
            match read(plain.into()) {
                Ok(read) => return Ok(read),
                Err(error) => _ = first_error.get_or_insert(error),
            }
        }
        Err(first_error.unwrap_or_else(|| {
            let message = "a section does not decrypt with this key: the store has another, or the section is damaged";
            Error::new(ErrorKind::WrongKey, message)
        }))
    }

    /// Key and initial vector of the cipher for a salt, in which 0x80 is this number.
    fn derive(&self, salt: &[u8; SALT_LEN], ambiguous: i64) -> Result<Derived> {
        let mut list = Writer::new();
        list.tag(tag::RECORD);
        list.array(2);
        list.text("clojure/list");
        list.array(SALT_LEN);
        for byte in salt {
            list.int(if *byte == AMBIGUOUS { ambiguous } else { byte.cast_signed().into() });
        }
        let salt = hasch::coerce(&list.finish())?;
        Ok(Derived { key: self.start("key", &salt)?, iv: self.start("initial-value", &salt)? })
    }

    /// The first bytes of the hash of `[purpose salt K]`, the salt coerced already.
    fn start<const LEN: usize>(&self, purpose: &str, salt: &[u8]) -> Result<Zeroizing<[u8; LEN]>> {
        let mut text = Writer::new();
        text.text(purpose);
        let hash = Zeroizing::new(hasch::hash_of_vector(&[&hasch::coerce(&text.finish())?, salt, &self.0]));
        let mut start = Zeroizing::new([0; LEN]);
        start.iter_mut().zip(hash.iter()).for_each(|(to, from)| *to = *from);
        Ok(start)
    }
}

/// What the cipher needs for one section.
struct Derived {
    key: Zeroizing<[u8; 32]>,
    iv: Zeroizing<[u8; BLOCK_LEN]>,
}

impl fmt::Debug for KonserveAes {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KonserveAes").finish_non_exhaustive()
    }
}
