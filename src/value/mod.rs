//! [`Value`], what a store holds: every kind of value that its CBOR has, read and written without loss.

mod bigint;
pub(crate) mod cbor;
#[cfg(not(target_arch = "wasm32"))]
mod convert;
pub(crate) mod date;
pub mod edn;
mod from;
#[cfg(feature = "cli")]
pub mod json;
pub(crate) mod number;
mod order;
#[cfg(not(target_arch = "wasm32"))]
mod record;
#[cfg(not(target_arch = "wasm32"))]
mod serde_members;
#[cfg(not(target_arch = "wasm32"))]
mod serde_read;
#[cfg(not(target_arch = "wasm32"))]
mod serde_write;
mod text;

pub use bigint::{BigInt, NotANumber};
#[cfg(not(target_arch = "wasm32"))]
pub use convert::{FromCbor, ToCbor};
pub use number::{Decimal, Ratio};
#[cfg(not(target_arch = "wasm32"))]
pub use record::{AsRecord, Record, as_record};

/// A value as a store keeps it.
///
/// `Value` holds what any program wrote, in Rust, JavaScript or Clojure, and writes the same bytes back. For values whose
/// shape is known, any type that implements serde's traits will do instead.
///
/// Two values are equal when they are stored as the same, but for the order of maps and sets, which does not count:
/// `NaN` equals `NaN`, `-0.0` is not `0.0`, and `Int(1)` is neither `Float(1.0)` nor the `BigInt` 1. `Ord` agrees with that;
/// beyond it, the order means nothing.
///
/// `Display` is EDN text, all in one line; with `{:#}`, maps and sets are sorted.
///
/// ```
/// use konserve::Value;
///
/// let ada: Value = [("name", Value::from("Ada")), ("born", 1815.into())].into_iter().collect();
/// assert_eq!(ada.get("born").and_then(Value::as_i64), Some(1815));
/// assert_eq!(ada.to_string(), r#"{"name" "Ada", "born" 1815}"#);
/// ```
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// JavaScript's `undefined`.
    Undefined,
    /// `null`, Clojure's `nil`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number, −2^64 to 2^64 − 1; what lies beyond is stored as a [`BigInt`].
    Int(i128),
    /// A whole number that is a `bigint` in JavaScript, whatever its size.
    BigInt(BigInt),
    /// A double. Every NaN is stored as the same.
    Float(f64),
    /// An exact fraction.
    Ratio(Box<Ratio>),
    /// An exact decimal.
    Decimal(Box<Decimal>),
    /// Text.
    Text(String),
    /// One character, Clojure's `\a`.
    Char(char),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A moment in milliseconds since 1970, from −8.64 · 10^15 to 8.64 · 10^15.
    Date(i64),
    /// The 16 bytes of a UUID.
    Uuid([u8; 16]),
    /// `ns/name`: Clojure's keyword, without its colon.
    Keyword(String),
    /// `ns/name`: Clojure's symbol; it does not begin with a colon.
    Symbol(String),
    /// A list of values.
    Array(Vec<Value>),
    /// A set; a member must not be in it twice.
    Set(Vec<Value>),
    /// Keys and their values, in the order in which they are stored; a key must not be there twice.
    Map(Vec<(Value, Value)>),
    /// A CBOR tag without a variant of its own, with its content. See [`Value::tagged`].
    Tagged(u64, Box<Value>),
}

impl Value {
    /// The value that a CBOR tag makes of its content: the variant that has this tag, if the content fits it, else
    /// [`Value::Tagged`], which is what a value read from a store always is.
    pub fn tagged(tag: u64, content: impl Into<Value>) -> Self {
        cbor::classify(tag, content.into())
    }

    /// A record, or another value with a name: tag 27.
    pub fn record(name: impl Into<String>, content: impl Into<Value>) -> Self {
        Self::tagged(crate::cbor::tag::RECORD, vec![Self::Text(name.into()), content.into()])
    }

