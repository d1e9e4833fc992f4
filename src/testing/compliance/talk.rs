//! What cases say to a store, again and again.

use bytes::Bytes;

use super::{
    check::{Verdict, ensure, same, same_item},
    item::int,
    poll::{all, pause},
};
use crate::{
    cbor::{self, Head, Reader},
    env::{BoxFut, MaybeSend},
    error::{Error, ErrorKind, Result},
    key::{Key, Path},
    meta::Meta,
    store::{Answer, Query, Store, WriteOptions},
};

pub(super) async fn put(store: &Store, path: &Path, value: &Bytes) -> Result<()> {
    store.assoc_cbor(path.clone(), value.clone(), WriteOptions::default()).await
}

pub(super) async fn put_with(store: &Store, path: &Path, value: &Bytes, options: WriteOptions) -> Result<()> {
    store.assoc_cbor(path.clone(), value.clone(), options).await
}

pub(super) async fn remove(store: &Store, path: &Path) -> Result<bool> {
    store.dissoc_cbor(path.clone()).await
}

pub(super) async fn update<F>(store: &Store, path: &Path, f: F) -> Result<()>
where
    F: FnMut(Option<&[u8]>) -> Result<Answer> + MaybeSend + 'static,
{
    store.update_cbor(path.clone(), Box::new(f), WriteOptions::default()).await
}

/// Adds one to the number at a path; nothing counts as 0.
pub(super) async fn count(store: &Store, path: &Path) -> Result<()> {
    update(store, path, |old| Ok(Answer::Now(one_more(old)?))).await
}

/// The number after this one.
pub(super) fn one_more(old: Option<&[u8]>) -> Result<Bytes> {
    let n = match old.map(|old| Reader::new(old).head()) {
        None => 0,
        Some(Ok(Head::Positive(n))) => i64::try_from(n).unwrap_or(i64::MAX - 1),
        Some(_) => return Err(Error::new(ErrorKind::Backend, format!("no number: {}", shown(old)))),
    };
    Ok(int(n + 1))
}

fn shown(item: Option<&[u8]>) -> String {
    item.map_or_else(|| "nothing".to_owned(), cbor::diagnose)
}

/// Writes these one after the other, and reads meanwhile: that each read finds one of them whole.
pub(super) async fn reads_are_whole(writer: &Store, reader: &Store, path: &Path, written: &[Bytes]) -> Verdict {
    let mut calls: Vec<BoxFut<'_, Verdict>> = Vec::new();
    for value in written {
        calls.push(Box::pin(async move { Ok(put(writer, path, value).await?) }));
        for _ in 0..3 {
            calls.push(Box::pin(async move {
                pause().await;
                let found = reader.get_cbor(path).await?;
                ensure(found.is_some_and(|found| written.contains(&found)), "what is read is what was written whole")
            }));
        }
    }
    all(calls).await.into_iter().collect()
}

/// That exactly this is at the path.
pub(super) async fn holds(store: &Store, path: &Path, value: &Bytes) -> Verdict {
    let found = store.get_cbor(path).await?;
    same_item(&format!("the value at {}", described(path)), found.as_deref(), Some(value))
}

/// That nothing is at the path.
pub(super) async fn lacks(store: &Store, path: &Path) -> Verdict {
    let found = store.get_cbor(path).await?;
    same_item(&format!("the value at {}", described(path)), found.as_deref(), None)
}

/// That nothing at all says that the key is there.
pub(super) async fn is_absent(store: &Store, path: &Path) -> Verdict {
    lacks(store, path).await?;
    same("whether it exists", store.exists_key(&path.key).await?, false)?;
    same("its metadata", store.meta(&path.key).await?, None)?;
    same("whether it is listed", keys(store, Query::default()).await?.contains(&path.key), false)
}

fn described(path: &Path) -> String {
    let mut steps: Vec<_> = path.steps.iter().map(|step| cbor::diagnose(step)).collect();
    steps.insert(0, cbor::diagnose(path.key.as_cbor()).chars().take(40).collect());
    steps.join(" → ")
}

/// The metadata of what must be there.
pub(super) async fn meta_of(store: &Store, path: &Path) -> Verdict<Meta> {
    let found = store.meta(&path.key).await?;
    found.ok_or_else(|| super::check::Failure::new(format!("{} has no metadata", described(path))))
}

/// The keys that a listing gives, in its order.
pub(super) async fn keys(store: &Store, query: Query) -> Result<Vec<Key>> {
    let (mut keys, mut pages) = (Vec::new(), store.list_keys(query)?);
    while let Some(page) = pages.next_page().await? {
        keys.extend(page.into_iter().map(|meta| meta.key));
    }
    Ok(keys)
}

/// The keys and values that a listing gives, by key.
pub(super) async fn entries(store: &Store, query: Query) -> Result<Vec<(Key, Bytes)>> {
    let (mut entries, mut pages) = (Vec::new(), store.list_entries(query)?);
    while let Some(page) = pages.next_page().await? {
        entries.extend(page.into_iter().map(|(meta, value)| (meta.key, value)));
    }
    entries.sort_unstable();
    Ok(entries)
}
