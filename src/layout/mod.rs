//! How a store names, frames and checks its blobs: `header 20 ‖ meta section ‖ value section`.

mod digest;
mod sealed;

use bytes::Bytes;

pub use digest::Digest;
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
    fn codec(&self) -> &Codec {
        match self {
            Self::Sealed(codec) => codec,
        }
    }

    /// The longest value in bytes, before compression.
    pub fn max_len(&self) -> u64 {
        self.codec().max_len
    }

    /// Whether binaries are stored as they are given.
    #[cfg(all(target_arch = "wasm32", feature = "web"))]
    pub fn keeps_binaries(&self) -> bool {
        self.codec().compressor == crate::codec::Compressor::None
    }

    /// The name of the blob that holds a key.
    pub fn name(&self, key: &Key) -> Result<BlobName> {
        match self {
            Self::Sealed(_) => Ok(key.name()),
        }
    }

    /// Encodes a value that is given as CBOR, or a binary as it is.
    pub fn encode(&self, kind: Kind, content: Bytes) -> Result<Encoded> {
        self.codec().encode(kind, content)
    }

    /// The blob of an encoded value. Its size and digest are added to the metadata.
    pub fn seal(&self, name: BlobName, mut meta: Meta, encoded: Encoded) -> Result<Blob> {
        let Encoded { codecs, size, section } = encoded;
        meta.size = Some(size);
        meta.digest = Some(Digest::of(&section));
        Ok(Blob { head: sealed::head(name, codecs, &meta)?, value: section })
    }

    /// The head of a binary that is streamed. Its length does not depend on size and digest.
    pub fn stream_head(&self, name: BlobName, meta: &Meta) -> Result<Bytes> {
        sealed::head(name, STREAMED, meta)
    }

    /// Opens a blob, or the head of one. `key` is the one that the name was made of, where the caller knows it: then its
    /// hash need not be made again.
    pub fn open(&self, name: BlobName, key: Option<&Key>, Blob { head, value }: Blob) -> Result<Opened> {
        let (codecs, meta) = self.open_head(name, key, &head)?;
        Ok(Opened { name, codecs, meta, section: value })
    }

    /// Opens a head.
    pub fn open_head(&self, name: BlobName, key: Option<&Key>, head: &[u8]) -> Result<(Codecs, Meta)> {
        sealed::open(name, key, head)
    }

    /// The length of the value before compression as a head says that may be damaged, in bytes; 0 where it says nothing.
    pub fn declared_size(&self, head: &[u8]) -> u64 {
        sealed::declared_size(head)
    }

    /// Checks that a value section of this digest is the one its head was written with.
    pub fn check_digest(&self, name: BlobName, meta: &Meta, digest: [u8; 32]) -> Result<()> {
        sealed::check_digest(name, meta, digest)
    }

    fn check_section(&self, opened: &Opened) -> Result<()> {
        self.check_digest(opened.name, &opened.meta, Digest::of(&opened.section))
    }

    /// Checks and decodes a value, to one CBOR item; a binary becomes a byte string.
    pub fn decode(&self, opened: Opened) -> Result<Bytes> {
        self.check_section(&opened)?;
        let Opened { codecs, meta, section, .. } = opened;
        self.codec().decode(meta.kind, codecs, meta.size.unwrap_or_default(), section)
    }

    /// Checks and decompresses a binary.
    pub fn bytes(&self, opened: Opened) -> Result<Bytes> {
        self.check_section(&opened)?;
        let Opened { codecs, meta, section, .. } = opened;
        self.codec().decompress(codecs, meta.size.unwrap_or_default(), section)
    }

    /// Checks a value as far as that can be told without the serializers of the application's own: what these cannot read
    /// is as it was written.
    pub fn check(&self, opened: Opened) -> Result<()> {
        self.check_section(&opened)?;
        let Opened { codecs, meta, section, .. } = opened;
        self.codec().check(meta.kind, codecs, meta.size.unwrap_or_default(), section)
    }
}