    /// The name and the content of a [record](Value::record).
    pub fn as_record(&self) -> Option<(&str, &Value)> {
        match self {
            Self::Tagged(crate::cbor::tag::RECORD, content) => match content.as_array()? {
                [Self::Text(name), content] => Some((name, content)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it is `null` or `undefined`.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Null | Self::Undefined)
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(it) => Some(*it),
            _ => None,
        }
    }

    /// The whole number, if it is an [`Int`](Value::Int) or a [`BigInt`](Value::BigInt) of this range.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(n) => i64::try_from(*n).ok(),
            Self::BigInt(n) => i64::try_from(n.to_i128()?).ok(),
            _ => None,
        }
    }

    /// The number, if it is a float or a whole number that a double holds exactly: JavaScript stores `2.0` as `2`.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "within 2^53 every integer is exact"
    )]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(n) => Some(*n),
            Self::Int(n) if n.unsigned_abs() <= 1 << 53 => Some(*n as f64),
            _ => None,
        }
    }

    /// The text, if it is one. Keywords and symbols are none.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes, if it is a byte string.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The members, if it is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if it is a map, or a JavaScript `Map` (tag 259).
    pub fn as_map(&self) -> Option<&[(Value, Value)]> {
        match self {
            Self::Map(entries) => Some(entries),
            Self::Tagged(crate::cbor::tag::MAP, content) => content.as_map(),
            _ => None,
        }
    }

    /// What a map has under a key of text.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// What an array has at an index.
    pub fn at(&self, index: usize) -> Option<&Value> {
        self.as_array()?.get(index)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;

    /// Values as they are read from a store: no twins, nothing tagged that has a variant of its own.
    pub(crate) fn any_value() -> impl Strategy<Value = Value> {
        let big = || any::<(bool, Vec<u8>)>().prop_map(|(negative, magnitude)| BigInt::new(negative, &magnitude));
        let name = || prop_oneof!["[a-z.*+!?-]{1,5}(/[a-z]{1,5})?", any::<String>()];
        let leaf = prop_oneof![
            Just(Value::Undefined),
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            (-(1_i128 << 64)..1 << 64).prop_map(Value::Int),
            big().prop_map(Value::BigInt),
            any::<f64>().prop_map(Value::Float),
            any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
            (big(), 1_u64..).prop_map(|(n, d)| Ratio::new(n, i128::from(d).into()).unwrap().into()),
            (big(), any::<i64>()).prop_map(|(mantissa, exponent)| Decimal { mantissa, exponent }.into()),
            any::<String>().prop_map(Value::Text),
            any::<char>().prop_map(Value::Char),
            any::<Vec<u8>>().prop_map(Value::Bytes),
            (-date::MAX_MS..=date::MAX_MS).prop_map(Value::Date),
            any::<[u8; 16]>().prop_map(Value::Uuid),
            name().prop_map(Value::Keyword),
            name().prop_map(|name| Value::Symbol(name.trim_start_matches(':').to_owned())),
        ];
        leaf.prop_recursive(6, 60, 8, move |inner| {
            let items = || prop::collection::vec(inner.clone(), 0..8);
            let set = prop::collection::btree_set(inner.clone(), 0..8);
            let map = prop::collection::btree_map(inner.clone(), inner.clone(), 0..8);
            prop_oneof![
                items().prop_map(Value::Array),
                set.prop_map(|members| Value::Set(members.into_iter().collect())),
                map.prop_map(|entries| Value::Map(entries.into_iter().collect())),
                (name(), inner.clone()).prop_map(|(name, content)| Value::record(name, content)),
                items().prop_map(|items| Value::record("clojure/list", items)),
                (any::<u64>(), inner.clone()).prop_map(|(tag, content)| Value::tagged(tag, content)),
                (prop_oneof![Just(0), Just(27), Just(32), Just(35), Just(39), Just(259)], inner.clone())
                    .prop_map(|(tag, content)| Value::tagged(tag, content)),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(value in any_value()) {
            let bytes = value.to_cbor().unwrap();
            let again = Value::from_cbor(&bytes).unwrap();
            prop_assert_eq!(again.to_cbor().unwrap(), bytes);
            prop_assert_eq!(again, value);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Ok(value) = Value::from_cbor(&bytes) {
                prop_assert_eq!(Value::from_cbor(&value.to_cbor().unwrap()).unwrap(), value);
            }
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn each_item_of_the_format_becomes_its_variant_and_the_same_bytes() {
        for (item, edn) in [
            ("f7", "#js/undefined nil"),
            ("1bffffffffffffffff", "18446744073709551615"),
            ("3bffffffffffffffff", "-18446744073709551616"),
            ("fb8000000000000000", "-0.0"),
            ("fb7ff8000000000000", "##NaN"),
            ("c24100", "0N"),
            ("c34100", "-1N"),
            ("c34105", "-6N"),
            ("c249010000000000000000", "18446744073709551616N"),
            ("c349010000000000000000", "-18446744073709551617N"),
            ("c074323032342d30322d32395431323a33343a35365a", r#"#inst "2024-02-29T12:34:56.000-00:00""#),
            ("c07818323032342d30322d32395431323a33343a35362e3738395a", r#"#inst "2024-02-29T12:34:56.789-00:00""#),
            ("c11b0000003afff44180", r#"#inst "+010000-01-01T00:00:00.000-00:00""#),
            ("d82550550e8400e29b41d4a716446655440000", r#"#uuid "550e8400-e29b-41d4-a716-446655440000""#),
            ("d827643a612f62", ":a/b"),
            ("d8276161", "a"),
            ("d81e820103", "1/3"),
            ("d81e82c24901000000000000000003", "18446744073709551616/3"),
            ("c482211896", "1.50M"),
            ("d81b826c636c6f6a7572652f6368617262cebb", r"\λ"),
            ("d901028261616162", r#"#{"a" "b"}"#),
            ("d90103a1616101", r#"#js/map {"a" 1}"#),
            ("d8454401000200", r#"#cbor/tag [69 #bytes "01000200"]"#),
            ("d82362612b", r#"#regex "a+""#),
            ("d81b8266612e4e616d65a0", "#a.Name {}"),
            ("d904d2d904d281f6", "#cbor/tag [1234 #cbor/tag [1234 [nil]]]"),
            ("a2616201616102", r#"{"b" 1, "a" 2}"#),
        ] {
            let value = Value::from_cbor(&hex(item)).unwrap();
            assert_eq!(value.to_string(), edn, "{item}");
            assert_eq!(value.to_cbor().unwrap(), hex(item), "{item}");
        }
    }

    #[test]
    fn what_does_not_fit_its_tag_stays_as_it_is() {
        for item in [
            "c0616e",
            "c1f6",
            "c2616e",
            "c48101",
            "d81e820100",
            "d81e820120",
            "d8254101",
            "d82701",
            "d9010201",
            "d81b80",
        ] {
            let value = Value::from_cbor(&hex(item)).unwrap();
            assert!(matches!(value, Value::Tagged(..)), "{item}: {value}");
            assert_eq!(value.to_cbor().unwrap(), hex(item), "{item}");
        }
    }

    #[test]
    fn dates_beyond_four_digits_are_seconds() {
        for ms in [-62_167_219_200_001, 253_402_300_800_001, date::MAX_MS - 1, 1 - date::MAX_MS] {
            let bytes = Value::Date(ms).to_cbor().unwrap();
            assert_eq!(bytes[..2], [0xc1, 0xfb]);
            assert_eq!(Value::from_cbor(&bytes).unwrap(), Value::Date(ms));
        }
        assert_eq!(Value::from_cbor(&hex("c1fbbfe0000000000000")).unwrap(), Value::Date(-500));
    }

    #[test]
    fn other_widths_and_numbers_beyond_the_integers_are_read_as_their_values() {
        assert_eq!(Value::from_cbor(&hex("f93e00")).unwrap(), Value::Float(1.5));
        assert_eq!(Value::from_cbor(&hex("c240")).unwrap(), Value::BigInt(0.into()));
        let beyond = Value::Int(1 << 64).to_cbor().unwrap();
        assert_eq!(Value::from_cbor(&beyond).unwrap(), Value::BigInt((1 << 64).into()));
    }

    #[test]
    fn what_cannot_be_stored_is_refused() {
        for value in [Value::Symbol(":a".into()), Value::Date(date::MAX_MS + 1), vec![Value::Date(i64::MIN)].into()] {
            assert_eq!(value.to_cbor().unwrap_err().kind(), ErrorKind::InvalidValue, "{value}");
        }
    }

    #[test]
    fn depth_has_the_same_limit_both_ways() {
        let nested = |depth: usize| (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        let deep = nested(512).to_cbor().unwrap();
        assert_eq!(Value::from_cbor(&deep).unwrap(), nested(512));
        let maps = (0..512).fold(Value::Null, |inner, _| Value::Map(vec![(inner, Value::Null)]));
        assert_eq!(Value::from_cbor(&maps.to_cbor().unwrap()).unwrap(), maps);
        let deeper = [b"\x81".as_slice(), deep.as_slice()].concat();
        assert_eq!(Value::from_cbor(&deeper).unwrap_err().kind(), ErrorKind::LimitExceeded);
        assert_eq!(nested(513).to_cbor().unwrap_err().kind(), ErrorKind::LimitExceeded);
        assert!(nested(600).to_string().ends_with(&("…".to_owned() + &"]".repeat(513))));
    }

    #[test]
    fn damaged_bytes_are_corrupt() {
        for item in ["", "61", "6180", "81", "9f", "ff", "0000", "f8", "e0", "9bffffffffffffffff", "bb7fffffffffffffff"]
        {
            assert_eq!(Value::from_cbor(&hex(item)).unwrap_err().kind(), ErrorKind::Corrupt, "{item}");
        }
    }

    #[test]
    fn members_are_found() {
        let value = edn::read(r#"{"a" [1 2.5 3N "x"], :b true, "n" nil, "m" #js/map {"k" #bytes "01"}}"#).unwrap();
        let list = value.get("a").unwrap();
        assert_eq!(list.at(0).and_then(Value::as_i64), Some(1));
        assert_eq!(list.at(0).and_then(Value::as_f64), Some(1.0));
        assert_eq!(list.at(1).and_then(Value::as_f64), Some(2.5));
        assert_eq!(list.at(2).and_then(Value::as_i64), Some(3));
        assert_eq!(list.at(3).and_then(Value::as_str), Some("x"));
        assert_eq!(list.at(4), None);
        assert_eq!(value.get("b"), None, "a keyword is no text");
        assert!(value.get("n").unwrap().is_nothing());
        assert_eq!(value.get("m").and_then(|map| map.get("k")).and_then(Value::as_bytes), Some([1].as_slice()));
        assert_eq!(Value::record("a.B", 1).as_record(), Some(("a.B", &Value::Int(1))));
    }
}
