//! Tiered stores and caches: what each policy promises, over backings that count, fail and wait.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "tiered/spy.rs"]
mod spy;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use konserve::{
    Cache, Config, ErrorKind, Key, ReadPolicy, Sweep, SyncPolicy, Tiers, Value, WritePolicy,
    backing::{Access, FilePlace},
    blocking::{self, Store},
    testing::SimFs,
};
use proptest::prelude::*;
use spy::Spy;

const WRITES: [WritePolicy; 4] =
    [WritePolicy::Through, WritePolicy::Behind, WritePolicy::Around, WritePolicy::FrontOnly];

fn open(config: Config) -> Store {
    blocking::open_store(config).unwrap()
}

/// A store that is there, with these values.
fn filled(place: &Spy, values: &[(&str, u64)]) -> konserve::Uuid {
    let store = open(place.config());
    for (key, value) in values {
        store.assoc(key, *value).unwrap();
    }
    store.close().unwrap();
    store.inner().id()
}

fn tiers(front: &Spy, back: &Spy) -> Tiers {
    Tiers::new(front.config(), back.config())
}

fn tiered(front: &Spy, back: &Spy, write: WritePolicy) -> Store {
    open(Config::tiered(tiers(front, back).write_policy(write)))
}

fn get(store: &Store, key: &str) -> Option<u64> {
    store.get(key).unwrap()
}

fn direct(place: &Spy, key: &str) -> Option<u64> {
    let store = open(place.config());
    let found = store.get(key).unwrap();
    store.close().unwrap();
    found
}

fn keys(store: &Store) -> Vec<Key> {
    let mut keys: Vec<_> = store.keys().unwrap().map(|meta| meta.unwrap().key).collect();
    keys.sort_by(|a, b| a.as_cbor().cmp(b.as_cbor()));
    keys
}

#[test]
fn every_verb_works_with_every_write_policy() {
    for write in WRITES {
        let (front, back) = (Spy::default(), Spy::default());
        filled(&back, &[("old", 1), ("gone", 2)]);
        let store = tiered(&front, &back, write);
        assert_eq!(get(&store, "old"), Some(1), "{write:?}");
        store.assoc("new", 3_u64).unwrap();
        assert_eq!(store.update("old", |old: Option<u64>| old.unwrap() + 10).unwrap(), (Some(1), 11));
        assert!(store.dissoc("gone").unwrap());
        assert!(!store.dissoc("gone").unwrap(), "{write:?}");
        assert_eq!(store.multi_assoc([("a", 1_u64), ("new", 4)]).unwrap(), [false, true]);
        store.assoc_in(("deep", "er"), 7_u64).unwrap();
        for element in 0..5_u64 {
            store.append("log", element).unwrap();
        }
        store.bassoc("binary", vec![1, 2, 3]).unwrap();
        assert_eq!(store.multi_dissoc(["a", "none"]).unwrap(), [true, false]);
        for _ in 0..2 {
            assert_eq!(store.multi_get::<u64>(["old", "gone", "new", "a"]).unwrap(), [Some(11), None, Some(4), None]);
            assert_eq!(store.get_in::<u64>(("deep", "er")).unwrap(), Some(7));
            assert_eq!(store.log::<u64>("log").unwrap(), [0, 1, 2, 3, 4]);
            assert_eq!(store.bget("binary").unwrap().unwrap().as_ref(), [1, 2, 3]);
            let expected = ["old", "new", "deep", "log", "binary"].map(Key::from);
            let found = keys(&store);
            assert_eq!(found.len(), expected.len(), "{write:?}: {found:?}");
            assert!(expected.iter().all(|key| found.contains(key)), "{write:?}: {found:?}");
        }
        store.flush().unwrap();
        assert!(store.verify(|_| {}).unwrap().corrupt.is_empty());
        let swept = store.sweep(Sweep::before(u64::MAX).keep([Key::from("new")])).unwrap();
        assert!(swept.len() <= 4);
        store.close().unwrap();
        let there = if write == WritePolicy::FrontOnly { Some(1) } else { Some(11) };
        assert!(direct(&back, "old") == there || direct(&back, "old").is_none(), "{write:?}");
    }
}

