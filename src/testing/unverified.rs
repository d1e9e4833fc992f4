//! Nothing is decrypted before it is known to be what the store wrote: tested with a count of what is decrypted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test, that is a failure")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    backing::{Access, FilePlace, StdFs},
    blocking::{self, Store},
    encryptor::Encryptor,
    error::{ErrorKind, Result},
    keyring::{DECRYPTED, Secret},
    name::BlobName,
    store::{Config, Existing, Query, Span, WriteOptions},
    value::Value,
};

/// Longer than all metadata. What is longer than the limit is streamed.
const LEN: usize = 5000;
const LIMIT: u64 = 20_000;
const KEY: [u8; 32] = [7; 32];

fn open(folder: &Path) -> Result<Store> {
    let config = Config::at(FilePlace::new(Arc::new(StdFs), folder).sync_blob(false).access(Access::Exclusive));
    blocking::open_store(config.max_value_len(LIMIT).encryptor(Encryptor::aes_blake3(KEY)))
}

/// The lengths of what is decrypted meanwhile.
fn decrypted<T>(work: impl FnOnce() -> T) -> (T, Vec<usize>) {
    DECRYPTED.take();
    let done = work();
    (done, DECRYPTED.take())
}

type Read = fn(&Store) -> Result<()>;

/// All that reads the blob of the key.
const READS: [(&str, Read); 10] = [
    ("get", |store| store.get::<Value>("key").map(drop)),
    ("get_meta", |store| store.get_meta("key").map(drop)),
    ("bget", |store| store.bget("key").map(drop)),
    ("a part", |store| store.binary(&"key".into(), Span { start: 10, end: Some(300) }).map(drop)),
    ("read_binary", |store| store.read_binary(&"key".into()).map(drop)),
    ("update", |store| store.update("key", |_: Option<Value>| Value::Null).map(drop)),
    ("keys", |store| store.list_keys(Query::default())?.collect::<Result<Vec<_>>>().map(drop)),
    ("verify", |store| store.verify(|_| {})?.corrupt.pop().map_or(Ok(()), |damaged| Err(damaged.error))),
    ("copy_to", |store| store.copy_to(&blocking::open_store(Config::memory())?, Existing::Error, |_| {}).map(drop)),
    ("rekey", |store| blocking::wait(store.inner().rekey(&[Secret::from(KEY)], |_| Ok(()))).map(drop)),
];

fn blob(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.into_iter().find(|path| path.extension().is_some_and(|end| end == "ksv")).unwrap()
}

fn head_len(blob: &[u8]) -> usize {
    20 + usize::try_from(u32::from_be_bytes(blob[4..8].try_into().unwrap())).unwrap()
}

/// The blob with a check that is right, as somebody without the key can make it.
fn rechecked(file: &Path, mut blob: Vec<u8>) -> Vec<u8> {
    let name = BlobName::from_file_name(file.file_name().unwrap().to_str().unwrap()).unwrap();
    let mut hasher = blake3::Hasher::new();
    hasher.update(name.as_bytes()).update(&blob[..8]).update(&blob[20..head_len(&blob)]);
    blob[8..20].copy_from_slice(&hasher.finalize().as_bytes()[..12]);
    blob
}

/// Damaged heads: by accident, and by somebody who makes the check anew.
fn damaged_heads(file: &Path, blob: &[u8]) -> Vec<Vec<u8>> {
    let flipped = |at: usize| {
        let mut blob = blob.to_vec();
        blob[at] ^= 1;
        blob
    };
    let head = head_len(blob);
    let made_anew = (20..head).chain(1..4).map(|at| rechecked(file, flipped(at)));
    let cut = [0, 7, 19, 20, 60, head - 1].map(|len| blob[..len].to_vec());
    (0..head).map(flipped).chain(made_anew).chain(cut).collect()
}

