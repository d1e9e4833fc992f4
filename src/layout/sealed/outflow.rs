//! A value section that is written piece by piece, before its head.

use bytes::Bytes;

use super::{Digest, Sealed, cover::Cover};
use crate::{codec::STREAMED, error::Result, keyring::Encrypting, meta::Meta, name::BlobName};

/// One binary on its way out.
pub struct Outflow {
    sealed: Sealed,
    cover: Cover,
    encrypting: Option<Encrypting>,
    digest: Digest,
}

impl Outflow {
    pub fn new(sealed: &Sealed) -> Result<Self> {
        let cover = Cover::new(sealed.vault.as_ref())?;
        let encrypting = cover.encrypting();
        Ok(Self { sealed: sealed.clone(), cover, encrypting, digest: Digest::default() })
    }

    /// The next bytes of the section, where these are the next of the binary.
    pub async fn add(&mut self, piece: Bytes) -> Bytes {
        let stored = match &mut self.encrypting {
            Some(encrypting) => encrypting.add(&piece).await.into(),
            None => piece,
        };
        self.digest.add(&stored);
        stored
    }

    /// The last bytes of the section; maybe none.
    pub fn end(&mut self) -> Bytes {
        let stored = self.encrypting.take().map_or_else(Bytes::new, |encrypting| encrypting.finish().into());
        self.digest.add(&stored);
        stored
    }

    /// The head. Its length does not depend on `size` in the metadata, nor on what was added.
    pub fn head(&self, name: BlobName, mut meta: Meta) -> Result<Bytes> {
        meta.digest = Some(self.digest.finish());
        self.sealed.head(name, STREAMED, &meta, &self.cover)
    }

    /// The head that it will have once a binary of this metadata was added, if that says size and digest. Encrypted, it will
    /// have another, of the same length.
    pub fn expected_head(&self, name: BlobName, meta: &Meta) -> Result<Bytes> {
        self.sealed.head(name, STREAMED, meta, &self.cover)
    }
}
