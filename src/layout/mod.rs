//! How a store names, frames and checks its blobs: `header 20 ‖ meta section ‖ value section`.

#[cfg(feature = "clojure")]
mod konserve;
mod sealed;

#[cfg(feature = "clojure")]
use std::future::ready;

use bytes::Bytes;

#[cfg(feature = "clojure")]
pub use konserve::{Konserve, Revisions, VERSION};
pub use sealed::{AES_BLAKE3, Digest, SEALED, Sealed};

use crate::{
    backing::Blob,
    codec::{Codecs, Compressor, Encoded, STREAMED, check_stored},
    env::BoxFut,
    error::Result,
    key::Key,
    keyring::{Cipher, Keyring, Vault},
    meta::{Kind, Meta},
    name::BlobName,
};

/// The length of the header in bytes.
pub const HEADER_LEN: usize = 20;
/// The meta section is at most this long, in bytes.
pub const MAX_META_LEN: usize = 1024 * 1024;

/// The layout of a store's blobs, with all it takes to write and to read them.
#[derive(Clone)]
pub enum Layout {
    /// Every byte is checked.
    Sealed(Sealed),
    /// As Clojure's konserve has it.
    #[cfg(feature = "clojure")]
    Konserve(Konserve),
}

/// A blob whose head was found undamaged.
pub struct Opened {
    /// Under which name.
    pub name: BlobName,
    /// How its value section was encoded.
    pub codecs: Codecs,
    /// Its metadata.
    pub meta: Meta,
    /// What the value section of an encrypted store is decrypted with.
    pub cipher: Option<Cipher>,
    /// Still encoded, and not checked; empty where only the head was read.
    pub section: Bytes,
}

impl Opened {
    /// Whether the platform is to be waited for to decrypt it.
    pub fn waits(&self) -> bool {
        self.cipher.as_ref().is_some_and(|cipher| cipher.waits(self.section.len()))
    }
}

impl Layout {
    /// The longest value in bytes, before compression.
    pub fn max_len(&self) -> u64 {
        match self {
            Self::Sealed(sealed) => sealed.codec.max_len,
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => konserve.max_len,
        }
    }

    /// Whether binaries are stored as they are given.
    #[cfg(all(target_arch = "wasm32", feature = "web"))]
    pub fn keeps_binaries(&self) -> bool {
        match self {
            Self::Sealed(sealed) => sealed.vault.is_none() && sealed.codec.compressor == Compressor::None,
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => true,
        }
    }

    /// The name of the blob that holds a key. `INVALID_KEY` where this layout has none.
    pub fn name(&self, key: &Key) -> Result<BlobName> {
        match self {
            Self::Sealed(sealed) => Ok(sealed.name(key)),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Konserve::name(key),
        }
    }

    /// The same, and another name that the blob may have, where an older version of Java wrote it.
    pub fn names(&self, key: &Key) -> Result<(BlobName, Option<BlobName>)> {
        match self {
            Self::Sealed(sealed) => Ok((sealed.name(key), None)),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Konserve::names(key),
        }
    }

    /// Encodes a value that is given as CBOR, or a binary as it is.
    pub fn encode(&self, kind: Kind, content: Bytes) -> Result<Encoded> {
        match self {
            Self::Sealed(sealed) => sealed.codec.encode(kind, content),
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => konserve.encode(kind, content),
        }
    }

    /// The same with a compressor that is not the usual one.
    pub fn encode_with(&self, compressor: Compressor, kind: Kind, content: Bytes) -> Result<Encoded> {
        match self {
            Self::Sealed(sealed) => sealed.codec.encode_with(compressor, kind, content),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Err(crate::error::Error::new(
                crate::error::ErrorKind::Unsupported,
                "a store in konserve's layout compresses all that it writes alike; open it with that compressor",
            )),
        }
    }

    /// The blob of an encoded value. Its size and digest are added to the metadata.
    pub fn seal(&self, name: BlobName, meta: Meta, encoded: Encoded) -> Result<Blob> {
        match self {
            Self::Sealed(sealed) => sealed.seal(name, meta, encoded),
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => konserve.seal(name, &meta, encoded.section),
        }
    }

