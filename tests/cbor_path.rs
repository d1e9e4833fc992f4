//! Paths into values: what a get finds, what a put and a remove make of the bytes, and what they refuse.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use konserve::{
    ErrorKind,
    cbor::{
        MAX_DEPTH, Writer, check, diagnose,
        path::{Slot, get, put, remove},
        tag,
    },
};

/// CBOR from JSON, with `$map` for a `Map` of pairs, `$set`, `$tag`, `$undefined`, `$float`.
fn cbor(json: &str) -> Vec<u8> {
    let mut out = Writer::new();
    write(&serde_json::from_str(json).unwrap(), &mut out);
    out.finish()
}

fn write(json: &serde_json::Value, out: &mut Writer) {
    use serde_json::Value as Json;
    match json {
        Json::Null => out.null(),
        Json::Bool(b) => out.bool(*b),
        Json::Number(n) if n.is_i64() => out.int(n.as_i64().unwrap()),
        Json::Number(n) => out.float(n.as_f64().unwrap()),
        Json::String(text) => out.text(text),
        Json::Array(items) => {
            out.array(items.len());
            for item in items {
                write(item, out);
            }
        }
        Json::Object(entries) => match entries.iter().next().map(|(key, value)| (key.as_str(), value)) {
            Some(("$undefined", _)) => out.undefined(),
            Some(("$set", members)) => {
                out.tag(tag::SET);
                write(members, out);
            }
            Some(("$keyword", name)) => {
                out.tag(tag::SYMBOL);
                write(name, out);
            }
            Some(("$map", pairs)) => {
                let pairs = pairs.as_array().unwrap();
                if pairs.iter().all(|pair| pair[0].is_string()) {
                    out.tag(tag::MAP);
                }
                out.map(pairs.len());
                for item in pairs.iter().flat_map(|pair| pair.as_array().unwrap()) {
                    write(item, out);
                }
            }
            _ => {
                out.map(entries.len());
                for (key, value) in entries {
                    out.text(key);
                    write(value, out);
                }
            }
        },
    }
}

/// Calls `f` with the steps of a path, given as a JSON array.
fn with<T>(steps: &str, f: impl FnOnce(&[&[u8]]) -> T) -> T {
    let steps: Vec<serde_json::Value> = serde_json::from_str(steps).unwrap();
    let steps: Vec<Vec<u8>> = steps.iter().map(|step| cbor(&step.to_string())).collect();
    f(&steps.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

const DOCUMENT: &str = r#"{"a": {"b": [1, {"c": null}, "x"]}, "m": {"$map": [[1, "one"], [1.5, "more"], [[2], "list"],
    [{"$keyword": ":k"}, {"d": true}]]}, "t": {"$map": [["x", 1]]}, "s": {"$set": [1]}, "u": {"$undefined": 1}, "e": {}}"#;

