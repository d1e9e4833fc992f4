//! Several keys together.

use bytes::Bytes;

use super::{
    Case, Need, case,
    check::{Verdict, refused, same, same_item},
    damage::{damaged, flipped},
    ground::{Ground, Hands},
    item::{filled, int, key, object, text, undefined},
    poll::all,
    talk::{holds, is_absent, keys, meta_of, put, put_with},
};
use crate::{
    cbor::MAX_DEPTH,
    env::BoxFut,
    error::{ErrorKind, Result},
    key::Key,
    store::{BatchEntry, Query, Store, WriteOptions},
};

pub(super) const CASES: &[Case] = &[
    case!(several_values_are_put_read_and_deleted_together),
    case!(a_batch_tells_what_was_there_before),
    case!(values_come_in_the_order_of_their_keys),
    case!(a_key_that_is_given_twice_is_written_once),
    case!(an_empty_batch_does_nothing),
    case!(an_entry_that_cannot_be_stored_leaves_nothing_behind),
    case!(each_entry_of_a_batch_has_its_own_metadata),
    case!(what_expired_is_absent_to_batches),
    case!(a_batch_replaces_what_is_damaged),
    case!(a_batch_deletes_what_is_damaged),
    case!(values_of_all_sizes_go_into_one_batch),
    case!(ten_thousand_values_go_into_one_batch).needs(Need::AtomicBatches),
    case!(batches_and_single_writes_keep_their_order),
    case!(a_reader_of_several_keys_sees_whole_batches).needs(Need::AtomicBatches),
];

fn name(text: &str) -> Key {
    key(text).key
}

fn entry(key: &str, value: Bytes) -> BatchEntry {
    BatchEntry { key: name(key), value, options: WriteOptions::default() }
}

async fn put_all(store: &Store, entries: Vec<BatchEntry>) -> Result<Vec<bool>> {
    store.multi_assoc_cbor(entries, WriteOptions::default()).await
}

async fn several_values_are_put_read_and_deleted_together(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let entries = vec![entry("a", int(1)), entry("b", undefined()), entry("c", object(&[("x", int(3))]))];
    same("what was there", put_all(&store, entries).await?, vec![false; 3])?;
    let store = ground.reopen().await?;
    holds(&store, &key("a"), &int(1)).await?;
    let found = store.multi_get_cbor(&[name("c"), name("none"), name("b")]).await?;
    same("the values", found, vec![Some(object(&[("x", int(3))])), None, Some(undefined())])?;
    let gone = store.multi_dissoc_cbor(&[name("a"), name("none"), name("c")]).await?;
    same("what was there", gone, vec![true, false, true])?;
    is_absent(&store, &key("a")).await?;
    is_absent(&store, &key("c")).await?;
    same("the keys", keys(&ground.reopen().await?, Query::default()).await?, vec![name("b")])
}

async fn a_batch_tells_what_was_there_before(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("b"), &int(0)).await?;
    let entries = |n| ["a", "b", "c"].map(|key| entry(key, int(n))).to_vec();
    same("what was there", put_all(&store, entries(1)).await?, vec![false, true, false])?;
    same("what was there", put_all(&store, entries(2)).await?, vec![true; 3])
}

async fn values_come_in_the_order_of_their_keys(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let names: Vec<_> = (0..200).map(|n| format!("k{n}")).collect();
    let entries = (0..).zip(&names).map(|(n, name)| entry(name, int(n))).collect();
    put_all(&store, entries).await?;
    let backwards: Vec<_> = names.iter().rev().map(|text| name(text)).collect();
    let expected: Vec<_> = (0..200).rev().map(|n| Some(int(n))).collect();
    same("the values", store.multi_get_cbor(&backwards).await?, expected)
}

async fn a_key_that_is_given_twice_is_written_once(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let entries = vec![entry("a", int(1)), entry("b", int(2)), entry("a", int(3))];
    same("what was there", put_all(&store, entries).await?, vec![false; 3])?;
    holds(&store, &key("a"), &int(3)).await?;
    let found = store.multi_get_cbor(&[name("a"), name("b"), name("a")]).await?;
    same("the values", found, vec![Some(int(3)), Some(int(2)), Some(int(3))])?;
    same("what was there", store.multi_dissoc_cbor(&[name("a"), name("a")]).await?, vec![true; 2])?;
    is_absent(&store, &key("a")).await
}

