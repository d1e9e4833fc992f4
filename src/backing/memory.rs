//! Blobs in memory: gone with the process.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
    future::ready,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use bytes::Bytes;

use super::{Backing, Blob, Capability, Change, Expect, HeadPage, Heads, Outcome, Part, Place, UpdateFn, Write};
use crate::{
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

/// How many heads a page of a listing has.
const PAGE: usize = 256;

/// A place in memory, named or for one store alone.
#[derive(Clone, Debug)]
pub struct MemoryPlace {
    name: Option<String>,
}

impl MemoryPlace {
    /// A new place at every opening: nobody else finds it.
    pub fn private() -> Self {
        Self { name: None }
    }

    /// The place of this name, the same for all of this process until it is destroyed.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()) }
    }
}

/// The named places of this process.
fn places() -> MutexGuard<'static, BTreeMap<String, MemoryBacking>> {
    static PLACES: LazyLock<Mutex<BTreeMap<String, MemoryBacking>>> = LazyLock::new(Mutex::default);
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place for MemoryPlace {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        let exists = self
            .name
            .as_ref()
            .is_some_and(|name| places().get(name).is_some_and(|backing| backing.blobs().record.is_some()));
        Box::pin(ready(Ok(exists)))
    }

    fn open(&self, create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        let found = match (&self.name, create) {
            (Some(name), true) => Some(places().entry(name.clone()).or_default().clone()),
            (Some(name), false) => places().get(name).cloned(),
            (None, true) => Some(MemoryBacking::default()),
            (None, false) => None,
        };
        let not_found =
            || Error::new(ErrorKind::StoreNotFound, "there is no store of this name in memory; create it first");
        Box::pin(ready(found.map(|backing| Arc::new(backing) as Arc<dyn Backing>).ok_or_else(not_found)))
    }

    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        let gone = self.name.as_ref().and_then(|name| places().remove(name));
        if let Some(backing) = gone {
            *backing.blobs_mut() = Blobs::default();
        }
        Box::pin(ready(Ok(())))
    }
}

/// A backing in memory. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct MemoryBacking {
    blobs: Arc<RwLock<Blobs>>,
}

#[derive(Debug, Default)]
struct Blobs {
    record: Option<Bytes>,
    by_name: HashMap<BlobName, Blob>,
}

impl MemoryBacking {
    fn blobs(&self) -> RwLockReadGuard<'_, Blobs> {
        self.blobs.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn blobs_mut(&self) -> RwLockWriteGuard<'_, Blobs> {
        self.blobs.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit_now(&self, writes: Vec<Write>) -> Outcome {
        let mut blobs = self.blobs_mut();
        if let Some(write) = writes.iter().find(|write| !is_as_expected(blobs.by_name.get(&write.name), write.expect)) {
            return Outcome::Conflict(write.name);
        }
        let apply = |write: Write| match write.change {
            Change::Keep => true,
            Change::Put(blob) => {
                blobs.by_name.insert(write.name, blob);
                true
            }
            Change::Delete => blobs.by_name.remove(&write.name).is_some(),
        };
        Outcome::Done(writes.into_iter().map(apply).collect())
    }

    /// The function is called without a lock, since it may call the store; if what it saw is gone then, it is called again.
    fn update_now(&self, name: BlobName, part: Part, mut f: UpdateFn) -> Result<()> {
        loop {
            let old = self.blobs().by_name.get(&name).cloned();
            let change = f(old.as_ref().map(|blob| cut(blob, part)).as_ref())?;
            let mut blobs = self.blobs_mut();
            if blobs.by_name.get(&name) != old.as_ref() {
                continue;
            }
            match change {
                Change::Keep => {}
                Change::Put(blob) => _ = blobs.by_name.insert(name, blob),
                Change::Delete => _ = blobs.by_name.remove(&name),
            }
            return Ok(());
        }
    }
}

fn is_as_expected(found: Option<&Blob>, expect: Expect) -> bool {
    match expect {
        Expect::Anything => true,
        Expect::Absent => found.is_none(),
        Expect::Check(check) => found.and_then(Blob::check) == Some(check),
    }
}

fn cut(blob: &Blob, part: Part) -> Blob {
    match part {
        Part::All => blob.clone(),
        Part::Head => Blob { head: blob.head.clone(), value: Bytes::new() },
    }
}

impl Backing for MemoryBacking {
    fn capability(&self) -> Capability {
        Capability { ordered: true, immediate: true, atomic_batches: true, ..Capability::NONE }
    }

    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
        let blobs = self.blobs();
        let read = names.iter().map(|name| blobs.by_name.get(name).map(|blob| cut(blob, part))).collect();
        Box::pin(ready(Ok(read)))
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        Box::pin(ready(Ok(self.commit_now(writes))))
    }

    fn update(&self, name: BlobName, part: Part, f: UpdateFn) -> BoxFut<'static, Result<()>> {
        Box::pin(ready(self.update_now(name, part, f)))
    }

    fn heads(&self) -> Box<dyn Heads> {
        let names = self.blobs().by_name.keys().copied().map(Reverse).collect();
        Box::new(MemoryHeads { backing: self.clone(), names })
    }

    fn record(&self) -> BoxFut<'static, Result<Option<Bytes>>> {
        Box::pin(ready(Ok(self.blobs().record.clone())))
    }

    fn create_record(&self, record: Bytes) -> BoxFut<'static, Result<bool>> {
        let mut blobs = self.blobs_mut();
        let created = blobs.record.is_none();
        blobs.record.get_or_insert(record);
        Box::pin(ready(Ok(created)))
    }

    fn close(&self) -> BoxFut<'static, Result<()>> {
        Box::pin(ready(Ok(())))
    }
}

struct MemoryHeads {
    backing: MemoryBacking,
    /// What is still to come.
    names: BinaryHeap<Reverse<BlobName>>,
}

impl Heads for MemoryHeads {
    fn next(&mut self) -> BoxFut<'_, Result<Option<HeadPage>>> {
        let blobs = self.backing.blobs();
        let mut page = HeadPage::new();
        while page.len() < PAGE {
            let Some(Reverse(name)) = self.names.pop() else { break };
            // What was deleted meanwhile is not there any more.
            page.extend(blobs.by_name.get(&name).map(|blob| (name, Ok(blob.head.clone()))));
        }
        let page = Some(page).filter(|page| !page.is_empty());
        Box::pin(ready(Ok(page)))
    }
}
