//! Two backings as one: a front that is near, a back that has the truth. Both hold the same blobs under the same names.
//!
//! Whoever writes a name has it alone, and whoever copies it into the front holds it against writers: so no copy is older
//! than what was acknowledged. While a name is written it is marked, and what is marked is not read in the front: so a
//! front that fails, or a write that is given up halfway, leaves no stale copy to be read.

mod cache;
mod heads;
mod marks;
mod near;
mod place;
mod queue;
mod read;
mod stream;
mod sync;
mod task;
mod through;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

pub(crate) use cache::CachePlace;
pub(crate) use place::{SameFn, TierOptions, TieredPlace};
pub(crate) use sync::TierSync;

use super::{
    Backing, Blob, BlobReader, BlobWriter, Capability, Change, Expect, Heads, JudgeFn, Outcome, Part, Place,
    RecordCopy, UpdateFn, Write,
};
use crate::{
    env::BoxFut,
    error::{Error, Result},
    locks::{Locks, Mode},
    name::BlobName,
};
use marks::Marks;
use queue::Queue;

/// Where writes go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WritePolicy {
    /// To the back, then to the front. The front never fails a write.
    #[default]
    Through,
    /// To the front, and to the back later, in their order. What waits is lost when the process ends before `flush`.
    Behind,
    /// To the back; the front forgets what it had.
    Around,
    /// To the front. The back is never written, nor deleted.
    FrontOnly,
}

/// Where reads look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadPolicy {
    /// In the front, then in the back; what is found there is copied to the front.
    #[default]
    FrontFirst,
    /// In the front.
    FrontOnly,
}

/// Who is told of errors that no call returns.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type OnError = Arc<dyn Fn(&Error) + Send + Sync>;
/// Who is told of errors that no call returns.
#[cfg(target_arch = "wasm32")]
pub(crate) type OnError = Arc<dyn Fn(&Error)>;

/// Two open backings.
pub(super) struct Tiered(Arc<Tiers>);

/// What both hold together.
struct Tiers {
    front: Arc<dyn Backing>,
    back: Arc<dyn Backing>,
    write: WritePolicy,
    read: ReadPolicy,
    same: SameFn,
    on_error: Option<OnError>,
    /// Shared while a name is copied into the front, exclusive while it is written.
    locks: Locks,
    marks: Marks,
    queue: Queue,
}

impl Tiers {
    fn tell(&self, error: &Error) {
        if let Some(on_error) = &self.on_error {
            on_error(error);
        }
    }

    /// Whether the front has what is nowhere else.
    fn front_is_truth(&self) -> bool {
        self.write == WritePolicy::FrontOnly
    }

    /// Whether writes go to the back before they are acknowledged.
    fn writes_back(&self) -> bool {
        matches!(self.write, WritePolicy::Through | WritePolicy::Around)
    }

    /// Waits until what is queued by now is in the back.
    async fn drain(self: Arc<Self>) -> Result<()> {
        let target = self.queue.pushed();
        while !self.queue.is_drained(target) {
            self.drain_some().await?;
        }
        Ok(())
    }

    async fn drain_some(&self) -> Result<()> {
        self.queue.drain_some(self.back.as_ref()).await.inspect_err(|error| self.tell(error))
    }

    async fn invalidate(self: Arc<Self>, names: Vec<BlobName>, number: u64) {
        let _held = self.locks.lock_all(&names, Mode::Exclusive).await;
        match self.settle(&names).await {
            Ok(()) => self.marks.clear(&names, number),
            // They stay marked.
            Err(error) => self.tell(&error),
        }
    }

    /// Forgets all copies: those that are being made as well as those that are there.
    async fn invalidate_all(self: Arc<Self>) -> Result<()> {
        let mut names = self.locks.names_held();
        let mut heads = self.front.heads();
        while let Some(page) = heads.next().await? {
            names.extend(page.into_iter().map(|(name, _)| name));
        }
        let names = distinct(&names);
        let number = self.marks.set(&names);
        self.invalidate(names, number).await;
        Ok(())
    }

    async fn close(self: Arc<Self>) -> Result<()> {
        let drained = self.clone().drain().await;
        let marked = self.marks.all();
        if !marked.is_empty() && self.front.capability().persistent {
            let number = self.marks.last();
            self.clone().invalidate(marked, number).await;
        }
        let front = self.front.close().await;
        let back = self.back.close().await;
        drained.and(back).and(front)
    }
}

fn deletion(name: BlobName) -> Write {
    Write { name, change: Change::Delete, expect: Expect::Anything }
}

fn names_of(writes: &[Write]) -> Vec<BlobName> {
    writes.iter().map(|write| write.name).collect()
}

/// Each name once.
fn distinct(names: &[BlobName]) -> Vec<BlobName> {
    let table: crate::name::NameTable = names.iter().map(|name| (*name, 0)).collect();
    table.into_keys().collect()
}