async fn an_empty_batch_does_nothing(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    same("what was found", store.multi_get_cbor(&[]).await?, Vec::new())?;
    same("what was there", put_all(&store, Vec::new()).await?, Vec::new())?;
    same("what was there", store.multi_dissoc_cbor(&[]).await?, Vec::new())?;
    store.close().await?;
    refused("a batch after close", store.multi_get_cbor(&[]).await, ErrorKind::Closed)?;
    refused("a batch after close", put_all(&store, Vec::new()).await, ErrorKind::Closed)?;
    refused("a batch after close", store.multi_dissoc_cbor(&[]).await, ErrorKind::Closed).map(drop)
}

async fn an_entry_that_cannot_be_stored_leaves_nothing_behind(ground: &Ground) -> Verdict {
    let store = ground.open_with(ground.config().max_value_len(1000)).await?;
    put(&store, &key("b"), &int(0)).await?;
    let deep = [vec![0x81; MAX_DEPTH + 1], vec![0]].concat();
    let bad = [
        (Bytes::from_static(&[0xff]), ErrorKind::InvalidValue),
        (deep.into(), ErrorKind::LimitExceeded),
        (filled(1001), ErrorKind::LimitExceeded),
    ];
    for (value, kind) in bad {
        let entries = vec![entry("a", int(1)), entry("b", int(1)), entry("bad", value), entry("c", int(1))];
        let error = refused("the batch", put_all(&store, entries).await, kind)?;
        same_item("the key of the error", error.key(), Some(name("bad").as_cbor()))?;
        same("the keys", keys(&store, Query::default()).await?, vec![name("b")])?;
        holds(&store, &key("b"), &int(0)).await?;
    }
    Ok(())
}

async fn each_entry_of_a_batch_has_its_own_metadata(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let said = |by: &str| WriteOptions::default().meta_cbor(&object(&[("by", text(by))]));
    let common = WriteOptions::default().meta_cbor(&object(&[("by", text("ada")), ("n", int(1))]))?;
    let other = BatchEntry { options: said("eve")?.expires(u64::MAX), ..entry("b", int(2)) };
    store.multi_assoc_cbor(vec![entry("a", int(1)), other], common.expires(1 << 52)).await?;
    let (a, b) = (meta_of(&store, &key("a")).await?, meta_of(&store, &key("b")).await?);
    same_item("the entries of a", Some(&a.user), Some(&object(&[("by", text("ada")), ("n", int(1))])))?;
    same_item("the entries of b", Some(&b.user), Some(&object(&[("n", int(1)), ("by", text("eve"))])))?;
    same("when they expire", (a.expires, b.expires), (Some(1 << 52), Some(u64::MAX)))?;
    put_all(&store, vec![entry("a", int(1))]).await?;
    same_item("the entries of a new value", Some(&meta_of(&store, &key("a")).await?.user), Some(&[]))
}

async fn what_expired_is_absent_to_batches(ground: &Ground) -> Verdict {
    let hands = Hands::at(1000);
    let store = ground.open_with(ground.config().clock(hands.clone())).await?;
    for at in ["a", "b"] {
        put_with(&store, &key(at), &int(1), WriteOptions::default().expires(2000)).await?;
    }
    put(&store, &key("c"), &int(1)).await?;
    hands.set(2000);
    let names = ["a", "b", "c"].map(name);
    same("what is found", store.multi_get_cbor(&names).await?, vec![None, None, Some(int(1))])?;
    same("what was there", put_all(&store, vec![entry("a", int(2)), entry("c", int(2))]).await?, vec![false, true])?;
    holds(&store, &key("a"), &int(2)).await?;
    same("what was there", store.multi_dissoc_cbor(&names).await?, vec![true, false, true])?;
    let report = store.verify(|_| {}).await?;
    same("how many blobs are left", report.checked, 0)
}

async fn a_batch_replaces_what_is_damaged(ground: &Ground) -> Verdict {
    let store = damaged(ground, |bad| bad.head = flipped(&bad.head, 30)).await?;
    let error = refused("reading", store.multi_get_cbor(&[name("good"), name("bad")]).await, ground.damage())?;
    same_item("the key of the error", error.key(), Some(name("bad").as_cbor()))?;
    let entries = vec![entry("bad", int(2)), entry("new", int(2))];
    same("what was there", put_all(&store, entries).await?, vec![true, false])?;
    holds(&store, &key("bad"), &int(2)).await
}

