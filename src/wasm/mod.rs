//! What JavaScript calls. Each export converts, makes one call of the core, and converts back.

mod calls;
mod host;
mod meta;
mod options;
mod pages;
mod promise;
mod store;

use js_sys::Promise;
use wasm_bindgen::prelude::*;

pub use store::{RawStore, RawSyncStore};

use crate::{blocking::now, error::Result, store::Config};
use host::to_js;
use options::Mode;
use promise::promise;

/// Takes what JavaScript lends: `error(code, message, key, cause)`, and in Node `fs` and `fsSync`. Called once.
#[wasm_bindgen]
pub fn start(host: JsValue) {
    promise::watch_for_panics();
    host::set(host);
}

/// `mode`: `create`, `connect` or `open`.
#[wasm_bindgen]
pub fn open(mode: String, config: JsValue) -> Promise {
    promise(async move { Ok(RawStore::new(connect(mode, options::config(config, Mode::Async)?).await?).into()) })
}

#[wasm_bindgen(js_name = openSync)]
#[allow(missing_docs, reason = "as `open`")]
pub fn open_sync(mode: String, config: JsValue) -> Result<RawSyncStore, JsValue> {
    let opened = options::config(config, Mode::Sync).and_then(|config| now(connect(mode, config)));
    opened.map(RawSyncStore::new).map_err(|error| to_js(&error))
}

#[wasm_bindgen(js_name = storeExists)]
#[allow(missing_docs, reason = "named for what it does")]
pub fn store_exists(config: JsValue) -> Promise {
    promise(async move { Ok(crate::store::store_exists(options::config(config, Mode::Async)?).await?.into()) })
}

#[wasm_bindgen(js_name = storeExistsSync)]
#[allow(missing_docs, reason = "named for what it does")]
pub fn store_exists_sync(config: JsValue) -> Result<bool, JsValue> {
    let exists = options::config(config, Mode::Sync).and_then(|config| now(crate::store::store_exists(config)));
    exists.map_err(|error| to_js(&error))
}

#[wasm_bindgen(js_name = deleteStore)]
#[allow(missing_docs, reason = "named for what it does")]
pub fn delete_store(config: JsValue) -> Promise {
    promise(async move {
        crate::store::delete_store(options::config(config, Mode::Async)?).await?;
        Ok(JsValue::UNDEFINED)
    })
}

#[wasm_bindgen(js_name = deleteStoreSync)]
#[allow(missing_docs, reason = "named for what it does")]
pub fn delete_store_sync(config: JsValue) -> Result<(), JsValue> {
    let deleted = options::config(config, Mode::Sync).and_then(|config| now(crate::store::delete_store(config)));
    deleted.map_err(|error| to_js(&error))
}

async fn connect(mode: String, config: Config) -> Result<crate::Store> {
    match mode.as_str() {
        "create" => crate::store::create_store(config).await,
        "connect" => crate::store::connect_store(config).await,
        _ => crate::store::open_store(config).await,
    }
}