fn cut(blob: Blob, part: Part) -> Blob {
    match part {
        Part::All => blob,
        Part::Head => Blob { value: Bytes::new(), ..blob },
    }
}

/// The function of an update, and what it said the last time that it was called.
fn watched(mut f: UpdateFn) -> (UpdateFn, impl FnOnce() -> Option<Change>) {
    let last = Arc::new(Mutex::new(None));
    let saying = last.clone();
    let f: UpdateFn = Box::new(move |blob| {
        let said = f(blob);
        *saying.lock().unwrap_or_else(PoisonError::into_inner) = said.as_ref().ok().cloned();
        said
    });
    (f, move || last.lock().unwrap_or_else(PoisonError::into_inner).take())
}

impl Backing for Tiered {
    fn capability(&self) -> Capability {
        let (front, back) = (self.0.front.capability(), self.0.back.capability());
        let is_copy = self.0.writes_back();
        // Natively a thread empties the queue, and whoever comes while it works waits for it.
        let waits_for_others = cfg!(not(target_arch = "wasm32")) && self.0.write == WritePolicy::Behind;
        Capability {
            ordered: false,
            immediate: front.immediate && back.immediate && !waits_for_others,
            atomic_batches: match self.0.write {
                WritePolicy::Through | WritePolicy::Around => back.atomic_batches,
                WritePolicy::Behind => front.atomic_batches && back.atomic_batches,
                WritePolicy::FrontOnly => front.atomic_batches,
            },
            shared: back.shared,
            persistent: match self.0.write {
                WritePolicy::Through | WritePolicy::Around => back.persistent,
                WritePolicy::Behind => false,
                WritePolicy::FrontOnly => front.persistent,
            },
            streams: is_copy && self.0.read == ReadPolicy::FrontFirst && back.streams,
            copies: true,
        }
    }

    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
        Box::pin(self.0.clone().read(names, part))
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        if self.0.writes_back() {
            Box::pin(self.0.clone().commit_through(writes))
        } else {
            Box::pin(self.0.clone().commit_near(writes))
        }
    }

    fn update(&self, name: BlobName, part: Part, f: UpdateFn) -> BoxFut<'static, Result<()>> {
        if self.0.writes_back() {
            Box::pin(self.0.clone().update_through(name, part, f))
        } else {
            Box::pin(self.0.clone().update_near(name, part, f))
        }
    }

    fn set_aside(&self, name: BlobName, is_damaged: JudgeFn) -> BoxFut<'static, Result<bool>> {
        if self.0.front_is_truth() {
            return self.0.front.set_aside(name, is_damaged);
        }
        Box::pin(self.0.clone().set_aside_through(name, is_damaged))
    }

    fn heads(&self) -> Box<dyn Heads> {
        heads::of(&self.0)
    }

    fn record(&self, copy: RecordCopy) -> BoxFut<'static, Result<Option<Bytes>>> {
        Box::pin(self.0.clone().record(copy))
    }

    fn put_record(&self, copy: RecordCopy, there: Option<Bytes>, record: Bytes) -> BoxFut<'static, Result<bool>> {
        Box::pin(self.0.clone().put_record(copy, there, record))
    }

    fn write_stream(&self, name: BlobName, head_len: usize) -> BoxFut<'static, Result<Box<dyn BlobWriter>>> {
        Box::pin(self.0.clone().write_stream(name, head_len))
    }

    fn read_stream(&self, name: BlobName) -> BoxFut<'static, Result<Option<Box<dyn BlobReader>>>> {
        Box::pin(self.0.clone().read_stream(name))
    }

    fn flush(&self) -> BoxFut<'static, Result<()>> {
        let tiers = self.0.clone();
        Box::pin(async move {
            tiers.clone().drain().await?;
            tiers.back.flush().await?;
            tiers.front.flush().await
        })
    }

    fn invalidate(&self, names: Option<Vec<BlobName>>) -> BoxFut<'static, ()> {
        let tiers = self.0.clone();
        if tiers.front_is_truth() {
            return Box::pin(std::future::ready(()));
        }
        let below = tiers.back.invalidate(names.clone());
        let marked = names.map(|names| (tiers.marks.set(&names), distinct(&names)));
        Box::pin(async move {
            below.await;
            match marked {
                Some((number, names)) => tiers.invalidate(names, number).await,
                None => match tiers.clone().invalidate_all().await {
                    Ok(()) => {}
                    Err(error) => tiers.tell(&error),
                },
            }
        })
    }

    fn pull(&self, names: Vec<BlobName>) -> BoxFut<'static, Result<()>> {
        Box::pin(self.0.clone().pull(names))
    }

    fn is_alone(&self) -> bool {
        self.0.front.is_alone() && self.0.back.is_alone()
    }

    fn close(&self) -> BoxFut<'static, Result<()>> {
        Box::pin(self.0.clone().close())
    }
}
