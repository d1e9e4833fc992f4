//! Random values, and what is left of each when Clojure's formats have kept it.
#![allow(
    dead_code,
    clippy::indexing_slicing,
    reason = "each test has what it needs of it; in a test, that is a failure"
)]

use konserve::{
    Value, cbor,
    value::{BigInt, Decimal, Ratio},
};
use proptest::prelude::*;

/// Values of every kind, as they are read from a store.
pub fn any_value() -> impl Strategy<Value = Value> {
    let big = || any::<(bool, Vec<u8>)>().prop_map(|(negative, magnitude)| BigInt::new(negative, &magnitude));
    let name = || {
        let taken = [
            "pvec",
            "plist",
            "irecord",
            "record",
            "char",
            "ratio",
            "byte",
            "sym",
            "key",
            "inst",
            "map",
            "set",
            "uuid",
            "int[]",
            "js/map",
            "js/undefined",
            "cbor/tag",
            "any",
            "meta",
            "clojure/list",
            "java/list",
            "clojure/char",
            "clojure/with-meta",
            "clojure/sorted-map",
            "clojure/sorted-set",
            "java/object-array",
            "java/boolean-array",
            "js/array-buffer",
            ":",
            "/",
            "a//b",
            "",
        ];
        prop_oneof![
            "[a-z.*+!?-]{1,5}(/[a-z]{1,5})?",
            any::<String>(),
            prop::sample::select(taken.to_vec()).prop_map(str::to_owned)
        ]
    };
    let leaf = prop_oneof![
        Just(Value::Undefined),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        (0_u32..64, any::<i64>()).prop_map(|(shift, n)| Value::from(n >> shift)),
        (-(1_i128 << 64)..1 << 64).prop_map(Value::Int),
        big().prop_map(Value::BigInt),
        any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        (big(), 1_u64..).prop_map(|(n, d)| Ratio::new(n, i128::from(d).into()).unwrap().into()),
        (big(), any::<i64>()).prop_map(|(mantissa, exponent)| Decimal { mantissa, exponent }.into()),
        any::<String>().prop_map(Value::Text),
        any::<char>().prop_map(Value::Char),
        any::<Vec<u8>>().prop_map(Value::Bytes),
        (-8_640_000_000_000_000..=8_640_000_000_000_000_i64).prop_map(Value::Date),
        any::<[u8; 16]>().prop_map(Value::Uuid),
        name().prop_map(Value::Keyword),
        name().prop_map(|name| Value::Symbol(name.trim_start_matches(':').to_owned())),
        (prop_oneof![64_u64..88, 0_u64..40], any::<[u8; 16]>())
            .prop_map(|(tag, bytes)| Value::tagged(tag, bytes.to_vec())),
    ];
    leaf.prop_recursive(6, 60, 8, move |inner| {
        let items = || prop::collection::vec(inner.clone(), 0..8);
        let set = prop::collection::btree_set(inner.clone(), 0..8);
        let map = prop::collection::btree_map(inner.clone(), inner.clone(), 0..8);
        prop_oneof![
            items().prop_map(Value::Array),
            set.prop_map(|members| Value::Set(members.into_iter().collect())),
            map.clone().prop_map(|entries| Value::Map(entries.into_iter().collect())),
            (name(), inner.clone()).prop_map(|(name, content)| Value::record(name, content)),
            (name(), items()).prop_map(|(name, content)| Value::record(name, content)),
            (name(), map).prop_map(|(name, map)| Value::record(name, Value::Map(map.into_iter().collect()))),
            (any::<u64>(), inner.clone()).prop_map(|(tag, content)| Value::tagged(tag, content)),
            (0_u64..300, inner.clone()).prop_map(|(tag, content)| Value::tagged(tag, content)),
        ]
    })
}

/// What a value is after it was written as Fressian and read: what konserve does not keep is gone.
pub fn kept_by_fressian(value: Value) -> Value {
    let all = |items: Vec<Value>| items.into_iter().map(kept_by_fressian).collect::<Vec<_>>();
    let entries = |entries: Vec<(Value, Value)>| {
        entries.into_iter().map(|(k, v)| (kept_by_fressian(k), kept_by_fressian(v))).collect()
    };
    match value {
        Value::Int(n) if i64::try_from(n).is_err() => Value::BigInt(n.into()),
        Value::Array(items) => Value::Array(all(items)),
        Value::Set(members) => Value::Set(all(members)),
        Value::Map(map) => Value::Map(entries(map)),
        Value::Tagged(tag, content) => match (Value::Tagged(tag, content.clone()).as_record(), *content) {
            (Some(("clojure/sorted-map", Value::Map(map))), _) => Value::Map(entries(map.clone())),
            (Some(("clojure/sorted-set", Value::Array(items))), _) if are_distinct(items) => {
                Value::Set(all(items.clone()))
            }
            (Some(("clojure/with-meta", Value::Array(parts))), _) if parts.len() == 2 => {
                kept_by_fressian(parts[1].clone())
            }
            (_, content) => Value::tagged(tag, kept_by_fressian(content)),
        },
        value => value,
    }
}

fn are_distinct(items: &[Value]) -> bool {
    cbor::check(&Value::Set(items.to_vec()).to_cbor().unwrap()).is_ok()
}

/// What a value is after it was written as CBOR for konserve and read: lists are arrays, and JavaScript's `Map`s are maps.
pub fn kept_by_konserve_cbor(value: Value) -> Value {
    let all = |items: Vec<Value>| items.into_iter().map(kept_by_konserve_cbor).collect::<Vec<_>>();
    match value {
        Value::Int(n) if i64::try_from(n).is_err() => Value::BigInt(n.into()),
        Value::Array(items) => Value::Array(all(items)),
        Value::Set(members) => Value::Set(all(members)),
        Value::Map(map) => {
            Value::Map(map.into_iter().map(|(k, v)| (kept_by_konserve_cbor(k), kept_by_konserve_cbor(v))).collect())
        }
        Value::Tagged(tag, content) => match (Value::Tagged(tag, content.clone()).as_record(), *content) {
            (Some(("clojure/list" | "java/list", Value::Array(items))), _) => Value::Array(all(items.clone())),
            (_, content) if tag == cbor::tag::MAP => kept_by_konserve_cbor(content),
            (_, content) => Value::tagged(tag, kept_by_konserve_cbor(content)),
        },
        value => value,
    }
}

/// What a value is after it was written as EDN and read: lists of Java's are those of Clojure.
pub fn kept_by_edn(value: Value) -> Value {
    let all = |items: Vec<Value>| items.into_iter().map(kept_by_edn).collect::<Vec<_>>();
    match value {
        Value::Array(items) => Value::Array(all(items)),
        Value::Set(members) => Value::Set(all(members)),
        Value::Map(map) => Value::Map(map.into_iter().map(|(k, v)| (kept_by_edn(k), kept_by_edn(v))).collect()),
        Value::Tagged(tag, content) => match (Value::Tagged(tag, content.clone()).as_record(), *content) {
            (Some(("java/list", Value::Array(items))), _) => Value::record("clojure/list", all(items.clone())),
            (_, content) => Value::tagged(tag, kept_by_edn(content)),
        },
        value => value,
    }
}