#[test]
fn through_has_both_and_around_has_the_back_alone() {
    for (write, copied) in [(WritePolicy::Through, Some(1)), (WritePolicy::Around, None)] {
        let (front, back) = (Spy::default(), Spy::default());
        let store = tiered(&front, &back, write);
        store.assoc("k", 1_u64).unwrap();
        assert_eq!((direct(&front, "k"), direct(&back, "k")), (copied, Some(1)));
        assert_eq!(get(&store, "k"), Some(1));
        assert_eq!(direct(&front, "k"), Some(1), "a read copies");
        store.assoc("k", 2_u64).unwrap();
        store.dissoc("k").unwrap();
        assert_eq!((direct(&front, "k"), direct(&back, "k")), (None, None));
    }
}

#[test]
fn what_was_read_is_read_in_the_front() {
    let (front, back) = (Spy::default(), Spy::default());
    filled(&back, &[("k", 1)]);
    let store = tiered(&front, &back, WritePolicy::Through);
    get(&store, "k");
    let reads = back.reads();
    for _ in 0..10 {
        assert_eq!(get(&store, "k"), Some(1));
    }
    assert_eq!(back.reads(), reads);
}

#[test]
fn a_front_only_store_never_writes_its_back() {
    let (front, back) = (Spy::default(), Spy::default());
    filled(&back, &[("a", 1), ("b", 2), ("c", 3)]);
    let (writes, config) =
        (back.writes(), || Config::tiered(tiers(&front, &back).write_policy(WritePolicy::FrontOnly)));
    let store = open(config());
    store.assoc("a", 10_u64).unwrap();
    store.multi_assoc([("b", 20_u64), ("d", 40)]).unwrap();
    store.update("c", |old: Option<u64>| old.unwrap() + 1).unwrap();
    assert!(store.dissoc("b").unwrap());
    // A sweep spares what was written in the millisecond in which it begins.
    std::thread::sleep(std::time::Duration::from_millis(5));
    store.sweep(Sweep::before(u64::MAX).keep([Key::from("a"), Key::from("d")])).unwrap();
    let expect = |store: &Store| {
        assert_eq!(store.multi_get::<u64>(["a", "b", "c", "d"]).unwrap(), [Some(10), None, None, Some(40)]);
        assert_eq!(keys(store).len(), 2);
    };
    expect(&store);
    store.close().unwrap();
    let again = open(config());
    expect(&again);
    again.close().unwrap();
    blocking::delete_store(config()).unwrap();
    assert_eq!((back.writes(), back.destroyed(), front.destroyed()), (writes, 0, 1));
    assert_eq!(direct(&back, "b"), Some(2));
}

#[test]
fn a_store_of_the_front_alone_does_not_open_its_back() {
    let (front, back) = (Spy::default(), Spy::default());
    filled(&back, &[("a", 1)]);
    let opened = back.opened();
    let only = tiers(&front, &back).write_policy(WritePolicy::FrontOnly).read_policy(ReadPolicy::FrontOnly);
    let store = open(Config::tiered(only));
    assert_eq!(get(&store, "a"), None);
    store.assoc("a", 2_u64).unwrap();
    store.close().unwrap();
    assert_eq!(back.opened(), opened);
}

#[test]
fn reads_of_the_front_alone_never_read_the_back() {
    let (front, back) = (Spy::default(), Spy::default());
    filled(&back, &[("a", 1)]);
    let store = open(Config::tiered(tiers(&front, &back).read_policy(ReadPolicy::FrontOnly)));
    let reads = back.reads();
    assert_eq!(get(&store, "a"), None);
    assert!(keys(&store).is_empty());
    store.assoc("b", 2_u64).unwrap();
    assert_eq!(get(&store, "b"), Some(2));
    assert_eq!(back.reads(), reads);
    assert_eq!(direct(&back, "b"), Some(2));
}

