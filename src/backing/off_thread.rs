//! Blocking backings for asynchronous programs.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::{
    Backing, Blob, BlobReader, BlobWriter, Capability, HeadPage, Heads, JudgeFn, Outcome, Part, Place, RecordCopy,
    UpdateFn, Write,
};
use crate::{
    env::{BoxFut, wait},
    error::Result,
    locks::{Held, Locks, Mode},
    name::BlobName,
};

/// Runs each operation of a backing, or of a place and the backings opened there, as one job on a pool of threads:
/// so no thread of an asynchronous program waits for a disk. A job that has begun is finished, also when its future is
/// dropped.
pub struct OffThread<B: ?Sized> {
    inner: Arc<B>,
    /// Held by jobs that write, to their end.
    locks: Locks,
}

impl<B: ?Sized> OffThread<B> {
    /// The operations of this one, on other threads.
    pub fn new(inner: Arc<B>) -> Self {
        Self { inner, locks: Locks::default() }
    }

    fn job<T: Send + 'static>(&self, job: impl FnOnce(&B) -> T + Send + 'static) -> BoxFut<'static, T>
    where
        B: Send + Sync + 'static,
    {
        let inner = Arc::clone(&self.inner);
        Box::pin(blocking::unblock(move || job(&inner)))
    }

    /// A job that writes these names. Who called it may have given it up while it goes on: whoever writes them next waits for
    /// its end, since what was called before must not happen after.
    fn write_job<T: Send + 'static>(
        &self,
        names: &[BlobName],
        job: impl FnOnce(&B) -> T + Send + 'static,
    ) -> BoxFut<'static, T>
    where
        B: Send + Sync + 'static,
    {
        let (inner, turn) = (Arc::clone(&self.inner), self.locks.lock_all(names, Mode::Exclusive));
        Box::pin(async move { ended_under(turn.await, move || job(&inner)).await })
    }
}

/// A job on another thread, which has these locks until it has ended, also if nobody waits for it any more.
async fn ended_under<T: Send + 'static>(held: Vec<Held>, job: impl FnOnce() -> T + Send + 'static) -> T {
    blocking::unblock(move || {
        let done = job();
        drop(held);
        done
    })
    .await
}

/// The place with what blocks there run by other threads.
pub(crate) fn off_thread(place: &Arc<dyn Place>) -> Arc<dyn Place> {
    if place.blocks() {
        return Arc::new(OffThread::new(place.clone()));
    }
    place.off_thread().unwrap_or_else(|| place.clone())
}

impl<B: Backing + ?Sized> Backing for OffThread<B> {
    fn capability(&self) -> Capability {
        Capability { ordered: false, immediate: false, ..self.inner.capability() }
    }

    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
        self.job(move |inner| wait(inner.read(names, part)))
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        let names: Vec<_> = writes.iter().map(|write| write.name).collect();
        self.write_job(&names, move |inner| wait(inner.commit(writes)))
    }

    fn update(&self, name: BlobName, part: Part, f: UpdateFn) -> BoxFut<'static, Result<()>> {
        self.write_job(&[name], move |inner| wait(inner.update(name, part, f)))
    }

    fn set_aside(&self, name: BlobName, is_damaged: JudgeFn) -> BoxFut<'static, Result<bool>> {
        self.write_job(&[name], move |inner| wait(inner.set_aside(name, is_damaged)))
    }

    fn heads(&self) -> Box<dyn Heads> {
        Box::new(OffThreadHeads(Arc::new(Mutex::new(self.inner.heads()))))
    }

    fn record(&self, copy: RecordCopy) -> BoxFut<'static, Result<Option<Bytes>>> {
        self.job(move |inner| wait(inner.record(copy)))
    }

    fn put_record(&self, copy: RecordCopy, there: Option<Bytes>, record: Bytes) -> BoxFut<'static, Result<bool>> {
        self.job(move |inner| wait(inner.put_record(copy, there, record)))
    }

    fn write_stream(&self, name: BlobName, head_len: usize) -> BoxFut<'static, Result<Box<dyn BlobWriter>>> {
        let locks = self.locks.clone();
        self.job(move |inner| {
            let writer = Arc::new(Mutex::new(Some(wait(inner.write_stream(name, head_len))?)));
            Ok(Box::new(OffThreadWriter { writer, name, locks }) as Box<dyn BlobWriter>)
        })
    }

    fn read_stream(&self, name: BlobName) -> BoxFut<'static, Result<Option<Box<dyn BlobReader>>>> {
        self.job(move |inner| {
            let reader = wait(inner.read_stream(name))?;
            Ok(reader.map(|reader| Box::new(OffThreadReader::new(reader)) as Box<dyn BlobReader>))
        })
    }

    fn flush(&self) -> BoxFut<'static, Result<()>> {
        self.job(|inner| wait(inner.flush()))
    }

    fn invalidate(&self, names: Option<Vec<BlobName>>) -> BoxFut<'static, ()> {
        self.job(|inner| wait(inner.invalidate(names)))
    }

    fn pull(&self, names: Vec<BlobName>) -> BoxFut<'static, Result<()>> {
        self.job(|inner| wait(inner.pull(names)))
    }

    fn is_alone(&self) -> bool {
        self.inner.is_alone()
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

struct OffThreadWriter {
    writer: Arc<Mutex<Option<Box<dyn BlobWriter>>>>,
    name: BlobName,
    locks: Locks,
}

impl OffThreadWriter {
    fn job(
        &self,
        job: impl for<'a> FnOnce(&'a mut dyn BlobWriter) -> BoxFut<'a, Result<()>> + Send + 'static,
    ) -> BoxFut<'static, Result<()>> {
        let writer = Arc::clone(&self.writer);
        Box::pin(blocking::unblock(move || match &mut *writer.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(writer) => wait(job(writer.as_mut())),
            None => Ok(()),
        }))
    }

    fn last_job(
        &self,
        job: impl FnOnce(Box<dyn BlobWriter>) -> BoxFut<'static, Result<()>> + Send + 'static,
    ) -> BoxFut<'static, Result<()>> {
        let (writer, turn) = (Arc::clone(&self.writer), self.locks.lock_all(&[self.name], Mode::Exclusive));
        let job = move || {
            let writer = writer.lock().unwrap_or_else(PoisonError::into_inner).take();
            writer.map_or(Ok(()), |writer| wait(job(writer)))
        };
        Box::pin(async move { ended_under(turn.await, job).await })
    }
}

