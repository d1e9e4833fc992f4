//! An open store as a tier of another: what it is kept in, for as long as it is open. It is neither closed nor deleted.

use std::{future::ready, sync::Arc};

use bytes::Bytes;

use super::Store;
use crate::{
    backing::{
        Backing, Blob, BlobReader, BlobWriter, Capability, Heads, JudgeFn, Outcome, Part, Place, RecordCopy, UpdateFn,
        Write,
    },
    env::{BoxFut, MaybeSend},
    error::Result,
    name::BlobName,
    openings::Opening,
};

pub(super) struct Lent {
    store: Store,
    opening: Opening,
}

/// The store as a place that is opened for each store that it is a tier of.
pub(super) struct Lending(pub(super) Store);

impl Place for Lending {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        Box::pin(ready(Ok(true)))
    }

    fn open(&self, _create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        let (store, opening) = (self.0.clone(), self.0.inner.borrowers.open());
        let backing: Arc<dyn Backing> = Arc::new(Lent { store, opening });
        Box::pin(ready(Ok(backing)))
    }

    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        Box::pin(ready(Ok(())))
    }
}

impl Lent {
    fn backing(&self) -> &dyn Backing {
        self.store.inner.backing.as_ref()
    }

    /// What this begins, while the store does not close.
    fn run<T: MaybeSend + 'static>(
        &self,
        begin: impl FnOnce(&dyn Backing) -> BoxFut<'static, Result<T>>,
    ) -> BoxFut<'static, Result<T>> {
        let pass = match self.store.inner.gate.enter() {
            Ok(pass) => pass,
            Err(closed) => return Box::pin(ready(Err(closed.noting("it is a tier of this one, which needs it")))),
        };
        let going = begin(self.backing());
        Box::pin(async move {
            let _pass = pass;
            going.await
        })
    }
}

impl Backing for Lent {
    fn capability(&self) -> Capability {
        self.backing().capability()
    }

    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
        self.run(|backing| backing.read(names, part))
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        self.run(|backing| backing.commit(writes))
    }

    fn update(&self, name: BlobName, part: Part, f: UpdateFn) -> BoxFut<'static, Result<()>> {
        self.run(|backing| backing.update(name, part, f))
    }

    fn set_aside(&self, name: BlobName, is_damaged: JudgeFn) -> BoxFut<'static, Result<bool>> {
        self.run(|backing| backing.set_aside(name, is_damaged))
    }

    fn heads(&self) -> Box<dyn Heads> {
        self.backing().heads()
    }

    fn record(&self, copy: RecordCopy) -> BoxFut<'static, Result<Option<Bytes>>> {
        self.run(|backing| backing.record(copy))
    }

    fn put_record(&self, copy: RecordCopy, there: Option<Bytes>, record: Bytes) -> BoxFut<'static, Result<bool>> {
        self.run(|backing| backing.put_record(copy, there, record))
    }

    fn write_stream(&self, name: BlobName, head_len: usize) -> BoxFut<'static, Result<Box<dyn BlobWriter>>> {
        self.run(|backing| backing.write_stream(name, head_len))
    }

    fn read_stream(&self, name: BlobName) -> BoxFut<'static, Result<Option<Box<dyn BlobReader>>>> {
        self.run(|backing| backing.read_stream(name))
    }

    fn flush(&self) -> BoxFut<'static, Result<()>> {
        self.run(Backing::flush)
    }

    fn invalidate(&self, names: Option<Vec<BlobName>>) -> BoxFut<'static, ()> {
        self.backing().invalidate(names)
    }

    fn pull(&self, names: Vec<BlobName>) -> BoxFut<'static, Result<()>> {
        self.run(|backing| backing.pull(names))
    }

    /// The store that was lent has it open, too.
    fn is_alone(&self) -> bool {
        false
    }

    /// The store stays open.
    fn close(&self) -> BoxFut<'static, Result<()>> {
        self.opening.close();
        Box::pin(ready(Ok(())))
    }
}
