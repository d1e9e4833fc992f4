//! Fressian as Clojure konserve writes it: read to the right values, and written back byte for byte.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "in a test, that is a failure")]

mod any_value;
mod manifest;

use std::{collections::BTreeMap, io::Read};

use any_value::{any_value, kept_by_fressian};
use konserve::{
    ErrorKind, Value, cbor,
    testing::fressian::{decode, decode_within, encode},
};
use manifest::{Serializer, unhex};
use proptest::prelude::*;

/// Values of blobs that Clojure konserve wrote.
const KNOWN: &[(&str, &str)] = &[
    ("f7", "nil"),
    ("4f00", "-256"),
    ("7700000000", "4294967296"),
    ("f88000000000000000", "-9223372036854775808"),
    ("c6d909feffffffffffffffff", "-18446744073709551617N"),
    ("c6d100", "0N"),
    ("c7d68fb779f250bf06", "-123456789.000001M"),
    ("c7d1014fe2", "1E+30M"),
    ("efdf726174696f02c6d909010000000000000001c6d103", "18446744073709551617/3"),
    ("f93dcccccd", "#konserve/float 0.10000000149011612"),
    ("fa400921fb54442d18", "3.141592653589793"),
    ("fc", "1.0"),
    ("e31e4772c3bcc39f652c20e4b896e7958c20eda0bcedbc8d200001200a09225c", "\"Grüße, 世界 🌍 \0\u{1} \n\t\\\"\\\\\""),
    ("efde636861720153bb", "\\λ"),
    ("cacde30b666f6f2e6261722e62617acde07175782a3f21", ":foo.bar.baz/qux*?!"),
    ("c9cde1666f6f2e626172cddd62617a", "foo.bar/baz"),
    ("c87b8df4dc5495", "#inst \"2024-02-29T12:34:56.789-00:00\""),
    ("c8ff", "#inst \"1969-12-31T23:59:59.999-00:00\""),
    ("c3d910550e8400e29b41d4a716446655440000", "#uuid \"550e8400-e29b-41d4-a716-446655440000\""),
    ("c5e31968747470733a2f2f6578616d706c652e636f6d2f783f793d31", "#konserve/uri \"https://example.com/x?y=1\""),
    ("c4dd612b62", "#konserve/regex \"a+b\""),
    ("efde707665630202d3010203caf7cddb78", "[#konserve/bytes \"010203\" :x]"),
    ("b402f93fc00000f9c0200000", "#konserve/array-float [#konserve/float 1.5 #konserve/float -2.5]"),
    ("b102fa3ff8000000000000fac004000000000000", "#konserve/array-double [1.5 -2.5]"),
    ("b003014ffe03", "#konserve/array-long [1 -2 3]"),
    ("b303014ffe03", "#konserve/array-int [1 -2 3]"),
    ("b202f5f6", "#konserve/array-boolean [true false]"),
    ("b50301caf7cddb61db73", "#konserve/array-Object [1 :a \"s\"]"),
    ("efdf706c6973740203010203", "(1 2 3)"),
    ("e90001020304", "#konserve/java-list [0 1 2 3 4]"),
    ("efde707665630202a00201a00202a00203a00104a000", "[[1 [2 [3 [4]]]] []]"),
    ("c1e9f701c9f7cddb61db61caf780", "#{\"a\" 1 :a a nil}"),
    (
        "c0ec14f709fa3ff80000000000000adb7302f50bcaf7cddb6b01c0e6caf7cddb6d0107c3d910550e8400e29b41d4a716446655440000\
         080304c9f7cddd73796d05efde707665630202010206",
        "{\"s\" 2, #uuid \"550e8400-e29b-41d4-a716-446655440000\" 8, 1.5 10, 3 4, :k 1, [1 2] 6, nil 9, sym 5, \
         true 11, {:m 1} 7}",
    ),
    (
        "efde707665630204c0e8caf7cddb61f7caf7cddb6201c0e6caf78102c0e6caf78001c0eacaf78001caf78102caf7cddb6303",
        "[{:a nil, :b 1} {:b 2} {:a 1} {:a 1, :b 2, :c 3}]",
    ),
    ("efe1697265636f72640201c9f7cde3096d792e6e732e466f6fe6caf7cddb6101", "#konserve/incognito [my.ns.Foo {:a 1}]"),
    (
        "efe1697265636f72640202c9f7cde3096b6c69622e50616972e6caf7cdde6c656674a002c9f7cde30b6b6c69622e506572736f6ee6caf7\
         cdde6e616d65dd426f62e6caf7cddd6167651fe6caf7cddf7269676874efde707665630202a002c9f782e6caf783dd436964e6caf784f7\
         c0e6caf7cddb70a002c9f782e6caf783dd44616ee6caf784efdf726174696f02c6d101c6d102",
        "#konserve/record [\"klib.Pair\" {:left #konserve/record [\"klib.Person\" {:name \"Bob\", :age 31}], :right \
         [#konserve/record [\"klib.Person\" {:name \"Cid\", :age nil}] {:p #konserve/record [\"klib.Person\" {:name \
         \"Dan\", :age 1/2}]}]}]",
    ),
    (
        "c0ec0acaf7cde30a696d6d757461626c653ff5caf7cdde74616773c1e5caf7cddb78caf7cddd6b6579caf7cde30d776974682d6d6574\
         612d6d6170caf7cdde74797065caf7cddd65646ecaf7cde30a6c6173742d7772697465c87ba2025f8596",
        "{:immutable? true, :key :with-meta-map, :last-write #inst \"2026-11-22T08:29:04.278-00:00\", :tags #{:x}, \
         :type :edn}",
    ),
];

