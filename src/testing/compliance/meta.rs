//! Metadata: what the store says of a value, and what its users add.

use bytes::Bytes;

use super::{
    Case, case,
    check::{Verdict, ensure, refused, same, same_item},
    ground::{Ground, Hands},
    item::{array, filled, int, key, map, names, object, text},
    talk::{count, holds, is_absent, meta_of, put, put_with, remove},
};
use crate::{
    env::{Clock, System},
    error::ErrorKind,
    meta::{Kind, Meta},
    store::{Store, WriteOptions},
};

pub(super) const CASES: &[Case] = &[
    case!(metadata_says_what_is_there),
    case!(metadata_changes_with_the_value),
    case!(entries_of_ones_own_come_back),
    case!(updates_keep_the_entries_that_they_do_not_name),
    case!(removing_inside_keeps_the_entries),
    case!(a_new_value_has_new_metadata),
    case!(names_of_the_store_s_own_are_refused),
    case!(what_is_no_map_of_entries_is_refused),
    case!(metadata_beyond_1_mib_is_refused_and_changes_nothing),
    case!(the_last_write_never_goes_back),
    case!(metadata_outlives_the_store_being_closed),
];

async fn metadata_says_what_is_there(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let before = System.now();
    put(&store, &key("k"), &filled(3000)).await?;
    let Meta { key: named, kind, last_write, expires, user, size, digest: _ } = meta_of(&store, &key("k")).await?;
    same("the key", named, key("k").key)?;
    same("the kind", kind, Kind::Value)?;
    same("when it expires", expires, None)?;
    same("entries of the user's own", user, Bytes::new())?;
    same("the size", size, Some(filled(3000).len() as u64))?;
    ensure(last_write >= before, "the last write is no earlier than the call")
}

async fn metadata_changes_with_the_value(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &text("one")).await?;
    let one = meta_of(&store, &key("k")).await?;
    put(&store, &key("k"), &text("another")).await?;
    let another = meta_of(&store, &key("k")).await?;
    ensure(one.digest != another.digest, "different values have different digests")?;
    ensure(another.last_write >= one.last_write, "a later write has no earlier stamp")?;
    same("the size", another.size, Some(8))?;
    put(&store, &key("other"), &text("one")).await?;
    same("the digest of the same value", meta_of(&store, &key("other")).await?.digest, one.digest)
}

fn with(entries: &[(&str, Bytes)]) -> crate::Result<WriteOptions> {
    WriteOptions::default().meta_cbor(&object(entries))
}

async fn has(store: &Store, entries: &[(&str, Bytes)]) -> Verdict {
    let user = meta_of(store, &key("k")).await?.user;
    let expected = if entries.is_empty() { Bytes::new() } else { object(entries) };
    same_item("the entries", Some(&user), Some(&expected))
}

async fn entries_of_ones_own_come_back(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let entries = [("by", text("ada")), ("nested", array(&[object(&[("a", int(1))])])), ("__proto__", int(1))];
    put_with(&store, &key("k"), &int(1), with(&entries)?).await?;
    has(&store, &entries).await?;
    holds(&store, &key("k"), &int(1)).await?;
    put_with(&store, &key("k"), &int(2), with(&[])?).await?;
    has(&store, &[]).await
}

async fn updates_keep_the_entries_that_they_do_not_name(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put_with(&store, &key("k"), &object(&[("n", int(1))]), with(&[("a", int(1)), ("b", int(2))])?).await?;
    count(&store, &names(&["k", "n"])?).await?;
    has(&store, &[("a", int(1)), ("b", int(2))]).await?;
    put_with(&store, &names(&["k", "n"])?, &int(7), with(&[("a", int(9)), ("c", int(3))])?).await?;
    has(&store, &[("b", int(2)), ("a", int(9)), ("c", int(3))]).await?;
    put(&store, &names(&["k", "m"])?, &int(8)).await?;
    has(&store, &[("b", int(2)), ("a", int(9)), ("c", int(3))]).await?;
    holds(&store, &key("k"), &object(&[("n", int(7)), ("m", int(8))])).await
}

