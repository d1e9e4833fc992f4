//! Every bit of what is stored counts: blobs whole, and the record of an encrypted store.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test, that is a failure")]

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use konserve::{
    BlobName, Compressor, Config, Encryptor, Error, ErrorKind, Result,
    backing::{Access, FilePlace, StdFs},
    blocking::{self, Store},
};
use tempfile::TempDir;

const KEY: [u8; 32] = [7; 32];
const RECORDS: [&str; 2] = ["konserve.store", "konserve.store-copy"];

/// In memory, where the system has such a place: these are many small files.
fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn config(folder: &Path) -> Config {
    Config::at(FilePlace::new(Arc::new(StdFs), folder).sync_blob(false).access(Access::Exclusive))
}

fn encrypted(config: Config) -> Config {
    config.encryptor(Encryptor::aes_blake3(KEY))
}

/// The file of the only blob.
fn blob(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.into_iter().find(|path| path.extension().is_some_and(|end| end == "ksv")).unwrap()
}

/// All ways to be damaged by accident: each bit, each length, and some more bytes.
fn damaged(bytes: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    let flip = |bit: usize| (format!("bit {bit}"), flipped(bytes, bit));
    let cut = |len: usize| (format!("cut to {len} of {}", bytes.len()), bytes[..len].to_vec());
    let longer = [vec![0], vec![16; 16], vec![0; 64], bytes.to_vec()].map(|more| {
        let what = format!("{} bytes more", more.len());
        (what, [bytes, &more].concat())
    });
    (0..8 * bytes.len()).map(flip).chain((0..bytes.len()).map(cut)).chain(longer)
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

/// One way to read what lies under the only key.
type Read = fn(&Store) -> Result<()>;

fn value(store: &Store) -> Result<()> {
    store.get::<Vec<String>>("key").map(drop)
}

fn binary(store: &Store) -> Result<()> {
    store.bget("key").map(drop)
}

fn piece(store: &Store) -> Result<()> {
    store.read_binary(&"key".into()).map(drop)
}

/// That every damage of the blob is an error, by all ways to read it; how many there were.
fn every_damage_is_told(folder: &Path, store: &Store, reads: &[Read], kind: ErrorKind, name: &str) -> usize {
    let file = blob(folder);
    let whole = fs::read(&file).unwrap();
    let mut count = 0;
    for (what, bytes) in damaged(&whole) {
        fs::write(&file, bytes).unwrap();
        for read in reads {
            assert_eq!(read(store).map_err(|error| error.kind()), Err(kind), "{name}, {what}");
        }
        count += 1;
    }
    fs::write(&file, &whole).unwrap();
    reads.iter().for_each(|read| read(store).unwrap());
    count
}

type Serialized = fn(Config) -> Config;

#[test]
fn every_damage_of_a_blob_is_an_error_whatever_it_was_written_with() {
    let mut count = 0;
    let serializers: [(&str, Serialized); 3] =
        [("cbor", Config::cbor), ("edn", Config::edn), ("fressian", Config::fressian)];
    for is_encrypted in [false, true] {
        let kind = if is_encrypted { ErrorKind::Authentication } else { ErrorKind::Corrupt };
        for (serializer, serialized) in serializers {
            for compressor in [Compressor::None, Compressor::Lz4, Compressor::Zstd] {
                let name = format!("{serializer}, {compressor:?}, encrypted: {is_encrypted}");
                let folder = scratch();
                let config = serialized(config(folder.path())).compressor(compressor);
                let config = if is_encrypted { encrypted(config) } else { config };
                let store = blocking::open_store(config).unwrap();
                store.assoc("key", vec!["again and again"; 12]).unwrap();
                let stored = fs::read(blob(folder.path())).unwrap();
                assert_eq!((stored[2], stored[3]), (compressor.id(), if is_encrypted { 128 } else { 0 }), "{name}");
                count += every_damage_is_told(folder.path(), &store, &[value], kind, &name);
                store.bassoc("key", b"again and again".repeat(6)).unwrap();
                count += every_damage_is_told(folder.path(), &store, &[binary, piece], kind, &name);
            }
        }
    }
    println!("{count} damaged blobs");
}

#[test]
fn every_damage_of_a_log_is_an_error() {
    for is_encrypted in [false, true] {
        let kind = if is_encrypted { ErrorKind::Authentication } else { ErrorKind::Corrupt };
        let folder = scratch();
        let config = config(folder.path());
        let store = blocking::open_store(if is_encrypted { encrypted(config) } else { config }).unwrap();
        store.append("key", "an element").unwrap();
        let blobs = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
        let blobs: Vec<_> = blobs.filter(|path| path.extension().is_some_and(|end| end == "ksv")).collect();
        assert_eq!(blobs.len(), 2, "head and element");
        for file in blobs {
            let whole = fs::read(&file).unwrap();
            for (what, bytes) in damaged(&whole) {
                fs::write(&file, bytes).unwrap();
                assert_eq!(store.log::<String>("key").unwrap_err().kind(), kind, "{what}");
            }
            fs::write(&file, &whole).unwrap();
        }
        assert_eq!(store.log::<String>("key").unwrap(), ["an element"]);
    }
}

/// The header and meta section with a check that is right again, as somebody without the key can make it.
fn rechecked(name: BlobName, mut blob: Vec<u8>, head: usize) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(name.as_bytes()).update(&blob[..8]).update(&blob[20..head]);
    blob[8..20].copy_from_slice(&hasher.finalize().as_bytes()[..12]);
    blob
}

