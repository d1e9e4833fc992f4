//! Listing keys and entries, page by page.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Store, blobs::MAX_LOADED, gate::Pass};
use crate::{
    backing::{Heads, Part},
    cbor::{Head, Reader},
    codec::too_long,
    error::{Error, ErrorKind, Result},
    key::Key,
    layout::Opened,
    meta::{Kind, Meta},
    name::BlobName,
};

/// Which keys are wanted.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Only those of this kind.
    pub kind: Option<Kind>,
    /// Only those that begin so.
    pub prefix: Option<Prefix>,
}

/// How keys begin.
#[derive(Clone, Debug)]
pub enum Prefix {
    /// Text keys that begin with this text.
    Text(String),
    /// Array keys whose first elements are these, each in canonical form.
    Elements(Vec<Bytes>),
}

impl Prefix {
    /// From CBOR: a text, or an array of elements; else `INVALID_KEY`.
    pub fn from_cbor(item: &[u8]) -> Result<Self> {
        let key = Key::from_cbor(item)?;
        let mut reader = Reader::new(key.as_cbor());
        let prefix = match reader.head() {
            Ok(Head::Text(len)) => {
                reader.take(len).ok().and_then(|text| Some(Self::Text(str::from_utf8(text).ok()?.to_owned())))
            }
            Ok(Head::Array(len)) => (0..len)
                .map(|_| reader.item().ok().map(Bytes::copy_from_slice))
                .collect::<Option<_>>()
                .map(Self::Elements),
            _ => None,
        };
        prefix.ok_or_else(|| {
            Error::new(ErrorKind::InvalidKey, "a prefix is a text, or an array of the first elements of array keys")
        })
    }

    fn fits(&self, key: &Key) -> bool {
        let mut reader = Reader::new(key.as_cbor());
        match (self, reader.head()) {
            (Self::Text(prefix), Ok(Head::Text(len))) => {
                reader.take(len).is_ok_and(|text| text.starts_with(prefix.as_bytes()))
            }
            (Self::Elements(first), Ok(Head::Array(len))) => {
                first.len() <= len && first.iter().all(|element| reader.item().is_ok_and(|item| item == element))
            }
            _ => false,
        }
    }
}

/// The metadata of keys, page by page; not a snapshot: each entry is consistent, what is written meanwhile may show or not.
///
/// Blobs that cannot be read do not stop the listing. They are reported after the rest, as one error that names them.
pub struct Keys {
    store: Store,
    query: Query,
    heads: Box<dyn Heads>,
    damaged: Vec<(BlobName, Error)>,
    done: bool,
    _pass: Pass,
}

impl Store {
    /// Lists the metadata of all keys that the query wants. Values are not read.
    pub fn list_keys(&self, query: Query) -> Result<Keys> {
        let pass = self.inner.gate.enter()?;
        let heads = self.inner.backing.heads();
        Ok(Keys { store: self.clone(), query, heads, damaged: Vec::new(), done: false, _pass: pass })
    }

    /// Lists metadata and values, as CBOR, of all keys that the query wants. Of a log it is the head that is listed.
    pub fn list_entries(&self, query: Query) -> Result<Entries> {
        Ok(Entries { keys: self.list_keys(query)?, waiting: VecDeque::new() })
    }
}

impl Keys {
    /// The next metadata, never an empty page; `None` after the last.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Meta>>> {
        let page = self.next_named().await?;
        Ok(page.map(|page| page.into_iter().map(|(_, meta)| meta).collect()))
    }

    /// The same, with the names of their blobs.
    async fn next_named(&mut self) -> Result<Option<Vec<(BlobName, Meta)>>> {
        while !self.done {
            // What fails is not tried again: a listing that goes on after an error would never end.
            self.done = true;
            let Some(page) = self.heads.next().await? else { return self.report() };
            self.done = false;
            let metas: Vec<_> = page.into_iter().filter_map(|(name, head)| self.wanted(name, head)).collect();
            if !metas.is_empty() {
                return Ok(Some(metas));
            }
        }
        Ok(None)
    }

    fn wanted(&mut self, name: BlobName, head: Result<Bytes>) -> Option<(BlobName, Meta)> {
        match head.and_then(|head| self.store.inner.layout.open_head(name, None, &head)) {
            Ok(Opened { meta, .. }) => {
                if meta.kind == Kind::Log {
                    self.store.inner.logs.learn(name);
                }
                let wanted = meta.kind != Kind::LogElement
                    && !meta.is_expired(self.store.now())
                    && self.query.kind.is_none_or(|kind| kind == meta.kind)
                    && self.query.prefix.as_ref().is_none_or(|prefix| prefix.fits(&meta.key));
                wanted.then_some((name, meta))
            }
            Err(error) => {
                self.damaged.push((name, error));
                None
            }
        }
    }

    fn report<T>(&mut self) -> Result<Option<T>> {
        let damaged = std::mem::take(&mut self.damaged);
        let Some((name, first)) = damaged.first() else { return Ok(None) };
        let others = match damaged.len() {
            1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        let message = format!("the listing is complete but for {name}{others}: {}", first.message());
        Err(Error::new(first.kind(), message))
    }
}

/// Metadata and values of keys; see [`Keys`].
pub struct Entries {
    keys: Keys,
    waiting: VecDeque<(BlobName, Meta)>,
}

/// A page of [`Entries`]: metadata, and the value as CBOR.
pub type EntryPage = Vec<(Meta, Bytes)>;

impl Entries {
    /// The next entries, never an empty page; `None` after the last.
    pub async fn next_page(&mut self) -> Result<Option<EntryPage>> {
        loop {
            if self.waiting.is_empty() {
                match self.keys.next_named().await? {
                    Some(metas) => self.waiting = metas.into(),
                    None => return Ok(None),
                }
            }
            let page = self.load().await?;
            if !page.is_empty() {
                return Ok(Some(page));
            }
        }
    }

    /// Loads as many of the waiting values as are worth holding at once.
    async fn load(&mut self) -> Result<EntryPage> {
        let (mut names, mut size) = (Vec::new(), 0_u64);
        while let Some((name, meta)) = self.waiting.front() {
            let (name, value) = (*name, meta.size.unwrap_or_default());
            let limit = self.keys.store.inner.layout.max_len();
            if value > limit {
                // A binary that was streamed: it may be larger than memory.
                self.keys.damaged.push((name, too_long(value, limit)));
                self.waiting.pop_front();
                continue;
            }
            size = size.saturating_add(value);
            if size > MAX_LOADED && !names.is_empty() {
                break;
            }
            names.push(name);
            self.waiting.pop_front();
        }
        let store = &self.keys.store;
        let blobs = store.inner.backing.read(names.clone(), Part::All).await?;
        let mut page = Vec::new();
        for (name, blob) in names.into_iter().zip(blobs) {
            // What was deleted since is no entry any more.
            let Some(blob) = blob else { continue };
            let entry = store
                .open(name, None, blob)
                .and_then(|opened| opened.map(|opened| Ok((opened.meta.clone(), store.decode(opened)?))).transpose());
            match entry {
                Ok(entry) => page.extend(entry),
                Err(error) => self.keys.damaged.push((name, error)),
            }
        }
        Ok(page)
    }
}
