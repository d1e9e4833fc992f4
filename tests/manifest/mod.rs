//! Stores that Clojure's konserve wrote, with what konserve reads from them: the manifest of each, as [`Value`]s.
#![allow(dead_code, reason = "each test has what it needs of it")]

use std::{fs, path::PathBuf};

use konserve::{Value, cbor::tag, edn};

/// What konserve wrote values with: the two keep other things of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serializer {
    Boring,
    Fressian,
}

/// A blob, and what konserve says of it.
pub struct Entry {
    /// The store and the blob's file, for messages.
    pub name: String,
    pub file: String,
    /// `edn`, `binary`, `log-head` or `log-element`.
    pub kind: String,
    /// The key that it is found by, as CBOR; none for an element of a log.
    pub key: Option<Vec<u8>>,
    pub meta: Value,
    pub value: Value,
    /// As they stand in the manifest.
    pub meta_text: String,
    pub value_text: String,
    /// All bytes of the file.
    pub blob: Vec<u8>,
}

impl Entry {
    /// The compressor's id.
    pub fn compressor(&self) -> u8 {
        self.blob[2]
    }

    /// The meta section and the value section, as stored.
    pub fn sections(&self) -> (&[u8], &[u8]) {
        let meta_len = u32::from_be_bytes(self.blob[4..8].try_into().unwrap());
        self.blob[20..].split_at(meta_len.try_into().unwrap())
    }
}

/// What konserve says of a store.
pub struct Store {
    pub serializer: Serializer,
    /// The key it is encrypted with.
    pub encrypted_with: Option<Value>,
    /// The folder of its blobs.
    pub folder: PathBuf,
    /// All blobs that konserve reads.
    pub entries: Vec<Entry>,
    /// The files that konserve does not read, sorted.
    pub unreadable: Vec<String>,
}

/// The names of all stores; none, with a message, where the stores are not at hand.
pub fn names() -> Vec<String> {
    let Some(folder) = folder() else { return Vec::new() };
    let folders = fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|file| file.path().is_dir());
    folders.map(|folder| folder.file_name().into_string().unwrap()).collect()
}

fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/konserve");
    if !folder.is_dir() {
        println!("skipped: {} is not there; it holds what Clojure's konserve wrote", folder.display());
        return None;
    }
    Some(folder)
}

/// A store by its name; `None` where the stores are not at hand.
pub fn store(name: &str) -> Option<Store> {
    let folder = folder()?.join(name);
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let folder = folder.join("store");
    let serializer = match manifest["config"]["serializer"].as_str().unwrap() {
        "FressianSerializer" => Serializer::Fressian,
        _ => Serializer::Boring,
    };
    // The manifest cannot say bytes; the text beside the stores can.
    let encrypted_with = manifest["config"]["encryptor"]
        .as_str()
        .map(|encryptor| if encryptor.contains("s3cr3t") { "s3cr3t".into() } else { Value::Bytes((0..32).collect()) });
    let (read, unread): (Vec<_>, Vec<_>) =
        manifest["entries"].as_array().unwrap().iter().partition(|entry| !entry["kind"].is_null());
    let entries = read.into_iter().map(|entry| {
        let text = |field: &str| entry[field].as_str().unwrap().to_owned();
        let key = entry["key"].as_str().filter(|_| entry["kind"] != "log-element");
        Entry {
            name: format!("{name}/{}", text("file")),
            kind: text("kind"),
            key: key.map(self::key),
            meta: self::read(&text("meta"), serializer),
            value: self::read(&text("value"), serializer),
            meta_text: text("meta"),
            value_text: text("value"),
            blob: fs::read(folder.join(text("file"))).unwrap(),
            file: text("file"),
        }
    });
    let entries = entries.collect();
    let mut unreadable: Vec<_> = unread.iter().map(|entry| entry["file"].as_str().unwrap().to_owned()).collect();
    unreadable.sort();
    Some(Store { serializer, encrypted_with, folder, entries, unreadable })
}

/// A key as it was given to konserve: lists are lists, and floats have 4 bytes.
fn key(text: &str) -> Vec<u8> {
    match (text.strip_prefix("#konserve/float "), read(text, Serializer::Fressian)) {
        #[allow(clippy::cast_possible_truncation, reason = "it is a float, printed as a double")]
        (Some(_), Value::Float(n)) => [&[0xfa][..], &(n as f32).to_be_bytes()].concat(),
        (_, value) => value.to_cbor().unwrap(),
    }
}

