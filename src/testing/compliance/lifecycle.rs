//! Making, opening, closing and deleting stores.

use super::{
    Case, case,
    check::{Verdict, ensure, refused, same},
    ground::Ground,
    item::{filled, int, key, text},
    poll::{all, begin},
    talk::{count, holds, is_absent, keys, meta_of, put, remove},
};
use crate::{
    env::BoxFut,
    error::{ErrorKind, Result},
    name::Uuid,
    store::{Query, connect_store, create_store, delete_store, open_store, store_exists},
};

pub(super) const CASES: &[Case] = &[
    case!(a_store_is_there_once_it_was_created),
    case!(creating_over_a_store_is_refused_and_harms_nothing),
    case!(connecting_to_nothing_is_refused_and_makes_nothing),
    case!(asking_whether_a_store_exists_makes_none),
    case!(opening_makes_a_store_once),
    case!(reopening_keeps_everything),
    case!(a_deleted_store_is_gone_with_all_it_held),
    case!(deleting_nothing_succeeds),
    case!(the_id_that_was_given_is_kept),
    case!(another_id_is_refused_and_harms_nothing),
    case!(when_a_store_was_made_is_kept),
    case!(every_call_on_a_closed_store_is_refused),
    case!(closing_twice_succeeds),
    case!(a_clone_is_the_same_store),
    case!(writes_under_way_finish_before_the_store_is_closed),
    case!(stores_in_two_places_know_nothing_of_each_other),
];

const ID: Uuid = Uuid::from_bytes(*b"\x01\x23\x45\x67\x89\xab\x4d\xef\x81\x23\x45\x67\x89\xab\xcd\xef");

async fn a_store_is_there_once_it_was_created(ground: &Ground) -> Verdict {
    same("before", store_exists(ground.config()).await?, false)?;
    let store = ground.create_with(ground.config()).await?;
    same("after", store_exists(ground.config()).await?, true)?;
    put(&store, &key("k"), &int(1)).await?;
    let again = ground.reopen().await?;
    holds(&again, &key("k"), &int(1)).await
}

async fn creating_over_a_store_is_refused_and_harms_nothing(ground: &Ground) -> Verdict {
    let store = ground.create_with(ground.config()).await?;
    put(&store, &key("k"), &int(1)).await?;
    refused("while it is open", create_store(ground.config()).await, ErrorKind::StoreExists)?;
    holds(&store, &key("k"), &int(1)).await?;
    ground.leave().await?;
    refused("when it is closed", create_store(ground.config()).await, ErrorKind::StoreExists)?;
    holds(&ground.reopen().await?, &key("k"), &int(1)).await
}

async fn connecting_to_nothing_is_refused_and_makes_nothing(ground: &Ground) -> Verdict {
    refused("connecting", connect_store(ground.config()).await, ErrorKind::StoreNotFound)?;
    refused("again", connect_store(ground.config()).await, ErrorKind::StoreNotFound)?;
    same("whether a store exists", store_exists(ground.config()).await?, false)
}

async fn asking_whether_a_store_exists_makes_none(ground: &Ground) -> Verdict {
    for _ in 0..2 {
        same("whether a store exists", store_exists(ground.config()).await?, false)?;
    }
    refused("connecting", connect_store(ground.config()).await, ErrorKind::StoreNotFound).map(drop)
}

async fn opening_makes_a_store_once(ground: &Ground) -> Verdict {
    let first = ground.open().await?.id();
    ground.leave().await?;
    same("the id", ground.open().await?.id(), first)
}

async fn reopening_keeps_everything(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let sizes = [0, 1, 100, 1500, 2500, 70_000, 1_200_000];
    for size in sizes {
        put(&store, &key(&size.to_string()), &filled(size)).await?;
    }
    put(&store, &key("gone"), &int(1)).await?;
    remove(&store, &key("gone")).await?;
    let before = meta_of(&store, &key("100")).await?;
    let id = store.id();
    let store = ground.reopen().await?;
    same("the id", store.id(), id)?;
    for size in sizes {
        holds(&store, &key(&size.to_string()), &filled(size)).await?;
    }
    is_absent(&store, &key("gone")).await?;
    same("the metadata", meta_of(&store, &key("100")).await?, before)
}

