//! Binaries read piece by piece, in bounded memory where the backing streams.

use bytes::{Bytes, BytesMut};

use super::{
    Mode, Span, Store,
    binary::{cut, not_binary},
    binary_writer::PIECE,
    gate::Pass,
    locks::Held,
    read::Opened,
};
use crate::{
    backing::{Blob, BlobReader, Part},
    codec::{STREAMED, too_long},
    error::{Error, Result},
    key::Key,
    layout::{self, Digest},
    meta::{Kind, Meta},
    name::BlobName,
};

/// A binary that is read piece by piece. All of it was checked before the first piece, and each piece is checked again on
/// its way. While this lives the key is locked against writers, and the store does not close.
pub struct BinaryReader {
    name: BlobName,
    meta: Meta,
    content: Content,
    /// Where the next piece begins.
    at: u64,
    digest: Digest,
    /// How much may be in memory at once, in bytes.
    max_len: u64,
    _held: Held,
    _pass: Pass,
}

/// Where the bytes of a binary come from.
pub(super) enum Content {
    /// They are here, and checked.
    Bytes(Bytes),
    /// They come as they are stored.
    Stream(Box<dyn BlobReader>),
}

impl Store {
    /// Opens a binary to read it piece by piece; `NOT_BINARY` where there is something else.
    pub async fn read_binary(&self, key: &Key) -> Result<Option<BinaryReader>> {
        let Some(mut reader) = self.unchecked_binary(key).await? else { return Ok(None) };
        reader.check().await?;
        Ok(Some(reader))
    }

    /// The same, but nothing may be read of it before it was checked.
    pub(crate) async fn unchecked_binary(&self, key: &Key) -> Result<Option<BinaryReader>> {
        self.open_binary(key).await.map_err(|error| error.at_key(key.as_cbor()))
    }

    async fn open_binary(&self, key: &Key) -> Result<Option<BinaryReader>> {
        let pass = self.inner.gate.enter()?;
        let name = key.name();
        let held = self.lock(name, Mode::Shared).await;
        let Some((meta, content)) = self.find_binary(name, Some(key)).await? else { return Ok(None) };
        if meta.is_expired(self.now()) {
            return Ok(None);
        }
        let max_len = self.inner.codec.max_len;
        let digest = Digest::default();
        Ok(Some(BinaryReader { name, meta, content, at: 0, digest, max_len, _held: held, _pass: pass }))
    }

    /// The metadata and content of a binary, also of one that has expired. What is streamed was not checked yet.
    pub(super) async fn find_binary(&self, name: BlobName, key: Option<&Key>) -> Result<Option<(Meta, Content)>> {
        let backing = &self.inner.backing;
        if backing.capability().streams {
            let Some(reader) = backing.read_stream(name).await? else { return Ok(None) };
            let (codecs, meta) = layout::open(name, key, &reader.head())?;
            if meta.kind != Kind::Binary {
                return Err(not_binary());
            }
            if codecs.compressor == STREAMED.compressor {
                return Ok(Some((meta, Content::Stream(reader))));
            }
        }
        let Some(Blob { head, value }) = backing.read(vec![name], Part::All).await?.into_iter().next().flatten() else {
            return Ok(None);
        };
        let (codecs, meta) = layout::open(name, key, &head)?;
        let bytes = self.bytes(Opened { name, codecs, meta: meta.clone(), section: value })?;
        Ok(Some((meta, Content::Bytes(bytes))))
    }
}

impl Content {
    /// The bytes from `start` to `end`, after all were checked.
    pub(super) async fn part(&mut self, name: BlobName, meta: &Meta, start: u64, end: u64) -> Result<Bytes> {
        let reader = match self {
            Self::Bytes(bytes) => return Ok(cut(bytes, start, end)),
            Self::Stream(reader) => reader,
        };
        let (mut at, mut digest, mut kept) = (0, Digest::default(), BytesMut::new());
        loop {
            let piece = reader.read(at, PIECE).await?;
            if piece.is_empty() {
                break;
            }
            digest.add(&piece);
            let here = |place: u64| place.saturating_sub(at).min(piece.len() as u64);
            kept.extend_from_slice(&cut(&piece, here(start), here(end)));
            at += piece.len() as u64;
        }
        check(name, meta, at, &digest)?;
        Ok(kept.freeze())
    }
}

/// Checks that what was read is what was written. A binary that is not compressed is as long as its section.
fn check(name: BlobName, meta: &Meta, len: u64, digest: &Digest) -> Result<()> {
    let found = if len == meta.size { digest.finish() } else { [0; 32] };
    layout::open_digest(name, meta, found)
}

impl BinaryReader {
    /// The metadata of the binary.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Reads and checks all of it.
    pub(crate) async fn check(&mut self) -> Result<()> {
        let read = self.content.part(self.name, &self.meta, 0, 0).await;
        read.map(drop).map_err(|error| error.at_key(self.meta.key.as_cbor()))
    }

    /// Where a part begins and ends that is to be in memory.
    pub(crate) fn reach(&self, span: Span) -> Result<(u64, u64)> {
        let (start, end) = span.within(self.meta.size);
        if end - start <= self.max_len {
            return Ok((start, end));
        }
        Err(too_long(end - start, self.max_len).at_key(self.meta.key.as_cbor()))
    }

    /// A part of it, after all was checked: no more than that is held in memory.
    pub(crate) async fn part(&mut self, span: Span) -> Result<Bytes> {
        let (start, end) = self.reach(span)?;
        let part = self.content.part(self.name, &self.meta, start, end).await;
        part.map_err(|error| error.at_key(self.meta.key.as_cbor()))
    }

    /// The binary as an object of JavaScript's, which never changes, and once checked needs no lock.
    #[cfg(all(target_arch = "wasm32", feature = "full"))]
    pub(crate) fn object(&self) -> Option<wasm_bindgen::JsValue> {
        match &self.content {
            Content::Bytes(_) => None,
            Content::Stream(reader) => reader.object(),
        }
    }

    /// The next piece, of 256 KiB but for the last; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let next = self.read().await;
        next.map_err(|error: Error| error.at_key(self.meta.key.as_cbor()))
    }

    async fn read(&mut self) -> Result<Option<Bytes>> {
        if self.at >= self.meta.size {
            return Ok(None);
        }
        let piece = match &mut self.content {
            Content::Bytes(bytes) => cut(bytes, self.at, (self.at + PIECE as u64).min(self.meta.size)),
            Content::Stream(reader) => reader.read(self.at, PIECE).await?,
        };
        self.at += piece.len() as u64;
        if matches!(self.content, Content::Stream(_)) {
            self.digest.add(&piece);
            // The last piece is handed out only if all were right.
            if piece.is_empty() || self.at >= self.meta.size {
                check(self.name, &self.meta, self.at, &self.digest)?;
            }
        }
        Ok(Some(piece))
    }
}
