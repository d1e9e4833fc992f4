//! Names of keys in stores shared with Clojure.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use konserve::{ErrorKind, Value, edn, testing::hasch};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|n| char::from_digit(n.into(), 16).unwrap()).collect()
}

/// What Clojure itself made of a value that is given as CBOR.
struct Vector {
    edn: String,
    item: Vec<u8>,
    coercion: String,
    hash: String,
    uuid: String,
}

/// The folder of what Clojure konserve wrote, where it is.
fn fixtures() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/konserve");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: the folder {} is not there", folder.display());
    None
}

/// All vectors, from the EDN text in which they are kept.
fn vectors() -> Option<Vec<Vector>> {
    let json = fs::read(fixtures()?.join("hasch-vectors.json")).unwrap();
    let vectors: Vec<BTreeMap<String, String>> = serde_json::from_slice(&json).unwrap();
    let vector = |fields: &BTreeMap<String, String>| Vector {
        edn: fields["edn"].clone(),
        item: item(&fields["edn"], fields["class"].contains("List") || fields["class"].contains("LazySeq")),
        coercion: fields["coerceHex"].clone(),
        hash: fields["ednHashHex"].clone(),
        uuid: fields["uuid"].clone(),
    };
    Some(vectors.iter().map(vector).collect())
}

#[allow(clippy::cast_possible_truncation, reason = "it is a float of 4 bytes")]
fn item(text: &str, is_list: bool) -> Vec<u8> {
    if let Some(keyword) = text.strip_prefix(':') {
        // One has a space in it.
        return Value::Keyword(keyword.into()).to_cbor().unwrap();
    }
    let value = edn::read(text).unwrap();
    match (value.as_record(), value.as_array()) {
        (Some(("konserve/float", Value::Float(n))), _) => [&[0xfa], (*n as f32).to_be_bytes().as_slice()].concat(),
        (_, Some(items)) if is_list => Value::record("clojure/list", items.to_vec()).to_cbor().unwrap(),
        _ => plain(&value).to_cbor().unwrap(),
    }
}

/// With the tags of the vectors' own notation read as what they stand for.
fn plain(value: &Value) -> Value {
    let all = |items: &[Value]| items.iter().map(plain).collect::<Vec<_>>();
    match (value, value.as_record()) {
        (_, Some(("konserve/bytes", Value::Text(digits)))) => Value::Bytes(hex(digits)),
        (_, Some(("konserve/record", Value::Array(parts)))) => {
            Value::record(parts[0].as_str().unwrap(), plain(&parts[1]))
        }
        (_, Some(("konserve/incognito", Value::Array(parts)))) => Value::record(parts[0].to_string(), plain(&parts[1])),
        (_, Some((name @ ("konserve/sorted-map" | "konserve/sorted-set"), content))) => {
            Value::record(name.replace("konserve", "clojure"), plain(content))
        }
        (Value::Array(items), _) => Value::Array(all(items)),
        (Value::Set(members), _) => Value::Set(all(members)),
        (Value::Map(entries), _) => Value::Map(entries.iter().map(|(key, value)| (plain(key), plain(value))).collect()),
        _ => value.clone(),
    }
}

#[test]
fn every_vector_of_clojures_comes_out_the_same() {
    let vectors = vectors().unwrap_or_default();
    for Vector { edn, item, coercion, hash, uuid } in &vectors {
        // Written by Java 17.
        let (name, older) = hasch::names(item).unwrap();
        assert_eq!(older.unwrap_or(name).to_string(), *uuid, "{edn}");
        if older.is_some() {
            assert_eq!(edn, "9.999999999999999E22");
            continue;
        }
        // Long coercions are cut, and end in three points.
        let coerced = to_hex(&hasch::coerce(item).unwrap());
        match coercion.strip_suffix("...") {
            Some(start) => assert!(coerced.starts_with(start), "{edn}"),
            None => assert_eq!(coerced, *coercion, "{edn}"),
        }
        assert_eq!(to_hex(&hasch::hash(item).unwrap()), *hash, "{edn}");
        assert_eq!(hasch::name(item).unwrap().to_string(), *uuid, "{edn}");
    }
    println!("{} vectors", vectors.len());
}

