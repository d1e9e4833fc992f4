//! Power cuts and faults at every step of appends, deletions of logs and sweeps, on a simulated machine.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test, that is a failure")]

use std::sync::Arc;

use konserve::{
    BlobName, Config, Result, Store, Sweep,
    backing::{Access, FilePlace},
    blocking::wait,
    open_store,
    testing::{SimFault, SimFs},
};

const KEY: &str = "log";
/// How many elements the log has before anything is done.
const BEFORE: u64 = 3;

fn open(fs: &SimFs, access: Access) -> Result<Store> {
    wait(open_store(Config::at(FilePlace::new(Arc::new(fs.clone()), "/store").access(access))))
}

fn prepared(fs: &SimFs, access: Access) -> Store {
    let store = open(fs, access).unwrap();
    wait(store.assoc("other", "stays")).unwrap();
    append(&store, 0..BEFORE).unwrap();
    store
}

fn append(store: &Store, mut numbers: std::ops::Range<u64>) -> Result<()> {
    numbers.try_for_each(|n| wait(store.append(KEY, n)))
}

/// One thing to do to the log, which has its first elements.
struct Deed {
    what: &'static str,
    /// How long the log is after it.
    after: u64,
    act: fn(&Store) -> Result<()>,
}

const DEEDS: [Deed; 5] = [
    Deed { what: "append", after: BEFORE + 1, act: |store| append(store, BEFORE..BEFORE + 1) },
    Deed {
        what: "appends at once",
        after: BEFORE + 4,
        // The first goes alone, the others together.
        act: |store| {
            let one = |n| store.append(KEY, BEFORE + n);
            let (a, b, c, d) = wait(async { tokio::join!(one(0), one(1), one(2), one(3)) });
            a.and(b).and(c).and(d)
        },
    },
    Deed { what: "deletion", after: 0, act: |store| wait(store.dissoc(KEY)).map(drop) },
    Deed {
        what: "replacement",
        after: 0,
        act: |store| wait(store.assoc(KEY, "a value")).and_then(|()| wait(store.dissoc(KEY)).map(drop)),
    },
    Deed {
        what: "sweep",
        after: 0,
        act: |store| {
            tick();
            wait(store.sweep(Sweep::before(u64::MAX).keep_key("other")?)).map(drop)
        },
    },
];

/// Waits until what is written has another stamp than what was.
fn tick() {
    let now = || konserve::env::stamp(&konserve::env::System);
    let last = now();
    while now() == last {}
}

fn log(store: &Store) -> Vec<u64> {
    wait(store.log(KEY)).unwrap()
}

/// What must be true afterwards: what was acknowledged is there, a deed that was not is done, not done, or of several
/// appends some are; nothing is damaged, and the log goes on. A sweep finds what was left behind.
fn check(fs: &SimFs, access: Access, deed: &Deed, acknowledged: bool, context: &str) {
    let store = open(fs, access).unwrap();
    assert_eq!(wait(store.get::<String>("other")).unwrap().as_deref(), Some("stays"), "{context}");
    if wait(store.get::<String>(KEY)).is_ok_and(|value| value.is_some()) {
        assert!(deed.what == "replacement" && !acknowledged, "{context}");
        wait(store.dissoc(KEY)).unwrap();
    }
    let mut found = log(&store);
    assert!(found.is_sorted() && found.iter().all(|n| *n < BEFORE + 4), "{context}: {found:?}");
    assert!(found.starts_with(&[0, 1, 2]) || found.is_empty() && deed.after == 0, "{context}: {found:?}");
    assert!(!acknowledged || found == (0..deed.after).collect::<Vec<_>>(), "{context}: {found:?}");
    append(&store, 100..102).unwrap();
    found.extend(100..102);
    assert_eq!(log(&store), found, "{context}");
    tick();
    let report = wait(store.verify(|_| {})).unwrap();
    assert!(report.corrupt.is_empty(), "{context}");
    let kept = Sweep::before(u64::MAX).keep_key("other").unwrap().keep_key(KEY).unwrap();
    assert!(wait(store.sweep(kept)).unwrap().is_empty(), "{context}");
    assert_eq!(log(&store), found, "{context}");
    assert_eq!(blobs(fs), found.len() + 2, "{context}: there were {} orphans", report.orphans.len());
    wait(store.close()).unwrap();
}

fn blobs(fs: &SimFs) -> usize {
    let is_blob =
        |file: &&std::path::PathBuf| BlobName::from_file_name(file.file_name().unwrap().to_str().unwrap()).is_some();
    fs.files().iter().filter(is_blob).count()
}

/// The digits of a number, each in its own base.
fn digits(mut number: u64) -> impl FnMut(u64) -> u64 {
    move |base| {
        let digit = number % base;
        number /= base;
        digit
    }
}

/// Numbers below this one: all, or some from everywhere among them.
fn some_of(numbers: u64) -> impl Iterator<Item = u64> {
    let spread = if numbers > 12 { 0x9e37_79b9_7f4a_7c15_u64 } else { 1 };
    (0..numbers.min(12)).map(move |one| one.wrapping_mul(spread))
}

#[test]
fn a_power_cut_at_any_step_leaves_a_prefix_with_all_that_was_acknowledged() {
    let mut states = 0;
    for access in [Access::Exclusive, Access::Shared] {
        for deed in &DEEDS {
            for step in 0.. {
                let fs = SimFs::new();
                let store = prepared(&fs, access);
                fs.cut_power(step);
                let acknowledged = (deed.act)(&store).is_ok();
                for survivor in some_of(fs.survivors()) {
                    let context = format!("{} {access:?}, step {step}, survivor {survivor}", deed.what);
                    check(&fs.restart(digits(survivor)), access, deed, acknowledged, &context);
                    states += 1;
                }
                if !fs.is_dark() {
                    assert!(acknowledged, "{} {access:?}", deed.what);
                    break;
                }
            }
        }
    }
    println!("{states} states of the disk");
}

#[test]
fn a_fault_at_any_step_loses_nothing_and_leaves_a_log_that_goes_on() {
    for access in [Access::Exclusive, Access::Shared] {
        for deed in &DEEDS {
            for fault in [SimFault::Io, SimFault::NoSpace, SimFault::ShortWrite] {
                for step in 1.. {
                    let fs = SimFs::new();
                    let store = prepared(&fs, access);
                    let before = fs.steps();
                    fs.fail(step, fault);
                    let acknowledged = (deed.act)(&store).is_ok();
                    if before + step > fs.steps() {
                        assert!(acknowledged);
                        break;
                    }
                    // What it could not give back, its heirs take.
                    let next = fs.another_process();
                    fs.kill(0);
                    let context = format!("{} {access:?}, {fault:?} at step {step}", deed.what);
                    check(&next, access, deed, acknowledged, &context);
                }
            }
        }
    }
}

#[test]
fn an_append_takes_as_many_steps_to_a_long_log_as_to_a_short_one() {
    for access in [Access::Exclusive, Access::Shared] {
        let fs = SimFs::new();
        let store = open(&fs, access).unwrap();
        let mut steps = Vec::new();
        for at in 0..2000 {
            let before = fs.steps();
            append(&store, at..at + 1).unwrap();
            if [10, 1999].contains(&at) {
                steps.push(fs.steps() - before);
            }
        }
        println!("{access:?}: {steps:?} steps");
        assert_eq!(steps[0], steps[1], "{access:?}");
    }
}
