//! A backing as small as it can be: blobs in a map. `tests/map_backing.rs` runs the compliance suite over it.

use std::{
    collections::BTreeMap,
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use konserve::{
    BlobName, Error, ErrorKind, Result,
    backing::{
        Backing, Blob, Capability, Change, Expect, HeadPage, Heads, JudgeFn, Outcome, Part, Place, RecordCopy,
        UpdateFn, Write,
    },
    env::BoxFut,
};

/// A place in memory. Clones are the same place.
#[derive(Clone, Default)]
pub struct MapPlace(Arc<Mutex<Blobs>>);

#[derive(Default)]
struct Blobs {
    record: [Option<Bytes>; 2],
    by_name: BTreeMap<[u8; 16], Blob>,
    /// What was damaged, for whoever wants to look at it.
    aside: BTreeMap<[u8; 16], Blob>,
}

impl MapPlace {
    fn blobs(&self) -> MutexGuard<'_, Blobs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is done at once: a backing that waits for a disk or a server returns `Box::pin(async move { … })`.
fn done<T: Send + 'static>(result: Result<T>) -> BoxFut<'static, Result<T>> {
    Box::pin(ready(result))
}

impl Place for MapPlace {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        let blobs = self.blobs();
        done(Ok(blobs.record.iter().any(Option::is_some) || !blobs.by_name.is_empty()))
    }

    fn open(&self, create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        let blobs = self.blobs();
        if !create && blobs.record.iter().all(Option::is_none) && blobs.by_name.is_empty() {
            let message = "there is no store in this map; create it first";
            return done(Err(Error::new(ErrorKind::StoreNotFound, message)));
        }
        done(Ok(Arc::new(MapBacking(self.clone()))))
    }

    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        *self.blobs() = Blobs::default();
        done(Ok(()))
    }
}

struct MapBacking(MapPlace);

impl Backing for MapBacking {
    /// Each operation is done at its call and under one lock: so they are in order, immediate and whole.
    fn capability(&self) -> Capability {
        Capability { ordered: true, immediate: true, atomic_batches: true, ..Capability::NONE }
    }

    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
        let blobs = self.0.blobs();
        done(Ok(names.iter().map(|name| blobs.by_name.get(name.as_bytes()).map(|blob| cut(blob, part))).collect()))
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        let mut blobs = self.0.blobs();
        let unexpected = |write: &&Write| !meets(blobs.by_name.get(write.name.as_bytes()), write.expect);
        if let Some(write) = writes.iter().find(unexpected) {
            return done(Ok(Outcome::Conflict(write.name)));
        }
        done(Ok(Outcome::Done(writes.into_iter().map(|write| blobs.apply(write.name, write.change)).collect())))
    }

    /// The function may call the store, so it is called without the lock, and again if what it saw has changed.
    fn update(&self, name: BlobName, part: Part, mut f: UpdateFn) -> BoxFut<'static, Result<()>> {
        loop {
            let found = self.0.blobs().by_name.get(name.as_bytes()).cloned();
            let change = match f(found.as_ref().map(|blob| cut(blob, part)).as_ref()) {
                Ok(change) => change,
                Err(error) => return done(Err(error)),
            };
            let mut blobs = self.0.blobs();
            if blobs.by_name.get(name.as_bytes()) == found.as_ref() {
                blobs.apply(name, change);
                return done(Ok(()));
            }
        }
    }

    fn set_aside(&self, name: BlobName, mut is_damaged: JudgeFn) -> BoxFut<'static, Result<bool>> {
        let mut blobs = self.0.blobs();
        let damaged = blobs.by_name.get(name.as_bytes()).filter(|blob| is_damaged(blob)).cloned();
        let found = damaged.is_some();
        if let Some(blob) = damaged {
            blobs.by_name.remove(name.as_bytes());
            blobs.aside.insert(*name.as_bytes(), blob);
        }
        done(Ok(found))
    }

    fn heads(&self) -> Box<dyn Heads> {
        let blobs = self.0.blobs();
        let head = |(name, blob): (&[u8; 16], &Blob)| (BlobName::from_bytes(*name), Ok(blob.head.clone()));
        Box::new(OnePage(Some(blobs.by_name.iter().map(head).collect())))
    }

    fn record(&self, copy: RecordCopy) -> BoxFut<'static, Result<Option<Bytes>>> {
        done(Ok(self.0.blobs().record_at(copy).clone()))
    }

    fn put_record(&self, copy: RecordCopy, there: Option<Bytes>, record: Bytes) -> BoxFut<'static, Result<bool>> {
        let mut blobs = self.0.blobs();
        let place = blobs.record_at(copy);
        let is_so = *place == there;
        if is_so {
            *place = Some(record);
        }
        done(Ok(is_so))
    }

    fn close(&self) -> BoxFut<'static, Result<()>> {
        done(Ok(()))
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

    /// Says `false` where there was nothing to delete.
    fn apply(&mut self, name: BlobName, change: Change) -> bool {
        match change {
            Change::Keep => true,
            Change::Put(blob) => {
                self.by_name.insert(*name.as_bytes(), blob);
                true
            }
            Change::Delete => self.by_name.remove(name.as_bytes()).is_some(),
        }
    }
}

fn cut(blob: &Blob, part: Part) -> Blob {
    match part {
        Part::All => blob.clone(),
        Part::Head => Blob { head: blob.head.clone(), value: Bytes::new() },
    }
}

fn meets(found: Option<&Blob>, expect: Expect) -> bool {
    match expect {
        Expect::Anything => true,
        Expect::Absent => found.is_none(),
        Expect::Check(check) => found.and_then(Blob::check) == Some(check),
    }
}

/// A listing. Where there is more than a map holds, it has many pages.
struct OnePage(Option<HeadPage>);

impl Heads for OnePage {
    fn next(&mut self) -> BoxFut<'_, Result<Option<HeadPage>>> {
        Box::pin(ready(Ok(self.0.take().filter(|page| !page.is_empty()))))
    }
}