#[test]
fn every_file_that_clojure_wrote_is_named_after_its_key() {
    let Some(folder) = fixtures() else { return };
    let mut count = 0;
    for store in fs::read_dir(folder).unwrap().map(|store| store.unwrap().path()).filter(|store| store.is_dir()) {
        let manifest = fs::read(store.join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        for entry in manifest["entries"].as_array().unwrap() {
            let (Some(key), Some(file)) = (entry["key"].as_str(), entry["file"].as_str()) else { continue };
            if entry["kind"] == "log-element" {
                continue;
            }
            let (name, older) = hasch::names(&item(key, key.starts_with('('))).unwrap();
            assert_eq!(older.unwrap_or(name).file_name(), file, "{key} in {}", store.display());
            count += 1;
        }
    }
    println!("{count} files");
}

fn name(digits: &str) -> String {
    hasch::name(&hex(digits)).unwrap().to_string()
}

/// The names that Clojure konserve gave these keys.
#[test]
fn a_key_has_the_name_that_clojure_gives_it() {
    for (item, uuid, what) in [
        ("d827623a61", "21e84407-47ac-52c2-9567-b6118205c1b7", ":a"),
        ("d827683a666f6f2f626172", "3c9182c4-1e68-5a14-baa3-d4118026a99a", ":foo/bar"),
        ("d827666e732f73796d", "37565de9-2bfa-5f99-b755-e85f044b6cb4", "ns/sym"),
        ("6161", "0823365a-e751-57b2-abf0-967f8bdfece2", "\"a\""),
        ("64011d1e1f", "2635e197-842e-5b2d-8090-3fab3f444a0f", "control characters"),
        ("d81b826c636c6f6a7572652f6368617262cebb", "27863487-41c0-53e9-8719-c8eba6bb734f", "\\λ"),
        ("182a", "0fc20a9a-c153-592d-888a-707ff306fbb6", "42"),
        ("c2412a", "0fc20a9a-c153-592d-888a-707ff306fbb6", "42N"),
        ("3b7fffffffffffffff", "1f1cbc4f-7333-5fb2-b818-8dd3e994b8f8", "-9223372036854775808"),
        ("fb3ff8000000000000", "1ba1b963-f79d-5afe-9181-ce694aa3872d", "1.5"),
        ("f93e00", "1ba1b963-f79d-5afe-9181-ce694aa3872d", "(float 1.5)"),
        ("fb8000000000000000", "203a7231-2d5e-598d-bead-6bb35734113e", "-0.0"),
        ("fb416312d000000000", "1a2c0351-4844-5c2d-a65e-c5e6e4289b23", "1.0E7"),
        ("fa3dcccccd", "0dc7886c-2c72-540d-93b4-aaa1a5d10aa9", "(float 0.1)"),
        ("fb7ff8000000000000", "09c70875-3681-5975-8e8d-95e6e440985d", "##NaN"),
        ("c482211896", "1cf4af5e-4881-5e57-b401-b73f5a746d8a", "1.50M"),
        ("c482181e01", "19598e87-ec94-53c2-8038-01bc64508082", "1E+30M"),
        ("f4", "36006e3f-9e89-5059-9ceb-6bd5549f1b19", "false"),
        ("f6", "38244d02-8981-5693-af7b-456af8efa4ca", "nil"),
        (
            "d82550550e8400e29b41d4a716446655440000",
            "2cafdcf1-09ba-55c1-8f6d-f9c747098e19",
            "#uuid \"550e8400-e29b-41d4-a716-446655440000\"",
        ),
        (
            "c07818323032342d30322d32395431323a33343a35362e3738395a",
            "0cc6473a-0a16-5742-a053-f02532ee9c0f",
            "#inst \"2024-02-29T12:34:56.789Z\"",
        ),
        ("c13a12cff77f", "3f707dde-427c-595e-9616-b8cb699dcce5", "#inst \"1960-01-01T00:00:00Z\""),
        ("81f6", "117935a6-8abd-57b5-974f-4eff93989ada", "[nil]"),
        ("80", "117935a6-8abd-57b5-974f-4eff93989ada", "[]"),
        ("d81b826c636c6f6a7572652f6c69737480", "2faea777-203c-562f-a9e3-300ad1a36e87", "()"),
        ("d81b826c636c6f6a7572652f6c69737483010203", "3469ba6e-b775-534e-8639-fb84857286af", "(1 2 3)"),
        ("d81b82696a6176612f6c69737483010203", "3469ba6e-b775-534e-8639-fb84857286af", "(range 1 4)"),
        ("d9010283030201", "01f79275-5eae-546e-97d9-c74e79081428", "#{1 2 3}"),
        ("a0", "3e688838-ca86-56e5-8906-89bf2ab585ce", "{}"),
        ("43010203", "1ef76d68-d43a-545c-9811-f0a49ffaaa01", "bytes"),
        (
            "d81b826b6b6c69622e506572736f6ea2d827643a616765181ed827653a6e616d6563416e6e",
            "3f89ea6e-d05b-55cc-b044-b44510d666c1",
            "#klib.Person{:name \"Ann\", :age 30}",
        ),
        (
            "d81b826b6b6c69622f506572736f6ea2d827643a616765181ed827653a6e616d6563416e6e",
            "3f89ea6e-d05b-55cc-b044-b44510d666c1",
            "the same with the name of its namespace",
        ),
    ] {
        assert_eq!(name(item), uuid, "{what}");
    }
}

fn named(text: &str) -> String {
    hasch::name(&edn::read(text).unwrap().to_cbor().unwrap()).unwrap().to_string()
}

#[test]
fn what_clojure_takes_for_the_same_has_one_name() {
    for (a, b) in [
        ("{:a 1 :b 2}", "{:b 2 :a 1}"),
        ("{:a 1 :b 2}", "#clojure/sorted-map {:b 2 :a 1}"),
        ("#{1 2}", "#clojure/sorted-set [2 1]"),
        ("[1 #{}]", "#clojure/with-meta [{:line 1} [1 #{}]]"),
        ("#my-ns.core/my-Rec {:a 1}", "#my_ns.core.my-Rec {:a 1}"),
    ] {
        assert_eq!(named(a), named(b), "{a} {b}");
    }
    for (a, b) in [("1", "1.0"), ("1.5M", "1.50M"), ("[1 2]", "[2 1]"), ("#my-ns/tag [1]", "#my_ns.tag [1]")] {
        assert_ne!(named(a), named(b), "{a} {b}");
    }
}

#[test]
fn dates_count_milliseconds() {
    // One moment: with an offset, with zeros behind the milliseconds, as seconds.
    for item in ["c0781b313937302d30312d30315430313a30303a30312e352b30313a3030", "c1fb3ff8000000000000"] {
        assert_eq!(hasch::coerce(&hex(item)).unwrap(), b"\x061500", "{item}");
    }
    let zeros = [&[0xc0, 0x78, 27], b"1970-01-01T00:00:01.500000Z".as_slice()].concat();
    assert_eq!(hasch::coerce(&zeros).unwrap(), b"\x061500");
    assert_eq!(hasch::coerce(&hex("c11b0000003afff44180")).unwrap(), b"\x06253402300800000");
}

#[test]
fn what_hasch_has_no_hash_for_is_refused_by_name() {
    for (text, what) in [
        ("1/3", "a ratio"),
        ("[1 [1/3]]", "a ratio"),
        ("{:a #regex \"a+\"}", "a regular expression"),
        ("#uri \"https://example.org\"", "a URI"),
        ("#clojure/queue [1]", "clojure/queue"),
        ("#java/period \"P1D\"", "java/period"),
        ("#js/map {1 2}", "a Map"),
        ("#js/undefined nil", "undefined"),
        ("#cbor/tag [1002 {1 1}]", "a duration"),
        ("#cbor/tag [1004 \"2024-01-01\"]", "a date without a time"),
        ("#cbor/tag [77 #bytes \"0100\"]", "an array of numbers"),
        ("#cbor/tag [1234 1]", "CBOR tag 1234"),
        ("1E+3000000000M", "an exponent"),
    ] {
        let error = hasch::name(&edn::read(text).unwrap().to_cbor().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidKey, "{text}");
        assert!(error.message().contains(what), "{text}: {error}");
    }
    let finer = [&[0xc0, 0x78, 27], b"1970-01-01T00:00:01.500001Z".as_slice()].concat();
    assert!(hasch::name(&finer).unwrap_err().message().contains("finer than a millisecond"));
}

#[test]
fn what_is_no_value_is_refused() {
    let deep = [vec![0x81; 513], vec![0xf6]].concat();
    for item in
        ["", "0000", "82", "d82501", "c0616e", "d81b81", "d81b826c636c6f6a7572652f6c697374a0", "c1fb7ff0000000000000"]
            .map(hex)
            .iter()
            .chain([&deep])
    {
        assert_eq!(hasch::name(item).unwrap_err().kind(), ErrorKind::InvalidKey, "{}", to_hex(item));
    }
    assert!(hasch::name(&deep[1..]).is_ok());
}

#[test]
fn a_key_that_older_java_printed_otherwise_is_looked_for_under_both_names() {
    let names = |text: &str| hasch::names(&edn::read(text).unwrap().to_cbor().unwrap()).unwrap();
    let (name, older) = names("1.0E23");
    // As Java 17 named it.
    assert_eq!(older.unwrap().to_string(), "141dd828-bf59-51b0-9d09-c1f7be043c6a");
    assert_eq!(name.to_string(), named("1.0E23"));
    assert!(names("{:a [1.5 1.0E23]}").1.is_some());
    for text in ["1.5", "{:a [1.5 1.0E22]}", "[1 :a]"] {
        assert_eq!(names(text).1, None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_hashed_or_refused(item: Vec<u8>) {
        if let Err(error) = hasch::names(&item) {
            prop_assert_eq!(error.kind(), ErrorKind::InvalidKey);
        }
    }

    #[test]
    fn the_order_of_entries_does_not_count(map in prop::collection::btree_map(any::<i64>(), any::<String>(), 0..20)) {
        let entries: Vec<_> = map.into_iter().map(|(key, value)| (Value::from(key), Value::from(value))).collect();
        let turned = entries.iter().rev().cloned().collect();
        let name = |entries| hasch::name(&Value::Map(entries).to_cbor().unwrap()).unwrap();
        prop_assert_eq!(name(turned), name(entries));
    }
}
