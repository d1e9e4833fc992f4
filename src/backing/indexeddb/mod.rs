//! Blobs in the browser's IndexedDB.
//!
//! The connection is our own, because rexie, which deletes the database, cannot pass `durability`. Operations wait in
//! one queue per connection and share transactions. Correctness rests on the transactions, never on anything in memory:
//! other tabs, and other connections of this page, are equals.

mod answer;
mod batch;
mod connection;
mod database;
#[cfg(feature = "full")]
mod delete;
mod fault;
mod handle;
mod image;
mod job;
mod large;
#[cfg(feature = "full")]
mod range;
mod row;
#[cfg(feature = "full")]
mod stream;
mod transaction;

use std::{
    cell::{Cell, RefCell},
    future::ready,
    rc::Rc,
    sync::Arc,
};

use bytes::Bytes;

use super::{Backing, Blob, Capability, Change, HeadPage, Heads, Outcome, Part, Place, RecordCopy, UpdateFn, Write};
#[cfg(feature = "full")]
use super::{BlobReader, BlobWriter};
#[cfg(feature = "full")]
use crate::backing::JudgeFn;
use crate::{env::BoxFut, error::Result, name::BlobName};
use answer::{Answer, Reply};
use connection::Shared;
use database::Found;
use job::{RowWrite, Tried, Work};
use row::Row;
#[cfg(feature = "full")]
use stream::{DbReader, DbWriter};

/// From so many bytes on a value that is streamed is an object of the browser's, outside of this memory.
pub const OBJECT: u64 = 1 << 20;
/// How many heads a page of a listing has.
const PAGE_LEN: u32 = 512;

/// When the browser calls a transaction complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When the operating system has it: it survives the browser, not a power cut at that moment.
    #[default]
    Relaxed,
    /// When the disk has it.
    Strict,
}

impl Durability {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Relaxed => "relaxed",
            Self::Strict => "strict",
        }
    }
}

/// A database of this origin.
#[derive(Clone, Debug)]
pub struct IndexedDbPlace {
    name: String,
    durability: Durability,
}

impl IndexedDbPlace {
    /// The database of this name. Nothing happens yet.
    pub fn new(name: impl Into<String>, durability: Durability) -> Self {
        Self { name: name.into(), durability }
    }
}

impl Place for IndexedDbPlace {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        let Self { name, durability } = self.clone();
        Box::pin(async move {
            let Found::Ours(opened) = database::open(&name).await? else { return Ok(false) };
            let backing = IndexedDb { shared: Shared::new(name, durability, opened) };
            let exists = backing.record(RecordCopy::First).await?.is_some() || backing.heads().next().await?.is_some();
            backing.close().await?;
            Ok(exists)
        })
    }

    fn open(&self, create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        let Self { name, durability } = self.clone();
        Box::pin(async move {
            let mut found = database::open(&name).await?;
            if create && matches!(found, Found::Nothing) {
                database::create(&name).await?;
                found = database::open(&name).await?;
            }
            let shared = Shared::new(name, durability, found.ours()?);
            #[allow(
                clippy::arc_with_non_send_sync,
                reason = "a backing is an Arc on every target; wasm has one thread"
            )]
            Ok(Arc::new(IndexedDb { shared }) as Arc<dyn Backing>)
        })
    }

    #[cfg(feature = "full")]
    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        let name = self.name.clone();
        Box::pin(async move {
            let Found::Ours(opened) = database::open(&name).await? else { return Ok(()) };
            opened.database.close();
            delete::delete(&name).await
        })
    }

    #[cfg(not(feature = "full"))]
    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        use crate::error::{Error, ErrorKind};

        Box::pin(ready(Err(Error::new(ErrorKind::Unsupported, "the lean module deletes no database"))))
    }
}

/// One connection to a database.
struct IndexedDb {
    shared: Rc<Shared>,
}

impl IndexedDb {
    /// Queues what needs the bytes of a row now, and again each time that these had to be loaded first. Between the first
    /// and the second time others may have their turn: then what was loaded is compared with what is there.
    fn tried<T: 'static>(
        &self,
        work: impl Fn(Option<Blob>, Answer<Tried<T>>) -> Work + 'static,
    ) -> BoxFut<'static, Result<T>> {
        let shared = self.shared.clone();
        let mut trying = shared.push(|answer| work(None, answer));
        Box::pin(async move {
            loop {
                match trying.await? {
                    Tried::Done(done) => return Ok(done),
                    Tried::Unloaded(stored) => {
                        let loaded = stored.load().await?;
                        trying = shared.push(|answer| work(Some(loaded), answer));
                    }
                }
            }
        })
    }
}

