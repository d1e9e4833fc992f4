//! Many calls at once on one store.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use bytes::Bytes;

use super::{
    Case, Need, case,
    check::{Verdict, ensure, same},
    ground::Ground,
    item::{array, filled, int, key, names, object, text},
    poll::{all, at_once, begin, beside, pause},
    talk::{count, holds, is_absent, lacks, one_more, put, reads_are_whole, remove, update},
};
use crate::{
    env::BoxFut,
    error::Result,
    key::Path,
    store::{Answer, Query, Store},
};

pub(super) const CASES: &[Case] = &[
    case!(hundreds_of_updates_of_one_key_lose_nothing),
    case!(updates_of_many_keys_lose_nothing),
    case!(updates_at_paths_of_one_value_lose_nothing),
    case!(late_answers_lose_nothing),
    case!(late_answers_among_others_lose_nothing),
    case!(the_last_of_several_calls_wins),
    case!(calls_on_one_key_happen_in_their_order),
    case!(a_read_sees_the_writes_that_were_called_before_it),
    case!(readers_see_only_whole_values),
    case!(a_call_that_is_given_up_holds_nobody_up),
    case!(a_function_that_takes_its_time_holds_nobody_up),
    case!(writes_while_listing_are_whole),
    case!(an_immediate_store_never_waits).needs(Need::Immediate),
];

type Calls<'a, T = ()> = Vec<BoxFut<'a, Result<T>>>;

async fn every(calls: Calls<'_>) -> Result<()> {
    all(calls).await.into_iter().collect()
}

/// Adds one, after a while.
async fn count_slowly(store: &Store, path: &Path) -> Result<()> {
    update(store, path, |old| {
        let new = one_more(old)?;
        Ok(Answer::Later(Box::pin(async move {
            pause().await;
            Ok(new)
        })))
    })
    .await
}

async fn hundreds_of_updates_of_one_key_lose_nothing(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let k = &key("k");
    every((0..300).map(|_| Box::pin(count(store, k)) as _).collect()).await?;
    holds(store, k, &int(300)).await?;
    holds(&ground.reopen().await?, k, &int(300)).await
}

async fn updates_of_many_keys_lose_nothing(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let keys: Vec<_> = (0..20).map(|n| key(&n.to_string())).collect();
    let mut calls: Calls<'_> = Vec::new();
    for _ in 0..15 {
        for k in &keys {
            calls.push(Box::pin(count(store, k)));
            calls.push(Box::pin(async move { store.get_cbor(k).await.map(drop) }));
        }
    }
    every(calls).await?;
    for k in &keys {
        holds(store, k, &int(15)).await?;
    }
    Ok(())
}

async fn updates_at_paths_of_one_value_lose_nothing(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let paths = [names(&["k", "a"])?, names(&["k", "b", "c"])?];
    let calls = (0..50).flat_map(|_| &paths).map(|path| Box::pin(count(store, path)) as _);
    every(calls.collect()).await?;
    holds(store, &key("k"), &object(&[("a", int(50)), ("b", object(&[("c", int(50))]))])).await
}

async fn late_answers_lose_nothing(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let k = &key("k");
    every((0..50).map(|_| Box::pin(count_slowly(store, k)) as _).collect()).await?;
    holds(store, k, &int(50)).await
}

async fn late_answers_among_others_lose_nothing(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let k = &key("k");
    let mut calls: Calls<'_> = Vec::new();
    for _ in 0..20 {
        calls.push(Box::pin(count_slowly(store, k)));
        calls.push(Box::pin(count(store, k)));
    }
    every(calls).await?;
    holds(store, k, &int(40)).await
}

async fn the_last_of_several_calls_wins(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let k = &key("k");
    // The large ones take longer.
    let value = |n: usize| filled(if n.is_multiple_of(2) { 200_000 + n } else { n });
    let values: Vec<_> = (0..40).map(value).collect();
    every(values.iter().map(|value| Box::pin(put(store, k, value)) as _).collect()).await?;
    holds(store, k, &value(39)).await?;
    holds(&ground.reopen().await?, k, &value(39)).await
}

async fn calls_on_one_key_happen_in_their_order(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let (k, one) = (&key("k"), &int(1));
    let mut calls: Calls<'_, Option<bool>> = Vec::new();
    for _ in 0..10 {
        calls.push(Box::pin(async move { put(store, k, one).await.map(|()| None) }));
        calls.push(Box::pin(async move { count(store, k).await.map(|()| None) }));
        calls.push(Box::pin(async move { remove(store, k).await.map(Some) }));
        calls.push(Box::pin(async move { remove(store, k).await.map(Some) }));
        calls.push(Box::pin(async move { count(store, k).await.map(|()| None) }));
    }
    let told: Result<Vec<_>> = all(calls).await.into_iter().collect();
    let expected = [None, None, Some(true), Some(false), None].repeat(10);
    same("what the calls told", told?, expected)?;
    holds(store, k, one).await
}

