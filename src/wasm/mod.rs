//! What JavaScript calls. Each export converts, makes one call of the core, and converts back.
//!
//! Without the feature `full` this is the lean module: what a web app needs to show its first value. The package loads
//! the full one when something else is asked for.

#[cfg(feature = "encryption")]
mod aes;
#[cfg(feature = "full")]
mod binaries;
mod calls;
#[cfg(feature = "clojure")]
mod clojure;
#[cfg(feature = "full")]
mod full;
#[cfg(feature = "full")]
mod full_pages;
mod hooks;
mod host;
#[cfg(feature = "encryption")]
mod keys;
mod meta;
#[cfg(feature = "full")]
mod moving;
#[cfg(feature = "full")]
mod multi;
mod options;
mod pages;
#[cfg(all(feature = "testing", feature = "encryption"))]
mod primitives;
mod promise;
#[cfg(feature = "full")]
mod serializer;
mod store;
#[cfg(feature = "full")]
mod sync;
#[cfg(feature = "testing")]
mod testing;
#[cfg(feature = "full")]
mod tiers;

use js_sys::Promise;
use wasm_bindgen::prelude::*;

pub use store::RawStore;
#[cfg(feature = "full")]
pub use sync::RawSyncStore;

use crate::error::Result;
use options::Mode;
#[cfg(feature = "full")]
use promise::now;
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
    promise(opened(mode, config, Mode::Async))
}

#[cfg(feature = "full")]
#[wasm_bindgen(js_name = openSync)]
#[allow(missing_docs, reason = "as `open`")]
pub fn open_sync(mode: String, config: JsValue) -> Result<JsValue, JsValue> {
    now(opened(mode, config, Mode::Sync))
}

#[wasm_bindgen(js_name = storeExists)]
#[allow(missing_docs, reason = "named for what it does")]
pub fn store_exists(config: JsValue) -> Promise {
    promise(exists(config, Mode::Async))
}

#[cfg(feature = "full")]
#[wasm_bindgen(js_name = storeExistsSync)]
#[allow(missing_docs, reason = "named for what it does")]
pub fn store_exists_sync(config: JsValue) -> Result<JsValue, JsValue> {
    now(exists(config, Mode::Sync))
}

#[cfg(feature = "full")]
#[wasm_bindgen(js_name = deleteStore)]
#[allow(missing_docs, reason = "named for what it does")]
pub fn delete_store(config: JsValue) -> Promise {
    promise(deleted(config, Mode::Async))
}

#[cfg(feature = "full")]
#[wasm_bindgen(js_name = deleteStoreSync)]
#[allow(missing_docs, reason = "named for what it does")]
pub fn delete_store_sync(config: JsValue) -> Result<JsValue, JsValue> {
    now(deleted(config, Mode::Sync))
}

async fn opened(mode: String, config: JsValue, view: Mode) -> Result<JsValue> {
    let config = options::config(&config, view)?;
    let store = match mode.as_str() {
        "create" => crate::store::create_store(config).await?,
        "connect" => crate::store::connect_store(config).await?,
        _ => crate::store::open_store(config).await?,
    };
    Ok(match view {
        Mode::Async => RawStore::new(store).into(),
        #[cfg(feature = "full")]
        Mode::Sync => RawSyncStore::new(store).into(),
    })
}

async fn exists(config: JsValue, view: Mode) -> Result<JsValue> {
    Ok(crate::store::store_exists(options::config(&config, view)?).await?.into())
}

#[cfg(feature = "full")]
async fn deleted(config: JsValue, view: Mode) -> Result<JsValue> {
    crate::store::delete_store(options::config(&config, view)?).await?;
    Ok(JsValue::UNDEFINED)
}
