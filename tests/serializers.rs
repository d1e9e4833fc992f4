//! Serializers of the application's own: everything that a store does works over them, and whatever they do is told.
#![allow(clippy::unwrap_used, reason = "in a test, that is a failure")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU8, Ordering},
};

use bytes::Bytes;
use konserve::{
    Compressor, Config, Error, ErrorKind, Existing, Kind, Result, Serializer, SerializerError, Value,
    blocking::{self, Store},
    edn,
};
use proptest::prelude::*;

/// Keeps values as EDN text.
#[derive(Clone)]
struct Edn(u8);

impl Serializer for Edn {
    fn id(&self) -> u8 {
        self.0
    }

    fn name(&self) -> &'static str {
        "edn"
    }

    fn encode(&self, value: &Value) -> Result<Vec<u8>, SerializerError> {
        Ok(value.to_string().into_bytes())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Value, SerializerError> {
        Ok(edn::read(std::str::from_utf8(bytes)?)?)
    }
}

/// Keeps values as CBOR turned round, so that nothing that passes it by can be read.
struct Backwards;

impl Serializer for Backwards {
    fn id(&self) -> u8 {
        255
    }

    fn name(&self) -> &'static str {
        "backwards"
    }

    fn encode(&self, value: &Value) -> Result<Vec<u8>, SerializerError> {
        Ok(value.to_cbor()?.into_iter().rev().collect())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Value, SerializerError> {
        Ok(Value::from_cbor(&bytes.iter().rev().copied().collect::<Vec<_>>())?)
    }
}

/// What a serializer may do wrong.
const SOUND: u8 = 0;
const REFUSES: u8 = 1;
const GIVES_NO_VALUE: u8 = 2;
const GIVES_TWINS: u8 = 3;
const GIVES_DEPTH: u8 = 4;

/// Does what it is told to, and notes what it was given to write.
#[derive(Clone, Default)]
struct Moody {
    mood: Arc<AtomicU8>,
    seen: Arc<Mutex<Vec<Value>>>,
}

impl Moody {
    fn be(&self, mood: u8) {
        self.mood.store(mood, Ordering::SeqCst);
    }

    fn seen(&self) -> Vec<Value> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

impl Serializer for Moody {
    fn id(&self) -> u8 {
        130
    }

    fn name(&self) -> &'static str {
        "moody"
    }

    fn encode(&self, value: &Value) -> Result<Vec<u8>, SerializerError> {
        self.seen.lock().unwrap().push(value.clone());
        if self.mood.load(Ordering::SeqCst) == REFUSES { Err("not today".into()) } else { Edn(130).encode(value) }
    }

