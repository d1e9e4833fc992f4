//! Elements that belong to no log: what a crash left of an append or of a deletion.

use std::collections::HashMap;

use super::{
    Store,
    append::appended,
    log::{Log, LogId, place_of},
    read::Opened,
};
use crate::{
    backing::{Blob, Change, Check, Expect, Heads, Part, Write},
    error::Result,
    layout,
    meta::{Kind, Meta},
    name::{BlobName, NameHash},
};

/// How many elements of each log were met.
#[derive(Default)]
pub(super) struct Met(HashMap<LogId, u64, NameHash>);

impl Met {
    pub(super) fn meet(&mut self, meta: &Meta) {
        if let Some((id, _)) = place_of(meta) {
            *self.0.entry(id).or_default() += 1;
        }
    }

    /// Its elements were deleted.
    pub(super) fn forget(&mut self, log: Log) {
        self.0.remove(&log.id);
    }
}

/// A log that has a head.
struct Alive {
    name: BlobName,
    check: Check,
    log: Log,
}

/// Elements of no log, page by page.
pub(super) struct Orphans {
    heads: Box<dyn Heads>,
    /// The logs of which more elements were met than their heads count.
    met: Met,
    alive: HashMap<LogId, Alive, NameHash>,
    before: u64,
}

/// The deletion of an element, where it still is as it was seen; and that the log ends where it was seen to end.
pub(super) struct Orphan {
    pub(super) delete: Write,
    pub(super) guard: Option<Write>,
}

impl Store {
    /// The time now, once every element that was written before it has its head. Elements that are not older are nobody's
    /// orphans yet.
    pub(super) async fn settled(&self) -> u64 {
        let now = self.stamp();
        appended(self).await;
        now
    }

    /// The orphans among the elements that were met, as far as they were written before this time. Where a blob cannot be
    /// read there are none: it may be the head that they belong to.
    pub(super) async fn orphans(&self, mut met: Met, before: u64) -> Result<Option<Orphans>> {
        if met.0.is_empty() {
            return Ok(None);
        }
        // The elements were met before the heads are read now, so a log without a head has none any more.
        let Some(alive) = self.alive().await? else { return Ok(None) };
        met.0.retain(|id, count| alive.get(id).is_none_or(|alive| *count > alive.log.len()));
        let heads = self.inner.backing.heads();
        Ok((!met.0.is_empty()).then_some(Orphans { heads, met, alive, before }))
    }

    /// All logs that have a head, unless a blob cannot be read.
    async fn alive(&self) -> Result<Option<HashMap<LogId, Alive, NameHash>>> {
        let mut alive = HashMap::default();
        let mut heads = self.inner.backing.heads();
        while let Some(page) = heads.next().await? {
            for (name, head) in page {
                match head.and_then(|head| layout::open(name, None, &head)) {
                    Ok((_, meta)) if meta.kind != Kind::Log => {}
                    Ok(_) => {
                        let blob = self.inner.backing.read(vec![name], Part::All).await?.into_iter().next().flatten();
                        let Some(blob) = blob else { continue };
                        let Some(found) = self.alive_in(name, blob) else { return Ok(None) };
                        alive.insert(found.log.id, found);
                    }
                    Err(_) => return Ok(None),
                }
            }
        }
        Ok(Some(alive))
    }

    fn alive_in(&self, name: BlobName, blob: Blob) -> Option<Alive> {
        let (check, (codecs, meta)) = (blob.check()?, layout::open(name, None, &blob.head).ok()?);
        let log = self.read_log(Opened { name, codecs, meta, section: blob.value }).ok()?;
        Some(Alive { name, check, log })
    }
}

impl Orphans {
    /// The next ones, perhaps none; `None` after the last.
    pub(super) async fn next_page(&mut self) -> Result<Option<Vec<Orphan>>> {
        let Some(page) = self.heads.next().await? else { return Ok(None) };
        let orphan = |(name, head): (BlobName, Result<_>)| self.judge(name, &head.ok()?);
        Ok(Some(page.into_iter().filter_map(orphan).collect()))
    }

    fn judge(&self, name: BlobName, head: &bytes::Bytes) -> Option<Orphan> {
        let (_, meta) = layout::open(name, None, head).ok()?;
        let (id, n) = place_of(&meta).filter(|(id, _)| self.met.0.contains_key(id))?;
        let alive = self.alive.get(&id);
        if meta.last_write >= self.before || alive.is_some_and(|alive| alive.log.holds(n)) {
            return None;
        }
        let check = Blob { head: head.clone(), ..Blob::default() }.check()?;
        let delete = Write { name, change: Change::Delete, expect: Expect::Check(check) };
        let guard = alive.map(|Alive { name, check, .. }| Write {
            name: *name,
            change: Change::Keep,
            expect: Expect::Check(*check),
        });
        Some(Orphan { delete, guard })
    }
}
