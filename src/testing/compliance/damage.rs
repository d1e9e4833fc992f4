//! Blobs that were changed behind the store's back: told, never read as another value.

use bytes::Bytes;

use super::{
    Case, case,
    check::{Failure, Verdict, ensure, refused, same},
    ground::Ground,
    item::{filled, int, key},
    talk::{count, holds, is_absent, put, remove},
};
use crate::{
    backing::{Backing, Blob, Change, Expect, Outcome, Part, RecordCopy, Write},
    error::ErrorKind,
    key::Path,
    name::BlobName,
    store::{Query, Store, connect_store, create_store, open_store, store_exists},
};

pub(super) const CASES: &[Case] = &[
    case!(a_sound_store_is_verified_whole),
    case!(a_damaged_value_is_told_and_the_rest_is_read),
    case!(a_damaged_head_is_told_and_the_rest_is_read),
    case!(a_value_that_was_cut_short_is_told),
    case!(a_head_that_was_cut_short_is_told),
    case!(the_blob_of_another_key_is_told),
    case!(damage_is_listed_after_the_rest),
    case!(damage_is_found_by_verify),
    case!(what_is_damaged_can_be_deleted),
    case!(what_is_damaged_can_be_replaced),
    case!(an_update_of_a_damaged_value_is_refused),
    case!(a_damaged_record_is_told),
    case!(blobs_without_a_record_are_no_new_store),
];

fn names() -> [(Path, Bytes); 3] {
    [("bad", 3000), ("good", 3000), ("small", 10)].map(|(name, size)| (key(name), filled(size)))
}

pub(super) async fn blob(backing: &dyn Backing, name: BlobName) -> Verdict<Blob> {
    let found = backing.read(vec![name], Part::All).await?.into_iter().next().flatten();
    found.ok_or_else(|| Failure::new(format!("the blob {name} is not there")))
}

async fn overwrite(backing: &dyn Backing, name: BlobName, blob: Blob) -> Verdict {
    let write = Write { name, change: Change::Put(blob), expect: Expect::Anything };
    same("the commit", backing.commit(vec![write]).await?, Outcome::Done(vec![true]))
}

/// A store of three values, one of which was changed behind its back.
pub(super) async fn damaged(ground: &Ground, change: impl FnOnce(&mut Blob)) -> Verdict<Store> {
    let store = ground.open().await?;
    for (at, value) in names() {
        put(&store, &at, &value).await?;
    }
    ground.leave().await?;
    let backing = ground.backing().await?;
    let name = ground.name(&key("bad").key);
    let mut bad = blob(backing.as_ref(), name).await?;
    change(&mut bad);
    overwrite(backing.as_ref(), name, bad).await?;
    Ok(ground.reopen().await?)
}

pub(super) fn flipped(bytes: &Bytes, at: usize) -> Bytes {
    bytes.iter().enumerate().map(|(n, byte)| if n == at { byte ^ 0x10 } else { *byte }).collect()
}

async fn only_bad_is_told(ground: &Ground, store: &Store) -> Verdict {
    let error = refused("reading it", store.get_cbor(&key("bad")).await, ground.damage())?;
    same("the key of the error", error.key(), Some(key("bad").key.as_cbor()))?;
    for (at, value) in names().iter().filter(|(at, _)| *at != key("bad")) {
        holds(store, at, value).await?;
    }
    let report = store.verify(|_| {}).await?;
    let corrupt: Vec<_> = report.corrupt.iter().map(|damaged| (damaged.name, damaged.error.kind())).collect();
    let expected = vec![(ground.name(&key("bad").key), ground.damage())];
    same("what verify found", (report.checked, corrupt), (3, expected))
}

async fn a_sound_store_is_verified_whole(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for n in 0..300 {
        put(&store, &key(&n.to_string()), &int(n)).await?;
    }
    let mut told = Vec::new();
    let report = store.verify(|checked| told.push(checked)).await?;
    same("how many were checked, and were damaged", (report.checked, report.corrupt.len()), (300, 0))?;
    ensure(told.is_sorted(), "progress only grows")?;
    same("the last progress told", told.last(), Some(&300))
}

async fn a_damaged_value_is_told_and_the_rest_is_read(ground: &Ground) -> Verdict {
    only_bad_is_told(ground, &damaged(ground, |blob| blob.value = flipped(&blob.value, 1500)).await?).await
}

async fn a_damaged_head_is_told_and_the_rest_is_read(ground: &Ground) -> Verdict {
    let store = damaged(ground, |blob| blob.head = flipped(&blob.head, 40)).await?;
    only_bad_is_told(ground, &store).await?;
    refused("its metadata", store.meta(&key("bad").key).await, ground.damage()).map(drop)
}

async fn a_value_that_was_cut_short_is_told(ground: &Ground) -> Verdict {
    only_bad_is_told(ground, &damaged(ground, |blob| blob.value.truncate(2999)).await?).await
}

