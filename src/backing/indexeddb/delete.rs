//! The end of a database.

use js_sys::Promise;
use rexie::Rexie;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use super::database::{factory, within_patience};
use crate::{env::BoxFut, error::Result};

/// Deletes the database; nothing there is no error.
pub(super) async fn delete(name: &str) -> Result<()> {
    factory()?;
    let name = name.to_owned();
    let work = begun(async move { Rexie::delete(&name).await });
    within_patience("deleting the database", work).await
}

/// Begins work of rexie's, which nobody can call back.
fn begun(work: impl Future<Output = rexie::Result<()>> + 'static) -> Promise {
    let work: BoxFut<'static, rexie::Result<()>> = Box::pin(work);
    future_to_promise(async move { work.await.map(|()| JsValue::UNDEFINED).map_err(cause) })
}

/// The browser's own error, where rexie's holds one. (As text it would bring a table of all that rexie can say.)
fn cause(error: rexie::Error) -> JsValue {
    match error {
        rexie::Error::IdbError(idb::Error::DomException(error)) => error.into(),
        rexie::Error::IdbError(idb::Error::IndexedDbOpenFailed(error) | idb::Error::IndexedDbDeleteFailed(error)) => {
            error
        }
        _ => js_sys::Error::new("the request ended without a result").into(),
    }
}
