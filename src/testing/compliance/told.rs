//! Write hooks of what is no single value: logs, sweeps, imports, copies, repairs.

use bytes::Bytes;

use super::{
    Case, case,
    check::{Verdict, same},
    damage::{damaged, flipped},
    garbage::tick,
    ground::Ground,
    hooks::{Told, event, listening, name},
    item::{int, key, object, text},
    logs::{append, append_all},
    moving::{exported, imported},
    poll::all,
    talk::{put, put_with, remove},
};
use crate::{
    env::BoxFut,
    error::Result,
    key::Key,
    store::{Detail, Event, Existing, Op, Store, Sweep, WriteOptions},
};

pub(super) const CASES: &[Case] = &[
    case!(appends_are_told_with_their_elements),
    case!(appends_are_told_in_the_order_of_the_writes_to_their_key),
    case!(a_hook_may_append),
    case!(a_sweep_is_told_with_the_keys_it_deleted),
    case!(an_import_is_told_with_the_keys_it_put),
    case!(a_copy_is_told_where_it_goes),
    case!(a_repair_is_told_with_the_key_it_took),
    case!(a_repair_is_told_without_a_key_that_cannot_be_read),
];

/// Of several keys.
fn batch(op: Op, keys: &[&str]) -> Event {
    Event::new(op, keys.iter().map(|key| name(key)).collect())
}

/// All keys that events of this kind told, ascending.
fn keys_told(told: &Told, op: Op) -> Verdict<Vec<Key>> {
    let events = told.take();
    same("whether something else was told", events.iter().any(|event| event.op != op), false)?;
    let mut keys: Vec<_> = events.into_iter().flat_map(|event| event.keys).collect();
    keys.sort_unstable();
    Ok(keys)
}

fn sorted(keys: &[&str]) -> Vec<Key> {
    let mut keys: Vec<_> = keys.iter().map(|key| name(key)).collect();
    keys.sort_unstable();
    keys
}

async fn appends_are_told_with_their_elements(ground: &Ground) -> Verdict {
    let (store, told) = listening(ground).await?;
    append(&store, &key("log"), &text("first")).await?;
    let by = object(&[("by", text("ada"))]);
    store.append_cbor(name("log"), int(2), WriteOptions::default().meta_cbor(&by)?).await?;
    put(&store, &key("value"), &int(1)).await?;
    drop(append(&store, &key("value"), &int(1)).await);
    let mut second = event(Op::Append, "log", &[int(2)], None);
    second.meta = by;
    let put = event(Op::Assoc, "value", &[int(1)], None);
    same("what was told", told.take(), vec![event(Op::Append, "log", &[text("first")], None), second, put])
}

/// Also of those that are written together.
async fn appends_are_told_in_the_order_of_the_writes_to_their_key(ground: &Ground) -> Verdict {
    let (store, told) = (&ground.open().await?, Told::default());
    told.listen(store, "keys", Detail::Values)?;
    let at = &key("log");
    let mut calls: Vec<BoxFut<'_, Result<()>>> = Vec::new();
    let mut expected = Vec::new();
    for round in 0..5 {
        for n in 0..10 {
            calls.push(Box::pin(async move { append(store, at, &int(10 * round + n)).await }));
            expected.push((Op::Append, vec![int(10 * round + n)]));
        }
        calls.push(Box::pin(async move { remove(store, at).await.map(drop) }));
        expected.push((Op::Dissoc, Vec::new()));
    }
    all(calls).await.into_iter().collect::<Result<()>>()?;
    let told = told.take().into_iter().map(|event| (event.op, event.values)).collect();
    same("what was told", told, expected)
}

