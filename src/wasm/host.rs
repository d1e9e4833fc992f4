//! What the JavaScript side lends to wasm, and errors on their way there.

use std::cell::RefCell;

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use crate::{
    env::JsCause,
    error::{Error, ErrorKind},
};

#[wasm_bindgen]
extern "C" {
    /// The object given to `start`.
    #[derive(Clone)]
    pub(super) type Host;

    #[wasm_bindgen(method, structural, catch)]
    fn error(this: &Host, code: &str, message: &str, key: JsValue, cause: JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, structural, getter)]
    pub(super) fn fs(this: &Host) -> JsValue;

    #[wasm_bindgen(method, structural, getter, js_name = fsSync)]
    pub(super) fn fs_sync(this: &Host) -> JsValue;
}

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

pub(super) fn set(host: JsValue) {
    HOST.set(Some(host.unchecked_into()));
}

pub(super) fn get() -> Option<Host> {
    HOST.with_borrow(Clone::clone)
}

/// What a function of the user's threw; it goes back to the caller as it is.
#[derive(Debug)]
struct Thrown(JsValue);

impl std::fmt::Display for Thrown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a function given to the store threw")
    }
}

impl std::error::Error for Thrown {}

/// The error of a user's function that threw this value.
pub(super) fn thrown(value: JsValue) -> Error {
    Error::new(ErrorKind::Backend, "a function given to the store threw").caused_by(std::sync::Arc::new(Thrown(value)))
}

/// The `KonserveError` of an error, or what a user's function threw.
pub(super) fn to_js(error: &Error) -> JsValue {
    let source = std::error::Error::source(error);
    if let Some(Thrown(value)) = source.and_then(|source| source.downcast_ref()) {
        return value.clone();
    }
    let cause =
        source.and_then(|source| source.downcast_ref()).map_or(JsValue::UNDEFINED, |JsCause(cause)| cause.clone());
    let key = error.key().map_or(JsValue::UNDEFINED, |key| Uint8Array::from(key).into());
    match get() {
        Some(host) => host.error(error.code(), error.message(), key, cause).unwrap_or_else(|other| other),
        None => js_sys::Error::new(error.message()).into(),
    }
}
