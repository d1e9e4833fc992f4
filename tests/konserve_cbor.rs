//! Serializer 3 of Clojure's konserve: what konserve wrote is read to the value that it reads, and what is written it reads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "in a test, that is a failure")]

mod manifest;

use bytes::Bytes;
use konserve::{
    Compressor, ErrorKind, Value, cbor,
    testing::konserve_cbor::{decode, decode_within, encode},
};
use manifest::{Entry, as_printed};

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// The text of a manifest without what a dump has not: the prefix of its tags, the widths of numbers, control characters.
fn as_dumped(text: &str) -> String {
    // As Java printed it before JDK 19.
    let mut text = text.replace("9.999999999999999E22", "1.0E23").replace("#konserve/float ", "");
    for width in ["int8", "int16", "int32"] {
        text = text.replace(&format!("#konserve/{width} "), "");
    }
    let escaped = |c: char| match c {
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.into(),
    };
    text.replace("#konserve/", "#").chars().map(escaped).collect()
}

/// Reads a section of a store, and writes it back.
fn section(name: &str, entry: &Entry, section: &[u8], value: &Value, text: &str) {
    let stored = Compressor::from_id(entry.compressor()).unwrap();
    let stored = stored.decompress_unsized(Bytes::copy_from_slice(section), 1 << 20).unwrap();
    let inner = decode(&stored).unwrap_or_else(|error| panic!("{name}: {error}"));
    cbor::check(&inner).unwrap();
    let read = Value::from_cbor(&inner).unwrap();
    assert_eq!(as_printed(read.clone()), *value, "{name}");
    // The fields of records are there in the order of their class, and texts may look like tags.
    if !text.contains("#konserve/record") && value.as_str().is_none() {
        assert_eq!(konserve::edn::dump(&as_printed(read)), as_dumped(text), "{name}");
    }
    let written = encode(&inner).unwrap();
    assert_eq!(decode(&written).unwrap(), inner, "{name}");
    if stored.starts_with(&inner) {
        assert_eq!(written, inner, "{name}");
    }
}

/// Reads every section of a store that is not a binary; how many blobs it has.
fn store(name: &str) -> usize {
    let Some(store) = manifest::store(name) else { return 0 };
    for entry in &store.entries {
        let (meta, value) = entry.sections();
        section(&entry.name, entry, meta, &entry.meta, &entry.meta_text);
        if entry.kind != "binary" {
            section(&entry.name, entry, value, &entry.value, &entry.value_text);
        }
    }
    store.entries.len()
}

#[test]
fn every_blob_of_the_stores_is_read_to_the_value_that_konserve_reads() {
    for (name, len) in [
        ("boring-none-none", 143),
        ("boring-archival", 143),
        ("boring-keys", 97),
        ("inplace-boring", 14),
        ("boring-zstd-none", 14),
        ("boring-lz4-none", 14),
    ] {
        let read = store(name);
        assert!(read == len || read == 0, "{name}");
    }
}

/// Blobs of those stores: `value` is the text of the inner form.
#[derive(serde::Deserialize)]
struct Vector {
    key: String,
    blob: String,
    value: String,
}

#[test]
fn blobs_that_konserve_wrote_are_read() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("vectors/konserve_cbor.json")).unwrap();
    assert!(vectors.len() >= 24);
    for Vector { key, blob, value } in vectors {
        let blob = hex(&blob);
        let meta_len = usize::try_from(u32::from_be_bytes(*blob[4..].first_chunk().unwrap())).unwrap();
        let (meta, stored) = blob[20..].split_at(meta_len);
        let meta = Value::from_cbor(&decode(meta).unwrap()).unwrap();
        assert!(meta.to_string().contains(&format!(":key {key}")), "{key}: {meta}");
        let inner = decode(stored).unwrap();
        assert_eq!(inner, edn_cbor(&value), "{key}");
        // Cut anywhere, it is the same or nothing: the index at the end may be missing.
        for cut in 0..stored.len() {
            match decode(&stored[..cut]) {
                Ok(same) => assert_eq!(same, inner, "{key}, {cut} bytes"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{key}, {cut} bytes: {error}"),
            }
        }
        assert_eq!(decode(&encode(&inner).unwrap()).unwrap(), inner, "{key}");
    }
}