async fn a_read_sees_the_writes_that_were_called_before_it(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let k = &key("k");
    let values: Vec<_> = (0..20).map(|n| filled(n * 200)).collect();
    let mut calls: Vec<BoxFut<'_, Verdict>> = Vec::new();
    for value in &values {
        calls.push(Box::pin(async move { Ok(put(store, k, value).await?) }));
        calls.push(Box::pin(async move { holds(store, k, value).await }));
    }
    calls.push(Box::pin(async move { same("whether it was there", remove(store, k).await?, true) }));
    calls.push(Box::pin(async move { lacks(store, k).await }));
    all(calls).await.into_iter().collect()
}

async fn readers_see_only_whole_values(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let k = &key("k");
    let value = |n: i64| {
        let many = if n % 2 == 0 { 1000 } else { 10 };
        array(&vec![int(n); many])
    };
    let written: Vec<_> = (0..30).map(value).collect();
    reads_are_whole(store, store, k, &written).await
}

async fn a_call_that_is_given_up_holds_nobody_up(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let (k, values) = (&key("k"), [filled(10), filled(100_000)]);
    for value in values.iter().cycle().take(20) {
        let mut given_up: Calls<'_> = vec![
            Box::pin(put(store, k, value)),
            Box::pin(update(store, k, |_| {
                Ok(Answer::Later(Box::pin(async {
                    pause().await;
                    Ok(text("late"))
                })))
            })),
            Box::pin(async move { remove(store, k).await.map(drop) }),
            Box::pin(async move { store.get_cbor(k).await.map(drop) }),
        ];
        for call in &mut given_up {
            begin(call).await.transpose()?;
            pause().await;
        }
        drop(given_up);
        put(store, k, value).await?;
        holds(store, k, value).await?;
    }
    remove(store, k).await?;
    is_absent(store, k).await
}

async fn a_function_that_takes_its_time_holds_nobody_up(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let (k, other) = (&key("k"), &key("other"));
    put(store, k, &int(1)).await?;
    let asking = Arc::new(AtomicBool::new(false));
    let told = asking.clone();
    let stuck = update(store, k, move |_| {
        asking.store(true, Ordering::SeqCst);
        Ok(Answer::Later(Box::pin(std::future::pending::<Result<Bytes>>())))
    });
    let meanwhile: BoxFut<'_, Verdict> = Box::pin(async move {
        // Looked at whenever the update has got on.
        poll_fn(|_| if told.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }).await;
        holds(store, k, &int(1)).await?;
        put(store, k, &int(2)).await?;
        count(store, k).await?;
        put(store, other, &text("x")).await?;
        holds(store, k, &int(3)).await
    });
    beside(Box::pin(stuck), meanwhile).await?;
    count_slowly(store, k).await?;
    holds(store, k, &int(4)).await
}

async fn writes_while_listing_are_whole(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let keys: Vec<_> = (0..30).map(|n| key(&n.to_string())).collect();
    let values = [filled(20), filled(3000)];
    for k in &keys {
        put(store, k, &filled(20)).await?;
    }
    let mut calls: Vec<BoxFut<'_, Verdict>> = Vec::new();
    for (k, value) in keys.iter().flat_map(|k| values.iter().map(move |value| (k, value))) {
        calls.push(Box::pin(async move { Ok(put(store, k, value).await?) }));
    }
    for _ in 0..5 {
        let values = &values;
        calls.push(Box::pin(async move {
            let found = super::talk::entries(store, Query::default()).await?;
            same("how many entries there are", found.len(), 30)?;
            ensure(found.iter().all(|(_, value)| values.contains(value)), "every value is one that was written")
        }));
    }
    all(calls).await.into_iter().collect()
}

async fn an_immediate_store_never_waits(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let k = &key("k");
    ensure(store.is_immediate(), "the store says so too")?;
    let value = filled(300_000);
    let mut calls: Calls<'_> = Vec::new();
    calls.push(Box::pin(put(store, k, &value)));
    calls.push(Box::pin(async move { store.get_cbor(k).await.map(drop) }));
    calls.push(Box::pin(async move { store.meta(&k.key).await.map(drop) }));
    calls.push(Box::pin(async move { super::talk::keys(store, Query::default()).await.map(drop) }));
    calls.push(Box::pin(async move { super::talk::entries(store, Query::default()).await.map(drop) }));
    calls.push(Box::pin(async move { store.verify(|_| {}).await.map(drop) }));
    calls.push(Box::pin(async move { remove(store, k).await.map(drop) }));
    calls.push(Box::pin(count(store, k)));
    calls.push(Box::pin(async move { store.close().await }));
    for (n, call) in calls.into_iter().enumerate() {
        match at_once(call) {
            Some(done) => done?,
            None => ensure(false, &format!("call {n} is ready at the first poll"))?,
        }
    }
    Ok(())
}
