//! Binaries: bytes as they are.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use super::{
    Case, case,
    check::{Failure, Verdict, ensure, refused, same},
    ground::{Ground, Hands},
    item::{bytes, int, key, names, object, positive, text},
    poll::{beside, pause},
    talk::{count, entries, holds, is_absent, keys, lacks, meta_of, put, remove},
};
use crate::{
    backing::{Blob, Change, Expect, Outcome, Write},
    codec::Compressor,
    error::{ErrorKind, Result},
    key::Path,
    meta::Kind,
    name::BlobName,
    store::{BinaryReader, Query, Span, Store, WriteOptions},
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
    case!(a_binary_is_written_and_read_in_pieces),
    case!(a_binary_in_pieces_has_metadata_and_expires),
    case!(nothing_is_seen_of_a_binary_before_it_is_finished),
    case!(nothing_is_left_of_a_binary_that_is_given_up),
    case!(a_value_is_not_read_in_pieces),
    case!(a_compressed_binary_is_read_in_pieces),
    case!(a_damaged_binary_gives_no_byte),
    case!(whoever_writes_waits_for_who_reads_in_pieces),
    case!(a_binary_in_pieces_is_limited_only_where_it_is_held_in_memory),
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
    same("its size", meta_of(&store, &key("k")).await?.size, Some(300_000))?;
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
    same("type, size and entries", (meta.kind, meta.size, meta.user), (Kind::Binary, Some(5000), user))?;
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

/// Writes a binary in pieces of this length.
pub(super) async fn stream(store: &Store, at: &Path, bytes: &Bytes, piece: usize) -> Verdict {
    let mut writer = store.write_binary(&at.key, WriteOptions::default()).await?;
    for piece in bytes.chunks(piece) {
        writer.write(piece).await?;
    }
    Ok(writer.finish().await?)
}

/// Reads a binary in pieces, and puts them together.
async fn collect(reader: &mut BinaryReader) -> Result<Bytes> {
    let mut all = Vec::new();
    while let Some(piece) = reader.next().await? {
        all.extend_from_slice(&piece);
    }
    Ok(all.into())
}

async fn a_binary_is_written_and_read_in_pieces(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for (len, piece) in [(0, 1), (1, 1), (5000, 7), (262_144, 262_144), (262_145, 100_000), (1_500_000, 1_500_000)] {
        stream(&store, &key("k"), &some(len), piece).await?;
        has(&store, &key("k"), &some(len)).await?;
        let meta = meta_of(&store, &key("k")).await?;
        same("type and size", (meta.kind, meta.size), (Kind::Binary, Some(len as u64)))?;
        let reader = store.read_binary(&key("k").key).await?;
        let mut reader = reader.ok_or_else(|| Failure::new("the binary is not there"))?;
        same("its metadata", reader.meta(), &meta)?;
        let read = collect(&mut reader).await?;
        same("whether the bytes are the same", read == some(len), true)?;
        same("what comes after the end", reader.next().await?, None)?;
    }
    let report = store.verify(|_| {}).await?;
    same("how many were verified, and are damaged", (report.checked, report.corrupt.len()), (1, 0))
}

async fn a_binary_in_pieces_has_metadata_and_expires(ground: &Ground) -> Verdict {
    let clock = Hands::at(1_000_000);
    let store = ground.open_with(ground.config().clock(clock.clone())).await?;
    let user = object(&[("mime", text("image/png"))]);
    let options = WriteOptions::default().meta_cbor(&user)?.expires(1_000_005);
    let mut writer = store.write_binary(&key("k").key, options).await?;
    writer.write(b"abc").await?;
    writer.finish().await?;
    let meta = meta_of(&store, &key("k")).await?;
    same("its entries, and when it expires", (meta.user, meta.expires), (user, Some(1_000_005)))?;
    clock.set(1_000_005);
    same("whether it is there", store.read_binary(&key("k").key).await?.is_some(), false)
}

async fn nothing_is_seen_of_a_binary_before_it_is_finished(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    give(&store, &key("k"), &some(10)).await?;
    let mut writer = store.write_binary(&key("k").key, WriteOptions::default()).await?;
    let mut new = store.write_binary(&key("new").key, WriteOptions::default()).await?;
    for _ in 0..3 {
        writer.write(&some(200_000)).await?;
        new.write(&some(200_000)).await?;
        has(&store, &key("k"), &some(10)).await?;
        is_absent(&store, &key("new")).await?;
    }
    // Others may write meanwhile: what is finished last stays.
    give(&store, &key("k"), &some(20)).await?;
    has(&store, &key("k"), &some(20)).await?;
    let before = meta_of(&store, &key("k")).await?.last_write;
    writer.finish().await?;
    let meta = meta_of(&store, &key("k")).await?;
    same("its size", meta.size, Some(600_000))?;
    ensure(meta.last_write >= before, "it counts as written when it was finished")?;
    new.finish().await?;
    same("the keys", keys(&store, Query::default()).await?.len(), 2)
}

async fn nothing_is_left_of_a_binary_that_is_given_up(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    give(&store, &key("k"), &some(10)).await?;
    for dropped in [true, false] {
        for name in ["k", "new"] {
            let mut writer = store.write_binary(&key(name).key, WriteOptions::default()).await?;
            writer.write(&some(700_000)).await?;
            if dropped { drop(writer) } else { writer.abort().await? }
        }
        has(&store, &key("k"), &some(10)).await?;
        is_absent(&store, &key("new")).await?;
    }
    has(&ground.reopen().await?, &key("k"), &some(10)).await
}

async fn a_value_is_not_read_in_pieces(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    same("what was never there", store.read_binary(&key("k").key).await?.is_some(), false)?;
    put(&store, &key("k"), &bytes(b"bytes")).await?;
    refused("reading it", store.read_binary(&key("k").key).await.map(drop), ErrorKind::NotBinary).map(drop)
}

async fn a_compressed_binary_is_read_in_pieces(ground: &Ground) -> Verdict {
    let store = ground.open_with(ground.config().compressor(Compressor::Lz4)).await?;
    for streamed in [false, true] {
        let repeated = Bytes::from(vec![7; 600_000]);
        if streamed {
            stream(&store, &key("k"), &repeated, 1000).await?;
        } else {
            give(&store, &key("k"), &repeated).await?;
        }
        let reader = store.read_binary(&key("k").key).await?;
        let mut reader = reader.ok_or_else(|| Failure::new("the binary is not there"))?;
        let read = collect(&mut reader).await?;
        same("whether the bytes are the same", read == repeated, true)?;
    }
    Ok(())
}

async fn a_damaged_binary_gives_no_byte(ground: &Ground) -> Verdict {
    for (nth, len) in [(0, 3000), (1, 700_000)] {
        let k = key(&nth.to_string());
        stream(&ground.open().await?, &k, &some(len), 1000).await?;
        for change in [
            |value: &mut Vec<u8>| value.iter_mut().skip(2000).take(1).for_each(|byte| *byte ^= 1),
            |value: &mut Vec<u8>| value.truncate(2999),
            |value: &mut Vec<u8>| value.push(0),
            |value: &mut Vec<u8>| value.clear(),
        ] {
            change_value(ground, ground.name(&k.key), change).await?;
            let store = ground.reopen().await?;
            refused("opening it", store.read_binary(&k.key).await.map(drop), ground.damage())?;
            let part = store.binary(&k.key, Span { start: 0, end: Some(1) }).await;
            refused("reading a part", part, ground.damage())?;
            refused("reading it", store.binary(&k.key, Span::default()).await, ground.damage())?;
            let corrupt = store.verify(|_| {}).await?.corrupt;
            ensure(corrupt.iter().any(|damaged| damaged.name == ground.name(&k.key)), "verify finds it")?;
            stream(&store, &k, &some(len), 1000).await?;
            has(&store, &k, &some(len)).await?;
        }
        ground.leave().await?;
    }
    Ok(())
}

async fn change_value(ground: &Ground, name: BlobName, change: impl FnOnce(&mut Vec<u8>)) -> Verdict {
    ground.leave().await?;
    let backing = ground.backing().await?;
    let Blob { head, value } = super::damage::blob(backing.as_ref(), name).await?;
    let mut value = value.to_vec();
    change(&mut value);
    let write = Write { name, change: Change::Put(Blob { head, value: value.into() }), expect: Expect::Anything };
    same("the commit", backing.commit(vec![write]).await?, Outcome::Done(vec![true]))
}

async fn whoever_writes_waits_for_who_reads_in_pieces(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    give(&store, &key("k"), &some(700_000)).await?;
    let reader = store.read_binary(&key("k").key).await?;
    let mut reader = reader.ok_or_else(|| Failure::new("the binary is not there"))?;
    let written = AtomicBool::new(false);
    let writing = async {
        let done = stream(&store, &key("k"), &some(5), 5).await;
        written.store(true, Ordering::SeqCst);
        done
    };
    let reading = async {
        pause().await;
        let read = collect(&mut reader).await?;
        pause().await;
        same("whether the bytes are the same", read == some(700_000), true)?;
        same("whether it was written meanwhile", written.load(Ordering::SeqCst), false)
    };
    beside(Box::pin(writing), Box::pin(reading)).await?;
    drop(reader);
    stream(&store, &key("k"), &some(5), 5).await?;
    has(&store, &key("k"), &some(5)).await
}

async fn a_binary_in_pieces_is_limited_only_where_it_is_held_in_memory(ground: &Ground) -> Verdict {
    let streams = ground.backing().await?.capability().streams;
    ground.leave().await?;
    let store = ground.open_with(ground.config().max_value_len(1000)).await?;
    let streamed = async {
        let mut writer = store.write_binary(&key("k").key, WriteOptions::default()).await?;
        writer.write(&some(300_000)).await?;
        writer.finish().await
    };
    let streamed = streamed.await;
    if !streams {
        refused("writing it", streamed, ErrorKind::LimitExceeded)?;
        return is_absent(&store, &key("k")).await;
    }
    streamed?;
    refused("reading it whole", store.binary(&key("k").key, Span::default()).await, ErrorKind::LimitExceeded)?;
    let listed = entries(&store, Query::default()).await;
    refused("the end of the listing of entries", listed, ErrorKind::LimitExceeded)?;
    same("how many are damaged", store.verify(|_| {}).await?.corrupt.len(), 0)?;
    let part = store.binary(&key("k").key, Span { start: -1000, end: None }).await?;
    same("a part", part, Some(some(300_000).slice(299_000..)))?;
    let reader = store.read_binary(&key("k").key).await?;
    let mut reader = reader.ok_or_else(|| Failure::new("the binary is not there"))?;
    let read = collect(&mut reader).await?;
    same("whether the bytes are the same", read == some(300_000), true)
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
