//! An open store, with promises or synchronous.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use super::{
    binaries,
    calls::{self, Options},
    hooks,
    host::to_js,
    moving, multi,
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

    pub fn bassoc(&self, key: Vec<u8>, bytes: Vec<u8>, meta: Option<Vec<u8>>, expires: Option<f64>) -> Promise {
        promise(calls::bassoc(self.store.clone(), key, bytes, Options { meta, expires }))
    }

    pub fn bget(&self, key: Vec<u8>, start: f64, end: Option<f64>) -> Promise {
        promise(calls::bget(self.store.clone(), key, start, end))
    }

    pub fn batch(&self, op: String, given: Vec<u8>) -> Promise {
        promise(multi::batch(self.store.clone(), op, given))
    }

    pub fn hook(&self, id: &str, values: bool, f: Option<Function>) -> Result<(), JsValue> {
        hooks::hook(&self.store, id, values, f)
    }

    pub fn id(&self) -> String {
        self.store.id().to_string()
    }

    pub fn lend(&self, key: Vec<u8>, f: Function) -> Promise {
        promise(binaries::lend(self.store.clone(), key, f))
    }

    #[cfg(feature = "node")]
    pub fn writer(&self, key: Vec<u8>, meta: Option<Vec<u8>>, expires: Option<f64>) -> Promise {
        promise(binaries::begin(self.store.clone(), key, Options { meta, expires }))
    }

    pub fn pages(&self, query: &[u8]) -> Result<RawPages, JsValue> {
        Listing::open(&self.store, query).map(RawPages::new).map_err(|error| to_js(&error))
    }

    pub fn verify(&self, repair: bool, progress: Function) -> Promise {
        promise(moving::verify(self.store.clone(), repair, progress))
    }

    pub fn export(&self, progress: Function) -> Result<RawPages, JsValue> {
        Listing::export(&self.store, progress).map(RawPages::new).map_err(|error| to_js(&error))
    }

    pub fn import(&self, existing: String, next: Function) -> Promise {
        promise(moving::import(self.store.clone(), existing, next))
    }

    #[wasm_bindgen(js_name = copyTo)]
    pub fn copy_to(&self, other: &RawStore, existing: String, progress: Function) -> Promise {
        promise(moving::copy_to(self.store.clone(), other.store.clone(), existing, progress))
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

    pub fn bassoc(
        &self,
        key: Vec<u8>,
        bytes: Vec<u8>,
        meta: Option<Vec<u8>>,
        expires: Option<f64>,
    ) -> Result<JsValue, JsValue> {
        now(calls::bassoc(self.store.clone(), key, bytes, Options { meta, expires }))
    }

    pub fn bget(&self, key: Vec<u8>, start: f64, end: Option<f64>) -> Result<JsValue, JsValue> {
        now(calls::bget(self.store.clone(), key, start, end))
    }

    pub fn batch(&self, op: String, given: Vec<u8>) -> Result<JsValue, JsValue> {
        now(multi::batch(self.store.clone(), op, given))
    }

    pub fn hook(&self, id: &str, values: bool, f: Option<Function>) -> Result<(), JsValue> {
        hooks::hook(&self.store, id, values, f)
    }

    pub fn pages(&self, query: &[u8]) -> Result<RawSyncPages, JsValue> {
        Listing::open(&self.store, query).map(RawSyncPages::new).map_err(|error| to_js(&error))
    }

    pub fn verify(&self, repair: bool, progress: Function) -> Result<JsValue, JsValue> {
        now(moving::verify(self.store.clone(), repair, progress))
    }

    pub fn export(&self, progress: Function) -> Result<RawSyncPages, JsValue> {
        Listing::export(&self.store, progress).map(RawSyncPages::new).map_err(|error| to_js(&error))
    }

    pub fn import(&self, existing: String, next: Function) -> Result<JsValue, JsValue> {
        now(moving::import(self.store.clone(), existing, next))
    }

    #[wasm_bindgen(js_name = copyTo)]
    pub fn copy_to(&self, other: &RawSyncStore, existing: String, progress: Function) -> Result<JsValue, JsValue> {
        now(moving::copy_to(self.store.clone(), other.store.clone(), existing, progress))
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