#[test]
fn what_konserve_wrote_is_read_and_written_back() {
    for (stored, edn) in KNOWN {
        let inner = decode(&unhex(stored)).unwrap();
        cbor::check(&inner).unwrap();
        assert_eq!(Value::from_cbor(&inner).unwrap(), manifest::read(edn, Serializer::Fressian), "{stored}");
        assert_eq!(hex(&encode(&inner).unwrap()), *stored, "{edn}");
    }
}

/// Forms of Fressian, and the inner form of each.
const FORMS: &[(&str, &str)] = &[
    // Numbers of every width.
    ("3f", "183f"),
    ("ff", "20"),
    ("40ff", "390f00"),
    ("5fff", "190fff"),
    ("600000", "3a0007ffff"),
    ("70000000", "3a01ffffff"),
    ("77ffffffff", "1b00000001ffffffff"),
    ("740000 0000", "3b00000001ffffffff"),
    ("7bffffffffff", "1b000001ffffffffff"),
    ("7fffffffffffff", "1b0001ffffffffffff"),
    ("f80000000000000001", "01"),
    ("f93fc00000", "fa3fc00000"),
    ("f97fc00001", "fa7fc00000"),
    ("fa7ff8000000000001", "fb7ff8000000000000"),
    ("fa8000000000000000", "fb8000000000000000"),
    ("fb", "fb0000000000000000"),
    // Bigints with more bytes than they need, decimals, ratios.
    ("c6d20005", "c24105"),
    ("c6d2ffff", "c34100"),
    ("c6d0", "c24100"),
    ("c7d2009602", "c482211896"),
    ("c7d90900800000000000000000", "c48200c2488000000000000000"),
    ("efdf726174696f020102", "d81e820102"),
    // Strings and bytes in chunks; a surrogate pair in two of them.
    ("e203616263e20164db65", "656162636465"),
    ("e203eda0bcdd edbc8d", "64f09f8c8d"),
    ("e304f09f8c8d", "64f09f8c8d"),
    ("d802 0102d90103", "43010203"),
    // Lists with an end, or open to the end of all.
    ("ed0102fd", "d81b82696a6176612f6c697374820102"),
    ("ee0102", "d81b82696a6176612f6c697374820102"),
    ("ee0102fd05", "d81b82696a6176612f6c697374820102"),
    ("c0ed0102fd", "a10102"),
    ("c1ed01edfdfd", "d901028201d81b82696a6176612f6c69737480"),
    ("c0efde707665630202 0102", "a10102"),
    // The cache: an item, a string that is a name too, twice at once, beforehand, another one after a reset.
    ("e7cd7a00000000000080cc00", "d81b82696a6176612f6c6973748300 00 00"),
    ("e6cddb61caf780", "d81b82696a6176612f6c697374826161d827623a61"),
    ("e7cdcddb618081", "d81b82696a6176612f6c69737483616161616161"),
    ("cecddb61 caf780", "d827623a61"),
    ("e6cddb61fecddb62", "d81b82696a6176612f6c6973748261616162"),
    ("e8cddb61fe cddb62 8080", "d81b82696a6176612f6c697374846161616261626162"),
    ("cdca cddb61cddb62", "d827643a612f62"),
    ("cfcfcfcf0000000000000000 01", "01"),
    // Structs: by code, by name, by index.
    ("e6efdb7801 01a002", "d81b82696a6176612f6c69737482d81b8261788101d81b8261788102"),
    ("e6efdb7801 01f00002", "d81b82696a6176612f6c69737482d81b8261788101d81b8261788102"),
    ("efdd6d6170 01e60102", "a10102"),
    ("efdb7800", "d81b82617880"),
    ("f401", "d81b8263616e798101"),
    ("f1c0e401", "d81b82646d65746182a001"),
    // Those of data.fressian.
    ("efde62797465 01 4fff", "20"),
    ("efe07265636f726402 cdc9f7cddf612e622e43 c0edcdcaf7cddb6101fd", "d81b8265612e622e43a1d827623a6101"),
    // What the inner form has no word for.
    ("efde63686172 01 68d800", "d81b8264636861728119d800"),
    ("c8f87fffffffffffffff", "d81b8264696e7374811b7fffffffffffffff"),
    ("c9f7dc3a61", "d81b826373796d82f6623a61"),
    ("c9db3adb61", "d81b826373796d82613a6161"),
    // Our own.
    ("efe30c6a732f756e646566696e656400", "f7"),
    ("efe06a732f6d617001c0e6db6101", "d90103a1616101"),
    ("efe30863626f722f7461670254d2db61", "d904d26161"),
    // What follows the first item is not looked at.
    ("01ffff", "01"),
];