/// The value that a store has for what a manifest says with its tags. Java's narrow numbers are those of Clojure; so is a
/// `float`, since values hold doubles alone.
pub fn read(text: &str, serializer: Serializer) -> Value {
    // The one key that no reader reads.
    let text = match text {
        ":with space" => r#"#cbor/tag [39 ":with space"]"#.to_owned(),
        text => text.replace(":key :with space", r#":key #cbor/tag [39 ":with space"]"#),
    };
    plain(edn::read(&text).unwrap_or_else(|error| panic!("{text}: {error}")), serializer)
}

fn plain(value: Value, of: Serializer) -> Value {
    let all = |items: Vec<Value>| items.into_iter().map(|item| plain(item, of)).collect::<Vec<_>>();
    match value {
        Value::Array(items) => Value::Array(all(items)),
        Value::Set(members) => Value::Set(all(members)),
        Value::Map(entries) => {
            Value::Map(entries.into_iter().map(|(key, value)| (plain(key, of), plain(value, of))).collect())
        }
        Value::Tagged(..) => match value.as_record() {
            Some(("clojure/list", items)) if of == Serializer::Boring => plain(items.clone(), of),
            Some((name, content)) => {
                let content = plain(content.clone(), of);
                match name.strip_prefix("konserve/") {
                    Some(name) => meant(name, content, of),
                    None => Value::record(name, content),
                }
            }
            None => value,
        },
        leaf => leaf,
    }
}

/// The value that a tag of manifests means.
fn meant(name: &str, content: Value, of: Serializer) -> Value {
    let text = || content.as_str().unwrap().to_owned();
    match name {
        "bytes" => Value::Bytes(unhex(&text())),
        "float" | "int8" | "int16" | "int32" => content,
        "instant" => edn::read(&format!("#inst {content}")).unwrap(),
        "uri" => Value::tagged(tag::URI, text()),
        "regex" => Value::tagged(tag::REGEXP, text()),
        "local-date" => Value::tagged(1004, text()),
        "duration" => Value::tagged(1002, duration(&text())),
        "queue" | "sorted-map" | "sorted-set" | "with-meta" => Value::record(format!("clojure/{name}"), content),
        "java-list" => Value::record("java/list", content),
        "record" => record(&content, of),
        "incognito" => match (content.at(0), content.at(1)) {
            (Some(Value::Symbol(name)), Some(content)) => Value::record(name.as_str(), content.clone()),
            _ => panic!("{content}"),
        },
        array => typed(array.strip_prefix("array-").unwrap(), content),
    }
}

/// The manifest has the name of the class, boring that of the namespace and the record.
fn record(content: &Value, of: Serializer) -> Value {
    let class = content.at(0).and_then(Value::as_str).unwrap();
    let (namespace, name) = class.rsplit_once('.').unwrap();
    let name = match of {
        Serializer::Boring => format!("{}/{name}", namespace.replace('_', "-")),
        Serializer::Fressian => class.to_owned(),
    };
    Value::record(name, content.at(1).cloned().unwrap())
}

/// Typed arrays are of the tags of RFC 8746, little-endian.
fn typed(kind: &str, content: Value) -> Value {
    let items = |size: usize, number: fn(&Value) -> u64| {
        let items = content.as_array().unwrap().iter();
        items.flat_map(|item| number(item).to_le_bytes()[..size].to_vec()).collect::<Vec<u8>>()
    };
    let int = |item: &Value| item.as_i64().unwrap().cast_unsigned();
    match kind {
        "short" => Value::tagged(77, items(2, int)),
        "int" => Value::tagged(78, items(4, int)),
        "long" => Value::tagged(79, items(8, int)),
        #[allow(clippy::cast_possible_truncation, reason = "they were floats")]
        "float" => Value::tagged(85, items(4, |item| (item.as_f64().unwrap() as f32).to_bits().into())),
        "double" => Value::tagged(86, items(8, |item| item.as_f64().unwrap().to_bits())),
        "boolean" | "char" | "String" | "Object" => {
            Value::record(format!("java/{}-array", kind.to_lowercase()), content)
        }
        kind => panic!("no such array: {kind}"),
    }
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

/// A value as a manifest prints it, without what that does not say: the lines of Clojure's reader in metadata, and the
/// class of incognito's literals.
pub fn as_printed(value: Value) -> Value {
    let all = |items: Vec<Value>| items.into_iter().map(as_printed).collect::<Vec<_>>();
    match value {
        Value::Array(items) => Value::Array(all(items)),
        Value::Set(members) => Value::Set(all(members)),
        Value::Map(entries) => {
            Value::Map(entries.into_iter().map(|(key, value)| (as_printed(key), as_printed(value))).collect())
        }
        Value::Tagged(tag, content) => match Value::Tagged(tag, content.clone()).as_record() {
            Some(("incognito.base/IncognitoTaggedLiteral", fields)) => as_printed(fields.clone()),
            Some(("clojure/with-meta", parts)) if parts.at(0).unwrap().to_string().contains(":line") => {
                as_printed(parts.at(1).unwrap().clone())
            }
            _ => Value::tagged(tag, as_printed(*content)),
        },
        leaf => leaf,
    }
}

/// Bytes from pairs of hexadecimal digits.
pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
