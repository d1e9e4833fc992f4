//! Write hooks: each write that succeeded is told, once, in the order of the writes to its key.

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Waker},
};

use bytes::Bytes;

use super::{
    Case, case,
    check::{Verdict, refused, same},
    damage::{damaged, flipped},
    ground::Ground,
    item::{int, key, names, object, text},
    poll::all,
    talk::{count, put, put_with, remove, update},
};
use crate::{
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    key::Key,
    store::{Answer, BatchEntry, Detail, Event, Op, Store, WriteOptions},
};

pub(super) const CASES: &[Case] = &[
    case!(every_kind_of_write_is_told),
    case!(what_was_not_written_is_not_told),
    case!(values_inside_are_told_with_their_path),
    case!(a_batch_is_told_once),
    case!(a_late_answer_is_told_when_it_is_written),
    case!(what_was_there_is_not_told_where_it_is_damaged),
    case!(writes_to_a_key_are_told_in_their_order),
    case!(a_hook_may_write),
    case!(a_hook_is_replaced_and_removed_by_its_id),
    case!(who_wants_keys_alone_gets_no_values),
    case!(after_close_nobody_is_told),
];

/// What a hook was told so far.
#[derive(Clone, Default)]
pub(super) struct Told(Arc<Mutex<Vec<Event>>>);

impl Told {
    pub(super) fn listen(&self, store: &Store, id: &str, detail: Detail) -> Result<()> {
        let told = self.0.clone();
        let hook = move |event: &Event| told.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        store.listen(id, detail, Arc::new(hook))
    }

    /// All of it, which is forgotten then.
    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) async fn listening(ground: &Ground) -> Verdict<(Store, Told)> {
    let (store, told) = (ground.open().await?, Told::default());
    told.listen(&store, "test", Detail::Values)?;
    Ok((store, told))
}

pub(super) fn event(op: Op, key: &str, values: &[Bytes], old_value: Option<Bytes>) -> Event {
    let mut event = Event::new(op, vec![name(key)]);
    event.values = values.to_vec();
    event.old_value = old_value;
    event
}

pub(super) fn name(text: &str) -> Key {
    key(text).key
}

async fn every_kind_of_write_is_told(ground: &Ground) -> Verdict {
    let (store, told) = listening(ground).await?;
    put(&store, &key("k"), &int(1)).await?;
    let by = object(&[("by", text("ada"))]);
    put_with(&store, &key("k"), &int(2), WriteOptions::default().meta_cbor(&by)?).await?;
    count(&store, &key("k")).await?;
    remove(&store, &key("k")).await?;
    let mut with_meta = event(Op::Assoc, "k", &[int(2)], Some(int(1)));
    with_meta.meta = by;
    let expected = vec![
        event(Op::Assoc, "k", &[int(1)], None),
        with_meta,
        event(Op::Update, "k", &[int(3)], Some(int(2))),
        event(Op::Dissoc, "k", &[], Some(int(3))),
    ];
    same("what was told", told.take(), expected)
}

async fn what_was_not_written_is_not_told(ground: &Ground) -> Verdict {
    let (store, told) = listening(ground).await?;
    remove(&store, &key("none")).await?;
    remove(&store, &names(&["none", "inside"])?).await?;
    store.multi_dissoc_cbor(&[name("none")]).await?;
    put(&store, &key("k"), &int(1)).await?;
    told.take();
    let failing = update(&store, &key("k"), |_| Err(Error::new(ErrorKind::Backend, "mine"))).await;
    refused("the update", failing, ErrorKind::Backend)?;
    refused("the path", put(&store, &names(&["k", "inside"])?, &int(1)).await, ErrorKind::InvalidPath)?;
    refused("the value", put(&store, &key("k"), &Bytes::from_static(&[0xff])).await, ErrorKind::InvalidValue)?;
    same("what was told", told.take(), Vec::new())
}

async fn values_inside_are_told_with_their_path(ground: &Ground) -> Verdict {
    let (store, told) = listening(ground).await?;
    let path = names(&["k", "a", "b"])?;
    put(&store, &path, &int(1)).await?;
    count(&store, &path).await?;
    remove(&store, &path).await?;
    let inside = |op, values: &[Bytes], old| {
        let mut event = event(op, "k", values, old);
        event.steps.clone_from(&path.steps);
        event
    };
    let expected = vec![
        inside(Op::AssocIn, &[int(1)], None),
        inside(Op::UpdateIn, &[int(2)], Some(int(1))),
        inside(Op::DissocIn, &[], Some(int(2))),
    ];
    same("what was told", told.take(), expected)
}

async fn a_batch_is_told_once(ground: &Ground) -> Verdict {
    let (store, told) = listening(ground).await?;
    let entry = |key, n| BatchEntry { key: name(key), value: int(n), options: WriteOptions::default() };
    let by = object(&[("by", text("ada"))]);
    let entries = vec![entry("z", 1), entry("a", 2), entry("z", 3)];
    store.multi_assoc_cbor(entries, WriteOptions::default().meta_cbor(&by)?).await?;
    store.multi_dissoc_cbor(&["z", "none", "a", "z"].map(name)).await?;
    let mut put = event(Op::MultiAssoc, "z", &[int(1), int(2), int(3)], None);
    put.keys = ["z", "a", "z"].map(name).to_vec();
    put.meta = by;
    let mut gone = event(Op::MultiDissoc, "a", &[], None);
    gone.keys = ["a", "z"].map(name).to_vec();
    same("what was told", told.take(), vec![put, gone])
}