#[test]
fn all_forms_of_fressian_are_read() {
    for (stored, inner) in FORMS {
        let read = decode(&unhex(&stored.replace(' ', ""))).unwrap_or_else(|error| panic!("{stored}: {error}"));
        assert_eq!(hex(&read), inner.replace(' ', ""), "{stored}");
        let again = decode(&encode(&read).unwrap()).unwrap();
        assert_eq!(hex(&again), hex(&read), "{stored}");
    }
}

/// Inner forms that konserve never makes, what is written of each, and what is read of that if it is not the same.
const OURS: &[(&str, &str, &str)] = &[
    ("fb8000000000000000", "fa8000000000000000", ""),
    ("1bffffffffffffffff", "c6d90900ffffffffffffffff", "c248ffffffffffffffff"),
    ("c2420005", "c6d105", "c24105"),
    ("d81e82c2410103", "efdf726174696f02c6d101c6d103", "d81e820103"),
    ("f93e00", "f93fc00000", "fa3fc00000"),
    ("c1182a", "c868a410", "c074313937302d30312d30315430303a30303a34325a"),
    (
        "c07819313937302d30312d30315430313a30303a30302b30313a3030",
        "c800",
        "c074313937302d30312d30315430303a30303a30305a",
    ),
    ("d81b8272636c6f6a7572652f736f727465642d6d6170a10102", "c0e60102", "a10102"),
    ("d81b8272636c6f6a7572652f736f727465642d736574820102", "c1e60102", "d90102820102"),
    ("d81b8271636c6f6a7572652f776974682d6d65746182a005", "05", "05"),
    ("f7", "efe30c6a732f756e646566696e656400", ""),
    ("d90103a1616101", "efe06a732f6d617001c0e6db6101", ""),
    ("d81b82686a732f6572726f72a0", "efe1697265636f72640200c9cddc6a73cddf6572726f72", ""),
    ("d81b82696a732f7265676578708261616169", "efe3096a732f72656765787002db61db69", ""),
    (
        "d81b826f6a732f61727261792d62756666657241ff",
        "efe30863626f722f746167021befde7076656302 02e30f6a732f61727261792d627566666572d1ff",
        "",
    ),
    ("d84d420100", "efe30863626f722f74616702504dd20100", ""),
    ("dbffffffffffffffff01", "efe30863626f722f74616702c6d90900ffffffffffffffff01", ""),
    // A character, a decimal and a date that Java has not, or cannot write so.
    (
        "d81b826c636c6f6a7572652f6368617264f09f8c8d",
        "efe30863626f722f746167021befde7076656302 02e30c636c6f6a7572652f63686172e0eda0bcedbc8d",
        "",
    ),
    ("c4821b000000010000000001", "efe30863626f722f7461670204efde7076656302 02770000000001", ""),
    ("c11b7fffffffffffffff", "efe30863626f722f7461670201f87fffffffffffffff", ""),
    // Names that mean something to who reads.
    ("d81b8264707665638101", "efe30863626f722f746167021befde707665630202de70766563a10101", ""),
    ("d81b826373796d82f66161", "efe30863626f722f746167021befde707665630202dd73796da102f7db61", ""),
];

