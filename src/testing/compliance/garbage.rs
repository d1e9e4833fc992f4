//! Sweeping, and what it must spare. Stamps are what counts, and cases move them on: nothing here waits.

use super::{
    Case, case,
    check::{Verdict, ensure, refused, same},
    ground::{Ground, Hands},
    item::{int, key, text},
    logs::{append, append_all, counts, has_blobs},
    poll::all,
    talk::{holds, is_absent, keys, put, put_with},
};
use crate::{
    backing::{Blob, Change, Expect, Write},
    env::{BoxFut, stamp},
    error::{ErrorKind, Result},
    key::{Key, Path},
    store::{Query, Store, Sweep, WriteOptions},
};

pub(super) const CASES: &[Case] = &[
    case!(what_is_neither_kept_nor_young_is_swept),
    case!(an_empty_store_has_nothing_to_sweep),
    case!(what_was_written_at_the_time_or_after_it_stays),
    case!(what_is_written_after_the_sweep_began_stays),
    case!(a_sweep_goes_in_batches_and_may_stop),
    case!(a_batch_of_nothing_is_refused),
    case!(logs_are_swept_with_their_elements),
    case!(a_log_that_is_kept_stays_whole),
    case!(what_has_expired_is_swept),
    case!(orphans_are_told_and_swept),
    case!(what_a_crash_left_of_an_append_is_swept_once_its_log_is_gone),
    case!(where_something_is_damaged_no_element_is_swept),
    case!(writes_during_a_sweep_lose_nothing),
    case!(a_pointer_that_follows_its_values_never_points_to_what_was_swept),
];

/// A time after everything that was written so far, and not after what is written from now on.
pub(super) fn tick() -> u64 {
    let last = stamp(&Hands::at(0));
    stamp(&Hands::at(last + 1))
}

fn number(n: usize) -> Path {
    key(&format!("key {n:04}"))
}

async fn put_numbers(store: &Store, many: usize) -> Result<()> {
    let one = |n| Box::pin(async move { put(store, &number(n), &int(1)).await }) as BoxFut<'_, _>;
    all((0..many).map(one).collect()).await.into_iter().collect()
}

async fn swept(store: &Store, sweep: Sweep) -> Result<Vec<Key>> {
    let mut keys = store.sweep(sweep).await?;
    keys.sort_unstable();
    Ok(keys)
}

async fn listed(store: &Store) -> Result<Vec<Key>> {
    let mut keys = keys(store, Query::default()).await?;
    keys.sort_unstable();
    Ok(keys)
}

async fn what_is_neither_kept_nor_young_is_swept(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put_numbers(&store, 600).await?;
    let new = tick();
    put(&store, &number(3), &int(2)).await?;
    tick();
    let kept: Vec<Key> = (0..600).filter(|n| n % 5 == 0).map(|n| number(n).key).collect();
    let stays = |n: usize| n.is_multiple_of(5) || n == 3;
    let found = swept(&store, Sweep::before(new).keep(kept.clone())).await?;
    same("what was deleted", found, (0..600).filter(|n| !stays(*n)).map(|n| number(n).key).collect())?;
    let left: Vec<Key> = (0..600).filter(|n| stays(*n)).map(|n| number(n).key).collect();
    same("what is left", listed(&store).await?, left)?;
    same("what a second sweep deletes", swept(&store, Sweep::before(new).keep(kept)).await?, Vec::new())?;
    has_blobs(ground, 121).await
}

async fn an_empty_store_has_nothing_to_sweep(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    same("what was deleted", swept(&store, Sweep::before(u64::MAX)).await?, Vec::new())
}

async fn what_was_written_at_the_time_or_after_it_stays(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for n in 0..4 {
        tick();
        put(&store, &number(n), &int(1)).await?;
    }
    let before = super::talk::meta_of(&store, &number(2)).await?.last_write;
    tick();
    same("what was deleted", swept(&store, Sweep::before(before)).await?, vec![number(0).key, number(1).key])?;
    same("what is left", listed(&store).await?, vec![number(2).key, number(3).key])
}

