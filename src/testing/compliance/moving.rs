//! Export, import, copies, and taking what is damaged out of the way.

use bytes::Bytes;

use super::{
    Case, case,
    check::{Verdict, ensure, refused, same},
    damage::blob,
    ground::{Ground, Hands},
    item::{filled, int, key, object, text},
    talk::{holds, is_absent, put, put_with},
};
use crate::{
    backing::{Backing, Blob, Change, Expect, Part, Write},
    error::{ErrorKind, Result},
    key::Path,
    name::BlobName,
    store::{Existing, Import, Imported, Query, Store, WriteOptions},
};

pub(super) const CASES: &[Case] = &[
    case!(an_export_is_imported_whole),
    case!(an_export_of_nothing_is_imported),
    case!(the_same_store_is_exported_the_same),
    case!(existing_keys_are_refused_kept_or_replaced),
    case!(an_import_can_be_done_again),
    case!(an_import_that_breaks_off_keeps_what_came_before),
    case!(what_has_expired_is_not_moved),
    case!(a_damaged_blob_ends_an_export_and_is_named),
    case!(a_copy_has_values_and_metadata),
    case!(a_copy_refuses_keeps_or_replaces_existing_keys),
    case!(repair_sets_aside_what_is_damaged_and_nothing_else),
    case!(what_is_aside_does_not_come_back),
    case!(repair_sets_aside_again_what_is_damaged_again),
    case!(only_what_is_damaged_at_that_moment_is_set_aside),
];

const DAY: u64 = 86_400_000;

/// So many small values are two groups.
const SMALL: usize = 140;
/// With the larger ones.
const ALL: u64 = SMALL as u64 + 3;

/// Values of many sizes: several groups, and one that is a chunk of its own.
fn values() -> Vec<(Path, Bytes)> {
    let small = (0..SMALL).map(|n| (key(&n.to_string()), filled(n)));
    let large = [("large", 70_000), ("larger", 1_500_000)].map(|(name, len)| (key(name), filled(len)));
    small.chain(large).collect()
}

async fn full(ground: &Ground) -> Result<Store> {
    let store = ground.open().await?;
    for (at, value) in values() {
        put(&store, &at, &value).await?;
    }
    let options = WriteOptions::default().meta_cbor(&object(&[("by", text("Ada"))]))?.expires(u64::MAX);
    put_with(&store, &key("about"), &int(1), options).await?;
    Ok(store)
}

