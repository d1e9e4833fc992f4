//! Logs, sweeps and exports, page by page; and pages that are there at once.

use wasm_bindgen::prelude::*;

use super::{
    moving::Exporting,
    pages::{Pages, Shared, array},
    promise::now,
};
use crate::{
    cbor::{Head, Reader},
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    key::Key,
    meta::pairs,
    store::{Elements, Store, Sweep, Sweeping},
};

impl Pages for Exporting {
    fn next(&mut self) -> BoxFut<'_, Result<Option<Vec<u8>>>> {
        Box::pin(async { Ok(self.next_chunk().await?.map(Vec::from)) })
    }
}

impl Pages for Elements {
    fn next(&mut self) -> BoxFut<'_, Result<Option<Vec<u8>>>> {
        Box::pin(async {
            let page = self.next_page().await?;
            Ok(page.map(|page| array(&page, |out, element| out.raw(element))))
        })
    }
}

impl Pages for Sweeping {
    fn next(&mut self) -> BoxFut<'_, Result<Option<Vec<u8>>>> {
        Box::pin(async {
            let batch = self.next_batch().await?;
            Ok(batch.map(|keys| array(&keys, |out, key| out.raw(key.as_cbor()))))
        })
    }
}

/// The elements of a log.
pub(super) fn log(store: &Store, key: &[u8]) -> Result<Box<dyn Pages>> {
    Ok(Box::new(store.list_log(Key::from_cbor(key)?)))
}

/// A sweep, from what it is to do as CBOR: a map of `before`, `keep` and `batch`.
pub(super) fn sweep(store: &Store, wanted: &[u8]) -> Result<Box<dyn Pages>> {
    let (mut before, mut keep, mut batch) = (0, Vec::new(), None);
    for (name, value) in pairs(wanted) {
        match name {
            b"\x66before" => before = whole(value)?,
            b"\x64keep" => keep = kept(value)?,
            b"\x65batch" => batch = Some(whole(value)?),
            _ => {}
        }
    }
    let mut sweep = Sweep::before(before).keep(keep);
    if let Some(batch) = batch {
        sweep = sweep.batch_size(usize::try_from(batch).unwrap_or(usize::MAX))?;
    }
    Ok(Box::new(store.sweep_batches(sweep)))
}

fn whole(item: &[u8]) -> Result<u64> {
    let message = "before and batchSize of a sweep must be whole numbers that are not negative";
    match Reader::new(item).head() {
        Ok(Head::Positive(n)) => Ok(n),
        _ => Err(Error::new(ErrorKind::InvalidConfig, message)),
    }
}

/// An array of keys.
pub(super) fn kept(items: &[u8]) -> Result<Vec<Key>> {
    let (mut reader, mut keys) = (Reader::new(items), Vec::new());
    if let Ok(Head::Array(_)) = reader.head() {
        while let Ok(item) = reader.item() {
            keys.push(Key::from_cbor(item)?);
        }
    }
    Ok(keys)
}

/// What is given page by page at once.
#[wasm_bindgen]
pub struct RawSyncPages(Shared);

impl RawSyncPages {
    pub(super) fn new(pages: Box<dyn Pages>) -> Self {
        Self(Shared::new(pages))
    }
}

#[wasm_bindgen]
impl RawSyncPages {
    /// As `RawPages.next`.
    pub fn next(&self) -> Result<JsValue, JsValue> {
        now(self.0.clone().next())
    }
}
