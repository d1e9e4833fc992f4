//! Taking in what another store exported.

use bytes::{Bytes, BytesMut};

use super::{
    Store,
    blobs::MAX_LOADED,
    export_reader::{Entry, ExportReader},
    intake::{Existing, Imported, Intake},
    section::Inflow,
};
use crate::{
    backing::Blob,
    codec::too_long,
    error::{Error, ErrorKind, Result},
    layout::{Digest, Layout, Opened},
    meta::{Kind, Meta},
    name::BlobName,
    record::Unchecked,
};

/// An import under way; see [`Store::import`].
pub struct Import {
    reader: ExportReader,
    intake: Intake,
    /// That of the blobs, where they are to be written anew.
    from: Option<Layout>,
    large: Large,
}

/// What becomes of the blob that comes in pieces.
enum Large {
    /// There is none.
    Nothing,
    /// It is passed over.
    Skipped,
    /// It goes on to the backing.
    Streamed(BlobName, Box<Inflow>),
    /// It is written anew; the digest and metadata are those it comes with.
    Written(BlobName, Box<Inflow>, Box<(Digest, Meta)>),
    /// It is held in memory, since it has to be read as a whole or the backing takes no pieces.
    Held(BlobName, Bytes, BytesMut),
}

impl Store {
    /// Takes in an [export](Self::export) of this or another store, given in chunks of any size. Each entry is checked
    /// before it is put. An export that is damaged or cut short leaves what came before the damage; the error says in
    /// which entry that is, and how many were imported. The same can be imported again: what is there already is
    /// passed over. Where the backing streams, binaries of any length take bounded memory; elsewhere a value that is
    /// longer than the limit is `LIMIT_EXCEEDED`. The export of a store in another layout is `UNSUPPORTED`.
    pub fn import(&self, existing: Existing) -> Result<Import> {
        drop(self.inner.gate.enter()?);
        let reader = ExportReader::new(MAX_LOADED.min(self.inner.layout.max_len()), self.layout());
        Ok(Import { reader, intake: Intake::new(self, existing), from: None, large: Large::Nothing })
    }
}

impl Import {
    /// Takes the next bytes. After an error the import is over.
    pub async fn push(&mut self, chunk: &[u8]) -> Result<()> {
        self.feed(Some(chunk)).await
    }

    /// Says that no more bytes come; an export that is not complete is `CORRUPT`.
    pub async fn finish(mut self) -> Result<Imported> {
        self.feed(None).await?;
        Ok(self.done())
    }

    /// What was done so far.
    pub(crate) fn done(&self) -> Imported {
        self.intake.done
    }

    /// Takes the next bytes, or the end.
    pub(crate) async fn feed(&mut self, chunk: Option<&[u8]>) -> Result<()> {
        let _pass = self.intake.store.inner.gate.enter()?;
        match Box::pin(self.take(chunk)).await {
            Ok(()) => Ok(()),
            Err(error) => {
                self.reader.fail();
                Err(self.intake.stop(error).await)
            }
        }
    }

    /// How many entries were read so far.
    pub fn entries(&self) -> u64 {
        self.intake.entries()
    }

