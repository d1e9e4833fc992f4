//! Blocking backings for asynchronous programs.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::{Backing, Blob, Capability, HeadPage, Heads, JudgeFn, Outcome, Part, Place, UpdateFn, Write};
use crate::{
    env::{BoxFut, wait},
    error::Result,
    name::BlobName,
};

/// Runs each operation of a backing, or of a place and the backings opened there, as one job on a pool of threads:
/// so no thread of an asynchronous program waits for a disk. A job that has begun is finished, also when its future is
/// dropped.
pub struct OffThread<B: ?Sized>(Arc<B>);

impl<B: ?Sized> OffThread<B> {
    /// The operations of this one, on other threads.
    pub fn new(inner: Arc<B>) -> Self {
        Self(inner)
    }

    fn job<T: Send + 'static>(&self, job: impl FnOnce(&B) -> T + Send + 'static) -> BoxFut<'static, T>
    where
        B: Send + Sync + 'static,
    {
        let inner = Arc::clone(&self.0);
        Box::pin(blocking::unblock(move || job(&inner)))
    }
}

impl<B: Backing + ?Sized> Backing for OffThread<B> {
    fn capability(&self) -> Capability {
        Capability { ordered: false, immediate: false, ..self.0.capability() }
    }

    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
        self.job(move |inner| wait(inner.read(names, part)))
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        self.job(move |inner| wait(inner.commit(writes)))
    }

    fn update(&self, name: BlobName, part: Part, f: UpdateFn) -> BoxFut<'static, Result<()>> {
        self.job(move |inner| wait(inner.update(name, part, f)))
    }

    fn set_aside(&self, name: BlobName, is_damaged: JudgeFn) -> BoxFut<'static, Result<bool>> {
        self.job(move |inner| wait(inner.set_aside(name, is_damaged)))
    }

    fn heads(&self) -> Box<dyn Heads> {
        Box::new(OffThreadHeads(Arc::new(Mutex::new(self.0.heads()))))
    }

    fn record(&self) -> BoxFut<'static, Result<Option<Bytes>>> {
        self.job(|inner| wait(inner.record()))
    }

    fn create_record(&self, record: Bytes) -> BoxFut<'static, Result<bool>> {
        self.job(move |inner| wait(inner.create_record(record)))
    }

    fn close(&self) -> BoxFut<'static, Result<()>> {
        self.job(|inner| wait(inner.close()))
    }
}

struct OffThreadHeads(Arc<Mutex<Box<dyn Heads>>>);

impl Heads for OffThreadHeads {
    fn next(&mut self) -> BoxFut<'_, Result<Option<HeadPage>>> {
        let heads = Arc::clone(&self.0);
        Box::pin(blocking::unblock(move || wait(heads.lock().unwrap_or_else(PoisonError::into_inner).next())))
    }
}

impl<P: Place + ?Sized> Place for OffThread<P> {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        self.job(|inner| wait(inner.exists()))
    }

    fn open(&self, create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        self.job(move |inner| Ok(Arc::new(OffThread(wait(inner.open(create))?)) as Arc<dyn Backing>))
    }

    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        self.job(|inner| wait(inner.destroy()))
    }
}
