//! Writes that are acknowledged by the front alone: those that follow to the back later, and those that never do.

use std::sync::Arc;

use bytes::Bytes;

use super::task::{finishing, spawn};
use super::{
    Blob, BlobName, Change, Expect, Mode, Outcome, Part, Tiers, UpdateFn, Write, WritePolicy, names_of, queue::Room,
};
use crate::error::Result;

/// What the front has in place of a blob that was deleted there and is still in the back. Too short to be a blob.
const DELETED: &[u8] = b"konserve deleted";

/// A blob, unless it says that there is none.
pub(super) fn alive(blob: Option<Blob>) -> Option<Blob> {
    blob.filter(|blob| !is_deleted(&blob.head))
}

/// Whether this is the head of what stands for a deletion.
pub(super) fn is_deleted(head: &[u8]) -> bool {
    head == DELETED
}

impl Tiers {
    /// What there is, for a writer who has the names.
    async fn view(&self, names: &[BlobName], part: Part) -> Result<Vec<Option<Blob>>> {
        let (mut found, _) = match self.look(names, part).await {
            Err(error) if !self.front_is_truth() => {
                self.tell(&error);
                (vec![None; names.len()], Vec::new())
            }
            looked => looked?,
        };
        let missing: Vec<_> =
            names.iter().zip(&found).filter(|(_, blob)| blob.is_none()).map(|(name, _)| *name).collect();
        if !missing.is_empty() {
            let mut fetched = self.behind(&missing, part).await?.into_iter();
            for place in found.iter_mut().filter(|blob| blob.is_none()) {
                *place = fetched.next().flatten();
            }
        }
        Ok(found.into_iter().map(alive).collect())
    }

    pub(super) async fn commit_near(self: Arc<Self>, writes: Vec<Write>) -> Result<Outcome> {
        let names = names_of(&writes);
        let held = self.locks.lock_all(&names, Mode::Exclusive).await;
        let is_blind = |write: &Write| matches!(write.change, Change::Put(_)) && write.expect == Expect::Anything;
        let found =
            if writes.iter().all(is_blind) { vec![None; writes.len()] } else { self.view(&names, Part::Head).await? };
        let unmet = |(write, found): &(&Write, &Option<Blob>)| !meets(found.as_ref(), write.expect);
        if let Some((write, _)) = writes.iter().zip(&found).find(unmet) {
            return Ok(Outcome::Conflict(write.name));
        }
        let done = |(write, found): (&Write, &Option<Blob>)| write.change != Change::Delete || found.is_some();
        let outcome = Outcome::Done(writes.iter().zip(&found).map(done).collect());
        self.apply(held, writes).await?;
        Ok(outcome)
    }

    pub(super) async fn update_near(self: Arc<Self>, name: BlobName, part: Part, mut f: UpdateFn) -> Result<()> {
        let held = self.locks.lock(name, Mode::Exclusive).await;
        let found = self.view(&[name], part).await?.into_iter().next().flatten();
        let change = f(found.as_ref())?;
        self.apply(held, vec![Write { name, change, expect: Expect::Anything }]).await
    }

    /// Makes the changes, with the names held. They wait for room in the queue, if there is one; once they are in it they
    /// are made.
    async fn apply<H: crate::env::MaybeSend + 'static>(self: Arc<Self>, held: H, writes: Vec<Write>) -> Result<()> {
        let mut writes: Vec<_> = writes.into_iter().filter(|write| write.change != Change::Keep).collect();
        writes.iter_mut().for_each(|write| write.expect = Expect::Anything);
        if writes.is_empty() {
            return Ok(());
        }
        if self.write == WritePolicy::FrontOnly {
            return finishing(async move {
                let _held = held;
                self.note_deletions(&mut writes).await;
                self.front.commit(writes).await.map(drop)
            })
            .await;
        }
        while self.queue.push(&writes) == Room::Full {
            self.drain_some().await.map_err(|error| {
                error.noting("nothing was written, since the queue of writes to the back is full and the back fails")
            })?;
        }
        finishing(async move {
            let _held = held;
            self.clone().drain_later();
            let (names, changes) = writes.into_iter().map(|write| (write.name, write.change)).unzip();
            let begun = self.begin(names).await;
            self.end(begun, Some(changes)).await;
            Ok(())
        })
        .await
    }

    /// A deletion of what the back has is noted in the front, or it would be read there again.
    async fn note_deletions(&self, writes: &mut [Write]) {
        let deleted: Vec<_> =
            writes.iter().filter(|write| write.change == Change::Delete).map(|write| write.name).collect();
        if deleted.is_empty() {
            return;
        }
        // What cannot be read may be there.
        let there = self.back.read(deleted.clone(), Part::Head).await.unwrap_or_else(|_| Vec::new());
        let gone = |name| deleted.iter().zip(&there).any(|(deleted, blob)| *deleted == name && blob.is_none());
        for write in writes.iter_mut().filter(|write| write.change == Change::Delete && !gone(write.name)) {
            write.change = Change::Put(Blob { head: Bytes::from_static(DELETED), value: Bytes::new() });
        }
    }

    /// Has the queue emptied beside the caller, unless somebody does that already. Who meets an error stops: it is tried
    /// again at the next write, flush or close.
    fn drain_later(self: Arc<Self>) {
        if !self.queue.take_duty() {
            return;
        }
        let tiers = self.clone();
        let began = spawn(Box::pin(async move {
            while !tiers.queue.end_duty() {
                if tiers.drain_some().await.is_err() {
                    tiers.queue.give_up_duty();
                    break;
                }
            }
        }));
        if !began {
            self.queue.give_up_duty();
        }
    }
}

fn meets(found: Option<&Blob>, expect: Expect) -> bool {
    match expect {
        Expect::Anything => true,
        Expect::Absent => found.is_none(),
        Expect::Check(check) => found.and_then(Blob::check) == Some(check),
    }
}