async fn what_is_written_after_the_sweep_began_stays(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put_numbers(&store, 40).await?;
    tick();
    let mut sweeping = store.sweep_batches(Sweep::before(u64::MAX).batch_size(10)?);
    let mut deleted = sweeping.next_batch().await?.unwrap_or_default();
    same("the first batch", deleted.len(), 10)?;
    for n in 0..40 {
        put(&store, &number(n), &int(2)).await?;
    }
    put(&store, &key("new"), &int(2)).await?;
    while let Some(batch) = sweeping.next_batch().await? {
        deleted.extend(batch);
    }
    same("how many were deleted", deleted.len(), 10)?;
    same("how many are there", listed(&store).await?.len(), 41)?;
    holds(&store, &number(0), &int(2)).await
}

async fn a_sweep_goes_in_batches_and_may_stop(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put_numbers(&store, 600).await?;
    let new = tick();
    let mut sweeping = store.sweep_batches(Sweep::before(new).batch_size(250)?);
    same("the first batch", sweeping.next_batch().await?.map(|batch| batch.len()), Some(250))?;
    drop(sweeping);
    same("how many are left", listed(&store).await?.len(), 350)?;
    let mut sweeping = store.sweep_batches(Sweep::before(new).batch_size(250)?);
    for expected in [Some(250), Some(100), None, None] {
        same("the next batch", sweeping.next_batch().await?.map(|batch| batch.len()), expected)?;
    }
    same("how many are left", listed(&store).await?.len(), 0)
}

async fn a_batch_of_nothing_is_refused(ground: &Ground) -> Verdict {
    ground.open().await?;
    refused("the sweep", Sweep::before(1).batch_size(0), ErrorKind::InvalidConfig).map(drop)
}

async fn logs_are_swept_with_their_elements(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    append_all(&store, &key("old"), 0..300).await?;
    append_all(&store, &key("young"), 0..10).await?;
    let new = tick();
    append(&store, &key("young"), &int(10)).await?;
    tick();
    same("what was deleted", swept(&store, Sweep::before(new)).await?, vec![key("old").key])?;
    counts(&store, &key("young"), 0..11).await?;
    has_blobs(ground, 12).await
}

async fn a_log_that_is_kept_stays_whole(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    append_all(&store, &key("log"), 0..300).await?;
    let kept = Sweep::before(tick()).keep([key("log").key]);
    same("what was deleted", swept(&store, kept).await?, Vec::new())?;
    counts(&store, &key("log"), 0..300).await
}

async fn what_has_expired_is_swept(ground: &Ground) -> Verdict {
    let hands = Hands::at(1_000_000);
    let store = ground.open_with(ground.config().clock(hands.clone())).await?;
    let mortal = || WriteOptions::default().expires(2_000_000);
    put_with(&store, &key("k"), &int(1), mortal()).await?;
    store.append_cbor(key("log").key, int(1), mortal()).await?;
    put(&store, &key("stays"), &int(1)).await?;
    let sweep = || Sweep::before(0).keep([key("k").key]);
    hands.set(1_999_999);
    same("what was deleted before", swept(&store, sweep()).await?, Vec::new())?;
    hands.set(2_000_000);
    same("what was deleted", swept(&store, sweep()).await?, vec![key("k").key, key("log").key])?;
    has_blobs(ground, 1).await
}

/// Changes the blob of a key behind the store's back.
async fn change_blob(ground: &Ground, at: &Path, change: Change) -> Verdict {
    ground.leave().await?;
    let name = ground.name(&at.key);
    ground.backing().await?.commit(vec![Write { name, change, expect: Expect::Anything }]).await?;
    Ok(ground.leave().await?)
}

/// The head of the log in the place, which nobody has open then.
async fn head(ground: &Ground) -> Verdict<Blob> {
    ground.leave().await?;
    let head = super::damage::blob(ground.backing().await?.as_ref(), ground.name(&key("log").key)).await?;
    ground.leave().await?;
    Ok(head)
}

async fn orphans_are_told_and_swept(ground: &Ground) -> Verdict {
    let (store, old) = (ground.open().await?, tick());
    append_all(&store, &key("gone"), 0..300).await?;
    append_all(&store, &key("log"), 0..10).await?;
    tick();
    same("the orphans at first", store.verify(|_| {}).await?.orphans.len(), 0)?;
    change_blob(ground, &key("gone"), Change::Delete).await?;
    let (store, new) = (ground.reopen().await?, tick());
    same("the orphans", store.verify(|_| {}).await?.orphans.len(), 300)?;
    same("what a sweep of older things deletes", swept(&store, Sweep::before(old)).await?, Vec::new())?;
    same("the orphans after it", store.verify(|_| {}).await?.orphans.len(), 300)?;
    let kept = Sweep::before(new).keep([key("log").key]);
    same("what was deleted", swept(&store, kept).await?, Vec::new())?;
    counts(&store, &key("log"), 0..10).await?;
    same("the orphans at last", store.verify(|_| {}).await?.orphans.len(), 0)?;
    has_blobs(ground, 11).await
}

