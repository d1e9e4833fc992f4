//! What can be a key, and which keys are the same.

use std::slice::from_ref;

use bytes::Bytes;

use super::{
    Case, case,
    check::{Verdict, refused, same},
    ground::Ground,
    item::{
        array, big, boolean, bytes, float, int, key, map, null, object, path, positive, set, tagged, text, undefined,
    },
    talk::{holds, is_absent, keys, put, remove},
};
use crate::{
    cbor::tag,
    error::ErrorKind,
    key::Key,
    store::{Query, Store},
};

pub(super) const CASES: &[Case] = &[
    case!(keys_of_every_kind_have_values_of_their_own),
    case!(numbers_that_are_equal_are_one_key),
    case!(large_integers_that_are_equal_are_one_key),
    case!(maps_and_sets_are_one_key_in_any_order),
    case!(equality_of_keys_goes_all_the_way_down),
    case!(texts_of_any_characters_are_keys),
    case!(keys_are_up_to_64_kib_long),
    case!(what_is_no_key_is_refused),
    case!(metadata_names_the_key_as_it_is),
    case!(an_error_names_the_key),
];

/// Keys of every kind, no two of them equal.
fn distinct() -> Vec<Bytes> {
    vec![
        null(),
        boolean(true),
        boolean(false),
        int(0),
        int(1),
        int(-1),
        int(10),
        float(1.5),
        float(0.1),
        float(f64::NAN),
        float(f64::INFINITY),
        float(f64::NEG_INFINITY),
        float(1e300),
        positive(u64::MAX),
        int(i64::MIN),
        big(&[1; 20]),
        tagged(tag::BIG_NEGATIVE, &bytes(&[1; 20])),
        text(""),
        text("1"),
        text("null"),
        text("a"),
        text("A"),
        bytes(&[]),
        bytes(b"a"),
        bytes(&[1]),
        array(&[]),
        array(&[int(1)]),
        array(&[int(1), int(2)]),
        array(&[array(&[int(1)])]),
        array(&[text("a"), null()]),
        map(&[]),
        object(&[("a", int(1))]),
        object(&[("a", int(2))]),
        map(&[(int(1), int(1))]),
        set(&[]),
        set(&[int(1)]),
        set(&[int(1), int(2)]),
        tagged(tag::DATE_SECONDS, &int(0)),
        tagged(tag::DATE_SECONDS, &int(1)),
        tagged(tag::UUID, &bytes(&[1; 16])),
        tagged(tag::SYMBOL, &text("a")),
        tagged(tag::SYMBOL, &text(":a")),
        tagged(tag::RATIO, &array(&[int(1), int(3)])),
    ]
}

async fn keys_of_every_kind_have_values_of_their_own(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for (n, k) in (0..).zip(distinct()) {
        put(&store, &path(&[k])?, &int(n)).await?;
    }
    let store = ground.reopen().await?;
    for (n, k) in (0..).zip(distinct()) {
        holds(&store, &path(&[k])?, &int(n)).await?;
    }
    same("how many keys there are", keys(&store, Query::default()).await?.len(), distinct().len())?;
    for k in distinct() {
        same("whether it was there", remove(&store, &path(&[k])?).await?, true)?;
    }
    same("the keys after deleting them", keys(&store, Query::default()).await?, Vec::new())
}

/// That all of these name one value.
async fn are_one(store: &Store, ways: &[Bytes]) -> Verdict {
    for (n, way) in (0..).zip(ways) {
        put(store, &path(from_ref(way))?, &int(n)).await?;
        for other in ways {
            holds(store, &path(from_ref(other))?, &int(n)).await?;
        }
    }
    same("how many keys there are", keys(store, Query::default()).await?.len(), 1)?;
    let Some(last) = ways.last() else { return Ok(()) };
    same("whether it was there", remove(store, &path(from_ref(last))?).await?, true)
}

async fn numbers_that_are_equal_are_one_key(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    are_one(&store, &[int(1), float(1.0)]).await?;
    are_one(&store, &[int(0), float(0.0), float(-0.0)]).await?;
    are_one(&store, &[int(-5), float(-5.0)]).await?;
    are_one(&store, &[int(1 << 53), float(9_007_199_254_740_992.0)]).await?;
    // Of 2, 4 and 8 bytes.
    let half = Bytes::from_static(&[0xf9, 0x3e, 0x00]);
    let single = Bytes::from_static(&[0xfa, 0x3f, 0xc0, 0, 0]);
    are_one(&store, &[float(1.5), half, single]).await
}

