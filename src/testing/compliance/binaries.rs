//! Binaries: bytes as they are.

use bytes::Bytes;

use super::{
    Case, case,
    check::{Verdict, refused, same},
    ground::{Ground, Hands},
    item::{bytes, int, key, names, object, positive, text},
    talk::{count, entries, holds, is_absent, lacks, meta_of, put, remove},
};
use crate::{
    codec::Compressor,
    error::ErrorKind,
    key::Path,
    meta::Kind,
    store::{Query, Span, Store, WriteOptions},
};

pub(super) const CASES: &[Case] = &[
    case!(a_binary_comes_back_as_it_was),
    case!(binaries_of_every_size_come_back),
    case!(a_compressed_binary_comes_back),
    case!(an_absent_binary_is_none),
    case!(a_part_of_a_binary_is_what_a_slice_gives),
    case!(a_value_is_no_binary),
    case!(a_binary_is_read_as_a_byte_string),
    case!(binaries_and_values_replace_each_other),
    case!(a_binary_has_metadata_of_its_type),
    case!(a_binary_expires),
    case!(a_binary_is_listed),
    case!(a_binary_is_deleted),
    case!(a_binary_longer_than_the_limit_is_refused),
    case!(binaries_outlive_the_store_being_closed),
];

/// Bytes that no other length begins with.
pub(super) fn some(len: usize) -> Bytes {
    (0..len).map(|at| (at.wrapping_mul(37) ^ at >> 7 ^ len).to_le_bytes()[0]).collect()
}

pub(super) async fn give(store: &Store, at: &Path, bytes: &Bytes) -> Verdict {
    Ok(store.put_binary(&at.key, bytes.clone(), WriteOptions::default()).await?)
}

/// That exactly these bytes are there.
pub(super) async fn has(store: &Store, at: &Path, expected: &Bytes) -> Verdict {
    let found = store.binary(&at.key, Span::default()).await?;
    same("the length of the binary", found.as_ref().map(Bytes::len), Some(expected.len()))?;
    same("whether the bytes are the same", found.as_ref() == Some(expected), true)
}

async fn a_binary_comes_back_as_it_was(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    // Nor does it matter that bytes look like CBOR, or like none.
    for content in [&b"\x00\xff\x9f"[..], b"\x18", b"", b"\x81\x03", b"text"] {
        let content = Bytes::from_static(content);
        give(&store, &key("k"), &content).await?;
        has(&store, &key("k"), &content).await?;
    }
    Ok(())
}

async fn binaries_of_every_size_come_back(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for len in [0, 1, 1900, 2047, 2048, 2049, 65_536, 262_143, 262_144, 262_145, 1_048_575, 1_048_577, 2_500_000] {
        give(&store, &key("k"), &some(len)).await?;
        has(&store, &key("k"), &some(len)).await?;
    }
    Ok(())
}

async fn a_compressed_binary_comes_back(ground: &Ground) -> Verdict {
    let store = ground.open_with(ground.config().compressor(Compressor::Lz4)).await?;
    let repeated = Bytes::from(vec![7; 300_000]);
    give(&store, &key("k"), &repeated).await?;
    same("its size", meta_of(&store, &key("k")).await?.size, 300_000)?;
    has(&store, &key("k"), &repeated).await?;
    let span = Span { start: -3, end: None };
    same("its end", store.binary(&key("k").key, span).await?, Some(Bytes::from_static(&[7; 3])))
}

async fn an_absent_binary_is_none(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for span in [Span::default(), Span { start: 5, end: Some(9) }] {
        same("what is not there", store.binary(&key("k").key, span).await?, None)?;
    }
    is_absent(&store, &key("k")).await
}

async fn a_part_of_a_binary_is_what_a_slice_gives(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for len in [10_usize, 700_000] {
        let whole = some(len);
        give(&store, &key("k"), &whole).await?;
        let signed = i64::try_from(len).unwrap_or_default();
        for (start, end, from, to) in [
            (0, None, 0, len),
            (3, Some(7), 3, 7),
            (-4, None, len - 4, len),
            (-4, Some(-1), len - 4, len - 1),
            (7, Some(3), 7, 7),
            (0, Some(0), 0, 0),
            (signed - 1, Some(signed + 50), len - 1, len),
            (signed + 1, None, len, len),
            (-signed - 5, Some(2), 0, 2),
        ] {
            let found = store.binary(&key("k").key, Span { start, end }).await?;
            same(&format!("from {start} to {end:?} of {len}"), found, Some(whole.slice(from..to)))?;
        }
    }
    Ok(())
}