#[test]
fn a_front_that_fails_never_fails_a_call_and_leaves_nothing_stale() {
    for write in [WritePolicy::Through, WritePolicy::Behind, WritePolicy::Around] {
        let (front, back, told) = (Spy::default(), Spy::default(), Arc::new(AtomicUsize::new(0)));
        let tell = told.clone();
        let told_of = move |_: &konserve::Error| _ = tell.fetch_add(1, Ordering::SeqCst);
        let store = open(Config::tiered(tiers(&front, &back).write_policy(write).on_error(told_of)));
        store.assoc("k", 1_u64).unwrap();
        assert_eq!(get(&store, "k"), Some(1));
        front.fail_writes(true);
        store.assoc("k", 2_u64).unwrap();
        assert!(told.load(Ordering::SeqCst) > 0, "{write:?}: the error is told");
        assert_eq!(get(&store, "k"), Some(2), "{write:?}");
        store.dissoc("k").unwrap();
        assert_eq!(get(&store, "k"), None, "{write:?}");
        front.fail_reads(true);
        store.assoc("k", 3_u64).unwrap();
        assert_eq!(get(&store, "k"), Some(3), "{write:?}");
        front.fail_reads(false);
        assert_eq!(get(&store, "k"), Some(3), "{write:?}: the front has an old value still");
        front.fail_writes(false);
        assert_eq!(get(&store, "k"), Some(3));
        store.flush().unwrap();
        let reads = back.reads();
        assert_eq!(get(&store, "k"), Some(3));
        assert_eq!(back.reads(), reads, "{write:?}: the front is used again");
    }
}