impl Backing for IndexedDb {
    fn capability(&self) -> Capability {
        Capability {
            ordered: true,
            atomic_batches: true,
            shared: true,
            persistent: true,
            streams: cfg!(feature = "full"),
            ..Capability::NONE
        }
    }

    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
        let rows = names.into_iter().map(Row::Blob).collect();
        let reading = self.shared.push(|answer| Work::Read { rows, part, answer });
        Box::pin(async move {
            let found = reading.await?;
            let mut blobs = Vec::with_capacity(found.len());
            for stored in found {
                blobs.push(match stored {
                    Some(stored) => Some(stored.load().await?),
                    None => None,
                });
            }
            Ok(blobs)
        })
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        let row = |Write { name, change, expect }| RowWrite { name, becomes: change.into(), expect };
        let writes = writes.into_iter().map(row).collect();
        Box::pin(self.shared.push(|answer| Work::Commit { writes, answer }))
    }

    fn update(&self, name: BlobName, part: Part, f: UpdateFn) -> BoxFut<'static, Result<()>> {
        let f = Rc::new(RefCell::new(f));
        let row = Row::Blob(name);
        self.tried(move |loaded, answer| Work::Update { row, part, f: f.clone(), loaded, answer })
    }

    #[cfg(feature = "full")]
    fn set_aside(&self, name: BlobName, is_damaged: JudgeFn) -> BoxFut<'static, Result<bool>> {
        let is_damaged = Rc::new(RefCell::new(is_damaged));
        self.tried(move |loaded, answer| Work::SetAside { name, is_damaged: is_damaged.clone(), loaded, answer })
    }

    fn heads(&self) -> Box<dyn Heads> {
        Box::new(Pages { shared: self.shared.clone(), after: None, next: None, ended: false })
    }

    fn record(&self, copy: RecordCopy) -> BoxFut<'static, Result<Option<Bytes>>> {
        let rows = vec![Row::Record(copy)];
        let read = self.shared.push(|answer| Work::Read { rows, part: Part::All, answer });
        Box::pin(async move {
            let Some(stored) = read.await?.pop().flatten() else { return Ok(None) };
            let Blob { head, value } = stored.load().await?;
            Ok(Some(if value.is_empty() { head } else { [head, value].concat().into() }))
        })
    }

    fn put_record(&self, copy: RecordCopy, there: Option<Bytes>, record: Bytes) -> BoxFut<'static, Result<bool>> {
        let put = Rc::new(Cell::new(false));
        let tell = put.clone();
        let f: UpdateFn = Box::new(move |old: Option<&Blob>| {
            tell.set(match (old, &there) {
                (Some(blob), Some(there)) => there.strip_prefix(&blob.head[..]) == Some(&blob.value[..]),
                (old, there) => old.is_none() && there.is_none(),
            });
            let blob = Blob { head: record.clone(), value: Bytes::new() };
            Ok(if tell.get() { Change::Put(blob) } else { Change::Keep })
        });
        let (row, part, f) = (Row::Record(copy), Part::All, Rc::new(RefCell::new(f)));
        let done = self.tried(move |loaded, answer| Work::Update { row, part, f: f.clone(), loaded, answer });
        Box::pin(async move { done.await.map(|()| put.get()) })
    }

    #[cfg(feature = "full")]
    fn write_stream(&self, name: BlobName, _head_len: usize) -> BoxFut<'static, Result<Box<dyn BlobWriter>>> {
        Box::pin(ready(Ok(Box::new(DbWriter::new(self.shared.clone(), name)) as Box<dyn BlobWriter>)))
    }

    #[cfg(feature = "full")]
    fn read_stream(&self, name: BlobName) -> BoxFut<'static, Result<Option<Box<dyn BlobReader>>>> {
        let reading = self.shared.push(|answer| Work::Read { rows: vec![Row::Blob(name)], part: Part::All, answer });
        Box::pin(async move {
            let found = reading.await?.pop().flatten();
            Ok(found.map(|stored| Box::new(DbReader(stored)) as Box<dyn BlobReader>))
        })
    }

    fn close(&self) -> BoxFut<'static, Result<()>> {
        Box::pin(self.shared.close())
    }
}

/// A listing, page by page: one transaction each. The next page is read while the last one is looked at.
struct Pages {
    shared: Rc<Shared>,
    after: Option<BlobName>,
    next: Option<Reply<HeadPage>>,
    ended: bool,
}

impl Pages {
    fn ask(&self) -> Reply<HeadPage> {
        let after = self.after;
        self.shared.push(|answer| Work::Page { after, answer })
    }
}

impl Heads for Pages {
    fn next(&mut self) -> BoxFut<'_, Result<Option<HeadPage>>> {
        Box::pin(async move {
            if self.ended {
                return Ok(None);
            }
            let asked = self.next.take().unwrap_or_else(|| self.ask());
            let page = asked.await?;
            match page.last() {
                Some((last, _)) => {
                    self.after = Some(*last);
                    self.next = Some(self.ask());
                }
                None => self.ended = true,
            }
            Ok((!self.ended).then_some(page))
        })
    }
}