/// Damaged values under a head that is as it was.
fn damaged_values(blob: &[u8]) -> Vec<Vec<u8>> {
    let (head, len) = (head_len(blob), blob.len());
    let flipped = |at: usize| {
        let mut blob = blob.to_vec();
        blob[at] ^= 1;
        blob
    };
    let swapped = [&blob[..head], &blob[head + 16..head + 32], &blob[head..head + 16], &blob[head + 32..]].concat();
    let changed = [head, head + 1, head + LEN / 2, len - 17, len - 16, len - 1].map(flipped);
    let cut = [head, head + 16, len - 16, len - 1].map(|len| blob[..len].to_vec());
    let longer = [1, 16].map(|more| [blob, &vec![16; more]].concat());
    changed.into_iter().chain(cut).chain(longer).chain([swapped]).collect()
}

fn only_verified_is_decrypted(store: &Store, file: &Path) -> usize {
    let whole = fs::read(file).unwrap();
    let mut failed = 0;
    let mut all_reads = |blobs: Vec<Vec<u8>>, what: &str, may: usize| {
        for (nth, blob) in blobs.into_iter().enumerate() {
            fs::write(file, blob).unwrap();
            for (read, work) in READS {
                let (done, decrypted) = decrypted(|| work(store));
                assert!(decrypted.iter().all(|len| *len < may), "{read}, {what} {nth}: {decrypted:?}");
                failed += usize::from(done.is_err());
            }
        }
    };
    all_reads(damaged_heads(file, &whole), "damaged head", 0);
    // Metadata is right, so it may be read.
    all_reads(damaged_values(&whole), "damaged value", LEN / 2);
    fs::write(file, whole).unwrap();
    failed
}

/// A store with one blob, which this writes.
fn store_with(write: impl FnOnce(&Store)) -> (tempfile::TempDir, Store, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    write(&store);
    let file = blob(folder.path());
    (folder, store, file)
}

#[test]
fn no_blob_is_decrypted_before_its_tag_and_no_value_before_its_digest() {
    let bytes: Vec<u8> = (0..LEN).map(|n| n.to_le_bytes()[0]).collect();
    let long = bytes.repeat(10);
    let stores = [
        ("value", store_with(|store| store.assoc("key", Value::Bytes(bytes.clone())).unwrap())),
        ("binary", store_with(|store| store.bassoc("key", bytes.clone()).unwrap())),
        (
            "stream",
            store_with(|store| {
                let mut writer = store.write_binary(&"key".into(), WriteOptions::default()).unwrap();
                std::io::Write::write_all(&mut writer, &long).unwrap();
                writer.finish().unwrap();
            }),
        ),
    ];
    for (kind, (_folder, store, file)) in &stores {
        let failed = only_verified_is_decrypted(store, file);
        println!("{kind}: {failed} reads failed");
        assert!(failed > 1000, "{kind}");
        // The count counts: what is whole is decrypted, metadata and all of the value.
        let (read, decrypted) = decrypted(|| READS[if *kind == "value" { 0 } else { 4 }].1(store));
        read.unwrap();
        assert!(!decrypted.is_empty(), "{kind}");
    }
    let (_, whole) = decrypted(|| stores[0].1.1.get::<Value>("key").unwrap());
    assert!(whole.len() == 2 && whole[1] > LEN, "{whole:?}");
}

#[test]
fn no_slot_is_decrypted_before_its_tag() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap().close().unwrap();
    let copies = ["konserve.store", "konserve.store-copy"].map(|name| folder.path().join(name));
    let record = fs::read(&copies[0]).unwrap();
    let slots = b"\x65slots\x81\x58\x8d";
    let slot = record.windows(slots.len()).position(|window| window == slots).unwrap() + slots.len();
    for at in slot..slot + 141 {
        let mut bytes = record[..record.len() - 32].to_vec();
        bytes[at] ^= 1;
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        copies.iter().for_each(|copy| fs::write(copy, &bytes).unwrap());
        let (opened, decrypted) = decrypted(|| open(folder.path()));
        assert_eq!((opened.unwrap_err().kind(), decrypted), (ErrorKind::WrongKey, vec![]), "byte {at}");
    }
    copies.iter().for_each(|copy| fs::write(copy, &record).unwrap());
    let (opened, decrypted) = decrypted(|| open(folder.path()));
    assert_eq!((opened.is_ok(), decrypted), (true, vec![80]));
}
