//! Encrypted stores: what opens them, what lies on the disk, and how keys change.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test, that is a failure")]
#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    clippy::cast_possible_wrap,
    reason = "names and sizes of ours"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use konserve::{
    Config, Encryptor, Error, ErrorKind, Existing, Query, Result, Secret, Span, Tiers, Value, WriteOptions,
    WritePolicy,
    backing::{Access, FilePlace, StdFs},
    blocking::{self, Store},
    env::{Rng, System},
};

const KEY: [u8; 32] = [7; 32];
const OTHER: [u8; 32] = [8; 32];

fn at(folder: &Path) -> Config {
    let place = FilePlace::new(Arc::new(StdFs), folder).access(Access::Exclusive);
    Config::at(place)
}

fn with(folder: &Path, key: impl Into<Secret>) -> Config {
    at(folder).encryptor(Encryptor::aes_blake3(key))
}

fn open(folder: &Path, key: impl Into<Secret>) -> Result<Store> {
    blocking::open_store(with(folder, key))
}

fn code(opened: Result<Store>) -> &'static str {
    opened.map_or_else(|error| error.code(), |_| "opened")
}

/// The files of a folder that are blobs or records.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    files.filter(|path| !name(path).ends_with(".new")).map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

/// All kinds of what a store holds, each with words that must not be found on the disk.
fn fill(store: &Store) {
    store.assoc("needle-key", "needle-value").unwrap();
    let options =
        WriteOptions::default().meta(Value::Map(vec![("needle-meta".into(), "needle-of-user".into())])).unwrap();
    store.assoc_with(["other"], Value::from("needle-two"), options).unwrap();
    store.append("needle-log", "needle-element").unwrap();
    store.append("needle-log", "needle-second").unwrap();
    store.bassoc("needle-binary", b"needle-bytes".as_slice()).unwrap();
    let mut large = store.inner().clone();
    blocking::wait(write_large(&mut large));
}

async fn write_large(store: &mut konserve::Store) {
    let mut writer = store.write_binary(&"large".into(), WriteOptions::default()).await.unwrap();
    for piece in large().chunks(70_001) {
        writer.write(piece).await.unwrap();
    }
    writer.finish().await.unwrap();
}

fn large() -> Vec<u8> {
    b"needle-of-many-bytes".repeat(50_000)
}

fn holds_all(store: &Store) {
    assert_eq!(store.get::<String>("needle-key").unwrap().unwrap(), "needle-value");
    assert_eq!(store.get::<String>("other").unwrap().unwrap(), "needle-two");
    assert_eq!(store.log::<String>("needle-log").unwrap(), ["needle-element", "needle-second"]);
    assert_eq!(store.bget("needle-binary").unwrap().unwrap(), "needle-bytes");
    assert_eq!(store.bget("large").unwrap().unwrap(), large());
    assert_eq!(store.list_keys(Query::default()).unwrap().count(), 5);
    let report = store.verify(|_| {}).unwrap();
    assert_eq!((report.corrupt.len(), report.orphans.len()), (0, 0));
}

#[test]
fn a_store_opens_with_its_key_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), KEY).unwrap();
    fill(&store);
    holds_all(&store);
    store.close().unwrap();
    let before = files(folder.path());
    assert_eq!(code(open(folder.path(), OTHER)), "WRONG_KEY");
    assert_eq!(code(open(folder.path(), "a passphrase")), "WRONG_KEY");
    assert_eq!(code(blocking::open_store(at(folder.path()))), "WRONG_KEY");
    assert_eq!(files(folder.path()), before, "nothing was written");
    holds_all(&open(folder.path(), KEY).unwrap());
}

#[test]
fn a_key_for_a_plain_store_is_told_and_so_is_an_empty_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    blocking::open_store(at(folder.path())).unwrap().close().unwrap();
    assert_eq!(code(open(folder.path(), KEY)), "AUTHENTICATION");
    assert_eq!(code(open(&folder.path().join("new"), "")), "INVALID_CONFIG");
}

