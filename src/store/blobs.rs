//! All blobs of a store, whole, a few at a time.

use super::Store;
use crate::{
    backing::{Blob, HeadPage, Heads, Part},
    error::Result,
    layout::Layout,
    meta::{Kind, Meta},
    name::BlobName,
};

/// So many bytes of values are loaded at a time, or a single one that is larger.
pub(super) const MAX_LOADED: u64 = 4 * 1024 * 1024;
/// So many blobs are loaded at a time.
const MAX_BLOBS: usize = 128;
/// So many are loaded first where heads do not say how long values are.
const FIRST_BLOBS: usize = 8;

/// The blobs, by ascending name. Each is one that was put whole; together they are no snapshot.
pub(super) struct Blobs {
    store: Store,
    heads: Box<dyn Heads>,
    /// Larger binaries, in bytes, are left to be streamed; all of them where heads do not say how large they are.
    large: u64,
    /// Whether copies are forgotten before anything is read.
    fresh: bool,
    page: HeadPage,
    /// How many of the page were read.
    done: usize,
    /// How many of it may be read at a time.
    most: usize,
    /// How many of the next page.
    fit: usize,
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
        let (heads, page) = (store.inner.backing.heads(), HeadPage::new());
        let fit = if store.inner.layout.has_digests() { MAX_BLOBS } else { FIRST_BLOBS };
        Self { store: store.clone(), heads, large: u64::MAX, fresh: false, page, done: 0, most: fit, fit }
    }

    /// Where the backing streams, binaries are not loaded that are large, or longer than what one of the stores holds in
    /// memory.
    pub(super) fn but_large(store: &Store, other: &Store) -> Self {
        let large = MAX_LOADED.min(store.inner.layout.max_len()).min(other.inner.layout.max_len());
        let streams = store.inner.backing.capability().streams;
        Self { large: if streams { large } else { u64::MAX }, ..Self::of(store) }
    }

    /// The same, as they are stored, whatever copies there are.
    pub(super) fn stored(store: &Store) -> Self {
        Self { fresh: store.inner.backing.capability().copies, ..Self::but_large(store, store) }
    }

    /// The next blobs; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Found>>> {
        loop {
            let waiting = self.page.get(self.done..).unwrap_or_default();
            if waiting.is_empty() {
                let Some(page) = self.heads.next().await? else { return Ok(None) };
                (self.page, self.done, self.most) = (page, 0, self.fit);
                continue;
            }
            if self.fresh {
                let names = group(&self.store.inner.layout, waiting, self.most).iter().map(|(name, _)| *name).collect();
                self.store.inner.backing.invalidate(Some(names)).await;
            }
            let loaded = |(name, head): &Head| {
                let head = head.as_ref().ok()?;
                (!self.is_large(*name, head)).then_some(*name)
            };
            let names = group(&self.store.inner.layout, waiting, self.most).iter().filter_map(loaded).collect();
            match self.store.inner.backing.read(names, Part::All).await {
                // Alone, each has its own error.
                Err(_) if self.most > 1 => self.most = 1,
                read => {
                    let found = self.found(read);
                    self.learn(&found);
                    return Ok(Some(found));
                }
            }
        }
    }

    /// How many are worth holding at once, by what was read, where heads do not say it.
    fn learn(&mut self, found: &[Found]) {
        let sizes = found.iter().filter_map(|(_, found)| match found {
            Ok(Loaded::Whole(blob)) => Some(blob.value.len() as u64),
            _ => None,
        });
        let (count, size) = sizes.fold((0, 1), |(count, sum), size| (count + 1, sum + size));
        if !self.store.inner.layout.has_digests() && count > 0 {
            let fit = usize::try_from(MAX_LOADED * count / size).unwrap_or(MAX_BLOBS);
            self.fit = fit.clamp(1, MAX_BLOBS);
            self.most = self.fit;
        }
    }

    /// What was read of the next group; where it failed, that is one blob.
    fn found(&mut self, read: Result<Vec<Option<Blob>>>) -> Vec<Found> {
        let group = group(&self.store.inner.layout, self.page.get(self.done..).unwrap_or_default(), self.most);
        let mut blobs = read.map(Vec::into_iter);
        let found = |(name, head): &Head| {
            let loaded = match (head, &mut blobs) {
                (Err(error), _) => Err(error.clone()),
                (Ok(head), _) if self.is_large(*name, head) => Ok(Loaded::Large),
                (Ok(_), Err(error)) => Err(error.clone()),
                (Ok(_), Ok(blobs)) => Ok(blobs.next().flatten().into()),
            };
            (*name, loaded)
        };
        let found: Vec<_> = group.iter().map(found).collect();
        self.done += found.len();
        found
    }

    fn is_large(&self, name: BlobName, head: &[u8]) -> bool {
        let is_large = |meta: Meta| meta.kind == Kind::Binary && meta.size.is_none_or(|size| size > self.large);
        let opened = (self.large < u64::MAX).then(|| self.store.inner.layout.open_head(name, None, head).ok());
        opened.flatten().is_some_and(|opened| is_large(opened.meta))
    }
}

/// A blob as it was listed.
type Head = (BlobName, Result<bytes::Bytes>);

/// As many of those that wait as are worth holding at once.
fn group<'a>(layout: &Layout, waiting: &'a [Head], most: usize) -> &'a [Head] {
    let mut size = 0_u64;
    let mut fits = |(name, head): &Head| {
        let declared = head.as_ref().ok().and_then(|head| layout.declared_size(*name, head));
        size = size.saturating_add(declared.unwrap_or_default());
        size <= MAX_LOADED
    };
    let count = waiting.iter().take(most).take_while(|head| fits(head)).count();
    waiting.get(..count.max(1)).unwrap_or_default()
}