    /// The same where the platform is waited for.
    pub fn seal_later(&self, name: BlobName, meta: Meta, encoded: Encoded) -> BoxFut<'_, Result<Blob>> {
        match self {
            Self::Sealed(sealed) => Box::pin(sealed.seal_later(name, meta, encoded)),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Box::pin(ready(self.seal(name, meta, encoded))),
        }
    }

    /// Whether the platform is to be waited for to encrypt so many bytes.
    pub fn waits(&self, len: usize) -> bool {
        matches!(self, Self::Sealed(sealed) if sealed.waits(len))
    }

    /// Begins a binary that is written piece by piece.
    pub fn outflow(&self) -> Result<Outflow> {
        Ok(match self {
            Self::Sealed(sealed) => Outflow::Sealed(Box::new(sealed.outflow()?)),
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => Outflow::Konserve(konserve.clone()),
        })
    }

    /// Opens a blob. `key` is the one that the name was made of, where the caller knows it: then its hash need not be made
    /// again.
    pub fn open(&self, name: BlobName, key: Option<&Key>, Blob { head, value }: Blob) -> Result<Opened> {
        self.open_parts(name, key, &head, value)
    }

    /// Opens a head.
    pub fn open_head(&self, name: BlobName, key: Option<&Key>, head: &[u8]) -> Result<Opened> {
        self.open_parts(name, key, head, Bytes::new())
    }

    // The section comes along, since putting it in afterwards moves all of what was opened.
    fn open_parts(&self, name: BlobName, key: Option<&Key>, head: &[u8], section: Bytes) -> Result<Opened> {
        match self {
            Self::Sealed(sealed) => sealed.open(name, key, head, section),
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => {
                let (codecs, meta) = konserve.open_head(name, head)?;
                Ok(Opened { name, codecs, meta, cipher: None, section })
            }
        }
    }

    /// The metadata of a head that was opened as a map of Clojure's, in the inner form: what is stored there, or what
    /// konserve's layout would have.
    #[cfg(all(feature = "clojure", not(target_arch = "wasm32")))]
    pub fn clojure_meta(&self, name: BlobName, meta: &Meta, head: &[u8]) -> Result<Bytes> {
        match self {
            Self::Sealed(_) => konserve::meta_to_cbor(meta, None).map(Bytes::from),
            Self::Konserve(konserve) => konserve.meta_map(name, head).map(|(_, map)| map),
        }
    }

    /// The length of the value before compression as this head says, in bytes; `None` where it says nothing, as one that is
    /// damaged.
    pub fn declared_size(&self, name: BlobName, head: &[u8]) -> Option<u64> {
        self.open_head(name, None, head).ok()?.meta.size
    }

    /// Whether a binary with these codecs is stored byte for byte, if encrypted, so that it can be streamed.
    pub fn keeps_binary(&self, codecs: Codecs) -> bool {
        match self {
            Self::Sealed(_) => codecs.compressor == STREAMED.compressor,
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => true,
        }
    }

    /// Whether logs are kept in the same way.
    pub fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Whether heads say by a digest what the value section is, and how long the value.
    pub fn has_digests(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }

    /// The keys of an encrypted store in the sealed layout.
    pub fn keyring(&self) -> Option<std::sync::Arc<Keyring>> {
        match self {
            Self::Sealed(sealed) => sealed.vault.as_ref().map(Vault::keyring),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => None,
        }
    }

    /// Where the keys of an encrypted store are kept.
    pub fn vault(&self) -> Option<&Vault> {
        match self {
            Self::Sealed(sealed) => sealed.vault.as_ref(),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => None,
        }
    }

    /// An encrypted blob under the active key, as it is otherwise; `None` if it is under that.
    pub fn reseal(&self, name: BlobName, blob: Blob) -> Result<Option<Blob>> {
        match self {
            Self::Sealed(sealed) => sealed.reseal(name, blob),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Ok(None),
        }
    }

    /// Whether the head of an encrypted blob, which was opened, is under the active key.
    pub fn is_under_active_key(&self, head: &[u8]) -> bool {
        matches!(self, Self::Sealed(sealed) if sealed.is_under_active_key(head))
    }

    /// The same layout for blobs that are not encrypted, or not by the store.
    pub fn plain(&self) -> Self {
        match self {
            Self::Sealed(sealed) => Self::Sealed(Sealed { vault: None, ..sealed.clone() }),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => self.clone(),
        }
    }

    /// Whether heads of equal values are equal. Encrypted, each write has another.
    pub fn tells_equal(&self) -> bool {
        matches!(self, Self::Sealed(Sealed { vault: None, .. }))
    }

    /// Checks that a value section of this digest is the one its head was written with, where the head says so.
    pub fn check_digest(&self, name: BlobName, meta: &Meta, digest: [u8; 32]) -> Result<()> {
        match self {
            Self::Sealed(sealed) => sealed.check_digest(name, meta, digest),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Ok(()),
        }
    }

    /// The value section, checked and decrypted.
    pub fn content(&self, opened: &mut Opened) -> Result<Bytes> {
        let section = std::mem::take(&mut opened.section);
        match self {
            Self::Sealed(sealed) => sealed.content(opened, section),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Ok(section),
        }
    }

    /// The value section, checked and decrypted, where the platform is waited for.
    pub fn content_later<'a>(&'a self, opened: &'a mut Opened) -> BoxFut<'a, Result<Bytes>> {
        let section = std::mem::take(&mut opened.section);
        match self {
            Self::Sealed(sealed) => Box::pin(sealed.content_later(opened, section)),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Box::pin(ready(Ok(section))),
        }
    }

    /// Checks and decodes a value, to one CBOR item; a binary becomes a byte string.
    pub fn decode(&self, mut opened: Opened) -> Result<Bytes> {
        let content = self.content(&mut opened)?;
        self.decode_content(&opened, content)
    }

    /// The same of a value section that was checked and decrypted.
    pub fn decode_content(&self, opened: &Opened, content: Bytes) -> Result<Bytes> {
        let item = self.item_of_content(opened, content)?;
        if self.has_digests() && opened.meta.kind != Kind::Binary {
            check_stored(&item)?;
        }
        Ok(item)
    }

    /// [`item_of_content`](Self::item_of_content) of a blob whose value section is checked and decrypted here.
    pub fn item(&self, mut opened: Opened) -> Result<Bytes> {
        let content = self.content(&mut opened)?;
        self.item_of_content(&opened, content)
    }

    /// The same for who looks at a part only, and [checks](check_stored) that: the whole may be no CBOR.
    pub fn item_of_content(&self, opened: &Opened, content: Bytes) -> Result<Bytes> {
        let (kind, codecs) = (opened.meta.kind, opened.codecs);
        match self {
            Self::Sealed(sealed) => sealed.codec.item(kind, codecs, opened.meta.size.unwrap_or_default(), content),
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => konserve.decode(opened.name, kind, codecs, content),
        }
    }

    /// Checks and decompresses a binary.
    pub fn bytes(&self, mut opened: Opened) -> Result<Bytes> {
        let content = self.content(&mut opened)?;
        self.bytes_of_content(&opened, content)
    }

    /// The same of a value section that was checked and decrypted.
    pub fn bytes_of_content(&self, opened: &Opened, content: Bytes) -> Result<Bytes> {
        match self {
            Self::Sealed(sealed) => {
                sealed.codec.decompress(opened.codecs, opened.meta.size.unwrap_or_default(), content)
            }
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Ok(content),
        }
    }

    /// Checks a value as far as that can be told without the serializers of the application's own: what these cannot read
    /// is as it was written.
    pub fn check(&self, mut opened: Opened) -> Result<()> {
        let content = self.content(&mut opened)?;
        let Opened { codecs, meta, .. } = opened;
        match self {
            Self::Sealed(sealed) => sealed.codec.check(meta.kind, codecs, meta.size.unwrap_or_default(), content),
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => konserve.check(opened.name, meta.kind, codecs, content),
        }
    }
}

