//! Moving binaries that are longer than what a store holds in memory. Where the backing does not stream there are none:
//! then they are refused, with their key, before anything of them is written.

use bytes::Bytes;

use super::{
    Case,
    binaries::{some, stream},
    case,
    check::{Verdict, ensure, refused, same},
    ground::Ground,
    hooks::Told,
    item::{filled, int, key},
    moving::{exported, imported},
    talk::{holds, is_absent, put},
};
use crate::{
    error::{ErrorKind, Result},
    key::Path,
    store::{Config, Detail, Existing, Imported, Op, Store},
};

pub(super) const CASES: &[Case] = &[
    case!(a_binary_longer_than_the_limit_is_exported_and_imported),
    case!(a_binary_longer_than_the_limit_is_copied),
    case!(a_long_binary_is_refused_kept_or_replaced_where_its_key_exists),
    case!(a_long_binary_that_was_changed_on_its_way_is_not_imported),
    case!(a_long_binary_that_is_cut_short_is_not_imported),
    case!(what_is_too_long_to_be_held_is_refused_with_its_key),
];

const LIMIT: u64 = 1000;
const LEN: usize = 700_001;

fn limited(config: Config) -> Config {
    config.max_value_len(LIMIT)
}

fn two() -> Imported {
    Imported { imported: 2, skipped: 0 }
}

/// A store with a long binary and a small value, and the limit that other stores have; nothing where none can be.
async fn long(ground: &Ground) -> Verdict<Option<Store>> {
    let streams = ground.backing().await?.capability().streams;
    ground.leave().await?;
    if !streams {
        return Ok(None);
    }
    let store = ground.open_with(limited(ground.config())).await?;
    stream(&store, &key("long"), &some(LEN), 64 * 1024).await?;
    put(&store, &key("small"), &int(1)).await?;
    Ok(Some(store))
}

async fn other(ground: &Ground) -> Result<Store> {
    ground.open_with(limited(ground.other_config())).await
}

/// That it holds both, the long one with the same metadata.
async fn has_both(store: &Store, other: &Store) -> Verdict {
    holds(other, &key("small"), &int(1)).await?;
    let at = key("long").key;
    same("the metadata", other.meta(&at).await?, store.meta(&at).await?)?;
    same("the bytes", read(other, &key("long")).await? == Some(some(LEN)), true)
}

async fn read(store: &Store, at: &Path) -> Result<Option<Bytes>> {
    let Some(mut reader) = store.read_binary(&at.key).await? else { return Ok(None) };
    let mut bytes = Vec::new();
    while let Some(piece) = reader.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(Some(bytes.into()))
}

async fn a_binary_longer_than_the_limit_is_exported_and_imported(ground: &Ground) -> Verdict {
    let Some(store) = long(ground).await? else { return Ok(()) };
    let export = exported(&store).await?;
    let (other, told) = (other(ground).await?, Told::default());
    told.listen(&other, "test", Detail::Keys)?;
    same("what was done", imported(&other, &export, Existing::Error).await?, two())?;
    let mut keys: Vec<_> = told.take().into_iter().flat_map(|event| event.keys).collect();
    keys.sort_unstable();
    same("what was told", keys, vec![key("long").key, key("small").key])?;
    has_both(&store, &other).await?;
    ensure(exported(&other).await?.len() == export.len(), "the export of the import is as long")?;
    let again = imported(&other, &export, Existing::Error).await?;
    same("what was done again", again, Imported { imported: 0, skipped: 2 })?;
    same("what was told", told.take(), Vec::new())
}

async fn a_binary_longer_than_the_limit_is_copied(ground: &Ground) -> Verdict {
    let Some(store) = long(ground).await? else { return Ok(()) };
    let (other, told) = (other(ground).await?, Told::default());
    told.listen(&other, "test", Detail::Keys)?;
    same("what was done", store.copy_to(&other, Existing::Error, |_| {}).await?, two())?;
    ensure(told.take().iter().all(|event| event.op == Op::Import), "a copy is told as an import")?;
    has_both(&store, &other).await?;
    let again = store.copy_to(&other, Existing::Error, |_| {}).await?;
    same("what was done again", again, Imported { imported: 0, skipped: 2 })
}

async fn a_long_binary_is_refused_kept_or_replaced_where_its_key_exists(ground: &Ground) -> Verdict {
    let Some(store) = long(ground).await? else { return Ok(()) };
    let (export, other) = (exported(&store).await?, other(ground).await?);
    put(&other, &key("long"), &int(2)).await?;
    let refusal = refused("the import", imported(&other, &export, Existing::Error).await, ErrorKind::Conflict)?;
    same("the key of the error", refusal.key(), Some(key("long").key.as_cbor()))?;
    refused("the copy", store.copy_to(&other, Existing::Error, |_| {}).await, ErrorKind::Conflict)?;
    imported(&other, &export, Existing::Keep).await?;
    store.copy_to(&other, Existing::Keep, |_| {}).await?;
    holds(&other, &key("long"), &int(2)).await?;
    imported(&other, &export, Existing::Replace).await?;
    has_both(&store, &other).await
}

async fn a_long_binary_that_was_changed_on_its_way_is_not_imported(ground: &Ground) -> Verdict {
    let Some(store) = long(ground).await? else { return Ok(()) };
    let mut export = exported(&store).await?;
    let piece = some(LEN).slice(LEN - 50..);
    let place = export.windows(50).position(|window| *window == *piece).unwrap_or_default();
    if let Some(byte) = export.get_mut(place) {
        *byte ^= 1;
    }
    let other = other(ground).await?;
    refused("the import", imported(&other, &export, Existing::Error).await, ErrorKind::Corrupt)?;
    is_absent(&other, &key("long")).await
}

async fn a_long_binary_that_is_cut_short_is_not_imported(ground: &Ground) -> Verdict {
    let Some(store) = long(ground).await? else { return Ok(()) };
    let export = exported(&store).await?;
    let other = other(ground).await?;
    for len in [export.len() / 2, LEN / 3] {
        let part = export.get(..len).unwrap_or_default();
        refused("the import", imported(&other, part, Existing::Error).await, ErrorKind::Corrupt)?;
        is_absent(&other, &key("long")).await?;
    }
    same("what was done", imported(&other, &export, Existing::Error).await?.imported >= 1, true)?;
    has_both(&store, &other).await
}

/// A value is decoded whole, also where the backing streams.
async fn what_is_too_long_to_be_held_is_refused_with_its_key(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("value"), &filled(5000)).await?;
    let (export, other) = (exported(&store).await?, other(ground).await?);
    let import = imported(&other, &export, Existing::Error).await;
    let copy = store.copy_to(&other, Existing::Error, |_| {}).await;
    for failing in [import, copy] {
        let refusal = refused("moving it", failing, ErrorKind::LimitExceeded)?;
        same("the key of the error", refusal.key(), Some(key("value").key.as_cbor()))?;
    }
    is_absent(&other, &key("value")).await
}
