//! Listings, logs, sweeps and exports, page by page.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use super::{
    calls::bytes,
    meta::meta_map,
    moving::Exporting,
    promise::{now, promise},
};
use crate::{
    cbor::{Head, Reader, Writer},
    error::{Error, ErrorKind, Result},
    key::Key,
    meta::{Kind, pairs},
    store::{Elements, Entries, Keys, Prefix, Query, Store, Sweep, Sweeping},
};

/// What comes in pages.
pub(super) enum Listing {
    Keys(Keys),
    Entries(Entries),
    Export(Box<Exporting>),
    Log(Elements),
    Sweep(Sweeping),
}

impl Listing {
    /// From the query as CBOR: a map of `values`, `type`, `prefix` for a listing, of `log` for a log, of `keep`, `before`
    /// and `batch` for a sweep.
    pub(super) fn open(store: &Store, query: &[u8]) -> Result<Self> {
        let (mut wanted, mut values, mut sweep) = (Query::default(), false, None);
        for (name, value) in pairs(query) {
            match name {
                b"\x66values" => values = value == [0xf5],
                b"\x64type" => wanted.kind = Some(kind(value)?),
                b"\x66prefix" => wanted.prefix = Some(Prefix::from_cbor(value)?),
                b"\x63log" => return Ok(Self::Log(store.list_log(Key::from_cbor(value)?))),
                b"\x66before" => sweep = Some(Sweep::before(whole(value)?)),
                b"\x65batch" => {
                    let batch = usize::try_from(whole(value)?).unwrap_or(usize::MAX);
                    sweep = sweep.map(|sweep| sweep.batch_size(batch)).transpose()?;
                }
                b"\x64keep" => {
                    let keys = kept(value)?;
                    sweep = sweep.map(|sweep| sweep.keep(keys));
                }
                _ => {}
            }
        }
        Ok(match sweep {
            Some(sweep) => Self::Sweep(store.sweep_batches(sweep)),
            None if values => Self::Entries(store.list_entries(wanted)?),
            None => Self::Keys(store.list_keys(wanted)?),
        })
    }

    /// An export, whose `progress` is told how many entries it has so far.
    pub(super) fn export(store: &Store, progress: Function) -> Result<Self> {
        Ok(Self::Export(Box::new(Exporting(store.export()?, progress))))
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let mut out = Writer::new();
        match self {
            Self::Keys(keys) => {
                let Some(page) = keys.next_page().await? else { return Ok(None) };
                out.array(page.len());
                page.iter().for_each(|meta| out.raw(&meta_map(meta)));
            }
            Self::Entries(entries) => {
                let Some(page) = entries.next_page().await? else { return Ok(None) };
                out.array(page.len());
                for (meta, value) in page {
                    out.array(2);
                    out.raw(meta.key.as_cbor());
                    out.raw(&value);
                }
            }
            Self::Export(export) => return Ok(export.next().await?.map(Vec::from)),
            Self::Log(elements) => {
                let Some(page) = elements.next_page().await? else { return Ok(None) };
                out.array(page.len());
                page.iter().for_each(|element| out.raw(element));
            }
            Self::Sweep(sweeping) => {
                let Some(keys) = sweeping.next_batch().await? else { return Ok(None) };
                out.array(keys.len());
                keys.iter().for_each(|key| out.raw(key.as_cbor()));
            }
        }
        Ok(Some(out.finish()))
    }
}

fn whole(item: &[u8]) -> Result<u64> {
    let message = "before and batchSize of a sweep must be whole numbers that are not negative";
    match Reader::new(item).head() {
        Ok(Head::Positive(n)) => Ok(n),
        _ => Err(Error::new(ErrorKind::InvalidConfig, message)),
    }
}

fn kept(items: &[u8]) -> Result<Vec<Key>> {
    let (mut reader, mut keys) = (Reader::new(items), Vec::new());
    if let Ok(Head::Array(_)) = reader.head() {
        while let Ok(item) = reader.item() {
            keys.push(Key::from_cbor(item)?);
        }
    }
    Ok(keys)
}

fn kind(item: &[u8]) -> Result<Kind> {
    let kinds = [Kind::Value, Kind::Binary, Kind::Log];
    let found = kinds.into_iter().find(|kind| item.get(1..) == Some(kind.as_str().as_bytes()));
    found.ok_or_else(|| Error::new(ErrorKind::InvalidConfig, "a listing's type is one of edn, binary, append-log"))
}

/// A listing that one call at a time takes out, so that no borrow lives across an await.
#[derive(Clone)]
struct Shared(Rc<RefCell<Option<Listing>>>);

impl Shared {
    fn new(listing: Listing) -> Self {
        Self(Rc::new(RefCell::new(Some(listing))))
    }

    async fn next(self) -> Result<JsValue> {
        let listing = self.0.borrow_mut().take();
        let mut listing = listing.ok_or_else(|| {
            Error::new(ErrorKind::Conflict, "the next page of this listing is being read; await it first")
        })?;
        let page = listing.next().await;
        *self.0.borrow_mut() = Some(listing);
        Ok(bytes(page?.as_deref()))
    }
}

/// A listing whose pages are promised.
#[wasm_bindgen]
pub struct RawPages(Shared);

impl RawPages {
    pub(super) fn new(listing: Listing) -> Self {
        Self(Shared::new(listing))
    }
}

#[wasm_bindgen]
impl RawPages {
    /// A CBOR array of metadata, or of `[key, value]`, or bytes of an export; `undefined` after the last.
    /// A CBOR array of metadata, of `[key, value]`, of elements or of deleted keys; `undefined` after the last.
    pub fn next(&self) -> Promise {
        promise(self.0.clone().next())
    }
}

/// A listing whose pages are there at once.
#[wasm_bindgen]
pub struct RawSyncPages(Shared);

impl RawSyncPages {
    pub(super) fn new(listing: Listing) -> Self {
        Self(Shared::new(listing))
    }
}

#[wasm_bindgen]
impl RawSyncPages {
    /// A CBOR array of metadata, or of `[key, value]`, or bytes of an export; `undefined` after the last.
    /// A CBOR array of metadata, of `[key, value]`, of elements or of deleted keys; `undefined` after the last.
    pub fn next(&self) -> Result<JsValue, JsValue> {
        now(self.0.clone().next())
    }
}
