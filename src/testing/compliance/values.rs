//! Putting, reading and deleting whole values.

use bytes::Bytes;

use super::{
    Case, case,
    check::{Verdict, refused, same},
    ground::Ground,
    item::{
        array, big, boolean, bytes, filled, float, int, key, map, nested, null, object, positive, set, tagged, text,
        undefined,
    },
    poll::all,
    talk::{holds, is_absent, keys, put, remove},
};
use crate::{
    cbor::tag,
    codec::Compressor,
    env::BoxFut,
    error::ErrorKind,
    store::{Query, Store},
};

pub(super) const CASES: &[Case] = &[
    case!(what_was_never_put_is_absent_and_asking_makes_nothing),
    case!(what_was_put_is_read),
    case!(putting_again_replaces),
    case!(deleting_says_whether_it_was_there),
    case!(a_key_that_was_deleted_can_be_put_again),
    case!(deleting_one_key_leaves_the_others),
    case!(null_undefined_and_false_are_values),
    case!(values_of_every_kind_come_back_byte_for_byte),
    case!(values_of_every_size_come_back_byte_for_byte),
    case!(small_and_large_values_replace_each_other),
    case!(small_and_large_values_are_deleted_whole),
    case!(compressed_values_come_back_byte_for_byte),
    case!(values_outlive_a_change_of_compressor),
    case!(what_is_no_value_is_refused_and_changes_nothing),
    case!(values_nest_512_levels_and_no_deeper),
    case!(a_value_longer_than_the_limit_is_refused),
    case!(many_reads_at_once_see_the_same_value),
    case!(an_overwrite_with_the_same_value_keeps_it),
];

/// Lengths around those where some backing stores a value in another way.
const SIZES: [usize; 22] = [
    0, 1, 23, 24, 255, 256, 1800, 1900, 1950, 2000, 2047, 2048, 2049, 4096, 65_535, 65_536, 307_200, 1_048_000,
    1_048_575, 1_048_576, 1_048_577, 2_100_000,
];

async fn what_was_never_put_is_absent_and_asking_makes_nothing(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for _ in 0..2 {
        is_absent(&store, &key("k")).await?;
        same("whether it was deleted", remove(&store, &key("k")).await?, false)?;
    }
    same("the keys", keys(&store, Query::default()).await?, Vec::new())
}

async fn what_was_put_is_read(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let k = key("k");
    put(&store, &k, &text("value")).await?;
    holds(&store, &k, &text("value")).await?;
    same("whether it exists", store.exists_key(&k.key).await?, true)?;
    same("the keys", keys(&store, Query::default()).await?, vec![k.key])
}

async fn putting_again_replaces(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for n in 0..5 {
        put(&store, &key("k"), &int(n)).await?;
        holds(&store, &key("k"), &int(n)).await?;
    }
    same("the keys", keys(&store, Query::default()).await?.len(), 1)
}

async fn deleting_says_whether_it_was_there(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &null()).await?;
    same("the first time", remove(&store, &key("k")).await?, true)?;
    is_absent(&store, &key("k")).await?;
    same("the second time", remove(&store, &key("k")).await?, false)
}

async fn a_key_that_was_deleted_can_be_put_again(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for n in 0..3 {
        put(&store, &key("k"), &int(n)).await?;
        holds(&store, &key("k"), &int(n)).await?;
        remove(&store, &key("k")).await?;
        is_absent(&store, &key("k")).await?;
    }
    put(&store, &key("k"), &int(9)).await?;
    holds(&ground.reopen().await?, &key("k"), &int(9)).await
}

async fn deleting_one_key_leaves_the_others(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for n in 0..10 {
        put(&store, &key(&n.to_string()), &int(n)).await?;
    }
    remove(&store, &key("4")).await?;
    for n in (0..10).filter(|n| *n != 4) {
        holds(&store, &key(&n.to_string()), &int(n)).await?;
    }
    is_absent(&store, &key("4")).await
}

async fn null_undefined_and_false_are_values(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for value in [null(), undefined(), boolean(false), int(0), text(""), array(&[]), bytes(&[])] {
        put(&store, &key("k"), &value).await?;
        holds(&store, &key("k"), &value).await?;
        same("whether it exists", store.exists_key(&key("k").key).await?, true)?;
    }
    Ok(())
}

