//! An open store, with promises or synchronous.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use super::{
    calls::{self, Options},
    host::to_js,
    pages::{Listing, RawPages, RawSyncPages},
    promise::{now, promise},
};
use crate::store::{Store, Unreferenced};

/// A store whose methods return promises. Keys, paths, values and metadata are CBOR.
#[wasm_bindgen]
pub struct RawStore {
    store: Store,
}

impl RawStore {
    pub(super) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[wasm_bindgen]
#[allow(missing_docs, reason = "documented where JavaScript reads it, in index.d.ts")]
impl RawStore {
    pub fn get(&self, path: Vec<u8>) -> Promise {
        promise(calls::get(self.store.clone(), path))
    }

    pub fn exists(&self, key: Vec<u8>) -> Promise {
        promise(calls::exists(self.store.clone(), key))
    }

    #[wasm_bindgen(js_name = getMeta)]
    pub fn get_meta(&self, key: Vec<u8>) -> Promise {
        promise(calls::get_meta(self.store.clone(), key))
    }

    pub fn assoc(&self, path: Vec<u8>, value: Vec<u8>, meta: Option<Vec<u8>>, expires: Option<f64>) -> Promise {
        promise(calls::assoc(self.store.clone(), path, value, Options { meta, expires }))
    }

    pub fn update(&self, path: Vec<u8>, f: Function, meta: Option<Vec<u8>>, expires: Option<f64>) -> Promise {
        promise(calls::update(self.store.clone(), path, f, Options { meta, expires }))
    }

    pub fn dissoc(&self, path: Vec<u8>) -> Promise {
        promise(calls::dissoc(self.store.clone(), path))
    }

    pub fn pages(&self, query: &[u8]) -> Result<RawPages, JsValue> {
        Listing::open(&self.store, query).map(RawPages::new).map_err(|error| to_js(&error))
    }

    pub fn append(&self, key: Vec<u8>, element: Vec<u8>, meta: Option<Vec<u8>>, expires: Option<f64>) -> Promise {
        promise(calls::append(self.store.clone(), key, element, Options { meta, expires }))
    }

    pub fn cutoff(&self) -> f64 {
        cutoff(&self.store)
    }

    pub fn writing(&self) -> RawWriting {
        RawWriting { _writing: self.store.unreferenced_writes() }
    }

    pub fn close(&self) -> Promise {
        promise(calls::close(self.store.clone()))
    }
}

/// While it is not freed, sweeps spare what is written.
#[wasm_bindgen]
pub struct RawWriting {
    _writing: Unreferenced,
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 are below 2^53")]
fn cutoff(store: &Store) -> f64 {
    store.cutoff() as f64
}

/// A store whose methods return their results.
#[wasm_bindgen]
pub struct RawSyncStore {
    store: Store,
}

impl RawSyncStore {
    pub(super) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[wasm_bindgen]
#[allow(missing_docs, reason = "documented where JavaScript reads it, in sync.d.ts")]
impl RawSyncStore {
    pub fn get(&self, path: Vec<u8>) -> Result<JsValue, JsValue> {
        now(calls::get(self.store.clone(), path))
    }

    pub fn exists(&self, key: Vec<u8>) -> Result<JsValue, JsValue> {
        now(calls::exists(self.store.clone(), key))
    }

    #[wasm_bindgen(js_name = getMeta)]
    pub fn get_meta(&self, key: Vec<u8>) -> Result<JsValue, JsValue> {
        now(calls::get_meta(self.store.clone(), key))
    }

    pub fn assoc(
        &self,
        path: Vec<u8>,
        value: Vec<u8>,
        meta: Option<Vec<u8>>,
        expires: Option<f64>,
    ) -> Result<JsValue, JsValue> {
        now(calls::assoc(self.store.clone(), path, value, Options { meta, expires }))
    }

    pub fn update(
        &self,
        path: Vec<u8>,
        f: Function,
        meta: Option<Vec<u8>>,
        expires: Option<f64>,
    ) -> Result<JsValue, JsValue> {
        now(calls::update(self.store.clone(), path, f, Options { meta, expires }))
    }

    pub fn dissoc(&self, path: Vec<u8>) -> Result<JsValue, JsValue> {
        now(calls::dissoc(self.store.clone(), path))
    }

    pub fn pages(&self, query: &[u8]) -> Result<RawSyncPages, JsValue> {
        Listing::open(&self.store, query).map(RawSyncPages::new).map_err(|error| to_js(&error))
    }

    pub fn append(
        &self,
        key: Vec<u8>,
        element: Vec<u8>,
        meta: Option<Vec<u8>>,
        expires: Option<f64>,
    ) -> Result<JsValue, JsValue> {
        now(calls::append(self.store.clone(), key, element, Options { meta, expires }))
    }

    pub fn cutoff(&self) -> f64 {
        cutoff(&self.store)
    }

    pub fn writing(&self) -> RawWriting {
        RawWriting { _writing: self.store.unreferenced_writes() }
    }

    pub fn close(&self) -> Result<JsValue, JsValue> {
        now(calls::close(self.store.clone()))
    }
}
