//! The sealed layout, against vectors made from the format's text by a program that shares no code with this one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{
    future::ready,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use konserve::{
    BlobName, Compressor, Config, Encryptor, Error, Key, Kind, Path, Result, Store, Uuid, WriteOptions,
    backing::{Backing, Blob, Change, Expect, MemoryBacking, Part, Place, RecordCopy, Write},
    blocking::wait,
    connect_store, create_store,
    env::{BoxFut, Clock, Rng},
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

fn vectors() -> &'static Value {
    static VECTORS: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(include_str!("vectors/sealed.json")).unwrap());
    &VECTORS
}

/// The blobs of this list, of plain and of encrypted stores.
fn blobs(list: &str) -> Vec<Value> {
    let blobs: Vec<Value> =
        vectors()[list].as_array().unwrap().iter().filter(|vector| !vector["blob"].is_null()).cloned().collect();
    for encrypted in [false, true] {
        let of_this = blobs.iter().filter(|vector| vector["encrypted"] == encrypted).count();
        assert!(of_this >= 6, "{list} has {of_this} blobs where encrypted is {encrypted}");
    }
    blobs
}

fn input<const LEN: usize>(name: &str) -> [u8; LEN] {
    hex(&vectors()["inputs"][name]).try_into().unwrap()
}

fn raw_key() -> Encryptor {
    Encryptor::aes_blake3(input::<32>("raw_key"))
}

