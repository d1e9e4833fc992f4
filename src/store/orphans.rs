//! Elements of logs that have no head: what a crash left of a deletion, or of the first append.

use super::{
    Store,
    append::appended,
    heads::{Seen, next_page},
    log::{Log, LogId},
};
use crate::{
    backing::{Change, Expect, Write},
    error::Result,
    key::Key,
    meta::{Kind, Meta},
    name::{BlobName, NameTable},
};

/// How many are deleted together.
const DELETED_AT_ONCE: usize = 256;

/// Logs of which elements were met.
#[derive(Default)]
pub(super) struct Met(NameTable);

impl Met {
    pub(super) fn meet(&mut self, store: &Store, meta: &Meta) {
        if let Some(id) = store.log_of(meta) {
            self.0.insert(id, 0);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is an element of one of these that was written before this time.
    pub(super) fn has(&self, store: &Store, meta: &Meta, before: u64) -> bool {
        meta.last_write < before && store.log_of(meta).is_some_and(|id| self.0.contains_key(&id))
    }
}

impl Store {
    /// The time now, once every element that was written before it has its head. Elements that are not older are nobody's
    /// orphans yet.
    pub(super) async fn settled(&self) -> u64 {
        let now = self.stamp();
        appended(self).await;
        now
    }

    /// Those of the logs that have no head. Where a blob is damaged it may be the head of any, so there are none then.
    pub(super) async fn headless(&self, mut met: Met) -> Result<Met> {
        if met.is_empty() {
            return Ok(met);
        }
        // The elements were met before the heads are read now. A log that has no head now never has one again.
        let mut heads = self.inner.backing.heads();
        while let Some((page, damaged)) = next_page(self, heads.as_mut()).await? {
            let mut sound = !damaged;
            for Seen { name, meta, .. } in page {
                if meta.kind == Kind::Log {
                    match self.log_id(name, &meta.key).await {
                        Ok(Some(id)) => _ = met.0.remove(&id),
                        Ok(None) => {}
                        Err(_) => sound = false,
                    }
                }
            }
            if !sound {
                return Ok(Met::default());
            }
        }
        Ok(met)
    }

    /// Of the logs that were met, the elements older than this that have no head.
    pub(super) async fn find_orphans(&self, met: Met, before: u64) -> Result<Vec<BlobName>> {
        let mut orphans = Vec::new();
        let headless = self.headless(met).await?;
        let mut heads = self.inner.backing.heads();
        while !headless.is_empty()
            && let Some((page, _)) = next_page(self, heads.as_mut()).await?
        {
            orphans
                .extend(page.into_iter().filter(|seen| headless.has(self, &seen.meta, before)).map(|seen| seen.name));
        }
        Ok(orphans)
    }

    /// Deletes the elements of all logs that have no head.
    pub(super) async fn remove_orphans(&self) -> Result<()> {
        // Where a batch is atomic, an element is never without its head: whatever has none now is an orphan.
        let before = if self.inner.backing.capability().atomic_batches { u64::MAX } else { self.settled().await };
        let (mut met, mut heads) = (Met::default(), self.inner.backing.heads());
        while let Some((page, _)) = next_page(self, heads.as_mut()).await? {
            page.iter().for_each(|seen| met.meet(self, &seen.meta));
        }
        for some in self.find_orphans(met, before).await?.chunks(DELETED_AT_ONCE) {
            let delete = |name: &BlobName| Write { name: *name, change: Change::Delete, expect: Expect::Anything };
            self.inner.backing.commit(some.iter().map(delete).collect()).await?;
        }
        Ok(())
    }

    /// What tells the log under this name from others, if there is one still.
    async fn log_id(&self, name: BlobName, key: &Key) -> Result<Option<LogId>> {
        let Some(blob) = self.blob(name).await? else { return Ok(None) };
        self.parse_log(name, None, blob)?.map_or(Ok(None), |log| match log {
            Log::Numbered(log) => Ok(Some(log.id)),
            #[cfg(feature = "clojure")]
            Log::Chain(_) => self.name(key).map(Some),
        })
    }
}
