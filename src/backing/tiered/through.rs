//! Writes that go to the back before they are acknowledged, and what becomes of the front's copies.

use std::sync::Arc;

use super::task::finishing;
use super::{
    BlobName, Change, Expect, JudgeFn, Mode, Outcome, Part, ReadPolicy, Tiers, UpdateFn, Write, WritePolicy, deletion,
    names_of, watched,
};
use crate::{env::BoxFut, error::Result};

/// A write under way: its names are marked.
pub(super) struct Begun {
    names: Vec<BlobName>,
    number: u64,
    /// Whether copies may be there that are wrong, whatever the write does.
    doubtful: bool,
}

impl Tiers {
    /// Marks the names. A front that outlives the process forgets its copies now: after a crash the marks are gone. Not
    /// where it may have what the back does not.
    pub(super) async fn begin(&self, names: Vec<BlobName>) -> Begun {
        let doubtful = !self.marks.of(&names).is_empty();
        let number = self.marks.set(&names);
        let begun = Begun { names, number, doubtful };
        if !self.writes_back() || !self.front.capability().persistent {
            return begun;
        }
        // It is tried again at the end.
        match self.forget(&begun.names).await {
            Ok(()) => {}
            Err(error) => self.tell(&error),
        }
        Begun { doubtful: true, ..begun }
    }

    fn forget(&self, names: &[BlobName]) -> BoxFut<'static, Result<()>> {
        let forgetting = self.front.commit(names.iter().copied().map(deletion).collect());
        Box::pin(async move { forgetting.await.map(drop) })
    }

    /// Makes the front have these changes, or forget its copies, and takes the marks away. If it can do neither they stay.
    pub(super) async fn end(&self, begun: Begun, changes: Option<Vec<Change>>) {
        let copied = match changes {
            Some(changes) if self.write != WritePolicy::Around => self.copy_changes(&begun.names, changes).await,
            _ => self.settle(&begun.names).await,
        };
        let settled = match copied {
            Ok(()) => Ok(()),
            Err(error) => {
                self.tell(&error);
                self.forget(&begun.names).await
            }
        };
        match settled {
            Ok(()) => self.marks.clear(&begun.names, begun.number),
            Err(error) => self.tell(&error),
        }
    }

    async fn copy_changes(&self, names: &[BlobName], changes: Vec<Change>) -> Result<()> {
        let write = |(name, change): (&BlobName, Change)| Write { name: *name, change, expect: Expect::Anything };
        self.front.commit(names.iter().zip(changes).map(write).collect()).await.map(drop)
    }

    /// What the back has is not known: the front forgets its copies, or gets new ones where reads look nowhere else.
    pub(super) async fn settle(&self, names: &[BlobName]) -> Result<()> {
        if self.read == ReadPolicy::FrontFirst || self.write == WritePolicy::Around {
            return self.forget(names).await;
        }
        let found = self.back.read(names.to_vec(), Part::All).await?;
        let changes = found.into_iter().map(|blob| blob.map_or(Change::Delete, Change::Put)).collect();
        self.copy_changes(names, changes).await
    }

    pub(super) async fn commit_through(self: Arc<Self>, writes: Vec<Write>) -> Result<Outcome> {
        let held = self.locks.lock_all(&names_of(&writes), Mode::Exclusive).await;
        finishing(async move {
            let _held = held;
            let changing = writes.iter().filter(|write| write.change != Change::Keep);
            let (names, changes) = changing.map(|write| (write.name, write.change.clone())).unzip();
            let mut begun = self.begin(names).await;
            let outcome = self.back.commit(writes).await;
            if let Ok(Outcome::Conflict(name)) = outcome
                && !begun.names.contains(&name)
            {
                // What was expected may come from a copy.
                begun.names.push(name);
            }
            let is_done = matches!(outcome, Ok(Outcome::Done(_)));
            self.end(begun, is_done.then_some(changes)).await;
            outcome
        })
        .await
    }

    pub(super) async fn update_through(self: Arc<Self>, name: BlobName, part: Part, f: UpdateFn) -> Result<()> {
        let held = self.locks.lock(name, Mode::Exclusive).await;
        finishing(async move {
            let _held = held;
            let begun = self.begin(vec![name]).await;
            let (f, last) = watched(f);
            let updated = self.back.update(name, part, f).await;
            match last() {
                // Nothing was written: a copy that was right still is.
                Some(Change::Keep) | None if !begun.doubtful => self.marks.clear(&begun.names, begun.number),
                Some(Change::Keep) | None => self.end(begun, None).await,
                Some(change) => self.end(begun, updated.is_ok().then(|| vec![change])).await,
            }
            updated
        })
        .await
    }

    pub(super) async fn set_aside_through(self: Arc<Self>, name: BlobName, is_damaged: JudgeFn) -> Result<bool> {
        self.clone().drain().await?;
        let held = self.locks.lock(name, Mode::Exclusive).await;
        finishing(async move {
            let _held = held;
            let begun = self.begin(vec![name]).await;
            let taken = self.back.set_aside(name, is_damaged).await;
            self.end(begun, None).await;
            taken
        })
        .await
    }
}
