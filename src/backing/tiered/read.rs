//! Reading: the front, then what waits for the back, then the back.

use std::sync::Arc;

use super::task::finishing;
use super::{Blob, Change, Expect, Mode, Outcome, Part, ReadPolicy, Tiers, Write, cut, distinct, near::alive};
use crate::{
    error::Result,
    name::{BlobName, NameTable},
};

/// So many bytes are copied at a time, about.
const COPIED: usize = 4 * 1024 * 1024;
/// So many blobs are copied at a time, at most.
const MOST_COPIED: usize = 128;

impl Tiers {
    pub(super) async fn read(self: Arc<Self>, names: Vec<BlobName>, part: Part) -> Result<Vec<Option<Blob>>> {
        let (mut found, marked) = self.look(&names, part).await?;
        let is_asked = |(name, blob): (&BlobName, &Option<Blob>)| {
            blob.is_none() && (self.read == ReadPolicy::FrontFirst || marked.contains(name))
        };
        let asked: Vec<bool> = names.iter().zip(&found).map(is_asked).collect();
        let missing: Vec<_> = names.iter().zip(&asked).filter(|(_, asked)| **asked).map(|(name, _)| *name).collect();
        if !missing.is_empty() {
            let mut fetched = self.fetch(missing, part).await?.into_iter();
            for (place, _) in found.iter_mut().zip(&asked).filter(|(_, asked)| **asked) {
                *place = fetched.next().flatten();
            }
        }
        Ok(found.into_iter().map(alive).collect())
    }

    /// What the front has of these names, and which of them are marked: those are not looked for.
    pub(super) async fn look(&self, names: &[BlobName], part: Part) -> Result<(Vec<Option<Blob>>, Vec<BlobName>)> {
        let marked = self.marks.of(names);
        let asked: Vec<_> = names.iter().filter(|name| !marked.contains(name)).copied().collect();
        let mut found = match self.front.read(asked, part).await {
            Ok(found) => found.into_iter(),
            Err(error) if self.front_is_truth() || self.read == ReadPolicy::FrontOnly => return Err(error),
            Err(error) => {
                self.tell(&error);
                Vec::new().into_iter()
            }
        };
        let mut next = |name| if marked.contains(name) { None } else { found.next().flatten() };
        Ok((names.iter().map(&mut next).collect(), marked))
    }

    /// What the back has or will have of these names; whole blobs are copied to the front. Who meets a mark that a writer
    /// left has the name alone, and takes the mark away if the front has the right copy then.
    async fn fetch(self: &Arc<Self>, names: Vec<BlobName>, part: Part) -> Result<Vec<Option<Blob>>> {
        let tiers = self.clone();
        let alone = !self.marks.of(&names).is_empty();
        let mode = if alone { Mode::Exclusive } else { Mode::Shared };
        let held = self.locks.lock_all(&distinct(&names), mode).await;
        finishing(async move {
            let _held = held;
            let number = tiers.marks.last();
            let found = tiers.behind(&names, part).await?;
            if part == Part::All {
                tiers.copy(&names, &found, alone.then_some(number)).await;
            }
            Ok(found)
        })
        .await
    }

    /// What the back has, or will have when what waits is there.
    pub(super) async fn behind(&self, names: &[BlobName], part: Part) -> Result<Vec<Option<Blob>>> {
        let waiting = self.queue.waiting(names);
        let asked = names.iter().zip(&waiting).filter(|(_, change)| change.is_none()).map(|(name, _)| *name).collect();
        let mut read = self.back.read(asked, part).await?.into_iter();
        let found = waiting.into_iter().map(|change| match change {
            None => read.next().flatten(),
            Some(Change::Put(blob)) => Some(cut(blob, part)),
            Some(Change::Keep | Change::Delete) => None,
        });
        Ok(found.collect())
    }

    /// Makes the front have what was found. Marks up to the number are taken away, by who has the names alone; others leave
    /// alone what is marked.
    async fn copy(&self, names: &[BlobName], found: &[Option<Blob>], number: Option<u64>) {
        let (marked, mut seen) = (self.marks.of(names), NameTable::default());
        let mut writes = Vec::new();
        for (name, blob) in names.iter().zip(found) {
            let is_marked = marked.contains(name);
            let change = match blob {
                _ if is_marked && number.is_none() => continue,
                Some(blob) => Change::Put(blob.clone()),
                None if is_marked => Change::Delete,
                None => continue,
            };
            if seen.insert(*name, 0).is_none() {
                writes.push(Write { name: *name, change, expect: Expect::Anything });
            }
        }
        if writes.is_empty() {
            return;
        }
        match (self.front.commit(writes).await, number) {
            (Ok(Outcome::Done(_)), Some(number)) => self.marks.clear(names, number),
            (Ok(_), _) => {}
            (Err(error), _) => self.tell(&error),
        }
    }

    /// Copies what the front does not have, in groups of bounded size.
    pub(super) async fn pull(self: Arc<Self>, names: Vec<BlobName>) -> Result<()> {
        self.back.pull(names.clone()).await?;
        let (found, _) = self.look(&names, Part::Head).await?;
        let missing: Vec<_> = names.into_iter().zip(found).filter(|(_, blob)| blob.is_none()).collect();
        let (mut rest, mut at_once) = (missing.as_slice(), 1);
        while !rest.is_empty() {
            let (some, later) = rest.split_at(at_once.min(rest.len()));
            let fetched = self.fetch(some.iter().map(|(name, _)| *name).collect(), Part::All).await?;
            let bytes: usize = fetched.iter().flatten().map(|blob| blob.value.len()).sum();
            at_once = if bytes > COPIED / 2 { 1 } else { (2 * at_once).min(MOST_COPIED) };
            rest = later;
        }
        Ok(())
    }
}