/// A value of every kind, with the edges of each.
fn kinds() -> Vec<Bytes> {
    let digits: Vec<u8> = (1..=200).collect();
    vec![
        null(),
        undefined(),
        boolean(true),
        boolean(false),
        int(0),
        int(-1),
        int(i64::MAX),
        int(i64::MIN),
        positive(u64::MAX),
        float(0.0),
        float(-0.0),
        float(1.0),
        float(0.1),
        float(f64::NAN),
        float(f64::INFINITY),
        float(f64::MIN_POSITIVE / 4.0),
        big(&[1]),
        big(&digits),
        tagged(tag::BIG_NEGATIVE, &bytes(&digits)),
        text(""),
        text("ü 🌍 \u{feff}\u{0}\r\n"),
        bytes(&[]),
        bytes(&digits),
        array(&[]),
        array(&[int(1), array(&[array(&[])]), undefined()]),
        map(&[]),
        object(&[("b", int(1)), ("a", int(2)), ("__proto__", null())]),
        map(&[(int(2), text("two")), (int(1), null()), (array(&[]), float(1.5)), (null(), null())]),
        tagged(tag::MAP, &object(&[("k", int(1))])),
        tagged(tag::MAP, &map(&[])),
        set(&[]),
        set(&[text("b"), text("a"), set(&[])]),
        tagged(tag::DATE_SECONDS, &int(-1)),
        tagged(tag::DATE_SECONDS, &float(1.5)),
        tagged(tag::DATE_TEXT, &text("2026-01-02T03:04:05.678Z")),
        tagged(tag::UUID, &bytes(&[7; 16])),
        tagged(tag::URI, &text("https://example.org/?q=ü")),
        tagged(tag::REGEXP, &text("^a+$")),
        tagged(tag::SYMBOL, &text(":keyword/name")),
        tagged(tag::DECIMAL, &array(&[int(-2), int(12345)])),
        tagged(tag::RATIO, &array(&[int(-1), int(3)])),
        tagged(tag::RECORD, &array(&[text("app/Person"), object(&[("name", text("Ada"))])])),
        tagged(64, &bytes(&[1, 2, 3])),
        tagged(86, &bytes(&[0; 16])),
        tagged(60_000, &tagged(60_001, &text("an unknown tag"))),
    ]
}

async fn values_of_every_kind_come_back_byte_for_byte(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for (n, value) in kinds().iter().enumerate() {
        put(&store, &key(&n.to_string()), value).await?;
        holds(&store, &key(&n.to_string()), value).await?;
    }
    let together = array(&kinds());
    put(&store, &key("together"), &together).await?;
    let store = ground.reopen().await?;
    holds(&store, &key("together"), &together).await?;
    for (n, value) in kinds().iter().enumerate() {
        holds(&store, &key(&n.to_string()), value).await?;
    }
    Ok(())
}

async fn all_sizes(store: &Store) -> Verdict {
    for size in SIZES {
        put(store, &key(&size.to_string()), &filled(size)).await?;
    }
    for size in SIZES {
        holds(store, &key(&size.to_string()), &filled(size)).await?;
    }
    Ok(())
}

async fn values_of_every_size_come_back_byte_for_byte(ground: &Ground) -> Verdict {
    all_sizes(&ground.open().await?).await
}

async fn small_and_large_values_replace_each_other(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for size in [10, 1_200_000, 0, 307_200, 1950, 2000, 1950, 4096, 1, 1_048_576, 100, 65_536] {
        put(&store, &key("k"), &filled(size)).await?;
        holds(&store, &key("k"), &filled(size)).await?;
    }
    same("the keys", keys(&store, Query::default()).await?.len(), 1)?;
    holds(&ground.reopen().await?, &key("k"), &filled(65_536)).await
}

async fn small_and_large_values_are_deleted_whole(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for size in [10, 2000, 4096, 307_200, 1_200_000] {
        put(&store, &key("k"), &filled(size)).await?;
        same("whether it was there", remove(&store, &key("k")).await?, true)?;
        is_absent(&store, &key("k")).await?;
    }
    is_absent(&ground.reopen().await?, &key("k")).await
}

