//! Errors of the browser as errors of ours.

use std::sync::Arc;

use wasm_bindgen::{JsCast, JsValue};

use crate::{
    env::JsCause,
    error::{Error, ErrorKind},
};

/// The error of a call, a request or a transaction that failed while `doing`; the original stays as source.
pub(super) fn fault(doing: &'static str, cause: JsValue) -> Error {
    let error = match name(&cause).as_str() {
        "QuotaExceededError" => Error::new(
            ErrorKind::QuotaExceeded,
            format!(
                "{doing}: the browser refuses more data for this site; nothing was changed. Delete something, or ask for more with navigator.storage.persist()"
            ),
        ),
        "SecurityError" => Error::new(
            ErrorKind::PermissionDenied,
            format!(
                "{doing}: the browser does not allow IndexedDB here (blocked site data, or a page without an origin)"
            ),
        ),
        "VersionError" => newer(),
        name => Error::new(
            ErrorKind::Backend,
            format!("{doing}: the browser's database failed ({name}); nothing was changed"),
        ),
    };
    #[allow(clippy::arc_with_non_send_sync, reason = "Source is an Arc on every target; wasm has one thread")]
    error.caused_by(Arc::new(JsCause(cause)))
}

/// The error of a database whose version is above ours.
pub(super) fn newer() -> Error {
    Error::new(
        ErrorKind::UnsupportedFormat,
        "this database was made by a newer version of konserve; reload the page to get it",
    )
}

/// The name of an error, a `DOMException` too; empty for anything else.
pub(super) fn name(cause: &JsValue) -> String {
    cause.dyn_ref::<js_sys::Error>().map(|error| error.name().into()).unwrap_or_default()
}

/// Whether the browser may have taken the connection away, so that the operation is worth another try: an abort that
/// nobody asked for has no error or one of these, and a lost connection begins no transaction.
pub(super) fn is_lost_connection(cause: &JsValue) -> bool {
    cause.is_null()
        || cause.is_undefined()
        || matches!(name(cause).as_str(), "AbortError" | "InvalidStateError" | "UnknownError")
}
