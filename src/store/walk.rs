//! Walks: from root keys to the keys that their values name, and on. What is met is copied to where reads look first.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Store;
use crate::{
    backing::Part,
    error::Result,
    key::{Key, Path},
    meta::Kind,
    name::NameTable,
};

/// So many keys are copied together.
const TOGETHER: usize = 64;

/// A walk under way: breadth first, each key once. Beside the keys it holds one value at a time.
pub struct Walk {
    store: Store,
    seen: NameTable,
    /// Found, and not copied yet.
    waiting: VecDeque<Key>,
    copied: VecDeque<Key>,
}

impl Store {
    /// A walk from these keys on. The front of a tiered store gets what it meets.
    pub fn walk(&self, roots: impl IntoIterator<Item = Key>) -> Walk {
        let (seen, waiting, copied) = (NameTable::default(), VecDeque::new(), VecDeque::new());
        let mut walk = Walk { store: self.clone(), seen, waiting, copied };
        walk.found(roots);
        walk
    }
}

impl Walk {
    /// The next key that has a value, and the value as CBOR; `None` after the last. Binaries and logs are copied, and not
    /// given.
    pub async fn next(&mut self) -> Result<Option<(Key, Bytes)>> {
        loop {
            let Some(key) = self.copied.pop_front() else {
                if self.waiting.is_empty() {
                    return Ok(None);
                }
                self.copy().await?;
                continue;
            };
            let opened = self.store.load(&key, Part::Head).await.map_err(|error| error.at_key(key.as_cbor()))?;
            if opened.is_none_or(|opened| opened.meta.kind != Kind::Value) {
                continue;
            }
            let path = Path { key, steps: Vec::new() };
            if let Some(value) = self.store.get_cbor(&path).await? {
                return Ok(Some((path.key, value)));
            }
        }
    }

    /// These keys are walked to, unless they were before.
    pub fn found(&mut self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            // What no blob can have as key has no value to walk to.
            let Ok(name) = self.store.name(&key) else { continue };
            if self.seen.insert(name, 0).is_none() {
                self.waiting.push_back(key);
            }
        }
    }

    async fn copy(&mut self) -> Result<()> {
        let _pass = self.store.inner.gate.enter()?;
        self.copied = self.waiting.drain(..TOGETHER.min(self.waiting.len())).collect();
        let names = self.copied.iter().flat_map(|key| self.store.names(key)).collect();
        self.store.inner.backing.pull(names).await
    }
}
