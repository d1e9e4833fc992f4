//! The layout of Clojure's konserve: nothing is checked but by the codecs, and everything is read that konserve ever wrote.

mod header;
mod meta;

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use header::Header;
pub use header::VERSION;

use super::MAX_META_LEN;
use crate::{
    cbor::Writer,
    codec::{
        CBOR, Codecs, Compressor, Encoded, Serializers, Translate, built_in, clojure_cbor, too_long, unknown_serializer,
    },
    error::{Error, ErrorKind, Result},
    hasch,
    key::Key,
    meta::{Kind, Meta},
    name::BlobName,
};

/// How blobs in konserve's layout are written, and read.
#[derive(Clone)]
pub struct Konserve {
    /// For what is written next; each blob names its own.
    pub serializer: u8,
    /// The application's own.
    pub serializers: Serializers,
    /// For what is written next; each blob names its own.
    pub compressor: Compressor,
    /// The longest value in bytes, before compression.
    pub max_len: u64,
}

impl Konserve {
    /// The name of a key: a UUID of version 5 from hasch. `INVALID_KEY` for what hasch has no hash for.
    pub fn name(key: &Key) -> Result<BlobName> {
        hasch::name(key.exact())
    }

    fn serializer(&self, id: u8) -> Result<Arc<dyn Translate>> {
        let known = if id == CBOR { Some(clojure_cbor()) } else { built_in(id) };
        known
            .or_else(|| self.serializers.find(id).cloned())
            .ok_or_else(|| unknown_serializer("the value was written", id))
    }

    /// Serializes and compresses; binaries stay as they are.
    pub fn encode(&self, kind: Kind, content: Bytes) -> Result<Encoded> {
        let codecs = Codecs { serializer: self.serializer, compressor: self.compressor.id(), encryptor: 0 };
        let size = content.len() as u64;
        if kind == Kind::Binary {
            return Ok(Encoded { codecs, size, section: content });
        }
        Ok(Encoded { codecs, size, section: self.written(&content)? })
    }

    fn written(&self, cbor: &[u8]) -> Result<Bytes> {
        let bytes = self.serializer(self.serializer)?.encode(cbor)?;
        if bytes.len() as u64 > self.max_len {
            return Err(too_long(bytes.len() as u64, self.max_len));
        }
        // One byte of the header names the compressor of both sections.
        self.compressor.frame(bytes)
    }

    fn read(&self, codecs: Codecs, section: Bytes) -> Result<Bytes> {
        if codecs.encryptor != 0 {
            return Err(Error::new(ErrorKind::WrongKey, "the blob is encrypted, and no key was given"));
        }
        let compressor = Compressor::from_id(codecs.compressor).ok_or_else(|| {
            let message = format!("the blob was written with compressor {}, which this build lacks", codecs.compressor);
            Error::new(ErrorKind::Unsupported, message)
        })?;
        let bytes = compressor.decompress_unsized(section, self.max_len)?;
        self.serializer(codecs.serializer)?.decode(&bytes)
    }

    /// The head of a blob with this metadata.
    pub fn head(&self, meta: &Meta) -> Result<Bytes> {
        let section = self.written(&meta::to_cbor(meta)?)?;
        let len = u32::try_from(section.len()).ok().filter(|_| section.len() <= MAX_META_LEN).ok_or_else(|| {
            Error::new(ErrorKind::LimitExceeded, "the metadata is longer than 1 MiB; keep it in a value instead")
        })?;
        let codecs = Codecs { serializer: self.serializer, compressor: self.compressor.id(), encryptor: 0 };
        let mut head = BytesMut::new();
        head.put_slice(&Header::to_bytes(codecs, len));
        head.put_slice(&section);
        Ok(head.freeze())
    }

    /// Reads the metadata of a head.
    pub fn open_head(&self, name: BlobName, head: &[u8]) -> Result<(Codecs, Meta)> {
        let header = Header::read(name, head)?;
        if header.meta_end != head.len() {
            return Err(Error::new(ErrorKind::Corrupt, format!("blob {name} is damaged (it is cut short)")));
        }
        let section = Bytes::copy_from_slice(head.get(header.meta_at..).unwrap_or_default());
        let mut meta = meta::from_cbor(&self.read(header.codecs, section)?)?;
        // An element has the key of its log, and a name that is not the key's.
        if meta.kind == Kind::Log && Self::name(&meta.key).is_ok_and(|of_key| of_key != name) {
            meta.kind = Kind::LogElement;
        }
        Ok((header.codecs, meta))
    }

    /// Decodes a value, to one CBOR item; a binary becomes a byte string.
    pub fn decode(&self, kind: Kind, codecs: Codecs, section: Bytes) -> Result<Bytes> {
        if kind != Kind::Binary {
            return self.read(codecs, section);
        }
        let mut item = Writer::new();
        item.bytes(&section);
        Ok(item.finish().into())
    }

    /// Whether a value can be decoded, as far as that can be told without the application's own serializers.
    pub fn check(&self, kind: Kind, codecs: Codecs, section: Bytes) -> Result<()> {
        let own = self.serializers.find(codecs.serializer).is_some();
        if own || kind == Kind::Binary { Ok(()) } else { self.read(codecs, section).map(drop) }
    }
}
