//! Faults in the sealed layout: whole stores that are damaged, forged or bombs, each with the error that the format names.
//! The vectors are made by a program that shares no code with this one: `js-tests/sealed-format/make-vectors.mjs`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{
    collections::BTreeMap,
    future::ready,
    sync::{Arc, LazyLock},
};

use konserve::{
    BlobName, Config, Encryptor, Error, Key, Result, Store, Uuid,
    backing::{Backing, Blob, Change, Expect, MemoryBacking, Place, RecordCopy, Write},
    blocking::wait,
    connect_store,
    env::BoxFut,
};
use serde_json::Value;

static FILE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("vectors/sealed_negative.json")).unwrap());

/// A backing that a test fills before the store is opened.
#[derive(Clone, Default)]
struct Filled(MemoryBacking);
impl Place for Filled {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        Box::pin(ready(Ok(true)))
    }
    fn open(&self, _create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        Box::pin(ready(Ok(Arc::new(self.0.clone()) as Arc<dyn Backing>)))
    }
    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        Box::pin(ready(Ok(())))
    }
}

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// Hex, or a list of hex and of `[byte, times]`.
fn bytes(written: &Value) -> Vec<u8> {
    let part = |part: &Value| match part.as_str() {
        Some(digits) => unhex(digits),
        None => unhex(part[0].as_str().unwrap()).repeat(usize::try_from(part[1].as_u64().unwrap()).unwrap()),
    };
    written.as_array().map_or_else(|| part(written), |parts| parts.iter().flat_map(part).collect())
}

fn name(vector: &Value) -> BlobName {
    BlobName::from_bytes(bytes(&vector["name"]).try_into().unwrap())
}

/// The vector's own entry, be it null, or else that of its store.
fn own<'a>(vector: &'a Value, store: &'a Value, entry: &str) -> &'a Value {
    vector.get(entry).unwrap_or(&store[entry])
}

fn store_of(vector: &Value) -> &'static Value {
    &FILE["stores"][vector["store"].as_str().unwrap()]
}

/// The blobs of a vector, the one that is meant first.
fn blobs(vector: &Value) -> Vec<&Value> {
    let first = vector.get("blob").map(|_| vector);
    first.into_iter().chain(vector["others"].as_array().into_iter().flatten()).collect()
}

fn place_of(vector: &Value) -> Filled {
    let (place, store) = (Filled::default(), store_of(vector));
    let record = own(vector, store, "record");
    let none = Value::Null;
    let copy = vector.get("copy").unwrap_or(if store["encrypted"] == true { record } else { &none });
    for (which, bytes_of) in [(RecordCopy::First, record), (RecordCopy::Second, copy)] {
        if !bytes_of.is_null() {
            wait(place.0.put_record(which, None, bytes(bytes_of).into())).unwrap();
        }
    }
    for blob in blobs(vector) {
        let change = Change::Put(Blob::split(bytes(&blob["blob"]).into()));
        wait(place.0.commit(vec![Write { name: name(blob), change, expect: Expect::Anything }])).unwrap();
    }
    place
}

fn encryptor_of(vector: &Value) -> Option<Encryptor> {
    let has_own = vector.get("raw_key").or(vector.get("passphrase")).is_some();
    let opens = if has_own { vector } else { store_of(vector) };
    match (&opens["raw_key"], &opens["passphrase"]) {
        (_, Value::String(passphrase)) => Some(Encryptor::aes_blake3(passphrase.as_str())),
        (Value::String(key), _) => Some(Encryptor::aes_blake3(<[u8; 32]>::try_from(unhex(key)).unwrap())),
        _ => None,
    }
}

fn open(vector: &Value) -> Result<Store> {
    let mut config = Config::at(place_of(vector));
    if let Some(encryptor) = encryptor_of(vector) {
        config = config.encryptor(encryptor);
    }
    if let Value::String(id) = &vector["id"] {
        config = config.id(Uuid::from_bytes(unhex(id).try_into().unwrap()));
    }
    wait(connect_store(config))
}

fn key(vector: &Value) -> Key {
    Key::from_cbor(&bytes(&vector["key"])).unwrap()
}

fn read_log(store: &Store, key: Key) -> Result<()> {
    let mut pages = store.list_log(key);
    while wait(pages.next_page())?.is_some() {}
    Ok(())
}

/// What happens when the vector is met.
fn meet(vector: &Value) -> Result<()> {
    let store = open(vector)?;
    match vector["met"].as_str().unwrap() {
        "open" => Ok(()),
        "get" => wait(store.get_cbor(&key(vector).into())).map(drop),
        "log" => read_log(&store, key(vector)),
        "list" => listed(&store, name(blobs(vector)[0])),
        other => panic!("{other}"),
    }
}

/// What `verify` has to say of this blob.
fn listed(store: &Store, name: BlobName) -> Result<()> {
    let report = wait(store.verify(|_| {}))?;
    report.corrupt.into_iter().find(|found| found.name == name).map_or(Ok(()), |found| Err(found.error))
}

fn vectors() -> &'static Vec<Value> {
    FILE["vectors"].as_array().unwrap()
}

#[test]
fn every_fault_is_the_error_that_the_format_names() {
    let mut groups = BTreeMap::<_, usize>::new();
    let mut wrong = Vec::new();
    for vector in vectors() {
        let met = meet(vector).map_err(|error| error.code());
        if met != Err(vector["code"].as_str().unwrap()) {
            wrong.push(format!("{}: {met:?} in place of {}", vector["title"], vector["code"]));
        }
        *groups.entry(vector["group"].as_str().unwrap()).or_default() += 1;
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), vectors().len(), wrong.join("\n"));
    assert_eq!(groups.len(), 9);
    assert!(groups.values().all(|count| *count >= 15) && vectors().len() >= 900, "{groups:?}");
}

#[test]
fn a_value_that_get_refuses_is_refused_by_verify_too() {
    for vector in vectors().iter().filter(|vector| vector["met"] == "get") {
        let listed = listed(&open(vector).unwrap(), name(vector)).map_err(|error| error.code());
        assert_eq!(listed, Err(vector["code"].as_str().unwrap()), "{}", vector["title"]);
    }
}

#[test]
fn of_encrypted_blobs_all_authentication_errors_say_the_same() {
    let text = |vector: &Value, error: &Error| error.to_string().replace(&name(vector).to_string(), "…");
    let errors = vectors().iter().filter(|vector| vector["met"] == "get" && vector["code"] == "AUTHENTICATION");
    let texts: Vec<String> = errors.map(|vector| text(vector, &meet(vector).unwrap_err())).collect();
    assert!(texts.len() >= 100 && texts.iter().all(|text| *text == texts[0]), "{texts:?}");
}
