//! Every value survives every way through a store: each layout, serializer, compressor and encryptor.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::Cell;

use konserve::{
    Compressor, Config, Encryptor, ErrorKind, LayoutName, Value,
    blocking::{self, Store},
    cbor,
};
use proptest::prelude::*;

mod any_value;

use any_value::{any_value, kept_by_edn, kept_by_fressian, kept_by_konserve_cbor};

/// A store, and what it keeps of a value.
struct Way {
    name: String,
    store: Store,
    kept: Kept,
}

type Kept = fn(Value) -> Value;
type Serialized = fn(Config) -> Config;

/// All combinations.
fn ways() -> Vec<Way> {
    let mut ways = Vec::new();
    for (layout, kept_by_cbor) in
        [(LayoutName::Sealed, std::convert::identity as Kept), (LayoutName::Konserve, kept_by_konserve_cbor)]
    {
        let serializers: [(&str, Serialized, Kept); 3] = [
            ("cbor", Config::cbor, kept_by_cbor),
            ("edn", Config::edn, kept_by_edn),
            ("fressian", Config::fressian, kept_by_fressian),
        ];
        for (serializer, serialized, kept) in serializers {
            for compressor in [Compressor::None, Compressor::Lz4, Compressor::Zstd] {
                for encryptor in encryptors(layout) {
                    let name = format!("{layout:?}, {serializer}, {compressor:?}, {encryptor:?}");
                    let config = serialized(Config::memory()).layout(layout).compressor(compressor);
                    let config = encryptor.into_iter().fold(config, Config::encryptor);
                    ways.push(Way { name, store: blocking::open_store(config).unwrap(), kept });
                }
            }
        }
    }
    ways
}

fn encryptors(layout: LayoutName) -> Vec<Option<Encryptor>> {
    match layout {
        LayoutName::Sealed => vec![None, Some(Encryptor::aes_blake3([7; 32]))],
        LayoutName::Konserve => {
            vec![None, Encryptor::aes("a key").ok(), Encryptor::aes_gcm(Value::Bytes(vec![7; 32])).ok()]
        }
    }
}

#[test]
fn every_value_survives_or_is_refused() {
    let ways = ways();
    assert_eq!(ways.len(), 18 + 27);
    let (written, refused) = (Cell::new(0), Cell::new(0));
    proptest!(ProptestConfig::with_cases(200), |(value in any_value())| {
        let inner = value.to_cbor().unwrap();
        prop_assume!(cbor::check(&inner).is_ok());
        let value = Value::from_cbor(&inner).unwrap();
        for Way { name, store, kept } in &ways {
            let before = store.get::<Value>("k").unwrap();
            let (now, expected) = match store.assoc("k", &value) {
                Ok(()) => {
                    written.set(written.get() + 1);
                    (store.get("k").unwrap(), Some(kept(value.clone())))
                }
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::InvalidValue, "{}: {}", name, error);
                    refused.set(refused.get() + 1);
                    (store.get("k").unwrap(), before)
                }
            };
            prop_assert_eq!(now, expected, "{}", name);
        }
    });
    println!("{} written, {} refused", written.get(), refused.get());
    assert!(written.get() > 10 * refused.get());
}