#[test]
fn what_konserve_never_writes_has_a_form_too() {
    for (inner, stored, again) in OURS {
        let item = unhex(inner);
        cbor::check(&item).unwrap();
        let written = encode(&item).unwrap();
        assert_eq!(hex(&written), stored.replace(' ', ""), "{inner}");
        assert_eq!(hex(&decode(&written).unwrap()), if again.is_empty() { *inner } else { *again });
    }
}

#[test]
fn what_konserve_cannot_write_is_refused_by_its_name() {
    for (inner, what) in [
        ("d903ea a10105", "Duration"),
        ("d903ec 6a323032342d30322d3239", "LocalDate"),
        ("d81b826b6a6176612f706572696f6463503144", "Period"),
        ("d81b826d636c6f6a7572652f71756575658101", "queue"),
        ("c0781e323032342d30322d32395431323a33343a35362e3738393132333435365a", "Instant"),
        ("c1fb3f1a36e2eb1c432d", "Instant"),
        // The same key twice, there.
        ("a2a10102 00 d81b8272636c6f6a7572652f736f727465642d6d6170a10102 00", "two keys"),
        ("a2 00 01 d81b8271636c6f6a7572652f776974682d6d65746182a000 02", "two keys"),
        ("", "end too early"),
        ("0101", "more bytes"),
        ("81", "end too early"),
        ("d82701", ""),
    ] {
        match encode(&unhex(&inner.replace(' ', ""))) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidValue, "{inner}");
                assert!(error.message().contains(what), "{error}");
            }
            Ok(written) => assert_eq!((hex(&written).as_str(), what), ("efe30863626f722f746167022701", ""), "{inner}"),
        }
    }
}