#[test]
fn nothing_that_is_stored_lies_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), "a passphrase").unwrap();
    fill(&store);
    store.close().unwrap();
    let (found, plain) = (files(folder.path()), tempfile::tempdir().unwrap());
    let in_the_clear = blocking::open_store(at(plain.path())).unwrap();
    fill(&in_the_clear);
    in_the_clear.close().unwrap();
    assert_eq!(found.len(), 2 + 7, "records; values, binaries, a log's head and elements");
    for (name, bytes) in &found {
        assert!(!bytes.windows(6).any(|window| window == b"needle"), "{name}");
    }
    let plain = files(plain.path());
    assert!(plain.keys().all(|name| name.starts_with("konserve") || !found.contains_key(name)), "names are keyed");
    assert_eq!(plain.values().filter(|bytes| bytes.windows(6).any(|window| window == b"needle")).count(), 7);
}

#[test]
fn a_passphrase_opens_and_what_it_is_written_with_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let (store, secret) = (open(folder.path(), "correct horse").unwrap(), Secret::from("correct horse"));
    let shown = format!("{store:?} {secret:?} {:?}", Encryptor::aes_blake3([0x5a; 32]));
    assert!(!shown.contains("horse") && !shown.contains("90, 90") && !shown.contains("5a5a"), "{shown}");
    store.close().unwrap();
    let wrong = open(folder.path(), "correct horsf").unwrap_err();
    assert!(!format!("{wrong:?} {wrong}").contains("hors"), "{wrong:?}");
    open(folder.path(), "correct horse").unwrap();
}

#[test]
fn one_damaged_copy_of_the_record_is_mended_and_two_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), KEY).unwrap().close().unwrap();
    let [first, second] = ["konserve.store", "konserve.store-copy"].map(|name| folder.path().join(name));
    let record = fs::read(&first).unwrap();
    assert_eq!(fs::read(&second).unwrap(), record);
    for damaged in [&first, &second] {
        for at in 0..record.len() {
            let mut bytes = record.clone();
            bytes[at] ^= 0x10;
            fs::write(damaged, bytes).unwrap();
            open(folder.path(), KEY).unwrap().close().unwrap();
            assert_eq!((fs::read(&first).unwrap(), fs::read(&second).unwrap()), (record.clone(), record.clone()));
        }
        fs::remove_file(damaged).unwrap();
        open(folder.path(), KEY).unwrap().close().unwrap();
        assert_eq!(fs::read(damaged).unwrap(), record);
    }
    fs::write(&first, &record[1..]).unwrap();
    fs::write(&second, b"").unwrap();
    assert_eq!(code(open(folder.path(), KEY)), "CORRUPT");
}

#[test]
fn a_plain_record_in_the_place_of_the_encrypted_one_is_not_believed() {
    let (folder, plain) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    open(folder.path(), KEY).unwrap().close().unwrap();
    blocking::open_store(at(plain.path())).unwrap().close().unwrap();
    let of = |name: &str| folder.path().join(name);
    fs::copy(plain.path().join("konserve.store"), of("konserve.store")).unwrap();
    open(folder.path(), KEY).unwrap().close().unwrap();
    for name in ["konserve.store", "konserve.store-copy"] {
        fs::copy(plain.path().join("konserve.store"), of(name)).unwrap();
    }
    assert_eq!(code(open(folder.path(), KEY)), "AUTHENTICATION");
}

#[test]
fn keys_are_added_changed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), KEY).unwrap();
    fill(&store);
    let keys = store.inner().clone();
    let [key, other, third] = [Secret::from(KEY), Secret::from(OTHER), Secret::from([9; 32])];
    blocking::wait(keys.add_key(&other)).unwrap();
    blocking::wait(keys.add_key(&other)).unwrap();
    blocking::wait(keys.change_key(&key, &third)).unwrap();
    let refused = |done: Result<()>| done.unwrap_err().code();
    assert_eq!(refused(blocking::wait(keys.change_key(&key, &third))), "WRONG_KEY");
    assert_eq!(refused(blocking::wait(keys.remove_key(&key))), "WRONG_KEY");
    store.close().unwrap();
    assert_eq!(code(open(folder.path(), KEY)), "WRONG_KEY");
    let store = open(folder.path(), OTHER).unwrap();
    holds_all(&store);
    blocking::wait(store.inner().remove_key(&third)).unwrap();
    assert_eq!(refused(blocking::wait(store.inner().remove_key(&other))), "INVALID_CONFIG");
    for n in 10..17 {
        blocking::wait(store.inner().add_key(&Secret::from([n; 32]))).unwrap();
    }
    assert_eq!(refused(blocking::wait(store.inner().add_key(&key))), "LIMIT_EXCEEDED");
    store.close().unwrap();
    assert_eq!(code(open(folder.path(), [9; 32])), "WRONG_KEY");
    holds_all(&open(folder.path(), [16; 32]).unwrap());
}

