//! An open store, synchronous.

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;

use super::{
    binaries,
    calls::{self, Options},
    full::append,
    full_pages::{self, RawSyncPages},
    hooks,
    host::to_js,
    keys,
    moving::{self, Exporting},
    multi, pages,
    promise::now,
    store::stamp,
};
use crate::store::Store;

/// A store whose methods return their results.
#[wasm_bindgen]
pub struct RawSyncStore {
    pub(super) store: Store,
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
        compressor: Option<u8>,
    ) -> Result<JsValue, JsValue> {
        now(calls::assoc(self.store.clone(), path, value, Options { meta, expires, compressor }))
    }

    pub fn update(
        &self,
        path: Vec<u8>,
        f: Function,
        meta: Option<Vec<u8>>,
        expires: Option<f64>,
        compressor: Option<u8>,
    ) -> Result<JsValue, JsValue> {
        now(calls::update(self.store.clone(), path, f, Options { meta, expires, compressor }))
    }

    pub fn dissoc(&self, path: Vec<u8>) -> Result<JsValue, JsValue> {
        now(calls::dissoc(self.store.clone(), path))
    }

    #[wasm_bindgen(js_name = changeKeys)]
    pub fn change_keys(&self, op: String, keys: Array, derive: Function) -> Result<JsValue, JsValue> {
        now(keys::change(self.store.clone(), op, keys, derive))
    }

    pub fn rekey(&self, keys: Array, derive: Function, progress: Function, alone: bool) -> Result<JsValue, JsValue> {
        now(keys::rekey(self.store.clone(), keys, derive, progress, alone))
    }

    pub fn bassoc(
        &self,
        key: Vec<u8>,
        bytes: Vec<u8>,
        meta: Option<Vec<u8>>,
        expires: Option<f64>,
        compressor: Option<u8>,
    ) -> Result<JsValue, JsValue> {
        now(binaries::bassoc(self.store.clone(), key, bytes, Options { meta, expires, compressor }))
    }

    pub fn bget(&self, key: Vec<u8>, start: f64, end: Option<f64>) -> Result<JsValue, JsValue> {
        now(binaries::bget(self.store.clone(), key, start, end))
    }

    pub fn batch(&self, op: String, given: Vec<u8>) -> Result<JsValue, JsValue> {
        now(multi::batch(self.store.clone(), op, given))
    }

    pub fn hook(&self, id: &str, values: bool, f: Option<Function>) -> Result<(), JsValue> {
        hooks::hook(&self.store, id, values, f)
    }

    pub fn pages(&self, query: &[u8]) -> Result<RawSyncPages, JsValue> {
        pages::listing(&self.store, query).map(RawSyncPages::new).map_err(|error| to_js(&error))
    }

    pub fn verify(&self, repair: bool, progress: Function) -> Result<JsValue, JsValue> {
        now(moving::verify(self.store.clone(), repair, progress))
    }

    pub fn export(&self, progress: Function) -> Result<RawSyncPages, JsValue> {
        Exporting::new(&self.store, progress)
            .map(|export| RawSyncPages::new(Box::new(export)))
            .map_err(|error| to_js(&error))
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
        now(append(self.store.clone(), key, element, Options { meta, expires, compressor: None }))
    }

    pub fn log(&self, key: &[u8]) -> Result<RawSyncPages, JsValue> {
        full_pages::log(&self.store, key).map(RawSyncPages::new).map_err(|error| to_js(&error))
    }

    pub fn sweep(&self, wanted: &[u8]) -> Result<RawSyncPages, JsValue> {
        full_pages::sweep(&self.store, wanted).map(RawSyncPages::new).map_err(|error| to_js(&error))
    }

    pub fn id(&self) -> String {
        self.store.id().to_string()
    }

    pub fn stamp(&self) -> f64 {
        stamp(&self.store)
    }

    pub fn flush(&self) -> Result<JsValue, JsValue> {
        now(calls::flush(self.store.clone()))
    }

    pub fn close(&self) -> Result<JsValue, JsValue> {
        now(calls::close(self.store.clone()))
    }
}
