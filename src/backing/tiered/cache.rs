//! Blobs in memory, as many as it may hold: what was not used for longest goes first.

use std::{
    collections::{HashMap, VecDeque},
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::{deletion, watched};
use crate::backing::{
    Backing, Blob, Capability, Change, Heads, JudgeFn, MemoryBacking, Outcome, Part, Place, RecordCopy, UpdateFn, Write,
};
use crate::{
    env::BoxFut,
    error::Result,
    name::{BlobName, NameHash},
};

/// A place for copies: a new one at every opening.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CachePlace {
    /// At most so many blobs.
    pub(crate) entries: usize,
    /// At most so many bytes, heads included.
    pub(crate) bytes: usize,
}

impl Place for CachePlace {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        Box::pin(ready(Ok(false)))
    }

    fn open(&self, _create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        let (blobs, recent) = (MemoryBacking::default(), Mutex::default());
        let cache: Arc<dyn Backing> = Arc::new(Cache { limits: *self, blobs, recent });
        Box::pin(ready(Ok(cache)))
    }

    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        Box::pin(ready(Ok(())))
    }
}

struct Cache {
    limits: CachePlace,
    blobs: MemoryBacking,
    recent: Mutex<Recent>,
}

/// Which blobs there are, and when they were used last.
#[derive(Default)]
struct Recent {
    /// The last use and the size of each.
    by_name: HashMap<BlobName, (u64, usize), NameHash>,
    /// The uses, oldest first. One that is not the last of its name counts no more.
    uses: VecDeque<(u64, BlobName)>,
    count: u64,
    bytes: usize,
}

impl Recent {
    fn used(&mut self, name: BlobName) {
        let Some((last, _)) = self.by_name.get_mut(&name) else { return };
        self.count += 1;
        *last = self.count;
        self.uses.push_back((self.count, name));
        if self.uses.len() > 2 * self.by_name.len() + 64 {
            let by_name = &self.by_name;
            self.uses.retain(|(at, name)| by_name.get(name).is_some_and(|(last, _)| last == at));
        }
    }

    fn remove(&mut self, name: BlobName) {
        self.bytes -= self.by_name.remove(&name).map_or(0, |(_, size)| size);
    }

    fn put(&mut self, name: BlobName, size: usize) {
        self.remove(name);
        self.by_name.insert(name, (0, size));
        self.bytes += size;
        self.used(name);
    }

    fn changed(&mut self, name: BlobName, change: &Change) {
        match change {
            Change::Put(blob) => self.put(name, size(blob)),
            Change::Delete => self.remove(name),
            Change::Keep => {}
        }
    }

    /// Removes what was not used for longest, as long as there is too much.
    fn evict(&mut self, limits: CachePlace) -> Vec<BlobName> {
        let mut evicted = Vec::new();
        while self.by_name.len() > limits.entries || self.bytes > limits.bytes {
            let Some((at, name)) = self.uses.pop_front() else { break };
            if self.by_name.get(&name).is_some_and(|(last, _)| *last == at) {
                self.remove(name);
                evicted.push(name);
            }
        }
        evicted
    }
}

impl Cache {
    /// Held while the blobs are changed, so that both agree.
    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(blob: &Blob) -> usize {
    blob.head.len() + blob.value.len()
}

impl Backing for Cache {
    fn capability(&self) -> Capability {
        self.blobs.capability()
    }

    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
        let mut recent = self.recent();
        names.iter().for_each(|name| recent.used(*name));
        self.blobs.read(names, part)
    }

    fn commit(&self, mut writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        for write in &mut writes {
            if matches!(&write.change, Change::Put(blob) if size(blob) > self.limits.bytes) {
                write.change = Change::Delete;
            }
        }
        let mut recent = self.recent();
        let outcome = self.blobs.commit_now(writes.clone());
        if let Outcome::Done(_) = outcome {
            writes.iter().for_each(|write| recent.changed(write.name, &write.change));
            self.blobs.commit_now(recent.evict(self.limits).into_iter().map(deletion).collect());
        }
        Box::pin(ready(Ok(outcome)))
    }

    fn update(&self, name: BlobName, part: Part, f: UpdateFn) -> BoxFut<'static, Result<()>> {
        let (f, last) = watched(f);
        let updated = self.blobs.update(name, part, f);
        if let Some(change) = last() {
            let mut recent = self.recent();
            recent.changed(name, &change);
            self.blobs.commit_now(recent.evict(self.limits).into_iter().map(deletion).collect());
        }
        updated
    }

    fn set_aside(&self, name: BlobName, is_damaged: JudgeFn) -> BoxFut<'static, Result<bool>> {
        self.blobs.set_aside(name, is_damaged)
    }

    fn heads(&self) -> Box<dyn Heads> {
        self.blobs.heads()
    }

    fn record(&self, copy: RecordCopy) -> BoxFut<'static, Result<Option<Bytes>>> {
        self.blobs.record(copy)
    }

    fn put_record(&self, copy: RecordCopy, there: Option<Bytes>, record: Bytes) -> BoxFut<'static, Result<bool>> {
        self.blobs.put_record(copy, there, record)
    }

    fn close(&self) -> BoxFut<'static, Result<()>> {
        self.blobs.close()
    }
}
