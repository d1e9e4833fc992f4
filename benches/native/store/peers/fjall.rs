//! fjall: a log-structured tree. It writes to a journal, which it syncs when it is told to.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::Peer;

pub struct Fjall {
    database: Database,
    entries: Keyspace,
    logs: Keyspace,
    sync: bool,
}

impl Fjall {
    pub fn open(folder: &Path, sync: bool) -> Self {
        let database = Database::builder(folder).open().unwrap();
        let [entries, logs] =
            ["entries", "logs"].map(|name| database.keyspace(name, KeyspaceCreateOptions::default).unwrap());
        Self { database, entries, logs, sync }
    }

    fn persist(&self) {
        if self.sync {
            self.database.persist(PersistMode::SyncAll).unwrap();
        }
    }
}

impl Peer for Fjall {
    fn put(&self, key: &str, bytes: Vec<u8>) {
        self.entries.insert(key, bytes).unwrap();
        self.persist();
    }

    fn get(&self, key: &str, see: &mut dyn FnMut(&[u8])) {
        see(&self.entries.get(key).unwrap().unwrap());
    }

    fn put_all(&self, entries: Vec<(&str, Vec<u8>)>) {
        let mut batch = self.database.batch();
        for (key, bytes) in entries {
            batch.insert(&self.entries, key, bytes);
        }
        batch.commit().unwrap();
        self.persist();
    }

    fn append(&self, name: &str, at: u64, bytes: &[u8]) {
        self.logs.insert([name.as_bytes(), &at.to_be_bytes()].concat(), bytes).unwrap();
        self.persist();
    }

    fn count(&self) -> usize {
        self.entries.iter().map(|entry| entry.key().unwrap()).collect::<Vec<_>>().len()
    }
}
