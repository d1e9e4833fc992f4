//! All blobs of a store, whole, a few at a time.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Store;
use crate::{
    backing::{Backing, Blob, Heads, Part},
    error::Result,
    layout,
    meta::Kind,
    name::BlobName,
};

/// So many bytes of values are loaded at a time, or a single one that is larger.
pub(super) const MAX_LOADED: u64 = 4 * 1024 * 1024;
/// So many blobs are loaded at a time.
const MAX_BLOBS: usize = 128;

/// The blobs, by ascending name. Each is one that was put whole; together they are no snapshot.
pub(super) struct Blobs {
    store: Store,
    heads: Box<dyn Heads>,
    /// Whether what is too large to be loaded is left to be streamed.
    streams: bool,
    waiting: VecDeque<(BlobName, Result<Bytes>)>,
}

/// What became of a blob that was listed, or why it cannot be read.
pub(super) type Found = (BlobName, Result<Loaded>);

pub(super) enum Loaded {
    Whole(Blob),
    /// A binary that is to be streamed.
    Large,
    /// It was deleted meanwhile.
    Gone,
}

impl From<Option<Blob>> for Loaded {
    fn from(found: Option<Blob>) -> Self {
        found.map_or(Self::Gone, Self::Whole)
    }
}

impl Blobs {
    pub(super) fn of(store: &Store) -> Self {
        let (heads, waiting) = (store.inner.backing.heads(), VecDeque::new());
        Self { store: store.clone(), heads, streams: false, waiting }
    }

    /// Where the backing streams, large binaries are not loaded.
    pub(super) fn but_large(store: &Store) -> Self {
        Self { streams: store.inner.backing.capability().streams, ..Self::of(store) }
    }

    /// The next blobs; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Found>>> {
        while self.waiting.is_empty() {
            match self.heads.next().await? {
                Some(page) => self.waiting.extend(page),
                None => return Ok(None),
            }
        }
        let group = self.group();
        let loaded = |(name, head): &(BlobName, Result<Bytes>)| match head {
            Ok(head) => (!self.is_large(*name, head)).then_some(*name),
            Err(_) => None,
        };
        let names: Vec<_> = group.iter().filter_map(loaded).collect();
        let mut blobs = read(self.store.inner.backing.as_ref(), names).await.into_iter();
        let found = |(name, head): (BlobName, Result<Bytes>)| match head {
            Ok(head) if self.is_large(name, &head) => (name, Ok(Loaded::Large)),
            Ok(_) => (name, blobs.next().unwrap_or(Ok(None)).map(Loaded::from)),
            Err(error) => (name, Err(error)),
        };
        Ok(Some(group.into_iter().map(found).collect()))
    }

    fn is_large(&self, name: BlobName, head: &[u8]) -> bool {
        let is_binary = || layout::open(name, None, head).is_ok_and(|(_, meta)| meta.kind == Kind::Binary);
        self.streams && layout::declared_size(head) > MAX_LOADED && is_binary()
    }

    /// As many as are worth holding at once.
    fn group(&mut self) -> Vec<(BlobName, Result<Bytes>)> {
        let (mut group, mut size) = (Vec::new(), 0_u64);
        while let Some((name, head)) = self.waiting.pop_front() {
            size = size.saturating_add(head.as_ref().map_or(0, |head| layout::declared_size(head)));
            if group.len() == MAX_BLOBS || (size > MAX_LOADED && !group.is_empty()) {
                self.waiting.push_front((name, head));
                break;
            }
            group.push((name, head));
        }
        group
    }
}

/// If they cannot be read together, each is read alone: so the error is that of the blob that has it.
async fn read(backing: &dyn Backing, names: Vec<BlobName>) -> Vec<Result<Option<Blob>>> {
    if let Ok(blobs) = backing.read(names.clone(), Part::All).await {
        return blobs.into_iter().map(Ok).collect();
    }
    let mut blobs = Vec::new();
    for name in names {
        blobs.push(backing.read(vec![name], Part::All).await.map(|found| found.into_iter().next().flatten()));
    }
    blobs
}
