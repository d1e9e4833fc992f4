//! Updates: atomic, whatever their function does.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;

use super::{
    Case, case,
    check::{Verdict, ensure, refused, same, same_item},
    ground::Ground,
    item::{array, int, key, names, object, path, positive, text},
    poll::pause,
    talk::{count, holds, is_absent, one_more, put, remove, update},
};
use crate::{
    error::{Error, ErrorKind, Result},
    store::{Answer, Store},
};

pub(super) const CASES: &[Case] = &[
    case!(an_update_sees_the_old_value_and_writes_the_new),
    case!(an_update_of_nothing_sees_nothing),
    case!(an_update_sees_only_what_is_at_the_path),
    case!(an_error_of_the_function_comes_back_and_changes_nothing),
    case!(an_answer_that_is_no_value_is_refused),
    case!(an_update_through_what_has_no_members_is_refused),
    case!(a_late_answer_is_written),
    case!(a_late_answer_is_written_at_its_path),
    case!(a_late_error_comes_back_and_changes_nothing),
    case!(a_late_answer_that_is_no_value_is_refused),
    case!(a_write_in_between_makes_the_function_be_asked_again),
    case!(a_deletion_in_between_makes_the_function_be_asked_again),
    case!(a_creation_in_between_makes_the_function_be_asked_again),
    case!(a_function_may_answer_at_once_when_asked_again),
    case!(thirty_two_writes_in_between_are_a_conflict),
];

async fn an_update_sees_the_old_value_and_writes_the_new(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &int(41)).await?;
    let (saw, see) = sight();
    update(&store, &key("k"), move |old| {
        see(old);
        Ok(Answer::Now(one_more(old)?))
    })
    .await?;
    same_item("what the function saw", saw().as_deref(), Some(&int(41)))?;
    holds(&store, &key("k"), &int(42)).await?;
    holds(&ground.reopen().await?, &key("k"), &int(42)).await
}

/// What a function sees last: to tell it, and to be told.
fn sight() -> (impl Fn() -> Option<Bytes>, impl Fn(Option<&[u8]>) + Clone) {
    let seen = Arc::new(Mutex::new(None));
    let seeing = seen.clone();
    let see = move |old: Option<&[u8]>| {
        *seeing.lock().unwrap_or_else(PoisonError::into_inner) = old.map(Bytes::copy_from_slice);
    };
    (move || seen.lock().unwrap_or_else(PoisonError::into_inner).clone(), see)
}

async fn an_update_of_nothing_sees_nothing(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let (saw, see) = sight();
    see(Some(&text("not called")));
    update(&store, &key("k"), move |old| {
        see(old);
        Ok(Answer::Now(int(1)))
    })
    .await?;
    same_item("what the function saw", saw().as_deref(), None)?;
    holds(&store, &key("k"), &int(1)).await
}

async fn an_update_sees_only_what_is_at_the_path(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &object(&[("n", int(1)), ("list", array(&[int(7)]))])).await?;
    count(&store, &names(&["k", "n"])?).await?;
    count(&store, &path(&[text("k"), text("list"), int(0)])?).await?;
    count(&store, &path(&[text("k"), text("list"), int(1)])?).await?;
    count(&store, &names(&["k", "new", "n"])?).await?;
    let list = array(&[int(8), int(1)]);
    let expected = object(&[("n", int(2)), ("list", list), ("new", object(&[("n", int(1))]))]);
    holds(&store, &key("k"), &expected).await
}

async fn an_error_of_the_function_comes_back_and_changes_nothing(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &int(1)).await?;
    let fail = |_: Option<&[u8]>| Err(Error::new(ErrorKind::NotALog, "mine"));
    for at in [key("k"), key("none")] {
        let error = refused("the update", update(&store, &at, fail).await, ErrorKind::NotALog)?;
        same("its message", error.message(), "mine")?;
        same("its key", error.key(), Some(at.key.as_cbor()))?;
    }
    holds(&store, &key("k"), &int(1)).await?;
    is_absent(&store, &key("none")).await?;
    count(&store, &key("k")).await?;
    holds(&store, &key("k"), &int(2)).await
}

async fn an_answer_that_is_no_value_is_refused(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &int(1)).await?;
    for at in [key("k"), key("none"), names(&["none", "a"])?] {
        let cut = |_: Option<&[u8]>| Ok(Answer::Now(Bytes::from_static(&[0x61])));
        refused("the update", update(&store, &at, cut).await, ErrorKind::InvalidValue)?;
    }
    holds(&store, &key("k"), &int(1)).await?;
    is_absent(&store, &key("none")).await
}

async fn an_update_through_what_has_no_members_is_refused(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &int(1)).await?;
    refused("the update", count(&store, &names(&["k", "a"])?).await, ErrorKind::InvalidPath)?;
    holds(&store, &key("k"), &int(1)).await
}

