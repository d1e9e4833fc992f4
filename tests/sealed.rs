//! The sealed layout, against vectors made from the format's text by a program that shares no code with this one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{future::ready, sync::Arc};

use bytes::Bytes;
use konserve::{
    BlobName, Compressor, Config, Error, Key, Kind, Path, Result, Store, WriteOptions,
    backing::{Backing, Blob, Change, Expect, MemoryBacking, Part, Place, Write},
    blocking::wait,
    connect_store, create_store,
    env::{BoxFut, Clock},
};
use serde_json::Value;

/// The time at which every vector was written.
const WRITTEN: u64 = 1_700_000_000_000;

struct Stopped;
impl Clock for Stopped {
    fn now(&self) -> u64 {
        WRITTEN
    }
}

/// A backing that a test looks into.
#[derive(Clone, Default)]
struct Open(MemoryBacking);
impl Place for Open {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        Box::pin(ready(Ok(false)))
    }
    fn open(&self, _create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        Box::pin(ready(Ok(Arc::new(self.0.clone()) as Arc<dyn Backing>)))
    }
    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        Box::pin(ready(Ok(())))
    }
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/sealed.json")).unwrap()
}

/// The vectors of this list that need no key of the store's.
fn plain(list: &str) -> Vec<Value> {
    let vectors = vectors();
    let plain: Vec<Value> =
        vectors[list].as_array().unwrap().iter().filter(|v| v["encrypted"] == false).cloned().collect();
    assert!(plain.len() >= 14, "{list} has {} plain vectors", plain.len());
    plain
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn name(value: &Value) -> BlobName {
    BlobName::from_bytes(hex(value).try_into().unwrap())
}

/// A store that holds this blob under this name.
fn store_with(name: BlobName, blob: &[u8], compressor: Compressor) -> (MemoryBacking, Store) {
    let place = Open::default();
    let config = Config::at(place.clone()).clock(Stopped).compressor(compressor);
    let store = wait(create_store(config)).unwrap();
    let change = Change::Put(Blob::split(Bytes::copy_from_slice(blob)));
    wait(place.0.commit(vec![Write { name, change, expect: Expect::Anything }])).unwrap();
    (place.0, store)
}

fn key_of(vector: &Value) -> Key {
    Key::from_cbor(&hex(&vector["canonical_key"])).unwrap_or_else(|_| panic!("{}", vector["title"]))
}

#[test]
fn names_of_keys_are_those_of_the_format() {
    for key in vectors()["keys"].as_array().unwrap() {
        let name = Key::from_cbor(&hex(&key["canonical"])).unwrap().name();
        assert_eq!(name.file_name(), key["name_plain"].as_str().unwrap(), "{key}");
    }
}

#[test]
fn blobs_are_read() {
    let mut read = 0;
    for vector in plain("vectors").iter().filter(|vector| vector["type"] != "log-element") {
        let title = &vector["title"];
        let key = key_of(vector);
        let (_, store) = store_with(name(&vector["name"]), &hex(&vector["blob"]), Compressor::None);
        let meta = wait(store.meta(&key)).unwrap().unwrap();
        assert_eq!(meta.key, key, "{title}");
        assert_eq!(meta.kind.as_str(), vector["type"].as_str().unwrap(), "{title}");
        assert_eq!((meta.last_write, meta.size), (WRITTEN, vector["size"].as_u64()), "{title}");
        assert_eq!(meta.expires, vector["expires"].as_u64(), "{title}");
        assert_eq!(meta.user.is_empty(), vector["user"].is_null(), "{title}");
        if meta.kind == Kind::Log {
            continue;
        }
        let got = wait(store.get_cbor(&key.into())).unwrap().unwrap();
        let item = hex(&vector["serialized"]);
        if meta.kind == Kind::Binary {
            assert!(got.ends_with(&item), "{title}");
        } else {
            assert_eq!(got, item, "{title}");
        }
        read += 1;
    }
    assert!(read >= 12);
}

#[test]
fn blobs_are_written_byte_for_byte() {
    for vector in plain("vectors").iter().filter(|vector| vector["type"] == "edn") {
        let title = vector["title"].as_str().unwrap();
        let compressor = match title {
            _ if title.contains("lz4") => Compressor::Lz4,
            #[cfg(feature = "zstd")]
            _ if title.contains("zstd") => Compressor::Zstd,
            _ => Compressor::None,
        };
        let key = key_of(vector);
        let (backing, store) = store_with(BlobName::from_bytes([0; 16]), &[], compressor);
        let mut options = WriteOptions::default();
        if let Some(expires) = vector["expires"].as_u64() {
            options = options.expires(expires);
        }
        if !vector["user"].is_null() {
            let map = hex(&vector["map"]);
            let user = map.windows(5).position(|at| at == b"\x64user").unwrap() + 5;
            options = options.meta_cbor(&map[user..]).unwrap();
        }
        let value = Bytes::from(hex(&vector["serialized"]));
        wait(store.assoc_cbor(key.clone().into(), value.clone(), options)).unwrap();
        let blob = wait(backing.read(vec![name(&vector["name"])], Part::All)).unwrap().remove(0).unwrap();
        let expected = if title.contains("not smaller") { Compressor::None } else { compressor };
        assert_eq!(blob.head[2], expected.id(), "{title}");
        if vector["writer_is_free"] == true {
            assert_eq!(wait(store.get_cbor(&key.into())).unwrap().unwrap(), value, "{title}");
        } else {
            assert_eq!([blob.head, blob.value].concat(), hex(&vector["blob"]), "{title}");
        }
    }
}

fn bytes_of(vector: &Value) -> Bytes {
    hex(&vector["blob"]).into()
}

fn put(backing: &MemoryBacking, vector: &Value) {
    let change = Change::Put(Blob::split(bytes_of(vector)));
    wait(backing.commit(vec![Write { name: name(&vector["name"]), change, expect: Expect::Anything }])).unwrap();
}

fn bytes_at(backing: &MemoryBacking, name: BlobName) -> Vec<u8> {
    let blob = wait(backing.read(vec![name], Part::All)).unwrap().remove(0).unwrap();
    [blob.head, blob.value].concat()
}

#[test]
fn logs_are_read_and_written_byte_for_byte() {
    let vectors = plain("vectors");
    let of = |kind: &str| vectors.iter().find(|vector| vector["type"] == kind).unwrap();
    let (head, element) = (of("append-log"), of("log-element"));
    let key = key_of(head);
    let (backing, store) = store_with(name(&head["name"]), &bytes_of(head), Compressor::None);
    put(&backing, element);
    let mut pages = store.list_log(key.clone());
    assert_eq!(wait(pages.next_page()).unwrap(), Some(vec![Bytes::from(hex(&element["serialized"]))]));
    assert_eq!(wait(pages.next_page()).unwrap(), None);
    assert!(wait(store.verify(|_| {})).unwrap().orphans.is_empty());

    // The same element, appended to the same log before it was: `[log id, 0, 0]` under the same key.
    let value = hex(&head["value_section"]);
    let empty = [&value[..value.len() - 1], &[0]].concat();
    let (backing, store) = store_with(BlobName::from_bytes([0; 16]), &[], Compressor::None);
    wait(store.assoc_cbor(key.clone().into(), empty.into(), WriteOptions::default())).unwrap();
    retype(&backing, &key, head);
    wait(store.append_cbor(key, hex(&element["serialized"]).into(), WriteOptions::default())).unwrap();
    for vector in [head, element] {
        assert_eq!(bytes_at(&backing, name(&vector["name"])), hex(&vector["blob"]), "{}", vector["title"]);
    }
}

/// Makes the value at the key a log's head: with the map of this vector, and the digest and check that it then needs.
fn retype(backing: &MemoryBacking, key: &Key, vector: &Value) {
    let blob = Blob::split(bytes_at(backing, key.name()).into());
    let prefix = blob.head[20..60].to_vec();
    let map = hex(&vector["map"]);
    let mut head = blob.head[..8].to_vec();
    head[7] = u8::try_from(prefix.len() + map.len()).unwrap();
    let section = [prefix, map].concat();
    let hash = blake3::hash(&[&key.name().as_bytes()[..], &head, &section].concat());
    head.extend(&hash.as_bytes()[..12]);
    let change = Change::Put(Blob { head: [head, section].concat().into(), value: blob.value });
    wait(backing.commit(vec![Write { name: key.name(), change, expect: Expect::Anything }])).unwrap();
}

#[test]
fn damaged_blobs_are_the_error_that_the_format_names() {
    let key = Key::from("k");
    for vector in plain("negative") {
        let (name, code) = (name(&vector["name"]), vector["code"].as_str().unwrap());
        let (_, store) = store_with(name, &hex(&vector["blob"]), Compressor::None);
        let report = wait(store.verify(|_| {})).unwrap();
        let found: Vec<_> = report.corrupt.iter().map(|damaged| (damaged.name, damaged.error.code())).collect();
        assert_eq!(found, [(name, code)], "{}", vector["title"]);
        // Some vectors lie under the name of another key than theirs.
        if name == key.name() {
            let got = wait(store.get_cbor(&key.clone().into())).map_err(|error| error.code());
            assert_eq!(got, Err(code), "{}", vector["title"]);
        }
    }
}

#[test]
fn every_flipped_bit_every_cut_and_an_appended_byte_is_an_error() {
    for vector in plain("vectors").iter().filter(|vector| ["edn", "binary"].contains(&vector["type"].as_str().unwrap()))
    {
        let (blob, key) = (hex(&vector["blob"]), key_of(vector));
        let fails = |blob: &[u8]| {
            let (_, store) = store_with(key.name(), blob, Compressor::None);
            wait(store.get_cbor(&key.clone().into())).is_err()
        };
        for bit in 0..blob.len() * 8 {
            let mut flipped = blob.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(fails(&flipped), "{}: bit {bit}", vector["title"]);
        }
        for len in 0..blob.len() {
            assert!(fails(&blob[..len]), "{}: cut to {len}", vector["title"]);
        }
        assert!(fails(&[&blob[..], &[0]].concat()), "{}: a byte appended", vector["title"]);
    }
}

fn connect_to(record: &[u8]) -> Result<Store, Error> {
    let place = Open::default();
    wait(place.0.create_record(Bytes::copy_from_slice(record))).unwrap();
    wait(connect_store(Config::at(place)))
}

#[test]
fn records_are_read_or_refused_as_the_format_says() {
    let vectors = vectors();
    let record = vectors["vectors"].as_array().unwrap().iter().find(|v| v["title"] == "record, plain").unwrap();
    let store = connect_to(&hex(&record["record"])).unwrap();
    assert_eq!(store.id().as_bytes(), &hex(&vectors["inputs"]["id"])[..]);
    assert_eq!(store.created(), WRITTEN);
    let mut refused = 0;
    for vector in
        vectors["negative_records"].as_array().unwrap().iter().filter(|vector| vector.get("raw_key").is_none())
    {
        assert_eq!(
            connect_to(&hex(&vector["record"])).unwrap_err().code(),
            vector["code"].as_str().unwrap(),
            "{}",
            vector["title"]
        );
        refused += 1;
    }
    assert!(refused >= 2);
}

#[test]
fn every_changed_byte_of_a_record_is_noticed() {
    let vectors = vectors();
    let record =
        hex(&vectors["vectors"].as_array().unwrap().iter().find(|v| v["title"] == "record, plain").unwrap()["record"]);
    for bit in 0..record.len() * 8 {
        let mut flipped = record.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(connect_to(&flipped).unwrap_err().code(), "CORRUPT", "bit {bit}");
    }
}

#[test]
fn a_key_of_another_name_reads_nothing() {
    let path = Path::from(Key::from("elsewhere"));
    let (_, store) = store_with(Key::from("k").name(), b"", Compressor::None);
    assert_eq!(wait(store.get_cbor(&path)).unwrap(), None);
}
