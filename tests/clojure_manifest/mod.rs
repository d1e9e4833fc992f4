//! Stores that Clojure's konserve wrote, with what konserve reads from them.

use std::{fs, path::PathBuf};

use konserve::{Value, cbor::tag, edn};

/// A blob, and what konserve says of it.
pub struct Entry {
    /// The store and the blob's file, for messages.
    pub name: String,
    /// `edn`, `binary`, `log-head` or `log-element`.
    pub kind: String,
    /// The compressor's id.
    pub compressor: u8,
    pub meta_section: Vec<u8>,
    pub value_section: Vec<u8>,
    pub meta: Value,
    pub value: Value,
    /// As they stand in the manifest.
    pub meta_text: String,
    pub value_text: String,
}

/// All entries of a store; none, with a message, where the stores are not at hand.
pub fn entries(store: &str) -> Vec<Entry> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/konserve").join(store);
    let Ok(manifest) = fs::read_to_string(folder.join("manifest.json")) else {
        eprintln!("skipped: {} is not here", folder.display());
        return Vec::new();
    };
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let entries = manifest["entries"].as_array().unwrap();
    entries.iter().map(|entry| self::entry(&folder, store, entry)).collect()
}

fn entry(folder: &std::path::Path, store: &str, entry: &serde_json::Value) -> Entry {
    let text = |name: &str| entry[name].as_str().unwrap();
    let blob = fs::read(folder.join("store").join(text("file"))).unwrap();
    let (head, sections) = blob.split_at(20);
    let meta_len = usize::try_from(u32::from_be_bytes(*head[4..].first_chunk().unwrap())).unwrap();
    let (meta_section, value_section) = sections.split_at(meta_len);
    Entry {
        name: format!("{store}/{}", text("file")),
        kind: text("kind").to_owned(),
        compressor: head[2],
        meta_section: meta_section.to_vec(),
        value_section: value_section.to_vec(),
        meta: value(text("meta")),
        value: value(text("value")),
        meta_text: text("meta").to_owned(),
        value_text: text("value").to_owned(),
    }
}

fn value(text: &str) -> Value {
    // The one key that no reader reads.
    let text = &text.replace(":key :with space", r#":key #cbor/tag [39 ":with space"]"#);
    plain(edn::read(text).unwrap_or_else(|error| panic!("{text}: {error}")))
}

/// The value that the inner form has for what a manifest says with its tags. Java's narrow numbers are those of Clojure;
/// so is a `float`, since values hold doubles alone.
fn plain(value: Value) -> Value {
    let all = |items: Vec<Value>| items.into_iter().map(plain).collect::<Vec<_>>();
    match value {
        Value::Array(items) => Value::Array(all(items)),
        Value::Set(members) => Value::Set(all(members)),
        Value::Map(entries) => Value::Map(entries.into_iter().map(|(key, value)| (plain(key), plain(value))).collect()),
        Value::Tagged(..) => match value.as_record() {
            Some(("clojure/list", items)) => plain(items.clone()),
            Some((name, content)) => host(name.strip_prefix("konserve/").unwrap_or(name), plain(content.clone())),
            None => value,
        },
        leaf => leaf,
    }
}

/// A value of a host type.
fn host(name: &str, content: Value) -> Value {
    let items = |size: usize, number: fn(&Value) -> u64| {
        let items = content.as_array().unwrap().iter();
        items.flat_map(|item| number(item).to_le_bytes()[..size].to_vec()).collect::<Vec<u8>>()
    };
    let text = || content.as_str().unwrap().to_owned();
    match name {
        "bytes" => {
            let hex = text();
            let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
            Value::Bytes(bytes.collect())
        }
        "float" | "int8" | "int16" | "int32" => content,
        "instant" => edn::read(&format!("#inst {content}")).unwrap(),
        "uri" => Value::tagged(tag::URI, text()),
        "regex" => Value::tagged(tag::REGEXP, text()),
        "local-date" => Value::tagged(1004, text()),
        "duration" => Value::tagged(1002, duration(&text())),
        "queue" | "sorted-map" | "sorted-set" | "with-meta" => Value::record(format!("clojure/{name}"), content),
        "record" => record(&content),
        // As boring writes this class, which has no handler of its own.
        "incognito" => {
            let fields = ["tag", "value"].map(|name| Value::Keyword(name.into()));
            let parts = content.as_array().unwrap().iter().cloned();
            let fields = Value::Map(fields.into_iter().zip(parts).collect());
            Value::record("incognito.base/IncognitoTaggedLiteral", fields)
        }
        "array-short" => Value::tagged(77, items(2, |item| item.as_i64().unwrap().cast_unsigned())),
        "array-int" => Value::tagged(78, items(4, |item| item.as_i64().unwrap().cast_unsigned())),
        "array-long" => Value::tagged(79, items(8, |item| item.as_i64().unwrap().cast_unsigned())),
        #[allow(clippy::cast_possible_truncation, reason = "they were floats")]
        "array-float" => Value::tagged(85, items(4, |item| (item.as_f64().unwrap() as f32).to_bits().into())),
        "array-double" => Value::tagged(86, items(8, |item| item.as_f64().unwrap().to_bits())),
        "array-boolean" => Value::record("java/boolean-array", content),
        "array-char" => Value::record("java/char-array", content),
        "array-String" => Value::record("java/string-array", content),
        "array-Object" => Value::record("java/object-array", content),
        _ => panic!("unknown in a manifest: {name}"),
    }
}

/// The manifest has the name of the class, boring that of the namespace and the record.
fn record(content: &Value) -> Value {
    let class = content.at(0).and_then(Value::as_str).unwrap();
    let (namespace, name) = class.rsplit_once('.').unwrap();
    Value::record(format!("{}/{name}", namespace.replace('_', "-")), content.at(1).cloned().unwrap())
}

/// Hours, minutes and seconds: `PT1H2M3.5S`.
fn duration(text: &str) -> Value {
    let (mut seconds, mut nanoseconds) = (0, 0);
    for part in text.strip_prefix("PT").unwrap().split_inclusive(char::is_alphabetic) {
        let (number, unit) = part.split_at(part.len() - 1);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let whole: i64 = whole.parse().unwrap();
        seconds += whole * [("H", 3600), ("M", 60), ("S", 1)].iter().find(|(of, _)| *of == unit).unwrap().1;
        nanoseconds += format!("{fraction:0<9}").parse::<i64>().unwrap();
    }
    let mut entries = vec![(Value::Int(1), seconds.into())];
    if nanoseconds != 0 {
        entries.push((Value::Int(-9), nanoseconds.into()));
    }
    Value::Map(entries)
}
