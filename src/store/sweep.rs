//! Garbage: deleting what nobody wants any more, while others write.

use std::collections::BTreeSet;

use super::{
    LayoutName, Op, Store,
    heads::{Seen, next_page},
    orphans::Met,
};
use crate::{
    backing::{Change, Check, Expect, Heads, Outcome, Write},
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    key::Key,
    meta::{Kind, Meta},
    name::{BlobName, NameTable},
};

/// How many keys are deleted together unless the sweep says another number.
const BATCH: usize = 1000;

/// What a sweep spares.
#[derive(Clone, Debug)]
pub struct Sweep {
    keep: Vec<Key>,
    before: u64,
    batch: usize,
}

impl Sweep {
    /// Deletes what was last written before this time, in milliseconds since 1970, unless it is kept.
    pub fn before(before: u64) -> Self {
        Self { keep: Vec::new(), before, batch: BATCH }
    }

    /// These keys stay.
    #[must_use]
    pub fn keep(mut self, keys: impl IntoIterator<Item = Key>) -> Self {
        self.keep.extend(keys);
        self
    }

    /// How many keys are deleted together. Default: 1000. None is `INVALID_CONFIG`.
    pub fn batch_size(self, batch: usize) -> Result<Self> {
        if batch == 0 {
            return Err(Error::new(ErrorKind::InvalidConfig, "the batches of a sweep must have at least one key"));
        }
        Ok(Self { batch, ..self })
    }
}

/// A sweep, batch by batch: it may stop after any of them, and be begun again.
pub struct Sweeping {
    store: Store,
    keep: NameTable,
    /// Where a key that is listed may be less exact than the one that its blob is named for: all that are kept.
    alike: BTreeSet<Key>,
    sweep: Sweep,
    stage: Stage,
    /// The listing of this stage, while it goes on.
    heads: Option<Box<dyn Heads>>,
    /// The logs of which elements were met; in the end those that have no head.
    met: Met,
    /// What is to be deleted next.
    found: Vec<Found>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    Keys,
    Orphans,
    End,
}

/// What is to be deleted, as it was seen. Orphans have no key that counts.
struct Found {
    name: BlobName,
    check: Check,
    key: Option<Key>,
    is_log: bool,
}

impl Found {
    fn deletion(&self) -> Write {
        Write { name: self.name, change: Change::Delete, expect: Expect::Check(self.check) }
    }
}

impl Store {
    /// Deletes every key that is neither kept nor written at or after a time, with the elements of logs; what has
    /// expired; and elements that belong to no log. Gives the keys deleted.
    ///
    /// What is written after it began is never deleted, whoever writes it. What is damaged stays: `verify` tells.
    pub async fn sweep(&self, sweep: Sweep) -> Result<Vec<Key>> {
        let mut deleted = Vec::new();
        let mut sweeping = self.sweep_batches(sweep);
        while let Some(batch) = sweeping.next_batch().await? {
            deleted.extend(batch);
        }
        Ok(deleted)
    }

    /// A [`sweep`](Self::sweep) that deletes one batch at a time.
    pub fn sweep_batches(&self, sweep: Sweep) -> Sweeping {
        let (met, found) = (Met::default(), Vec::new());
        // A key that no blob can have has nothing to keep.
        let keep = sweep.keep.iter().flat_map(|key| self.names(key)).map(|name| (name, 0)).collect();
        let is_exact = self.layout() == LayoutName::Sealed;
        let alike = if is_exact { BTreeSet::new() } else { sweep.keep.iter().cloned().collect() };
        Sweeping { store: self.clone(), keep, alike, sweep, stage: Stage::Start, heads: None, met, found }
    }

    /// Deletes those that are still as they were seen, and tells of them; their keys.
    fn delete_seen(&self, mut found: Vec<Found>) -> BoxFut<'_, Result<Vec<Key>>> {
        Box::pin(async move {
            let held = self.lock_to_tell(found.iter().map(|found| found.name)).await;
            while !found.is_empty() {
                match self.inner.backing.commit(found.iter().map(Found::deletion).collect()).await? {
                    Outcome::Done(_) => break,
                    Outcome::Conflict(changed) => found.retain(|found| found.name != changed),
                }
            }
            let keys: Vec<_> = found.into_iter().filter_map(|found| found.key).collect();
            if let Some(event) = self.event(Op::Sweep, &keys).filter(|_| !keys.is_empty()) {
                self.inner.hooks.tell(*event, held);
            }
            Ok(keys)
        })
    }
}

impl Sweeping {
    /// Deletes the next batch and gives its keys, perhaps none; `None` after the last.
    pub async fn next_batch(&mut self) -> Result<Option<Vec<Key>>> {
        let _pass = self.store.inner.gate.enter()?;
        loop {
            match self.heads.take() {
                Some(mut heads) => {
                    self.find(heads.as_mut()).await?;
                    if !self.found.is_empty() {
                        self.heads = Some(heads);
                        return self.delete().await.map(Some);
                    }
                }
                None if self.stage == Stage::End => return Ok(None),
                None => self.go_on().await?,
            }
        }
    }

    /// Begins the next stage.
    async fn go_on(&mut self) -> Result<()> {
        self.stage = match self.stage {
            Stage::Start => {
                // Whatever the caller says: what is written from now on stays.
                self.sweep.before = self.sweep.before.min(self.store.settled().await);
                Stage::Keys
            }
            Stage::Keys => {
                self.met = self.store.headless(std::mem::take(&mut self.met)).await?;
                if self.met.is_empty() { Stage::End } else { Stage::Orphans }
            }
            Stage::Orphans | Stage::End => Stage::End,
        };
        self.heads = (self.stage != Stage::End).then(|| self.store.inner.backing.heads());
        Ok(())
    }

    /// Fills the batch, as far as there is something to delete.
    async fn find(&mut self, heads: &mut dyn Heads) -> Result<()> {
        while self.found.len() < self.sweep.batch {
            let Some((page, _)) = next_page(&self.store, heads).await? else { break };
            page.into_iter().for_each(|seen| self.consider(seen));
        }
        Ok(())
    }

    fn consider(&mut self, Seen { name, check, meta }: Seen) {
        let (is_log, before) = (meta.kind == Kind::Log, self.sweep.before);
        if self.stage == Stage::Orphans {
            if self.met.has(&self.store, &meta, before) {
                self.found.push(Found { name, check, key: None, is_log });
            }
        } else if meta.kind == Kind::LogElement {
            self.met.meet(&self.store, &meta);
        } else if !self.keeps(name, &meta) && meta.last_write < before || meta.is_expired(self.store.now()) {
            self.found.push(Found { name, check, key: Some(meta.key), is_log });
        }
    }

    fn keeps(&self, name: BlobName, meta: &Meta) -> bool {
        self.keep.contains_key(&name) || self.alike.contains(&meta.key)
    }

    async fn delete(&mut self) -> Result<Vec<Key>> {
        let rest = self.found.split_off(self.sweep.batch.min(self.found.len()));
        let batch = std::mem::replace(&mut self.found, rest);
        let (logs, others) = batch.into_iter().partition(|found| found.is_log);
        let mut keys = self.store.delete_seen(others).await?;
        for Found { name, check, key, .. } in Vec::<Found>::into_iter(logs) {
            let event = key.as_ref().and_then(|key| self.store.event(Op::Sweep, std::slice::from_ref(key)));
            let gone = self.store.delete_log(name, check, event).await?;
            keys.extend(key.filter(|_| gone));
        }
        Ok(keys)
    }
}
