//! Several writes in one commit: all of them or none.

use super::{
    Case, Need,
    backing::{blob, heads, is, name, put},
    case,
    check::{Verdict, same},
    ground::Ground,
    poll::all,
};
use crate::{
    backing::{Change, Expect, Outcome, Write},
    error::Result,
};

pub(super) const CASES: &[Case] = &[
    case!(a_batch_is_done_whole).needs(Need::AtomicBatches),
    case!(a_conflict_in_a_batch_changes_nothing).needs(Need::AtomicBatches),
    case!(a_batch_says_for_each_delete_whether_something_was_there).needs(Need::AtomicBatches),
    case!(a_batch_holds_thousands_of_writes).needs(Need::AtomicBatches),
    case!(a_batch_holds_small_and_large_blobs).needs(Need::AtomicBatches),
    case!(batches_at_once_are_one_after_another).needs(Need::AtomicBatches),
];

fn write(n: u64, change: Change, expect: Expect) -> Write {
    Write { name: name(n), change, expect }
}

fn putting(n: u64) -> Write {
    write(n, Change::Put(blob(n, 10, 10)), Expect::Anything)
}

/// That the blob of this number has the check that it was made with.
fn checked(n: u64) -> Expect {
    blob(n, 0, 0).check().map_or(Expect::Absent, Expect::Check)
}

async fn a_batch_is_done_whole(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    put(backing.as_ref(), 1, blob(1, 10, 10)).await?;
    put(backing.as_ref(), 2, blob(2, 10, 10)).await?;
    let batch = vec![
        write(1, Change::Put(blob(9, 10, 5000)), checked(1)),
        write(2, Change::Delete, checked(2)),
        write(3, Change::Put(blob(3, 10, 10)), Expect::Absent),
        write(4, Change::Keep, Expect::Absent),
    ];
    same("the commit", backing.commit(batch).await?, Outcome::Done(vec![true; 4]))?;
    is(backing.as_ref(), 1, Some(&blob(9, 10, 5000))).await?;
    is(backing.as_ref(), 2, None).await?;
    is(backing.as_ref(), 3, Some(&blob(3, 10, 10))).await?;
    is(backing.as_ref(), 4, None).await
}

async fn a_conflict_in_a_batch_changes_nothing(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    put(backing.as_ref(), 1, blob(1, 10, 10)).await?;
    put(backing.as_ref(), 2, blob(2, 10, 5000)).await?;
    let wrong = [
        write(1, Change::Keep, checked(7)),
        write(1, Change::Put(blob(8, 10, 10)), Expect::Absent),
        write(5, Change::Delete, checked(5)),
    ];
    for wrong in wrong {
        let conflict = Outcome::Conflict(wrong.name);
        let batch = vec![putting(0), write(2, Change::Delete, Expect::Anything), wrong, putting(9)];
        same("the commit", backing.commit(batch).await?, conflict)?;
        is(backing.as_ref(), 0, None).await?;
        is(backing.as_ref(), 1, Some(&blob(1, 10, 10))).await?;
        is(backing.as_ref(), 2, Some(&blob(2, 10, 5000))).await?;
        is(backing.as_ref(), 9, None).await?;
    }
    Ok(())
}

async fn a_batch_says_for_each_delete_whether_something_was_there(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    for n in [1, 3] {
        put(backing.as_ref(), n, blob(n, 10, 10)).await?;
    }
    let batch = (0..5).map(|n| write(n, Change::Delete, Expect::Anything)).collect();
    let expected = Outcome::Done(vec![false, true, false, true, false]);
    same("the commit", backing.commit(batch).await?, expected)?;
    same("the heads", heads(backing.as_ref()).await?, Vec::new())
}

async fn a_batch_holds_thousands_of_writes(ground: &Ground) -> Verdict {
    const MANY: u64 = 5000;
    let backing = ground.backing().await?;
    let done = backing.commit((0..MANY).map(putting).collect()).await?;
    same("the commit", done == Outcome::Done(vec![true; 5000]), true)?;
    same("how many heads there are", heads(backing.as_ref()).await?.len(), 5000)?;
    for n in [0, 1, 2500, MANY - 1] {
        is(backing.as_ref(), n, Some(&blob(n, 10, 10))).await?;
    }
    Ok(())
}

async fn a_batch_holds_small_and_large_blobs(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    let blobs: Vec<_> = (0..).zip([10, 1_200_000, 5000, 0, 2_000_000]).map(|(n, size)| blob(n, 10, size)).collect();
    let batch = (0..).zip(&blobs).map(|(n, blob)| write(n, Change::Put(blob.clone()), Expect::Absent));
    same("the commit", backing.commit(batch.collect()).await?, Outcome::Done(vec![true; 5]))?;
    for (n, blob) in (0..).zip(&blobs) {
        is(backing.as_ref(), n, Some(blob)).await?;
    }
    Ok(())
}

async fn batches_at_once_are_one_after_another(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    let batch = |n: u64| (0..10).map(|name| write(name, Change::Put(blob(n, 10, 10)), Expect::Anything)).collect();
    let outcomes = all((1..=20).map(|n| backing.commit(batch(n))).collect()).await;
    outcomes.into_iter().collect::<Result<Vec<_>>>()?;
    let found = heads(backing.as_ref()).await?;
    let first = found.first().map(|(_, head)| head.clone());
    same("how many blobs there are", found.len(), 10)?;
    same("whether all are of one batch", found.iter().all(|(_, head)| Some(head) == first.as_ref()), true)
}
