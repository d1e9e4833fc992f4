//! Taking in what another store exported.

use bytes::{Bytes, BytesMut};

use super::{
    Store,
    blobs::MAX_LOADED,
    export_reader::{Entry, ExportReader},
    intake::{Existing, Imported, Intake},
    section::Inflow,
};
use crate::{backing::Blob, codec::too_long, error::Result, meta::Kind, name::BlobName};

/// An import under way; see [`Store::import`].
pub struct Import {
    reader: ExportReader,
    intake: Intake,
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
        Ok(Import { reader, intake: Intake::new(self, existing), large: Large::Nothing })
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
    pub(crate) async fn stop(mut self, error: crate::Error) -> crate::Error {
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
                Entry::Whole(name, blob) => self.whole(name, blob).await?,
                Entry::Large(name, head, len) => self.begin(name, head, len).await?,
                Entry::Piece(piece, last) => self.piece(piece, last).await?,
            }
        }
        Ok(())
    }

    async fn whole(&mut self, name: BlobName, blob: Blob) -> Result<()> {
        let store = &self.intake.store;
        let (meta, _) = store.check(name, blob.clone()).map_err(|error| self.reader.in_entry(name, &error))?;
        if meta.is_expired(store.now()) {
            self.intake.skip();
            return Ok(());
        }
        self.intake.add(name, blob).await
    }

    /// Decides what becomes of a blob with this head and a value section of this length.
    async fn begin(&mut self, name: BlobName, head: Bytes, len: u64) -> Result<()> {
        let layout = &self.intake.store.inner.layout;
        let opened = layout.open_head(name, None, &head);
        let (codecs, meta) = opened.map_err(|error| self.reader.in_entry(name, &error))?;
        let (streams, limit) = (self.intake.store.inner.backing.capability().streams, layout.max_len());
        let size = meta.size.unwrap_or_default();
        self.large = if streams && meta.kind == Kind::Binary && layout.keeps_binary(codecs) {
            match self.intake.begin(name, head, meta).await? {
                Some(inflow) => Large::Streamed(name, Box::new(inflow)),
                None => Large::Skipped,
            }
        } else if size > limit || len > limit.saturating_add(limit / 64) {
            let error = too_long(size.max(len), limit).at_key(meta.key.as_cbor());
            return Err(self.reader.in_entry(name, &error));
        } else {
            Large::Held(name, head, BytesMut::new())
        };
        Ok(())
    }

    async fn piece(&mut self, piece: Bytes, last: bool) -> Result<()> {
        match &mut self.large {
            Large::Streamed(_, inflow) => inflow.add(piece).await?,
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
            Large::Held(name, head, value) => self.whole(name, Blob { head, value: value.freeze() }).await,
            Large::Skipped | Large::Nothing => Ok(()),
        }
    }
}
