//! Maps by their keys, depth, and what a path may not do.

use bytes::Bytes;

use super::{
    Case, case,
    check::{Verdict, refused, same},
    ground::Ground,
    item::{array, float, int, key, map, names, nested, null, object, path, tagged, text, undefined},
    talk::{holds, is_absent, put, remove},
};
use crate::{cbor::tag, error::ErrorKind};

pub(super) const CASES: &[Case] = &[
    case!(maps_are_entered_by_their_keys),
    case!(steps_find_keys_that_are_equal),
    case!(a_map_stays_a_map_when_its_keys_become_texts),
    case!(an_object_takes_texts_only),
    case!(an_undefined_step_makes_no_member),
    case!(names_of_prototypes_are_members_like_others),
    case!(a_path_may_be_deep),
    case!(a_path_that_nests_too_deep_is_refused),
    case!(a_refused_write_leaves_no_key_behind),
];

async fn maps_are_entered_by_their_keys(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let inner = map(&[(int(1), text("one")), (null(), text("null")), (array(&[int(1)]), text("array"))]);
    put(&store, &key("k"), &object(&[("m", inner)])).await?;
    let at = |step: Bytes| path(&[text("k"), text("m"), step]);
    holds(&store, &at(int(1))?, &text("one")).await?;
    holds(&store, &at(null())?, &text("null")).await?;
    holds(&store, &at(array(&[int(1)]))?, &text("array")).await?;
    put(&store, &at(int(2))?, &text("two")).await?;
    same("whether it was there", remove(&store, &at(null())?).await?, true)?;
    let expected = map(&[(int(1), text("one")), (array(&[int(1)]), text("array")), (int(2), text("two"))]);
    holds(&store, &names(&["k", "m"])?, &expected).await
}

async fn steps_find_keys_that_are_equal(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &map(&[(int(1), text("one")), (object(&[("a", int(1)), ("b", int(2))]), null())])).await?;
    holds(&store, &path(&[text("k"), float(1.0)])?, &text("one")).await?;
    holds(&store, &path(&[text("k"), object(&[("b", int(2)), ("a", int(1))])])?, &null()).await
}

async fn a_map_stays_a_map_when_its_keys_become_texts(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &map(&[(int(1), null()), (text("a"), null())])).await?;
    remove(&store, &path(&[text("k"), int(1)])?).await?;
    holds(&store, &key("k"), &tagged(tag::MAP, &object(&[("a", null())]))).await?;
    put(&store, &path(&[text("k"), int(2)])?, &null()).await?;
    holds(&store, &key("k"), &map(&[(text("a"), null()), (int(2), null())])).await
}

async fn an_object_takes_texts_only(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &object(&[("a", int(1))])).await?;
    let at = path(&[text("k"), int(1)])?;
    refused("a number as member of an object", put(&store, &at, &int(2)).await, ErrorKind::InvalidPath)?;
    holds(&store, &key("k"), &object(&[("a", int(1))])).await
}

async fn an_undefined_step_makes_no_member(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &map(&[(int(1), null())])).await?;
    let at = path(&[text("k"), undefined()])?;
    refused("undefined as key of a map", put(&store, &at, &int(2)).await, ErrorKind::InvalidPath)?;
    holds(&store, &key("k"), &map(&[(int(1), null())])).await
}

async fn names_of_prototypes_are_members_like_others(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for name in ["__proto__", "constructor", "prototype", "toString"] {
        put(&store, &names(&["k", name, "polluted"])?, &int(1)).await?;
        holds(&store, &names(&["k", name])?, &object(&[("polluted", int(1))])).await?;
        same("whether it was there", remove(&store, &names(&["k", name])?).await?, true)?;
    }
    holds(&store, &key("k"), &map(&[])).await
}

async fn a_path_may_be_deep(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let at = names(&["k"; 200])?;
    put(&store, &at, &int(1)).await?;
    holds(&store, &at, &int(1)).await?;
    put(&store, &at, &int(2)).await?;
    holds(&store, &at, &int(2)).await?;
    same("whether it was there", remove(&store, &at).await?, true)?;
    same("the second time", remove(&store, &at).await?, false)
}

async fn a_path_that_nests_too_deep_is_refused(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let most = names(&["k"; 513])?;
    put(&store, &most, &int(1)).await?;
    holds(&store, &most, &int(1)).await?;
    refused("one level more", put(&store, &names(&["j"; 514])?, &int(1)).await, ErrorKind::LimitExceeded)?;
    refused("a value inside", put(&store, &most, &nested(1)).await, ErrorKind::LimitExceeded)?;
    holds(&store, &most, &int(1)).await?;
    is_absent(&store, &key("j")).await
}

async fn a_refused_write_leaves_no_key_behind(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let cut = Bytes::from_static(&[0x61]);
    refused("at a key", put(&store, &key("k"), &cut).await, ErrorKind::InvalidValue)?;
    refused("at a path", put(&store, &names(&["k", "a"])?, &cut).await, ErrorKind::InvalidValue)?;
    is_absent(&store, &key("k")).await?;
    is_absent(&ground.reopen().await?, &key("k")).await
}
