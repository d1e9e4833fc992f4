//! Copies between layouts: everything goes along, logs as the other layout keeps them.
#![allow(clippy::unwrap_used, reason = "in a test, that is a failure")]

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use konserve::{
    BlobName, Compressor, Config, Encryptor, ErrorKind, Existing, Imported, Key, LayoutName, Meta, Value, WriteOptions,
    backing::{FilePlace, StdFs},
    blocking::{Store, open_store},
    edn,
};
use tempfile::TempDir;

fn value(text: &str) -> Value {
    edn::read(text).unwrap()
}

fn unsynced(folder: &TempDir, name: &str) -> Config {
    Config::at(FilePlace::new(Arc::new(StdFs), folder.path().join(name)).sync_blob(false))
}

fn konserves(folder: &TempDir, name: &str) -> Store {
    open_store(unsynced(folder, name).layout(LayoutName::Konserve)).unwrap()
}

fn sealed(folder: &TempDir, name: &str) -> Store {
    open_store(unsynced(folder, name)).unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn done(imported: u64, skipped: u64) -> Imported {
    Imported { imported, skipped }
}

fn log(store: &Store, key: &str) -> Vec<i64> {
    store.log(key).unwrap()
}

/// All kinds of entries: values, a binary, logs, metadata and times.
fn fill(store: &Store) {
    store.assoc("text", "hello").unwrap();
    store.assoc(value("[:a {:b #{1 2}}]"), value("{:k [1 2/3 #inst \"2024\"]}")).unwrap();
    let options = WriteOptions::default().meta([("by", "Ada")].into_iter().collect::<Value>()).unwrap();
    store.assoc_with(("described",), 1, options.expires(4_102_444_800_000)).unwrap();
    store.assoc_with(("expired",), 1, WriteOptions::default().expires(1)).unwrap();
    store.bassoc("bytes", vec![1, 2, 255]).unwrap();
    store
        .append_with("log", 0, WriteOptions::default().meta([("of", "Ada")].into_iter().collect::<Value>()).unwrap())
        .unwrap();
    (1..300).for_each(|n| store.append("log", n).unwrap());
    store.append("short", 7).unwrap();
}

/// What is told of a key, but for what only one layout says.
fn meta(store: &Store, key: impl konserve::ToCbor) -> Meta {
    Meta { size: None, digest: None, ..store.get_meta(key).unwrap().unwrap() }
}

fn same(one: &Store, other: &Store) {
    for key in ["\"text\"", "[:a {:b #{1 2}}]", "\"described\""].map(value) {
        assert_eq!(one.get::<Value>(&key).unwrap(), other.get::<Value>(&key).unwrap());
        assert_eq!(meta(one, &key), meta(other, &key));
    }
    assert_eq!(one.bget("bytes").unwrap(), other.bget("bytes").unwrap());
    for key in ["bytes", "log", "short"] {
        assert_eq!(meta(one, key), meta(other, key));
    }
    assert!(log(other, "log").into_iter().eq(0..300));
    assert_eq!(log(other, "short"), [7]);
    assert!(!other.exists("expired").unwrap());
    assert_eq!(one.keys().unwrap().count(), other.keys().unwrap().count());
    assert!(other.verify(|_| {}).unwrap().corrupt.is_empty());
    assert!(other.verify(|_| {}).unwrap().orphans.is_empty());
}

#[test]
fn everything_goes_along_both_ways_and_a_copy_made_again_is_known() {
    let folder = folder();
    let (ours, theirs, again) = (sealed(&folder, "a"), konserves(&folder, "b"), sealed(&folder, "c"));
    fill(&ours);
    // Four values, two logs of 303 blobs, and what has expired.
    let mut told = Vec::new();
    assert_eq!(ours.copy_to(&theirs, Existing::Error, |count| told.push(count)).unwrap(), done(307, 1));
    assert!(told.is_sorted() && told.len() > 4, "also within a log: {told:?}");
    same(&ours, &theirs);
    assert_eq!(ours.copy_to(&theirs, Existing::Error, |_| {}).unwrap(), done(0, 7));
    assert_eq!(theirs.copy_to(&again, Existing::Error, |_| {}).unwrap(), done(307, 0));
    same(&theirs, &again);
    assert_eq!(theirs.copy_to(&again, Existing::Error, |_| {}).unwrap(), done(0, 6));
    theirs.append("log", 300).unwrap();
    again.append("log", 300).unwrap();
    assert!(log(&theirs, "log").into_iter().eq(0..301) && log(&again, "log").into_iter().eq(0..301));
}

#[test]
fn an_element_keeps_the_time_of_its_append() {
    let folder = folder();
    let (theirs, ours, again) = (konserves(&folder, "a"), sealed(&folder, "b"), konserves(&folder, "c"));
    for n in 0..5 {
        theirs.append("log", n).unwrap();
    }
    theirs.copy_to(&ours, Existing::Error, |_| {}).unwrap();
    ours.copy_to(&again, Existing::Error, |_| {}).unwrap();
    let times = |store: &Store| {
        let (mut dump, mut times) = (store.inner().dump().unwrap(), Vec::new());
        while let Some(page) = konserve::blocking::wait(dump.next_page()).unwrap() {
            times.extend(page.into_iter().map(|(_, dumped)| dumped.unwrap().meta.last_write));
        }
        times.sort_unstable();
        times
    };
    assert_eq!(times(&theirs), times(&ours));
    assert_eq!(times(&theirs), times(&again));
}

#[test]
fn a_log_that_exists_is_refused_kept_or_replaced_with_its_elements() {
    for reverse in [false, true] {
        let folder = folder();
        let (ours, theirs) = (sealed(&folder, "a"), konserves(&folder, "b"));
        let (from, to) = if reverse { (theirs, ours) } else { (ours, theirs) };
        (0..3).for_each(|n| from.append("log", n).unwrap());
        from.copy_to(&to, Existing::Error, |_| {}).unwrap();
        (3..200).for_each(|n| to.append("log", n).unwrap());
        assert_eq!(from.copy_to(&to, Existing::Error, |_| {}).unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(from.copy_to(&to, Existing::Keep, |_| {}).unwrap(), done(0, 1));
        assert_eq!(log(&to, "log").len(), 200);
        assert_eq!(from.copy_to(&to, Existing::Replace, |_| {}).unwrap(), done(4, 0));
        assert_eq!(log(&to, "log"), [0, 1, 2]);
        let report = to.verify(|_| {}).unwrap();
        assert_eq!((report.checked, report.orphans.len()), (4, 0), "the elements of the other log are gone");
        to.assoc("log", "a value").unwrap();
        assert_eq!(from.copy_to(&to, Existing::Error, |_| {}).unwrap_err().kind(), ErrorKind::Conflict);
        from.copy_to(&to, Existing::Replace, |_| {}).unwrap();
        assert_eq!(log(&to, "log"), [0, 1, 2]);
    }
}

#[test]
fn what_the_other_layout_refuses_is_told_when_the_rest_is_there() {
    let folder = folder();
    let (ours, theirs) = (sealed(&folder, "a"), konserves(&folder, "b"));
    (0..20).for_each(|n| ours.assoc(n, n).unwrap());
    ours.assoc(value("[1 2/3]"), "hasch has no number for a ratio").unwrap();
    let error = ours.copy_to(&theirs, Existing::Error, |_| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
    assert_eq!(
        error.key(),
        Some(Key::from_cbor(&konserve::ToCbor::to_cbor(&value("[1 2/3]")).unwrap()).unwrap().as_cbor())
    );
    assert!(error.message().contains("20 entries were put"), "{error}");
    assert_eq!(theirs.keys().unwrap().count(), 20);
    let error = ours.copy_to(&theirs, Existing::Error, |_| {}).unwrap_err();
    assert!(error.message().contains("0 entries were put and 20 passed over"), "{error}");
}

#[test]
fn a_log_that_cannot_be_copied_leaves_nothing() {
    let folder = folder();
    let ours = sealed(&folder, "a");
    (0..200).for_each(|n| ours.append("log", n).unwrap());
    ours.append("log", value("#cbor/tag [1004 \"2024-02-29\"]")).unwrap();
    ours.assoc("k", 1).unwrap();
    let path = folder.path().join("b");
    let theirs = open_store(Config::file(&path).layout(LayoutName::Konserve).fressian()).unwrap();
    let error = ours.copy_to(&theirs, Existing::Error, |_| {}).unwrap_err();
    assert_eq!((error.kind(), error.key()), (ErrorKind::InvalidValue, Some(Key::from("log").as_cbor())));
    assert_eq!(theirs.verify(|_| {}).unwrap().checked, 1, "only the value");
}

#[test]
fn keys_that_are_one_in_the_other_layout_are_told() {
    let folder = folder();
    let (theirs, ours) = (konserves(&folder, "a"), sealed(&folder, "b"));
    for key in ["1", "1.0", "2.0"].map(value) {
        theirs.assoc(&key, key.to_string()).unwrap();
    }
    for existing in [Existing::Error, Existing::Replace, Existing::Keep] {
        let error = theirs.copy_to(&ours, existing, |_| {}).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidKey, "{error}");
        assert_eq!(ours.keys().unwrap().count(), 2);
    }
    assert_eq!(ours.get::<String>(2).unwrap().as_deref(), Some("2.0"));
}

#[test]
fn stores_in_konserves_layout_are_copied_into_one_another() {
    let folder = folder();
    let key = || Encryptor::aes(value(":k")).unwrap();
    let config = |name: &str| Config::file(folder.path().join(name)).layout(LayoutName::Konserve);
    let from = konserves(&folder, "a");
    let to = open_store(config("b").fressian().compressor(Compressor::Lz4).encryptor(key())).unwrap();
    from.append("log", 1).unwrap();
    from.append("log", 2).unwrap();
    from.assoc("k", "v").unwrap();
    from.bassoc("b", vec![7; 100]).unwrap();
    assert_eq!(from.copy_to(&to, Existing::Error, |_| {}).unwrap(), done(5, 0));
    assert_eq!((log(&to, "log"), to.get::<String>("k").unwrap()), (vec![1, 2], Some("v".into())));
    assert_eq!(from.copy_to(&to, Existing::Error, |_| {}).unwrap(), done(0, 5), "though no byte is the same");
    from.assoc("k", "w").unwrap();
    assert_eq!(from.copy_to(&to, Existing::Error, |_| {}).unwrap_err().kind(), ErrorKind::Conflict);
    let files = |name: &str| {
        let files = fs::read_dir(folder.path().join(name)).unwrap().map(|file| file.unwrap().file_name());
        let mut names: Vec<_> = files.filter_map(|file| BlobName::from_file_name(file.to_str().unwrap())).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(files("a"), files("b"));
}

#[test]
fn binaries_that_are_streamed_go_along() {
    let folder = folder();
    let (ours, theirs, again) = (sealed(&folder, "a"), konserves(&folder, "b"), sealed(&folder, "c"));
    let large: Vec<u8> = (0..6_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    ours.bassoc("large", large.clone()).unwrap();
    ours.bassoc("empty", Vec::new()).unwrap();
    ours.copy_to(&theirs, Existing::Error, |_| {}).unwrap();
    theirs.copy_to(&again, Existing::Error, |_| {}).unwrap();
    for store in [&theirs, &again] {
        assert_eq!(store.bget("large").unwrap().unwrap(), large);
        assert_eq!(store.bget("empty").unwrap().unwrap(), Vec::new());
        assert!(store.verify(|_| {}).unwrap().corrupt.is_empty());
    }
    assert_eq!(again.get_meta("large").unwrap(), ours.get_meta("large").unwrap());
}

#[test]
fn what_cannot_be_read_is_left_out_and_told() {
    let folder = folder();
    let (theirs, ours) = (konserves(&folder, "a"), sealed(&folder, "b"));
    (0..20).for_each(|n| theirs.assoc(n, n).unwrap());
    fs::write(folder.path().join("a/00000000-0000-5000-8000-000000000000.ksv"), "").unwrap();
    fs::write(folder.path().join("a/30000000-0000-5000-8000-000000000000.ksv"), "\u{1}").unwrap();
    let error = theirs.copy_to(&ours, Existing::Error, |_| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    for words in ["with 2 entries", "00000000-0000", "30000000-0000", "20 entries were put"] {
        assert!(error.message().contains(words), "{error}");
    }
    assert_eq!(ours.keys().unwrap().count(), 20);
}

#[test]
fn hooks_are_told_of_logs_that_were_copied() {
    let folder = folder();
    let (ours, theirs) = (sealed(&folder, "a"), konserves(&folder, "b"));
    ours.append("log", 1).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = told.clone();
    theirs.add_write_hook("h", move |event| telling.lock().unwrap().extend(event.keys.clone())).unwrap();
    ours.copy_to(&theirs, Existing::Error, |_| {}).unwrap();
    assert_eq!(*told.lock().unwrap(), [Key::from("log")]);
}

fn exported(store: &Store) -> Vec<u8> {
    let mut export = Vec::new();
    store.export_to(&mut export, |_, _| {}).unwrap();
    export
}

#[test]
fn an_export_in_konserves_layout_is_imported_there_and_nowhere_else() {
    let folder = folder();
    let (theirs, again, ours) = (konserves(&folder, "a"), konserves(&folder, "b"), sealed(&folder, "c"));
    fill(&theirs);
    theirs.bassoc("large", vec![9; 5 << 20]).unwrap();
    let export = exported(&theirs);
    assert_eq!(export.get(..20).unwrap(), b"konserve-export1\0\0\0\0");
    let import = |store: &Store, export: &[u8]| store.import_from(&mut &export[..], Existing::Error, |_, _| {});
    assert_eq!(import(&again, &export).unwrap(), done(308, 0));
    same(&theirs, &again);
    assert_eq!(again.bget("large").unwrap().unwrap(), vec![9; 5 << 20]);
    assert_eq!(import(&again, &export).unwrap(), done(0, 308));
    assert_eq!(import(&ours, &export).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(import(&again, &exported(&ours)).unwrap_err().kind(), ErrorKind::Unsupported);
    let cut = import(&konserves(&folder, "d"), &export[..export.len() - 1]).unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::Corrupt);
}

#[test]
fn an_export_of_what_is_damaged_is_refused() {
    let folder = folder();
    let theirs = konserves(&folder, "a");
    theirs.assoc("k", "a text that is long enough to be cut").unwrap();
    let file = fs::read_dir(folder.path().join("a")).unwrap().map(|file| file.unwrap().path());
    let file = file.into_iter().find(|file| file.extension() == Some(Path::new("ksv").as_os_str())).unwrap();
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 5]).unwrap();
    let error = theirs.export_to(&mut Vec::new(), |_, _| {}).unwrap_err();
    assert_eq!((error.kind(), error.key()), (ErrorKind::Corrupt, Some(Key::from("k").as_cbor())));
}