/// The ids of the data keys that blobs were written with.
fn kids(folder: &Path) -> BTreeMap<Vec<u8>, usize> {
    let mut kids = BTreeMap::new();
    for (name, bytes) in files(folder) {
        if name.ends_with(".ksv") {
            *kids.entry(bytes[20..28].to_vec()).or_default() += 1;
        }
    }
    kids
}

#[test]
fn rekey_leaves_nothing_under_the_old_key() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), KEY).unwrap();
    fill(&store);
    let (before, old) = (kids(folder.path()), files(folder.path()));
    let meta = store.get_meta("other").unwrap().unwrap();
    let written = blocking::wait(store.inner().rekey(&[Secret::from(OTHER)], |_| Ok(()))).unwrap();
    assert_eq!(written, 7);
    let after = kids(folder.path());
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before, after);
    let now = store.get_meta("other").unwrap().unwrap();
    assert_eq!((now.last_write, &now.user, now.size), (meta.last_write, &meta.user, meta.size));
    holds_all(&store);
    store.assoc("after", 1).unwrap();
    store.close().unwrap();
    assert_eq!(files(folder.path()).len(), old.len() + 1);
    assert_eq!(code(open(folder.path(), KEY)), "WRONG_KEY");
    let store = open(folder.path(), OTHER).unwrap();
    store.dissoc("after").unwrap();
    holds_all(&store);
    // What was there before is of a key that is no more.
    let (name, blob) = old.iter().find(|(name, _)| name.ends_with(".ksv")).unwrap();
    fs::write(folder.path().join(name), blob).unwrap();
    let report = store.verify(|_| {}).unwrap();
    assert_eq!(report.corrupt.iter().map(|damaged| damaged.error.code()).collect::<Vec<_>>(), ["WRONG_KEY"]);
}

#[test]
fn rekey_that_was_interrupted_loses_nothing_and_is_resumed() {
    for stop in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), KEY).unwrap();
        fill(&store);
        let keys = [Secret::from(OTHER), Secret::from(KEY)];
        let interrupted = blocking::wait(
            store
                .inner()
                .rekey(&keys, |seen| if seen > stop { Err(Error::new(ErrorKind::Io, "stopped")) } else { Ok(()) }),
        );
        holds_all(&store);
        store.close().unwrap();
        let store = open(folder.path(), KEY).unwrap();
        holds_all(&store);
        store.assoc("needle-key", "needle-value").unwrap();
        blocking::wait(store.inner().rekey(&keys[..1], |_| Ok(()))).unwrap();
        assert_eq!(kids(folder.path()).len(), 1, "{stop} {interrupted:?}");
        holds_all(&store);
        store.close().unwrap();
        assert_eq!(code(open(folder.path(), KEY)), "WRONG_KEY");
        holds_all(&open(folder.path(), OTHER).unwrap());
    }
}

#[test]
fn rekey_wants_keys_an_encrypted_store_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), KEY).unwrap();
    let rekey =
        |store: &Store, keys: &[Secret]| blocking::wait(store.inner().rekey(keys, |_| Ok(()))).unwrap_err().code();
    assert_eq!(rekey(&store, &[]), "INVALID_CONFIG");
    store.close().unwrap();
    let place = FilePlace::new(Arc::new(StdFs), folder.path()).access(Access::Shared);
    let shared = blocking::open_store(Config::at(place).encryptor(Encryptor::aes_blake3(KEY))).unwrap();
    assert_eq!(rekey(&shared, &[Secret::from(KEY)]), "STORE_LOCKED");
    assert_eq!(rekey(&blocking::open_store(Config::memory()).unwrap(), &[Secret::from(KEY)]), "UNSUPPORTED");
}

