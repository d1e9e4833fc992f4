//! Listing keys and entries.

use std::slice::from_ref;

use bytes::Bytes;

use super::{
    Case, case,
    check::{Verdict, ensure, refused, same},
    ground::Ground,
    item::{array, filled, float, int, key, null, object, path, set, text},
    poll::all,
    talk::{entries, keys, meta_of, put, put_with, remove},
};
use crate::{
    env::BoxFut,
    error::{ErrorKind, Result},
    key::{Key, Path},
    meta::Kind,
    store::{Prefix, Query, Store, WriteOptions},
};

pub(super) const CASES: &[Case] = &[
    case!(a_new_store_lists_nothing),
    case!(every_key_is_listed_once),
    case!(every_entry_is_listed_with_its_value),
    case!(a_listing_of_keys_tells_their_metadata),
    case!(deleted_keys_are_not_listed),
    case!(listings_are_by_prefix_of_texts),
    case!(listings_are_by_first_elements_of_arrays),
    case!(what_is_no_prefix_is_refused),
    case!(listings_are_by_kind),
    case!(large_entries_are_listed_whole),
    case!(what_stays_is_listed_once_while_others_come_and_go),
    case!(a_listing_outlives_the_deletion_of_everything),
];

/// More than any backing lists in one page.
const MANY: i64 = 600;

fn number(n: i64) -> Path {
    key(&format!("key {n:04}"))
}

/// Puts this many numbers, each at its own key.
async fn put_numbers(store: &Store, many: i64) -> Result<()> {
    let put = |n: i64| Box::pin(async move { put(store, &number(n), &int(n)).await });
    let calls: Vec<BoxFut<'_, Result<()>>> = (0..many).map(|n| put(n) as _).collect();
    all(calls).await.into_iter().collect()
}

fn sorted(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort_unstable();
    keys
}

async fn a_new_store_lists_nothing(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let mut pages = store.list_keys(Query::default())?;
    for _ in 0..3 {
        ensure(pages.next_page().await?.is_none(), "a listing that ended stays ended")?;
    }
    drop(pages);
    same("the entries", entries(&store, Query::default()).await?, Vec::new())
}

async fn every_key_is_listed_once(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put_numbers(&store, MANY).await?;
    let expected: Vec<_> = (0..MANY).map(|n| number(n).key).collect();
    same("the keys", sorted(keys(&store, Query::default()).await?), expected.clone())?;
    let store = ground.reopen().await?;
    same("the keys of the store opened again", sorted(keys(&store, Query::default()).await?), expected)
}

async fn every_entry_is_listed_with_its_value(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put_numbers(&store, 300).await?;
    let mut expected: Vec<_> = (0..300).map(|n| (number(n).key, int(n))).collect();
    expected.sort_unstable();
    same("the entries", entries(&store, Query::default()).await?, expected)
}

async fn a_listing_of_keys_tells_their_metadata(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let options = WriteOptions::default().meta_cbor(&object(&[("by", text("ada"))]))?;
    put_with(&store, &key("k"), &filled(5000), options).await?;
    let expected = meta_of(&store, &key("k")).await?;
    let found = store.list_keys(Query::default())?.next_page().await?;
    same("the listing", found, Some(vec![expected]))
}

async fn deleted_keys_are_not_listed(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put_numbers(&store, 20).await?;
    for n in (0..20).filter(|n| n % 2 == 0) {
        remove(&store, &number(n)).await?;
    }
    let expected: Vec<_> = (0..20).filter(|n| n % 2 == 1).map(|n| number(n).key).collect();
    same("the keys", sorted(keys(&store, Query::default()).await?), expected)
}

/// The keys that a listing by this prefix gives.
async fn by_prefix(store: &Store, prefix: &Bytes) -> Verdict<Vec<Key>> {
    let query = Query { prefix: Some(Prefix::from_cbor(prefix)?), ..Query::default() };
    Ok(sorted(keys(store, query).await?))
}

fn all_keys(items: &[Bytes]) -> Verdict<Vec<Key>> {
    let mut keys = Vec::new();
    for item in items {
        keys.push(Key::from_cbor(item)?);
    }
    Ok(sorted(keys))
}

