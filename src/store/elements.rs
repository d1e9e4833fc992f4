//! Reading a log, page by page.

use bytes::Bytes;

#[cfg(feature = "clojure")]
use super::chain::{self, Chain};
use super::{
    Store,
    log::{Log, Numbered},
};
use crate::{
    backing::{Blob, Part},
    error::{Error, ErrorKind, Result},
    key::Key,
    meta::Kind,
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
    /// Notices a chain that comes back to itself.
    #[cfg(feature = "clojure")]
    turns: chain::Turns,
    /// The chain as it was when the first page was read.
    #[cfg(feature = "clojure")]
    began: Option<Chain>,
}

/// When an element was written, in milliseconds since 1970, and the element as CBOR.
pub(super) type Stamped = (u64, Bytes);

/// Elements, and the log of those that come after them.
type Page = (Vec<Stamped>, Option<Log>);

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
        Elements {
            store: self.clone(),
            key,
            rest: Rest::Unknown,
            page: PAGE,
            #[cfg(feature = "clojure")]
            turns: chain::Turns::default(),
            #[cfg(feature = "clojure")]
            began: None,
        }
    }

    pub(super) async fn log_at(&self, key: &Key) -> Result<Option<Log>> {
        let opened = self.load(key, Part::All).await?;
        opened.map(|opened| self.read_log(opened)).transpose()
    }
}

impl Elements {
    /// The next elements as CBOR, in the order of their appends, never an empty page; `None` after the last.
    /// `CONFLICT` if the log is deleted or replaced meanwhile.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Bytes>>> {
        let page = self.next_stamped().await?;
        Ok(page.map(|page| page.into_iter().map(|(_, element)| element).collect()))
    }

    /// The same, with the times at which they were written.
    pub(super) async fn next_stamped(&mut self) -> Result<Option<Vec<Stamped>>> {
        // What fails is not tried again.
        let log = match std::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::Unknown => self.store.log_at(&self.key).await.map_err(|error| self.about(error))?,
            Rest::Known(log) => Some(log),
            Rest::Nothing => None,
        };
        let read = match log {
            Some(Log::Numbered(log)) if log.len() > 0 => self.read(log).await,
            #[cfg(feature = "clojure")]
            Some(Log::Chain(chain)) => self.follow(chain).await,
            _ => return Ok(None),
        };
        let (page, rest) = read.map_err(|error| self.about(error))?;
        self.rest = rest.map_or(Rest::Nothing, Rest::Known);
        Ok(Some(page))
    }

    fn about(&self, error: Error) -> Error {
        error.at_key(self.key.as_cbor())
    }

    async fn read(&mut self, log: Numbered) -> Result<Page> {
        let _pass = self.store.inner.gate.enter()?;
        let keys: Vec<Key> = (log.first..log.next).take(self.page).map(|n| log.element(n)).collect();
        let names = keys.iter().map(|key| self.store.name(key)).collect::<Result<_>>()?;
        let blobs = self.store.inner.backing.read(names, Part::All).await?;
        let mut page = Vec::with_capacity(keys.len());
        let mut size = 1;
        for (key, blob) in keys.iter().zip(blobs) {
            let Some(blob) = blob else { return Err(self.lacks(log).await) };
            let element = self.element(key, blob)?;
            size += element.1.len();
            page.push(element);
        }
        self.page = (MAX_LOADED.saturating_mul(page.len()) / size).clamp(1, PAGE);
        let first = log.first + page.len() as u64;
        Ok((page, Some(Log::Numbered(Numbered { first, ..log }))))
    }

    /// The next elements of a chain, which ends with the last that its head names.
    #[cfg(feature = "clojure")]
    async fn follow(&mut self, Chain { first, last }: Chain) -> Result<Page> {
        let _pass = self.store.inner.gate.enter()?;
        let began = *self.began.get_or_insert(Chain { first, last });
        let (mut page, mut size, mut at) = (Vec::new(), 0, Some(first));
        while let Some(id) = at.filter(|_| page.len() < PAGE && size < MAX_LOADED) {
            let Some(link) = self.store.link(id).await? else { return Err(self.broken(began).await) };
            self.turns.pass(id)?;
            size += link.element.len();
            page.push((link.written, link.element));
            at = link.next.filter(|_| id != last);
        }
        Ok((page, at.map(|first| Log::Chain(Chain { first, last }))))
    }

    /// Why an element of a chain is not there.
    #[cfg(feature = "clojure")]
    async fn broken(&self, began: Chain) -> Error {
        match self.store.log_at(&self.key).await {
            Ok(Some(Log::Chain(now))) if now.first == began.first => chain::lacks(),
            Ok(_) => gone(),
            Err(error) => error,
        }
    }

    fn element(&self, key: &Key, blob: Blob) -> Result<Stamped> {
        let opened = self.store.inner.layout.open(self.store.name(key)?, Some(key), blob)?;
        if opened.meta.kind != Kind::LogElement {
            return Err(damaged("something else is in the place of an element"));
        }
        Ok((opened.meta.last_write, self.store.decode(opened)?))
    }

    /// Why an element is not there.
    async fn lacks(&self, log: Numbered) -> Error {
        match self.store.log_at(&self.key).await {
            Ok(Some(Log::Numbered(now))) if now.id == log.id => damaged("an element is missing"),
            Ok(_) => gone(),
            Err(error) => error,
        }
    }
}

fn damaged(how: &str) -> Error {
    let message = format!("the log is damaged ({how}); restore its blob from a backup or delete the key");
    Error::new(ErrorKind::Corrupt, message)
}

fn gone() -> Error {
    Error::new(ErrorKind::Conflict, "the log was deleted or replaced while it was being read; read it again")
}
