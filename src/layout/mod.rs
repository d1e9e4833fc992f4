//! How a store names, frames and checks its blobs: `header 20 ‖ meta section ‖ value section`.

mod digest;
#[cfg(feature = "clojure")]
mod konserve;
mod sealed;

use bytes::Bytes;

pub use digest::Digest;
#[cfg(feature = "clojure")]
pub use konserve::{Konserve, Revisions, VERSION};
pub use sealed::SEALED;

use crate::{
    backing::Blob,
    codec::{Codec, Codecs, Encoded, STREAMED},
    error::Result,
    key::Key,
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
    Sealed(Codec),
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
    /// Still encoded, and not checked; empty where only the head was read.
    pub section: Bytes,
}

impl Layout {
    /// The longest value in bytes, before compression.
    pub fn max_len(&self) -> u64 {
        match self {
            Self::Sealed(codec) => codec.max_len,
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => konserve.max_len,
        }
    }

    /// Whether binaries are stored as they are given.
    #[cfg(all(target_arch = "wasm32", feature = "web"))]
    pub fn keeps_binaries(&self) -> bool {
        match self {
            Self::Sealed(codec) => codec.compressor == crate::codec::Compressor::None,
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => true,
        }
    }

    /// The name of the blob that holds a key. `INVALID_KEY` where this layout has none.
    pub fn name(&self, key: &Key) -> Result<BlobName> {
        match self {
            Self::Sealed(_) => Ok(key.name()),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Konserve::name(key),
        }
    }

    /// The same, and another name that the blob may have, where an older version of Java wrote it.
    pub fn names(&self, key: &Key) -> Result<(BlobName, Option<BlobName>)> {
        match self {
            Self::Sealed(_) => Ok((key.name(), None)),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Konserve::names(key),
        }
    }

    /// Encodes a value that is given as CBOR, or a binary as it is.
    pub fn encode(&self, kind: Kind, content: Bytes) -> Result<Encoded> {
        match self {
            Self::Sealed(codec) => codec.encode(kind, content),
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => konserve.encode(kind, content),
        }
    }

    /// The blob of an encoded value. Its size and digest are added to the metadata.
    pub fn seal(&self, name: BlobName, mut meta: Meta, encoded: Encoded) -> Result<Blob> {
        let Encoded { codecs, size, section } = encoded;
        match self {
            Self::Sealed(_) => {
                meta.size = Some(size);
                meta.digest = Some(Digest::of(&section));
                Ok(Blob { head: sealed::head(name, codecs, &meta)?, value: section })
            }
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => {
                let value = konserve.encrypt(name, meta.kind, section)?;
                let revision = konserve.revisions.of_write(name, meta.last_write);
                Ok(Blob { head: konserve.head(name, &meta, revision)?, value })
            }
        }
    }

    /// The head of a binary that is streamed. Its length does not depend on size and digest.
    pub fn stream_head(&self, name: BlobName, meta: &Meta) -> Result<Bytes> {
        match self {
            Self::Sealed(_) => sealed::head(name, STREAMED, meta),
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => konserve.head(name, meta, None),
        }
    }

    /// Opens a blob, or the head of one. `key` is the one that the name was made of, where the caller knows it: then its
    /// hash need not be made again.
    pub fn open(&self, name: BlobName, key: Option<&Key>, Blob { head, value }: Blob) -> Result<Opened> {
        let (codecs, meta) = self.open_head(name, key, &head)?;
        Ok(Opened { name, codecs, meta, section: value })
    }

    /// Opens a head.
    pub fn open_head(&self, name: BlobName, key: Option<&Key>, head: &[u8]) -> Result<(Codecs, Meta)> {
        match self {
            Self::Sealed(_) => sealed::open(name, key, head),
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => konserve.open_head(name, head),
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

    /// The length of the value before compression as a head says that may be damaged, in bytes; `None` where heads say
    /// nothing of it.
    pub fn declared_size(&self, head: &[u8]) -> Option<u64> {
        match self {
            Self::Sealed(_) => Some(sealed::declared_size(head)),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => None,
        }
    }

    /// Whether a binary with these codecs is stored as it was given, so that it can be streamed.
    pub fn keeps_binary(&self, codecs: Codecs) -> bool {
        match self {
            Self::Sealed(_) => codecs.compressor == STREAMED.compressor,
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => true,
        }
    }

    /// Whether logs are kept in the same way, and elements by the same names.
    pub fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Whether heads say by a digest what the value is, and how long.
    pub fn has_digests(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }

    /// Checks that a value section of this digest is the one its head was written with, where the head says so.
    pub fn check_digest(&self, name: BlobName, meta: &Meta, digest: [u8; 32]) -> Result<()> {
        match self {
            Self::Sealed(_) => sealed::check_digest(name, meta, digest),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Ok(()),
        }
    }

    fn check_section(&self, opened: &Opened) -> Result<()> {
        match self {
            Self::Sealed(_) => sealed::check_digest(opened.name, &opened.meta, Digest::of(&opened.section)),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Ok(()),
        }
    }

    /// Checks and decodes a value, to one CBOR item; a binary becomes a byte string.
    pub fn decode(&self, opened: Opened) -> Result<Bytes> {
        self.check_section(&opened)?;
        let Opened { codecs, meta, section, .. } = opened;
        match self {
            Self::Sealed(codec) => codec.decode(meta.kind, codecs, meta.size.unwrap_or_default(), section),
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => konserve.decode(opened.name, meta.kind, codecs, section),
        }
    }

    /// Checks and decompresses a binary.
    pub fn bytes(&self, opened: Opened) -> Result<Bytes> {
        self.check_section(&opened)?;
        let Opened { codecs, meta, section, .. } = opened;
        match self {
            Self::Sealed(codec) => codec.decompress(codecs, meta.size.unwrap_or_default(), section),
            #[cfg(feature = "clojure")]
            Self::Konserve(_) => Ok(section),
        }
    }

    /// Checks a value as far as that can be told without the serializers of the application's own: what these cannot read
    /// is as it was written.
    pub fn check(&self, opened: Opened) -> Result<()> {
        self.check_section(&opened)?;
        let Opened { codecs, meta, section, .. } = opened;
        match self {
            Self::Sealed(codec) => codec.check(meta.kind, codecs, meta.size.unwrap_or_default(), section),
            #[cfg(feature = "clojure")]
            Self::Konserve(konserve) => konserve.check(opened.name, meta.kind, codecs, section),
        }
    }
}
