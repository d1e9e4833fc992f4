//! Stores that Clojure's konserve wrote are opened, listed and read, and written to.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "in a test, that is a failure")]

use std::{collections::BTreeSet, fs, path::Path};

use konserve::{
    Compressor, Config, Encryptor, ErrorKind, FromCbor, Key, Kind, LayoutName, Meta, Query, Result, Sweep, ToCbor,
    Value, WriteOptions,
    blocking::{self, Store},
    testing::hasch,
};
use manifest::{Entry, Serializer, as_printed};

mod manifest;

/// An item as it is.
#[derive(Debug, PartialEq)]
struct Cbor(Vec<u8>);

impl ToCbor for Cbor {
    fn to_cbor(&self) -> Result<Vec<u8>> {
        Ok(self.0.clone())
    }
}

impl FromCbor for Cbor {
    fn from_cbor(item: &[u8]) -> Result<Self> {
        Ok(Self(item.to_vec()))
    }
}

/// Every store that konserve wrote, with its name.
fn stores() -> impl Iterator<Item = (String, manifest::Store)> {
    manifest::names().into_iter().filter_map(|name| Some((name.clone(), manifest::store(&name)?)))
}

/// A copy of such a store.
fn copied(store: &manifest::Store) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(&store.folder).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}

/// How a store in this folder is opened that has the key of this one.
fn config(folder: &Path, store: &manifest::Store) -> Config {
    let config = Config::file(folder);
    match &store.encrypted_with {
        Some(key) => config.encryptor(Encryptor::aes(key).unwrap()),
        None => config,
    }
}

fn key(entry: &Entry) -> Cbor {
    Cbor(entry.key.clone().unwrap())
}

/// The entries that have keys.
fn keyed(store: &manifest::Store) -> impl Iterator<Item = &Entry> {
    store.entries.iter().filter(|entry| entry.key.is_some())
}

/// What a manifest says, of a value that was read.
fn printed(value: Value, store: &manifest::Store) -> Value {
    match store.serializer {
        Serializer::Boring => as_printed(value),
        Serializer::Fressian => value,
    }
}

/// The elements of a log, from the first to the last that its head names.
fn elements(store: &manifest::Store, head: &Entry) -> Vec<Value> {
    let ids = &head.value.as_array().unwrap()[1..];
    let (mut id, mut elements) = (ids[1].clone(), Vec::new());
    loop {
        let file = hasch::name(&id.to_cbor().unwrap()).unwrap().file_name();
        let element = store.entries.iter().find(|entry| entry.file == file).unwrap();
        let part = |name: &str| {
            let parts = element.value.as_map().unwrap().iter();
            parts.clone().find(|(key, _)| *key == Value::Keyword(name.into())).map(|(_, part)| part.clone()).unwrap()
        };
        elements.push(part("elem"));
        if id == ids[0] {
            return elements;
        }
        id = part("next");
    }
}

/// What a store has at the key of this entry, as its manifest prints it.
fn content(opened: &Store, store: &manifest::Store, entry: &Entry) -> Result<Option<Value>> {
    match entry.kind.as_str() {
        "edn" => Ok(opened.get::<Value>(key(entry))?.map(|value| printed(value, store))),
        "binary" => Ok(opened.bget(key(entry))?.map(|bytes| Value::Bytes(bytes.to_vec()))),
        _ => Ok(Some(Value::Array(opened.log(key(entry))?))),
    }
}

/// The metadata as a manifest has it; the keys of user's entries are names here.
fn expected(entry: &Entry) -> (Value, Kind, u64, Vec<(String, Value)>) {
    let (mut of, mut last_write, mut user) = (None, 0, Vec::new());
    for (name, value) in entry.meta.as_map().unwrap() {
        match (name, value) {
            (Value::Keyword(name), _) if name == "key" => of = Some(value.clone()),
            (Value::Keyword(name), _) if name == "type" => {}
            (Value::Keyword(name), Value::Date(ms)) if name == "last-write" => last_write = *ms,
            (Value::Keyword(name), _) => user.push((name.clone(), value.clone())),
            _ => panic!("{}: {name}", entry.name),
        }
    }
    user.sort();
    let kind = match entry.kind.as_str() {
        "edn" => Kind::Value,
        "binary" => Kind::Binary,
        _ => Kind::Log,
    };
    (canonical(of.unwrap()), kind, u64::try_from(last_write).unwrap(), user)
}

/// What a key is compared by.
fn canonical(key: Value) -> Value {
    as_printed(Key::new(as_printed(key)).unwrap().read().unwrap())
}

