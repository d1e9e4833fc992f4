//! What JavaScript writes is one value here: its bytes and its EDN text are the same both ways.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test, that is a failure")]

use konserve::{FromCbor, ToCbor, Value, edn, value::json};
use serde::Deserialize;

/// A value of `js-tests/values.cases.mjs` by its name, as JavaScript writes it, and its EDN text.
#[derive(Deserialize)]
struct Case {
    name: String,
    cbor: String,
    edn: String,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("vectors/values.json")).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn what_javascript_writes_is_written_again_byte_for_byte() {
    for Case { name, cbor, .. } in cases() {
        let value = Value::from_cbor(&bytes(&cbor)).unwrap();
        assert_eq!(value.to_cbor().unwrap(), bytes(&cbor), "{name}: {value}");
    }
}

#[test]
fn its_edn_text_is_the_same_value() {
    for Case { name, cbor, edn } in cases() {
        let value = Value::from_cbor(&bytes(&cbor)).unwrap();
        assert_eq!(value.to_string(), edn, "{name}");
        assert_eq!(edn::read(&edn).unwrap().to_cbor().unwrap(), bytes(&cbor), "{name}");
    }
}

#[test]
fn every_value_has_a_json_text() {
    for Case { name, cbor, .. } in cases() {
        let text = json::print(&Value::from_cbor(&bytes(&cbor)).unwrap());
        // serde_json reads no deeper than 128.
        assert!(
            name.starts_with("nested") || serde_json::from_str::<serde_json::Value>(&text).is_ok(),
            "{name}: {text}"
        );
    }
}

#[test]
fn a_struct_reads_and_writes_what_javascript_does() {
    #[derive(Debug, PartialEq, serde::Serialize, Deserialize)]
    struct User {
        name: String,
        score: f64,
        visits: u32,
        nick: Option<String>,
    }
    // { name: 'Ada', score: 2, visits: 3, nick: undefined }
    let written = bytes("a4646e616d65634164616573636f7265026676697369747303646e69636bf7");
    let ada = User { name: "Ada".into(), score: 2.0, visits: 3, nick: None };
    assert_eq!(User::from_cbor(&written).unwrap(), ada);
    let again = ada.to_cbor().unwrap();
    assert_eq!(Value::from_cbor(&again).unwrap().to_string(), r#"{"name" "Ada", "score" 2.0, "visits" 3, "nick" nil}"#);
}