async fn removing_inside_keeps_the_entries(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put_with(&store, &key("k"), &object(&[("n", int(1))]), with(&[("a", int(1))])?).await?;
    same("whether it was there", remove(&store, &names(&["k", "n"])?).await?, true)?;
    has(&store, &[("a", int(1))]).await
}

async fn a_new_value_has_new_metadata(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put_with(&store, &key("k"), &int(1), with(&[("a", int(1))])?).await?;
    put(&store, &key("k"), &int(2)).await?;
    has(&store, &[]).await?;
    put_with(&store, &key("k"), &int(1), with(&[("a", int(1))])?).await?;
    remove(&store, &key("k")).await?;
    count(&store, &key("k")).await?;
    has(&store, &[]).await
}

async fn names_of_the_store_s_own_are_refused(ground: &Ground) -> Verdict {
    ground.open().await?;
    for name in ["key", "type", "last-write", "lastWrite", "expires", "user", "size", "digest"] {
        refused(name, with(&[("fine", int(1)), (name, int(1))]), ErrorKind::InvalidValue)?;
    }
    with(&[("Key", int(1)), ("sizes", int(1)), ("", int(1))])?;
    Ok(())
}

async fn what_is_no_map_of_entries_is_refused(ground: &Ground) -> Verdict {
    ground.open().await?;
    let twice = map(&[(text("a"), int(1)), (text("a"), int(2))]);
    for item in [int(1), text("a"), array(&[]), map(&[(int(1), int(1))]), twice, Bytes::new()] {
        refused("the metadata", WriteOptions::default().meta_cbor(&item), ErrorKind::InvalidValue)?;
    }
    Ok(())
}

async fn metadata_beyond_1_mib_is_refused_and_changes_nothing(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let large = [("large", filled(700_000))];
    put_with(&store, &key("k"), &int(1), with(&large)?).await?;
    has(&store, &large).await?;
    let too_large = with(&[("more", filled(700_000))])?;
    let inside = names(&["k", "a"])?;
    put(&store, &key("k"), &map(&[])).await?;
    put_with(&store, &inside, &int(1), with(&large)?).await?;
    refused("one beside another", put_with(&store, &inside, &int(2), too_large).await, ErrorKind::LimitExceeded)?;
    has(&store, &large).await?;
    holds(&store, &key("k"), &object(&[("a", int(1))])).await?;
    let alone = with(&[("larger", filled(1_100_000))])?;
    refused("alone", put_with(&store, &key("new"), &int(1), alone).await, ErrorKind::LimitExceeded)?;
    is_absent(&store, &key("new")).await
}

async fn the_last_write_never_goes_back(ground: &Ground) -> Verdict {
    let start = System.now();
    let hands = Hands::at(start);
    let store = ground.open_with(ground.config().clock(hands.clone())).await?;
    let mut last = 0;
    for back in [0, 1, 5000, 3_600_000, 2, start] {
        hands.set(start - back);
        put(&store, &key("k"), &int(1)).await?;
        let stamp = meta_of(&store, &key("k")).await?.last_write;
        ensure(stamp >= last, "a stamp is no earlier than the one before")?;
        ensure(stamp >= start, "a clock that goes back takes no stamp back")?;
        last = stamp;
    }
    count(&store, &key("k")).await?;
    ensure(meta_of(&store, &key("k")).await?.last_write >= last, "nor that of an update")
}

async fn metadata_outlives_the_store_being_closed(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let options = with(&[("by", text("ada"))])?.expires(8_640_000_000_000_000);
    put_with(&store, &key("k"), &filled(3000), options).await?;
    let before = meta_of(&store, &key("k")).await?;
    let store = ground.reopen().await?;
    same("the metadata", meta_of(&store, &key("k")).await?, before)?;
    has(&store, &[("by", text("ada"))]).await
}
