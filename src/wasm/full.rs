//! The rest of a store with promises: what an app may never need, and then need not load.

use js_sys::{Array, Function, Promise};
use wasm_bindgen::prelude::*;

use super::{
    binaries,
    calls::Options,
    full_pages,
    host::to_js,
    keys,
    moving::{self, Exporting},
    multi,
    pages::RawPages,
    promise::promise,
    store::RawStore,
};
use crate::{error, key::Key, store::Store};

#[wasm_bindgen]
#[allow(missing_docs, reason = "documented where JavaScript reads it, in index.d.ts")]
impl RawStore {
    pub fn bassoc(
        &self,
        key: Vec<u8>,
        bytes: Vec<u8>,
        meta: Option<Vec<u8>>,
        expires: Option<f64>,
        compressor: Option<u8>,
    ) -> Promise {
        promise(binaries::bassoc(self.store.clone(), key, bytes, Options { meta, expires, compressor }))
    }

    pub fn bget(&self, key: Vec<u8>, start: f64, end: Option<f64>) -> Promise {
        promise(binaries::bget(self.store.clone(), key, start, end))
    }

    pub fn batch(&self, op: String, given: Vec<u8>) -> Promise {
        promise(multi::batch(self.store.clone(), op, given))
    }

    pub fn lend(&self, key: Vec<u8>, f: Function) -> Promise {
        promise(binaries::lend(self.store.clone(), key, f))
    }

    pub fn writer(&self, key: Vec<u8>, meta: Option<Vec<u8>>, expires: Option<f64>) -> Promise {
        promise(binaries::begin(self.store.clone(), key, Options { meta, expires, compressor: None }))
    }

    pub fn verify(&self, repair: bool, progress: Function) -> Promise {
        promise(moving::verify(self.store.clone(), repair, progress))
    }

    pub fn export(&self, progress: Function) -> Result<RawPages, JsValue> {
        Exporting::new(&self.store, progress)
            .map(|export| RawPages::new(Box::new(export)))
            .map_err(|error| to_js(&error))
    }

    pub fn import(&self, existing: String, next: Function) -> Promise {
        promise(moving::import(self.store.clone(), existing, next))
    }

    #[wasm_bindgen(js_name = copyTo)]
    pub fn copy_to(&self, other: &RawStore, existing: String, progress: Function) -> Promise {
        promise(moving::copy_to(self.store.clone(), other.store.clone(), existing, progress))
    }

    #[wasm_bindgen(js_name = changeKeys)]
    pub fn change_keys(&self, op: String, keys: Array, derive: Function) -> Promise {
        promise(keys::change(self.store.clone(), op, keys, derive))
    }

    pub fn rekey(&self, keys: Array, derive: Function, progress: Function, alone: bool) -> Promise {
        promise(keys::rekey(self.store.clone(), keys, derive, progress, alone))
    }

    pub fn append(&self, key: Vec<u8>, element: Vec<u8>, meta: Option<Vec<u8>>, expires: Option<f64>) -> Promise {
        promise(append(self.store.clone(), key, element, Options { meta, expires, compressor: None }))
    }

    pub fn log(&self, key: &[u8]) -> Result<RawPages, JsValue> {
        full_pages::log(&self.store, key).map(RawPages::new).map_err(|error| to_js(&error))
    }

    pub fn sweep(&self, wanted: &[u8]) -> Result<RawPages, JsValue> {
        full_pages::sweep(&self.store, wanted).map(RawPages::new).map_err(|error| to_js(&error))
    }
}

/// Puts an element at the end of a log.
pub(super) async fn append(store: Store, key: Vec<u8>, element: Vec<u8>, options: Options) -> error::Result<JsValue> {
    store.append_cbor(Key::from_cbor(&key)?, element.into(), options.read()?).await?;
    Ok(JsValue::UNDEFINED)
}