async fn compressed_values_come_back_byte_for_byte(ground: &Ground) -> Verdict {
    let store = ground.open_with(ground.config().compressor(Compressor::Lz4)).await?;
    let repeating = text(&"all work and no play ".repeat(20_000));
    put(&store, &key("repeating"), &repeating).await?;
    holds(&store, &key("repeating"), &repeating).await?;
    let size = store.meta(&key("repeating").key).await?.and_then(|meta| meta.size);
    same("its length before compression", size, Some(repeating.len() as u64))?;
    all_sizes(&store).await
}

async fn values_outlive_a_change_of_compressor(ground: &Ground) -> Verdict {
    let values = [text(&"a".repeat(10_000)), text(&"b".repeat(10_000)), text(&"c".repeat(10_000))];
    for (value, compressor) in values.iter().zip([Compressor::None, Compressor::Lz4, Compressor::None]) {
        let store = ground.open_with(ground.config().compressor(compressor)).await?;
        put(&store, &key(&format!("{compressor:?}")), value).await?;
        ground.leave().await?;
    }
    let store = ground.open().await?;
    let [_, lz4, none] = values;
    holds(&store, &key("Lz4"), &lz4).await?;
    holds(&store, &key("None"), &none).await
}

async fn what_is_no_value_is_refused_and_changes_nothing(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &int(1)).await?;
    let twice = map(&[(text("a"), int(1)), (text("a"), int(2))]);
    let wrong: [(&str, &[u8]); 8] = [
        ("no bytes", &[]),
        ("a text that is cut short", b"\x65abc"),
        ("bytes after the value", &[0, 0]),
        ("an indefinite length", &[0x9f, 0, 0xff]),
        ("a head longer than need be", &[0x18, 1]),
        ("text that is not UTF-8", &[0x61, 0xff]),
        ("a date that is text", &[0xc1, 0x60]),
        ("a key twice", &twice),
    ];
    for (what, value) in wrong {
        let value = Bytes::copy_from_slice(value);
        refused(what, put(&store, &key("k"), &value).await, ErrorKind::InvalidValue)?;
        refused(what, put(&store, &key("new"), &value).await, ErrorKind::InvalidValue)?;
        holds(&store, &key("k"), &int(1)).await?;
        is_absent(&store, &key("new")).await?;
    }
    Ok(())
}

async fn values_nest_512_levels_and_no_deeper(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &nested(512)).await?;
    let deeper = refused("513 levels", put(&store, &key("k"), &nested(513)).await, ErrorKind::LimitExceeded)?;
    same("the key that the error names", deeper.key(), Some(&text("k")[..]))?;
    refused("20,000 levels", put(&store, &key("k"), &nested(20_000)).await, ErrorKind::LimitExceeded)?;
    holds(&store, &key("k"), &nested(512)).await
}

async fn a_value_longer_than_the_limit_is_refused(ground: &Ground) -> Verdict {
    let limit = filled(1000).len() as u64;
    let store = ground.open_with(ground.config().max_value_len(limit)).await?;
    put(&store, &key("k"), &filled(1000)).await?;
    refused("a byte more", put(&store, &key("k"), &filled(1001)).await, ErrorKind::LimitExceeded)?;
    holds(&store, &key("k"), &filled(1000)).await?;
    ground.leave().await?;
    let store = ground.open_with(ground.config().max_value_len(limit - 1)).await?;
    refused("reading it", store.get_cbor(&key("k")).await, ErrorKind::LimitExceeded)?;
    same("its length", store.meta(&key("k").key).await?.and_then(|meta| meta.size), Some(limit))
}

async fn many_reads_at_once_see_the_same_value(ground: &Ground) -> Verdict {
    let store = &ground.open().await?;
    put(store, &key("k"), &filled(5000)).await?;
    let read = || Box::pin(async move { holds(store, &key("k"), &filled(5000)).await });
    let reads: Vec<BoxFut<'_, Verdict>> = (0..200).map(|_| read() as _).collect();
    all(reads).await.into_iter().collect()
}

async fn an_overwrite_with_the_same_value_keeps_it(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for _ in 0..3 {
        put(&store, &key("k"), &filled(3000)).await?;
    }
    holds(&store, &key("k"), &filled(3000)).await?;
    holds(&ground.reopen().await?, &key("k"), &filled(3000)).await
}
