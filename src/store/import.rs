//! Taking in what another store exported.

use super::{
    Store,
    export_reader::ExportReader,
    intake::{Existing, Imported, Intake},
};
use crate::{
    error::Result,
    layout::{HEADER_LEN, MAX_META_LEN},
};

/// An import under way; see [`Store::import`].
pub struct Import {
    reader: ExportReader,
    intake: Intake,
}

impl Store {
    /// Takes in an [export](Self::export) of this or another store, given in chunks of any size. Each entry is checked
    /// before it is put. An export that is damaged or cut short leaves what came before the damage; the error says in
    /// which entry that is, and how many were imported. The same can be imported again: what is there already is
    /// passed over.
    pub fn import(&self, existing: Existing) -> Result<Import> {
        drop(self.inner.gate.enter()?);
        let max_len = self.inner.codec.max_len;
        // What is compressed is smaller, but for a stream, by less than this.
        let max_value_len = max_len.saturating_add(max_len / 64);
        let reader = ExportReader::new(max_value_len.saturating_add((HEADER_LEN + MAX_META_LEN) as u64));
        Ok(Import { reader, intake: Intake::new(self, existing) })
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
        match self.take(chunk).await {
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
        while let Some((name, blob)) = self.reader.next()? {
            let store = &self.intake.store;
            let (meta, _) = store.check(name, blob.clone()).map_err(|error| self.reader.in_entry(name, &error))?;
            if meta.is_expired(store.now()) {
                self.intake.skip();
            } else {
                self.intake.add(name, blob).await?;
            }
        }
        Ok(())
    }
}
