//! Reading a log, page by page.

use bytes::Bytes;

use super::{Store, log::Log};
use crate::{
    backing::{Blob, Part},
    error::{Error, ErrorKind, Result},
    key::Key,
};

/// How many elements are read together.
const PAGE: usize = 64;
/// After a page of more bytes than this, the next ones have fewer elements.
const MAX_LOADED: usize = 4 * 1024 * 1024;

/// The elements of a log, page by page: those that were there when the first page was read.
pub struct Elements {
    store: Store,
    key: Key,
    rest: Rest,
    page: usize,
}

#[derive(Clone, Copy)]
enum Rest {
    Unknown,
    Known(Log),
    Nothing,
}

impl Store {
    /// The elements of the log at a key; where there is nothing, there are none. Where there is something else, the first
    /// page is `NOT_A_LOG`.
    pub fn list_log(&self, key: Key) -> Elements {
        Elements { store: self.clone(), key, rest: Rest::Unknown, page: PAGE }
    }

    async fn log_at(&self, key: &Key) -> Result<Option<Log>> {
        let opened = self.load(key, Part::All).await?;
        opened.map(|opened| self.read_log(opened)).transpose()
    }
}

impl Elements {
    /// The next elements as CBOR, in the order of their appends, never an empty page; `None` after the last.
    /// `CONFLICT` if the log is deleted or replaced meanwhile.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Bytes>>> {
        // What fails is not tried again.
        let log = match std::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::Unknown => self.store.log_at(&self.key).await.map_err(|error| self.about(error))?,
            Rest::Known(log) => Some(log),
            Rest::Nothing => None,
        };
        let Some(log) = log.filter(|log| log.len() > 0) else { return Ok(None) };
        let page = self.read(log).await.map_err(|error| self.about(error))?;
        self.rest = Rest::Known(Log { first: log.first + page.len() as u64, ..log });
        Ok(Some(page))
    }

    fn about(&self, error: Error) -> Error {
        error.at_key(self.key.as_cbor())
    }

    async fn read(&mut self, log: Log) -> Result<Vec<Bytes>> {
        let _pass = self.store.inner.gate.enter()?;
        let keys: Vec<Key> = (log.first..log.next).take(self.page).map(|n| log.element(n)).collect();
        let names = keys.iter().map(|key| self.store.name(key)).collect::<Result<_>>()?;
        let blobs = self.store.inner.backing.read(names, Part::All).await?;
        let mut page = Vec::with_capacity(keys.len());
        let mut size = 1;
        for (key, blob) in keys.iter().zip(blobs) {
            let Some(blob) = blob else { return Err(self.lacks(log).await) };
            let element = self.element(key, blob)?;
            size += element.len();
            page.push(element);
        }
        self.page = (MAX_LOADED.saturating_mul(page.len()) / size).clamp(1, PAGE);
        Ok(page)
    }

    fn element(&self, key: &Key, blob: Blob) -> Result<Bytes> {
        self.store.decode(self.store.inner.layout.open(self.store.name(key)?, Some(key), blob)?)
    }

    /// Why an element is not there.
    async fn lacks(&self, log: Log) -> Error {
        match self.store.log_at(&self.key).await {
            Ok(Some(now)) if now.id == log.id => Error::new(
                ErrorKind::Corrupt,
                "the log is damaged (an element is missing); restore its blob from a backup or delete the key",
            ),
            Ok(_) => Error::new(
                ErrorKind::Conflict,
                "the log was deleted or replaced while it was being read; read it again",
            ),
            Err(error) => error,
        }
    }
}