    fn decode(&self, bytes: &[u8]) -> Result<Value, SerializerError> {
        match self.mood.load(Ordering::SeqCst) {
            REFUSES => Err("not today".into()),
            GIVES_NO_VALUE => Ok(Value::Symbol(":none".into())),
            GIVES_TWINS => Ok(Value::Set(vec![1.into(), 1.into()])),
            GIVES_DEPTH => Ok((0..600).fold(Value::Null, |inner, _| vec![inner].into())),
            _ => Edn(130).decode(bytes),
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Undefined),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        any::<i128>().prop_map(|n| Value::BigInt(n.into())),
        "[ -~]{0,40}".prop_map(Value::Text),
        any::<String>().prop_map(Value::Text),
        any::<Vec<u8>>().prop_map(Value::Bytes),
        (0..4_000_000_000_000_i64).prop_map(Value::Date),
        any::<[u8; 16]>().prop_map(Value::Uuid),
        "[a-z]{1,5}(/[a-z]{1,5})?".prop_map(Value::Keyword),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let items = || prop::collection::vec(inner.clone(), 0..6);
        prop_oneof![
            items().prop_map(Value::Array),
            prop::collection::btree_set(inner.clone(), 0..6).prop_map(|set| Value::Set(set.into_iter().collect())),
            prop::collection::btree_map(inner.clone(), inner.clone(), 0..6)
                .prop_map(|map| Value::Map(map.into_iter().collect())),
            ("[a-z]{1,5}/[A-Z][a-z]{0,5}", inner.clone()).prop_map(|(name, fields)| Value::record(name, fields)),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_survives_every_serializer_and_compressor(
        value in value(), inside in value(), backwards: bool, compressed: bool,
    ) {
        let config = Config::memory().compressor(if compressed { Compressor::Lz4 } else { Compressor::None });
        let config = if backwards { config.serializer(Backwards) } else { config.serializer(Edn(128)) };
        let store = blocking::create_store(config).unwrap();
        store.assoc("k", &value).unwrap();
        prop_assert_eq!(store.get::<Value>("k").unwrap(), Some(value.clone()));
        store.assoc_in(("map", "a", "b"), &value).unwrap();
        store.assoc_in(("map", "a", "c"), &inside).unwrap();
        prop_assert_eq!(store.get_in::<Value>(("map", "a", "b")).unwrap(), Some(value.clone()));
        prop_assert_eq!(store.get_in::<Value>(("map", "a", "c")).unwrap(), Some(inside.clone()));
        for element in [&value, &inside] {
            store.append("log", element).unwrap();
        }
        prop_assert_eq!(store.log::<Value>("log").unwrap(), [value, inside]);
        prop_assert!(store.verify(|_| ()).unwrap().corrupt.is_empty());
    }
}

fn opened(config: &Config) -> Store {
    blocking::open_store(config.clone()).unwrap()
}

#[test]
fn values_and_elements_go_through_it_and_nothing_else() {
    let moody = Moody::default();
    let store = opened(&Config::memory().serializer(moody.clone()));
    let seen = |act: &dyn Fn(&Store) -> Result<()>, expected: &[&str]| {
        act(&store).unwrap();
        let mut seen: Vec<_> = moody.seen().iter().map(Value::to_string).collect();
        seen.sort();
        assert_eq!(seen, expected);
    };
    seen(&|store| store.assoc(("a", "key"), 1), &["1"]);
    seen(&|store| store.assoc_in(("a", "b"), 2), &[r#"{"b" 2}"#]);
    seen(&|store| store.update_in(("a", "b"), |n: Option<i64>| n.unwrap_or(0) + 1).map(drop), &[r#"{"b" 3}"#]);
    seen(&|store| store.dissoc_in(("a", "b")).map(drop), &["{}"]);
    seen(&|store| store.multi_assoc([("x", 1), ("y", 2)]).map(drop), &["1", "2"]);
    let own = || konserve::WriteOptions::default().meta([("by", "me")].into_iter().collect::<Value>());
    seen(&|store| store.append_with("log", "element", own()?), &[r#""element""#]);
    seen(&|store| store.bassoc("binary", Bytes::from_static(b"bytes")), &[]);
    assert_eq!(store.bget("binary").unwrap().unwrap(), b"bytes"[..]);
    assert_eq!(store.get_meta("log").unwrap().unwrap().kind, Kind::Log);
    assert_eq!(store.log::<String>("log").unwrap(), ["element"]);
    assert_eq!(store.multi_get::<i64>(["x", "y", "z"]).unwrap(), [Some(1), Some(2), None]);
    assert!(store.dissoc("log").unwrap());
    assert!(moody.seen().is_empty());
}

#[test]
fn the_record_says_what_is_written_by_default() {
    let place = Config::memory_named("the record says");
    opened(&place.clone().serializer(Edn(200)).serializers([Arc::new(Backwards) as Arc<dyn Serializer>]))
        .assoc("edn", 1)
        .unwrap();

    let error = blocking::connect_store(place.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("serializer 200") && error.message().contains("serializers"), "{error}");
    assert_eq!(blocking::connect_store(place.clone().cbor()).unwrap_err().kind(), ErrorKind::Unsupported);
    let other = place.clone().serializer(Backwards);
    assert_eq!(blocking::connect_store(other).unwrap_err().kind(), ErrorKind::Unsupported);

    let known: [Arc<dyn Serializer>; 1] = [Arc::new(Edn(200))];
    let moody = Moody::default();
    let with_both = place.clone().serializer(moody.clone()).serializers(known.clone());
    opened(&with_both).assoc("moody", 2).unwrap();
    assert_eq!(moody.seen(), [2.into()]);
    // Without a word it is again what the store was made with.
    let store = opened(&place.clone().serializers(known.clone()));
    store.assoc("default", 3).unwrap();
    assert_eq!(store.get("edn").unwrap(), Some(1));
    assert_eq!(store.get("default").unwrap(), Some(3));
    let error = store.get::<i64>("moody").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("serializer 130"), "{error}");
    assert_eq!(error.key(), Some(&b"\x65moody"[..]));
    for failed in
        [store.multi_get::<i64>(["moody"]).map(drop), store.update("moody", |n: Option<i64>| n.unwrap()).map(drop)]
    {
        let error = failed.unwrap_err();
        assert_eq!((error.kind(), error.key()), (ErrorKind::Unsupported, Some(&b"\x65moody"[..])));
    }

    let plain = opened(&place.cbor().serializers(known));
    plain.assoc("cbor", 4).unwrap();
    assert_eq!((plain.get("edn").unwrap(), plain.get("cbor").unwrap()), (Some(1), Some(4)));
}

#[test]
fn ids_are_of_the_range_for_applications_and_each_is_one_serializers() {
    for id in [0, 1, 3, 127] {
        let error = blocking::create_store(Config::memory_named("wrong id").serializer(Edn(id))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(error.message().contains(&format!("id {id} ")), "{error}");
    }
    let twice = Config::memory_named("wrong id").serializer(Backwards).serializer(Edn(255));
    assert_eq!(blocking::create_store(twice).unwrap_err().kind(), ErrorKind::InvalidConfig);
    assert!(!blocking::store_exists(Config::memory_named("wrong id")).unwrap());
    for id in [128, 255] {
        blocking::create_store(Config::memory().serializer(Edn(id))).unwrap();
    }
}

/// What the error below says, as a program finds it.
fn cause(error: &Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

#[test]
fn what_it_refuses_is_told_with_its_cause_and_loses_nothing() {
    let moody = Moody::default();
    let store = opened(&Config::memory().serializer(moody.clone()));
    store.assoc("k", 1).unwrap();
    store.append("log", 1).unwrap();
    let key = Some(&b"\x61k"[..]);

    moody.be(REFUSES);
    for failed in [
        store.assoc("k", 2),
        store.multi_assoc([("k", 2), ("other", 3)]).map(drop),
        // Its read fails first.
        store.append("log", 2),
    ] {
        let error = failed.unwrap_err();
        assert_eq!((error.kind(), cause(&error).as_str()), (ErrorKind::InvalidValue, "not today"), "{error}");
        assert!(error.message().contains("moody") && error.message().contains("not today") && error.key().is_some());
    }
    for failed in [store.get::<i64>("k").map(drop), store.update("k", |_: Option<i64>| 3).map(drop)] {
        let error = failed.unwrap_err();
        assert_eq!((error.kind(), error.key()), (ErrorKind::Corrupt, key), "{error}");
        assert_eq!(cause(&error), "not today");
    }
    for (mood, kind) in [
        (GIVES_NO_VALUE, ErrorKind::Corrupt),
        (GIVES_TWINS, ErrorKind::Corrupt),
        (GIVES_DEPTH, ErrorKind::LimitExceeded),
    ] {
        moody.be(mood);
        let error = store.get::<Value>("k").unwrap_err();
        assert_eq!((error.kind(), error.key()), (kind, key), "{error}");
    }
    moody.be(SOUND);
    assert_eq!(store.get("k").unwrap(), Some(1));
    assert!(!store.exists("other").unwrap());
    assert_eq!(store.log::<i64>("log").unwrap(), [1]);
}

#[test]
fn a_repair_leaves_what_only_its_serializer_cannot_read() {
    let moody = Moody::default();
    let store = opened(&Config::memory().serializer(moody.clone()));
    store.assoc("k", 1).unwrap();
    moody.be(REFUSES);
    let report = store.repair(|_| ()).unwrap();
    assert_eq!((report.checked, report.corrupt.len()), (1, 1));
    assert!(report.corrupt.iter().all(|damaged| !damaged.set_aside));
    moody.be(SOUND);
    assert_eq!(store.get("k").unwrap(), Some(1));
}

#[test]
fn stores_with_different_serializers_exchange_what_they_hold() {
    let from = opened(&Config::memory().serializer(Edn(128)).compressor(Compressor::Lz4));
    from.assoc("k", "v".repeat(1000)).unwrap();
    from.append("log", 1).unwrap();
    from.bassoc("binary", Bytes::from_static(b"bytes")).unwrap();

    let to = opened(&Config::memory().serializer(Backwards));
    from.copy_to(&to, Existing::Error, |_| ()).unwrap();
    let mut export = Vec::new();
    from.export_to(&mut export, |_, _| ()).unwrap();
    let imported = opened(&Config::memory().serializers([Arc::new(Edn(128)) as Arc<dyn Serializer>]));
    imported.import_from(&mut &*export, Existing::Error, |_, _| ()).unwrap();
    for store in [to, imported] {
        assert_eq!(store.get::<String>("k").unwrap(), Some("v".repeat(1000)));
        assert_eq!(store.log::<i64>("log").unwrap(), [1]);
        assert_eq!(store.bget("binary").unwrap().unwrap(), b"bytes"[..]);
    }

    let without = opened(&Config::memory());
    let error = without.import_from(&mut &*export, Existing::Error, |_, _| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("serializer 128"), "{error}");
}

#[test]
fn what_is_longer_than_the_limit_in_its_form_is_refused() {
    let store = opened(&Config::memory().serializer(Edn(128)).max_value_len(1000));
    store.assoc("k", "v".repeat(900)).unwrap();
    // Bytes take two letters each in EDN.
    assert_eq!(store.assoc("k", Value::Bytes(vec![0; 600])).unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert_eq!(store.get::<String>("k").unwrap(), Some("v".repeat(900)));
}
