//! A `HashMap` that threads share.

use std::{collections::HashMap, sync::RwLock};

use super::Peer;

#[derive(Default)]
pub struct Map {
    entries: RwLock<HashMap<Vec<u8>, Vec<u8>>>,
    logs: RwLock<HashMap<Vec<u8>, Vec<Vec<u8>>>>,
}

impl Peer for Map {
    fn put(&self, key: &str, bytes: Vec<u8>) {
        self.entries.write().unwrap().insert(key.into(), bytes);
    }

    /// The bytes outlive the lock, as those of a store do: so they are copied.
    fn get(&self, key: &str, see: &mut dyn FnMut(&[u8])) {
        let bytes = self.entries.read().unwrap().get(key.as_bytes()).cloned();
        see(&bytes.unwrap());
    }

    fn put_all(&self, entries: Vec<(&str, Vec<u8>)>) {
        self.entries.write().unwrap().extend(entries.into_iter().map(|(key, bytes)| (key.into(), bytes)));
    }

    fn append(&self, name: &str, _at: u64, bytes: &[u8]) {
        self.logs.write().unwrap().entry(name.into()).or_default().push(bytes.to_vec());
    }

    fn count(&self) -> usize {
        self.entries.read().unwrap().keys().cloned().collect::<Vec<_>>().len()
    }
}