async fn a_head_that_was_cut_short_is_told(ground: &Ground) -> Verdict {
    let cut = |blob: &mut Blob| *blob = Blob { head: blob.head.slice(..15), value: Bytes::new() };
    only_bad_is_told(ground, &damaged(ground, cut).await?).await
}

async fn the_blob_of_another_key_is_told(ground: &Ground) -> Verdict {
    let store = ground.open_with(ground.other_config()).await?;
    put(&store, &key("other"), &filled(3000)).await?;
    let name = store.blob_name(&key("other").key)?;
    store.close().await?;
    let backing = ground.other_config().place().open(false).await?;
    let other = blob(backing.as_ref(), name).await;
    backing.close().await?;
    let other = other?;
    only_bad_is_told(ground, &damaged(ground, |blob| *blob = other).await?).await
}

async fn damage_is_listed_after_the_rest(ground: &Ground) -> Verdict {
    let store = damaged(ground, |blob| blob.head = flipped(&blob.head, 40)).await?;
    let (mut found, mut pages) = (0, store.list_keys(Query::default())?);
    let error = loop {
        match pages.next_page().await {
            Ok(Some(page)) => found += page.len(),
            end => break refused("the end of the listing", end, ground.damage())?,
        }
    };
    same("how many keys came before", found, 2)?;
    let named = error.message().contains(&ground.name(&key("bad").key).to_string());
    ensure(named, "the error names the damaged blob")?;
    ensure(pages.next_page().await?.is_none(), "a listing that failed has ended")?;
    let (mut found, mut pages) = (0, store.list_entries(Query::default())?);
    while let Ok(Some(page)) = pages.next_page().await {
        found += page.len();
    }
    same("how many entries there were", found, 2)
}

async fn damage_is_found_by_verify(ground: &Ground) -> Verdict {
    let store = damaged(ground, |blob| blob.value = flipped(&blob.value, 0)).await?;
    let (mut found, mut pages) = (0, store.list_entries(Query::default())?);
    let end = loop {
        match pages.next_page().await {
            Ok(Some(page)) => found += page.len(),
            end => break end,
        }
    };
    refused("the end of the listing of entries", end, ground.damage())?;
    same("how many entries came before", found, 2)?;
    drop(pages);
    only_bad_is_told(ground, &store).await
}

async fn what_is_damaged_can_be_deleted(ground: &Ground) -> Verdict {
    let store = damaged(ground, |blob| blob.head = flipped(&blob.head, 12)).await?;
    same("whether it was there", remove(&store, &key("bad")).await?, true)?;
    is_absent(&store, &key("bad")).await?;
    same("what is damaged", store.verify(|_| {}).await?.corrupt.len(), 0)
}

async fn what_is_damaged_can_be_replaced(ground: &Ground) -> Verdict {
    let store = damaged(ground, |blob| blob.value.clear()).await?;
    put(&store, &key("bad"), &int(1)).await?;
    holds(&store, &key("bad"), &int(1)).await?;
    same("what is damaged", store.verify(|_| {}).await?.corrupt.len(), 0)
}

async fn an_update_of_a_damaged_value_is_refused(ground: &Ground) -> Verdict {
    let store = damaged(ground, |blob| blob.value = flipped(&blob.value, 7)).await?;
    refused("the update", count(&store, &key("bad")).await, ground.damage())?;
    only_bad_is_told(ground, &store).await
}

async fn a_damaged_record_is_told(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    same("whether there was no record", backing.put_record(RecordCopy::First, None, filled(100)).await?, true)?;
    ground.leave().await?;
    refused("connecting", connect_store(ground.config()).await, ErrorKind::Corrupt)?;
    refused("opening", open_store(ground.config()).await, ErrorKind::Corrupt)?;
    refused("creating", create_store(ground.config()).await, ErrorKind::StoreExists).map(drop)
}

async fn blobs_without_a_record_are_no_new_store(ground: &Ground) -> Verdict {
    let store = ground.open_with(ground.other_config()).await?;
    put(&store, &key("k"), &int(1)).await?;
    store.close().await?;
    let name = store.blob_name(&key("k").key)?;
    let backing = ground.other_config().place().open(false).await?;
    let taken = blob(backing.as_ref(), name).await;
    backing.close().await?;
    overwrite(ground.backing().await?.as_ref(), name, taken?).await?;
    ground.leave().await?;
    same("whether a store is there", store_exists(ground.config()).await?, true)?;
    refused("connecting", connect_store(ground.config()).await, ErrorKind::Corrupt)?;
    refused("opening", open_store(ground.config()).await, ErrorKind::Corrupt)?;
    refused("creating", create_store(ground.config()).await, ErrorKind::StoreExists)?;
    // What was not touched is still there.
    blob(ground.backing().await?.as_ref(), name).await.map(drop)
}