fn told(meta: &Meta) -> (Value, Kind, u64, Vec<(String, Value)>) {
    let user = if meta.user.is_empty() { Value::Map(Vec::new()) } else { Value::from_cbor(&meta.user).unwrap() };
    let named = |(name, value): &(Value, Value)| (name.as_str().unwrap().to_owned(), value.clone());
    let mut user: Vec<_> = user.as_map().unwrap().iter().map(named).collect();
    user.sort();
    (canonical(meta.key.read().unwrap()), meta.kind, meta.last_write, user)
}

#[test]
fn every_entry_has_the_key_value_kind_and_metadata_that_konserve_reads() {
    for (name, store) in stores() {
        let folder = copied(&store);
        let opened = blocking::open_store(config(folder.path(), &store)).unwrap();
        let mut wrong = Vec::new();
        for entry in keyed(&store) {
            let wanted =
                if entry.kind == "log-head" { Value::Array(elements(&store, entry)) } else { entry.value.clone() };
            let got = content(&opened, &store, entry);
            if got.as_ref().ok() != Some(&Some(wanted.clone())) {
                wrong.push(format!("{}: {got:?} is not {wanted}", entry.name));
            }
            let meta = opened.get_meta(key(entry)).unwrap().as_ref().map(told);
            if meta != Some(expected(entry)) {
                wrong.push(format!("{}: {meta:?} is not {:?}", entry.name, expected(entry)));
            }
        }
        assert!(wrong.is_empty(), "{name}: {} are wrong\n{}", wrong.len(), wrong.join("\n"));
        let (metas, errors): (Vec<_>, Vec<_>) = opened.list_keys(Query::default()).unwrap().partition(Result::is_ok);
        let listed: Vec<_> = metas.into_iter().map(|meta| told(&meta.unwrap())).collect();
        assert_eq!(listed.len(), keyed(&store).count(), "{name}");
        assert!(keyed(&store).all(|entry| listed.contains(&expected(entry))), "{name}");
        assert_eq!(errors.is_empty(), store.unreadable.is_empty(), "{name}: {errors:?}");
        println!("{name}: {} keys, {} blobs", listed.len(), store.entries.len());
        opened.close().unwrap();
    }
}

/// The files that `verify` complains of, sorted.
fn damaged(opened: &Store) -> Vec<String> {
    let report = opened.verify(|_| {}).unwrap();
    assert!(report.corrupt.iter().all(|damaged| damaged.error.kind() == ErrorKind::Corrupt), "{:?}", report.corrupt);
    let files: BTreeSet<_> = report.corrupt.iter().map(|damaged| damaged.name.file_name()).collect();
    assert_eq!(files.len(), report.corrupt.len());
    files.into_iter().collect()
}

#[test]
fn what_konserve_left_unreadable_is_told_at_the_end_and_nothing_else_is() {
    for (name, store) in stores() {
        let folder = copied(&store);
        let opened = blocking::open_store(config(folder.path(), &store)).unwrap();
        assert_eq!(damaged(&opened), store.unreadable, "{name}");
        assert!(opened.verify(|_| {}).unwrap().orphans.is_empty(), "{name}");
        let listed: Vec<_> = opened.list_keys(Query::default()).unwrap().collect();
        if !store.unreadable.is_empty() {
            let error = listed.last().unwrap().as_ref().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            let message = error.message();
            assert!(store.unreadable.iter().any(|file| message.contains(&file[..36])), "{message}");
            assert!(message.contains(&format!("and {} more", store.unreadable.len() - 1)), "{message}");
        }
        opened.close().unwrap();
    }
}

#[test]
fn defects_of_every_sort_do_not_hide_the_rest() {
    let Some(store) = manifest::store("boring-none-none") else { return };
    let folder = copied(&store);
    let plain =
        store.entries.iter().find(|entry| entry.value == Value::from("world")).or(store.entries.first()).unwrap();
    let meta_end = 20 + plain.sections().0.len();
    let blobs: [(&str, Vec<u8>); 6] = [
        ("00000000-0000-5000-8000-000000000000.ksv", Vec::new()),
        ("00000000-0000-5000-8000-000000000001.ksv", plain.blob[..7].to_vec()),
        ("00000000-0000-5000-8000-000000000002.ksv", plain.blob[..25].to_vec()),
        ("00000000-0000-5000-8000-000000000003.ksv", plain.blob[..meta_end].to_vec()),
        ("00000000-0000-5000-8000-000000000004.ksv", vec![0xff; 300]),
        ("00000000-0000-5000-8000-000000000005.ksv", [&plain.blob[..20], &[0xc1; 300]].concat()),
    ];
    for (file, bytes) in &blobs {
        fs::write(folder.path().join(file), bytes).unwrap();
    }
    let opened = blocking::open_store(config(folder.path(), &store)).unwrap();
    assert_eq!(damaged(&opened), blobs.map(|(file, _)| file));
    let (entries, errors): (Vec<_>, Vec<_>) =
        opened.list_entries::<Value>(Query::default()).unwrap().partition(Result::is_ok);
    assert_eq!((entries.len(), errors.len()), (keyed(&store).count(), 1));
    assert_eq!(errors[0].as_ref().unwrap_err().kind(), ErrorKind::Corrupt);
    opened.close().unwrap();
}

