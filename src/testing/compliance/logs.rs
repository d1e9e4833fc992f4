//! Logs: appending, reading, and what becomes of the elements.

use bytes::Bytes;

use super::{
    Case, Need, case,
    check::{Failure, Verdict, ensure, refused, same, same_item},
    ground::{Ground, Hands},
    item::{array, filled, int, key, names, null, object, text, undefined},
    poll::{all, begin},
    talk::{count, entries, holds, is_absent, keys, meta_of, put, remove},
};
use crate::{
    backing::{Change, Expect, Write},
    env::BoxFut,
    error::{ErrorKind, Result},
    key::{Key, Path},
    meta::Kind,
    name::BlobName,
    store::{BatchEntry, Query, Span, Store, WriteOptions},
};

pub(super) const CASES: &[Case] = &[
    case!(an_appended_element_is_in_the_log),
    case!(a_log_keeps_the_order_of_its_appends),
    case!(a_key_without_a_log_has_no_elements),
    case!(elements_are_any_values),
    case!(what_cannot_be_stored_is_not_appended),
    case!(heads_of_logs_are_listed_and_elements_are_not),
    case!(a_log_has_metadata_of_its_own),
    case!(appending_to_a_value_is_refused),
    case!(a_log_is_not_read_or_changed_as_a_value),
    case!(a_deleted_log_leaves_nothing_behind),
    case!(a_log_that_was_not_met_yet_is_deleted_whole),
    case!(a_value_in_the_place_of_a_log_leaves_nothing_behind),
    case!(a_binary_in_the_place_of_a_log_leaves_nothing_behind),
    case!(a_batch_in_the_place_of_logs_leaves_nothing_behind),
    case!(a_batch_deletes_logs_whole_that_were_not_met_yet),
    case!(a_log_is_not_read_in_a_batch),
    case!(appends_and_batches_keep_their_order),
    case!(a_log_that_begins_again_has_only_new_elements),
    case!(an_expired_log_is_absent_and_begins_again),
    case!(a_log_is_read_as_it_was_when_the_reading_began),
    case!(a_log_that_is_deleted_while_it_is_read_is_a_conflict),
    case!(a_missing_element_is_told),
    case!(what_a_crash_left_of_an_append_is_overwritten),
    case!(many_appends_at_once_keep_their_order),
    case!(calls_on_a_log_happen_in_their_order),
    case!(an_append_that_is_given_up_holds_nobody_up),
    case!(appends_to_many_logs_at_once_lose_nothing),
    case!(appends_of_two_stores_lose_nothing).needs(Need::Shared),
    case!(a_log_that_the_other_deleted_begins_again).needs(Need::Shared),
];

pub(super) async fn append(store: &Store, at: &Path, element: &Bytes) -> Result<()> {
    store.append_cbor(at.key.clone(), element.clone(), WriteOptions::default()).await
}

pub(super) async fn elements(store: &Store, at: &Path) -> Result<Vec<Bytes>> {
    let (mut elements, mut pages) = (Vec::new(), store.list_log(at.key.clone()));
    while let Some(page) = pages.next_page().await? {
        elements.extend(page);
    }
    Ok(elements)
}

fn ints(range: std::ops::Range<i64>) -> Vec<Bytes> {
    range.map(int).collect()
}

pub(super) async fn append_all(store: &Store, at: &Path, range: std::ops::Range<i64>) -> Result<()> {
    for n in range {
        append(store, at, &int(n)).await?;
    }
    Ok(())
}

/// That the log has exactly these numbers.
pub(super) async fn counts(store: &Store, at: &Path, range: std::ops::Range<i64>) -> Verdict {
    same("the elements", elements(store, at).await?, ints(range))
}

/// That so many blobs are in the place, which nobody has open then.
pub(super) async fn has_blobs(ground: &Ground, expected: usize) -> Verdict {
    ground.leave().await?;
    let (mut found, mut heads) = (0, ground.backing().await?.heads());
    while let Some(page) = heads.next().await? {
        found += page.len();
    }
    ground.leave().await?;
    same("how many blobs there are", found, expected)
}

