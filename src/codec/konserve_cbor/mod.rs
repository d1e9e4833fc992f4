//! Serializer 3 as Clojure's konserve has it: the CBOR of the library boring, to the inner form and back.
//!
//! What is read: one item, whatever follows it (an index of offsets, the rest of a longer value that was there before).
//! Beyond what the inner form allows that may be
//! * references to strings (tags 256 and 25): every text and byte string inside of 256 takes a number, if a reference to
//!   it would be shorter;
//! * arrays of maps that share their keys (tag 39649);
//! * indefinite lengths, heads longer than need be, floats of two bytes (which Clojure reads as `Float`);
//! * seconds as dates (tag 1), integers beyond 64 bits with a sign (which Clojure reads as `BigInt`), bigints with leading
//!   zeros.
//!
//! What is written is a plain item, which konserve reads to the same value, but for what it has no word for: see [`encode`].

mod content;
mod out;
mod plain;
mod shapes;
mod source;
mod strings;
mod translation;
mod write;

use bytes::Bytes;

use self::translation::Translation;
use super::{DEFAULT_MAX_VALUE_LEN, check_stored, too_long};
use crate::error::{Error, ErrorKind, Result};
pub use write::encode;

/// The inner form of a value section, at most 256 MiB. `CORRUPT` if it is none, `LIMIT_EXCEEDED` if it is nested deeper than
/// 512 or longer.
pub fn decode(stored: &[u8]) -> Result<Bytes> {
    decode_within(stored, DEFAULT_MAX_VALUE_LEN)
}

/// The same with another limit: references and shared keys make much of few bytes.
pub fn decode_within(stored: &[u8], max_len: u64) -> Result<Bytes> {
    if let Some(item) = plain::find(stored) {
        if item.len() as u64 > max_len {
            return Err(too_long(item.len() as u64, max_len));
        }
        check_stored(item)?;
        return Ok(Bytes::copy_from_slice(item));
    }
    let decoded = Translation::of(stored, max_len)?;
    check_stored(&decoded)?;
    match content::misfit(&decoded) {
        None => Ok(decoded.into()),
        Some(tag) => Err(Error::new(
            ErrorKind::Corrupt,
            format!("a stored value has tag {tag} with content that does not fit it"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        cbor::{self, tag},
        value::{BigInt, Value, tests::any_value},
    };

    /// What a value is after konserve had it.
    fn as_konserve_has_it(value: Value) -> Value {
        let all = |items: Vec<Value>| items.into_iter().map(as_konserve_has_it).collect::<Vec<_>>();
        match value {
            Value::Int(n) if i64::try_from(n).is_err() => Value::BigInt(BigInt::from(n)),
            Value::Array(items) => Value::Array(all(items)),
            Value::Set(members) => Value::Set(all(members)),
            Value::Map(entries) => {
                let both = |(key, value)| (as_konserve_has_it(key), as_konserve_has_it(value));
                Value::Map(entries.into_iter().map(both).collect())
            }
            Value::Tagged(tag, content) => match Value::Tagged(tag, content.clone()).as_record() {
                Some(("clojure/list" | "java/list", items @ Value::Array(_))) => as_konserve_has_it(items.clone()),
                _ if tag == tag::MAP => as_konserve_has_it(*content),
                _ => Value::tagged(tag, as_konserve_has_it(*content)),
            },
            leaf => leaf,
        }
    }

    proptest! {
        #[test]
        fn a_value_survives_konserve(value in any_value()) {
            let inner = value.to_cbor().unwrap();
            prop_assume!(cbor::check(&inner).is_ok());
            match encode(&inner) {
                Ok(stored) => {
                    let again = decode(&stored).unwrap();
                    prop_assert_eq!(Value::from_cbor(&again).unwrap(), as_konserve_has_it(value));
                    prop_assert_eq!(encode(&again).and_then(|stored| decode(&stored)).unwrap(), again);
                }
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::InvalidValue),
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(stored: Vec<u8>) {
            if let Ok(inner) = decode(&stored) {
                cbor::check(&inner).unwrap();
                prop_assert_eq!(decode(&inner).unwrap(), inner);
            }
        }

        #[test]
        fn any_heads_are_read_or_refused(stored in prop::collection::vec(head(), 1..40)) {
            if let Ok(inner) = decode_within(&stored.concat(), 1 << 20) {
                cbor::check(&inner).unwrap();
                prop_assert_eq!(decode(&inner).unwrap(), inner);
            }
        }

        #[test]
        fn what_is_cut_short_is_refused(value in any_value(), cut in any::<prop::sample::Index>()) {
            let inner = value.to_cbor().unwrap();
            prop_assert_eq!(decode(&inner[..cut.index(inner.len())]).unwrap_err().kind(), ErrorKind::Corrupt);
        }

        #[test]
        fn what_follows_is_ignored(value in any_value(), tail: Vec<u8>) {
            let inner = value.to_cbor().unwrap();
            prop_assume!(cbor::check(&inner).is_ok());
            prop_assert_eq!(decode(&[inner.clone(), tail].concat()).ok(), decode(&inner).ok());
        }
    }

    /// Parts that make sense together more often than any bytes do.
    fn head() -> impl Strategy<Value = Vec<u8>> {
        let few: Vec<&[u8]> = vec![
            b"\xd9\x01\x00",
            b"\xd8\x19",
            b"\xd9\x9a\xe1\x82\x82",
            b"\x81",
            b"\x82",
            b"\xa1",
            b"\x9f",
            b"\xbf",
            b"\x7f",
            b"\x5f",
            b"\xff",
            b"\x63abc",
            b"\x61a",
            b"\x43\x00\x01\x02",
            b"\x40",
            b"\xd8\x27",
            b"\xc1",
            b"\xc2",
            b"\xd9\x01\x02",
            b"\xd8\x1b\x82",
            b"\x00",
            b"\x01",
            b"\x18\x01",
            b"\xf6",
            b"\xf7",
            b"\xf9\x3c\x00",
            b"\xfa\x7f\xff\xff\xff",
        ];
        prop::sample::select(few).prop_map(<[u8]>::to_vec)
    }

    #[test]
    fn what_javascript_writes_is_written_as_it_is_or_refused() {
        let cases: Vec<std::collections::BTreeMap<String, String>> =
            serde_json::from_str(include_str!("../../../tests/vectors/values.json")).unwrap();
        for case in cases {
            let name = &case["name"];
            let hex = &case["cbor"];
            let inner: Vec<u8> =
                (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
            let stored = encode(&inner);
            match name.as_str() {
                "Char beyond 16 bits" => assert_eq!(stored.unwrap_err().kind(), ErrorKind::InvalidValue),
                _ if !name.contains("Map") => assert_eq!(stored.unwrap(), inner, "{name}"),
                _ => assert!(!decode(&stored.unwrap()).unwrap().windows(3).any(|at| at == [0xd9, 1, 3]), "{name}"),
            }
        }
    }
}