async fn listings_are_by_prefix_of_texts(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let texts = ["", "user", "user/1", "user/2", "users", "use", "User/1", "ü"].map(text);
    for item in texts.iter().chain(&[array(&[text("user")]), int(1), null()]) {
        put(&store, &path(from_ref(item))?, &int(1)).await?;
    }
    let expected = all_keys(&["user", "user/1", "user/2", "users"].map(text))?;
    same("those that begin with user", by_prefix(&store, &text("user")).await?, expected)?;
    same("those that begin with user/", by_prefix(&store, &text("user/")).await?.len(), 2)?;
    same("all texts", by_prefix(&store, &text("")).await?, all_keys(&texts)?)?;
    same("those that begin otherwise", by_prefix(&store, &text("nobody")).await?, Vec::new())
}

async fn listings_are_by_first_elements_of_arrays(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let arrays = [
        array(&[]),
        array(&[text("user")]),
        array(&[text("user"), int(1)]),
        array(&[text("user"), int(1), text("name")]),
        array(&[text("user"), int(2)]),
        array(&[text("users"), int(1)]),
    ];
    for item in arrays.iter().chain(&[text("user"), set(&[text("user")])]) {
        put(&store, &path(from_ref(item))?, &int(1)).await?;
    }
    let [_, user, one, one_name, two, _] = arrays.clone();
    let expected = all_keys(&[user.clone(), one.clone(), one_name.clone(), two])?;
    same("those of users", by_prefix(&store, &user).await?, expected)?;
    let first = array(&[text("user"), float(1.0)]);
    same("those of user 1", by_prefix(&store, &first).await?, all_keys(&[one, one_name])?)?;
    same("all arrays", by_prefix(&store, &array(&[])).await?, all_keys(&arrays)?)
}

async fn what_is_no_prefix_is_refused(ground: &Ground) -> Verdict {
    ground.open().await?;
    for item in [int(1), null(), object(&[]), set(&[]), Bytes::new()] {
        refused("the prefix", Prefix::from_cbor(&item), ErrorKind::InvalidKey)?;
    }
    Ok(())
}

async fn listings_are_by_kind(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put_numbers(&store, 5).await?;
    for (kind, expected) in [(Kind::Value, 5), (Kind::Binary, 0), (Kind::Log, 0)] {
        let query = Query { kind: Some(kind), prefix: None };
        same(kind.as_str(), keys(&store, query).await?.len(), expected)?;
    }
    let query = Query { kind: Some(Kind::Value), prefix: Some(Prefix::Text("key 0003".to_owned())) };
    same("by both", keys(&store, query).await?, vec![number(3).key])
}

async fn large_entries_are_listed_whole(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let mut expected = Vec::new();
    for (n, size) in [1_500_000, 10, 2_000_000, 1950, 1_048_576, 2048, 2_500_000, 0, 307_200].into_iter().enumerate() {
        let at = key(&n.to_string());
        put(&store, &at, &filled(size)).await?;
        expected.push((at.key, filled(size)));
    }
    ensure(entries(&store, Query::default()).await? == expected, "every entry comes with its own value")
}

async fn what_stays_is_listed_once_while_others_come_and_go(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put_numbers(&store, MANY).await?;
    let (mut found, mut pages) = (Vec::new(), store.list_keys(Query::default())?);
    let mut n = 0;
    while let Some(page) = pages.next_page().await? {
        found.extend(page.into_iter().map(|meta| meta.key));
        for _ in 0..20 {
            remove(&store, &number(2 * n)).await?;
            put(&store, &key(&format!("new {n}")), &int(n)).await?;
            n += 1;
        }
    }
    let stays = |key: &Key| (0..MANY).filter(|n| n % 2 == 1).any(|n| number(n).key == *key);
    found.retain(stays);
    let expected: Vec<_> = (0..MANY).filter(|n| n % 2 == 1).map(|n| number(n).key).collect();
    same("the keys that stay", sorted(found), expected)
}

async fn a_listing_outlives_the_deletion_of_everything(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put_numbers(&store, MANY).await?;
    let mut pages = store.list_entries(Query::default())?;
    ensure(pages.next_page().await?.is_some(), "there is a first page")?;
    let gone = |n: i64| {
        let store = &store;
        Box::pin(async move { remove(store, &number(n)).await })
    };
    let calls: Vec<BoxFut<'_, Result<bool>>> = (0..MANY).map(|n| gone(n) as _).collect();
    for removed in all(calls).await {
        same("whether it was there", removed?, true)?;
    }
    while pages.next_page().await?.is_some() {}
    drop(pages);
    same("the keys", keys(&store, Query::default()).await?, Vec::new())
}
