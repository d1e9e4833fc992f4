//! A backing in memory that counts, fails and waits as a test says.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use bytes::Bytes;
use konserve::{
    BlobName, Config, Error, ErrorKind, Result,
    backing::{
        Backing, Blob, Capability, Change, Expect, Heads, JudgeFn, MemoryBacking, Outcome, Part, Place, RecordCopy,
        UpdateFn, Write,
    },
    env::BoxFut,
};

/// Clones are the same.
#[derive(Clone, Default)]
pub struct Spy(Arc<Inner>);

#[derive(Default)]
struct Inner {
    blobs: MemoryBacking,
    reads: AtomicUsize,
    writes: AtomicUsize,
    opened: AtomicUsize,
    destroyed: AtomicUsize,
    fails_reads: AtomicBool,
    fails_writes: AtomicBool,
    persistent: AtomicBool,
    /// What was committed, in order.
    committed: Mutex<Vec<Vec<BlobName>>>,
    /// Called before a read is answered, after it was made.
    after_read: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// While it is held, writes wait.
    gate: Mutex<()>,
}

impl Spy {
    pub fn config(&self) -> Config {
        Config::at(self.clone())
    }

    pub fn persistent(self) -> Self {
        self.0.persistent.store(true, Ordering::SeqCst);
        self
    }

    /// Forgets all blobs, as memory does when its process ends.
    pub fn clear(&self) {
        let mut heads = self.0.blobs.heads();
        while let Some(page) = konserve::blocking::wait(heads.next()).unwrap() {
            let delete = |(name, _)| Write { name, change: Change::Delete, expect: Expect::Anything };
            konserve::blocking::wait(self.0.blobs.commit(page.into_iter().map(delete).collect())).unwrap();
        }
    }

    pub fn reads(&self) -> usize {
        self.0.reads.load(Ordering::SeqCst)
    }

    pub fn writes(&self) -> usize {
        self.0.writes.load(Ordering::SeqCst)
    }

    pub fn opened(&self) -> usize {
        self.0.opened.load(Ordering::SeqCst)
    }

    pub fn destroyed(&self) -> usize {
        self.0.destroyed.load(Ordering::SeqCst)
    }

    pub fn committed(&self) -> Vec<Vec<BlobName>> {
        self.0.committed.lock().unwrap().clone()
    }

    pub fn fail_reads(&self, fail: bool) {
        self.0.fails_reads.store(fail, Ordering::SeqCst);
    }

    pub fn fail_writes(&self, fail: bool) {
        self.0.fails_writes.store(fail, Ordering::SeqCst);
    }

    pub fn after_read(&self, f: impl FnOnce() + Send + 'static) {
        *self.0.after_read.lock().unwrap() = Some(Box::new(f));
    }

    /// Writes wait while what this gives is held.
    pub fn hold_writes(&self) -> std::sync::MutexGuard<'_, ()> {
        self.0.gate.lock().unwrap()
    }

    fn write(&self, names: Vec<BlobName>) -> Result<()> {
        let _gate = self.0.gate.lock().unwrap();
        self.0.writes.fetch_add(1, Ordering::SeqCst);
        fail(&self.0.fails_writes, "a write of the spy fails")?;
        self.0.committed.lock().unwrap().push(names);
        Ok(())
    }
}

fn fail(switch: &AtomicBool, message: &'static str) -> Result<()> {
    if switch.load(Ordering::SeqCst) { Err(Error::new(ErrorKind::Io, message)) } else { Ok(()) }
}

impl Place for Spy {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        let blobs = self.0.blobs.clone();
        Box::pin(async move { Ok(blobs.record(RecordCopy::First).await?.is_some()) })
    }

    fn open(&self, create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        let spy = self.clone();
        Box::pin(async move {
            if !create && spy.0.blobs.record(RecordCopy::First).await?.is_none() {
                return Err(Error::new(ErrorKind::StoreNotFound, "the spy has no store"));
            }
            spy.0.opened.fetch_add(1, Ordering::SeqCst);
            Ok(Arc::new(spy) as Arc<dyn Backing>)
        })
    }

    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        self.0.destroyed.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    }
}

impl Backing for Spy {
    fn capability(&self) -> Capability {
        Capability {
            immediate: true,
            atomic_batches: true,
            persistent: self.0.persistent.load(Ordering::SeqCst),
            ..Capability::NONE
        }
    }

    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
        let spy = self.clone();
        Box::pin(async move {
            spy.0.reads.fetch_add(1, Ordering::SeqCst);
            fail(&spy.0.fails_reads, "a read of the spy fails")?;
            let found = spy.0.blobs.read(names, part).await;
            let after = spy.0.after_read.lock().unwrap().take();
            if let Some(after) = after {
                after();
            }
            found
        })
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        let spy = self.clone();
        Box::pin(async move {
            spy.write(writes.iter().map(|write| write.name).collect())?;
            spy.0.blobs.commit(writes).await
        })
    }

    fn update(&self, name: BlobName, part: Part, f: UpdateFn) -> BoxFut<'static, Result<()>> {
        let spy = self.clone();
        Box::pin(async move {
            spy.write(vec![name])?;
            spy.0.blobs.update(name, part, f).await
        })
    }

    fn set_aside(&self, name: BlobName, is_damaged: JudgeFn) -> BoxFut<'static, Result<bool>> {
        self.0.blobs.set_aside(name, is_damaged)
    }

    fn heads(&self) -> Box<dyn Heads> {
        self.0.blobs.heads()
    }

    fn record(&self, copy: RecordCopy) -> BoxFut<'static, Result<Option<Bytes>>> {
        self.0.blobs.record(copy)
    }

    fn put_record(&self, copy: RecordCopy, there: Option<Bytes>, record: Bytes) -> BoxFut<'static, Result<bool>> {
        self.0.blobs.put_record(copy, there, record)
    }

    fn close(&self) -> BoxFut<'static, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