/// The inner form of a text, in which `#float 1.5` has 4 bytes.
fn edn_cbor(text: &str) -> Vec<u8> {
    match text.strip_prefix("#float ") {
        #[allow(clippy::cast_possible_truncation, reason = "it was a float")]
        Some(float) if float != "##NaN" => {
            [&[0xfa][..], &(float.parse::<f64>().unwrap() as f32).to_be_bytes()].concat()
        }
        Some(_) => hex("fa7fc00000"),
        None => konserve::edn::read(text).unwrap().to_cbor().unwrap(),
    }
}

/// Each of these stored forms is read to this inner form.
fn are_read(cases: &[(&str, &str)]) {
    for (stored, inner) in cases {
        let read = decode(&hex(stored)).unwrap_or_else(|error| panic!("{stored}: {error}"));
        assert_eq!(read, hex(inner), "{stored}");
        cbor::check(&read).unwrap();
        assert_eq!(decode(&read).unwrap(), read, "{stored}");
    }
}

#[test]
fn every_form_of_an_item_is_read_to_the_inner_form() {
    are_read(&[
        // Heads longer than need be.
        ("1801 19 0001", "01"),
        ("1b0000000000000017", "17"),
        ("3a00000000", "20"),
        ("7801 61", "6161"),
        ("5a00000001 ff", "41ff"),
        ("9900 01 1800", "8100"),
        ("b800", "a0"),
        ("da00000027 623a61", "d827623a61"),
        // Indefinite lengths.
        ("9fff", "80"),
        ("9f01 9f02ff bf03 04ffff", "8301 8102 a10304"),
        ("bfff", "a0"),
        ("bf 6161 01 6162 9f ff ff", "a2 6161 01 6162 80"),
        ("7fff", "60"),
        ("7f 6161 6162 7801 63 ff", "63616263"),
        ("5f 4101 40 42 0203 ff", "43010203"),
        ("d9 0102 9f 01 02 ff", "d90102 82 01 02"),
        ("d827 7f 623a61 ff", "d827 623a61"),
        (
            "9f 00000000000000000000000000000000000000000000000000 ff",
            "9819 00000000000000000000000000000000000000000000000000",
        ),
        // Floats.
        ("f93c00", "fa3f800000"),
        ("f93e00", "fa3fc00000"),
        ("f98000", "fa80000000"),
        ("f90001", "fa33800000"),
        ("f97c00", "fa7f800000"),
        ("f97e00", "fa7fc00000"),
        ("f9fe01", "fa7fc00000"),
        ("fa3dcccccd", "fa3dcccccd"),
        ("fa7f800001", "fa7fc00000"),
        ("fbfff8000000000000", "fb7ff8000000000000"),
        ("82 fb7ff8000000000000 fa7fc00000", "82 fb7ff8000000000000 fa7fc00000"),
        // Integers beyond 64 bits with a sign are bigints; those have no leading zeros.
        ("1b7fffffffffffffff", "1b7fffffffffffffff"),
        ("3b7fffffffffffffff", "3b7fffffffffffffff"),
        ("1b8000000000000000", "c2488000000000000000"),
        ("3bffffffffffffffff", "c348ffffffffffffffff"),
        ("c240", "c24100"),
        ("c24100", "c24100"),
        ("c3420000", "c34100"),
        ("c2420001", "c24101"),
        ("c25f4100 4101ff", "c24101"),
        // Dates.
        ("c100", "c0 74313937302d30312d30315430303a30303a30305a"),
        ("c11a65e07a40", "c0 74323032342d30322d32395431323a33363a31365a"),
        ("c1fb3ff8000000000000", "c0 7818313937302d30312d30315430303a30303a30312e3530305a"),
        ("c1f93e00", "c0 7818313937302d30312d30315430303a30303a30312e3530305a"),
        ("c120", "c0 74313936392d31322d33315432333a35393a35395a"),
        ("c1fbbfe0000000000000", "c0 7818313936392d31322d33315432333a35393a35392e3530305a"),
        ("c11b0000003afff44180", "c11b0000003afff44180"),
        ("c1fa5ef80000", "c1fb43df000000000000"),
        (
            "c0781e323032342d30322d32395431323a33343a35362e3132333435363738395a",
            "c0781e323032342d30322d32395431323a33343a35362e3132333435363738395a",
        ),
        // Whatever else there is stays.
        ("f7", "f7"),
        ("d82701", "d82701"),
        ("d8278101", "d8278101"),
        ("d9ffff8101", "d9ffff8101"),
        ("dbffffffffffffffff00", "dbffffffffffffffff00"),
        ("d81b8269612e622f5f63202163a0", "d81b8269612e622f5f63202163a0"),
        ("d84240", "d84240"),
        ("d84a4400000001", "d84a4400000001"),
        ("d828 82 82 01 02 82 01 02", "d828 82 82 01 02 82 01 02"),
        ("d828 82 83 01 02 01 d829 82 01 02", "d828 82 83 01 02 01 d829 82 01 02"),
        ("d903ea a2 01 20 28 00", "d903ea a2 01 20 28 00"),
        ("d828 82 82 01 02 d84e 48 0100000002000000", "d828 82 82 01 02 d84e 48 0100000002000000"),
        // What follows, such as an index, is not looked at.
        ("01 d81b826c626f72696e672f696e646578 ff", "01"),
        ("d90100 82 63616263 d81900 ffff", "82 63616263 63616263"),
        ("9fff00", "80"),
    ]);
}