async fn an_appended_element_is_in_the_log(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    append(&store, &key("log"), &text("first")).await?;
    same("the elements", elements(&store, &key("log")).await?, vec![text("first")])?;
    append(&store, &key("log"), &int(2)).await?;
    let store = ground.reopen().await?;
    append(&store, &key("log"), &null()).await?;
    same("the elements", elements(&store, &key("log")).await?, vec![text("first"), int(2), null()])?;
    same("whether it exists", store.exists_key(&key("log").key).await?, true)
}

async fn a_log_keeps_the_order_of_its_appends(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    append_all(&store, &key("log"), 0..70).await?;
    counts(&store, &key("log"), 0..70).await?;
    let store = ground.reopen().await?;
    append_all(&store, &key("log"), 70..200).await?;
    counts(&store, &key("log"), 0..200).await?;
    counts(&ground.reopen().await?, &key("log"), 0..200).await
}

async fn a_key_without_a_log_has_no_elements(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    counts(&store, &key("log"), 0..0).await?;
    is_absent(&store, &key("log")).await?;
    has_blobs(ground, 0).await
}

async fn elements_are_any_values(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let values = [undefined(), null(), filled(0), filled(2_000_000), array(&[int(1)]), filled(3_000_000), object(&[])];
    for value in values.iter().chain(&ints(0..100)) {
        append(&store, &key("log"), value).await?;
    }
    let found = elements(&store, &key("log")).await?;
    ensure(found.iter().eq(values.iter().chain(&ints(0..100))), "every element comes back as it was")
}

async fn what_cannot_be_stored_is_not_appended(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for (element, kind) in [
        (Bytes::from_static(&[0xff]), ErrorKind::InvalidValue),
        (Bytes::new(), ErrorKind::InvalidValue),
        (super::item::nested(513), ErrorKind::LimitExceeded),
    ] {
        let error = refused("the append", append(&store, &key("log"), &element).await, kind)?;
        same_item("its key", error.key(), Some(key("log").key.as_cbor()))?;
    }
    is_absent(&store, &key("log")).await?;
    append(&store, &key("log"), &int(0)).await?;
    counts(&store, &key("log"), 0..1).await
}

async fn heads_of_logs_are_listed_and_elements_are_not(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    append_all(&store, &key("log"), 0..300).await?;
    put(&store, &key("value"), &int(1)).await?;
    let mut found = keys(&store, Query::default()).await?;
    found.sort_unstable();
    same("the keys", found, vec![key("log").key, key("value").key])?;
    let logs = Query { kind: Some(Kind::Log), prefix: None };
    same("the logs", keys(&store, logs).await?, vec![key("log").key])?;
    same("the kind of the log", meta_of(&store, &key("log")).await?.kind, Kind::Log)?;
    same("how many entries there are", entries(&store, Query::default()).await?.len(), 2)
}

async fn a_log_has_metadata_of_its_own(ground: &Ground) -> Verdict {
    let (store, at) = (ground.open().await?, key("log"));
    let by = |name: &str| WriteOptions::default().meta_cbor(&object(&[("by", text(name))]));
    store.append_cbor(at.key.clone(), int(0), by("ada")?).await?;
    append(&store, &at, &int(1)).await?;
    same("the entries", meta_of(&store, &at).await?.user, object(&[("by", text("ada"))]))?;
    store.append_cbor(at.key.clone(), int(2), by("ben")?).await?;
    let store = ground.reopen().await?;
    let more = WriteOptions::default().meta_cbor(&object(&[("for", text("all"))]))?;
    store.append_cbor(at.key.clone(), int(3), more).await?;
    let expected = object(&[("by", text("ben")), ("for", text("all"))]);
    same("the entries", meta_of(&store, &at).await?.user, expected)?;
    counts(&store, &at, 0..4).await
}