async fn a_hook_may_append(ground: &Ground) -> Verdict {
    let (store, told) = listening(ground).await?;
    let other = store.clone();
    let begun = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let waiting = begun.clone();
    let hook = move |event: &Event| {
        if event.values != [int(1)] {
            return;
        }
        let store = other.clone();
        let mut adding: BoxFut<'static, Result<()>> =
            Box::pin(async move { append(&store, &key("log"), &int(2)).await });
        let polled = adding.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        if polled.is_pending() {
            waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(adding);
        }
    };
    store.listen("adds", Detail::Values, std::sync::Arc::new(hook))?;
    append(&store, &key("log"), &int(1)).await?;
    let begun = std::mem::take(&mut *begun.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    all(begun).await.into_iter().collect::<Result<Vec<_>>>()?;
    let values: Vec<Bytes> = told.take().into_iter().flat_map(|event| event.values).collect();
    same("what was told", values, vec![int(1), int(2)])
}

async fn a_sweep_is_told_with_the_keys_it_deleted(ground: &Ground) -> Verdict {
    let (store, told) = listening(ground).await?;
    for old in ["a", "b", "kept"] {
        put(&store, &key(old), &int(1)).await?;
    }
    append_all(&store, &key("log"), 0..3).await?;
    put_with(&store, &key("expired"), &int(1), WriteOptions::default().expires(1)).await?;
    let before = tick();
    put(&store, &key("young"), &int(1)).await?;
    told.take();
    let deleted = store.sweep(Sweep::before(before).keep([name("kept")]).batch_size(2)?).await?;
    same("how many were deleted", deleted.len(), 4)?;
    same("what was told", keys_told(&told, Op::Sweep)?, sorted(&["a", "b", "expired", "log"]))?;
    store.sweep(Sweep::before(before).keep([name("kept")])).await?;
    same("what was told", told.take(), Vec::new())
}

async fn a_store_to_move(ground: &Ground) -> Result<Store> {
    let store = ground.open().await?;
    for name in ["a", "b"] {
        put(&store, &key(name), &int(1)).await?;
    }
    append_all(&store, &key("log"), 0..3).await?;
    Ok(store)
}

async fn an_import_is_told_with_the_keys_it_put(ground: &Ground) -> Verdict {
    let export = exported(&a_store_to_move(ground).await?).await?;
    let other = ground.open_with(ground.other_config()).await?;
    put(&other, &key("a"), &int(2)).await?;
    let told = Told::default();
    told.listen(&other, "test", Detail::Values)?;
    imported(&other, &export, Existing::Keep).await?;
    same("what was told", keys_told(&told, Op::Import)?, sorted(&["b", "log"]))?;
    imported(&other, &export, Existing::Keep).await?;
    same("what was told", told.take(), Vec::new())
}

async fn a_copy_is_told_where_it_goes(ground: &Ground) -> Verdict {
    let store = a_store_to_move(ground).await?;
    let other = ground.open_with(ground.other_config()).await?;
    let (from, to) = (Told::default(), Told::default());
    from.listen(&store, "test", Detail::Keys)?;
    to.listen(&other, "test", Detail::Keys)?;
    store.copy_to(&other, Existing::Error, |_| {}).await?;
    same("what was told", keys_told(&to, Op::Import)?, sorted(&["a", "b", "log"]))?;
    same("what the source told", from.take(), Vec::new())
}

async fn a_repair_is_told_with_the_key_it_took(ground: &Ground) -> Verdict {
    let (store, told) = (damaged(ground, |bad| bad.value = flipped(&bad.value, 9)).await?, Told::default());
    told.listen(&store, "test", Detail::Values)?;
    store.verify(|_| {}).await?;
    same("what was told", told.take(), Vec::new())?;
    let taken = store.repair(|_| {}).await?.corrupt.iter().any(|bad| bad.set_aside);
    // A backing may have no place for what is damaged.
    same("what was told", told.take(), if taken { vec![batch(Op::Repair, &["bad"])] } else { Vec::new() })
}

async fn a_repair_is_told_without_a_key_that_cannot_be_read(ground: &Ground) -> Verdict {
    let (store, told) = (damaged(ground, |bad| bad.head = flipped(&bad.head, 30)).await?, Told::default());
    told.listen(&store, "test", Detail::Values)?;
    let taken = store.repair(|_| {}).await?.corrupt.iter().any(|bad| bad.set_aside);
    same("what was told", told.take(), if taken { vec![batch(Op::Repair, &[])] } else { Vec::new() })
}
