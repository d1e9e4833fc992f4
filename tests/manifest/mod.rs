//! The manifests of stores that Clojure konserve wrote: what konserve reads from them, as [`Value`].

use std::{fs, path::PathBuf};

use konserve::{Value, edn};

/// One blob of a store.
pub struct Entry {
    /// Its file, a name for messages.
    pub file: String,
    /// `edn`, `binary`, `log-head` or `log-element`.
    pub kind: String,
    /// Its EDN text as the manifest has it; nothing for an element of a log.
    pub key: Option<String>,
    pub value: Value,
    pub meta: Value,
    /// All bytes of the file.
    pub blob: Vec<u8>,
}

impl Entry {
    /// The meta section and the value section, as stored.
    pub fn sections(&self) -> (&[u8], &[u8]) {
        let meta_len = u32::from_be_bytes(self.blob[4..8].try_into().unwrap());
        self.blob[20..].split_at(meta_len.try_into().unwrap())
    }
}

/// The blobs of one store, without those that hold nothing; `None` where the stores are not at hand.
pub fn store(name: &str) -> Option<Vec<Entry>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/konserve").join(name);
    let Ok(manifest) = fs::read(folder.join("manifest.json")) else {
        eprintln!("skipped: {} is not there; it holds what Clojure konserve wrote", folder.display());
        return None;
    };
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let entries = manifest["entries"].as_array().unwrap().iter();
    let entries = entries.filter(|entry| !entry["kind"].is_null()).map(|entry| {
        let text = |field: &str| entry[field].as_str().map(str::to_owned);
        let file = text("file").unwrap();
        Entry {
            kind: text("kind").unwrap(),
            key: text("key"),
            value: read(&text("value").unwrap()),
            meta: read(&text("meta").unwrap()),
            blob: fs::read(folder.join("store").join(&file)).unwrap(),
            file,
        }
    });
    Some(entries.collect())
}

/// EDN with the tags of manifests.
pub fn read(text: &str) -> Value {
    mapped(edn::read(&with_lists(text)).unwrap_or_else(|error| panic!("{text}: {error}")))
}

/// The text with lists under a name, as a reader of EDN may take them for vectors.
fn with_lists(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                out.push(c);
                out.extend(chars.next());
            }
            '"' => {
                quoted = !quoted;
                out.push(c);
            }
            '(' if !quoted => out.push_str("#clojure/list ["),
            ')' if !quoted => out.push(']'),
            c => out.push(c),
        }
    }
    out
}

fn mapped(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(all(items)),
        Value::Set(members) => Value::Set(all(members)),
        Value::Map(entries) => Value::Map(entries.into_iter().map(|(k, v)| (mapped(k), mapped(v))).collect()),
        value => match value.as_record() {
            Some((name, content)) => match name.strip_prefix("konserve/") {
                Some(name) => meant(name, content.clone()),
                None => Value::record(name, mapped(content.clone())),
            },
            None => value,
        },
    }
}

fn all(items: Vec<Value>) -> Vec<Value> {
    items.into_iter().map(mapped).collect()
}

/// The value that a tag of manifests means.
fn meant(name: &str, content: Value) -> Value {
    match (name, mapped(content)) {
        ("bytes", Value::Text(hex)) => Value::Bytes(unhex(&hex)),
        ("float", Value::Float(n)) => Value::Float(f64::from(float(n))),
        ("int8" | "int16" | "int32", n) => n,
        ("record" | "incognito", Value::Array(parts)) => match &parts[..] {
            [Value::Text(name) | Value::Symbol(name), content] => Value::record(name.as_str(), content.clone()),
            _ => panic!("{parts:?}"),
        },
        ("sorted-map" | "sorted-set" | "queue" | "with-meta", content) => {
            let content = if let Value::Set(members) = content { Value::Array(members) } else { content };
            Value::record(format!("clojure/{name}"), content)
        }
        ("java-list", content) => Value::record("java/list", content),
        ("instant", text) => Value::tagged(0, text),
        ("local-date", text) => Value::tagged(1004, text),
        ("duration", Value::Text(text)) => duration(&text),
        ("regex", text) => Value::tagged(35, text),
        ("uri", text) => Value::tagged(32, text),
        (name, Value::Array(items)) if name.starts_with("array-") => array(&name[6..], items),
        (name, content) => panic!("no such tag: {name} {content}"),
    }
}

/// Typed arrays are of the tags of RFC 8746, little-endian.
fn array(kind: &str, items: Vec<Value>) -> Value {
    let ints = || items.iter().map(|n| n.as_i64().unwrap());
    let floats = || items.iter().map(|n| n.as_f64().unwrap());
    let typed = |tag, bytes: Vec<Vec<u8>>| Value::tagged(tag, Value::Bytes(bytes.concat()));
    match kind {
        "short" => typed(77, ints().map(|n| i16::try_from(n).unwrap().to_le_bytes().into()).collect()),
        "int" => typed(78, ints().map(|n| i32::try_from(n).unwrap().to_le_bytes().into()).collect()),
        "long" => typed(79, ints().map(|n| n.to_le_bytes().into()).collect()),
        "float" => typed(85, floats().map(|n| float(n).to_le_bytes().into()).collect()),
        "double" => typed(86, floats().map(|n| n.to_le_bytes().into()).collect()),
        "boolean" => Value::record("java/boolean-array", items),
        "String" => Value::record("java/string-array", items),
        "Object" => Value::record("java/object-array", items),
        kind => panic!("no such array: {kind}"),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "it is a float, printed as a double")]
fn float(n: f64) -> f32 {
    n as f32
}

/// `PT1H2M3.5S` as seconds and nanoseconds.
fn duration(text: &str) -> Value {
    let mut rest = text.strip_prefix("PT").unwrap();
    let mut nanos = 0_i128;
    for (unit, seconds) in [('H', 3600), ('M', 60), ('S', 1)] {
        if let Some((number, after)) = rest.split_once(unit) {
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            nanos += whole.parse::<i128>().unwrap() * seconds * 1_000_000_000;
            nanos += format!("{fraction:0<9}").parse::<i128>().unwrap();
            rest = after;
        }
    }
    let part = |key, n: i128| (Value::Int(key), Value::Int(n));
    Value::tagged(1002, Value::Map(vec![part(1, nanos / 1_000_000_000), part(-9, nanos % 1_000_000_000)]))
}

/// Bytes from pairs of hexadecimal digits.
pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