    /// Ends the import because of this error of where the bytes came from.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) async fn stop(mut self, error: Error) -> Error {
        self.intake.stop(error).await
    }

    async fn take(&mut self, chunk: Option<&[u8]>) -> Result<()> {
        let Some(chunk) = chunk else {
            self.reader.finish()?;
            return self.intake.flush().await;
        };
        self.reader.push(chunk);
        while let Some(entry) = self.reader.next()? {
            match entry {
                Entry::Record(record) => self.meet(&record)?,
                Entry::Whole(name, blob) => self.whole(name, blob).await?,
                Entry::Large(name, head, len) => self.begin(name, head, len).await?,
                Entry::Piece(piece, last) => self.piece(piece, last).await?,
            }
        }
        Ok(())
    }

    /// Decides how blobs of the store with this record are put. Those of a store that is not encrypted are encrypted on the
    /// way; what is encrypted can be read by the store that wrote it.
    fn meet(&mut self, record: &Unchecked) -> Result<()> {
        let layout = &self.intake.store.inner.layout;
        if record.is_of(layout.keyring().as_deref()) {
            return Ok(());
        }
        if record.is_encrypted() {
            let message = "the export is encrypted with the keys of another store; import it into a folder or database of its own with the key of that store, and copy that with copyTo (copy_to)";
            return Err(Error::new(ErrorKind::WrongKey, message));
        }
        self.from = Some(layout.plain());
        Ok(())
    }

    async fn whole(&mut self, name: BlobName, blob: Blob) -> Result<()> {
        let read = self.read(name, blob);
        let (meta, name, blob) = read.map_err(|error| self.reader.in_entry(name, &error))?;
        if meta.is_expired(self.intake.store.now()) {
            self.intake.skip();
            return Ok(());
        }
        self.intake.add(name, blob).await
    }

    /// Checks a blob; its metadata, and how it is to be put.
    fn read(&self, name: BlobName, blob: Blob) -> Result<(Meta, BlobName, Blob)> {
        let store = &self.intake.store;
        let Some(from) = &self.from else {
            let (meta, _) = store.check(name, blob.clone())?;
            return Ok((meta, name, blob));
        };
        let opened = from.open(name, None, blob)?;
        let meta = opened.meta.clone();
        let value = if meta.kind == Kind::Binary { from.bytes(opened)? } else { from.decode(opened)? };
        let (name, encoded) = (store.name(&meta.key)?, store.inner.layout.encode(meta.kind, value)?);
        let blob = store.inner.layout.seal(name, meta.clone(), encoded)?;
        Ok((meta, name, blob))
    }

    /// Decides what becomes of a blob with this head and a value section of this length.
    async fn begin(&mut self, name: BlobName, head: Bytes, len: u64) -> Result<()> {
        let own = &self.intake.store.inner.layout;
        let layout = self.from.as_ref().unwrap_or(own);
        let opened = layout.open_head(name, None, &head);
        let Opened { codecs, meta, .. } = opened.map_err(|error| self.reader.in_entry(name, &error))?;
        let (streams, limit) = (self.intake.store.inner.backing.capability().streams, layout.max_len());
        let size = meta.size.unwrap_or_default();
        self.large = if streams && meta.kind == Kind::Binary && layout.keeps_binary(codecs) {
            self.stream(name, head, meta).await?
        } else if size > limit || len > limit.saturating_add(limit / 64) {
            let error = too_long(size.max(len), limit).at_key(meta.key.as_cbor());
            return Err(self.reader.in_entry(name, &error));
        } else {
            Large::Held(name, head, BytesMut::new())
        };
        Ok(())
    }

    /// Begins a binary that goes on to the backing piece by piece.
    async fn stream(&mut self, name: BlobName, head: Bytes, meta: Meta) -> Result<Large> {
        let inflow = if self.from.is_none() {
            self.intake.begin(name, head, meta.clone()).await?
        } else {
            let name = self.intake.store.name(&meta.key)?;
            self.intake.begin_binary(name, meta.clone()).await?
        };
        Ok(match inflow {
            None => Large::Skipped,
            Some(inflow) if self.from.is_none() => Large::Streamed(name, Box::new(inflow)),
            Some(inflow) => Large::Written(name, Box::new(inflow), Box::new((Digest::default(), meta))),
        })
    }

    async fn piece(&mut self, piece: Bytes, last: bool) -> Result<()> {
        match &mut self.large {
            Large::Streamed(_, inflow) => inflow.add(piece).await?,
            Large::Written(_, inflow, read) => {
                read.0.add(&piece);
                inflow.add(piece).await?;
            }
            Large::Held(_, _, value) => value.extend_from_slice(&piece),
            Large::Skipped | Large::Nothing => {}
        }
        if !last {
            return Ok(());
        }
        match std::mem::replace(&mut self.large, Large::Nothing) {
            Large::Streamed(name, inflow) => {
                let finished = self.intake.finish(*inflow).await;
                finished.map_err(|error| self.reader.in_entry(name, &error))
            }
            Large::Written(name, inflow, read) => {
                let checked =
                    self.from.as_ref().map_or(Ok(()), |from| from.check_digest(name, &read.1, read.0.finish()));
                let finished = match checked {
                    Ok(()) => self.intake.finish(*inflow).await,
                    damaged => damaged,
                };
                finished.map_err(|error| self.reader.in_entry(name, &error))
            }
            Large::Held(name, head, value) => self.whole(name, Blob { head, value: value.freeze() }).await,
            Large::Skipped | Large::Nothing => Ok(()),
        }
    }
}