#[test]
fn what_somebody_without_the_key_changes_is_an_error_also_where_the_check_is_made_anew() {
    let folder = scratch();
    let store = blocking::open_store(encrypted(config(folder.path()))).unwrap();
    store.assoc("key", vec!["again and again"; 12]).unwrap();
    let file = blob(folder.path());
    let name = BlobName::from_file_name(file.file_name().unwrap().to_str().unwrap()).unwrap();
    let whole = fs::read(&file).unwrap();
    let head = 20 + usize::try_from(u32::from_be_bytes(whole[4..8].try_into().unwrap())).unwrap();
    let kid = 20..28;
    for bit in (0..8 * head).filter(|bit| !(8..20).contains(&(bit / 8))) {
        fs::write(&file, rechecked(name, flipped(&whole, bit), head)).unwrap();
        let expected = if kid.contains(&(bit / 8)) { ErrorKind::WrongKey } else { ErrorKind::Authentication };
        assert_eq!(value(&store).unwrap_err().kind(), expected, "bit {bit}");
    }
    fs::write(&file, rechecked(name, whole, head)).unwrap();
    value(&store).unwrap();
}

/// A store with one slot, and its record.
fn with_record() -> (TempDir, Vec<u8>) {
    let folder = scratch();
    blocking::open_store(encrypted(config(folder.path()))).unwrap().close().unwrap();
    let [first, second] = RECORDS.map(|name| fs::read(folder.path().join(name)).unwrap());
    assert_eq!(first, second);
    (folder, first)
}

fn open(folder: &Path) -> Result<Store, Error> {
    blocking::open_store(encrypted(config(folder)))
}

#[test]
fn every_damage_of_both_copies_of_the_record_is_told_and_of_one_is_mended() {
    let (folder, record) = with_record();
    let [first, second] = RECORDS.map(|name| folder.path().join(name));
    let mut count = 0;
    for (what, bytes) in damaged(&record) {
        for both in [true, false] {
            fs::write(&first, &bytes).unwrap();
            fs::write(&second, if both { &bytes } else { &record }).unwrap();
            match open(folder.path()) {
                Err(error) => assert_eq!((error.kind(), both), (ErrorKind::Corrupt, true), "{what}: {error}"),
                Ok(store) => {
                    assert!(!both, "{what}");
                    store.close().unwrap();
                    assert!([&first, &second].iter().all(|file| fs::read(file).unwrap() == record), "{what}: mended");
                }
            }
        }
        fs::write(&first, &record).unwrap();
        fs::write(&second, &bytes).unwrap();
        open(folder.path()).unwrap().close().unwrap();
        assert_eq!(fs::read(&second).unwrap(), record, "{what}: the copy is mended");
        count += 1;
    }
    println!("{count} damaged records");
}

/// Where this stands in the body, with what follows it.
fn entry(record: &[u8], name: &[u8], len: usize) -> Range<usize> {
    let start = record.windows(name.len()).position(|window| window == name).unwrap() + name.len();
    start..start + len
}

/// Somebody who changes a record makes its hash anew: what is found then depends on what was changed.
#[test]
fn every_changed_bit_of_a_record_with_a_hash_made_anew_is_the_error_that_the_format_names() {
    let (folder, record) = with_record();
    let body = record.len() - 64;
    let id = entry(&record, b"\x62id\x50", 16);
    // kdf, parameters, salt; after `slots`, an array of one, a byte string.
    let slot = entry(&record, b"\x65slots\x81\x58\x8d", 141);
    let format = entry(&record, b"\x66format", 1);
    // The last five bits of a head that has eight bytes more are not its number.
    let created = entry(&record, b"\x67created\x1b", 8);
    let mac = body..body + 32;
    let mut kinds = std::collections::BTreeMap::<_, usize>::new();
    for bit in 0..8 * (record.len() - 32) {
        let at = bit / 8;
        let mut bytes = flipped(&record[..record.len() - 32], bit);
        bytes.extend_from_slice(blake3::hash(&bytes).as_bytes());
        RECORDS.iter().for_each(|name| fs::write(folder.path().join(name), &bytes).unwrap());
        let error = open(folder.path()).unwrap_err();
        let may = match error.kind() {
            ErrorKind::UnsupportedFormat => format.contains(&at),
            ErrorKind::WrongKey => id.contains(&at) || slot.contains(&at),
            ErrorKind::Authentication => mac.contains(&at) || !(id.contains(&at) || slot.contains(&at)),
            // No item of CBOR, not ours, or of another encryptor.
            ErrorKind::Corrupt | ErrorKind::Unsupported => {
                ![&id, &slot, &created, &mac].iter().any(|part| part.contains(&at))
            }
            _ => false,
        };
        assert!(may, "bit {bit} (byte {at} of {}): {error}", record.len());
        *kinds.entry(error.code()).or_default() += 1;
        let unchanged = RECORDS.iter().all(|name| fs::read(folder.path().join(name)).unwrap() == bytes);
        assert!(unchanged, "nothing is written before the record is known to be right");
    }
    println!("{kinds:?}");
    assert_eq!(kinds.len(), 5);
}