#[test]
fn another_key_or_none_does_not_open_an_encrypted_store() {
    for (name, store) in stores().filter(|(_, store)| store.encrypted_with.is_some()) {
        let folder = copied(&store);
        let config = || Config::file(folder.path());
        for config in [config(), config().encryptor(Encryptor::aes("another").unwrap())] {
            let error = blocking::open_store(config).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WrongKey, "{name}: {error}");
        }
    }
}

/// What a store of konserve is written with.
fn written_as(folder: &Path, store: &manifest::Store) -> Config {
    let config = config(folder, store).layout(LayoutName::Konserve);
    let config = config.compressor(Compressor::from_id(store.entries[0].compressor()).unwrap());
    match store.serializer {
        Serializer::Boring => config.cbor(),
        Serializer::Fressian => config.fressian(),
    }
}

/// Whether a value section is what its serializer alone makes of a value: stringref, shapes and indexes may be there or not.
fn is_fixed(store: &manifest::Store, section: &[u8]) -> bool {
    let has = |mark: &[u8]| section.windows(mark.len()).any(|window| window == mark);
    let choices: [&[u8]; 3] = [&[0xd9, 1, 0], &[0xd9, 0x9a, 0xe1], b"boring/index"];
    store.serializer == Serializer::Fressian || !choices.into_iter().any(has)
}

#[test]
fn every_value_is_written_back_as_konserve_wrote_it() {
    for (name, store) in stores() {
        let (from, to) = (copied(&store), tempfile::tempdir().unwrap());
        let read = blocking::open_store(config(from.path(), &store)).unwrap();
        let written = blocking::open_store(written_as(to.path(), &store)).unwrap();
        let is_plain = store.encrypted_with.is_none() && store.entries[0].compressor() == 0;
        let mut same = 0;
        for entry in keyed(&store).filter(|entry| entry.kind != "log-head") {
            if entry.kind == "binary" {
                written.bassoc(key(entry), read.bget(key(entry)).unwrap().unwrap()).unwrap();
            } else {
                written.assoc(key(entry), read.get::<Cbor>(key(entry)).unwrap().unwrap()).unwrap();
            }
            if entry.kind == "binary" || is_plain && is_fixed(&store, entry.sections().1) {
                let blob = fs::read(to.path().join(current(entry))).unwrap();
                let meta_len = u32::from_be_bytes(blob[4..8].try_into().unwrap());
                assert_eq!(&blob[20 + usize::try_from(meta_len).unwrap()..], entry.sections().1, "{}", entry.name);
                same += 1;
            }
        }
        written.close().unwrap();
        let again = blocking::open_store(written_as(to.path(), &store)).unwrap();
        for entry in keyed(&store).filter(|entry| entry.kind == "edn") {
            let both = [&read, &again].map(|store| store.get::<Cbor>(key(entry)).unwrap());
            assert_eq!(both[0], both[1], "{}", entry.name);
        }
        println!("{name}: {same} of {} byte for byte", keyed(&store).count());
        assert!(!is_plain || 2 * same > keyed(&store).count());
        again.close().unwrap();
        read.close().unwrap();
    }
}