/// A binary that is written piece by piece, before its head.
pub enum Outflow {
    /// Hashed, and encrypted where the store is.
    Sealed(Box<sealed::Outflow>),
    /// As it is.
    #[cfg(feature = "clojure")]
    Konserve(Konserve),
}

impl Outflow {
    /// What is to be written, where these are the next bytes of the binary.
    pub async fn add(&mut self, piece: Bytes) -> Bytes {
        match self {
            Self::Sealed(outflow) => outflow.add(piece).await,
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => piece,
        }
    }

    /// What is to be written at its end; maybe nothing.
    pub fn end(&mut self) -> Bytes {
        match self {
            Self::Sealed(outflow) => outflow.end(),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Bytes::new(),
        }
    }

    /// The head that it will have once a binary of this metadata was added, if that says size and digest. Encrypted, it will
    /// have another, of the same length.
    pub fn expected_head(&self, name: BlobName, meta: &Meta) -> Result<Bytes> {
        match self {
            Self::Sealed(outflow) => outflow.expected_head(name, meta),
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => konserve.head(name, meta, None),
        }
    }

    /// The head. Its length does not depend on `size` in the metadata, nor on what was added.
    pub fn head(&self, name: BlobName, meta: &Meta) -> Result<Bytes> {
        match self {
            Self::Sealed(outflow) => outflow.head(name, meta.clone()),
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => konserve.head(name, meta, None),
        }
    }
}
