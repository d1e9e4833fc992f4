//! The layout of Clojure's konserve: nothing is checked but by the codecs, and everything is read that konserve ever wrote.

mod header;
mod meta;
mod revision;

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use header::Header;
pub use header::VERSION;
#[cfg(not(target_arch = "wasm32"))]
pub use meta::to_cbor as meta_to_cbor;
pub use revision::Revisions;

use super::MAX_META_LEN;
use crate::{
    backing::Blob,
    cbor::Writer,
    codec::{
        CBOR, Codecs, Compressor, Encoded, Serializers, Translate, clojure_cbor,
        encryptor::{KonserveEncryptor, Section, no_key},
        too_long, unknown_serializer,
    },
    env::System,
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
    /// For what is written next; each blob names its own.
    pub encryptor: Option<KonserveEncryptor>,
    /// The longest value in bytes, before compression.
    pub max_len: u64,
    /// What tells two writes of a key apart.
    pub revisions: Revisions,
}

impl Konserve {
    /// The name of a key: a UUID of version 5 from hasch. `INVALID_KEY` for what hasch has no hash for.
    pub fn name(key: &Key) -> Result<BlobName> {
        hasch::name(key.exact())
    }

    /// The same, and the name that older versions of Java gave a key, where it is another.
    pub fn names(key: &Key) -> Result<(BlobName, Option<BlobName>)> {
        hasch::names(key.exact())
    }

    fn serializer(&self, id: u8) -> Result<Arc<dyn Translate>> {
        let known = if id == CBOR { Some(clojure_cbor()) } else { self.serializers.find(id) };
        known.ok_or_else(|| unknown_serializer("the value was written", id))
    }

    fn codecs(&self) -> Codecs {
        let encryptor = self.encryptor.as_ref().map_or(0, KonserveEncryptor::id);
        Codecs { serializer: self.serializer, compressor: self.compressor.id(), encryptor }
    }

    /// Serializes and compresses; binaries stay as they are.
    pub fn encode(&self, kind: Kind, content: Bytes) -> Result<Encoded> {
        let size = content.len() as u64;
        if size > self.max_len {
            return Err(too_long(size, self.max_len));
        }
        let section = if kind == Kind::Binary { content } else { self.written(&content)? };
        Ok(Encoded { codecs: self.codecs(), size, section })
    }

    fn written(&self, cbor: &[u8]) -> Result<Bytes> {
        let bytes = self.serializer(self.serializer)?.encode(cbor)?;
        if bytes.len() as u64 > self.max_len {
            return Err(too_long(bytes.len() as u64, self.max_len));
        }
        // One byte of the header names the compressor of both sections.
        self.compressor.frame(bytes)
    }

    /// The blob of what was serialized and compressed. Binaries are stored as they are, as konserve does, or it could not
    /// read them.
    pub fn seal(&self, name: BlobName, meta: &Meta, section: Bytes) -> Result<Blob> {
        let is_binary = meta.kind == Kind::Binary;
        let value = if is_binary { section } else { self.encrypted(name, Section::Value, section)? };
        let revision = self.revisions.of_write(name, meta.last_write);
        Ok(Blob { head: self.head(name, meta, revision)?, value })
    }

    fn encrypted(&self, name: BlobName, section: Section, plain: Bytes) -> Result<Bytes> {
        match &self.encryptor {
            Some(encryptor) => encryptor.encrypt(&plain, name, section, &System),
            None => Ok(plain),
        }
    }

    /// The item that a section holds.
    fn read(&self, codecs: Codecs, (name, section): (BlobName, Section), stored: Bytes) -> Result<Bytes> {
        if codecs.encryptor == 0 {
            return self.decoded(codecs, stored);
        }
        let encryptor = self.encryptor.as_ref().ok_or_else(|| no_key(codecs.encryptor))?;
        encryptor.decrypt(codecs.encryptor, &stored, (name, section), |plain| self.decoded(codecs, plain))
    }

    fn decoded(&self, codecs: Codecs, section: Bytes) -> Result<Bytes> {
        let compressor = Compressor::from_id(codecs.compressor).ok_or_else(|| {
            let message = format!("the blob was written with compressor {}, which this build lacks", codecs.compressor);
            Error::new(ErrorKind::Unsupported, message)
        })?;
        let bytes = compressor.decompress_unsized(section, self.max_len)?;
        self.serializer(codecs.serializer)?.decode(&bytes)
    }