#[test]
fn references_to_strings_and_shared_keys_are_read() {
    are_read(&[
        // References to strings.
        ("d90100 83 63616263 d81900 d81900", "83 63616263 63616263 63616263"),
        ("d90100 82 6161 6162", "82 6161 6162"),
        ("d90100 84 6261 62 63616263 43010203 d81901", "84 626162 63616263 43010203 43010203"),
        ("d90100 83 d827633a6162 d827d81900 d81900", "83 d827633a6162 d827633a6162 633a6162"),
        ("d90100 82 c2430102 03 c2d81900", "82 c243010203 c243010203"),
        (
            "d90100 82 d825500102030405060708090a0b0c0d0e0f10 d825d81900",
            "82 d825500102030405060708090a0b0c0d0e0f10 d825500102030405060708090a0b0c0d0e0f10",
        ),
        ("d90100 82 d84d44 01000200 d81900", "82 d84d4401000200 4401000200"),
        ("d90100 83 d81b82 63612f62 a0 d81b82 d81900 a0 63616263", "83 d81b8263612f62a0 d81b8263612f62a0 63616263"),
        ("d90100 a2 63616263 01 63646566 d81900", "a2 63616263 01 63646566 63616263"),
        ("d90100 82 7f 63616263 ff d81900", "82 63616263 63616263"),
        ("d90100 82 63616263 d9001900", "82 63616263 63616263"),
        // One inside another has a table of its own, and the outer one goes on after it.
        (
            "d90100 84 63616263 d90100 82 6378797a d81900 d81900 63646566",
            "84 63616263 82 6378797a 6378797a 63616263 63646566",
        ),
        ("d90100 83 d90100 6378797a 63616263 d81900", "83 6378797a 63616263 63616263"),
        ("82 d90100 82 63616263 d81900 d90100 82 6378797a d81900", "82 82 63616263 63616263 82 6378797a 6378797a"),
        ("c2 d90100 43000001", "c24101"),
        // Maps that share their keys.
        (
            "d99ae1 82 82 d827623a61 d827623a62 82 82 01 02 82 03 04",
            "82 a2 d827623a61 01 d827623a62 02 a2 d827623a61 03 d827623a62 04",
        ),
        ("d99ae1 82 83 01 02 03 84 83 f7 f6 f7 80 81 f7 81 09", "84 a1 02 f6 a0 a0 a1 01 09"),
        ("d99ae1 82 81 6161 80", "80"),
        ("d99ae1 82 81 6161 81 81 d99ae1 82 81 6162 81 81 f6", "81 a1 6161 81 a1 6162 f6"),
        (
            "d90100 83 63616263 d99ae1 82 81 d81900 81 81 63646566 d81901",
            "83 63616263 81 a1 63616263 63646566 63646566",
        ),
        ("d90100 d99ae1 82 82 d827633a6162 01 82 81 d81900 82 f7 d81900", "82 a1 d827633a6162 633a6162 a1 01 633a6162"),
    ]);
}

