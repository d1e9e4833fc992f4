//! What values are compressed with: chosen by the store and by a write, and left out where it does not pay.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test, that is a failure")]

use std::{fs, path::Path, sync::Arc};

use konserve::{
    Compressor, Config, Encryptor, Value, WriteOptions,
    backing::{FilePlace, StdFs},
    blocking::{self, Store},
};

fn open(folder: &Path, config: impl FnOnce(Config) -> Config) -> Store {
    let place = FilePlace::new(Arc::new(StdFs), folder).sync_blob(false);
    blocking::open_store(config(Config::at(place))).unwrap()
}

/// Byte 2 of the header of the only blob, and its length.
fn stored(folder: &Path) -> (u8, usize) {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let blobs: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "ksv")).collect();
    assert_eq!(blobs.len(), 1);
    let bytes = fs::read(&blobs[0]).unwrap();
    (bytes[2], bytes.len())
}

/// Bytes that no compressor makes smaller.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(next).collect()
}

#[test]
fn a_write_has_a_compressor_of_its_own() {
    let text = "all work and no play ".repeat(100);
    for encryptor in [None, Some(Encryptor::aes_blake3([1; 32]))] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), |config| match encryptor {
            Some(encryptor) => config.compressor(Compressor::Lz4).encryptor(encryptor),
            None => config.compressor(Compressor::Lz4),
        });
        let with = |compressor| WriteOptions::default().compressor(compressor);
        for (compressor, id) in [(Compressor::None, 0), (Compressor::Lz4, 1), (Compressor::Zstd, 2)] {
            store.assoc_with(["k"], Value::from(text.as_str()), with(compressor)).unwrap();
            assert_eq!(stored(folder.path()).0, id);
            assert_eq!(store.get::<String>("k").unwrap().unwrap(), text);
        }
        store.assoc("k", text.as_str()).unwrap();
        assert_eq!(stored(folder.path()).0, 1, "without it the store decides");
        blocking::wait(store.inner().put_binary(&"k".into(), text.clone().into(), with(Compressor::Zstd))).unwrap();
        assert_eq!(stored(folder.path()).0, 2);
        assert_eq!(store.bget("k").unwrap().unwrap(), text);
    }
}

#[test]
fn what_does_not_pay_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mixed = |head: &[u8], tail: &[u8]| [head, tail].concat();
    let (quiet, loud) = (vec![7; 200_000], noise(200_000));
    let cases = [
        ("63 bytes", vec![7; 63], 0),
        ("64 bytes", vec![7; 64], 1),
        ("small noise", noise(1000), 0),
        ("large noise", loud.clone(), 0),
        ("large and quiet", quiet.clone(), 1),
        ("quiet in the middle and behind it", mixed(&loud[..100_000], &quiet), 1),
        ("noise in the middle", mixed(&quiet[..50_000], &loud), 0),
    ];
    for compressor in [Compressor::Lz4, Compressor::Zstd] {
        let store = open(folder.path(), |config| config.compressor(compressor));
        for (what, bytes, compressed) in &cases {
            store.bassoc("k", bytes.clone()).unwrap();
            let (id, _) = stored(folder.path());
            assert_eq!(id, if *compressed == 0 { 0 } else { compressor.id() }, "{what}");
            assert_eq!(store.bget("k").unwrap().unwrap(), bytes.as_slice(), "{what}");
        }
        store.close().unwrap();
    }
}