async fn appending_to_a_value_is_refused(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for value in [int(1), array(&[int(1)]), array(&[super::item::bytes(&[0; 16]), int(0), int(1)])] {
        put(&store, &key("k"), &value).await?;
        let error = refused("the append", append(&store, &key("k"), &int(1)).await, ErrorKind::NotALog)?;
        same_item("its key", error.key(), Some(key("k").key.as_cbor()))?;
        refused("the log", elements(&store, &key("k")).await, ErrorKind::NotALog)?;
        holds(&store, &key("k"), &value).await?;
    }
    has_blobs(ground, 1).await
}

async fn a_log_is_not_read_or_changed_as_a_value(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    append(&store, &key("log"), &int(0)).await?;
    let (log, inside) = (key("log"), names(&["log", "x"])?);
    for path in [&log, &inside] {
        refused("reading it", store.get_cbor(path).await, ErrorKind::InvalidPath)?;
        refused("updating it", count(&store, path).await, ErrorKind::InvalidPath)?;
    }
    refused("writing into it", put(&store, &inside, &int(1)).await, ErrorKind::InvalidPath)?;
    refused("deleting inside it", remove(&store, &inside).await, ErrorKind::InvalidPath)?;
    counts(&store, &log, 0..1).await
}

async fn a_deleted_log_leaves_nothing_behind(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    append_all(&store, &key("log"), 0..300).await?;
    same("whether it was there", remove(&store, &key("log")).await?, true)?;
    is_absent(&store, &key("log")).await?;
    counts(&store, &key("log"), 0..0).await?;
    same("whether it still was", remove(&store, &key("log")).await?, false)?;
    has_blobs(ground, 0).await
}

async fn a_log_that_was_not_met_yet_is_deleted_whole(ground: &Ground) -> Verdict {
    append_all(&ground.open().await?, &key("log"), 0..10).await?;
    let store = &ground.reopen().await?;
    let at = &key("log");
    let calls: Vec<BoxFut<'_, Result<()>>> = vec![
        Box::pin(async move { remove(store, at).await.map(drop) }),
        Box::pin(async move { append(store, at, &int(0)).await }),
    ];
    all(calls).await.into_iter().collect::<Result<()>>()?;
    counts(store, at, 0..1).await?;
    has_blobs(ground, 2).await
}

async fn a_value_in_the_place_of_a_log_leaves_nothing_behind(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    append_all(&store, &key("log"), 0..10).await?;
    put(&store, &key("log"), &int(1)).await?;
    holds(&store, &key("log"), &int(1)).await?;
    refused("the append", append(&store, &key("log"), &int(1)).await, ErrorKind::NotALog)?;
    has_blobs(ground, 1).await
}

async fn a_binary_in_the_place_of_a_log_leaves_nothing_behind(ground: &Ground) -> Verdict {
    let (store, bytes) = (ground.open().await?, Bytes::from_static(b"bytes"));
    for at in [key("whole"), key("streamed")] {
        append_all(&store, &at, 0..10).await?;
    }
    store.put_binary(&key("whole").key, bytes.clone(), WriteOptions::default()).await?;
    let mut writer = store.write_binary(&key("streamed").key, WriteOptions::default()).await?;
    writer.write(&bytes).await?;
    append(&store, &key("streamed"), &int(10)).await?;
    writer.finish().await?;
    for at in [key("whole"), key("streamed")] {
        same("the binary", store.binary(&at.key, Span::default()).await?, Some(bytes.clone()))?;
        refused("the append", append(&store, &at, &int(1)).await, ErrorKind::NotALog)?;
    }
    has_blobs(ground, 2).await
}

fn all_keys() -> Vec<Key> {
    ["a", "b", "c"].map(|name| key(name).key).to_vec()
}

async fn three_logs(store: &Store) -> Result<()> {
    for name in ["a", "b", "c"] {
        append_all(store, &key(name), 0..5).await?;
    }
    Ok(())
}