async fn a_deleted_store_is_gone_with_all_it_held(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let id = store.id();
    for size in [10, 5000, 1_200_000] {
        put(&store, &key(&size.to_string()), &filled(size)).await?;
    }
    ground.leave().await?;
    delete_store(ground.config()).await?;
    same("whether a store exists", store_exists(ground.config()).await?, false)?;
    refused("connecting", connect_store(ground.config()).await, ErrorKind::StoreNotFound)?;
    let store = ground.open().await?;
    ensure(store.id() != id, "a new store has a new id")?;
    same("the keys of the new store", keys(&store, Query::default()).await?, Vec::new())?;
    is_absent(&store, &key("5000")).await
}

async fn deleting_nothing_succeeds(ground: &Ground) -> Verdict {
    delete_store(ground.config()).await?;
    ground.open().await?;
    ground.leave().await?;
    delete_store(ground.config()).await?;
    delete_store(ground.config()).await?;
    same("whether a store exists", store_exists(ground.config()).await?, false)
}

async fn the_id_that_was_given_is_kept(ground: &Ground) -> Verdict {
    same("when made", ground.create_with(ground.config().id(ID)).await?.id(), ID)?;
    same("when connected to", ground.reopen().await?.id(), ID)?;
    ground.leave().await?;
    same("when asked for", ground.connect_with(ground.config().id(ID)).await?.id(), ID)
}

async fn another_id_is_refused_and_harms_nothing(ground: &Ground) -> Verdict {
    let store = ground.create_with(ground.config()).await?;
    put(&store, &key("k"), &int(1)).await?;
    ground.leave().await?;
    refused("connecting", connect_store(ground.config().id(ID)).await, ErrorKind::InvalidConfig)?;
    refused("opening", open_store(ground.config().id(ID)).await, ErrorKind::InvalidConfig)?;
    holds(&ground.reopen().await?, &key("k"), &int(1)).await
}

async fn when_a_store_was_made_is_kept(ground: &Ground) -> Verdict {
    let created = ground.open().await?.created();
    ensure(created > 0, "a store knows when it was made")?;
    same("when it was made", ground.reopen().await?.created(), created)
}

async fn every_call_on_a_closed_store_is_refused(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let k = key("k");
    put(&store, &k, &int(1)).await?;
    store.close().await?;
    let closed = ErrorKind::Closed;
    refused("get", store.get_cbor(&k).await, closed)?;
    refused("exists", store.exists_key(&k.key).await, closed)?;
    refused("metadata", store.meta(&k.key).await, closed)?;
    refused("assoc", put(&store, &k, &int(2)).await, closed)?;
    refused("update", count(&store, &k).await, closed)?;
    refused("dissoc", remove(&store, &k).await, closed)?;
    refused("keys", store.list_keys(Query::default()).map(drop), closed)?;
    refused("entries", store.list_entries(Query::default()).map(drop), closed)?;
    refused("verify", store.verify(|_| {}).await, closed)?;
    holds(&ground.reopen().await?, &k, &int(1)).await
}

async fn closing_twice_succeeds(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    store.close().await?;
    store.close().await?;
    Ok(())
}

async fn a_clone_is_the_same_store(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let clone = store.clone();
    put(&store, &key("k"), &text("v")).await?;
    holds(&clone, &key("k"), &text("v")).await?;
    clone.close().await?;
    refused("a call on the other", store.get_cbor(&key("k")).await, ErrorKind::Closed).map(drop)
}

async fn writes_under_way_finish_before_the_store_is_closed(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    let put = |n: i64| async move { put(store, &key("k"), &int(n)).await };
    let mut calls: Vec<BoxFut<'_, Result<()>>> = (0..20).map(|n| Box::pin(put(n)) as _).collect();
    let mut done = Vec::new();
    for call in &mut calls {
        done.push(begin(call).await);
    }
    calls.retain({
        let mut done = done.iter();
        move |_| done.next().is_some_and(Option::is_none)
    });
    calls.push(Box::pin(store.close()));
    for result in done.into_iter().flatten().chain(all(calls).await) {
        result?;
    }
    holds(&ground.reopen().await?, &key("k"), &int(19)).await
}

async fn stores_in_two_places_know_nothing_of_each_other(ground: &Ground) -> Verdict {
    let one = ground.open().await?;
    let other = ground.open_with(ground.other_config()).await?;
    ensure(one.id() != other.id(), "two stores have two ids")?;
    put(&one, &key("k"), &int(1)).await?;
    is_absent(&other, &key("k")).await?;
    put(&other, &key("k"), &int(2)).await?;
    holds(&one, &key("k"), &int(1)).await?;
    ground.leave().await?;
    delete_store(ground.other_config()).await?;
    holds(&ground.reopen().await?, &key("k"), &int(1)).await
}
