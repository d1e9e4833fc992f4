//! Binaries in pieces: as readers and writers of the standard library, and when disks fail and powers are cut.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test, that is a failure")]

use std::{
    io::{self, Read, Write},
    sync::Arc,
};

use konserve::{
    Config, Error, ErrorKind, Key, WriteOptions,
    backing::FilePlace,
    blocking::{self, Store},
    testing::{SimFault, SimFs},
};

fn some(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at.wrapping_mul(37) ^ (at >> 7)).to_le_bytes()[0]).collect()
}

fn key() -> Key {
    Key::from("k")
}

fn simulated(fs: &SimFs) -> Store {
    blocking::open_store(Config::at(FilePlace::new(Arc::new(fs.clone()), "/store"))).unwrap()
}

/// Writes this in pieces; more of them than are written at once.
fn stream(store: &Store, bytes: &[u8]) -> Result<(), Error> {
    let mut writer = store.write_binary(&key(), WriteOptions::default())?;
    for piece in bytes.chunks(100_000) {
        if writer.write_all(piece).is_err() {
            // What failed once is not finished, whoever tries.
            let refused = writer.finish().unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Io);
            return Err(refused);
        }
    }
    writer.finish()
}

/// The old bytes or the new ones.
fn found(store: &Store) -> &'static str {
    let found = store.bget("k").unwrap().unwrap();
    if found == some(10) {
        "old"
    } else if found == some(600_000) {
        "new"
    } else {
        panic!("{} bytes that nobody wrote", found.len())
    }
}

fn left_over(fs: &SimFs) -> Vec<std::path::PathBuf> {
    let ours = |path: &std::path::Path| path.extension().is_some_and(|end| end == "ksv" || end == "store");
    fs.files().into_iter().filter(|path| !ours(path) && !path.ends_with("konserve.lock.new")).collect()
}

#[test]
fn a_binary_is_copied_from_a_reader_and_to_a_writer() {
    let folder = tempfile::tempdir().unwrap();
    for config in [Config::memory(), Config::file(folder.path().join("store"))] {
        let store = blocking::open_store(config).unwrap();
        let bytes = some(1_000_000);
        let mut writer = store.write_binary(&key(), WriteOptions::default()).unwrap();
        io::copy(&mut &*bytes, &mut writer).unwrap();
        writer.finish().unwrap();
        let mut reader = store.read_binary(&key()).unwrap().unwrap();
        assert_eq!(reader.meta().size, Some(1_000_000));
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert!(read == bytes);
        drop(reader);
        assert!(store.read_binary(&Key::from("none")).unwrap().is_none());
        store.close().unwrap();
    }
}

#[test]
fn a_power_cut_at_any_step_of_a_streamed_write_leaves_the_old_bytes_or_the_new() {
    let mut states = 0;
    for step in 0.. {
        let fs = SimFs::new();
        let store = simulated(&fs);
        store.bassoc("k", some(10)).unwrap();
        fs.cut_power(step);
        let acknowledged = stream(&store, &some(600_000)).is_ok();
        for survivor in 0..fs.survivors() {
            let mut rest = survivor;
            let after = fs.restart(|choices| {
                let choice = rest % choices;
                rest /= choices;
                choice
            });
            let store = simulated(&after);
            let found = found(&store);
            assert!(found == "new" || !acknowledged, "step {step}, survivor {survivor}");
            assert_eq!(left_over(&after), Vec::<std::path::PathBuf>::new(), "step {step}, survivor {survivor}");
            states += 1;
        }
        if !fs.is_dark() {
            assert!(acknowledged);
            break;
        }
    }
    println!("{states} states of the disk");
}

#[test]
fn any_fault_at_any_step_of_a_streamed_write_leaves_the_old_bytes_or_the_new_and_nothing_else() {
    for fault in SimFault::ALL {
        for step in 1.. {
            let fs = SimFs::new();
            let store = simulated(&fs);
            store.bassoc("k", some(10)).unwrap();
            let before = fs.steps();
            fs.fail(step, fault);
            let result = stream(&store, &some(600_000));
            let context = format!("{fault:?} at step {step}: {result:?}");
            if before + step > fs.steps() {
                result.unwrap();
                break;
            }
            assert!(found(&store) == "new" || result.is_err(), "{context}");
            stream(&store, &some(600_000)).unwrap();
            assert_eq!(found(&store), "new", "{context}");
            assert_eq!(left_over(&fs), Vec::<std::path::PathBuf>::new(), "{context}");
            store.close().unwrap();
        }
    }
}

#[test]
fn any_fault_at_any_step_of_a_streamed_read_is_told_and_the_next_read_is_well() {
    for fault in [SimFault::Io, SimFault::Denied, SimFault::TooManyFiles] {
        for step in 1.. {
            let fs = SimFs::new();
            let store = simulated(&fs);
            stream(&store, &some(600_000)).unwrap();
            let before = fs.steps();
            fs.fail(step, fault);
            let read = store.read_binary(&key()).map_err(io::Error::other).and_then(|reader| {
                let mut bytes = Vec::new();
                reader.unwrap().read_to_end(&mut bytes).map(|_| bytes)
            });
            if before + step > fs.steps() {
                assert!(read.unwrap() == some(600_000));
                break;
            }
            read.unwrap_err();
            assert_eq!(found(&store), "new", "{fault:?} at step {step}");
        }
    }
}
