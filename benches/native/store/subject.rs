//! Who is measured: this crate in its ways, and its peers.

use std::{hint::black_box, path::Path, sync::Arc};

use konserve::{
    Config, Encryptor, Key, Store, Tiers,
    backing::{FilePlace, StdFs},
    blocking::{self, wait},
};
use serde::de::DeserializeOwned;
use tempfile::TempDir;

use super::{
    documents::{Content, decode, encode},
    peers::{Files, Fjall, Map, Peer, Redb},
};

/// What is known of a subject before it is open.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    pub title: &'static str,
    /// The subject that it is compared with.
    pub against: &'static str,
    open: fn(&Path) -> Body,
}

enum Body {
    Konserve(Store),
    Peer(Box<dyn Peer>),
}

/// All of them: first what is in memory, then files that are not synced, then files that are.
#[rustfmt::skip]
pub const KINDS: [Kind; 15] = [
    Kind { name: "map", title: "HashMap of encoded bytes", against: "map", open: |_| peer(Map::default()) },
    Kind { name: "konserve-memory", title: "memory", against: "map", open: |_| blocking(Config::memory()) },
    Kind { name: "konserve-memory-async", title: "memory, async", against: "map", open: |_| asynchronous(Config::memory()) },
    Kind { name: "konserve-memory-encrypted", title: "memory, encrypted", against: "map", open: |_| blocking(encrypted(Config::memory())) },
    Kind { name: "fs", title: "std::fs", against: "fs", open: |folder| peer(Files::new(folder.into(), false, false)) },
    Kind { name: "konserve-files", title: "files", against: "fs", open: |folder| blocking(files(folder)) },
    Kind { name: "konserve-files-async", title: "files, async", against: "fs", open: |folder| asynchronous(files(folder)) },
    Kind { name: "konserve-files-encrypted", title: "files, encrypted", against: "fs", open: |folder| blocking(encrypted(files(folder))) },
    Kind { name: "konserve-tiered", title: "memory before files", against: "fs", open: |folder| blocking(Config::tiered(Tiers::new(Config::memory(), files(folder)))) },
    Kind { name: "redb-unsynced", title: "redb, durability none", against: "fs", open: |folder| peer(Redb::open(folder, false)) },
    Kind { name: "fjall", title: "fjall", against: "fs", open: |folder| peer(Fjall::open(folder, false)) },
    Kind { name: "fs-fsync", title: "std::fs, synced", against: "fs-fsync", open: |folder| peer(Files::new(folder.into(), true, false)) },
    Kind { name: "konserve-files-fsync", title: "files, synced", against: "fs-fsync", open: |folder| blocking(Config::file(folder)) },
    Kind { name: "redb", title: "redb", against: "fs-fsync", open: |folder| peer(Redb::open(folder, true)) },
    Kind { name: "fjall-fsync", title: "fjall, synced", against: "fs-fsync", open: |folder| peer(Fjall::open(folder, true)) },
];

/// Files whose listing reads what a store's listing reads.
pub const HEADS: Kind = Kind {
    name: "fs-heads",
    title: "std::fs, with the first 4 KiB of each",
    against: "fs-heads",
    open: |folder| peer(Files::new(folder.into(), false, true)),
};

fn peer(peer: impl Peer + 'static) -> Body {
    Body::Peer(Box::new(peer))
}

fn blocking(config: Config) -> Body {
    Body::Konserve(blocking::open_store(config).unwrap().inner().clone())
}

fn asynchronous(config: Config) -> Body {
    Body::Konserve(wait(konserve::open_store(config)).unwrap())
}

fn files(folder: &Path) -> Config {
    Config::at(FilePlace::new(Arc::new(StdFs), folder).sync_blob(false))
}

fn encrypted(config: Config) -> Config {
    config.encryptor(Encryptor::aes_blake3([7; 32]))
}

/// One that is open, in a folder of its own.
pub struct Subject {
    pub kind: Kind,
    body: Option<Body>,
    folder: TempDir,
}

impl Subject {
    pub fn open(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let body = Some((kind.open)(folder.path()));
        Self { kind, body, folder }
    }

    /// Closes it and opens it again.
    pub fn reopen(&mut self) {
        if let Some(Body::Konserve(store)) = self.body.take() {
            wait(store.close()).unwrap();
        }
        self.body = Some((self.kind.open)(self.folder.path()));
    }

    fn body(&self) -> &Body {
        self.body.as_ref().unwrap()
    }

    pub fn set(&self, key: &str, document: &impl Content) {
        match self.body() {
            Body::Konserve(store) => wait(store.assoc(key, document)).unwrap(),
            Body::Peer(peer) => peer.put(key, encode(document)),
        }
    }

    /// The value as encoded bytes.
    pub fn get_bytes(&self, key: &str) {
        match self.body() {
            Body::Konserve(store) => _ = black_box(wait(store.get_cbor(&Key::from(key).into())).unwrap().unwrap()),
            Body::Peer(peer) => peer.get(key, &mut |bytes| _ = black_box(bytes)),
        }
    }

    pub fn get<T: DeserializeOwned>(&self, key: &str) -> T {
        match self.body() {
            Body::Konserve(store) => wait(store.get(key)).unwrap().unwrap(),
            Body::Peer(peer) => {
                let mut found = None;
                peer.get(key, &mut |bytes| found = Some(decode(bytes)));
                found.unwrap()
            }
        }
    }

    pub fn update<T: Content>(&self, key: &str) {
        match self.body() {
            Body::Konserve(store) => {
                let change = |old: Option<T>| {
                    let mut new = old.unwrap();
                    new.change();
                    new
                };
                wait(store.update(key, change)).unwrap();
            }
            Body::Peer(peer) => {
                let mut value: T = self.get(key);
                value.change();
                peer.put(key, encode(&value));
            }
        }
    }

    pub fn set_all<T: Content>(&self, keys: &[String], documents: &[T]) {
        let entries = keys.iter().map(String::as_str).zip(documents);
        match self.body() {
            Body::Konserve(store) => _ = wait(store.multi_assoc(entries)).unwrap(),
            Body::Peer(peer) => peer.put_all(entries.map(|(key, document)| (key, encode(document))).collect()),
        }
    }

    pub fn append(&self, name: &str, at: u64, document: &impl Content) {
        match self.body() {
            Body::Konserve(store) => wait(store.append(name, document)).unwrap(),
            Body::Peer(peer) => peer.append(name, at, &encode(document)),
        }
    }

    pub fn set_binary(&self, key: &str, bytes: &[u8]) {
        match self.body() {
            Body::Konserve(store) => wait(store.bassoc(key, bytes.to_vec())).unwrap(),
            Body::Peer(peer) => peer.put(key, bytes.to_vec()),
        }
    }

    pub fn get_binary(&self, key: &str) {
        match self.body() {
            Body::Konserve(store) => _ = black_box(wait(store.bget(key)).unwrap().unwrap()),
            Body::Peer(peer) => peer.get(key, &mut |bytes| _ = black_box(bytes)),
        }
    }

    /// How many keys there are, from going through them.
    pub fn count(&self) -> usize {
        match self.body() {
            Body::Konserve(store) => {
                let (mut pages, mut count) = (store.keys().unwrap(), 0);
                while let Some(page) = wait(pages.next_page()).unwrap() {
                    count += black_box(page).len();
                }
                count
            }
            Body::Peer(peer) => peer.count(),
        }
    }

    /// The store, of one of ours.
    pub fn store(&self) -> Option<&Store> {
        match self.body() {
            Body::Konserve(store) => Some(store),
            Body::Peer(_) => None,
        }
    }
}