/// Who has the same open in this process, in another way, would go on to write under the key that is dropped.
#[test]
fn rekey_wants_no_second_handle_in_the_process() {
    let rekey = |store: &Store| blocking::wait(store.inner().rekey(&[Secret::from(OTHER)], |_| Ok(())));
    let named = || Config::memory_named("rekeyed").encryptor(Encryptor::aes_blake3(KEY));
    let (store, second) = (blocking::open_store(named()).unwrap(), blocking::open_store(named()).unwrap());
    store.assoc("first", 1).unwrap();
    for refused in [rekey(&store), rekey(&second)] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::StoreLocked);
    }
    second.assoc("second", 2).unwrap();
    second.close().unwrap();
    assert_eq!(rekey(&store).unwrap(), 2);
    assert_eq!(code(blocking::open_store(named())), "WRONG_KEY");
    blocking::delete_store(named()).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let back = open(folder.path(), KEY).unwrap();
    let tiers = || Tiers::new(Config::memory(), back.inner());
    let tiered = blocking::open_store(Config::tiered(tiers()).encryptor(Encryptor::aes_blake3(KEY))).unwrap();
    tiered.assoc("through", 3).unwrap();
    for refused in [rekey(&tiered), rekey(&back)] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::StoreLocked);
    }
    tiered.close().unwrap();
    assert_eq!(rekey(&back).unwrap(), 1);
    let tiered = blocking::open_store(Config::tiered(tiers()).encryptor(Encryptor::aes_blake3(OTHER))).unwrap();
    assert_eq!(tiered.get("through").unwrap(), Some(3));
}

/// A front that was kept while the back was put under another key by itself has what nobody can open.
#[test]
fn a_front_of_before_the_rekey_of_its_back_gives_nothing_old() {
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    let tiered = |key: [u8; 32]| {
        let config = Config::tiered(Tiers::new(at(&near), at(&far)));
        blocking::open_store(config.encryptor(Encryptor::aes_blake3(key)))
    };
    let store = tiered(KEY).unwrap();
    fill(&store);
    store.close().unwrap();
    let back = open(&far, KEY).unwrap();
    blocking::wait(back.inner().rekey(&[Secret::from(OTHER)], |_| Ok(()))).unwrap();
    back.close().unwrap();
    assert_eq!(code(tiered(KEY)), "WRONG_KEY");
    holds_all(&tiered(OTHER).unwrap());
}

#[test]
fn a_damaged_copy_of_the_record_in_either_tier_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    let tiered = || {
        let config = Config::tiered(Tiers::new(at(&near), at(&far)));
        blocking::open_store(config.encryptor(Encryptor::aes_blake3(KEY))).unwrap()
    };
    let store = tiered();
    fill(&store);
    store.close().unwrap();
    for damaged in [&near, &far].map(|tier| ["konserve.store", "konserve.store-copy"].map(|copy| tier.join(copy))) {
        for copy in damaged {
            let mut record = fs::read(&copy).unwrap();
            record[20] ^= 1;
            fs::write(&copy, &record).unwrap();
            let store = tiered();
            holds_all(&store);
            store.close().unwrap();
            record[20] ^= 1;
            assert_eq!(fs::read(&copy).unwrap(), record);
        }
    }
}

/// What is in the front alone is under the front's keys, whatever the back says.
#[test]
fn a_front_that_is_the_truth_keeps_the_keys_of_its_rekey() {
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    open(&far, KEY).unwrap().close().unwrap();
    let tiered = |key: [u8; 32]| {
        let tiers = Tiers::new(at(&near), at(&far)).write_policy(WritePolicy::FrontOnly);
        blocking::open_store(Config::tiered(tiers).encryptor(Encryptor::aes_blake3(key)))
    };
    let store = tiered(KEY).unwrap();
    fill(&store);
    blocking::wait(store.inner().rekey(&[Secret::from(OTHER)], |_| Ok(()))).unwrap();
    store.close().unwrap();
    assert_eq!(code(tiered(KEY)), "WRONG_KEY");
    holds_all(&tiered(OTHER).unwrap());
    assert!(!files(&far).keys().any(|name| name.ends_with(".ksv")));
}