async fn a_batch_in_the_place_of_logs_leaves_nothing_behind(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    three_logs(&store).await?;
    let entry = |key| BatchEntry { key, value: int(1), options: WriteOptions::default() };
    let entries = all_keys().into_iter().take(2).map(entry).collect();
    store.multi_assoc_cbor(entries, WriteOptions::default()).await?;
    holds(&store, &key("a"), &int(1)).await?;
    counts(&store, &key("c"), 0..5).await?;
    has_blobs(ground, 8).await?;
    let store = ground.open().await?;
    counts(&store, &key("c"), 0..5).await?;
    same("what was there", store.multi_dissoc_cbor(&all_keys()).await?, vec![true; 3])?;
    append(&store, &key("c"), &int(0)).await?;
    counts(&store, &key("c"), 0..1).await?;
    has_blobs(ground, 2).await
}

async fn a_batch_deletes_logs_whole_that_were_not_met_yet(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    three_logs(&store).await?;
    append_all(&store, &key("stays"), 0..5).await?;
    let store = ground.reopen().await?;
    same("what was there", store.multi_dissoc_cbor(&all_keys()).await?, vec![true; 3])?;
    counts(&store, &key("stays"), 0..5).await?;
    has_blobs(ground, 6).await
}

async fn a_log_is_not_read_in_a_batch(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    append(&store, &key("log"), &int(0)).await?;
    put(&store, &key("k"), &int(1)).await?;
    let refusal = store.multi_get_cbor(&[key("k").key, key("log").key]).await.err();
    let told = refusal.map(|error| (error.kind(), error.key().map(<[u8]>::to_vec)));
    same("the refusal", told, Some((ErrorKind::InvalidPath, Some(key("log").key.as_cbor().to_vec()))))
}

async fn appends_and_batches_keep_their_order(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let (at, keys) = (&key("log"), &[key("log").key]);
    let add = |n| Box::pin(async move { append(store, at, &int(n)).await }) as BoxFut<'_, Result<()>>;
    let calls = vec![
        add(7),
        add(8),
        Box::pin(async move { store.multi_dissoc_cbor(keys).await.map(drop) }),
        add(0),
        Box::pin(async move { store.multi_get_cbor(keys).await.map_or_else(|_| Ok(()), |_| Ok(())) }),
        add(1),
    ];
    all(calls).await.into_iter().collect::<Result<()>>()?;
    counts(store, at, 0..2).await?;
    has_blobs(ground, 3).await
}

async fn a_log_that_begins_again_has_only_new_elements(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for many in [20, 3, 0, 5] {
        append_all(&store, &key("log"), 0..many).await?;
        counts(&store, &key("log"), 0..many).await?;
        same("whether it was there", remove(&store, &key("log")).await?, many > 0)?;
    }
    append_all(&store, &key("log"), 0..2).await?;
    has_blobs(ground, 3).await
}

async fn an_expired_log_is_absent_and_begins_again(ground: &Ground) -> Verdict {
    let hands = Hands::at(1_000_000);
    let (store, at) = (ground.open_with(ground.config().clock(hands.clone())).await?, key("log"));
    store.append_cbor(at.key.clone(), int(7), WriteOptions::default().expires(2_000_000)).await?;
    append(&store, &at, &int(8)).await?;
    hands.set(1_999_999);
    same("the elements", elements(&store, &at).await?, vec![int(7), int(8)])?;
    hands.set(2_000_000);
    is_absent(&store, &at).await?;
    counts(&store, &at, 0..0).await?;
    append(&store, &at, &int(0)).await?;
    counts(&store, &at, 0..1).await?;
    same("when it expires", meta_of(&store, &at).await?.expires, None)?;
    has_blobs(ground, 2).await
}

async fn a_log_is_read_as_it_was_when_the_reading_began(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    append_all(&store, &key("log"), 0..100).await?;
    let mut pages = store.list_log(key("log").key);
    let mut found = pages.next_page().await?.unwrap_or_default();
    ensure(!found.is_empty() && found.len() < 100, "a log is read in pages")?;
    append_all(&store, &key("log"), 100..110).await?;
    while let Some(page) = pages.next_page().await? {
        found.extend(page);
    }
    same("the elements", found, ints(0..100))?;
    same("a page after the last", pages.next_page().await?, None)
}