/// Answers after a while with one more than it saw.
fn slowly(old: Option<&[u8]>) -> Result<Answer> {
    let new = one_more(old)?;
    Ok(Answer::Later(Box::pin(async move {
        pause().await;
        Ok(new)
    })))
}

async fn a_late_answer_is_written(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    update(&store, &key("k"), slowly).await?;
    update(&store, &key("k"), slowly).await?;
    holds(&store, &key("k"), &int(2)).await?;
    holds(&ground.reopen().await?, &key("k"), &int(2)).await
}

async fn a_late_answer_is_written_at_its_path(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &object(&[("a", int(1)), ("b", int(5))])).await?;
    update(&store, &names(&["k", "a"])?, slowly).await?;
    update(&store, &names(&["k", "c", "d"])?, slowly).await?;
    let expected = object(&[("a", int(2)), ("b", int(5)), ("c", object(&[("d", int(1))]))]);
    holds(&store, &key("k"), &expected).await
}

async fn a_late_error_comes_back_and_changes_nothing(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &int(1)).await?;
    let fail = |_: Option<&[u8]>| {
        Ok(Answer::Later(Box::pin(async {
            pause().await;
            Err(Error::new(ErrorKind::NotBinary, "mine"))
        })))
    };
    let error = refused("the update", update(&store, &key("k"), fail).await, ErrorKind::NotBinary)?;
    same("its message", error.message(), "mine")?;
    holds(&store, &key("k"), &int(1)).await?;
    update(&store, &key("k"), slowly).await?;
    holds(&store, &key("k"), &int(2)).await
}

async fn a_late_answer_that_is_no_value_is_refused(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &int(1)).await?;
    let cut = |_: Option<&[u8]>| Ok(Answer::Later(Box::pin(async { Ok(Bytes::from_static(&[0x61])) })));
    refused("the update", update(&store, &key("k"), cut).await, ErrorKind::InvalidValue)?;
    holds(&store, &key("k"), &int(1)).await
}

/// What somebody does to a key in the meantime.
#[derive(Clone, Copy)]
enum Meddling {
    Put(i64),
    Delete,
}

async fn meddle(store: Store, meddling: Meddling) -> Result<()> {
    match meddling {
        Meddling::Put(n) => put(&store, &key("k"), &int(n)).await,
        Meddling::Delete => remove(&store, &key("k")).await.map(drop),
    }
}

/// Updates a number while somebody meddles once; how often the function was called.
async fn meddled(store: &Store, meddling: Meddling) -> Result<u64> {
    let calls = Arc::new(AtomicU64::new(0));
    let (counting, meddler) = (calls.clone(), store.clone());
    update(store, &key("k"), move |old| {
        let first = counting.fetch_add(1, Ordering::SeqCst) == 0;
        let (new, meddler) = (one_more(old)?, meddler.clone());
        Ok(Answer::Later(Box::pin(async move {
            if first {
                meddle(meddler, meddling).await?;
            }
            Ok(new)
        })))
    })
    .await?;
    Ok(calls.load(Ordering::SeqCst))
}

async fn a_write_in_between_makes_the_function_be_asked_again(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &int(1)).await?;
    same("calls of the function", meddled(&store, Meddling::Put(10)).await?, 2)?;
    holds(&store, &key("k"), &int(11)).await
}

async fn a_deletion_in_between_makes_the_function_be_asked_again(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &int(5)).await?;
    same("calls of the function", meddled(&store, Meddling::Delete).await?, 2)?;
    holds(&store, &key("k"), &int(1)).await
}

async fn a_creation_in_between_makes_the_function_be_asked_again(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    same("calls of the function", meddled(&store, Meddling::Put(7)).await?, 2)?;
    holds(&store, &key("k"), &int(8)).await
}

async fn a_function_may_answer_at_once_when_asked_again(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &int(1)).await?;
    let (mut first, meddler) = (true, store.clone());
    update(&store, &key("k"), move |old| {
        if !std::mem::take(&mut first) {
            return Ok(Answer::Now(one_more(old)?));
        }
        let meddler = meddler.clone();
        Ok(Answer::Later(Box::pin(async move { meddle(meddler, Meddling::Put(20)).await.map(|()| text("lost")) })))
    })
    .await?;
    holds(&store, &key("k"), &int(21)).await
}

async fn thirty_two_writes_in_between_are_a_conflict(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let k = &key("k");
    put(&store, k, &int(0)).await?;
    let calls = Arc::new(AtomicU64::new(0));
    let (counting, meddler) = (calls.clone(), store.clone());
    let updated = update(&store, k, move |_| {
        let n = counting.fetch_add(1, Ordering::SeqCst) + 1;
        let meddler = meddler.clone();
        Ok(Answer::Later(Box::pin(async move {
            put(&meddler, &key("k"), &positive(n)).await?;
            Ok(text("never written"))
        })))
    });
    refused("the update", updated.await, ErrorKind::Conflict)?;
    ensure(calls.load(Ordering::SeqCst) >= 32, "the function is asked 32 times at least")?;
    holds(&store, k, &int(32)).await
}
