//! Copying logs between stores that keep them in different ways: numbered in one, as a chain in the other.

use bytes::Bytes;

use super::{
    Store,
    chain::{Chain, Link, link_key, random_id},
    intake::Intake,
    log::Numbered,
};
use crate::{
    error::Result,
    key::Key,
    layout::Layout,
    meta::{Kind, Meta},
    name::{BlobName, Uuid},
};

/// The log that is being written, as the store keeps it.
enum Writing {
    Numbered(Numbered),
    /// The first element, and the one that waits to be told which comes after it.
    Chain(Option<(Uuid, Uuid, Bytes)>),
}

impl Store {
    /// Whether the other store keeps logs in another way than this one.
    pub(super) fn keeps_logs_otherwise(&self, other: &Self) -> bool {
        std::mem::discriminant(&self.inner.layout) != std::mem::discriminant(&other.inner.layout)
    }

    /// The name of an element here, that has this name in a store which keeps logs in the same way.
    pub(super) fn element_name(&self, name: BlobName, key: &Key) -> Result<BlobName> {
        match self.inner.layout {
            Layout::Sealed(_) => self.name(key),
            Layout::Konserve(_) => Ok(name),
        }
    }

    /// Copies a log by its head. Its elements come before the head, so that a log which is there is whole. An element by
    /// itself is passed over: it comes with its log.
    pub(super) async fn copy_log(&self, meta: Meta, intake: &mut Intake) -> Result<()> {
        if meta.kind != Kind::Log {
            return Ok(());
        }
        let other = intake.store.clone();
        let name = other.find(&meta.key).await?;
        if intake.passes_over(name).await? || self.is_copied(&meta.key, &other).await? {
            intake.skip();
            return Ok(());
        }
        let mut writing = match other.inner.layout {
            Layout::Sealed(_) => Writing::Numbered(Numbered::new()?),
            Layout::Konserve(_) => Writing::Chain(None),
        };
        let mut elements = self.list_log(meta.key.clone());
        while let Some(page) = elements.next_page().await? {
            for element in page {
                writing.add(&other, &meta, element, intake).await?;
            }
        }
        let Some(head) = writing.end(&other, &meta, intake).await? else { return Ok(()) };
        intake.add(name, other.encoded(name, meta, head)?).await
    }

    /// Whether the other store has a log at the key with the very same elements, as after a copy that was interrupted.
    async fn is_copied(&self, key: &Key, other: &Self) -> Result<bool> {
        let Ok(Some(_)) = other.log_at(key).await else { return Ok(false) };
        let (mut ours, mut theirs) = (self.list_log(key.clone()), other.list_log(key.clone()));
        let (mut our, mut their) = (Vec::new().into_iter(), Vec::new().into_iter());
        loop {
            if our.len() == 0 {
                our = ours.next_page().await?.unwrap_or_default().into_iter();
            }
            if their.len() == 0 {
                their = theirs.next_page().await?.unwrap_or_default().into_iter();
            }
            match (our.next(), their.next()) {
                (None, None) => return Ok(true),
                (our, their) if our != their => return Ok(false),
                _ => {}
            }
        }
    }
}

impl Writing {
    async fn add(&mut self, store: &Store, head: &Meta, element: Bytes, intake: &mut Intake) -> Result<()> {
        match self {
            Self::Numbered(log) => {
                let key = log.element(log.next);
                log.next += 1;
                let name = store.name(&key)?;
                let meta = Meta::new(key, Kind::LogElement, head.last_write);
                intake.add(name, store.encoded(name, meta, element)?).await
            }
            Self::Chain(waiting) => {
                let id = random_id()?;
                let Some((first, before, waited)) = waiting.take() else {
                    *waiting = Some((id, id, element));
                    return Ok(());
                };
                *waiting = Some((first, id, element));
                link(store, head, (before, Some(id), waited), intake).await
            }
        }
    }

    /// The value of the head, once the last element is written; `None` for a chain without elements, which cannot be.
    async fn end(self, store: &Store, head: &Meta, intake: &mut Intake) -> Result<Option<Bytes>> {
        match self {
            Self::Numbered(log) => Ok(Some(log.to_cbor())),
            Self::Chain(None) => Ok(None),
            Self::Chain(Some((first, last, element))) => {
                link(store, head, (last, None, element), intake).await?;
                Ok(Some(Chain { first, last }.to_cbor()))
            }
        }
    }
}

/// Writes an element of a chain: its id, that of the next, and what it holds.
async fn link(
    store: &Store,
    head: &Meta,
    (id, next, element): (Uuid, Option<Uuid>, Bytes),
    intake: &mut Intake,
) -> Result<()> {
    let name = store.name(&link_key(id))?;
    let meta = Meta::new(head.key.clone(), Kind::LogElement, head.last_write);
    intake.add(name, store.encoded(name, meta, Link { next, element }.to_cbor())?).await
}
