//! Stores that Clojure's konserve wrote are opened, listed and read, and written to.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::{fs, path::Path};

use konserve::{Config, Kind, LayoutName, Query, Value, blocking};

#[allow(dead_code, reason = "each test uses a part of it")]
mod manifest;

/// A copy of a store that konserve wrote; `None` where these are not at hand.
fn copied(store: &str) -> Option<tempfile::TempDir> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/konserve").join(store).join("store");
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(from).ok()? {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    Some(folder)
}

/// Opens a store and compares each key, value, kind and metadata with what konserve reads.
fn reads_all(store: &str) {
    let (Some(folder), Some(entries)) = (copied(store), manifest::store(store)) else { return };
    let opened = blocking::open_store(Config::file(folder.path())).unwrap();
    let mut wrong = Vec::new();
    for entry in &entries {
        if entry.kind == "log-element" {
            continue;
        }
        let key = manifest::read(entry.key.as_ref().unwrap());
        let got = match entry.kind.as_str() {
            "edn" => opened.get::<Value>(&key).map(Option::unwrap_or_default),
            "binary" => opened.bget(&key).map(|bytes| Value::from(bytes.unwrap_or_default().to_vec())),
            _ => continue,
        };
        match got {
            Ok(got) if got == entry.value => {}
            got => wrong.push(format!(
                "{} {:?}: {:?} is not {}",
                entry.file,
                entry.key,
                got.map(|v| v.to_string()),
                entry.value
            )),
        }
    }
    let metas: Vec<_> = opened.list_keys(Query::default()).unwrap().collect::<Result<_, _>>().unwrap();
    let keys = entries.iter().filter(|entry| entry.kind != "log-element").count();
    assert!(wrong.is_empty(), "{store}: {} of {} are wrong\n{}", wrong.len(), entries.len(), wrong.join("\n"));
    assert_eq!(metas.len(), keys);
    assert!(metas.iter().any(|meta| meta.kind == Kind::Value));
    opened.close().unwrap();
}

#[test]
fn stores_written_with_fressian_are_read() {
    reads_all("fressian-none-none");
    reads_all("fressian-lz4-none");
}

#[test]
fn stores_written_with_boring_are_read() {
    for store in
        ["boring-none-none", "boring-archival", "boring-keys", "inplace-boring", "boring-lz4-none", "boring-zstd-none"]
    {
        reads_all(store);
    }
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config::file(folder.path()).layout(LayoutName::Konserve);
    let store = blocking::open_store(config()).unwrap();
    let key = Value::Keyword("user/ada".into());
    store.assoc(&key, Value::from("Ada")).unwrap();
    store.assoc_in(("m", "a"), 1).unwrap();
    store.update_in(("m", "a"), |n: Option<i64>| n.unwrap_or_default() + 1).unwrap();
    store.bassoc("b", "bytes").unwrap();
    store.close().unwrap();
    let store = blocking::open_store(Config::file(folder.path())).unwrap();
    assert_eq!(store.get::<Value>(&key).unwrap(), Some(Value::from("Ada")));
    assert_eq!(store.get_in::<i64>(("m", "a")).unwrap(), Some(2));
    assert_eq!(store.bget("b").unwrap().unwrap(), b"bytes".as_slice());
    assert_eq!(store.list_keys(Query::default()).unwrap().count(), 3);
    let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.retain(|file| !file.to_string_lossy().ends_with(".ksv"));
    assert_eq!(files, ["konserve.lock.new"]);
    store.close().unwrap();
}

#[test]
fn logs_that_konserve_wrote_are_read_and_appended_to() {
    for name in ["fressian-none-none", "boring-none-none"] {
        let (Some(folder), Some(entries)) = (copied(name), manifest::store(name)) else { return };
        let store = blocking::open_store(Config::file(folder.path())).unwrap();
        let head = entries.iter().find(|entry| entry.kind == "log-head").unwrap();
        let key = manifest::read(head.key.as_ref().unwrap());
        let before: Vec<Value> = store.log(&key).unwrap();
        let elements = || entries.iter().filter(|entry| entry.kind == "log-element");
        let written: Vec<_> = elements().filter_map(|entry| entry.value.as_map()).flatten().collect();
        let is_written = |element: &Value| written.iter().any(|(_, value)| value == element);
        assert!(before.len() > 1 && before.iter().all(is_written), "{before:?}");
        store.append(&key, Value::from("ours")).unwrap();
        let after: Vec<Value> = store.log(&key).unwrap();
        assert_eq!(after.len(), before.len() + 1);
        assert_eq!(after.last(), Some(&Value::from("ours")));
        let files = || fs::read_dir(folder.path()).unwrap().count();
        let there = files();
        assert!(store.dissoc(&key).unwrap());
        assert_eq!(files(), there - after.len() - 1);
        store.close().unwrap();
    }
}