#[test]
fn a_binary_is_read_in_any_part() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), KEY).unwrap();
    let piece = 256 * 1024;
    for len in [0, 1, 15, 16, 17, piece - 1, piece, piece + 1, piece + 16, piece + 17, 3 * piece, 3 * piece + 5] {
        let bytes: Vec<u8> = (0..len).map(|n| u8::try_from(n % 251).unwrap()).collect();
        store.bassoc("k", bytes.clone()).unwrap();
        assert_eq!(store.get_meta("k").unwrap().unwrap().size, Some(len as u64));
        let at = |place: usize| place.min(len);
        for (start, end) in
            [(0, len), (0, 0), (1, len), (len / 2, len / 2 + 3), (piece - 1, piece + 2), (piece, 2 * piece)]
        {
            let span = Span { start: start as i64, end: Some(end as i64) };
            let got = blocking::wait(store.inner().binary(&"k".into(), span)).unwrap().unwrap();
            assert_eq!(got, bytes[at(start)..at(end).max(at(start))], "{len} {start}..{end}");
        }
    }
}

#[test]
fn exports_and_copies_are_read_where_the_keys_are() {
    let [from, to, plain] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let store = open(from.path(), KEY).unwrap();
    fill(&store);
    let export = |store: &Store| {
        let (mut export, mut bytes) = (store.inner().export().unwrap(), Vec::new());
        while let Some(chunk) = blocking::wait(export.next_chunk()).unwrap() {
            bytes.extend_from_slice(&chunk);
        }
        bytes
    };
    let import = |store: &Store, bytes: &[u8]| {
        let mut import = store.inner().import(Existing::Error)?;
        blocking::wait(async {
            for chunk in bytes.chunks(100_000) {
                import.push(chunk).await?;
            }
            import.finish().await
        })
    };
    let exported = export(&store);
    assert!(!exported.windows(6).any(|window| window == b"needle"));
    for key in ["needle-key", "other", "needle-log", "needle-binary", "large"] {
        store.dissoc(key).unwrap();
    }
    assert_eq!(import(&store, &exported).unwrap().imported, 7);
    holds_all(&store);
    assert_eq!(import(&store, &exported).unwrap().skipped, 7, "the same again");

    let other = open(to.path(), OTHER).unwrap();
    assert_eq!(import(&other, &exported).unwrap_err().code(), "WRONG_KEY");
    blocking::wait(store.inner().copy_to(other.inner(), Existing::Error, |_| {})).unwrap();
    holds_all(&other);
    let again = blocking::wait(store.inner().copy_to(other.inner(), Existing::Keep, |_| {})).unwrap();
    assert_eq!((again.imported, again.skipped), (0, 7));

    let plain = blocking::open_store(at(plain.path())).unwrap();
    assert_eq!(import(&plain, &exported).unwrap_err().code(), "WRONG_KEY");
    blocking::wait(other.inner().copy_to(plain.inner(), Existing::Error, |_| {})).unwrap();
    holds_all(&plain);
    let memory = blocking::open_store(Config::memory().encryptor(Encryptor::aes_blake3(KEY))).unwrap();
    assert_eq!(import(&memory, &export(&plain)).unwrap().imported, 7, "encrypted on the way");
    holds_all(&memory);
}

/// Random bytes, until there are none.
#[derive(Clone, Default)]
struct Failing(Arc<AtomicBool>);
impl Rng for Failing {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        if self.0.load(Ordering::Relaxed) {
            Err(Error::new(ErrorKind::Backend, "no chance"))
        } else {
            System.fill(bytes)
        }
    }
}

#[test]
fn without_random_bytes_nothing_is_written() {
    let rng = Failing::default();
    let config = || Config::memory_named("without").encryptor(Encryptor::aes_blake3(KEY)).rng(rng.clone());
    rng.0.store(true, Ordering::Relaxed);
    assert_eq!(code(blocking::open_store(config())), "BACKEND");
    assert!(!blocking::store_exists(config()).unwrap());
    rng.0.store(false, Ordering::Relaxed);
    let store = blocking::open_store(config()).unwrap();
    store.assoc("k", 1).unwrap();
    rng.0.store(true, Ordering::Relaxed);
    assert_eq!(store.assoc("k", 2).unwrap_err().code(), "BACKEND");
    assert_eq!(store.bassoc("k", vec![1]).unwrap_err().code(), "BACKEND");
    assert_eq!(store.append("log", 1).unwrap_err().code(), "BACKEND");
    assert_eq!(store.get::<i64>("k").unwrap(), Some(1));
    assert_eq!(store.list_keys(Query::default()).unwrap().count(), 1);
}