async fn a_batch_deletes_what_is_damaged(ground: &Ground) -> Verdict {
    let store = damaged(ground, |bad| bad.value = bad.value.slice(1..)).await?;
    let names = ["bad", "none", "good"].map(name);
    same("what was there", store.multi_dissoc_cbor(&names).await?, vec![true, false, true])?;
    same("the keys", keys(&store, Query::default()).await?, vec![name("small")])
}

async fn values_of_all_sizes_go_into_one_batch(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let sizes = [0, 10, 1500, 2048, 5000, 1_300_000, 3_000_000];
    let names: Vec<_> = sizes.iter().map(|size| format!("{size}")).collect();
    for round in 0..2 {
        let entries = names.iter().zip(sizes).map(|(name, size)| entry(name, filled(size + round))).collect();
        same("what was there", put_all(&store, entries).await?, vec![round == 1; sizes.len()])?;
        let found = store.multi_get_cbor(&names.iter().map(|text| name(text)).collect::<Vec<_>>()).await?;
        let expected: Vec<_> = sizes.iter().map(|size| Some(filled(size + round))).collect();
        same("whether all are as they were put", found == expected, true)?;
    }
    Ok(())
}

async fn ten_thousand_values_go_into_one_batch(ground: &Ground) -> Verdict {
    const MANY: i64 = 10_000;
    let store = ground.open().await?;
    let names: Vec<_> = (0..MANY).map(|n| format!("key {n}")).collect();
    let entries = (0..).zip(&names).map(|(n, name)| entry(name, int(n))).collect();
    same("whether none was there", put_all(&store, entries).await? == vec![false; names.len()], true)?;
    let names: Vec<_> = names.iter().map(|text| name(text)).collect();
    let found = store.multi_get_cbor(&names).await?;
    same("whether all are there", (0..MANY).map(|n| Some(int(n))).eq(found), true)?;
    same("whether all were there", store.multi_dissoc_cbor(&names).await? == vec![true; names.len()], true)?;
    same("how many keys are left", keys(&store, Query::default()).await?.len(), 0)
}

/// Whatever is begun later is later, also where a batch waits for one of its keys.
async fn batches_and_single_writes_keep_their_order(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let (a, b) = (key("a"), key("b"));
    let (zero, one, two, three) = (int(0), int(1), int(2), int(3));
    for _ in 0..10 {
        let calls: Vec<BoxFut<'_, Result<()>>> = vec![
            Box::pin(put(&store, &a, &zero)),
            Box::pin(async { put_all(&store, vec![entry("b", int(1)), entry("a", int(1))]).await.map(drop) }),
            Box::pin(put(&store, &b, &two)),
            Box::pin(async { store.multi_dissoc_cbor(&[name("a"), name("c")]).await.map(drop) }),
            Box::pin(put(&store, &a, &three)),
            Box::pin(async { put_all(&store, vec![entry("c", int(1)), entry("b", int(1))]).await.map(drop) }),
        ];
        all(calls).await.into_iter().collect::<Result<Vec<_>>>()?;
        holds(&store, &a, &three).await?;
        holds(&store, &b, &one).await?;
        holds(&store, &key("c"), &one).await?;
    }
    Ok(())
}

async fn a_reader_of_several_keys_sees_whole_batches(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let names: Vec<_> = (0..20).map(|n| format!("k{n}")).collect();
    let all_of = |n: i64| names.iter().map(|name| entry(name, int(n))).collect::<Vec<_>>();
    put_all(&store, all_of(0)).await?;
    let keys: Vec<_> = names.iter().map(|text| name(text)).collect();
    let mut calls: Vec<BoxFut<'_, Result<Vec<Option<Bytes>>>>> = Vec::new();
    for n in 1..=10 {
        calls.push(Box::pin(async { store.multi_get_cbor(&keys).await }));
        let entries = all_of(n);
        let store = &store;
        calls.push(Box::pin(async move { put_all(store, entries).await.map(|_| Vec::new()) }));
    }
    let found = all(calls).await.into_iter().collect::<Result<Vec<_>>>()?;
    let reads = found.into_iter().filter(|values| !values.is_empty());
    for (n, values) in (0..).zip(reads) {
        same("the values of one batch", values, vec![Some(int(n)); 20])?;
    }
    Ok(())
}
