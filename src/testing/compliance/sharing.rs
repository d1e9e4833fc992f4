//! Two stores that are open on one place: as two tabs, or two processes, have it.

use super::{
    Case, Need, case,
    check::{Verdict, same},
    ground::Ground,
    item::{filled, int, key, text},
    poll::{all, pause},
    talk::{count, holds, is_absent, keys, meta_of, one_more, put, reads_are_whole, remove, update},
};
use crate::{
    env::BoxFut,
    error::Result,
    store::{Answer, Query, Store},
};

pub(super) const CASES: &[Case] = &[
    case!(two_open_stores_are_one).needs(Need::Shared),
    case!(what_one_writes_the_other_reads).needs(Need::Shared),
    case!(what_one_deletes_the_other_does_not_find).needs(Need::Shared),
    case!(updates_of_two_stores_lose_nothing).needs(Need::Shared),
    case!(late_answers_of_two_stores_lose_nothing).needs(Need::Shared),
    case!(the_other_s_write_makes_a_function_be_asked_again).needs(Need::Shared),
    case!(readers_see_only_whole_values_of_the_other).needs(Need::Shared),
    case!(one_store_being_closed_leaves_the_other_open).needs(Need::Shared),
    case!(a_place_is_opened_by_many_at_once).needs(Need::Shared),
];

async fn two(ground: &Ground) -> Verdict<(Store, Store)> {
    let one = ground.open().await?;
    Ok((one, ground.connect_with(ground.config()).await?))
}

async fn two_open_stores_are_one(ground: &Ground) -> Verdict {
    let (one, other) = two(ground).await?;
    same("their ids", one.id(), other.id())?;
    same("when they were made", one.created(), other.created())
}

async fn what_one_writes_the_other_reads(ground: &Ground) -> Verdict {
    let (one, other) = two(ground).await?;
    for size in [10, 5000, 1_200_000, 0] {
        put(&one, &key("k"), &filled(size)).await?;
        holds(&other, &key("k"), &filled(size)).await?;
        same("the metadata", meta_of(&one, &key("k")).await?, meta_of(&other, &key("k")).await?)?;
        put(&other, &key("k"), &filled(size + 1)).await?;
        holds(&one, &key("k"), &filled(size + 1)).await?;
    }
    Ok(())
}

async fn what_one_deletes_the_other_does_not_find(ground: &Ground) -> Verdict {
    let (one, other) = two(ground).await?;
    put(&one, &key("k"), &int(1)).await?;
    same("whether it was there", remove(&other, &key("k")).await?, true)?;
    is_absent(&one, &key("k")).await?;
    same("whether it was still there", remove(&one, &key("k")).await?, false)
}

async fn count_slowly(store: &Store) -> Result<()> {
    update(store, &key("k"), |old| {
        let new = one_more(old)?;
        Ok(Answer::Later(Box::pin(async move {
            pause().await;
            Ok(new)
        })))
    })
    .await
}

async fn updates_of_two_stores_lose_nothing(ground: &Ground) -> Verdict {
    let (one, other) = &two(ground).await?;
    let k = &key("k");
    let calls: Vec<BoxFut<'_, Result<()>>> =
        (0..100).flat_map(|_| [one, other]).map(|store| Box::pin(count(store, k)) as _).collect();
    all(calls).await.into_iter().collect::<Result<()>>()?;
    holds(one, k, &int(200)).await?;
    holds(other, k, &int(200)).await
}

async fn late_answers_of_two_stores_lose_nothing(ground: &Ground) -> Verdict {
    let (one, other) = &two(ground).await?;
    let calls: Vec<BoxFut<'_, Result<()>>> =
        (0..10).flat_map(|_| [one, other]).map(|store| Box::pin(count_slowly(store)) as _).collect();
    all(calls).await.into_iter().collect::<Result<()>>()?;
    holds(one, &key("k"), &int(20)).await
}

async fn the_other_s_write_makes_a_function_be_asked_again(ground: &Ground) -> Verdict {
    let (one, other) = two(ground).await?;
    put(&one, &key("k"), &int(1)).await?;
    let mut first = true;
    update(&one, &key("k"), move |old| {
        let (new, other) = (one_more(old)?, std::mem::take(&mut first).then(|| other.clone()));
        Ok(Answer::Later(Box::pin(async move {
            if let Some(other) = other {
                put(&other, &key("k"), &int(10)).await?;
            }
            Ok(new)
        })))
    })
    .await?;
    holds(&one, &key("k"), &int(11)).await
}

async fn readers_see_only_whole_values_of_the_other(ground: &Ground) -> Verdict {
    let (one, other) = &two(ground).await?;
    let (k, values) = (&key("k"), [filled(10), filled(100_000), filled(2000)]);
    put(one, k, &filled(10)).await?;
    let written: Vec<_> = values.iter().cycle().take(20).cloned().collect();
    reads_are_whole(one, other, k, &written).await
}

async fn one_store_being_closed_leaves_the_other_open(ground: &Ground) -> Verdict {
    let (one, other) = two(ground).await?;
    put(&one, &key("k"), &text("v")).await?;
    one.close().await?;
    holds(&other, &key("k"), &text("v")).await?;
    count(&other, &key("n")).await?;
    same("the keys", keys(&other, Query::default()).await?.len(), 2)?;
    let third = ground.connect_with(ground.config()).await?;
    holds(&third, &key("n"), &int(1)).await
}

async fn a_place_is_opened_by_many_at_once(ground: &Ground) -> Verdict {
    let calls: Vec<BoxFut<'_, Result<Store>>> = (0..8).map(|_| Box::pin(ground.open()) as _).collect();
    let stores: Vec<_> = all(calls).await.into_iter().collect::<Result<_>>()?;
    let Some(first) = stores.first() else { return Ok(()) };
    for store in &stores {
        same("the id", store.id(), first.id())?;
        count(store, &key("k")).await?;
    }
    holds(first, &key("k"), &int(8)).await
}
