//! Clojure konserve's encryptor 2, `:aes-gcm`: `salt 32 ‖ nonce 12 ‖ AES-256-GCM with its tag of 16`.
//!
//! Each section has a cipher key of its own, HKDF-SHA256 (RFC 5869) of the master key and the section's salt. The tag also
//! covers which section of which blob it is.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use bytes::Bytes;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    cbor::{Head, Reader},
    env::Rng,
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

const KEY_LEN: usize = 32;
const SALT_LEN: usize = 32;
const NONCE_LEN: usize = 12;

/// Which section of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// The metadata.
    Meta,
    /// The value.
    Value,
}

/// The encryptor with its master key.
pub struct KonserveGcm(Zeroizing<[u8; KEY_LEN]>);

impl KonserveGcm {
    /// Byte 3 of the header.
    pub const ID: u8 = 2;

    /// With the key that one CBOR item is: 32 bytes, or their 64 hexadecimal digits as text. Else `INVALID_CONFIG`: a
    /// passphrase is no key.
    pub fn new(key: &[u8]) -> Result<Self> {
        let invalid = || {
            let message =
                "the encryption key is not 32 bytes, nor their 64 hexadecimal digits; make one from random bytes";
            Error::new(ErrorKind::InvalidConfig, message)
        };
        let mut reader = Reader::new(key);
        let head = reader.head().map_err(|_| invalid())?;
        let (len, is_hex) = match head {
            Head::Bytes(len @ KEY_LEN) => (len, false),
            Head::Text(len) if len == 2 * KEY_LEN => (len, true),
            _ => return Err(invalid()),
        };
        let given = reader.take(len).map_err(|_| invalid())?;
        let mut key = Zeroizing::new([0; KEY_LEN]);
        if is_hex {
            for (byte, digits) in key.iter_mut().zip(given.chunks_exact(2)) {
                let digit = |at: usize| digits.get(at).and_then(|digit| char::from(*digit).to_digit(16));
                let [high, low] = [digit(0).ok_or_else(invalid)?, digit(1).ok_or_else(invalid)?];
                *byte = u8::try_from(high << 4 | low).map_err(|_| invalid())?;
            }
        } else {
            key.iter_mut().zip(given).for_each(|(to, from)| *to = *from);
        }
        if reader.rest().is_empty() { Ok(Self(key)) } else { Err(invalid()) }
    }

    /// These bytes as this section of the blob of this name, with a salt and a nonce of their own.
    pub fn encrypt(&self, plain: &[u8], blob: BlobName, section: Section, rng: &dyn Rng) -> Result<Bytes> {
        let (mut salt, mut nonce) = ([0; SALT_LEN], [0; NONCE_LEN]);
        rng.fill(&mut salt)?;
        rng.fill(&mut nonce)?;
        let payload = Payload { msg: plain, aad: &associated(blob, section) };
        let too_long = |_| Error::new(ErrorKind::LimitExceeded, "a value is too long to be encrypted; stream it");
        let encrypted = self.cipher(&salt)?.encrypt(&nonce.into(), payload).map_err(too_long)?;
        Ok([salt.as_slice(), &nonce, &encrypted].concat().into())
    }

    /// The bytes before encryption. `AUTHENTICATION` unless they were written with this key as this section of the blob
    /// of this name, and nothing has changed since.
    pub fn decrypt(&self, encrypted: &[u8], blob: BlobName, section: Section) -> Result<Bytes> {
        let other = || {
            let message = "a section was not written with this key, belongs to another blob, or is damaged";
            Error::new(ErrorKind::Authentication, message)
        };
        let (salt, rest) = encrypted.split_first_chunk::<SALT_LEN>().ok_or_else(other)?;
        let (nonce, msg) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(other)?;
        let payload = Payload { msg, aad: &associated(blob, section) };
        self.cipher(salt)?.decrypt(nonce.into(), payload).map(Bytes::from).map_err(|_| other())
    }

    fn cipher(&self, salt: &[u8; SALT_LEN]) -> Result<Aes256Gcm> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        let derived = Hkdf::<Sha256>::new(Some(salt), &*self.0).expand(b"konserve-aes-gcm-v1", &mut *key);
        derived.map_err(|_| Error::new(ErrorKind::Unsupported, "HKDF gives no key of this length"))?;
        Ok(Aes256Gcm::new(&(*key).into()))
    }
}

impl fmt::Debug for KonserveGcm {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KonserveGcm").finish_non_exhaustive()
    }
}

/// What the tag covers beside the bytes; 1 is the layout's version.
fn associated(blob: BlobName, section: Section) -> Vec<u8> {
    let section = match section {
        Section::Meta => "meta",
        Section::Value => "value",
    };
    ["konserve|1|", &blob.file_name(), "|", section].concat().into_bytes()
}
