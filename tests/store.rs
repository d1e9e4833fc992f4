//! The store over each native backing: what the asynchronous API promises, from many threads too.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use konserve::{
    Compressor, Config, ErrorKind, Kind, Store, Value, WriteOptions,
    backing::{Access, FilePlace, StdFs},
    blocking, connect_store, create_store, delete_store, open_store, store_exists,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    visits: u64,
    tags: Vec<String>,
}

fn ada() -> User {
    User { name: "Ada".into(), visits: 1, tags: vec!["math".into()] }
}

/// The configs of every native backing, and the folder that keeps the file store.
fn configs() -> (tempfile::TempDir, Vec<Config>) {
    let folder = tempfile::tempdir().unwrap();
    let unsynced = FilePlace::new(std::sync::Arc::new(StdFs), folder.path().join("unsynced")).sync_blob(false);
    let configs = vec![
        Config::memory_named(folder.path().display().to_string()),
        Config::file(folder.path().join("synced")).compressor(Compressor::Lz4),
        Config::at(unsynced),
    ];
    (folder, configs)
}

fn code<T: std::fmt::Debug>(result: Result<T, konserve::Error>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[tokio::test]
async fn stores_are_made_found_and_deleted() {
    let (_folder, configs) = configs();
    for config in configs {
        assert!(!store_exists(config.clone()).await.unwrap());
        assert_eq!(code(connect_store(config.clone()).await), ErrorKind::StoreNotFound);
        let store = create_store(config.clone()).await.unwrap();
        store.assoc("k", 1).await.unwrap();
        assert!(store_exists(config.clone()).await.unwrap());
        assert_eq!(code(create_store(config.clone()).await), ErrorKind::StoreExists);
        let id = store.id();
        store.close().await.unwrap();
        store.close().await.unwrap();
        assert_eq!(code(store.get::<u64>("k").await), ErrorKind::Closed);
        let again = open_store(config.clone()).await.unwrap();
        assert_eq!((again.id(), again.get("k").await.unwrap()), (id, Some(1)));
        again.close().await.unwrap();
        delete_store(config.clone()).await.unwrap();
        delete_store(config.clone()).await.unwrap();
        assert!(!store_exists(config).await.unwrap());
    }
}

#[tokio::test]
async fn values_are_reached_by_path() {
    let (_folder, configs) = configs();
    for config in configs {
        let store = open_store(config).await.unwrap();
        assert_eq!(store.get::<User>("ada").await.unwrap(), None);
        store.assoc("ada", &ada()).await.unwrap();
        assert_eq!(store.get("ada").await.unwrap(), Some(ada()));
        assert_eq!(store.get_in(("ada", "tags", 0)).await.unwrap(), Some("math".to_owned()));
        assert_eq!(store.get_in::<Value>(("ada", "tags", 1)).await.unwrap(), None);
        store.assoc_in(("ada", "tags", 1), "poetry").await.unwrap();
        store.assoc_in(("ada", "address", "city"), "London").await.unwrap();
        assert_eq!(store.get_in(("ada", "address", "city")).await.unwrap(), Some("London".to_owned()));
        assert_eq!(code(store.assoc_in(("ada", "name", "first"), "A").await), ErrorKind::InvalidPath);
        assert_eq!(code(store.assoc_in(("ada", "tags", 7), "far").await), ErrorKind::InvalidPath);
        assert!(store.dissoc_in(("ada", "address")).await.unwrap());
        assert!(!store.dissoc_in(("ada", "address")).await.unwrap());
        let User { tags, .. } = store.get("ada").await.unwrap().unwrap();
        assert_eq!(tags, ["math", "poetry"]);
        assert_eq!(
            store.update_in(("ada", "visits"), |n: Option<u64>| n.unwrap_or(0) + 1).await.unwrap(),
            (Some(1), 2)
        );
        assert!(store.dissoc("ada").await.unwrap());
        assert!(!store.dissoc("ada").await.unwrap());
        assert!(!store.exists("ada").await.unwrap());
    }
}

#[tokio::test]
async fn metadata_is_kept_by_updates_and_expiry_hides() {
    let (_folder, configs) = configs();
    for config in configs {
        let store = open_store(config).await.unwrap();
        let options = WriteOptions::default().meta(BTreeMap::from([("by", "ada"), ("as", "x")])).unwrap();
        store.assoc_with(("k",), 1, options).await.unwrap();
        let first = store.get_meta("k").await.unwrap().unwrap();
        assert_eq!((first.kind, first.size), (Kind::Value, Some(1)));
        store.update("k", |n: Option<u64>| n.unwrap() + 1).await.unwrap();
        let second = store.get_meta("k").await.unwrap().unwrap();
        assert_eq!(second.user, first.user);
        assert!(second.last_write >= first.last_write);
        assert_ne!(second.digest, first.digest);
        store.assoc_with(("gone",), 1, WriteOptions::default().expires(1)).await.unwrap();
        assert!(!store.exists("gone").await.unwrap());
        assert_eq!(store.get::<u64>("gone").await.unwrap(), None);
        assert!(!store.dissoc("gone").await.unwrap());
        assert_eq!(keys(&store).await, ["k"]);
        let taken = WriteOptions::default().meta(BTreeMap::from([("size", 1)]));
        assert_eq!(code(taken.map(|_| ())), ErrorKind::InvalidValue);
    }
}

async fn keys(store: &Store) -> Vec<String> {
    let (mut keys, mut pages) = (Vec::new(), store.keys().unwrap());
    while let Some(page) = pages.next_page().await.unwrap() {
        keys.extend(page.into_iter().map(|meta| meta.key.read::<String>().unwrap()));
    }
    keys.sort();
    keys
}

#[tokio::test]
async fn listings_have_every_key_once() {
    let (_folder, configs) = configs();
    for config in configs {
        let store = open_store(config).await.unwrap();
        let names: Vec<String> = (0..1000).map(|n| format!("key {n:04}")).collect();
        for name in &names {
            store.assoc(name, name.len()).await.unwrap();
        }
        assert_eq!(keys(&store).await, names);
        let mut pages = store.entries().unwrap();
        let mut found = 0;
        while let Some(page) = pages.next_page().await.unwrap() {
            assert!(page.iter().all(|(_, value)| value[..] == [8]));
            found += page.len();
        }
        assert_eq!(found, 1000);
        drop(pages);
        let report = store.verify(|_| {}).await.unwrap();
        assert_eq!((report.checked, report.corrupt.len()), (1000, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_concurrent_updates_lose_nothing() {
    let (_folder, configs) = configs();
    // Each update of the synced store waits for the disk, so it gets fewer.
    for (config, count) in configs.into_iter().zip([10_000, 500, 10_000]) {
        let store = open_store(config).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..count {
            let store = store.clone();
            tasks.spawn(async move { store.update_in(("n",), |n: Option<u64>| n.unwrap_or(0) + 1).await.unwrap() });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        assert_eq!(store.get::<u64>("n").await.unwrap(), Some(count));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn asynchronous_functions_lose_nothing_either() {
    let (_folder, configs) = configs();
    for config in configs {
        let store = open_store(config).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for at in 0..1000 {
            let store = store.clone();
            tasks.spawn(async move {
                if at % 2 == 0 {
                    let slow = |n: Option<u64>| async move {
                        tokio::task::yield_now().await;
                        Ok(n.unwrap_or(0) + 1)
                    };
                    store.update_in_async(("n",), slow).await.unwrap();
                } else {
                    store.update_in(("n",), |n: Option<u64>| n.unwrap_or(0) + 1).await.unwrap();
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        assert_eq!(store.get::<u64>("n").await.unwrap(), Some(1000));
    }
}

#[test]
fn the_synchronous_view_works_from_many_threads() {
    let (_folder, configs) = configs();
    for config in configs {
        let store = blocking::open_store(config).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..250 {
                        store.update("n", |n: Option<u64>| n.unwrap_or(0) + 1).unwrap();
                    }
                });
            }
        });
        assert_eq!(store.get::<u64>("n").unwrap(), Some(2000));
        assert_eq!(
            store.keys().unwrap().map(|meta| meta.unwrap().key.read::<String>().unwrap()).collect::<Vec<_>>(),
            ["n"]
        );
        store.close().unwrap();
    }
}

#[test]
fn readers_of_a_file_store_need_no_lock_and_see_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = blocking::create_store(Config::file(&path)).unwrap();
    store.assoc("good", 1).unwrap();
    store.assoc("bad", 2).unwrap();
    std::fs::write(path.join("notes.txt"), "not ours").unwrap();
    let locked = blocking::open_store(Config::file(&path)).map(|_| ());
    assert_eq!(code(locked), ErrorKind::StoreLocked);
    let bad = path.join(konserve::Key::from("bad").name().file_name());
    let bytes = std::fs::read(&bad).unwrap();
    std::fs::write(&bad, &bytes[..bytes.len() - 1]).unwrap();
    let reader = FilePlace::new(std::sync::Arc::new(StdFs), &path).access(Access::Read);
    let reader = blocking::connect_store(Config::at(reader)).unwrap();
    assert_eq!(reader.get::<u64>("good").unwrap(), Some(1));
    assert_eq!(code(reader.get::<u64>("bad")), ErrorKind::Corrupt);
    let error = reader.assoc("more", 3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    let report = reader.verify(|_| {}).unwrap();
    assert_eq!((report.checked, report.corrupt.len()), (2, 1));
    store.assoc("bad", 4).unwrap();
    assert_eq!(reader.get::<u64>("bad").unwrap(), Some(4));
    assert!(path.join("notes.txt").exists());
}

#[test]
fn a_lost_record_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = blocking::create_store(Config::file(&path)).unwrap();
    store.assoc("k", 1).unwrap();
    store.close().unwrap();
    std::fs::remove_file(path.join("konserve.store")).unwrap();
    for open in [blocking::open_store, blocking::connect_store] {
        assert_eq!(code(open(Config::file(&path)).map(|_| ())), ErrorKind::Corrupt);
    }
    assert_eq!(code(blocking::create_store(Config::file(&path)).map(|_| ())), ErrorKind::StoreExists);
}
