//! Blobs that Clojure's konserve wrote, one of each sort, are read as stores of their own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{collections::BTreeMap, fs};

use konserve::{Config, Encryptor, Kind, Query, Value, blocking, edn};

/// The files of a store with one key, and what is there, as EDN text.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    what: String,
    key: String,
    value: String,
    kind: String,
    encrypted_with: Option<String>,
    /// The entries of the user's metadata.
    user: Option<String>,
    /// The bytes of each file, hexadecimal.
    blobs: BTreeMap<String, String>,
}

fn unhex(digits: &str) -> Vec<u8> {
    digits.as_bytes().chunks(2).map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

#[test]
fn each_sort_of_blob_is_read_from_a_folder() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("vectors/clojure_blobs.json")).unwrap();
    assert!(vectors.len() >= 20);
    for vector in vectors {
        let what = &vector.what;
        let folder = tempfile::tempdir().unwrap();
        for (file, digits) in &vector.blobs {
            fs::write(folder.path().join(file), unhex(digits)).unwrap();
        }
        let mut config = Config::file(folder.path());
        if let Some(key) = vector.encrypted_with {
            config = config.encryptor(Encryptor::aes(edn::read(&key).unwrap()).unwrap());
        }
        let store = blocking::open_store(config).unwrap();
        let key = edn::read(&vector.key).unwrap();
        let value = match vector.kind.as_str() {
            "value" => store.get::<Value>(&key).unwrap().unwrap(),
            "binary" => Value::Bytes(store.bget(&key).unwrap().unwrap().to_vec()),
            _ => Value::Array(store.log(&key).unwrap()),
        };
        assert_eq!(value, edn::read(&vector.value).unwrap(), "{what}");
        let metas: Vec<_> = store.list_keys(Query::default()).unwrap().map(Result::unwrap).collect();
        let [meta] = &metas[..] else { panic!("{what}: {metas:?}") };
        assert_eq!(meta.key.read::<Value>().unwrap(), key, "{what}");
        let kind = match vector.kind.as_str() {
            "value" => Kind::Value,
            "binary" => Kind::Binary,
            _ => Kind::Log,
        };
        assert_eq!(meta.kind, kind, "{what}");
        assert!(meta.last_write > 1_700_000_000_000, "{what}");
        let user = (!meta.user.is_empty()).then(|| Value::from_cbor(&meta.user).unwrap());
        assert_eq!(user, vector.user.map(|user| edn::read(&user).unwrap()), "{what}");
        let report = store.verify(|_| {}).unwrap();
        assert!(report.corrupt.is_empty() && report.orphans.is_empty(), "{what}: {report:?}");
        assert_eq!(report.checked, vector.blobs.len() as u64, "{what}");
        store.close().unwrap();
    }
}
