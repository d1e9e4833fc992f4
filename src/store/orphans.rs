//! Elements that belong to no log: what a crash left of an append or of a deletion.

use super::{
    Store,
    append::appended,
    heads::{Seen, next_page},
    log::{Log, place_of},
    read::Opened,
};
use crate::{
    backing::{Change, Expect, Heads, Write},
    error::Result,
    layout,
    meta::{Kind, Meta},
    name::{BlobName, NameTable},
};

/// How many elements of each log were met.
#[derive(Default)]
pub(super) struct Met(NameTable);

impl Met {
    pub(super) fn meet(&mut self, meta: &Meta) {
        if let Some((id, _)) = place_of(meta) {
            *self.0.entry(id).or_default() += 1;
        }
    }
}

/// Elements of no log, page by page.
pub(super) struct Orphans {
    heads: Box<dyn Heads>,
    /// The logs of which more elements were met than their heads count; for each its place in `alive`, or beyond.
    suspects: NameTable,
    alive: Vec<(Log, Write)>,
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

    /// The orphans among the elements that were met, as far as they were written before this time. Where a blob is
    /// damaged there are none: it may be the head that they belong to.
    pub(super) async fn orphans(&self, met: Met, before: u64) -> Result<Option<Orphans>> {
        let Met(mut suspects) = met;
        if suspects.is_empty() {
            return Ok(None);
        }
        // The elements were met before the heads are read now, so a log without a head has none any more.
        let (mut alive, mut heads) = (Vec::new(), self.inner.backing.heads());
        while let Some((page, damaged)) = next_page(heads.as_mut()).await? {
            if damaged {
                return Ok(None);
            }
            for Seen { name, .. } in page.into_iter().filter(|seen| seen.meta.kind == Kind::Log) {
                let Ok(found) = self.alive(name).await else { return Ok(None) };
                alive.extend(found);
            }
        }
        // Those of which no head is found stand beyond all places.
        suspects.values_mut().for_each(|count| *count += alive.len() as u64);
        for (place, (log, _)) in (0..).zip(&alive) {
            let count = suspects.remove(&log.id).unwrap_or_default();
            if count > alive.len() as u64 + log.len() {
                suspects.insert(log.id, place);
            }
        }
        let heads = self.inner.backing.heads();
        Ok((!suspects.is_empty()).then_some(Orphans { heads, suspects, alive, before }))
    }

    /// The log under this name, and that its head stays as it is.
    async fn alive(&self, name: BlobName) -> Result<Option<(Log, Write)>> {
        let Some(blob) = self.blob(name).await? else { return Ok(None) };
        let unchanged = blob.check().map_or(Expect::Absent, Expect::Check);
        let (codecs, meta) = layout::open(name, None, &blob.head)?;
        if meta.kind != Kind::Log {
            return Ok(None);
        }
        let log = self.read_log(Opened { name, codecs, meta, section: blob.value })?;
        Ok(Some((log, Write { name, change: Change::Keep, expect: unchanged })))
    }
}

impl Orphans {
    /// The next ones, perhaps none; `None` after the last.
    pub(super) async fn next_page(&mut self) -> Result<Option<Vec<Orphan>>> {
        let page = next_page(self.heads.as_mut()).await?;
        Ok(page.map(|(seen, _)| seen.into_iter().filter_map(|seen| self.judge(&seen)).collect()))
    }

    fn judge(&self, Seen { name, check, meta }: &Seen) -> Option<Orphan> {
        let (id, n) = place_of(meta).filter(|_| meta.last_write < self.before)?;
        let place = usize::try_from(*self.suspects.get(&id)?).ok()?;
        let guard = match self.alive.get(place) {
            Some((log, _)) if log.holds(n) => return None,
            alive => alive.map(|(_, unchanged)| unchanged.clone()),
        };
        Some(Orphan { delete: Write { name: *name, change: Change::Delete, expect: Expect::Check(*check) }, guard })
    }
}