async fn a_late_answer_is_told_when_it_is_written(ground: &Ground) -> Verdict {
    let (store, told) = listening(ground).await?;
    update(&store, &key("k"), |_| Ok(Answer::Later(Box::pin(async { Ok(int(5)) })))).await?;
    same("what was told", told.take(), vec![event(Op::Update, "k", &[int(5)], None)])
}

async fn what_was_there_is_not_told_where_it_is_damaged(ground: &Ground) -> Verdict {
    let (store, told) = (damaged(ground, |bad| bad.value = flipped(&bad.value, 9)).await?, Told::default());
    told.listen(&store, "test", Detail::Values)?;
    put(&store, &key("bad"), &int(1)).await?;
    same("what was told", told.take(), vec![event(Op::Assoc, "bad", &[int(1)], None)])
}

/// Also where they share a transaction.
async fn writes_to_a_key_are_told_in_their_order(ground: &Ground) -> Verdict {
    let (store, told) = listening(ground).await?;
    let mut calls: Vec<BoxFut<'_, Result<()>>> = Vec::new();
    for n in 0..100 {
        let store = &store;
        if n % 3 == 0 {
            calls.push(Box::pin(async move { put(store, &key("k"), &int(n)).await }));
        } else {
            calls.push(Box::pin(async move { count(store, &key("k")).await }));
        }
        calls.push(Box::pin(async move { put(store, &key("other"), &int(n)).await }));
    }
    all(calls).await.into_iter().collect::<Result<Vec<_>>>()?;
    let told = told.take();
    let of = |wanted: &str| told.iter().filter(|event| event.keys == [name(wanted)]).collect::<Vec<_>>();
    for (at, expected) in [("k", None), ("other", Some(Op::Assoc))] {
        let events = of(at);
        same("how many were told", events.len(), 100)?;
        for (n, event) in (0..).zip(events) {
            let before = (n > 0).then(|| int(n - 1));
            same("the value", event.values.clone(), vec![int(n)])?;
            same("what was there before", event.old_value.clone(), before)?;
            same("what was done", expected.is_none_or(|op| op == event.op), true)?;
        }
    }
    Ok(())
}

async fn a_hook_may_write(ground: &Ground) -> Verdict {
    let (store, told) = listening(ground).await?;
    let (other, waiting) = (store.clone(), Arc::new(Mutex::new(Vec::new())));
    let unfinished = waiting.clone();
    let hook = move |event: &Event| {
        let Some(value) = event.values.first().cloned().filter(|_| event.keys == [name("k")]) else { return };
        let store = other.clone();
        let mut copying: BoxFut<'static, Result<()>> = Box::pin(async move { put(&store, &key("copy"), &value).await });
        if copying.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            unfinished.lock().unwrap_or_else(PoisonError::into_inner).push(copying);
        }
    };
    store.listen("copies", Detail::Values, Arc::new(hook))?;
    put(&store, &key("k"), &int(1)).await?;
    put(&store, &key("k"), &int(2)).await?;
    let waiting = std::mem::take(&mut *waiting.lock().unwrap_or_else(PoisonError::into_inner));
    all(waiting).await.into_iter().collect::<Result<Vec<_>>>()?;
    let told = told.take();
    for key in ["k", "copy"] {
        let events = told.iter().filter(|event| event.keys == [name(key)]);
        let values: Vec<_> = events.flat_map(|event| event.values.clone()).collect();
        same("what was told", values, vec![int(1), int(2)])?;
    }
    Ok(())
}

async fn a_hook_is_replaced_and_removed_by_its_id(ground: &Ground) -> Verdict {
    let (store, first) = listening(ground).await?;
    let (second, third) = (Told::default(), Told::default());
    second.listen(&store, "test", Detail::Values)?;
    third.listen(&store, "other", Detail::Values)?;
    put(&store, &key("k"), &int(1)).await?;
    same("what each was told", [&first, &second, &third].map(|told| told.take().len()), [0, 1, 1])?;
    store.remove_write_hook("test");
    store.remove_write_hook("test");
    store.remove_write_hook("none");
    put(&store, &key("k"), &int(2)).await?;
    same("what each was told", [&first, &second, &third].map(|told| told.take().len()), [0, 0, 1])
}

async fn who_wants_keys_alone_gets_no_values(ground: &Ground) -> Verdict {
    let (store, told) = (ground.open().await?, Told::default());
    told.listen(&store, "keys", Detail::Keys)?;
    put(&store, &key("k"), &int(1)).await?;
    count(&store, &key("k")).await?;
    remove(&store, &key("k")).await?;
    let expected = [Op::Assoc, Op::Update, Op::Dissoc].map(|op| event(op, "k", &[], None));
    same("what was told", told.take(), expected.to_vec())
}

async fn after_close_nobody_is_told(ground: &Ground) -> Verdict {
    let (store, told) = listening(ground).await?;
    put(&store, &key("k"), &int(1)).await?;
    store.close().await?;
    same("what was told", told.take().len(), 1)?;
    refused("a hook", told.listen(&store, "late", Detail::Keys), ErrorKind::Closed)?;
    put(&ground.reopen().await?, &key("k"), &int(2)).await?;
    same("what was told", told.take(), Vec::new())
}
