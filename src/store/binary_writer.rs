//! Binaries written piece by piece, in bounded memory where the backing streams.

use bytes::{Bytes, BytesMut};

use super::{Mode, Store, WriteOptions, gate::Pass, locks::Held};
use crate::{
    backing::BlobWriter,
    codec::too_long,
    error::{Error, ErrorKind, Result},
    key::Key,
    layout::Outflow,
    meta::{Kind, Meta},
    name::BlobName,
};

/// How much is read, hashed and written at once, in bytes.
pub(super) const PIECE: usize = 256 * 1024;

/// A binary on its way into a store. Nothing of it is seen before [`finish`](Self::finish), and nothing stays of one that
/// is given up or dropped. It locks no key; the store does not close before it.
pub struct BinaryWriter {
    store: Store,
    name: BlobName,
    meta: Meta,
    /// How many bytes came so far.
    size: u64,
    head_len: usize,
    /// What was not written yet.
    waiting: BytesMut,
    outflow: Outflow,
    sink: Sink,
    /// The lock of the key, where its place in the order of calls is that of the beginning.
    held: Option<Held>,
    _pass: Pass,
}

enum Sink {
    Stream(Box<dyn BlobWriter>),
    /// The backing takes whole blobs: everything waits.
    Memory(WriteOptions),
    /// A write failed, or was given up halfway.
    Broken,
}

impl Store {
    /// Begins a binary that is written piece by piece and, when it is finished, put at the key. Of any length where the
    /// backing streams; elsewhere it is held in memory, and is no longer than other values.
    pub async fn write_binary(&self, key: &Key, options: WriteOptions) -> Result<BinaryWriter> {
        self.begin_binary(key, options).await.map_err(|error| error.at_key(key.as_cbor()))
    }

    async fn begin_binary(&self, key: &Key, options: WriteOptions) -> Result<BinaryWriter> {
        let pass = self.inner.gate.enter()?;
        let name = self.find(key).await?;
        let (expires, user) = (options.expires, options.user.clone());
        let meta = Meta { expires, user, ..Meta::new(key.clone(), Kind::Binary, self.stamp()) };
        let outflow = self.inner.layout.outflow()?;
        let head_len = outflow.head(name, &meta)?.len();
        let backing = &self.inner.backing;
        let sink = if backing.capability().streams {
            Sink::Stream(backing.write_stream(name, head_len).await?)
        } else {
            Sink::Memory(options)
        };
        let (store, size, waiting) = (self.clone(), 0, BytesMut::new());
        Ok(BinaryWriter { store, name, meta, size, head_len, waiting, outflow, sink, held: None, _pass: pass })
    }

    /// Puts bytes that are at hand as if they came piece by piece, but in the order of calls.
    #[cfg(all(target_arch = "wasm32", feature = "web"))]
    pub(super) async fn stream_bytes(&self, key: &Key, bytes: &[u8], options: WriteOptions) -> Result<()> {
        let held = self.lock(self.find(key).await?, Mode::Exclusive).await;
        let mut writer = self.begin_binary(key, options).await?;
        writer.held = Some(held);
        writer.write(bytes).await?;
        writer.finish().await
    }
}

impl BinaryWriter {
    /// Adds bytes. After an error the binary can only be given up, and nothing of it is left.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        for piece in bytes.chunks(PIECE) {
            self.size += piece.len() as u64;
            self.waiting.extend_from_slice(piece);
            let result = match &self.sink {
                Sink::Memory(_) => self.within_limit(),
                _ if self.waiting.len() < PIECE => Ok(()),
                _ => self.flush().await,
            };
            result.map_err(|error| self.at_key(error))?;
        }
        Ok(())
    }

    /// Puts the binary at its key, in place of what is there. After an error the key has what it had before, or the
    /// binary, and nothing else is left.
    pub async fn finish(mut self) -> Result<()> {
        let finished = self.put().await;
        finished.map_err(|error| self.at_key(error))
    }

    /// Gives the binary up: nothing of it is left.
    pub async fn abort(mut self) -> Result<()> {
        match std::mem::replace(&mut self.sink, Sink::Broken) {
            Sink::Stream(writer) => writer.abort().await.map_err(|error| self.at_key(error)),
            Sink::Memory(_) | Sink::Broken => Ok(()),
        }
    }

    fn at_key(&self, error: Error) -> Error {
        error.at_key(self.meta.key.as_cbor())
    }

    fn within_limit(&mut self) -> Result<()> {
        let limit = self.store.inner.layout.max_len();
        if self.size <= limit {
            return Ok(());
        }
        self.sink = Sink::Broken;
        self.waiting = BytesMut::new();
        Err(too_long(self.size, limit))
    }

    /// Writes what waits. While that is under way the sink counts as broken, so that what is given up halfway stays so.
    async fn flush(&mut self) -> Result<()> {
        let mut writer = self.take_stream()?;
        let piece = self.waiting.split().freeze();
        let stored = self.outflow.add(piece).await;
        match writer.write(stored).await {
            Ok(()) => {
                self.sink = Sink::Stream(writer);
                Ok(())
            }
            Err(error) => {
                // The first error is the one to tell.
                drop(writer.abort().await);
                Err(error)
            }
        }
    }

    fn take_stream(&mut self) -> Result<Box<dyn BlobWriter>> {
        match std::mem::replace(&mut self.sink, Sink::Broken) {
            Sink::Stream(writer) => Ok(writer),
            Sink::Memory(_) | Sink::Broken => {
                Err(Error::new(ErrorKind::Io, "a binary whose writing failed cannot be finished; write it again"))
            }
        }
    }

    async fn put(&mut self) -> Result<()> {
        if let Sink::Memory(options) = &self.sink {
            let bytes = self.waiting.split().freeze();
            return self.store.put_bytes(&self.meta.key, bytes, options).await;
        }
        self.flush().await?;
        let mut writer = self.take_stream()?;
        let ended = match self.outflow.end() {
            end if end.is_empty() => Ok(()),
            end => writer.write(end).await,
        };
        let synced = match ended {
            Ok(()) => writer.sync().await,
            failed => failed,
        };
        if let Err(error) = synced {
            // The first error is the one to tell.
            drop(writer.abort().await);
            return Err(error);
        }
        self.meta.size = Some(self.size);
        let name = self.name;
        let lock = match self.held.take() {
            Some(held) => held,
            None => self.store.lock(name, Mode::Exclusive).await,
        };
        let head = self.head()?;
        let log = self.store.log_under(name).await;
        writer.finish(head).await?;
        let said = WriteOptions { user: self.meta.user.clone(), expires: self.meta.expires, compressor: None };
        if let Some(event) = self.store.binary_event(&self.meta.key, &said) {
            self.store.inner.hooks.tell(*event, lock);
        }
        match log {
            Some(log) => self.store.remove_log(name, log).await,
            None => Ok(()),
        }
    }

    /// The head, stamped now. Its length was announced: where the stamp of now needs another, which is in 1970 only, that
    /// of the beginning stays.
    fn head(&mut self) -> Result<Bytes> {
        let begun = std::mem::replace(&mut self.meta.last_write, self.store.stamp());
        let head = self.outflow.head(self.name, &self.meta)?;
        if head.len() == self.head_len {
            return Ok(head);
        }
        self.meta.last_write = begun;
        self.outflow.head(self.name, &self.meta)
    }
}