#[test]
fn what_is_no_fressian_is_corrupt() {
    for (stored, why) in [
        ("", "ends too early"),
        ("b6", "means nothing"),
        ("c2", "means nothing"),
        ("cb", "means nothing"),
        ("f2", "means nothing"),
        ("fd", "means nothing"),
        ("80", "not in the cache"),
        ("cc05", "not in the cache"),
        ("cd80", "not in the cache"),
        ("a0", "not defined"),
        ("f007", "not defined"),
        ("cde580", "not in the cache"),
        ("cdfe01", "emptied"),
        ("cf010203", "footer"),
        ("c0e501", "no value"),
        ("c0ed01fd", "no value"),
        ("c001", "no list"),
        ("c0e8 0102 0103", "twice"),
        ("c1e6 0101", "twice"),
        ("c3d2 0102", "tag"),
        ("caf7f7", "null"),
        ("caf701", "no string"),
        ("c401", "no string"),
        ("efdf726174696f0201 00", "tag"),
        ("efdf726174696f0201 db61", "whole number"),
        ("efde63686172 01 72200000", "character"),
        ("efde63686172 01 ff", "character"),
        ("b301 76ffffffff", "32 bits"),
        ("b0014f", "ends too early"),
        ("b201 01", "truth"),
        ("b401 fc", "float"),
        ("b101 f93fc00000", "double"),
        ("c7d101 77 00000000", "scale"),
        ("efe1697265636f726402 01 01", "symbol"),
        ("efe1697265636f726402 01 c9f7db61 e501", "no value"),
        ("ef0101", "no string"),
        ("eff701", "no name"),
        ("efe308 63626f722f74616702ff01", "number"),
        ("efe308 63626f722f746167020001", "tag"),
        ("efe06a732f6d61700101", "tag"),
        ("dbff", "UTF-8"),
        ("dceda0bc", "UTF-8"),
        ("ddeda0bc", "surrogate"),
        ("e203eda0bcdb61", "surrogate"),
        ("e203eda0bc01", "between the chunks"),
        ("e3ff", "below zero"),
        ("ecff", "below zero"),
    ] {
        let error = decode(&unhex(&stored.replace(' ', ""))).expect_err(stored);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{stored}: {error}");
        assert!(error.message().contains(why), "{stored}: {error}");
    }
}

