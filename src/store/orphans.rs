//! Elements of logs that have no head: what a crash left of a deletion, or of the first append.

use super::{
    Store,
    append::appended,
    heads::{Seen, next_page},
    log::{Log, log_of},
};
use crate::{
    error::Result,
    meta::{Kind, Meta},
    name::{BlobName, NameTable},
};

/// Logs of which elements were met.
#[derive(Default)]
pub(super) struct Met(NameTable);

impl Met {
    pub(super) fn meet(&mut self, meta: &Meta) {
        if let Some(id) = log_of(meta) {
            self.0.insert(id, 0);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is an element of one of these that was written before this time.
    pub(super) fn has(&self, meta: &Meta, before: u64) -> bool {
        meta.last_write < before && log_of(meta).is_some_and(|id| self.0.contains_key(&id))
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
        while let Some((page, damaged)) = next_page(heads.as_mut()).await? {
            let mut sound = !damaged;
            for Seen { name, meta, .. } in page {
                if meta.kind == Kind::Log {
                    match self.log_id(name).await {
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

    /// The log under this name, if there is one still.
    async fn log_id(&self, name: BlobName) -> Result<Option<BlobName>> {
        let Some(blob) = self.blob(name).await? else { return Ok(None) };
        Ok(self.parse_log(name, None, blob)?.map(|Log { id, .. }| id))
    }
}
