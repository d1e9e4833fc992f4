//! AES-256-CBC (NIST SP 800-38A §6.2) with PKCS#7 padding (RFC 5652 §6.3), whole and piece by piece.

use aes::Aes256;
use cbc::{
    Decryptor, Encryptor,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, array::Array, block_padding::Pkcs7},
};
use zeroize::Zeroizing;

use super::built::Built;

/// The length of a block in bytes.
pub const BLOCK_LEN: usize = 16;

/// Key and initial vector.
#[derive(Clone)]
pub struct Cipher(Built<KeyAndIv>);

type KeyAndIv = (Zeroizing<[u8; 32]>, Zeroizing<[u8; BLOCK_LEN]>);

impl Cipher {
    pub fn new(key_and_iv: Built<KeyAndIv>) -> Self {
        Self(key_and_iv)
    }

    /// Encrypts all of it, with padding.
    pub fn encrypt(&self, plain: &[u8]) -> Vec<u8> {
        self.encryptor().encrypt_padded_vec::<Pkcs7>(plain)
    }

    /// Decrypts all of it, and takes the padding away; `None` where there is no padding that was written.
    pub fn decrypt(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        if encrypted.is_empty() || !encrypted.len().is_multiple_of(BLOCK_LEN) {
            return None;
        }
        let (key, iv) = &*self.0;
        Decryptor::<Aes256>::new(&(**key).into(), &(**iv).into()).decrypt_padded_vec::<Pkcs7>(encrypted).ok()
    }

    /// Begins to encrypt what comes in pieces.
    pub fn encrypting(&self) -> Encrypting {
        Encrypting { cipher: self.encryptor(), rest: Zeroizing::new(Vec::with_capacity(BLOCK_LEN)) }
    }

    /// Begins to decrypt what comes in pieces.
    pub fn decrypting(&self) -> Decrypting {
        let (key, iv) = &*self.0;
        Decrypting { key: key.clone(), before: **iv }
    }

    fn encryptor(&self) -> Encryptor<Aes256> {
        let (key, iv) = &*self.0;
        Encryptor::new(&(**key).into(), &(**iv).into())
    }
}

/// How long so many bytes are when they are encrypted.
pub const fn encrypted_len(len: usize) -> usize {
    (len / BLOCK_LEN + 1) * BLOCK_LEN
}

/// Encryption under way.
pub struct Encrypting {
    cipher: Encryptor<Aes256>,
    /// Less than a block that waits for what follows.
    rest: Zeroizing<Vec<u8>>,
}

impl Encrypting {
    /// The blocks that are complete with this piece.
    pub fn add(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut *self.rest);
        bytes.extend_from_slice(piece);
        let rest = bytes.len() % BLOCK_LEN;
        self.rest.extend(bytes.drain(bytes.len() - rest..));
        let (blocks, _) = Array::slice_as_chunks_mut(&mut bytes);
        self.cipher.encrypt_blocks(blocks);
        bytes
    }

    /// The last block: what is left, with padding.
    pub fn finish(self) -> Vec<u8> {
        self.cipher.encrypt_padded_vec::<Pkcs7>(&self.rest)
    }
}

/// Decryption under way, of pieces that are whole blocks but for the last one of what is damaged.
pub struct Decrypting {
    key: Zeroizing<[u8; 32]>,
    /// The last encrypted block of what came before.
    before: [u8; BLOCK_LEN],
}

impl Decrypting {
    /// Passes over a piece that is not wanted.
    pub fn skip(&mut self, piece: &[u8]) {
        if let Some(last) = piece.last_chunk() {
            self.before = *last;
        }
    }

    /// Decrypts a piece; its padding, if it is the last one, is a part of it. Bytes beyond its whole blocks are left out.
    pub fn add(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut bytes = piece.to_vec();
        bytes.truncate(piece.len() / BLOCK_LEN * BLOCK_LEN);
        let mut cipher = Decryptor::<Aes256>::new(&(*self.key).into(), &self.before.into());
        let (blocks, _) = Array::slice_as_chunks_mut(&mut bytes);
        cipher.decrypt_blocks(blocks);
        self.skip(piece);
        bytes
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