#[test]
fn bombs_do_not_go_off() {
    // Announced, and not there.
    for head in ["ec", "e3", "d9", "d8", "e2", "c0ec", "b0", "b2", "b5", "efde7076656302", "efdb78"] {
        for len in ["7fffffffffffff", "f87fffffffffffffff", "77ffffffff"] {
            let error = decode(&unhex(&format!("{head}{len}"))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{head}{len}");
        }
    }
    // Nested without an end.
    for open in
        ["e5", "ed", "ce", "c0", "c1", "efdb7801", "efde7076656302 01", "cde5", "efe06a732f6d617001", "ca", "ef"]
    {
        let error = decode(&unhex(&open.replace(' ', "")).repeat(100_000)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::LimitExceeded | ErrorKind::Corrupt), "{open}: {error}");
    }
    for flat in ["fe", "cd", "cfcfcfcf0000000000000000"] {
        assert_eq!(decode(&unhex(flat).repeat(100_000)).unwrap_err().kind(), ErrorKind::Corrupt);
    }
    // Each level twice the one before: 2^40 items.
    let mut laughs = unhex("ec29cd01");
    for level in 0..40 {
        laughs.extend([0xcd, 0xe6]);
        laughs.extend(if level < 32 { vec![0x80 + level, 0x80 + level] } else { vec![0xcc, level, 0xcc, level] });
    }
    assert_eq!(decode(&laughs).unwrap_err().kind(), ErrorKind::LimitExceeded);
    // A long item again and again, by itself and as the name of a struct.
    let long = [unhex("edcde36a0000"), vec![b'a'; 0x2_0000]].concat();
    for again in ["80", "ef80", "ca8080", "ca80db61"] {
        let bomb = [&long[..], &unhex(again).repeat(200_000)].concat();
        let error = decode(&bomb).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::LimitExceeded | ErrorKind::Corrupt), "{again}: {error}");
    }
    assert_eq!(decode_within(&unhex("dd616263"), 3).unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn depth_is_counted_in_levels_of_the_inner_form() {
    let nested = |depth: usize| (0..depth).fold(Value::Keyword("a/b".into()), |inner, _| Value::Array(vec![inner]));
    let deep = nested(511).to_cbor().unwrap();
    let stored = encode(&deep).unwrap();
    assert_eq!(decode(&stored).unwrap(), deep);
    // One more vector around it, which is a struct that is defined there.
    let deeper = [&unhex("efde707665630201")[..], &stored].concat();
    assert_eq!(decode(&deeper).unwrap_err().kind(), ErrorKind::LimitExceeded);
    let deeper = [&[0x81][..], &deep].concat();
    assert_eq!(encode(&deeper).unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn a_stream_that_is_cut_anywhere_is_refused() {
    for (stored, _) in KNOWN {
        let stored = unhex(stored);
        for len in 0..stored.len() {
            assert_eq!(decode(&stored[..len]).unwrap_err().kind(), ErrorKind::Corrupt, "{stored:x?} to {len}");
        }
    }
}

#[test]
fn every_index_of_both_caches_is_found_again() {
    let names = |kind: &str| (0..300).map(|n| format!("{kind}{n}")).collect::<Vec<_>>();
    let keywords = names("k").into_iter().chain(names("k")).map(Value::Keyword);
    let structs = names("s").into_iter().chain(names("s")).map(|name| Value::record(name, vec![Value::Null]));
    let parts = (0..40).map(|len| Value::record("s7", vec![Value::Null; len]));
    // Those too long for the cache stand between others.
    let long = "x".repeat(3000);
    let long = [Value::Keyword(long.clone()), Value::record(long, vec![Value::Null])];
    let value: Value = keywords.chain(long.clone()).chain(structs).chain(long).chain(parts).collect::<Vec<_>>().into();
    let inner = value.to_cbor().unwrap();
    assert_eq!(decode(&encode(&inner).unwrap()).unwrap(), inner);
}

#[test]
fn long_strings_and_bytes_are_in_chunks() {
    for len in [65_534, 65_535, 65_536, 65_537, 131_070, 131_072, 200_000] {
        let bytes = Value::Bytes(vec![7; len]).to_cbor().unwrap();
        let stored = encode(&bytes).unwrap();
        assert_eq!(stored[0], if len > 65_535 { 0xd8 } else { 0xd9 });
        assert_eq!(decode(&stored).unwrap(), bytes);
        for text in ["a", "ab🌍"] {
            let text: String = text.chars().cycle().take(len).collect();
            let item = Value::from(text.as_str()).to_cbor().unwrap();
            let stored = encode(&item).unwrap();
            let units: usize = text.chars().map(|c| if c.len_utf8() == 4 { 6 } else { c.len_utf8() }).sum();
            assert_eq!(stored[0], if units > 65_536 { 0xe2 } else { 0xe3 });
            assert_eq!(decode(&stored).unwrap(), item);
        }
    }
    // The last chunk is short, and a byte string says its length nevertheless.
    let text = encode(&Value::from("a".repeat(65_537)).to_cbor().unwrap()).unwrap();
    assert_eq!((&text[..4], &text[65_540..]), (&unhex("e2690000")[..], &unhex("db61")[..]));
    let bytes = encode(&Value::Bytes(vec![7; 65_536]).to_cbor().unwrap()).unwrap();
    assert_eq!((&bytes[..4], &bytes[65_539..]), (&unhex("d868ffff")[..], &unhex("d90107")[..]));
}

#[test]
fn every_entry_of_the_stores_is_what_its_manifest_says() {
    for (name, lz4) in [("fressian-none-none", false), ("fressian-lz4-none", true)] {
        let Some(store) = manifest::store(name) else { return };
        let mut read = BTreeMap::new();
        for entry in &store.entries {
            let (meta, value) = entry.sections();
            let section = |section: &[u8]| if lz4 { unframed(section) } else { section.to_vec() };
            let decoded = |stored: &[u8]| {
                let inner = decode(stored).unwrap_or_else(|error| panic!("{}: {error}", entry.name));
                cbor::check(&inner).unwrap();
                (Value::from_cbor(&inner).unwrap(), inner)
            };
            let meta = section(meta);
            assert_eq!(decoded(&meta).0, entry.meta, "{}", entry.name);
            assert_eq!(hex(&encode(&decoded(&meta).1).unwrap()), hex(&meta), "{}", entry.name);
            *read.entry(entry.kind.as_str()).or_insert(0) += 1;
            if entry.kind == "binary" {
                assert_eq!(entry.value.as_bytes(), Some(value), "{}", entry.name);
                continue;
            }
            let value = section(value);
            assert_eq!(decoded(&value).0, entry.value, "{}", entry.name);
            assert_eq!(hex(&encode(&decoded(&value).1).unwrap()), hex(&value), "{}", entry.name);
        }
        println!("{name}: {read:?}");
    }
}

/// What an LZ4 frame holds, also one that was never closed.
fn unframed(frame: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Without its mark, the end comes too early; what was before is there.
    _ = lz4_flex::frame::FrameDecoder::new(frame).read_to_end(&mut bytes);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_value_survives(value in any_value()) {
        let inner = value.to_cbor().unwrap();
        prop_assume!(cbor::check(&inner).is_ok());
        match encode(&inner) {
            Ok(stored) => {
                let again = decode(&stored).unwrap();
                prop_assert_eq!(Value::from_cbor(&again).unwrap(), kept_by_fressian(value));
                // What was read once is the same from then on.
                prop_assert_eq!(decode(&encode(&again).unwrap()).unwrap(), again);
            }
            Err(error) => prop_assert!(error.message().contains("finer") || error.message().contains("two keys")),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any_code(), 0..60)) {
        let bytes = bytes.concat();
        if let Ok(inner) = decode(&bytes) {
            cbor::check(&inner).unwrap();
            prop_assert!(inner.len() <= 1024 * 1024 + 4096 * bytes.len());
            if let Ok(stored) = encode(&inner) {
                let again = decode(&stored).unwrap();
                prop_assert_eq!(Value::from_cbor(&again).unwrap(), Value::from_cbor(&inner).unwrap());
            }
        }
    }

    #[test]
    fn cut_streams_are_refused(value in any_value()) {
        let inner = value.to_cbor().unwrap();
        prop_assume!(cbor::check(&inner).is_ok());
        if let Ok(stored) = encode(&inner) {
            for len in 0..stored.len() {
                prop_assert_eq!(decode(&stored[..len]).unwrap_err().kind(), ErrorKind::Corrupt);
            }
        }
    }
}

/// Bytes that mean something now and then.
fn any_code() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        (0xb0_u8..).prop_map(|byte| vec![byte]),
        (0x80_u8..0x84).prop_map(|byte| vec![byte]),
        (0_u8..4).prop_map(|byte| vec![byte]),
        prop::sample::select(vec![
            "efde7076656302",
            "efdf706c69737402",
            "efe1697265636f726402",
            "efdf726174696f02",
            "efde6368617201",
            "efdb7802",
            "cddb61",
            "caf7db61",
            "c9f7db62"
        ])
        .prop_map(unhex),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Incognito in ClojureScript writes records in two ways, data.fressian in a third.
#[test]
fn records_of_clojurescript_are_records() {
    // The symbol `n.R`, and the keywords `:tag`, `:value`, `:a`.
    let [name, tag, value, a] = ["c9f7dd6e2e52", "caf7dd746167", "caf7df76616c7565", "caf7db61"];
    for (parts, text) in [
        (format!("{name}c0e6{a}01"), "#n.R {:a 1}"),
        (format!("02{name}e6{a}01e6{tag}02"), "#n.R {:a 1, :tag 2}"),
        (format!("{name}c0ed{tag}{name}{value}c0e6{a}01fd"), "#n.R {:a 1}"),
        (format!("{name}c0e8{value}01{tag}02"), "#n.R {:value 1, :tag 2}"),
        (format!("{name}c0e6{value}01"), "#n.R {:value 1}"),
    ] {
        let stored = format!("efe0{}02{parts}", "7265636f7264");
        assert_eq!(Value::from_cbor(&decode(&unhex(&stored)).unwrap()).unwrap().to_string(), text);
    }
    for parts in [format!("ff{name}"), format!("05{name}"), format!("01{name}e5{a}")] {
        let stored = format!("efe0{}02{parts}", "7265636f7264");
        assert_eq!(decode(&unhex(&stored)).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