async fn a_log_that_is_deleted_while_it_is_read_is_a_conflict(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for again in [false, true] {
        append_all(&store, &key("log"), 0..100).await?;
        let mut pages = store.list_log(key("log").key);
        pages.next_page().await?;
        remove(&store, &key("log")).await?;
        if again {
            append_all(&store, &key("log"), 0..100).await?;
        }
        refused("the next page", pages.next_page().await, ErrorKind::Conflict)?;
        same("a page after that", pages.next_page().await?, None)?;
    }
    Ok(())
}

/// The names of all elements in the place, which nobody has open then.
async fn element_names(ground: &Ground) -> Verdict<Vec<BlobName>> {
    ground.leave().await?;
    let (mut found, mut heads) = (Vec::new(), ground.backing().await?.heads());
    while let Some(page) = heads.next().await? {
        found.extend(page.into_iter().map(|(name, _)| name).filter(|name| *name != ground.name(&key("log").key)));
    }
    ground.leave().await?;
    Ok(found)
}

async fn change_blob(ground: &Ground, name: BlobName, change: Change) -> Verdict {
    let backing = ground.backing().await?;
    backing.commit(vec![Write { name, change, expect: Expect::Anything }]).await?;
    Ok(ground.leave().await?)
}

async fn a_missing_element_is_told(ground: &Ground) -> Verdict {
    append_all(&ground.open().await?, &key("log"), 0..3).await?;
    let Some(name) = element_names(ground).await?.pop() else { return Err(Failure::new("there are no elements")) };
    change_blob(ground, name, Change::Delete).await?;
    let store = ground.reopen().await?;
    let error = refused("the log", elements(&store, &key("log")).await, ErrorKind::Corrupt)?;
    same_item("its key", error.key(), Some(key("log").key.as_cbor()))?;
    same("whether it was there", remove(&store, &key("log")).await?, true)?;
    has_blobs(ground, 0).await
}

/// The head goes back to what it was before the last append: as a crash between the two leaves it.
async fn what_a_crash_left_of_an_append_is_overwritten(ground: &Ground) -> Verdict {
    append_all(&ground.open().await?, &key("log"), 0..3).await?;
    ground.leave().await?;
    let name = ground.name(&key("log").key);
    let head = super::damage::blob(ground.backing().await?.as_ref(), name).await?;
    append(&ground.reopen().await?, &key("log"), &text("lost")).await?;
    ground.leave().await?;
    change_blob(ground, name, Change::Put(head)).await?;
    let store = ground.reopen().await?;
    counts(&store, &key("log"), 0..3).await?;
    append(&store, &key("log"), &int(3)).await?;
    counts(&store, &key("log"), 0..4).await?;
    has_blobs(ground, 5).await
}

async fn many_appends_at_once_keep_their_order(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let at = &key("log");
    for round in 0..3 {
        let one = |n| Box::pin(async move { append(store, at, &int(n)).await }) as BoxFut<'_, _>;
        all((round * 64..(round + 1) * 64).map(one).collect()).await.into_iter().collect::<Result<()>>()?;
    }
    counts(store, at, 0..192).await?;
    let one = |n| Box::pin(async move { append(store, at, &int(n)).await }) as BoxFut<'_, _>;
    all((192..1000).map(one).collect()).await.into_iter().collect::<Result<()>>()?;
    counts(&ground.reopen().await?, at, 0..1000).await
}

