//! Records that Rust and JavaScript write and read alike: `js-tests/records.test.mjs` has the same vectors.
#![allow(clippy::unwrap_used, reason = "in a test, that is a failure")]

use std::collections::BTreeMap;

use konserve::{AsRecord, ErrorKind, FromCbor, Record, ToCbor, Value, edn};
use serde::{Deserialize, Serialize};

/// As JavaScript writes numbers: whole ones as integers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Point<X, Y> {
    x: X,
    y: Y,
}

impl<X, Y> Record for Point<X, Y> {
    const NAME: &'static str = "geo/Point";
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    #[serde(with = "konserve::as_record")]
    at: Point<i8, i8>,
}

impl Record for Line {
    const NAME: &'static str = "geo/Line";
}

type Nested = BTreeMap<String, Vec<AsRecord<Point<i8, Option<u8>>>>>;

/// The CBOR of a vector, which is that of its EDN text too.
fn vector(name: &str) -> Vec<u8> {
    let vectors: Vec<BTreeMap<String, String>> = serde_json::from_str(include_str!("vectors/records.json")).unwrap();
    let found = vectors.into_iter().find(|vector| vector.get("name").is_some_and(|it| it == name)).unwrap();
    let hex = found.get("cbor").unwrap();
    let cbor: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap()).collect();
    assert_eq!(edn::read(found.get("edn").unwrap()).unwrap().to_cbor().unwrap(), cbor);
    assert_eq!(Value::from_cbor(&cbor).unwrap().to_string(), *found.get("edn").unwrap());
    cbor
}

#[test]
fn a_struct_is_written_and_read_under_its_name() {
    let cbor = vector("a record");
    let point = AsRecord(Point { x: 1, y: 2.5 });
    assert_eq!(point.to_cbor().unwrap(), cbor);
    assert_eq!(AsRecord::from_cbor(&cbor).unwrap(), point);
    let value = Value::from_cbor(&cbor).unwrap();
    assert_eq!(value.as_record().unwrap().0, "geo/Point");
}

#[test]
fn records_are_written_and_read_inside_of_others() {
    let list: Nested = [("at".to_owned(), vec![AsRecord(Point { x: -1, y: None })])].into();
    assert_eq!(list.to_cbor().unwrap(), vector("a record in a list in a map"));
    assert_eq!(Nested::from_cbor(&vector("a record in a list in a map")).unwrap(), list);

    let line = AsRecord(Line { at: Point { x: 0, y: 0 } });
    assert_eq!(line.to_cbor().unwrap(), vector("a record in a record"));
    assert_eq!(AsRecord::from_cbor(&vector("a record in a record")).unwrap(), line);
}

#[test]
fn what_is_no_record_of_this_name_is_told() {
    for (text, wanted) in [
        ("#geo/Line {}", "it is a record geo/Line, not geo/Point"),
        (r#"#cbor/tag [27 ["geo/Point"]]"#, "it is no record geo/Point"),
        (r#"#cbor/tag [27 ["geo/Point" {"x" 1, "y" 1} 3]]"#, "it is no record geo/Point"),
        ("[]", "it is no record geo/Point"),
        (r#"{"x" 1, "y" 1}"#, "expected a record geo/Point"),
        (r#"#geo/Point {"x" 1}"#, "missing field `y`"),
    ] {
        let cbor = edn::read(text).unwrap().to_cbor().unwrap();
        let error = AsRecord::<Point<u8, u8>>::from_cbor(&cbor).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue, "{text}");
        assert!(error.message().contains(wanted), "{text}: {error}");
    }
}