async fn large_integers_that_are_equal_are_one_key(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let max = [0xff; 8];
    are_one(&store, &[positive(u64::MAX), big(&max), big(&[&[0, 0], &max[..]].concat())]).await?;
    let negative = tagged(tag::BIG_NEGATIVE, &bytes(&[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    are_one(&store, &[int(i64::MIN), negative]).await
}

async fn maps_and_sets_are_one_key_in_any_order(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    are_one(&store, &[object(&[("a", int(1)), ("b", int(2))]), object(&[("b", int(2)), ("a", int(1))])]).await?;
    are_one(&store, &[set(&[int(1), int(2), int(3)]), set(&[int(3), int(1), int(2)])]).await?;
    are_one(&store, &[map(&[(int(1), null()), (null(), int(1))]), map(&[(null(), int(1)), (int(1), null())])]).await
}

async fn equality_of_keys_goes_all_the_way_down(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    are_one(&store, &[array(&[text("a"), int(1)]), array(&[text("a"), float(1.0)])]).await?;
    let one = set(&[array(&[int(1)]), object(&[("x", int(2)), ("y", int(3))])]);
    let other = set(&[object(&[("y", float(3.0)), ("x", float(2.0))]), array(&[float(1.0)])]);
    are_one(&store, &[one, other]).await
}

async fn texts_of_any_characters_are_keys(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let long = "x".repeat(5000);
    let texts = [
        "",
        " ",
        "\u{0}",
        ".",
        "..",
        "../up",
        "a/b",
        "a\\b",
        "C:",
        "con",
        "konserve.store",
        "konserve.lock.new",
        "__proto__",
        "constructor",
        "a",
        "A",
        "é",
        "e\u{301}",
        "🌍",
        "\u{feff}",
        "\u{202e}",
        "%2e%2e",
        "*",
        "\n",
        &long,
    ];
    for (n, name) in (0..).zip(texts) {
        put(&store, &key(name), &int(n)).await?;
    }
    let store = ground.reopen().await?;
    for (n, name) in (0..).zip(texts) {
        holds(&store, &key(name), &int(n)).await?;
    }
    same("how many keys there are", keys(&store, Query::default()).await?.len(), texts.len())
}

async fn keys_are_up_to_64_kib_long(ground: &Ground) -> Verdict {
    const LIMIT: usize = 64 * 1024;
    let store = ground.open().await?;
    // A text of this length has a head of three bytes.
    let longest = "k".repeat(LIMIT - 3 - 2);
    for name in [longest.as_str(), &longest[1..]] {
        put(&store, &key(name), &int(1)).await?;
    }
    let most = path(&[text(&longest)])?;
    holds(&ground.reopen().await?, &most, &int(1)).await?;
    for too_long in [LIMIT + 1, 2 * LIMIT, 4 * LIMIT] {
        refused("a longer key", path(&[text(&"k".repeat(too_long))]), ErrorKind::InvalidKey)?;
    }
    Ok(())
}

async fn what_is_no_key_is_refused(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let reserved = tagged(tag::RECORD, &array(&[text("konserve/log-element"), int(1)]));
    let wrong = [
        undefined(),
        array(&[int(1), undefined()]),
        object(&[("a", array(&[undefined()]))]),
        reserved.clone(),
        array(&[reserved]),
        map(&[(int(1), null()), (float(1.0), null())]),
        Bytes::new(),
        Bytes::from_static(&[0x61]),
        Bytes::from_static(&[0, 0]),
        Bytes::from_static(&[0x9f, 0xff]),
        super::item::nested(513),
    ];
    for item in wrong {
        refused(&crate::cbor::diagnose(&item), Key::from_cbor(&item), ErrorKind::InvalidKey)?;
    }
    same("the keys", keys(&store, Query::default()).await?, Vec::new())
}

async fn metadata_names_the_key_as_it_is(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for item in distinct() {
        let at = path(&[item])?;
        put(&store, &at, &null()).await?;
        same("the key", store.meta(&at.key).await?.map(|meta| meta.key), Some(at.key.clone()))?;
    }
    let mut found = keys(&store, Query::default()).await?;
    found.sort_unstable();
    let mut expected = Vec::new();
    for item in distinct() {
        expected.push(Key::from_cbor(&item)?);
    }
    expected.sort_unstable();
    same("the keys", found, expected)
}

async fn an_error_names_the_key(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let at = path(&[array(&[text("user"), int(7)])])?;
    let error = refused("no value", put(&store, &at, &Bytes::new()).await, ErrorKind::InvalidValue)?;
    same("the key of the error", error.key(), Some(at.key.as_cbor()))?;
    is_absent(&store, &at).await?;
    store.close().await?;
    let error = refused("a closed store", store.get_cbor(&at).await, ErrorKind::Closed)?;
    same("the key of the error", error.key(), Some(at.key.as_cbor()))
}