async fn calls_on_a_log_happen_in_their_order(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let at = &key("log");
    let add = |n| Box::pin(async move { Ok(append(store, at, &int(n)).await?) }) as BoxFut<'_, Verdict>;
    let see = |end| Box::pin(counts(store, at, 0..end)) as BoxFut<'_, Verdict>;
    let delete = || Box::pin(async move { same("whether it was there", remove(store, at).await?, true) });
    all(vec![add(0), add(1), see(2), add(2), see(3), see(3)]).await.into_iter().collect::<Verdict>()?;
    // Not beside those that read: a log that is deleted while it is read is a conflict.
    let calls: Vec<BoxFut<'_, Verdict>> = vec![
        delete(),
        see(0),
        add(0),
        add(1),
        delete(),
        add(0),
        Box::pin(async move { Ok(put(store, at, &text("v")).await?) }),
        Box::pin(async move { holds(store, at, &text("v")).await }),
        Box::pin(async move { refused("the append", append(store, at, &int(1)).await, ErrorKind::NotALog).map(drop) }),
        delete(),
        add(0),
        see(1),
    ];
    all(calls).await.into_iter().collect::<Verdict>()?;
    has_blobs(ground, 2).await
}

async fn an_append_that_is_given_up_holds_nobody_up(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let at = &key("log");
    let mut expected = Vec::new();
    for n in 0..20 {
        let elements = (int(n), int(100 + n));
        let mut first: BoxFut<'_, _> = Box::pin(append(&store, at, &elements.0));
        let mut second: BoxFut<'_, _> = Box::pin(append(&store, at, &elements.1));
        let early = begin(&mut first).await;
        let answer = begin(&mut second).await;
        drop(first);
        match answer {
            Some(answer) => answer?,
            None => second.await?,
        }
        expected.push(int(100 + n));
        if early.is_some() {
            expected.push(int(n));
        }
    }
    let found = elements(&store, at).await?;
    ensure(expected.iter().all(|element| found.contains(element)), "what was acknowledged is there")?;
    ensure(found.len() <= 40, "nothing is there twice")
}

async fn appends_to_many_logs_at_once_lose_nothing(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let logs: &Vec<Path> = &(0..20).map(|n| key(&n.to_string())).collect();
    let add = |(at, n)| Box::pin(async move { append(store, at, &int(n)).await }) as BoxFut<'_, _>;
    let calls = (0..10).flat_map(|n| logs.iter().map(move |at| (at, n))).map(add).collect();
    all(calls).await.into_iter().collect::<Result<()>>()?;
    for at in logs {
        counts(store, at, 0..10).await?;
    }
    Ok(())
}

/// Two stores that are open on one place.
async fn two(ground: &Ground) -> Verdict<(Store, Store)> {
    let one = ground.open().await?;
    Ok((one, ground.connect_with(ground.config()).await?))
}

async fn appends_of_two_stores_lose_nothing(ground: &Ground) -> Verdict {
    let (one, other) = &two(ground).await?;
    let at = &key("log");
    let add = |(store, n)| Box::pin(async move { append(store, at, &int(n)).await }) as BoxFut<'_, _>;
    let calls = (0..64).flat_map(|n| [(one, n), (other, 1000 + n)]).map(add).collect();
    all(calls).await.into_iter().collect::<Result<()>>()?;
    for n in 64..80 {
        append(one, at, &int(n)).await?;
        append(other, at, &int(1000 + n)).await?;
    }
    let found = elements(one, at).await?;
    for of in [ints(0..80), ints(1000..1080)] {
        same(
            "the elements of one store",
            found.iter().filter(|element| of.contains(element)).cloned().collect(),
            of.clone(),
        )?;
    }
    same("what the other reads", elements(other, at).await?, found)
}

async fn a_log_that_the_other_deleted_begins_again(ground: &Ground) -> Verdict {
    let (one, other) = two(ground).await?;
    append_all(&one, &key("log"), 0..5).await?;
    same("whether it was there", remove(&other, &key("log")).await?, true)?;
    append(&one, &key("log"), &int(0)).await?;
    counts(&other, &key("log"), 0..1).await?;
    let heads: Vec<Key> = keys(&one, Query::default()).await?;
    same("the keys", heads, vec![key("log").key])?;
    has_blobs(ground, 2).await
}