#[test]
fn what_is_no_item_is_corrupt_with_a_reason() {
    for (stored, reason) in [
        ("", "the bytes end too early"),
        ("61", "a length goes beyond the end"),
        ("7801", "a length goes beyond the end"),
        ("8201", "a length goes beyond the end"),
        ("9b7fffffffffffffff", "a length goes beyond the end"),
        ("bb8000000000000000 0000", "a length goes beyond the end"),
        ("9f01", "the bytes end too early"),
        ("bf01ff", "an end of nothing"),
        ("bf0102", "the bytes end too early"),
        ("ff", "an end of nothing"),
        ("81ff", "an end of nothing"),
        ("1c", "a head that is reserved"),
        ("1f", "a head that is reserved"),
        ("df00", "a head that is reserved"),
        ("e0", "a simple value without meaning"),
        ("f818", "a simple value without meaning"),
        ("f8ff", "a simple value without meaning"),
        ("7f4161ff", "another thing in it"),
        ("7f7fffff", "another thing in it"),
        ("7f61c3 61a4ff", "UTF-8"),
        ("61ff", "UTF-8"),
        ("a20101 0102", "twice"),
        ("a2 6161 01 7f 6161 ff 02", "twice"),
        ("d90102 82 f93c00 fa3f800000", "twice"),
        ("d90100 82 63616263 a2 d81900 01 63616263 02", "twice"),
        ("d81900", "outside of any table"),
        ("82 d90100 63616263 d81900", "outside of any table"),
        ("d90100 d81900", "not there before"),
        ("d90100 82 626162 d81900", "not there before"),
        ("d90100 82 63616263 d81901", "not there before"),
        ("d90100 82 63616263 d90100 d81900", "not there before"),
        ("d90100 82 63616263 d81920", "that is no number"),
        ("c2 01", "without its digits"),
        ("c261 61", "without its digits"),
        ("c06161", "does not fit"),
        ("c1f6", "does not fit"),
        ("c1f97e00", "does not fit"),
        ("c48101", "does not fit"),
        ("d81e820100", "does not fit"),
        ("d82501", "does not fit"),
        ("d9010201", "does not fit"),
        ("d81b8101", "does not fit"),
        ("d84d4101", "does not fit"),
        ("d903ec 6a 323032332d30322d3239", "does not fit"),
        ("d903ec 64 32303233", "does not fit"),
        ("d903ea 01", "does not fit"),
        ("d903ea a1 02 01", "does not fit"),
        ("d903ea a1 01 6131", "does not fit"),
        ("d828 80", "does not fit"),
        ("d828 82 80 80", "does not fit"),
        ("d828 82 82 01 00 80", "does not fit"),
        ("d828 82 82 01 02 81 01", "does not fit"),
        ("d828 82 82 02 02 d84d 44 01000200", "does not fit"),
        ("d90100 d828 82 82 02 02 d84d 44 01000200", "does not fit"),
        ("d99ae1 01", "must be an array"),
        ("d99ae1 81 80", "keys and rows"),
        ("d99ae1 82 80 80", "share no keys"),
        ("d99ae1 82 82 01 01 80", "one twice"),
        ("d99ae1 82 82 01 1801 80", "one twice"),
        ("d99ae1 82 81 01 a0", "must be an array"),
        ("d99ae1 82 81 01 81 82 01 02", "longer than the keys"),
        ("d99ae1 82 81 01 9f ff", "must be an array"),
    ] {
        let error = decode(&hex(stored)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{stored}: {error}");
        assert!(error.message().contains(reason), "{stored}: {error}");
    }
}

#[test]
fn depth_has_a_limit_also_where_it_leaves_nothing_behind() {
    let nested = |open: &str, depth: usize| hex(&(open.repeat(depth) + "f6"));
    for open in ["81", "d9ffff", "a101", "d99ae182810181 81"] {
        let levels = if open.len() > 10 { 256 } else { 512 };
        assert!(decode(&nested(open, levels)).is_ok(), "{open}");
        assert_eq!(decode(&nested(open, levels + 1)).unwrap_err().kind(), ErrorKind::LimitExceeded, "{open}");
    }
    assert!(decode(&[hex("d90100"), nested("81", 512)].concat()).is_ok());
    for open in ["81", "9f", "bf01", "d90100", "d9ffff", "c1", "c2", "d99ae182810181 81", "d99ae18281"] {
        let error = decode(&nested(open, 1_000_000)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{open}");
    }
}

#[test]
fn a_bomb_is_refused_before_it_bursts() {
    // A string of 64 KiB, and many references to it.
    let text = [hex("7a00010000"), vec![b'a'; 1 << 16]].concat();
    let references = |n: u32| {
        [hex("d90100 82"), text.clone(), hex("9a"), n.to_be_bytes().into(), hex("d81900").repeat(n as usize)].concat()
    };
    assert_eq!(decode(&references(10)).unwrap().len(), 2 + 11 * text.len());
    let error = decode(&references(5000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    let inner = 2 + 11 * text.len() as u64;
    assert!(decode_within(&references(10), inner).is_ok());
    assert_eq!(decode_within(&references(10), inner - 1).unwrap_err().kind(), ErrorKind::LimitExceeded);
    // The same text as the key of many maps.
    let rows = [hex("d99ae1 82 81"), text.clone(), hex("9a 00010000"), hex("8100").repeat(1 << 16)].concat();
    assert_eq!(decode(&rows).unwrap_err().kind(), ErrorKind::LimitExceeded);
    // As many keys as there is room for, each of them large: they count while they are kept.
    let keys = [hex("d90100 82"), text, hex("d99ae1 82 9a 00001000"), hex("d81900").repeat(4096), hex("80")].concat();
    assert_eq!(decode_within(&keys, 1 << 24).unwrap_err().kind(), ErrorKind::LimitExceeded);
    // An item as it is.
    assert_eq!(decode_within(&hex("63616263"), 3).unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn what_konserve_would_misread_is_translated_or_refused() {
    for (inner, stored) in [
        ("(1 (2) #java/list [3] [4])", "[1 [2] [3] [4]]"),
        (r#"#js/map {"a" #js/map {}}"#, r#"{"a" {}}"#),
        ("#clojure/list 1", "#clojure/list 1"),
        ("#js/undefined nil", "#js/undefined nil"),
        (
            r#"[#js/error {"name" "E"} #js/regexp ["a" "g"] #a.B (1)]"#,
            r#"[#js/error {"name" "E"} #js/regexp ["a" "g"] #a.B [1]]"#,
        ),
        (r#"{(1) #{#js/map {} (2)}, "x" \a}"#, r#"{[1] #{{} [2]}, "x" \a}"#),
    ] {
        let cbor = |text| konserve::edn::read(text).unwrap().to_cbor().unwrap();
        assert_eq!(encode(&cbor(inner)).unwrap(), cbor(stored), "{inner}");
    }
    for (inner, reason) in [
        ("#{(1) [1]}", "are one to it"),
        ("{#js/map {} 1, {} 2}", "are one to it"),
        ("\\🌍", "16 bits"),
        ("#clojure/char \"ab\"", "16 bits"),
        ("#cbor/tag [25 0]", "tag 25"),
        ("#cbor/tag [256 [\"abc\"]]", "tag 256"),
        ("#cbor/tag [39649 []]", "tag 39649"),
        ("#cbor/tag [1 9223372036854775807]", "far away"),
        ("#cbor/tag [1004 \"2024\"]", "tag 1004"),
    ] {
        let value = konserve::edn::read(inner).unwrap();
        let error = encode(&value.to_cbor().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue, "{inner}");
        assert!(error.message().contains(reason), "{inner}: {error}");
    }
}
