//! CBOR items: what is a value, and which items are one key. Against the vectors of the format.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use konserve::cbor::{Flaw, FlawKind, MAX_DEPTH, Reader, Writer, canonical, check, check_key, locate, tag};
use serde_json::Value as Json;

fn vectors() -> Json {
    serde_json::from_str(include_str!("vectors/sealed.json")).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn kind(bytes: &[u8]) -> Option<FlawKind> {
    check(bytes).err().map(|flaw| flaw.kind)
}

#[test]
fn keys_of_the_vectors_are_canonical() {
    let vectors = vectors();
    let keys = vectors["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 38);
    for key in keys {
        let bytes = hex(key["canonical"].as_str().unwrap());
        assert_eq!(canonical(&bytes).as_ref(), Ok(&bytes), "{key}");
        assert_eq!(check_key(&bytes), Ok(()), "{key}");
    }
}

#[test]
fn values_of_the_vectors_are_values() {
    let vectors = vectors();
    let mut seen = 0;
    for vector in vectors["vectors"].as_array().unwrap() {
        let (Some(value), Some("edn")) = (vector["serialized"].as_str(), vector["type"].as_str()) else { continue };
        assert_eq!(check(&hex(value)), Ok(()), "{vector}");
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
}

#[test]
fn bad_values_of_the_vectors_are_not_values() {
    let vectors = vectors();
    let mut seen = 0;
    for vector in vectors["negative"].as_array().unwrap() {
        let title = vector["title"].as_str().unwrap();
        if !(title.starts_with("plain: value, ") || matches!(title, "plain: two items" | "plain: item cut")) {
            continue;
        }
        let blob = hex(vector["blob"].as_str().unwrap());
        let meta = u32::from_be_bytes(blob[4..8].try_into().unwrap()) as usize;
        let flaw = check(&blob[20 + meta..]).expect_err(title);
        let code = if flaw.kind == FlawKind::Depth { "LIMIT_EXCEEDED" } else { "CORRUPT" };
        assert_eq!(vector["code"], code, "{title}");
        seen += 1;
    }
    assert_eq!(seen, 14);
}

#[test]
fn keys_in_any_encoding_become_canonical() {
    for (given, wanted) in [
        ("f93c00", "01"),
        ("fa3f800000", "01"),
        ("fb3ff0000000000000", "01"),
        ("f98000", "00"),
        ("fb8000000000000000", "00"),
        ("fb4340000000000000", "1b0020000000000000"),
        ("fb4340000000000001", "fb4340000000000001"),
        ("fbc340000000000000", "3b001fffffffffffff"),
        ("fb43e0000000000000", "fa5f000000"),
        ("fb3ff8000000000000", "f93e00"),
        ("fb3e70000000000000", "f90001"),
        ("fb3810000000000000", "fa00800000"),
        ("fb7ff0000000000000", "f97c00"),
        ("fbfff0000000000000", "f9fc00"),
        ("fb7ff8000000000000", "f97e00"),
        ("fbfff8000000000001", "f97e00"),
        ("fa7fc00001", "f97e00"),
        ("f97e01", "f97e00"),
        ("1b0020000000000001", "c24720000000000001"),
        ("1bffffffffffffffff", "c248ffffffffffffffff"),
        ("3b001fffffffffffff", "3b001fffffffffffff"),
        ("3b0020000000000000", "c34720000000000000"),
        ("c240", "c24100"),
        ("c3420000", "c34100"),
        ("c24300ff00", "c242ff00"),
        // Bytewise, not length first.
        ("a4f4010a02200361610a", "a40a02200361610af401"),
        ("a262616101616202", "a261620262616101"),
        ("d9010283616261610a", "d90102830a61616162"),
        ("d9010283fb4000000000000000f93c0003", "d9010283010203"),
        ("a2fb4000000000000000a16162016161f6", "a202a16162016161f6"),
        ("d90103a2616201616102", "d90103a2616102616201"),
        ("c1fb0000000000000000", "c100"),
        ("c482211b0020000000000001", "c48221c24720000000000001"),
    ] {
        let form = canonical(&hex(given));
        assert_eq!(form, Ok(hex(wanted)), "{given}");
        assert_eq!(canonical(&hex(wanted)), form, "{given}");
    }
}

#[test]
fn keys_that_become_one_are_a_duplicate() {
    for given in
        ["a201f6f93c00f6", "d901028201fb3ff0000000000000", "a2c240f6c24100f6", "81d9010282a201020304a203040102"]
    {
        let bytes = hex(given);
        assert_eq!(check(&bytes), Ok(()), "{given}");
        assert_eq!(canonical(&bytes).unwrap_err().kind, FlawKind::Duplicate, "{given}");
    }
}

#[test]
fn keys_hold_no_undefined_and_nothing_reserved() {
    for (given, wanted) in [
        ("f7", Some(FlawKind::Undefined)),
        ("8201a16161f7", Some(FlawKind::Undefined)),
        ("a1f701", Some(FlawKind::Undefined)),
        ("f6", None),
        ("61f7", None),
        ("41f7", None),
        ("d81b82696b6f6e73657276652f80", Some(FlawKind::Reserved)),
        ("81d81b82696b6f6e73657276652f80", Some(FlawKind::Reserved)),
        ("d81b82686b6f6e7365727665f6", None),
        ("82696b6f6e73657276652f80", None),
    ] {
        assert_eq!(check_key(&hex(given)).err().map(|flaw| flaw.kind), wanted, "{given}");
    }
}

#[test]
fn heads_have_one_form() {
    for bad in "1800 1817 190000 1900ff 1a0000ffff 1b00000000ffffffff 3817 5800 780161 9800 b800 d80001 f800 f814 \
         f817 f818 f820 f8ff e0 f0 f3 1c 1d 1e 1f 3f 5f 5fff 7f6161ff 9f 9fff bf bfff df ff fc fd fe"
        .split_whitespace()
    {
        assert_eq!(kind(&hex(bad)), Some(FlawKind::Head), "{bad}");
    }
    for good in
        ["00", "17", "1818", "18ff", "190100", "1a00010000", "1b0000000100000000", "f93c00", "fa3f800000", "f4", "f7"]
    {
        assert_eq!(kind(&hex(good)), None, "{good}");
    }
}

#[test]
fn known_tags_hold_what_belongs_there() {
    for good in "c1f93c00 c120 c240 c241ff c3420001 c4820120 c482c24101c34101 d81e820102 d81e8220c24102 d82060 d82360 \
         d82760 d82701 d8274161 d8255000000000000000000000000000000000 d9010280 d90103a0 d81b8260f6 d84040 d84142ffff \
         d84444ffffffff d84d420000 d84f480000000000000000 d85640 d85750ffffffffffffffffffffffffffffffff \
         d84c01 d9d9f701 da000100006161 c5f6"
        .split_whitespace()
    {
        assert_eq!(kind(&hex(good)), None, "{good}");
    }
    for bad in "c0f6 c001 c160 c1f6 c1f97e00 c1f97c00 c1c24101 c201 c2f6 c26161 c3f6 c401 c48101 c483010101 c48201f6 \
         c482f93c0001 d81e820100 d81e820120 d81e8201c24100 d81e8201c34101 d82001 d82040 d82301 \
         d82560 d8254100 d90102a0 d9010201 d9010380 d9010360 d81b80 d81b8160 d81b8201f6 d81b8360f6f6 \
         d81b60 d84060 d84141ff d84201 d84643ffffff d85543000000 d85143000000 d85748ffffffffffffffff"
        .split_whitespace()
    {
        assert_eq!(check(&hex(bad)), Err(Flaw { kind: FlawKind::Tag, at: 0 }), "{bad}");
    }
}

#[test]
fn depth_counts_arrays_maps_and_tags() {
    for level in [&[0x81][..], &[0xa1, 0x00], &[0xc6], &[0xd9, 0x01, 0x02, 0x81]] {
        let levels = if level.len() > 2 { MAX_DEPTH / 2 } else { MAX_DEPTH };
        let mut bytes = level.repeat(levels);
        bytes.push(0);
        assert_eq!(kind(&bytes), None);
        bytes.splice(..0, [0x81]);
        assert_eq!(kind(&bytes), Some(FlawKind::Depth));
        bytes.truncate(bytes.len() - 1);
        bytes.push(0x80);
        assert_eq!(kind(&bytes[1..]), Some(FlawKind::Depth));
    }
    assert_eq!(kind(&vec![0x81; 1_000_000]), Some(FlawKind::Depth));
    assert_eq!(kind(&vec![0xc6; 1_000_000]), Some(FlawKind::Depth));
}

#[test]
fn flaws_say_where() {
    // {"users": [1, {"name": <not UTF-8>}]}
    let bytes = b"\xa1\x65users\x82\x01\xa1\x64name\x62\xc3\x28";
    let flaw = check(bytes).unwrap_err();
    assert_eq!((flaw.kind, locate(bytes, flaw.at).as_str()), (FlawKind::Utf8, r#"["users"][1]["name"]"#));
    // {"a": {"b": 1, "b": 2}}
    let bytes = b"\xa1\x61a\xa2\x61b\x01\x61b\x02";
    let flaw = check(bytes).unwrap_err();
    assert_eq!((flaw.kind, flaw.at), (FlawKind::Duplicate, 7));
    assert_eq!(locate(bytes, flaw.at), r#"["a"]["b"]"#);
}

#[test]
fn twins_are_found_in_containers_of_every_size() {
    for len in [2_u32, 16, 17, 1000, 1024, 1025, 5000, 100_000] {
        let key = |n: u32| [&[0x1a][..], &(n.wrapping_mul(0x9e37_79b1) | 0x8000_0000).to_be_bytes()].concat();
        let mut keys: Vec<_> = (0..len).map(key).collect();
        keys.sort();
        keys.dedup();
        keys.reverse();
        let write = |keys: &[Vec<u8>], values: bool| {
            let mut out = Writer::new();
            if values {
                out.map(keys.len());
            } else {
                out.tag(tag::SET);
                out.array(keys.len());
            }
            for key in keys {
                out.raw(key);
                out.raw(if values { &[0xf6] } else { &[] });
            }
            out.finish()
        };
        for values in [false, true] {
            assert_eq!(check(&write(&keys, values)), Ok(()), "{len}");
            let mut twins = keys.clone();
            let last = twins.len() - 1;
            twins[last] = twins[0].clone();
            let bytes = write(&twins, values);
            let flaw = check(&bytes).unwrap_err();
            assert_eq!(flaw.kind, FlawKind::Duplicate, "{len}");
            assert_eq!(flaw.at, bytes.len() - 5 - usize::from(values), "{len}");
        }
    }
}

#[test]
fn promises_that_add_up_beyond_the_end_are_cut() {
    // A thousand arrays, each of 900 items, one inside another.
    let bytes = b"\x99\x03\x84".repeat(1000);
    assert_eq!(Reader::new(&bytes).item().unwrap_err().kind, FlawKind::Cut);
    assert!(Reader::new(&bytes).item().unwrap_err().at < 3000);
    assert_eq!(kind(b"\x82\x81\x01"), Some(FlawKind::Cut));
}