async fn a_value_is_no_binary(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    // Not even one that is a byte string.
    for value in [int(1), bytes(b"bytes")] {
        put(&store, &key("k"), &value).await?;
        for span in [Span::default(), Span { start: 0, end: Some(1) }] {
            let error = refused("reading it", store.binary(&key("k").key, span).await, ErrorKind::NotBinary)?;
            same("the key of the error", error.key(), Some(key("k").key.as_cbor()))?;
        }
        holds(&store, &key("k"), &value).await?;
    }
    Ok(())
}

async fn a_binary_is_read_as_a_byte_string(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    give(&store, &key("k"), &Bytes::from_static(b"abc")).await?;
    holds(&store, &key("k"), &bytes(b"abc")).await?;
    lacks(&store, &super::item::path(&[text("k"), int(0)])?).await?;
    refused("counting it", count(&store, &key("k")).await, ErrorKind::Backend)?;
    refused("entering it", put(&store, &names(&["k", "a"])?, &int(1)).await, ErrorKind::InvalidPath)?;
    has(&store, &key("k"), &Bytes::from_static(b"abc")).await
}

async fn binaries_and_values_replace_each_other(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for len in [3, 5000, 1_200_000] {
        give(&store, &key("k"), &some(len)).await?;
        has(&store, &key("k"), &some(len)).await?;
        put(&store, &key("k"), &int(1)).await?;
        holds(&store, &key("k"), &int(1)).await?;
        same("its type", meta_of(&store, &key("k")).await?.kind, Kind::Value)?;
    }
    Ok(())
}

async fn a_binary_has_metadata_of_its_type(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let user = object(&[("mime", text("image/png"))]);
    let options = WriteOptions::default().meta_cbor(&user)?;
    store.put_binary(&key("k").key, some(5000), options).await?;
    let meta = meta_of(&store, &key("k")).await?;
    same("type, size and entries", (meta.kind, meta.size, meta.user), (Kind::Binary, 5000, user))?;
    let reserved = WriteOptions::default().meta_cbor(&object(&[("size", positive(1))]));
    refused("an entry named like ours", reserved, ErrorKind::InvalidValue).map(drop)
}

async fn a_binary_expires(ground: &Ground) -> Verdict {
    let clock = Hands::at(1_000_000);
    let store = ground.open_with(ground.config().clock(clock.clone())).await?;
    store.put_binary(&key("k").key, some(9), WriteOptions::default().expires(1_000_005)).await?;
    has(&store, &key("k"), &some(9)).await?;
    clock.set(1_000_005);
    same("the binary", store.binary(&key("k").key, Span::default()).await?, None)?;
    is_absent(&store, &key("k")).await
}

async fn a_binary_is_listed(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    give(&store, &key("b"), &Bytes::from_static(b"abc")).await?;
    put(&store, &key("v"), &int(1)).await?;
    let wanted = Query { kind: Some(Kind::Binary), ..Query::default() };
    same("the binaries", entries(&store, wanted).await?, vec![(key("b").key, bytes(b"abc"))])?;
    let report = store.verify(|_| {}).await?;
    same("how many were verified, and are damaged", (report.checked, report.corrupt.len()), (2, 0))
}

async fn a_binary_is_deleted(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for len in [3, 5000, 1_200_000] {
        give(&store, &key("k"), &some(len)).await?;
        same("whether it was there", remove(&store, &key("k")).await?, true)?;
        same("what is left", store.binary(&key("k").key, Span::default()).await?, None)?;
    }
    is_absent(&store, &key("k")).await
}

async fn a_binary_longer_than_the_limit_is_refused(ground: &Ground) -> Verdict {
    let store = ground.open_with(ground.config().max_value_len(1000)).await?;
    give(&store, &key("k"), &some(1000)).await?;
    let refusal = store.put_binary(&key("k").key, some(1001), WriteOptions::default()).await;
    refused("one byte more", refusal, ErrorKind::LimitExceeded)?;
    has(&store, &key("k"), &some(1000)).await
}

async fn binaries_outlive_the_store_being_closed(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    give(&store, &key("k"), &some(70_000)).await?;
    has(&ground.reopen().await?, &key("k"), &some(70_000)).await?;
    let closed = store.put_binary(&key("k").key, some(1), WriteOptions::default()).await;
    refused("writing after the store was closed", closed, ErrorKind::Closed)?;
    let closed = store.binary(&key("k").key, Span::default()).await;
    refused("reading after the store was closed", closed, ErrorKind::Closed).map(drop)
}
