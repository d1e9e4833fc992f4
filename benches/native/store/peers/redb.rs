//! redb: a tree of pages in one file. A transaction for each write, which syncs unless told otherwise.

use std::path::Path;

use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::Peer;

const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("entries");
const LOGS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("logs");

pub struct Redb {
    database: Database,
    sync: bool,
}

impl Redb {
    pub fn open(folder: &Path, sync: bool) -> Self {
        let redb = Self { database: Database::create(folder.join("redb")).unwrap(), sync };
        redb.write(|transaction| drop(transaction.open_table(TABLE).unwrap()));
        redb
    }

    fn write(&self, act: impl FnOnce(&WriteTransaction)) {
        let mut transaction = self.database.begin_write().unwrap();
        if !self.sync {
            transaction.set_durability(Durability::None).unwrap();
        }
        act(&transaction);
        transaction.commit().unwrap();
    }
}

impl Peer for Redb {
    fn put(&self, key: &str, bytes: Vec<u8>) {
        self.put_all(vec![(key, bytes)]);
    }

    fn get(&self, key: &str, see: &mut dyn FnMut(&[u8])) {
        let table = self.database.begin_read().unwrap().open_table(TABLE).unwrap();
        // The bytes outlive the transaction.
        let bytes = table.get(key).unwrap().unwrap().value().to_vec();
        see(&bytes);
    }

    fn put_all(&self, entries: Vec<(&str, Vec<u8>)>) {
        self.write(|transaction| {
            let mut table = transaction.open_table(TABLE).unwrap();
            for (key, bytes) in entries {
                table.insert(key, bytes.as_slice()).unwrap();
            }
        });
    }

    fn append(&self, name: &str, at: u64, bytes: &[u8]) {
        self.write(|transaction| drop(transaction.open_table(LOGS).unwrap().insert((name, at), bytes).unwrap()));
    }

    fn count(&self) -> usize {
        let table = self.database.begin_read().unwrap().open_table(TABLE).unwrap();
        table.iter().unwrap().map(|entry| entry.unwrap().0.value().to_owned()).collect::<Vec<_>>().len()
    }
}
