//! How much memory it takes to move 100,000 entries, and one that is larger than memory. Each alone in its process, whose
//! memory it measures.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in a test, that is a failure")]

use std::{
    fs::{self, File},
    path::Path,
    sync::{Arc, Mutex},
};

use konserve::{
    Config, Existing, Imported, WriteOptions,
    backing::{FilePlace, StdFs},
    blocking::{Store, create_store, wait},
};

const ENTRIES: u64 = 100_000;
const VALUE_LEN: usize = 1000;
/// In MiB; the entries themselves are more than 100.
const LIMIT: u64 = 48;

/// Who measures.
static TURN: Mutex<()> = Mutex::new(());

fn store(folder: &Path) -> Store {
    create_store(Config::at(FilePlace::new(Arc::new(StdFs), folder).sync_blob(false))).unwrap()
}

/// By how many MiB the peak of this process grows meanwhile.
fn growth<T>(what: &str, act: impl FnOnce() -> T) -> T {
    // Begins the peak anew (proc(5)).
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = field("VmRSS:");
    let done = act();
    let grown = field("VmHWM:").saturating_sub(before) / 1024;
    println!("{what}: {grown} MiB at most");
    assert!(grown <= LIMIT, "{what} takes {grown} MiB, more than {LIMIT}");
    done
}

/// In KiB.
fn field(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_hundred_thousand_entries_are_moved_in_bounded_memory() {
    let _turn = TURN.lock().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let from = store(&path("from"));
    for n in 0..ENTRIES {
        from.assoc(n, "x".repeat(VALUE_LEN)).unwrap();
    }
    let mut file = File::create(path("export")).unwrap();
    assert_eq!(growth("an export", || from.export_to(&mut file, |_, _| {})).unwrap(), ENTRIES);
    println!("{} MiB", file.metadata().unwrap().len() >> 20);
    let all = Imported { imported: ENTRIES, skipped: 0 };
    let to = store(&path("to"));
    let mut file = File::open(path("export")).unwrap();
    assert_eq!(growth("an import", || to.import_from(&mut file, Existing::Error, |_, _| {})).unwrap(), all);
    let copy = store(&path("copy"));
    assert_eq!(growth("a copy", || from.copy_to(&copy, Existing::Error, |_| {})).unwrap(), all);
    let report = growth("a check", || copy.verify(|_| {})).unwrap();
    assert_eq!((report.checked, report.corrupt.len()), (ENTRIES, 0));
}

/// In MiB; another length on demand: `KONSERVE_LARGE_MIB=300 cargo test --release --test moving_memory`.
const LARGE: usize = 128;

#[test]
fn a_binary_larger_than_memory_is_moved_in_bounded_memory() {
    let large = std::env::var("KONSERVE_LARGE_MIB").map_or(LARGE, |mib| mib.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // Longer than what this store holds in memory.
    let store = |name| {
        let place = FilePlace::new(Arc::new(StdFs), path(name)).sync_blob(false);
        create_store(Config::at(place).max_value_len(16 << 20)).unwrap()
    };
    let _turn = TURN.lock().unwrap();
    let (from, all) = (store("from"), Imported { imported: 1, skipped: 0 });
    let mut writer = wait(from.inner().write_binary(&"large".into(), WriteOptions::default())).unwrap();
    for n in 0..large {
        wait(writer.write(&vec![n.to_le_bytes()[0]; 1 << 20])).unwrap();
    }
    wait(writer.finish()).unwrap();
    let mut file = File::create(path("export")).unwrap();
    assert_eq!(growth("an export", || from.export_to(&mut file, |_, _| {})).unwrap(), 1);
    let to = store("to");
    let mut file = File::open(path("export")).unwrap();
    assert_eq!(growth("an import", || to.import_from(&mut file, Existing::Error, |_, _| {})).unwrap(), all);
    let copy = store("copy");
    assert_eq!(growth("a copy", || to.copy_to(&copy, Existing::Error, |_| {})).unwrap(), all);
    assert!(growth("a check", || copy.verify(|_| {})).unwrap().corrupt.is_empty());
    assert_eq!(copy.get_meta("large").unwrap(), from.get_meta("large").unwrap());
}
