//! Blobs that are too large to be loaded, as they are stored: read piece by piece, and put piece by piece.

use bytes::Bytes;

use super::{Mode, Op, Store, binary_writer::PIECE, intake::Intake};
use crate::{
    backing::{Blob, BlobReader, BlobWriter, Part},
    env::BoxFut,
    error::{Error, Result},
    layout::{Digest, Layout, Outflow},
    meta::Meta,
    name::BlobName,
};

/// A blob whose value section is read piece by piece. All of it was checked before the first piece, and each piece is
/// checked again on its way.
pub(super) struct Section {
    /// With size and digest, also where the head says nothing of them.
    pub(super) meta: Meta,
    name: BlobName,
    reader: Box<dyn BlobReader>,
    /// Where the next piece begins.
    at: u64,
    digest: Digest,
    store: Store,
}

impl Store {
    /// Opens and checks a blob; `None` if there is none any more.
    pub(super) fn section(&self, name: BlobName) -> BoxFut<'_, Result<Option<Section>>> {
        Box::pin(async move {
            let Some(reader) = self.inner.backing.read_stream(name).await? else { return Ok(None) };
            let meta = self.inner.layout.open_head(name, None, &reader.head())?.meta;
            let (digest, store) = (Digest::default(), self.clone());
            let mut section = Section { meta, name, reader, at: 0, digest, store };
            while section.next().await?.is_some() {}
            section.meta.size.get_or_insert(section.at);
            section.meta.digest.get_or_insert_with(|| section.digest.finish());
            (section.at, section.digest) = (0, Digest::default());
            Ok(Some(section))
        })
    }
}

impl Section {
    /// Header and meta section.
    pub(super) fn head(&self) -> Bytes {
        self.reader.head()
    }

    /// The length of the value section, in bytes.
    pub(super) fn len(&self) -> u64 {
        self.reader.value_len()
    }

    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.at >= self.len() {
            return Ok(None);
        }
        let piece = self.reader.read(self.at, PIECE).await?;
        self.at += piece.len() as u64;
        self.digest.add(&piece);
        // The last piece is handed out only if all were right.
        if piece.is_empty() || self.at >= self.len() {
            let checked = self.store.inner.layout.check_digest(self.name, &self.meta, self.digest.finish());
            checked.map_err(|error| error.at_key(self.meta.key.as_cbor()))?;
        }
        Ok(Some(piece))
    }
}

/// A blob on its way into a store. Nothing of it is seen before it is finished, and nothing stays of one that is dropped.
pub(super) struct Inflow {
    name: BlobName,
    meta: Meta,
    writer: Box<dyn BlobWriter>,
    form: Form,
}

enum Form {
    /// As it is stored elsewhere, with this head.
    Stored(Bytes, Box<Digest>),
    /// As this store writes it.
    Written(Outflow),
}

impl Inflow {
    /// Adds bytes: to the value section, or to the binary.
    pub(super) async fn add(&mut self, piece: Bytes) -> Result<()> {
        let stored = match &mut self.form {
            Form::Stored(_, digest) => {
                digest.add(&piece);
                piece
            }
            Form::Written(outflow) => outflow.add(piece).await,
        };
        self.writer.write(stored).await.map_err(|error| error.at_key(self.meta.key.as_cbor()))
    }

    /// Writes what is missing, and gives the head, if the value section is what that says.
    async fn end(&mut self, layout: &Layout) -> Result<Bytes> {
        let head = match &mut self.form {
            Form::Stored(head, digest) => {
                layout.check_digest(self.name, &self.meta, digest.finish())?;
                head.clone()
            }
            Form::Written(outflow) => {
                self.writer.write(outflow.end()).await?;
                outflow.head(self.name, &self.meta)?
            }
        };
        self.writer.sync().await?;
        Ok(head)
    }
}

impl Intake {
    /// Begins a blob with this head, which was opened; `None` if it is passed over. What was taken before it is put first.
    pub(super) async fn begin(&mut self, name: BlobName, head: Bytes, meta: Meta) -> Result<Option<Inflow>> {
        let form = Form::Stored(head.clone(), Box::default());
        self.begin_as(name, head, meta, form).await
    }

    /// Begins a binary with this metadata, as this store writes it; `None` if it is passed over.
    pub(super) async fn begin_binary(&mut self, name: BlobName, meta: Meta) -> Result<Option<Inflow>> {
        let outflow = self.store.inner.layout.outflow()?;
        let head = outflow.expected_head(name, &meta)?;
        self.begin_as(name, head, meta, Form::Written(outflow)).await
    }

    async fn begin_as(&mut self, name: BlobName, head: Bytes, meta: Meta, form: Form) -> Result<Option<Inflow>> {
        self.flush().await?;
        if meta.is_expired(self.store.now()) || !self.wants(name, &head).await? {
            self.skip();
            return Ok(None);
        }
        let begun = self.store.inner.backing.write_stream(name, head.len()).await;
        let writer = begun.map_err(|error| error.at_key(meta.key.as_cbor()))?;
        Ok(Some(Inflow { name, meta, writer, form }))
    }

    /// Puts a blob of which everything was added.
    pub(super) async fn finish(&mut self, mut inflow: Inflow) -> Result<()> {
        let key = inflow.meta.key.clone();
        let put = match inflow.end(&self.store.inner.layout).await {
            Ok(head) => self.put(inflow, head).await,
            Err(error) => {
                // The first error is the one to tell.
                drop(inflow.writer.abort().await);
                Err(error)
            }
        };
        put.map_err(|error: Error| error.at_key(key.as_cbor()))
    }

    async fn put(&mut self, Inflow { name, writer, .. }: Inflow, head: Bytes) -> Result<()> {
        let store = self.store.clone();
        let lock = store.lock(name, Mode::Exclusive).await;
        match self.wants(name, &head).await {
            Ok(true) => {}
            unwanted => {
                drop(writer.abort().await);
                self.skip();
                return unwanted.map(drop);
            }
        }
        let log = store.log_under(name).await;
        let key = store.key_told(name, &head);
        writer.finish(head).await?;
        self.done.imported += 1;
        if let Some(event) = store.event(Op::Import, key.as_slice()).filter(|event| !event.keys.is_empty()) {
            store.inner.hooks.tell(*event, lock);
        }
        match log {
            Some(log) => store.remove_log(name, log).await,
            None => Ok(()),
        }
    }

    /// Whether a blob with this head is to be put; an error where a key exists that must not.
    async fn wants(&self, name: BlobName, head: &Bytes) -> Result<bool> {
        let head = Blob { head: head.clone(), value: Bytes::new() };
        let (writes, stopped) = self.decide(&[(name, head)], Part::Head).await?;
        match stopped {
            Some((_, error)) => Err(error),
            None => Ok(!writes.is_empty()),
        }
    }
}