/// An element beyond the end of a log that goes on is no orphan: the next append overwrites it.
async fn what_a_crash_left_of_an_append_is_swept_once_its_log_is_gone(ground: &Ground) -> Verdict {
    append_all(&ground.open().await?, &key("log"), 0..3).await?;
    let head = head(ground).await?;
    append(&ground.reopen().await?, &key("log"), &text("lost")).await?;
    change_blob(ground, &key("log"), Change::Put(head)).await?;
    let store = ground.reopen().await?;
    let kept = Sweep::before(tick()).keep([key("log").key]);
    same("the orphans", store.verify(|_| {}).await?.orphans.len(), 0)?;
    same("what was deleted", swept(&store, kept).await?, Vec::new())?;
    counts(&store, &key("log"), 0..3).await?;
    same("what was deleted then", swept(&store, Sweep::before(tick())).await?, vec![key("log").key])?;
    same("the orphans then", store.verify(|_| {}).await?.orphans.len(), 0)?;
    has_blobs(ground, 0).await
}

async fn where_something_is_damaged_no_element_is_swept(ground: &Ground) -> Verdict {
    append_all(&ground.open().await?, &key("log"), 0..3).await?;
    let head = head(ground).await?;
    let mut bad = head.clone();
    bad.head = super::damage::flipped(&bad.head, bad.head.len() - 1);
    change_blob(ground, &key("log"), Change::Put(bad)).await?;
    let (store, new) = (ground.reopen().await?, tick());
    same("what was deleted", swept(&store, Sweep::before(new)).await?, Vec::new())?;
    change_blob(ground, &key("log"), Change::Put(head)).await?;
    counts(&ground.reopen().await?, &key("log"), 0..3).await
}

async fn writes_during_a_sweep_lose_nothing(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    put_numbers(store, 200).await?;
    append_all(store, &key("log"), 0..10).await?;
    tick();
    let sweep = Sweep::before(u64::MAX).batch_size(16)?;
    let mut calls: Vec<BoxFut<'_, Verdict>> =
        vec![Box::pin(async move { store.sweep(sweep).await.map(drop).map_err(Into::into) })];
    for n in 0..100 {
        calls.push(Box::pin(async move { Ok(put(store, &number(n), &int(2)).await?) }));
        calls.push(Box::pin(async move { Ok(append(store, &key("new log"), &text("e")).await?) }));
    }
    all(calls).await.into_iter().collect::<Verdict>()?;
    for n in 0..100 {
        holds(store, &number(n), &int(2)).await?;
    }
    same("the elements", super::logs::elements(store, &key("new log")).await?.len(), 100)?;
    is_absent(store, &number(150)).await?;
    counts(store, &key("log"), 0..0).await
}

/// A writer puts a value and then a pointer to it, while a sweeper follows the pointers and sweeps.
async fn a_pointer_that_follows_its_values_never_points_to_what_was_swept(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for guarded in [true, false] {
        put(&store, &key("garbage"), &int(1)).await?;
        tick();
        let writing = guarded.then(|| store.unreferenced_writes());
        put(&store, &key("value"), &int(1)).await?;
        tick();
        // The sweeper finds no pointer yet.
        store.sweep(Sweep::before(store.cutoff())).await?;
        put(&store, &key("pointer"), &text("value")).await?;
        drop(writing);
        is_absent(&store, &key("garbage")).await?;
        let found = store.get_cbor(&key("value")).await?;
        ensure(found.is_some() == guarded, "the value is there if its writer said what it was about to do")?;
        tick();
        store.sweep(Sweep::before(u64::MAX)).await?;
        same("what is left", listed(&store).await?, Vec::new())?;
    }
    let now = tick();
    ensure(store.cutoff() >= now, "who is done holds no sweep back")
}
