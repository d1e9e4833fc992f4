//! Garbage: deleting what nobody wants any more, while others write.

use super::{
    Store,
    heads::{Seen, next_page},
    orphans::{Met, Orphan, Orphans},
};
use crate::{
    backing::{Change, Expect, Heads, Outcome, Write},
    error::{Error, ErrorKind, Result},
    key::Key,
    meta::Kind,
    name::{BlobName, NameTable},
};

/// How many keys are deleted together unless the sweep says another number.
const BATCH: usize = 1000;

/// What a sweep spares.
#[derive(Clone, Debug)]
pub struct Sweep {
    keep: NameTable,
    before: u64,
    batch: usize,
}

impl Sweep {
    /// Deletes what was last written before this time, in milliseconds since 1970, unless it is kept.
    pub fn before(before: u64) -> Self {
        Self { keep: NameTable::default(), before, batch: BATCH }
    }

    /// These keys stay.
    #[must_use]
    pub fn keep(mut self, keys: impl IntoIterator<Item = Key>) -> Self {
        self.keep.extend(keys.into_iter().map(|key| (key.name(), 0)));
        self
    }

    fn takes(&self, Seen { name, meta, .. }: &Seen, now: u64) -> bool {
        let spared = self.keep.contains_key(name) || meta.last_write >= self.before;
        meta.kind != Kind::LogElement && (!spared || meta.is_expired(now))
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
    sweep: Sweep,
    stage: Stage,
    /// What is to be deleted next.
    found: Vec<Seen>,
    met: Met,
}

enum Stage {
    Start,
    Keys(Box<dyn Heads>),
    Orphans(Orphans),
    End,
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
        Sweeping { store: self.clone(), sweep, stage: Stage::Start, found: Vec::new(), met: Met::default() }
    }

    /// Deletes these where they are still as they were seen; the names that were.
    async fn delete_seen(&self, mut writes: Vec<Write>) -> Result<Vec<BlobName>> {
        while !writes.is_empty() {
            match self.inner.backing.commit(writes.clone()).await? {
                Outcome::Done(_) => break,
                Outcome::Conflict(changed) => writes.retain(|write| write.name != changed),
            }
        }
        Ok(writes.into_iter().map(|write| write.name).collect())
    }

    async fn delete_orphans(&self, page: Vec<Orphan>) -> Result<()> {
        let mut alone = Vec::new();
        for Orphan { delete, guard } in page {
            match guard {
                None => alone.push(delete),
                // Whether or not it is an orphan still: then it is none, or the next sweep takes it.
                Some(guard) => _ = self.inner.backing.commit(vec![delete, guard]).await?,
            }
        }
        self.delete_seen(alone).await.map(drop)
    }
}

impl Sweeping {
    /// Deletes the next batch and gives its keys, perhaps none; `None` after the last.
    pub async fn next_batch(&mut self) -> Result<Option<Vec<Key>>> {
        let _pass = self.store.inner.gate.enter()?;
        loop {
            match std::mem::replace(&mut self.stage, Stage::End) {
                Stage::Start => {
                    // Whatever the caller says: what is written from now on stays.
                    self.sweep.before = self.sweep.before.min(self.store.settled().await);
                    self.stage = Stage::Keys(self.store.inner.backing.heads());
                }
                Stage::Keys(mut heads) => {
                    self.find(heads.as_mut()).await?;
                    if !self.found.is_empty() {
                        self.stage = Stage::Keys(heads);
                        return self.delete().await.map(Some);
                    }
                    let met = std::mem::take(&mut self.met);
                    let orphans = self.store.orphans(met, self.sweep.before).await?;
                    self.stage = orphans.map_or(Stage::End, Stage::Orphans);
                }
                Stage::Orphans(mut orphans) => {
                    let Some(page) = orphans.next_page().await? else { return Ok(None) };
                    self.stage = Stage::Orphans(orphans);
                    if !page.is_empty() {
                        return self.store.delete_orphans(page).await.map(|()| Some(Vec::new()));
                    }
                }
                Stage::End => return Ok(None),
            }
        }
    }

    /// Fills the batch, as far as there are keys to delete.
    async fn find(&mut self, heads: &mut dyn Heads) -> Result<()> {
        while self.found.len() < self.sweep.batch {
            let Some((page, _)) = next_page(heads).await? else { break };
            page.iter().for_each(|seen| self.met.meet(&seen.meta));
            let (sweep, now) = (&self.sweep, self.store.now());
            self.found.extend(page.into_iter().filter(|seen| sweep.takes(seen, now)));
        }
        Ok(())
    }

    async fn delete(&mut self) -> Result<Vec<Key>> {
        let rest = self.found.split_off(self.sweep.batch.min(self.found.len()));
        let batch = std::mem::replace(&mut self.found, rest);
        let (logs, others): (Vec<_>, Vec<_>) = batch.into_iter().partition(|seen| seen.meta.kind == Kind::Log);
        let delete = |Seen { name, check, .. }: &Seen| Write {
            name: *name,
            change: Change::Delete,
            expect: Expect::Check(*check),
        };
        let mut deleted = self.store.delete_seen(others.iter().map(delete).collect()).await?.into_iter().peekable();
        let others = others.into_iter().filter(|seen| deleted.next_if_eq(&seen.name).is_some());
        let mut keys: Vec<Key> = others.map(|seen| seen.meta.key).collect();
        for Seen { name, check, meta } in logs {
            if self.store.delete_log(name, check).await? {
                keys.push(meta.key);
            }
        }
        Ok(keys)
    }
}
