//! All blobs of a store, whole, a few at a time.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Store;
use crate::{
    backing::{Backing, Blob, Heads, Part},
    error::Result,
    layout,
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
    waiting: VecDeque<(BlobName, Result<Bytes>)>,
}

/// A blob, or why it cannot be read; `None` if it was deleted meanwhile.
pub(super) type Found = (BlobName, Result<Option<Blob>>);

impl Blobs {
    pub(super) fn of(store: &Store) -> Self {
        Self { store: store.clone(), heads: store.inner.backing.heads(), waiting: VecDeque::new() }
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
        let names: Vec<_> = group.iter().filter(|(_, head)| head.is_ok()).map(|(name, _)| *name).collect();
        let mut blobs = read(self.store.inner.backing.as_ref(), names).await.into_iter();
        let found = |(name, head): (BlobName, Result<Bytes>)| match head {
            Ok(_) => (name, blobs.next().unwrap_or(Ok(None))),
            Err(error) => (name, Err(error)),
        };
        Ok(Some(group.into_iter().map(found).collect()))
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
