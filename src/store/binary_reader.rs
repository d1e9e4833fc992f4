//! Binaries read piece by piece, in bounded memory where the backing streams.

use bytes::Bytes;

use super::{
    Mode, Span, Store,
    binary::{cut, not_binary},
    binary_writer::PIECE,
    gate::Pass,
    locks::Held,
    stored::{Kept, Pieces, Stored},
};
use crate::{
    codec::too_long,
    error::{Error, Result},
    key::Key,
    layout::Opened,
    meta::{Kind, Meta},
    name::BlobName,
};

/// A binary that is read piece by piece. All of it was checked before the first piece, and each piece is checked again on
/// its way. While this lives the key is locked against writers, and the store does not close.
pub struct BinaryReader {
    store: Store,
    name: BlobName,
    meta: Meta,
    /// In bytes.
    size: u64,
    content: Content,
    /// Where the next piece begins.
    at: u64,
    _held: Held,
    _pass: Pass,
}

/// Where the bytes of a binary come from.
pub(super) enum Content {
    /// They are here, and checked.
    Bytes(Bytes),
    /// They come as they are stored.
    Stream(Stored, Box<Pieces>),
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
        let name = self.find(key).await?;
        let held = self.lock(name, Mode::Shared).await;
        let Some((meta, content)) = self.find_binary(name, Some(key)).await? else { return Ok(None) };
        if meta.is_expired(self.now()) {
            return Ok(None);
        }
        let (store, size) = (self.clone(), content.len());
        Ok(Some(BinaryReader { store, name, meta, size, content, at: 0, _held: held, _pass: pass }))
    }

    /// The metadata and content of a binary, also of one that has expired. What is streamed was not checked yet.
    pub(super) async fn find_binary(&self, name: BlobName, key: Option<&Key>) -> Result<Option<(Meta, Content)>> {
        let backing = &self.inner.backing;
        if backing.capability().streams {
            let Some(reader) = backing.read_stream(name).await? else { return Ok(None) };
            let Opened { codecs, meta, cipher, .. } = self.inner.layout.open_head(name, key, &reader.head())?;
            if meta.kind != Kind::Binary {
                return Err(not_binary());
            }
            if self.inner.layout.keeps_binary(codecs) {
                let stored = Stored::new(reader, &meta, cipher);
                return Ok(Some((meta, Content::Stream(stored, Box::default()))));
            }
        }
        let Some(blob) = self.blob(name).await? else { return Ok(None) };
        let opened = self.inner.layout.open(name, key, blob)?;
        let meta = opened.meta.clone();
        Ok(Some((meta, Content::Bytes(self.bytes(opened)?))))
    }
}

impl Content {
    /// How many bytes there are.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stream(stored, _) => stored.size(),
        }
    }

    /// The bytes from `start` to `end`, after all were checked.
    pub(super) async fn part(
        &mut self,
        store: &Store,
        name: BlobName,
        meta: &Meta,
        (start, end): (u64, u64),
    ) -> Result<Bytes> {
        let stored = match self {
            Self::Bytes(bytes) => return Ok(cut(bytes, start, end)),
            Self::Stream(stored, _) => stored,
        };
        let (mut pieces, mut kept) = (Pieces::default(), Kept::new(stored, (start, end)));
        while let Some(piece) = pieces.next(stored).await? {
            kept.take(piece);
        }
        store.check_binary(name, meta, stored, &pieces)?;
        kept.open(stored).await
    }
}

impl Store {
    /// Reads all of it and checks that; its digest.
    pub(super) async fn read_through(&self, name: BlobName, meta: &Meta, stored: &mut Stored) -> Result<[u8; 32]> {
        let mut pieces = Pieces::default();
        while pieces.next(stored).await?.is_some() {}
        self.check_binary(name, meta, stored, &pieces)?;
        Ok(pieces.digest())
    }

    /// Checks that what was read is what was written.
    pub(super) fn check_binary(&self, name: BlobName, meta: &Meta, stored: &Stored, pieces: &Pieces) -> Result<()> {
        self.inner.layout.check_digest(name, meta, pieces.digest())?;
        stored.check_len()
    }
}

impl BinaryReader {
    /// The metadata of the binary.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// How many bytes it has.
    #[allow(clippy::len_without_is_empty, reason = "it is no collection")]
    pub fn len(&self) -> u64 {
        self.size
    }

    /// Reads and checks all of it.
    pub(crate) async fn check(&mut self) -> Result<()> {
        let read = self.content.part(&self.store, self.name, &self.meta, (0, 0)).await;
        read.map(drop).map_err(|error| error.at_key(self.meta.key.as_cbor()))
    }

    /// Where a part begins and ends that is to be in memory.
    pub(crate) fn reach(&self, span: Span) -> Result<(u64, u64)> {
        let ((start, end), limit) = (span.within(self.size), self.store.inner.layout.max_len());
        if end - start <= limit {
            return Ok((start, end));
        }
        Err(too_long(end - start, limit).at_key(self.meta.key.as_cbor()))
    }

    /// A part of it, after all was checked: no more than that is held in memory.
    pub(crate) async fn part(&mut self, span: Span) -> Result<Bytes> {
        let reach = self.reach(span)?;
        let part = self.content.part(&self.store, self.name, &self.meta, reach).await;
        part.map_err(|error| error.at_key(self.meta.key.as_cbor()))
    }

    /// The binary as an object of JavaScript's, which never changes, and once checked needs no lock.
    #[cfg(all(target_arch = "wasm32", feature = "full"))]
    pub(crate) fn object(&self) -> Option<wasm_bindgen::JsValue> {
        match &self.content {
            Content::Bytes(_) => None,
            Content::Stream(stored, _) => stored.object(),
        }
    }

    /// The next piece, of 256 KiB but for the last; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let next = self.read().await;
        next.map_err(|error: Error| error.at_key(self.meta.key.as_cbor()))
    }

    async fn read(&mut self) -> Result<Option<Bytes>> {
        if self.at >= self.size {
            return Ok(None);
        }
        let piece = match &mut self.content {
            Content::Bytes(bytes) => cut(bytes, self.at, (self.at + PIECE as u64).min(self.size)),
            Content::Stream(stored, pieces) => {
                let piece = match pieces.next(stored).await? {
                    Some(piece) => stored.open(piece).await?,
                    None => Bytes::new(),
                };
                // The last piece is handed out only if all were right.
                if piece.is_empty() || self.at + piece.len() as u64 >= self.size {
                    self.store.check_binary(self.name, &self.meta, stored, pieces)?;
                }
                piece
            }
        };
        self.at += piece.len() as u64;
        Ok(Some(piece))
    }
}
