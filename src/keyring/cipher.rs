//! AES-256-CBC (NIST SP 800-38A §6.2) with PKCS#7 padding (RFC 5652 §6.3), whole and piece by piece.

use std::sync::Arc;

use aes::Aes256;
use bytes::Bytes;
use cbc::{
    Decryptor, Encryptor,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit, block_padding::Pkcs7},
};
use zeroize::Zeroizing;

use super::{
    built::Built,
    platform::{PlatformAes, WORTH, Way},
};

/// The length of a block in bytes.
pub const BLOCK_LEN: usize = 16;
/// What a message is chained to: the initial vector, or the last encrypted block before it.
pub type Block = [u8; BLOCK_LEN];

#[cfg(test)]
thread_local! {
    /// The lengths of what this thread was to decrypt.
    pub static DECRYPTED: std::cell::RefCell<Vec<usize>> = std::cell::RefCell::default();
}

/// Key and initial vector, and whoever else can use them.
#[derive(Clone)]
pub struct Cipher(pub(super) Built<Parts>);

#[derive(Clone)]
pub(super) struct Parts {
    key: Zeroizing<[u8; 32]>,
    /// The key as it is used here; making it costs as much as a few blocks.
    schedule: Arc<Aes256>,
    iv: Zeroizing<Block>,
    platform: Option<Arc<dyn PlatformAes>>,
}

impl Parts {
    pub(super) fn new(key: Zeroizing<[u8; 32]>, iv: Zeroizing<Block>, platform: Option<Arc<dyn PlatformAes>>) -> Self {
        let schedule = Arc::new(Aes256::new(&(*key).into()));
        Self { key, schedule, iv, platform }
    }

    /// The same key with another initial vector.
    pub(super) fn with(&self, iv: Zeroizing<Block>) -> Self {
        Self { iv, ..self.clone() }
    }
}

impl Cipher {
    /// Encrypts all of it, with padding.
    pub fn encrypt(&self, plain: &[u8]) -> Vec<u8> {
        self.now(Way::Encrypt, plain).unwrap_or_else(|| self.encrypt_here(plain))
    }

    /// The same where the platform is waited for.
    pub async fn encrypt_later(&self, plain: Bytes) -> Vec<u8> {
        match self.later(Way::Encrypt, &plain).await {
            Some(encrypted) => encrypted,
            None => self.encrypt(&plain),
        }
    }

    /// Decrypts all of it, and takes the padding away; `None` where there is no padding that was written.
    pub fn decrypt(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        #[cfg(test)]
        DECRYPTED.with_borrow_mut(|lengths| lengths.push(encrypted.len()));
        self.now(Way::Decrypt, encrypted).or_else(|| self.decrypt_here(encrypted))
    }

    /// The same where the platform is waited for.
    pub async fn decrypt_later(&self, encrypted: Bytes) -> Option<Vec<u8>> {
        match self.later(Way::Decrypt, &encrypted).await {
            Some(plain) => Some(plain),
            None => self.decrypt(&encrypted),
        }
    }

    /// Whether that is to be waited for.
    pub fn waits(&self, len: usize) -> bool {
        self.platform(len, true).is_some()
    }

    /// Begins to encrypt what comes in pieces.
    pub fn encrypting(&self) -> Encrypting {
        Encrypting { cipher: self.clone(), rest: Zeroizing::new(Vec::with_capacity(BLOCK_LEN)) }
    }

    /// Decrypts whole blocks from the middle of a message; `before` is the block before them, none for the first. Padding stays.
    pub async fn decrypt_blocks(&self, before: Option<Block>, mut blocks: Vec<u8>) -> Vec<u8> {
        let Some(last) = blocks.last_chunk() else { return blocks };
        // A block that is nothing but padding ends them, as it ends every message.
        let mut end = self.after(Some(*last)).encrypt_here(&[]);
        blocks.append(&mut end);
        self.after(before).decrypt_later(blocks.into()).await.unwrap_or_default()
    }

    /// The same key, for what follows on a block.
    fn after(&self, before: Option<Block>) -> Self {
        let iv = before.map_or_else(|| self.0.iv.clone(), Zeroizing::new);
        Self(self.0.beside(self.0.with(iv)))
    }

    fn platform(&self, len: usize, waits: bool) -> Option<&dyn PlatformAes> {
        self.0.platform.as_deref().filter(|platform| len >= WORTH && platform.waits() == waits)
    }

    fn now(&self, way: Way, bytes: &[u8]) -> Option<Vec<u8>> {
        self.platform(bytes.len(), false)?.now(way, &self.0.key, &self.0.iv, bytes)
    }

    async fn later(&self, way: Way, bytes: &[u8]) -> Option<Vec<u8>> {
        self.platform(bytes.len(), true)?.later(way, &self.0.key, &self.0.iv, bytes).await
    }

    fn encrypt_here(&self, plain: &[u8]) -> Vec<u8> {
        let cipher = Encryptor::inner_iv_init(self.0.schedule.as_ref(), &(*self.0.iv).into());
        cipher.encrypt_padded_vec::<Pkcs7>(plain)
    }

    fn decrypt_here(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        if encrypted.is_empty() || !encrypted.len().is_multiple_of(BLOCK_LEN) {
            return None;
        }
        let cipher = Decryptor::inner_iv_init(self.0.schedule.as_ref(), &(*self.0.iv).into());
        cipher.decrypt_padded_vec::<Pkcs7>(encrypted).ok()
    }
}

/// How long so many bytes are when they are encrypted.
pub const fn encrypted_len(len: usize) -> usize {
    (len / BLOCK_LEN + 1) * BLOCK_LEN
}

/// Encryption under way.
pub struct Encrypting {
    /// For what comes next.
    cipher: Cipher,
    /// Less than a block that waits for what follows.
    rest: Zeroizing<Vec<u8>>,
}

impl Encrypting {
    /// The blocks that are complete with this piece.
    pub async fn add(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut *self.rest);
        bytes.extend_from_slice(piece);
        let whole = bytes.len() - bytes.len() % BLOCK_LEN;
        self.rest.extend(bytes.drain(whole..));
        let mut encrypted = self.cipher.encrypt_later(bytes.into()).await;
        // The message does not end here: the padding is not wanted.
        encrypted.truncate(whole);
        if let Some(last) = encrypted.last_chunk() {
            self.cipher = self.cipher.after(Some(*last));
        }
        encrypted
    }

    /// The last block: what is left, with padding.
    pub fn finish(self) -> Vec<u8> {
        self.cipher.encrypt_here(&self.rest)
    }
}

/// How many of these decrypted bytes, the last of all, are content; `None` where no padding ends them.
pub fn unpadded_len(plain: &[u8]) -> Option<usize> {
    let padding = usize::from(*plain.last()?);
    let start = plain.len().checked_sub(padding)?;
    let is_padding =
        (1..=BLOCK_LEN).contains(&padding) && plain.get(start..)?.iter().all(|b| usize::from(*b) == padding);
    is_padding.then_some(start)
}

#[cfg(all(test, feature = "encryption"))]
mod tests {
    use super::*;
    use crate::keyring::material::{forgets, keyring};

    #[test]
    fn keys_of_ciphers_are_overwritten() {
        let keys = keyring().for_write([2; 32], None);
        let Cipher(parts) = keys.value();
        let Parts { key, schedule, iv, platform: _ } = &**parts;
        forgets(key);
        forgets::<Aes256>(schedule);
        forgets(iv);
        let Encrypting { cipher: _, rest } = keys.value().encrypting();
        forgets(&rest);
    }
}
