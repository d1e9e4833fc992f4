//! Names of keys in stores shared with Clojure.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{collections::BTreeMap, fs, path::Path};

use konserve::{Value, edn, testing::hasch};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What Clojure itself made of a value that is given as CBOR.
struct Vector {
    edn: String,
    item: Vec<u8>,
    coercion: String,
    hash: String,
    uuid: String,
}

/// All vectors, from the EDN text in which they are kept.
fn vectors() -> Option<Vec<Vector>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/konserve/hasch-vectors.json");
    let Ok(json) = fs::read(&file) else {
        println!("skipped: {} is not there", file.display());
        return None;
    };
    let vectors: Vec<BTreeMap<String, String>> = serde_json::from_slice(&json).unwrap();
    let vector = |fields: &BTreeMap<String, String>| Vector {
        edn: fields["edn"].clone(),
        item: match fields["edn"].strip_prefix(':') {
            // One has a space in it.
            Some(keyword) => Value::Keyword(keyword.into()).to_cbor().unwrap().into(),
            None => item(&edn::read(&fields["edn"]).unwrap(), &fields["class"]),
        },
        coercion: fields["coerceHex"].clone(),
        hash: fields["ednHashHex"].clone(),
        uuid: fields["uuid"].clone(),
    };
    Some(vectors.iter().map(vector).collect())
}

#[allow(clippy::cast_possible_truncation, reason = "it is a float of 4 bytes")]
fn item(value: &Value, class: &str) -> Vec<u8> {
    match value {
        Value::Array(items) if class.contains("List") || class.contains("LazySeq") => {
            Value::record("clojure/list", items.clone()).to_cbor().unwrap().into()
        }
        _ => match value.as_record() {
            Some(("konserve/float", Value::Float(n))) => [&[0xfa], (*n as f32).to_be_bytes().as_slice()].concat(),
            _ => plain(value).to_cbor().unwrap().into(),
        },
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
fn scratch_java() {
    use std::io::BufRead;
    let (mut n, mut bad, mut differs) = ([0u64; 2], [0u64; 2], [0u64; 2]);
    let mut shown = 0;
    for line in std::io::BufReader::new(fs::File::open(std::env::var("JAVA_OUT").unwrap()).unwrap()).lines() {
        let line = line.unwrap();
        let p: Vec<&str> = line.split(' ').collect();
        let i = usize::from(p[0] == "f");
        let item = if i == 0 {
            [vec![0xfb], u64::from_str_radix(p[1], 16).unwrap().to_be_bytes().to_vec()].concat()
        } else {
            [vec![0xfa], u32::from_str_radix(p[1], 16).unwrap().to_be_bytes().to_vec()].concat()
        };
        let older = String::from_utf8(hasch::older(&item).unwrap()[1..].to_vec()).unwrap();
        let modern = String::from_utf8(hasch::coerce(&item).unwrap()[1..].to_vec()).unwrap();
        n[i] += 1;
        if let Ok(_) = std::env::var("MODERN") {
            println!("M {} {} {modern}", p[0], p[1]);
        }
        differs[i] += u64::from(older != modern);
        if older != p[2] {
            bad[i] += 1;
            if shown < 40 {
                shown += 1;
                println!("{line} ours {older} modern {modern}");
            }
        }
    }
    println!("n {n:?} wrong {bad:?} older and modern differ {differs:?}");
}

#[test]
fn scratch_speed() {
    let keys: Vec<Vec<u8>> = (0..100_000u32)
        .map(|i| match i % 4 {
            0 => Value::Keyword(format!("user/name{i}")).to_cbor().unwrap().to_vec(),
            1 => Value::Text(format!("some key {i}")).to_cbor().unwrap().to_vec(),
            2 => Value::Uuid([i as u8; 16]).to_cbor().unwrap().to_vec(),
            _ => Value::Int(i128::from(i)).to_cbor().unwrap().to_vec(),
        })
        .collect();
    let vecs: Vec<Vec<u8>> = (0..100_000u32)
        .map(|i| {
            Value::Array(vec![Value::Keyword("user".into()), Value::Int(i128::from(i))]).to_cbor().unwrap().to_vec()
        })
        .collect();
    let maps: Vec<Vec<u8>> = (0..100_000u32)
        .map(|i| {
            Value::Map(vec![
                (Value::Keyword("user".into()), Value::Int(i128::from(i))),
                (Value::Keyword("b".into()), Value::Text("x".into())),
            ])
            .to_cbor()
            .unwrap()
            .to_vec()
        })
        .collect();
    let floats: Vec<Vec<u8>> =
        (0..100_000u32).map(|i| Value::Float(f64::from(i) * 0.37).to_cbor().unwrap().to_vec()).collect();
    for (what, keys) in [("scalars", keys), ("[:user n]", vecs), ("map of two", maps), ("doubles", floats)] {
        let t = std::time::Instant::now();
        let mut x = 0u8;
        for k in &keys {
            x ^= hasch::name(k).unwrap().as_bytes()[3];
        }
        let a = t.elapsed();
        let t = std::time::Instant::now();
        for k in &keys {
            x ^= hasch::names(k).unwrap().0.as_bytes()[3];
        }
        println!(
            "{what}: name {:.0}/s, names {:.0}/s {x}",
            keys.len() as f64 / a.as_secs_f64(),
            keys.len() as f64 / t.elapsed().as_secs_f64()
        );
    }
}