pub(super) async fn exported(store: &Store) -> Result<Vec<u8>> {
    let (mut export, mut all) = (store.export()?, Vec::new());
    while let Some(chunk) = export.next_chunk().await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

pub(super) async fn imported(store: &Store, export: &[u8], existing: Existing) -> Result<Imported> {
    let mut import: Import = store.import(existing)?;
    for chunk in export.chunks(10_007) {
        import.push(chunk).await?;
    }
    import.finish().await
}

/// That both stores hold the same, to the byte but for what depends on how a store writes.
async fn same_entries(store: &Store, other: &Store) -> Verdict {
    let (mut pages, mut count) = (store.list_entries(Query::default())?, 0);
    while let Some(page) = pages.next_page().await? {
        for (meta, value) in page {
            count += 1;
            holds(other, &meta.key.clone().into(), &value).await?;
            same("the metadata", other.meta(&meta.key).await?, Some(meta))?;
        }
    }
    same("how many entries there are", count, ALL)
}

async fn an_export_is_imported_whole(ground: &Ground) -> Verdict {
    let store = full(ground).await?;
    let export = exported(&store).await?;
    let other = ground.open_with(ground.other_config()).await?;
    let done = imported(&other, &export, Existing::Error).await?;
    same("what was done", done, Imported { imported: ALL, skipped: 0 })?;
    same_entries(&store, &other).await
}

async fn an_export_of_nothing_is_imported(ground: &Ground) -> Verdict {
    let export = exported(&ground.open().await?).await?;
    let other = ground.open_with(ground.other_config()).await?;
    same("what was done", imported(&other, &export, Existing::Error).await?, Imported::default())
}

async fn the_same_store_is_exported_the_same(ground: &Ground) -> Verdict {
    let store = full(ground).await?;
    let export = exported(&store).await?;
    ensure(export.starts_with(b"konserve-export1"), "an export begins with its name")?;
    ensure(exported(&store).await? == export, "two exports of what did not change are the same")?;
    ensure(exported(&ground.reopen().await?).await? == export, "another opening changes nothing")
}

/// A store of three keys, and one that has another value under one of them.
async fn clashing(ground: &Ground) -> Verdict<(Store, Store)> {
    let store = ground.open().await?;
    for name in ["a", "b", "c"] {
        put(&store, &key(name), &text("new")).await?;
    }
    let other = ground.open_with(ground.other_config()).await?;
    put(&other, &key("b"), &text("old")).await?;
    Ok((store, other))
}

async fn existing_keys_are_refused_kept_or_replaced(ground: &Ground) -> Verdict {
    let (from, store) = clashing(ground).await?;
    let export = exported(&from).await?;
    let error = refused("the import", imported(&store, &export, Existing::Error).await, ErrorKind::Conflict)?;
    same("the key of the error", error.key(), Some(key("b").key.as_cbor()))?;
    holds(&store, &key("b"), &text("old")).await?;
    let name = |at: &str| from.blob_name(&key(at).key);
    let (a, b, c) = (name("a")?, name("b")?, name("c")?);
    let before = [a, c].iter().filter(|other| **other < b).count();
    same("how many were put before it", other_len(&store).await?, 1 + before as u64)?;
    let kept = imported(&store, &export, Existing::Keep).await?;
    same("what was kept", kept, Imported { imported: 2 - before as u64, skipped: 1 + before as u64 })?;
    holds(&store, &key("b"), &text("old")).await?;
    holds(&store, &key("a"), &text("new")).await?;
    let replaced = imported(&store, &export, Existing::Replace).await?;
    same("what was replaced", replaced, Imported { imported: 3, skipped: 0 })?;
    holds(&store, &key("b"), &text("new")).await
}

async fn an_import_can_be_done_again(ground: &Ground) -> Verdict {
    let store = full(ground).await?;
    let export = exported(&store).await?;
    let other = ground.open_with(ground.other_config()).await?;
    let mut begun = other.import(Existing::Error)?;
    begun.push(export.get(..export.len() / 2).unwrap_or_default()).await?;
    let error = refused("an import that is cut short", begun.finish().await, ErrorKind::Corrupt)?;
    let put = other_len(&other).await?;
    ensure(put > 0 && put < ALL, "a part of it was put")?;
    ensure(error.message().contains(&format!("{put} entries were put")), "the error says how many")?;
    let done = imported(&other, &export, Existing::Error).await?;
    same("what was done", done, Imported { imported: ALL - put, skipped: put })?;
    same_entries(&store, &other).await
}

async fn other_len(store: &Store) -> Verdict<u64> {
    Ok(store.verify(|_| {}).await?.checked)
}

async fn an_import_that_breaks_off_keeps_what_came_before(ground: &Ground) -> Verdict {
    let store = full(ground).await?;
    let mut export = exported(&store).await?;
    let at = export.len() - 60;
    if let Some(byte) = export.get_mut(at) {
        *byte ^= 1;
    }
    let other = ground.open_with(ground.other_config()).await?;
    let error = refused("the import", imported(&other, &export, Existing::Error).await, ErrorKind::Corrupt)?;
    ensure(error.message().contains("entry 14"), "the error says where the damage is")?;
    let put = other_len(&other).await?;
    ensure(put >= ALL - 1, "all that came before is there")?;
    same("what is damaged of it", other.verify(|_| {}).await?.corrupt.len(), 0)
}

async fn what_has_expired_is_not_moved(ground: &Ground) -> Verdict {
    let clock = Hands::at(100 * DAY);
    let store = ground.open_with(ground.config().clock(clock.clone())).await?;
    let options = |days: u64| WriteOptions::default().expires(days * DAY);
    put_with(&store, &key("short"), &text("new"), options(101)).await?;
    put_with(&store, &key("long"), &text("new"), options(103)).await?;
    let export = exported(&store).await?;
    clock.set(102 * DAY);
    let later = exported(&store).await?;
    ensure(later.len() < export.len(), "what has expired is not exported")?;
    let other = ground.open_with(ground.other_config().clock(clock.clone())).await?;
    put(&other, &key("short"), &text("mine")).await?;
    put_with(&other, &key("long"), &text("expired"), options(101)).await?;
    let done = imported(&other, &export, Existing::Error).await?;
    same("what was imported", done, Imported { imported: 1, skipped: 1 })?;
    holds(&other, &key("short"), &text("mine")).await?;
    holds(&other, &key("long"), &text("new")).await?;
    let copied = store.copy_to(&other, Existing::Replace, |_| {}).await?;
    same("what was copied", copied, Imported { imported: 1, skipped: 1 })?;
    holds(&other, &key("short"), &text("mine")).await
}

async fn overwrite(backing: &dyn Backing, name: BlobName, change: impl FnOnce(&mut Blob)) -> Verdict {
    let mut changed = blob(backing, name).await?;
    change(&mut changed);
    let write = Write { name, change: Change::Put(changed), expect: Expect::Anything };
    backing.commit(vec![write]).await?;
    Ok(())
}

fn flip_value(blob: &mut Blob) {
    let flipped = blob.value.iter().enumerate().map(|(at, byte)| if at == 7 { byte ^ 1 } else { *byte });
    blob.value = flipped.collect();
}

/// A store of two values, one of them damaged behind its back.
async fn damaged(ground: &Ground) -> Verdict<Store> {
    let store = ground.open().await?;
    for name in ["bad", "good"] {
        put(&store, &key(name), &filled(3000)).await?;
    }
    ground.leave().await?;
    overwrite(ground.backing().await?.as_ref(), ground.name(&key("bad").key), flip_value).await?;
    Ok(ground.reopen().await?)
}

async fn a_damaged_blob_ends_an_export_and_is_named(ground: &Ground) -> Verdict {
    let store = damaged(ground).await?;
    let (mut export, mut told) = (store.export()?, None);
    while told.is_none() {
        told = match export.next_chunk().await {
            Ok(Some(_)) => None,
            end => Some(refused("the export", end, ground.damage())?),
        };
    }
    let key_of = told.as_ref().and_then(|error| error.key());
    same("the key of the error", key_of, Some(key("bad").key.as_cbor()))?;
    ensure(export.next_chunk().await?.is_none(), "an export that failed has ended")
}

async fn a_copy_has_values_and_metadata(ground: &Ground) -> Verdict {
    let store = full(ground).await?;
    let other = ground.open_with(ground.other_config()).await?;
    let mut told = Vec::new();
    let done = store.copy_to(&other, Existing::Error, |copied| told.push(copied)).await?;
    same("what was done", done, Imported { imported: ALL, skipped: 0 })?;
    ensure(told.is_sorted() && told.last() == Some(&ALL), "progress grows to the end")?;
    same_entries(&store, &other).await?;
    let again = store.copy_to(&other, Existing::Error, |_| {}).await?;
    same("what was done the second time", again, Imported { imported: 0, skipped: ALL })
}

async fn a_copy_refuses_keeps_or_replaces_existing_keys(ground: &Ground) -> Verdict {
    let (store, other) = clashing(ground).await?;
    refused("the copy", store.copy_to(&other, Existing::Error, |_| {}).await, ErrorKind::Conflict)?;
    store.copy_to(&other, Existing::Keep, |_| {}).await?;
    holds(&other, &key("a"), &text("new")).await?;
    holds(&other, &key("b"), &text("old")).await?;
    let done = store.copy_to(&other, Existing::Replace, |_| {}).await?;
    same("what was replaced", done, Imported { imported: 3, skipped: 0 })?;
    holds(&other, &key("b"), &text("new")).await
}

async fn repair_sets_aside_what_is_damaged_and_nothing_else(ground: &Ground) -> Verdict {
    let store = damaged(ground).await?;
    let report = store.verify(|_| {}).await?;
    same("what verify sets aside", report.corrupt.iter().filter(|found| found.set_aside).count(), 0)?;
    let report = store.repair(|_| {}).await?;
    let found: Vec<_> = report.corrupt.iter().map(|found| (found.name, found.set_aside)).collect();
    same("what repair found", (report.checked, found), (2, vec![(ground.name(&key("bad").key), true)]))?;
    is_absent(&store, &key("bad")).await?;
    holds(&store, &key("good"), &filled(3000)).await?;
    let again = store.repair(|_| {}).await?;
    same("what is damaged then", (again.checked, again.corrupt.len()), (1, 0))?;
    put(&store, &key("bad"), &int(1)).await?;
    holds(&store, &key("bad"), &int(1)).await
}

async fn what_is_aside_does_not_come_back(ground: &Ground) -> Verdict {
    damaged(ground).await?.repair(|_| {}).await?;
    let store = ground.reopen().await?;
    same("what is there", other_len(&store).await?, 1)?;
    is_absent(&store, &key("bad")).await?;
    ground.clear().await?;
    same("whether a store is left", ground.place().exists().await?, false)
}

async fn repair_sets_aside_again_what_is_damaged_again(ground: &Ground) -> Verdict {
    let store = damaged(ground).await?;
    store.repair(|_| {}).await?;
    put(&store, &key("bad"), &filled(10)).await?;
    ground.leave().await?;
    overwrite(ground.backing().await?.as_ref(), ground.name(&key("bad").key), flip_value).await?;
    let store = ground.reopen().await?;
    let report = store.repair(|_| {}).await?;
    same("what was set aside", report.corrupt.iter().filter(|found| found.set_aside).count(), 1)?;
    is_absent(&store, &key("bad")).await
}

async fn only_what_is_damaged_at_that_moment_is_set_aside(ground: &Ground) -> Verdict {
    put(&ground.open().await?, &key("k"), &filled(5000)).await?;
    ground.leave().await?;
    let (backing, name) = (ground.backing().await?, ground.name(&key("k").key));
    let whole = blob(backing.as_ref(), name).await?;
    let expected = whole.clone();
    let judge = Box::new(move |found: &Blob| *found != expected);
    same("whether it was taken", backing.set_aside(name, judge).await?, false)?;
    same("what is there", blob(backing.as_ref(), name).await?, whole)?;
    same("whether it was taken", backing.set_aside(name, Box::new(|_| true)).await?, true)?;
    same("what is there", backing.read(vec![name], Part::All).await?, vec![None])?;
    same("whether nothing was taken", backing.set_aside(name, Box::new(|_| true)).await?, false)
}
