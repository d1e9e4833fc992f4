//! Blobs in memory: gone with the process.

use std::{
    collections::HashMap,
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use bytes::Bytes;

use super::{
    Backing, Blob, Capability, Change, Expect, HeadPage, Heads, JudgeFn, Outcome, Part, Place, RecordCopy, UpdateFn,
    Write,
};
use crate::{
    env::{BoxFut, sort},
    error::{Error, ErrorKind, Result},
    name::{BlobName, NameHash},
    openings::{Opening, Openings},
};

/// How many heads a page of a listing has.
const PAGE: usize = 256;

/// A place in memory, named or for one store alone.
#[derive(Clone, Debug)]
pub struct MemoryPlace {
    name: Option<String>,
    /// Whether one that is empty is a store.
    bare: bool,
}

impl MemoryPlace {
    /// A new place at every opening: nobody else finds it.
    pub fn private() -> Self {
        Self { name: None, bare: false }
    }

    /// The place of this name, the same for all of this process until it is destroyed.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), bare: false }
    }
}

/// The named places of this process.
fn places() -> MutexGuard<'static, Vec<(String, MemoryBacking)>> {
    static PLACES: Mutex<Vec<(String, MemoryBacking)>> = Mutex::new(Vec::new());
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryPlace {
    /// The backing that is here; with `create` one that is new, if there was none.
    fn backing(&self, create: bool) -> Option<MemoryBacking> {
        let Some(name) = &self.name else { return create.then(MemoryBacking::default) };
        let mut places = places();
        if let Some((_, backing)) = places.iter().find(|(known, _)| known == name) {
            return Some(backing.clone());
        }
        let backing = create.then(MemoryBacking::default)?;
        places.push((name.clone(), backing.clone()));
        Some(backing)
    }
}

impl Place for MemoryPlace {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        let exists = self.backing(false).is_some_and(|backing| self.bare || !backing.blobs().is_empty());
        Box::pin(ready(Ok(exists)))
    }

    fn open(&self, create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        let not_found =
            || Error::new(ErrorKind::StoreNotFound, "there is no store of this name in memory; create it first");
        let found =
            self.backing(create).map(|backing| Arc::new(backing.opened()) as Arc<dyn Backing>).ok_or_else(not_found);
        Box::pin(ready(found))
    }

    fn without_record(&self) -> Option<Arc<dyn Place>> {
        Some(Arc::new(Self { bare: true, ..self.clone() }))
    }

    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        if let Some(backing) = self.backing(false) {
            places().retain(|(name, _)| Some(name) != self.name.as_ref());
            *backing.blobs_mut() = Blobs::default();
        }
        Box::pin(ready(Ok(())))
    }
}

/// A backing in memory. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct MemoryBacking {
    blobs: Arc<RwLock<Blobs>>,
    openings: Openings,
    /// Of one who opened its place.
    opening: Option<Arc<Opening>>,
}

#[derive(Debug, Default)]
struct Blobs {
    record: [Option<Bytes>; 2],
    by_name: HashMap<BlobName, Blob, NameHash>,
    /// What was found damaged: for a debugger, since nothing survives the process.
    aside: HashMap<BlobName, Blob, NameHash>,
}

impl Blobs {
    fn is_empty(&self) -> bool {
        self.record.iter().all(Option::is_none) && self.by_name.is_empty()
    }
}

impl Blobs {
    fn record_at(&mut self, copy: RecordCopy) -> &mut Option<Bytes> {
        let [first, second] = &mut self.record;
        match copy {
            RecordCopy::First => first,
            RecordCopy::Second => second,
        }
    }
}

impl MemoryBacking {
    /// The same, for one more who has it open.
    fn opened(&self) -> Self {
        Self { opening: Some(Arc::new(self.openings.open())), ..self.clone() }
    }

    fn blobs(&self) -> RwLockReadGuard<'_, Blobs> {
        self.blobs.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn blobs_mut(&self) -> RwLockWriteGuard<'_, Blobs> {
        self.blobs.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn commit_now(&self, writes: Vec<Write>) -> Outcome {
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

    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    fn read_now(&self, name: BlobName, part: Part) -> Option<Result<Option<Blob>>> {
        Some(Ok(self.blobs().by_name.get(&name).map(|blob| cut(blob, part))))
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        Box::pin(ready(Ok(self.commit_now(writes))))
    }

    fn update(&self, name: BlobName, part: Part, f: UpdateFn) -> BoxFut<'static, Result<()>> {
        Box::pin(ready(self.update_now(name, part, f)))
    }

    fn set_aside(&self, name: BlobName, mut is_damaged: JudgeFn) -> BoxFut<'static, Result<bool>> {
        let mut blobs = self.blobs_mut();
        let found = match blobs.by_name.get(&name) {
            Some(blob) if is_damaged(blob) => blobs.by_name.remove(&name),
            _ => None,
        };
        let taken = found.is_some();
        blobs.aside.extend(found.map(|blob| (name, blob)));
        Box::pin(ready(Ok(taken)))
    }

    fn heads(&self) -> Box<dyn Heads> {
        let blobs = self.blobs();
        let mut names: Vec<_> = blobs.by_name.keys().map(|name| name.as_bytes().as_slice()).collect();
        sort(&mut names);
        let names: Vec<_> =
            names.into_iter().filter_map(|name| name.try_into().ok()).map(BlobName::from_bytes).collect();
        Box::new(MemoryHeads { backing: self.clone(), names: names.into_iter() })
    }

    fn record(&self, copy: RecordCopy) -> BoxFut<'static, Result<Option<Bytes>>> {
        Box::pin(ready(Ok(self.blobs_mut().record_at(copy).clone())))
    }

    fn put_record(&self, copy: RecordCopy, there: Option<Bytes>, record: Bytes) -> BoxFut<'static, Result<bool>> {
        let mut blobs = self.blobs_mut();
        let place = blobs.record_at(copy);
        let is_so = *place == there;
        if is_so {
            *place = Some(record);
        }
        Box::pin(ready(Ok(is_so)))
    }

    fn is_alone(&self) -> bool {
        self.openings.count() <= 1
    }

    fn close(&self) -> BoxFut<'static, Result<()>> {
        if let Some(opening) = &self.opening {
            opening.close();
        }
        Box::pin(ready(Ok(())))
    }
}

struct MemoryHeads {
    backing: MemoryBacking,
    /// What is still to come.
    names: std::vec::IntoIter<BlobName>,
}

impl Heads for MemoryHeads {
    fn next(&mut self) -> BoxFut<'_, Result<Option<HeadPage>>> {
        let blobs = self.backing.blobs();
        let mut page = HeadPage::new();
        while page.len() < PAGE {
            let Some(name) = self.names.next() else { break };
            // What was deleted meanwhile is not there any more.
            page.extend(blobs.by_name.get(&name).map(|blob| (name, Ok(blob.head.clone()))));
        }
        let page = Some(page).filter(|page| !page.is_empty());
        Box::pin(ready(Ok(page)))
    }
}