#[test]
fn gets_are_slices() {
    let document = cbor(DOCUMENT);
    for (steps, wanted) in [
        ("[]", Some(DOCUMENT)),
        (r#"["a", "b", 0]"#, Some("1")),
        (r#"["a", "b", 0.0]"#, Some("1")),
        (r#"["a", "b", 1, "c"]"#, Some("null")),
        (r#"["a", "b", 2]"#, Some(r#""x""#)),
        (r#"["m", 1]"#, Some(r#""one""#)),
        (r#"["m", 1.0]"#, Some(r#""one""#)),
        (r#"["m", 1.5]"#, Some(r#""more""#)),
        (r#"["m", [2]]"#, Some(r#""list""#)),
        (r#"["m", [2.0]]"#, Some(r#""list""#)),
        (r#"["m", {"$keyword": ":k"}, "d"]"#, Some("true")),
        (r#"["t", "x"]"#, Some("1")),
        (r#"["u"]"#, Some(r#"{"$undefined": 1}"#)),
        (r#"["a", "b", 3]"#, None),
        (r#"["a", "b", -1]"#, None),
        (r#"["a", "b", 0.5]"#, None),
        (r#"["a", "b", "0"]"#, None),
        (r#"["a", "b", 0, "c"]"#, None),
        (r#"["a", "b", 1, "c", "d"]"#, None),
        (r#"["a", "b", 2, 0]"#, None),
        (r#"["a", "x"]"#, None),
        (r#"["a", 1]"#, None),
        (r#"["m", "1"]"#, None),
        (r#"["m", [2, 2]]"#, None),
        (r#"["s", 1]"#, None),
        (r#"["s", 0]"#, None),
        (r#"["u", "x"]"#, None),
    ] {
        let found = with(steps, |steps| get(&document, steps).unwrap());
        assert_eq!(found.map(diagnose), wanted.map(|wanted| diagnose(&cbor(wanted))), "{steps}");
        assert_eq!(found, wanted.map(cbor).as_deref(), "{steps}");
    }
}

#[test]
fn puts_replace_extend_and_create() {
    for (before, steps, after) in [
        ("1", "[]", "9"),
        (r#"{"a": 1, "b": 2}"#, r#"["a"]"#, r#"{"a": 9, "b": 2}"#),
        (r#"{"a": 1}"#, r#"["b"]"#, r#"{"a": 1, "b": 9}"#),
        (r#"{"a": {"b": 1}, "z": 0}"#, r#"["a", "c", "d"]"#, r#"{"a": {"b": 1, "c": {"d": 9}}, "z": 0}"#),
        ("[1, 2]", "[1]", "[1, 9]"),
        ("[1, 2]", "[2]", "[1, 2, 9]"),
        ("[]", "[0]", "[9]"),
        ("[[1], 2]", r#"[0, 1, "a"]"#, r#"[[1, {"a": 9}], 2]"#),
        ("null", r#"["a"]"#, r#"{"a": 9}"#),
        (r#"{"a": null}"#, r#"["a", "b"]"#, r#"{"a": {"b": 9}}"#),
        (r#"{"a": {"$undefined": 1}}"#, r#"["a", "b"]"#, r#"{"a": {"b": 9}}"#),
        (r#"{"a": null}"#, r#"["a", 1]"#, r#"{"a": {"$map": [[1, 9]]}}"#),
        ("{}", "[1]", r#"{"$map": [[1, 9]]}"#),
        ("{}", r#"[1, "a", {"$keyword": ":k"}]"#, r#"{"$map": [[1, {"a": {"$map": [[{"$keyword": ":k"}, 9]]}}]]}"#),
        // A Map stays a Map.
        (r#"{"$map": []}"#, r#"["a"]"#, r#"{"$map": [["a", 9]]}"#),
        (r#"{"$map": []}"#, "[1]", r#"{"$map": [[1, 9]]}"#),
        (r#"{"$map": [["a", 1]]}"#, "[1]", r#"{"$map": [["a", 1], [1, 9]]}"#),
        (r#"{"$map": [["a", 1]]}"#, r#"["b"]"#, r#"{"$map": [["a", 1], ["b", 9]]}"#),
        (r#"{"$map": [[1, 1]]}"#, r#"["b"]"#, r#"{"$map": [[1, 1], ["b", 9]]}"#),
        (r#"{"$map": [[1, 1]]}"#, "[1.0]", r#"{"$map": [[1, 9]]}"#),
        // New keys are written as values have numbers.
        (r#"{"$map": []}"#, "[2.0]", r#"{"$map": [[2, 9]]}"#),
        (r#"{"$map": []}"#, "[-0.0]", r#"{"$map": [[0, 9]]}"#),
        (r#"{"$map": []}"#, "[-22682667008.0]", r#"{"$map": [[-22682667008, 9]]}"#),
        (r#"{"$map": []}"#, "[1.5]", r#"{"$map": [[1.5, 9]]}"#),
    ] {
        let done = with(steps, |steps| put(Some(&cbor(before)), steps, &cbor("9")).unwrap());
        assert_eq!(diagnose(&done), diagnose(&cbor(after)), "{before} {steps}");
        assert_eq!(done, cbor(after), "{before} {steps}");
    }
    assert_eq!(with("[]", |steps| put(None, steps, &cbor("9")).unwrap()), cbor("9"));
    assert_eq!(with(r#"["a", "b"]"#, |steps| put(None, steps, &cbor("9")).unwrap()), cbor(r#"{"a": {"b": 9}}"#));
    // A step that is canonical already, and so a short float.
    assert_eq!(put(Some(b"\xd9\x01\x03\xa0"), &[b"\xf9\x3e\x00"], b"\x09").unwrap(), cbor(r#"{"$map": [[1.5, 9]]}"#));
}

#[test]
fn counts_grow_and_shrink_their_heads() {
    let mut value = b"\x80".to_vec();
    let step = |n: i64| {
        let mut out = Writer::new();
        out.int(n);
        out.finish()
    };
    for n in 0..300 {
        value = put(Some(&value), &[&step(n)], &step(n)).unwrap();
        check(&value).unwrap();
    }
    assert_eq!(get(&value, &[&step(299)]).unwrap(), Some(&step(299)[..]));
    for left in (0..300).rev() {
        value = remove(&value, &[&step(0)]).unwrap().unwrap();
        check(&value).unwrap();
        assert_eq!(get(&value, &[&step(left)]).unwrap(), None);
    }
    assert_eq!(value, b"\x80");
}

#[test]
fn removes_leave_the_rest_as_it_is() {
    for (before, steps, after) in [
        (r#"{"a": 1, "b": 2}"#, r#"["a"]"#, Some(r#"{"b": 2}"#)),
        (r#"{"a": 1}"#, r#"["a"]"#, Some("{}")),
        (r#"{"a": {"b": null}}"#, r#"["a", "b"]"#, Some(r#"{"a": {}}"#)),
        ("[1, 2, 3]", "[0]", Some("[2, 3]")),
        ("[1, 2, 3]", "[2]", Some("[1, 2]")),
        (r#"{"$map": [["a", 1]]}"#, r#"["a"]"#, Some(r#"{"$map": []}"#)),
        (r#"{"$map": [[1, 1]]}"#, "[1]", Some(r#"{"$map": []}"#)),
        (r#"{"$map": [[1, 1], ["a", 2]]}"#, "[1]", Some(r#"{"$map": [["a", 2]]}"#)),
        (r#"{"$map": [["a", 2], [1, 1]]}"#, "[1]", Some(r#"{"$map": [["a", 2]]}"#)),
        (r#"{"$map": [[1, 1], ["a", 2]]}"#, r#"["a"]"#, Some(r#"{"$map": [[1, 1]]}"#)),
        (r#"{"$map": [[1, 1], [2, 2]]}"#, "[1]", Some(r#"{"$map": [[2, 2]]}"#)),
        (r#"{"a": 1}"#, r#"["b"]"#, None),
        (r#"{"a": 1}"#, r#"["a", "b"]"#, None),
        ("[1]", "[1]", None),
        ("[1]", r#"["x"]"#, None),
        ("null", r#"["x"]"#, None),
        (r#"{"$set": [1]}"#, "[1]", None),
    ] {
        let done = with(steps, |steps| remove(&cbor(before), steps).unwrap());
        assert_eq!(done, after.map(cbor), "{before} {steps}");
    }
    assert_eq!(remove(&cbor("1"), &[]).unwrap_err().kind(), ErrorKind::InvalidPath);
}

#[test]
fn puts_in_the_wrong_place_say_where_and_what() {
    for (before, steps, message) in [
        ("1", r#"["a"]"#, r#"the value is a number and has no members (step "a")"#),
        (r#"{"a": "x"}"#, r#"["a", "b"]"#, r#"the value["a"] is a text and has no members (step "b")"#),
        (r#"{"a": {"$set": [1]}}"#, r#"["a", 0]"#, r#"the value["a"] is a set and has no members (step 0)"#),
        ("[[1]]", "[0, 2]", "the value[0] is an array of 1: an index up to 1 replaces or appends (step 2)"),
        ("[1]", r#"["x"]"#, r#"the value is an array of 1: an index up to 1 replaces or appends (step "x")"#),
        ("[1]", "[-1]", "the value is an array of 1: an index up to 1 replaces or appends (step -1)"),
        ("[1]", "[0.5]", "the value is an array of 1: an index up to 1 replaces or appends (step 0.5)"),
        (
            r#"{"a": {"b": 1}}"#,
            r#"["a", 1]"#,
            r#"the value["a"] has texts as keys and takes no others; use a text, or store a Map (step 1)"#,
        ),
        ("null", r#"["a", {"$undefined": 1}]"#, r#"the value["a"] takes no key that is undefined (step undefined)"#),
    ] {
        let error = with(steps, |steps| put(Some(&cbor(before)), steps, &cbor("9")).unwrap_err());
        assert_eq!((error.kind(), error.message()), (ErrorKind::InvalidPath, message));
    }
    let error = put(Some(&cbor("{}")), &[b"\x61\xff"], b"\x01").unwrap_err();
    assert_eq!(error.message(), "a step of the path cannot be a key: text that is not UTF-8");
}

#[test]
fn new_values_are_checked() {
    let error = put(Some(&cbor("{}")), &[b"\x61a"], b"\xa1\x61b\x82\x01\x61\xff").unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::InvalidValue, r#"the value["b"][1] cannot be stored: text that is not UTF-8"#)
    );
    assert_eq!(put(None, &[], b"\x01\x01").unwrap_err().kind(), ErrorKind::InvalidValue);
    assert_eq!(put(None, &[], b"").unwrap_err().kind(), ErrorKind::InvalidValue);
}

#[test]
fn no_splice_goes_beyond_the_depth() {
    let nested = |depth: usize| [vec![0x81; depth], vec![0]].concat();
    let step: &[u8] = b"\x61a";
    for (value, steps, room) in [
        (&b"\xa0"[..], 1, 1),
        (b"\xf6", 1, 1),
        (b"\xf6", 3, 3),
        (b"\xd9\x01\x03\xa0", 1, 2),
        (b"\xd9\x01\x03\xa1\x61a\xd9\x01\x03\xa1\x61a\x01", 2, 4),
    ] {
        let steps = vec![step; steps];
        let full = put(Some(value), &steps, &nested(MAX_DEPTH - room)).unwrap();
        check(&full).unwrap();
        let error = put(Some(value), &steps, &nested(MAX_DEPTH - room + 1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    }
    // A key counts as deep as a value there.
    assert!(put(Some(b"\xa0"), &[&nested(MAX_DEPTH - 1)], b"\x01").is_ok());
    assert_eq!(put(Some(b"\xa0"), &[&nested(MAX_DEPTH)], b"\x01").unwrap_err().kind(), ErrorKind::LimitExceeded);
    // The tag of a Map goes: one level less.
    let tagged = b"\xd9\x01\x03\xa0";
    assert!(put(Some(tagged), &[b"\x01"], &nested(MAX_DEPTH - 1)).is_ok());
    // And it comes: one level more.
    let full = [b"\xa2\x01\x02\x61a".to_vec(), nested(MAX_DEPTH - 1)].concat();
    check(&full).unwrap();
    assert_eq!(remove(&full, &[b"\x01"]).unwrap_err().kind(), ErrorKind::LimitExceeded);
    let room = [b"\xa2\x01\x02\x61a".to_vec(), nested(MAX_DEPTH - 2)].concat();
    check(&remove(&room, &[b"\x01"]).unwrap().unwrap()).unwrap();
}

#[test]
fn one_slot_serves_an_update() {
    let value = cbor(r#"{"n": 41}"#);
    let steps: [&[u8]; 1] = [b"\x61n"];
    let slot = Slot::find(Some(&value), &steps).unwrap();
    assert_eq!(slot.old(), Some(&b"\x18\x29"[..]));
    assert_eq!(slot.put(b"\x18\x2a").unwrap(), cbor(r#"{"n": 42}"#));
    assert_eq!(slot.remove().unwrap(), Some(cbor("{}")));
}

#[test]
fn damaged_values_are_corrupt() {
    for value in [&b"\xa1\x61"[..], b"\x82\x1c", b"", b"\xa1\x61a\x9b\x80\0\0\0\0\0\0\0"] {
        assert_eq!(get(value, &[b"\x61a", b"\x61a"]).unwrap_err().kind(), ErrorKind::Corrupt, "{value:x?}");
    }
}
