//! Batches over files that fail, and over native types.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::{Arc, Mutex};

use konserve::{
    BatchEntry, Config, ErrorKind, Key, Op, Value, WriteOptions,
    backing::FilePlace,
    blocking::{self, Store},
    testing::{SimFault, SimFs},
};

fn simulated(fs: &SimFs) -> Store {
    blocking::open_store(Config::at(FilePlace::new(Arc::new(fs.clone()), "store"))).unwrap()
}

#[test]
fn a_full_disk_leaves_nothing_of_a_batch_and_the_error_names_a_key() {
    let keys = ["a", "b", "c"];
    let mut named = Vec::new();
    for step in 1.. {
        let fs = SimFs::new();
        let store = simulated(&fs);
        store.assoc("b", 0).unwrap();
        let before = fs.steps();
        fs.fail(step, SimFault::NoSpace);
        let result = store.multi_assoc(keys.map(|key| (key, 1)));
        if before + step > fs.steps() {
            assert_eq!(result.unwrap(), [false, true, false]);
            break;
        }
        let Err(error) = result else { continue };
        assert_eq!(error.kind(), ErrorKind::NoSpace);
        let key = error.key().unwrap_or_else(|| panic!("step {step}: {error} names no key"));
        named.push(keys.iter().position(|name| Key::from(*name).as_cbor() == key).unwrap());
        let found = store.multi_get::<u64>(keys).unwrap();
        assert!(found == [None, Some(0), None] || found == [Some(1); 3], "step {step}: {found:?}");
        assert_eq!(store.multi_assoc(keys.map(|key| (key, 2))).unwrap().len(), 3, "it works when there is room");
        assert_eq!(store.multi_get::<u64>(keys).unwrap(), [Some(2); 3]);
    }
    named.sort_unstable();
    named.dedup();
    assert_eq!(named, [0, 1, 2], "each of them at some step");
}

#[tokio::test]
async fn several_values_of_native_types() {
    let store = konserve::open_store(Config::memory()).await.unwrap();
    assert_eq!(store.multi_assoc([("a", 1), ("b", 2)]).await.unwrap(), [false, false]);
    let user = WriteOptions::default().meta(std::collections::BTreeMap::from([("by", "ada")])).unwrap();
    let entries =
        vec![BatchEntry::new(("users", 7), "Ada").unwrap().with(user), BatchEntry::new("a", vec![1, 2]).unwrap()];
    assert_eq!(store.multi_assoc_cbor(entries, WriteOptions::default()).await.unwrap(), [false, true]);
    assert_eq!(store.multi_get::<u64>(["b", "none"]).await.unwrap(), [Some(2), None]);
    assert_eq!(store.multi_get::<Value>(vec!["a"]).await.unwrap(), store.multi_get(["a"]).await.unwrap());
    assert!(!store.get_meta(("users", 7)).await.unwrap().unwrap().user.is_empty());
    assert_eq!(store.multi_dissoc([1, 2]).await.unwrap(), [false, false]);
    assert_eq!(store.multi_dissoc(["a", "b"]).await.unwrap(), [true, true]);
}

#[test]
fn a_hook_that_panics_breaks_nothing_and_threads_are_told_of_in_the_order_of_their_writes() {
    let folder = tempfile::tempdir().unwrap();
    let place = FilePlace::new(Arc::new(konserve::backing::StdFs), folder.path().join("store")).sync_blob(false);
    for config in [Config::memory(), Config::at(place)] {
        let store = blocking::open_store(config).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let telling = told.clone();
        store.add_write_hook("panics", |event| assert!(event.op != Op::Assoc, "the hook's own")).unwrap();
        store
            .add_write_hook("test", move |event| telling.lock().unwrap().push((event.op, event.values.clone())))
            .unwrap();
        store.assoc("n", 0).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..250 {
                        store.update("n", |n: Option<u64>| n.unwrap() + 1).unwrap();
                    }
                });
            }
        });
        let told = std::mem::take(&mut *told.lock().unwrap());
        let expected: Vec<_> = (0..=1000_u64).map(|n| (if n == 0 { Op::Assoc } else { Op::Update }, n)).collect();
        let told: Vec<_> =
            told.iter().map(|(op, values)| (*op, konserve::FromCbor::from_cbor(&values[0]).unwrap())).collect();
        assert!(told == expected, "in the order of the writes");
        store.remove_write_hook("panics");
        store.close().unwrap();
        assert_eq!(store.add_write_hook("late", |_| {}).unwrap_err().kind(), ErrorKind::Closed);
    }
}