/// Gives what every vector was made with: the name key, the data key, then salts.
#[derive(Default)]
struct Inputs(AtomicUsize);
impl Rng for Inputs {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        let name = match (bytes.len(), self.0.load(Ordering::Relaxed)) {
            (16, _) => "slot_salt",
            (_, 0) => "name_key",
            (_, 1) => "K",
            _ => "salt",
        };
        if bytes.len() == 32 {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        bytes.copy_from_slice(&hex(&vectors()["inputs"][name]));
        Ok(())
    }
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn name(value: &Value) -> BlobName {
    BlobName::from_bytes(hex(value).try_into().unwrap())
}

/// A store that holds this blob under this name.
fn store_with(name: BlobName, blob: &[u8], compressor: Compressor, encrypted: &Value) -> (MemoryBacking, Store) {
    let place = Open::default();
    let id = Uuid::from_bytes(input("id"));
    let config = Config::at(place.clone()).clock(Stopped).rng(Inputs::default()).id(id).compressor(compressor);
    let config = if encrypted == true { config.encryptor(raw_key()) } else { config };
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
    for (name, encrypted) in [("name_plain", false), ("name_encrypted", true)] {
        let nobody = BlobName::from_bytes([0; 16]);
        let (backing, store) = store_with(nobody, &[], Compressor::None, &encrypted.into());
        for vector in vectors()["keys"].as_array().unwrap() {
            let key = Key::from_cbor(&hex(&vector["canonical"])).unwrap();
            wait(store.assoc_cbor(key.into(), Bytes::from_static(b"\0"), WriteOptions::default())).unwrap();
            let file = BlobName::from_file_name(vector[name].as_str().unwrap()).unwrap();
            assert!(wait(backing.read(vec![file], Part::Head)).unwrap()[0].is_some(), "{vector}");
        }
    }
}

#[test]
fn blobs_are_read() {
    let mut read = 0;
    for vector in blobs("vectors").iter().filter(|vector| vector["type"] != "log-element") {
        let title = &vector["title"];
        let key = key_of(vector);
        let (_, store) =
            store_with(name(&vector["name"]), &hex(&vector["blob"]), Compressor::None, &vector["encrypted"]);
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
    for vector in blobs("vectors").iter().filter(|vector| vector["type"] == "edn") {
        let title = vector["title"].as_str().unwrap();
        let compressor = match title {
            _ if title.contains("lz4") => Compressor::Lz4,
            #[cfg(feature = "zstd")]
            _ if title.contains("zstd") => Compressor::Zstd,
            _ => Compressor::None,
        };
        let key = key_of(vector);
        let (backing, store) = store_with(BlobName::from_bytes([0; 16]), &[], compressor, &vector["encrypted"]);
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
    let vectors = blobs("vectors");
    let of = |kind: &str| vectors.iter().find(|vector| vector["type"] == kind).unwrap();
    let (head, element, plain) = (of("append-log"), of("log-element"), &false.into());
    let key = key_of(head);
    let (backing, store) = store_with(name(&head["name"]), &bytes_of(head), Compressor::None, plain);
    put(&backing, element);
    let mut pages = store.list_log(key.clone());
    assert_eq!(wait(pages.next_page()).unwrap(), Some(vec![Bytes::from(hex(&element["serialized"]))]));
    assert_eq!(wait(pages.next_page()).unwrap(), None);
    assert!(wait(store.verify(|_| {})).unwrap().orphans.is_empty());

    // The same element, appended to the same log before it was: `[log id, 0, 0]` under the same key.
    let value = hex(&head["value_section"]);
    let empty = [&value[..value.len() - 1], &[0]].concat();
    let (backing, store) = store_with(BlobName::from_bytes([0; 16]), &[], Compressor::None, plain);
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
    let name_of_k = vectors()["keys"].as_array().unwrap().iter().find(|key| key["canonical"] == "616b").unwrap();
    for vector in blobs("negative") {
        let (name, code) = (name(&vector["name"]), vector["code"].as_str().unwrap());
        let (_, store) = store_with(name, &hex(&vector["blob"]), Compressor::None, &vector["encrypted"]);
        let report = wait(store.verify(|_| {})).unwrap();
        let found: Vec<_> = report.corrupt.iter().map(|damaged| (damaged.name, damaged.error.code())).collect();
        assert_eq!(found, [(name, code)], "{}", vector["title"]);
        // Some vectors lie under the name of another key than theirs.
        let own = if vector["encrypted"] == true { "name_encrypted" } else { "name_plain" };
        if name.file_name() == name_of_k[own].as_str().unwrap() {
            let got = wait(store.get_cbor(&key.clone().into())).map_err(|error| error.code());
            assert_eq!(got, Err(code), "{}", vector["title"]);
        }
    }
}

#[test]
fn every_flipped_bit_every_cut_and_an_appended_byte_is_an_error() {
    for vector in blobs("vectors").iter().filter(|vector| ["edn", "binary"].contains(&vector["type"].as_str().unwrap()))
    {
        let (blob, key) = (hex(&vector["blob"]), key_of(vector));
        let fails = |blob: &[u8]| {
            let (_, store) = store_with(name(&vector["name"]), blob, Compressor::None, &vector["encrypted"]);
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

fn connect_to(record: &[u8], encryptor: Option<Encryptor>) -> Result<Store, Error> {
    let place = Open::default();
    wait(place.0.put_record(RecordCopy::First, None, Bytes::copy_from_slice(record))).unwrap();
    let config = Config::at(place);
    wait(connect_store(match encryptor {
        Some(encryptor) => config.encryptor(encryptor),
        None => config,
    }))
}

/// What a vector of a record is opened with.
fn encryptor_of(vector: &Value) -> Option<Encryptor> {
    match (&vector["raw_key"], &vector["passphrase"]) {
        (Value::String(_), _) => Some(Encryptor::aes_blake3(<[u8; 32]>::try_from(hex(&vector["raw_key"])).unwrap())),
        (_, Value::String(passphrase)) => Some(Encryptor::aes_blake3(passphrase.as_str())),
        _ => None,
    }
}

fn records() -> Vec<Value> {
    vectors()["vectors"].as_array().unwrap().iter().filter(|vector| !vector["record"].is_null()).cloned().collect()
}

#[test]
fn records_are_read_or_refused_as_the_format_says() {
    let read = records();
    assert!(read.len() >= 3, "{}", read.len());
    for vector in &read {
        let title = &vector["title"];
        let store =
            connect_to(&hex(&vector["record"]), encryptor_of(vector)).unwrap_or_else(|e| panic!("{title}: {e}"));
        assert_eq!((*store.id().as_bytes(), store.created()), (input("id"), WRITTEN), "{title}");
    }
    for vector in vectors()["negative_records"].as_array().unwrap() {
        let (opened, title) = (connect_to(&hex(&vector["record"]), encryptor_of(vector)), &vector["title"]);
        assert_eq!(opened.unwrap_err().code(), vector["code"].as_str().unwrap(), "{title}");
    }
}

#[test]
fn every_changed_byte_of_a_record_is_noticed() {
    for vector in records().iter().filter(|vector| vector["passphrase"].is_null()) {
        let record = hex(&vector["record"]);
        for bit in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(connect_to(&flipped, encryptor_of(vector)).unwrap_err().code(), "CORRUPT", "bit {bit}");
        }
    }
}

#[test]
fn a_key_of_another_name_reads_nothing() {
    let path = Path::from(Key::from("elsewhere"));
    let (_, store) = store_with(Key::from("k").name(), b"", Compressor::None, &false.into());
    assert_eq!(wait(store.get_cbor(&path)).unwrap(), None);
}