#[test]
fn a_back_that_fails_fails_the_write_and_the_old_value_stays() {
    for write in [WritePolicy::Through, WritePolicy::Around] {
        let (front, back) = (Spy::default(), Spy::default());
        let store = tiered(&front, &back, write);
        store.assoc("k", 1_u64).unwrap();
        back.fail_writes(true);
        assert_eq!(store.assoc("k", 2_u64).unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(store.update("k", |_: Option<u64>| 3).unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(get(&store, "k"), Some(1));
    }
}

#[test]
fn writes_behind_are_in_the_back_after_a_flush_in_their_order() {
    let (front, back) = (Spy::default(), Spy::default());
    let store = tiered(&front, &back, WritePolicy::Behind);
    for n in 0..100_u64 {
        store.assoc("k", n).unwrap();
        store.assoc(format!("k{n}"), n).unwrap();
    }
    store.dissoc("k7").unwrap();
    store.multi_assoc([("x", 1_u64), ("y", 2)]).unwrap();
    store.flush().unwrap();
    assert_eq!((direct(&back, "k"), direct(&back, "k99"), direct(&back, "k7")), (Some(99), Some(99), None));
    let batches = back.committed();
    let with = |key: &str| batches.iter().position(|batch| batch.contains(&Key::from(key).name()));
    assert_eq!(with("x"), with("y"), "a batch is written whole");
    assert!(with("k5") <= with("k50") && with("k50") <= with("x"), "{batches:?}");
}

#[test]
fn what_waits_for_the_back_is_read_and_deletions_are_not_undone() {
    let (front, back) = (Spy::default(), Spy::default());
    filled(&back, &[("old", 1)]);
    let store = tiered(&front, &back, WritePolicy::Behind);
    let held = back.hold_writes();
    assert!(store.dissoc("old").unwrap());
    store.assoc("new", 2_u64).unwrap();
    assert_eq!((get(&store, "old"), get(&store, "new")), (None, Some(2)));
    drop(held);
    store.flush().unwrap();
    assert_eq!((direct(&back, "old"), direct(&back, "new")), (None, Some(2)));
}

#[test]
fn errors_of_writes_behind_reach_the_application_and_nothing_is_lost() {
    let (front, back, told) = (Spy::default(), Spy::default(), Arc::new(Mutex::new(Vec::new())));
    let tell = told.clone();
    let told_of = move |error: &konserve::Error| tell.lock().unwrap().push(error.kind());
    let store = open(Config::tiered(tiers(&front, &back).write_policy(WritePolicy::Behind).on_error(told_of)));
    back.fail_writes(true);
    for n in 0..5_u64 {
        store.assoc(n, n).unwrap();
    }
    store.assoc(0_u64, 50_u64).unwrap();
    assert_eq!(store.flush().unwrap_err().kind(), ErrorKind::Io);
    assert!(told.lock().unwrap().contains(&ErrorKind::Io));
    assert!(store.keys().unwrap().any(|meta| meta.is_err()), "a listing says that it cannot be complete");
    back.fail_writes(false);
    store.flush().unwrap();
    assert_eq!(store.keys().unwrap().count(), 5);
    let order: Vec<_> = back.committed().concat();
    let first: Vec<_> = (0..5_u64).map(|n| Key::from_cbor(&[u8::try_from(n).unwrap()]).unwrap().name()).collect();
    let places: Vec<_> = first.iter().map(|name| order.iter().position(|other| other == name).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    back.fail_writes(true);
    store.assoc(9_u64, 9_u64).unwrap();
    assert_eq!(store.close().unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn a_full_queue_makes_the_writer_wait_or_tells_it_that_the_back_fails() {
    let (front, back) = (Spy::default(), Spy::default());
    let store = open(Config::tiered(tiers(&front, &back).write_policy(WritePolicy::Behind).queue(3)));
    let held = back.hold_writes();
    let (done, counted) = (Arc::new(AtomicUsize::new(0)), store.clone());
    let count = done.clone();
    let writer = std::thread::spawn(move || {
        for n in 0..10_u64 {
            counted.assoc(n, n).unwrap();
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(done.load(Ordering::SeqCst), 3, "so many fit");
    drop(held);
    writer.join().unwrap();
    store.flush().unwrap();
    back.fail_writes(true);
    for n in 0..3_u64 {
        store.assoc(n, 100_u64).unwrap();
    }
    let error = store.assoc(7_u64, 100_u64).unwrap_err();
    assert!(error.kind() == ErrorKind::Io && error.message().contains("queue"), "{error}");
    assert_eq!(store.get::<u64>(7_u64).unwrap(), Some(7), "nothing was written");
    store.multi_assoc((0..10_u64).map(|n| (n, 1_u64))).unwrap_err();
    back.fail_writes(false);
    store.multi_assoc((0..10_u64).map(|n| (n, 1_u64))).unwrap();
    store.close().unwrap();
}

#[test]
fn a_read_that_races_with_a_write_leaves_no_stale_copy() {
    for persistent in [false, true] {
        let front = if persistent { Spy::default().persistent() } else { Spy::default() };
        let back = Spy::default();
        filled(&back, &[("k", 1)]);
        let store = tiered(&front, &back, WritePolicy::Through);
        let (writer, began) = (store.clone(), Arc::new(AtomicUsize::new(0)));
        let (running, count) = (Arc::new(Mutex::new(None)), began.clone());
        let thread = running.clone();
        // Between the read of the back and the copy: a listing holds no lock of the store's.
        back.after_read(move || {
            *thread.lock().unwrap() = Some(std::thread::spawn(move || {
                count.fetch_add(1, Ordering::SeqCst);
                writer.assoc("k", 2_u64).unwrap();
            }));
            std::thread::sleep(std::time::Duration::from_millis(50));
        });
        assert_eq!(store.entries::<u64>().unwrap().count(), 1);
        let thread = running.lock().unwrap().take().unwrap();
        thread.join().unwrap();
        assert_eq!(began.load(Ordering::SeqCst), 1);
        assert_eq!((get(&store, "k"), direct(&front, "k")), (Some(2), Some(2)));
    }
}

#[test]
fn a_write_given_up_between_the_tiers_leaves_no_stale_copy() {
    // The back is asynchronous, the future of the write is dropped when it has begun.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let back = konserve::open_store(Config::file(folder.path().join("back"))).await.unwrap();
        let tiers = Tiers::new(Config::memory(), &back);
        let store = konserve::open_store(Config::tiered(tiers)).await.unwrap();
        for n in 0..200_u64 {
            store.assoc("k", n).await.unwrap();
            let write = tokio::time::timeout(std::time::Duration::from_micros(n * 5), store.assoc("k", n + 1000));
            drop(write.await);
            let tiered: Option<u64> = store.get("k").await.unwrap();
            let truth: Option<u64> = back.get("k").await.unwrap();
            assert_eq!(tiered, truth);
        }
    });
}

#[test]
fn a_crash_between_the_tiers_leaves_no_stale_copy() {
    let place = |fs: &SimFs, name: &str| FilePlace::new(Arc::new(fs.clone()), name).access(Access::Exclusive);
    let config = |front: &SimFs, back: &SimFs| {
        Config::tiered(Tiers::new(Config::at(place(front, "front")), Config::at(place(back, "back"))))
    };
    let mut crashes = 0;
    for step in 0.. {
        let fs = SimFs::new();
        let store = open(config(&fs, &fs));
        store.assoc("k", 1_u64).unwrap();
        store.assoc("gone", 1_u64).unwrap();
        fs.kill(step);
        let wrote = store.assoc("k", 2_u64).and_then(|()| store.dissoc("gone"));
        if wrote.is_ok() && !fs.is_dead() {
            break;
        }
        crashes += 1;
        let next = fs.another_process();
        let store = open(config(&next, &next));
        let tiered = (get(&store, "k"), get(&store, "gone"));
        store.close().unwrap();
        let back = open(Config::at(place(&next, "back")));
        assert_eq!(tiered, (get(&back, "k"), get(&back, "gone")), "killed after {step} steps");
    }
    assert!(crashes > 5, "{crashes}");
}

#[test]
fn a_front_of_another_store_is_refused() {
    let (front, back) = (Spy::default(), Spy::default());
    filled(&front, &[("k", 1)]);
    filled(&back, &[("k", 2)]);
    let refused = |config| blocking::open_store(config).unwrap_err().kind();
    assert_eq!(refused(Config::tiered(tiers(&front, &back))), ErrorKind::InvalidConfig);
    let (front, back) = (open(Config::memory()), open(Config::memory()));
    assert_eq!(refused(Config::tiered(Tiers::new(&front, &back))), ErrorKind::InvalidConfig);
    let id = konserve::Uuid::from_bytes([1; 16]);
    let one = || Config::memory().id(id);
    let other = || Config::memory().id(konserve::Uuid::from_bytes([2; 16]));
    assert_eq!(refused(Config::tiered(Tiers::new(one(), other()))), ErrorKind::InvalidConfig);
    assert_eq!(
        refused(Config::tiered(Tiers::new(one(), Config::memory())).id(back.inner().id())),
        ErrorKind::InvalidConfig
    );
    let compressed = Config::memory().compressor(konserve::Compressor::Lz4);
    assert_eq!(refused(Config::tiered(Tiers::new(compressed, Config::memory()))), ErrorKind::InvalidConfig);
}

#[test]
fn open_stores_as_tiers_stay_open_and_are_not_deleted() {
    let id = konserve::Uuid::from_bytes([1; 16]);
    let (front, back) = (open(Config::memory().id(id)), open(Config::memory().id(id)));
    let config = || Config::tiered(Tiers::new(&front, &back));
    let store = open(config());
    store.assoc("k", 1_u64).unwrap();
    store.close().unwrap();
    blocking::delete_store(config()).unwrap();
    assert_eq!((get(&front, "k"), get(&back, "k")), (Some(1), Some(1)));
    let store = open(config());
    back.close().unwrap();
    assert_eq!(store.assoc("k", 2_u64).unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn the_front_is_filled_at_opening_as_was_asked() {
    let values: Vec<_> = (0..300).map(|n| (format!("k{n}"), n)).collect();
    let values: Vec<_> = values.iter().map(|(key, n)| (key.as_str(), *n)).collect();
    for sync in [SyncPolicy::PopulateMissing, SyncPolicy::Full] {
        let (front, back) = (Spy::default(), Spy::default());
        let store = tiered(&front, &back, WritePolicy::Through);
        store.assoc("k1", 0_u64).unwrap();
        store.assoc("only", 0_u64).unwrap();
        store.close().unwrap();
        let behind = open(back.config());
        behind.dissoc("only").unwrap();
        behind.multi_assoc(values.iter().copied()).unwrap();
        let store = open(Config::tiered(tiers(&front, &back).sync(sync).read_policy(ReadPolicy::FrontOnly)));
        let full = sync == SyncPolicy::Full;
        assert_eq!(get(&store, "k1"), Some(u64::from(full)));
        assert_eq!(get(&store, "only"), (!full).then_some(0));
        assert_eq!(store.keys().unwrap().count(), if full { 300 } else { 301 });
        assert!(values.iter().skip(2).all(|(key, n)| get(&store, key) == Some(*n)));
    }
}

#[test]
fn a_walk_copies_what_the_roots_lead_to_each_key_once() {
    let (front, back) = (Spy::default(), Spy::default());
    let store = open(back.config());
    for n in 0..400_u64 {
        store.assoc(n, vec![(2 * n + 1) % 300, (2 * n + 2) % 300]).unwrap();
    }
    store.close().unwrap();
    let store = open(Config::tiered(tiers(&front, &back)));
    let (mut walk, mut met) = (store.inner().walk([Key::from_cbor(&[0]).unwrap()]), 0);
    while let Some((_, value)) = blocking::wait(walk.next()).unwrap() {
        met += 1;
        let next: Vec<u64> = konserve::FromCbor::from_cbor(&value).unwrap();
        walk.found(next.into_iter().map(|n| Key::new(n).unwrap()));
    }
    assert_eq!(met, 300, "each once, and those that nothing leads to not");
    let reads = back.reads();
    assert!((0..300_u64).all(|n| store.get::<Value>(n).unwrap().is_some()));
    assert_eq!(back.reads(), reads);
    assert!(store.get::<Value>(399_u64).unwrap().is_some());
    assert_eq!(back.reads(), reads + 1);
}

fn cached(back: &Spy, entries: usize, bytes: usize) -> Store {
    open(back.config().cache(Cache { entries, bytes }))
}

#[test]
fn a_cached_value_is_read_without_the_back() {
    let back = Spy::default();
    let store = cached(&back, 10, 100_000);
    store.assoc("k", 1_u64).unwrap();
    let reads = back.reads();
    for _ in 0..100 {
        assert_eq!(get(&store, "k"), Some(1));
        assert!(store.exists("k").unwrap());
    }
    assert_eq!(back.reads(), reads);
    store.assoc("k", 2_u64).unwrap();
    assert_eq!(store.update("k", |old: Option<u64>| old.unwrap() + 1).unwrap(), (Some(2), 3));
    assert_eq!(get(&store, "k"), Some(3));
    assert_eq!(back.reads(), reads);
}

#[test]
fn a_cache_forgets_what_was_not_used_for_longest() {
    let back = Spy::default();
    let store = cached(&back, 3, 100_000);
    for key in ["a", "b", "c"] {
        store.assoc(key, 1_u64).unwrap();
    }
    get(&store, "a");
    store.assoc("d", 1_u64).unwrap();
    let misses = |key| {
        let reads = back.reads();
        assert_eq!(get(&store, key), Some(1));
        back.reads() - reads
    };
    assert_eq!(["a", "c", "d"].map(misses), [0, 0, 0]);
    assert_eq!(misses("b"), 1);
    assert_eq!(misses("b"), 0);
    assert_eq!(misses("a"), 1, "it was not used for longest");
}

#[test]
fn a_cache_holds_no_more_bytes_than_it_may() {
    let back = Spy::default();
    let store = cached(&back, 1000, 10_000);
    let value = |len: usize| "x".repeat(len);
    store.assoc("large", value(20_000)).unwrap();
    store.assoc("a", value(4000)).unwrap();
    store.assoc("b", value(4000)).unwrap();
    let misses = |key| {
        let reads = back.reads();
        assert!(store.get::<String>(key).unwrap().is_some());
        back.reads() - reads
    };
    assert_eq!(misses("large"), 1);
    assert_eq!(misses("large"), 1, "it is larger than all the cache");
    assert_eq!(["a", "b"].map(misses), [0, 0]);
    store.assoc("c", value(4000)).unwrap();
    assert_eq!(["b", "c"].map(misses), [0, 0]);
    assert_eq!(misses("a"), 1);
}

#[test]
fn a_cache_over_what_others_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = |access| FilePlace::new(Arc::new(konserve::backing::StdFs), folder.path().join("s")).access(access);
    let config = |access| Config::at(place(access)).cache(Cache::default());
    let error = blocking::open_store(config(Access::Shared)).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidConfig && error.message().contains("cache"), "{error}");
    let store = open(config(Access::Exclusive));
    store.assoc("k", 1_u64).unwrap();
    store.close().unwrap();
    assert_eq!(blocking::open_store(config(Access::Read)).unwrap_err().kind(), ErrorKind::InvalidConfig);
}

#[test]
fn what_is_invalidated_is_read_in_the_back() {
    let back = Spy::default();
    let (store, other) = (cached(&back, 10, 100_000), open(back.config()));
    store.multi_assoc([("a", 1_u64), ("b", 1)]).unwrap();
    other.multi_assoc([("a", 2_u64), ("b", 2)]).unwrap();
    assert_eq!((get(&store, "a"), get(&store, "b")), (Some(1), Some(1)));
    store.invalidate(Some(&[Key::from("a")]));
    assert_eq!((get(&store, "a"), get(&store, "b")), (Some(2), Some(1)));
    store.invalidate(None);
    assert_eq!(get(&store, "b"), Some(2));
}

#[test]
fn an_invalidation_reaches_a_copy_that_is_being_made() {
    for all in [false, true] {
        let back = Spy::default();
        filled(&back, &[("k", 1)]);
        let (store, other) = (cached(&back, 10, 100_000), open(back.config()));
        let (invalidated, running) = (store.clone(), Arc::new(Mutex::new(None)));
        let thread = running.clone();
        back.after_read(move || {
            other.assoc("k", 2_u64).unwrap();
            *thread.lock().unwrap() = Some(std::thread::spawn(move || {
                let keys = [Key::from("k")];
                invalidated.invalidate((!all).then_some(&keys[..]));
            }));
            std::thread::sleep(std::time::Duration::from_millis(50));
        });
        assert_eq!(get(&store, "k"), Some(1), "it was read before");
        running.lock().unwrap().take().unwrap().join().unwrap();
        assert_eq!(get(&store, "k"), Some(2));
    }
}

#[test]
fn damage_in_the_back_is_found_behind_a_sound_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = open(Config::file(&path).cache(Cache::default()));
    store.assoc("k", "x".repeat(1000)).unwrap();
    let file = path.join(Key::from("k").name().file_name());
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert!(store.get::<String>("k").unwrap().is_some(), "the copy is sound");
    let report = store.repair(|_| {}).unwrap();
    assert!(report.corrupt.first().unwrap().set_aside);
    assert_eq!(store.get::<String>("k").unwrap(), None);
}

#[test]
fn tiers_of_tiers_are_a_store() {
    let (near, middle, far) = (Spy::default(), Spy::default(), Spy::default());
    let config = || {
        let inner = Config::tiered(Tiers::new(middle.config(), far.config()).write_policy(WritePolicy::Behind));
        Config::tiered(Tiers::new(near.config(), inner)).cache(Cache::default())
    };
    let store = open(config());
    store.assoc("k", 1_u64).unwrap();
    store.flush().unwrap();
    assert_eq!([&near, &middle, &far].map(|tier| direct(tier, "k")), [Some(1); 3]);
    store.dissoc("k").unwrap();
    store.close().unwrap();
    assert_eq!([&near, &middle, &far].map(|tier| direct(tier, "k")), [None; 3]);
}

/// A step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Put(u8, u64),
    Delete(u8),
    Add(u8, u64),
    PutBoth(u8, u8, u64),
    Get(u8),
    List,
    Flush,
    FrontFails(bool),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || 0..6_u8;
    let step = prop_oneof![
        4 => (key(), 0..100_u64).prop_map(|(key, n)| Step::Put(key, n)),
        3 => key().prop_map(Step::Delete),
        3 => (key(), 0..100_u64).prop_map(|(key, n)| Step::Add(key, n)),
        2 => (key(), key(), 0..100_u64).prop_map(|(a, b, n)| Step::PutBoth(a, b, n)),
        6 => key().prop_map(Step::Get),
        1 => Just(Step::List),
        1 => Just(Step::Flush),
        2 => any::<bool>().prop_map(Step::FrontFails),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    /// Proptest prints the history, and its seed, when one fails.
    #[test]
    fn every_history_reads_as_that_of_one_map(steps in steps(), policy in 0..4_usize, persistent in any::<bool>()) {
        let write = WRITES[policy];
        let front = if persistent { Spy::default().persistent() } else { Spy::default() };
        let back = Spy::default();
        filled(&back, &[]);
        let mut model = std::collections::BTreeMap::<u8, u64>::new();
        let mut store = tiered(&front, &back, write);
        for step in steps {
            match step {
                Step::Put(key, n) => {
                    store.assoc(key, n).unwrap();
                    model.insert(key, n);
                }
                Step::Delete(key) => {
                    prop_assert_eq!(store.dissoc(key).unwrap(), model.remove(&key).is_some());
                }
                Step::Add(key, n) => {
                    let old = model.get(&key).copied();
                    let added = store.update(key, move |old: Option<u64>| old.unwrap_or(0) + n).unwrap();
                    prop_assert_eq!(added, (old, old.unwrap_or(0) + n));
                    model.insert(key, added.1);
                }
                Step::PutBoth(a, b, n) => {
                    let there = store.multi_assoc([(a, n), (b, n)]).unwrap();
                    prop_assert_eq!(there, [a, b].map(|key| model.contains_key(&key)));
                    model.extend([(a, n), (b, n)]);
                }
                Step::Get(key) => prop_assert_eq!(store.get::<u64>(key).unwrap(), model.get(&key).copied()),
                Step::List => prop_assert_eq!(store.entries::<u64>().unwrap().count(), model.len()),
                Step::Flush => store.flush().unwrap(),
                // The front of a store that never writes its back must work.
                Step::FrontFails(fails) => front.fail_writes(fails && write != WritePolicy::FrontOnly),
                Step::Reopen => {
                    front.fail_writes(false);
                    store.close().unwrap();
                    // What a front on disk could not take is healed when it is closed; one in memory is gone then.
                    if !persistent && write != WritePolicy::FrontOnly {
                        front.clear();
                    }
                    store = tiered(&front, &back, write);
                }
            }
        }
        for key in 0..6_u8 {
            prop_assert_eq!(store.get::<u64>(key).unwrap(), model.get(&key).copied(), "key {}", key);
        }
        store.close().unwrap();
    }
}