impl BlobWriter for OffThreadWriter {
    fn write(&mut self, bytes: Bytes) -> BoxFut<'_, Result<()>> {
        self.job(|writer| writer.write(bytes))
    }

    fn sync(&mut self) -> BoxFut<'_, Result<()>> {
        self.job(|writer| writer.sync())
    }

    fn finish(self: Box<Self>, head: Bytes) -> BoxFut<'static, Result<()>> {
        self.last_job(|writer| writer.finish(head))
    }

    fn abort(self: Box<Self>) -> BoxFut<'static, Result<()>> {
        self.last_job(BlobWriter::abort)
    }
}

struct OffThreadReader {
    head: Bytes,
    value_len: u64,
    inner: Arc<Mutex<Box<dyn BlobReader>>>,
}

impl OffThreadReader {
    fn new(inner: Box<dyn BlobReader>) -> Self {
        Self { head: inner.head(), value_len: inner.value_len(), inner: Arc::new(Mutex::new(inner)) }
    }
}

impl BlobReader for OffThreadReader {
    fn head(&self) -> Bytes {
        self.head.clone()
    }

    fn value_len(&self) -> u64 {
        self.value_len
    }

    fn read(&mut self, at: u64, len: usize) -> BoxFut<'_, Result<Bytes>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(blocking::unblock(move || wait(inner.lock().unwrap_or_else(PoisonError::into_inner).read(at, len))))
    }
}

impl<P: Place + ?Sized> Place for OffThread<P> {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        self.job(|inner| wait(inner.exists()))
    }

    fn open(&self, create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        self.job(move |inner| Ok(Arc::new(OffThread::new(wait(inner.open(create))?)) as Arc<dyn Backing>))
    }

    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        self.job(|inner| wait(inner.destroy()))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc::{Receiver, SyncSender, sync_channel},
        task::{Context, Waker},
    };

    use super::{super::MemoryBacking, *};
    use crate::backing::{Change, Expect};

    /// Says of each deletion that it begins, and makes it when it may.
    struct Slow {
        blobs: MemoryBacking,
        begins: SyncSender<()>,
        may: Mutex<Receiver<()>>,
    }

    impl Backing for Slow {
        fn capability(&self) -> Capability {
            self.blobs.capability()
        }

        fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
            self.blobs.read(names, part)
        }

        fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
            if writes.iter().any(|write| write.change == Change::Delete) {
                self.begins.send(()).unwrap();
                self.may.lock().unwrap().recv().unwrap();
            }
            self.blobs.commit(writes)
        }

        fn update(&self, name: BlobName, part: Part, f: UpdateFn) -> BoxFut<'static, Result<()>> {
            self.blobs.update(name, part, f)
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

    #[test]
    fn what_was_given_up_does_not_happen_after_what_was_called_later() {
        let ((begins, begun), (allow, may)) = (sync_channel(1), sync_channel(1));
        let slow = Slow { blobs: MemoryBacking::default(), begins, may: Mutex::new(may) };
        let backing = OffThread::new(Arc::new(slow));
        let (name, mut context) = (BlobName::from_bytes([1; 16]), Context::from_waker(Waker::noop()));
        let commit = |change| backing.commit(vec![Write { name, change, expect: Expect::Anything }]);
        let mut given_up = commit(Change::Delete);
        assert!(given_up.as_mut().poll(&mut context).is_pending());
        begun.recv().unwrap();
        drop(given_up);
        let mut later = commit(Change::Put(Blob::default()));
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(later.as_mut().poll(&mut context).is_pending(), "the deletion is still at work");
        allow.send(()).unwrap();
        wait(later).unwrap();
        assert_eq!(wait(backing.read(vec![name], Part::All)).unwrap(), [Some(Blob::default())]);
    }
}
