//! An open store with promises: what every app needs at once. `full.rs` has the rest.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use super::{
    calls::{self, Options},
    hooks,
    host::to_js,
    pages::{self, RawPages},
    promise::promise,
};
use crate::store::Store;

/// A store whose methods return promises. Keys, paths, values and metadata are CBOR.
#[wasm_bindgen]
pub struct RawStore {
    pub(super) store: Store,
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

    pub fn assoc(
        &self,
        path: Vec<u8>,
        value: Vec<u8>,
        meta: Option<Vec<u8>>,
        expires: Option<f64>,
        compressor: Option<u8>,
    ) -> Promise {
        promise(calls::assoc(self.store.clone(), path, value, Options { meta, expires, compressor }))
    }

    pub fn update(
        &self,
        path: Vec<u8>,
        f: Function,
        meta: Option<Vec<u8>>,
        expires: Option<f64>,
        compressor: Option<u8>,
    ) -> Promise {
        promise(calls::update(self.store.clone(), path, f, Options { meta, expires, compressor }))
    }

    pub fn dissoc(&self, path: Vec<u8>) -> Promise {
        promise(calls::dissoc(self.store.clone(), path))
    }

    pub fn hook(&self, id: &str, values: bool, f: Option<Function>) -> Result<(), JsValue> {
        hooks::hook(&self.store, id, values, f)
    }

    pub fn id(&self) -> String {
        self.store.id().to_string()
    }

    pub fn stamp(&self) -> f64 {
        stamp(&self.store)
    }

    pub fn pages(&self, query: &[u8]) -> Result<RawPages, JsValue> {
        pages::listing(&self.store, query).map(RawPages::new).map_err(|error| to_js(&error))
    }

    pub fn flush(&self) -> Promise {
        promise(calls::flush(self.store.clone()))
    }

    pub fn close(&self) -> Promise {
        promise(calls::close(self.store.clone()))
    }
}

/// A time that no later write of this store is before, in milliseconds since 1970.
#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 are below 2^53")]
pub(super) fn stamp(store: &Store) -> f64 {
    store.cutoff() as f64
}
