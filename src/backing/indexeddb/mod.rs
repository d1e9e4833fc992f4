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
mod row;
mod transaction;

#[cfg(not(feature = "full"))]
use std::future::ready;
use std::{cell::Cell, rc::Rc, sync::Arc};

use bytes::Bytes;

use super::{Backing, Blob, Capability, Change, HeadPage, Heads, JudgeFn, Outcome, Part, Place, UpdateFn, Write};
use crate::{env::BoxFut, error::Result, name::BlobName};
use connection::Shared;
use database::Found;
use job::Work;
use row::Row;

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
            let exists = backing.record().await?.is_some() || backing.heads().next().await?.is_some();
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

impl Backing for IndexedDb {
    fn capability(&self) -> Capability {
        Capability { ordered: true, atomic_batches: true, shared: true, persistent: true, ..Capability::NONE }
    }

    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
        let rows = names.into_iter().map(Row::Blob).collect();
        Box::pin(self.shared.push(|answer| Work::Read { rows, part, answer }))
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        Box::pin(self.shared.push(|answer| Work::Commit { writes, answer }))
    }

    fn update(&self, name: BlobName, part: Part, f: UpdateFn) -> BoxFut<'static, Result<()>> {
        Box::pin(self.shared.push(|answer| Work::Update { row: Row::Blob(name), part, f, answer }))
    }

    fn set_aside(&self, name: BlobName, is_damaged: JudgeFn) -> BoxFut<'static, Result<bool>> {
        Box::pin(self.shared.push(|answer| Work::SetAside { name, is_damaged, answer }))
    }

    fn heads(&self) -> Box<dyn Heads> {
        Box::new(Pages { shared: self.shared.clone(), after: None, ended: false })
    }

    fn record(&self) -> BoxFut<'static, Result<Option<Bytes>>> {
        let read = self.shared.push(|answer| Work::Read { rows: vec![Row::Record], part: Part::All, answer });
        Box::pin(async move {
            let found = read.await?.pop().flatten();
            Ok(found.map(|Blob { head, value }| if value.is_empty() { head } else { [head, value].concat().into() }))
        })
    }

    fn create_record(&self, record: Bytes) -> BoxFut<'static, Result<bool>> {
        let created = Rc::new(Cell::new(false));
        let tell = created.clone();
        let f: UpdateFn = Box::new(move |old| {
            tell.set(old.is_none());
            Ok(match old {
                Some(_) => Change::Keep,
                None => Change::Put(Blob { head: record.clone(), value: Bytes::new() }),
            })
        });
        let put = self.shared.push(|answer| Work::Update { row: Row::Record, part: Part::Head, f, answer });
        Box::pin(async move { put.await.map(|()| created.get()) })
    }

    fn close(&self) -> BoxFut<'static, Result<()>> {
        Box::pin(self.shared.close())
    }
}

/// A listing, page by page: one transaction each.
struct Pages {
    shared: Rc<Shared>,
    after: Option<BlobName>,
    ended: bool,
}

impl Heads for Pages {
    fn next(&mut self) -> BoxFut<'_, Result<Option<HeadPage>>> {
        Box::pin(async move {
            if self.ended {
                return Ok(None);
            }
            let after = self.after;
            let page = self.shared.push(|answer| Work::Page { after, answer }).await?;
            self.after = page.last().map(|(name, _)| *name);
            self.ended = self.after.is_none();
            Ok((!self.ended).then_some(page))
        })
    }
}