    /// The head of a blob with this metadata.
    pub fn head(&self, name: BlobName, meta: &Meta, revision: Option<String>) -> Result<Bytes> {
        let map = meta::to_cbor(meta, revision)?;
        self.check_kept(meta, &map)?;
        let section = self.encrypted(name, Section::Meta, self.written(&map)?)?;
        let fits = map.len().max(section.len()) <= MAX_META_LEN;
        let len = u32::try_from(section.len()).ok().filter(|_| fits).ok_or_else(|| {
            Error::new(ErrorKind::LimitExceeded, "the metadata is longer than 1 MiB; keep it in a value instead")
        })?;
        let mut head = BytesMut::new();
        head.put_slice(&Header::to_bytes(self.codecs(), len));
        head.put_slice(&section);
        Ok(head.freeze())
    }

    /// That metadata comes back of a serializer of the application's own, which konserve gives it to as it does a value:
    /// one that knows no keywords would leave a blob that nobody can read.
    fn check_kept(&self, meta: &Meta, map: &[u8]) -> Result<()> {
        if !Serializers::is_own(self.serializer) {
            return Ok(());
        }
        let serializer = self.serializer(self.serializer)?;
        let kept = serializer.decode(&serializer.encode(map)?).and_then(|map| meta::from_cbor(&map));
        let is_same =
            |it: Meta| it.last_write == meta.last_write && Self::name(&it.key).ok() == Self::name(&meta.key).ok();
        if kept.is_ok_and(is_same) {
            return Ok(());
        }
        let message = format!(
            "the serializer {} does not keep metadata, which konserve's layout has it write too: a map with keywords, dates and the key; use one that keeps them, or the sealed layout",
            self.serializer
        );
        Err(Error::new(ErrorKind::InvalidValue, message))
    }

    /// Reads the metadata of a head.
    pub fn open_head(&self, name: BlobName, head: &[u8]) -> Result<(Codecs, Meta)> {
        let (codecs, map) = self.meta_map(name, head)?;
        let mut meta = meta::from_cbor(&map)?;
        // An element has the key of its log, and a name that is not the key's.
        if meta.kind == Kind::Log && !Self::is_of_key(name, &meta.key, codecs) {
            meta.kind = Kind::LogElement;
        }
        Ok((codecs, meta))
    }

    /// Whether a blob of this name may be that of a key which was read with these codecs.
    fn is_of_key(name: BlobName, key: &Key, codecs: Codecs) -> bool {
        Self::names(key).is_ok_and(|(of_key, older)| of_key == name || older == Some(name))
            || codecs.serializer == CBOR && hasch::is_name_with_lists(key.exact(), name).unwrap_or(false)
    }

    /// The metadata of a head as it is stored, in the inner form.
    pub fn meta_map(&self, name: BlobName, head: &[u8]) -> Result<(Codecs, Bytes)> {
        let header = Header::read(name, head)?;
        if header.meta_end != head.len() {
            return Err(Error::new(ErrorKind::Corrupt, format!("blob {name} is damaged (it is cut short)")));
        }
        let section = Bytes::copy_from_slice(head.get(header.meta_at..).unwrap_or_default());
        Ok((header.codecs, self.read(header.codecs, (name, Section::Meta), section)?))
    }

    /// Decodes a value, to one CBOR item; a binary becomes a byte string.
    pub fn decode(&self, name: BlobName, kind: Kind, codecs: Codecs, section: Bytes) -> Result<Bytes> {
        if kind != Kind::Binary {
            return self.read(codecs, (name, Section::Value), section);
        }
        let mut item = Writer::new();
        item.bytes(&section);
        Ok(item.finish().into())
    }

    /// Whether a value can be decoded, as far as that can be told without the application's own serializers.
    pub fn check(&self, name: BlobName, kind: Kind, codecs: Codecs, section: Bytes) -> Result<()> {
        let is_told = Serializers::is_own(codecs.serializer) || kind == Kind::Binary;
        if is_told { Ok(()) } else { self.decode(name, kind, codecs, section).map(drop) }
    }
}