/// The file of an entry that is written today: older versions of Java printed a few numbers in another way.
fn current(entry: &Entry) -> String {
    hasch::name(entry.key.as_ref().unwrap()).unwrap().file_name()
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
        let Some(theirs) = manifest::store(name) else { return };
        let folder = copied(&theirs);
        let store = blocking::open_store(Config::file(folder.path())).unwrap();
        let head = theirs.entries.iter().find(|entry| entry.kind == "log-head").unwrap();
        let key = Value::from_cbor(head.key.as_ref().unwrap()).unwrap();
        let before: Vec<Value> = store.log(&key).unwrap();
        assert_eq!(before, elements(&theirs, head));
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

/// Java before 19 printed some doubles with other digits, and so gave their keys other names.
#[test]
fn a_key_is_found_under_the_name_that_an_older_java_gave_it() {
    let folder = tempfile::tempdir().unwrap();
    let open = || blocking::open_store(Config::file(folder.path()).layout(LayoutName::Konserve)).unwrap();
    let (value, log) = (Value::Float(1e23), Value::Array(vec![Value::Float(2e23)]));
    let store = open();
    store.assoc(&value, 1).unwrap();
    store.append(&log, "first").unwrap();
    store.close().unwrap();
    for key in [&value, &log] {
        let (name, older) = hasch::names(&key.to_cbor().unwrap()).unwrap();
        let older = older.unwrap();
        fs::rename(folder.path().join(name.file_name()), folder.path().join(older.file_name())).unwrap();
    }
    let store = open();
    let files = || fs::read_dir(folder.path()).unwrap().count();
    let before = files();
    assert_eq!(store.get::<i64>(&value).unwrap(), Some(1));
    store.update(&value, |n: Option<i64>| n.unwrap_or_default() + 1).unwrap();
    assert_eq!(store.get::<i64>(&value).unwrap(), Some(2));
    store.append(&log, "second").unwrap();
    assert_eq!(store.log::<String>(&log).unwrap(), ["first", "second"]);
    assert_eq!(files(), before + 1, "they stay where they lie");
    assert!(store.verify(|_| {}).unwrap().orphans.is_empty());
    assert!(store.dissoc(&value).unwrap() && store.dissoc(&log).unwrap());
    assert_eq!(files(), before - 3);
    store.close().unwrap();
}

/// konserve's CBOR has no lists: the key of such a log comes back as a vector, which has another name.
#[test]
fn a_log_under_a_list_is_a_log_and_a_sweep_leaves_it_alone() {
    let folder = tempfile::tempdir().unwrap();
    let open = || blocking::open_store(Config::file(folder.path()).layout(LayoutName::Konserve)).unwrap();
    let key: Value = konserve::edn::read("[:log (1 [2.5] (1e23))]").unwrap();
    let store = open();
    store.append(&key, "first").unwrap();
    store.append(&key, "second").unwrap();
    store.close().unwrap();
    let store = open();
    assert!(store.verify(|_| {}).unwrap().orphans.is_empty());
    assert_eq!(
        store.list_keys(Query::default()).unwrap().map(|meta| meta.unwrap().kind).collect::<Vec<_>>(),
        [Kind::Log]
    );
    assert_eq!(store.sweep(Sweep::before(0)).unwrap(), []);
    assert_eq!(store.log::<String>(&key).unwrap(), ["first", "second"]);
    store.close().unwrap();
}

#[test]
fn only_a_date_is_an_expiry() {
    let folder = tempfile::tempdir().unwrap();
    let open = || blocking::open_store(Config::file(folder.path()).layout(LayoutName::Konserve)).unwrap();
    let meta = Value::Map(vec![(":expires".into(), 3600.into())]).to_cbor().unwrap();
    let options = WriteOptions::default().meta_cbor(&meta).unwrap();
    let store = open();
    store.assoc_with(["theirs"], 1, options.clone()).unwrap();
    store.assoc_with(["both"], 1, options.expires(1)).unwrap();
    store.close().unwrap();
    let store = open();
    let theirs = store.get_meta("theirs").unwrap().unwrap();
    assert_eq!((theirs.expires, &*theirs.user), (None, &*meta));
    assert_eq!(store.get::<i64>("theirs").unwrap(), Some(1));
    assert_eq!(store.get::<i64>("both").unwrap(), None);
    store.close().unwrap();
}

#[test]
fn a_sweep_that_keeps_all_that_is_listed_deletes_nothing() {
    for (name, store) in stores() {
        let folder = copied(&store);
        let opened = blocking::open_store(config(folder.path(), &store)).unwrap();
        // Files that a failed write of konserve's left are told at the end.
        let listed = opened.list_keys(Query::default()).unwrap().filter_map(Result::ok);
        // As JavaScript gives them back: it tells neither lists nor whole doubles from what equals them.
        let keys: Vec<_> = listed.map(|meta| Key::from_cbor(meta.key.as_cbor()).unwrap()).collect();
        assert!(!keys.is_empty(), "{name}");
        assert_eq!(opened.sweep(Sweep::before(u64::MAX).keep(keys)).unwrap(), [], "{name}");
        opened.close().unwrap();
    }
}
