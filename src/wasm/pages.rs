//! Listings, page by page.

use std::{cell::RefCell, rc::Rc};

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::{calls::bytes, meta::meta_map, promise::promise};
use crate::{
    cbor::Writer,
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    meta::{Kind, pairs},
    store::{Entries, Keys, Prefix, Query, Store},
};

/// What comes in pages, each as bytes.
pub(super) trait Pages {
    /// The next one; `None` after the last.
    fn next(&mut self) -> BoxFut<'_, Result<Option<Vec<u8>>>>;
}

impl Pages for Keys {
    fn next(&mut self) -> BoxFut<'_, Result<Option<Vec<u8>>>> {
        Box::pin(async {
            let page = self.next_page().await?;
            Ok(page.map(|page| array(&page, |out, meta| out.raw(&meta_map(meta)))))
        })
    }
}

impl Pages for Entries {
    fn next(&mut self) -> BoxFut<'_, Result<Option<Vec<u8>>>> {
        Box::pin(async {
            let page = self.next_page().await?;
            Ok(page.map(|page| {
                array(&page, |out, (meta, value)| {
                    out.array(2);
                    out.raw(meta.key.exact());
                    out.raw(value);
                })
            }))
        })
    }
}

/// A CBOR array of what `write` makes of each item.
pub(super) fn array<T>(items: &[T], write: impl Fn(&mut Writer, &T)) -> Vec<u8> {
    let mut out = Writer::new();
    out.array(items.len());
    items.iter().for_each(|item| write(&mut out, item));
    out.finish()
}

/// A listing, from the query as CBOR: a map of `values`, `type`, `prefix`.
pub(super) fn listing(store: &Store, query: &[u8]) -> Result<Box<dyn Pages>> {
    let (mut wanted, mut values) = (Query::default(), false);
    for (name, value) in pairs(query) {
        match name {
            b"\x66values" => values = value == [0xf5],
            b"\x64type" => wanted.kind = Some(kind(value)?),
            b"\x66prefix" => wanted.prefix = Some(Prefix::from_cbor(value)?),
            _ => {}
        }
    }
    Ok(if values { Box::new(store.list_entries(wanted)?) } else { Box::new(store.list_keys(wanted)?) })
}

fn kind(item: &[u8]) -> Result<Kind> {
    let kinds = [Kind::Value, Kind::Binary, Kind::Log];
    let found = kinds.into_iter().find(|kind| item.get(1..) == Some(kind.as_str().as_bytes()));
    found.ok_or_else(|| Error::new(ErrorKind::InvalidConfig, "a listing's type is one of edn, binary, append-log"))
}

/// Pages that one call at a time takes out, so that no borrow lives across an await.
#[derive(Clone)]
pub(super) struct Shared(Rc<RefCell<Option<Box<dyn Pages>>>>);

impl Shared {
    pub(super) fn new(pages: Box<dyn Pages>) -> Self {
        Self(Rc::new(RefCell::new(Some(pages))))
    }

    pub(super) async fn next(self) -> Result<JsValue> {
        let pages = self.0.borrow_mut().take();
        let mut pages = pages.ok_or_else(|| {
            Error::new(ErrorKind::Conflict, "the next page of this listing is being read; await it first")
        })?;
        let page = pages.next().await;
        *self.0.borrow_mut() = Some(pages);
        Ok(bytes(page?.as_deref()))
    }
}

/// What is promised page by page.
#[wasm_bindgen]
pub struct RawPages(Shared);

impl RawPages {
    pub(super) fn new(pages: Box<dyn Pages>) -> Self {
        Self(Shared::new(pages))
    }
}

#[wasm_bindgen]
impl RawPages {
    /// A CBOR array of metadata, of `[key, value]`, of elements or of deleted keys, or bytes of an export; `undefined`
    /// after the last.
    pub fn next(&self) -> Promise {
        promise(self.0.clone().next())
    }
}
