//! Promises of what the core does.

use std::{
    cell::RefCell,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use js_sys::{Array, Function, Promise, Set};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::host::to_js;
#[cfg(feature = "full")]
use crate::blocking;
use crate::{
    env::BoxFut,
    error::{Error, ErrorKind, Result},
};

thread_local! {
    /// What a panic said. The instance may be inconsistent from then on, so it does nothing any more.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    /// The `reject` functions of the promises that are under way.
    static WAITING: Set = Set::new(&JsValue::UNDEFINED);
}

/// After a panic every promise under way is rejected, and every later call.
pub(super) fn watch_for_panics() {
    std::panic::set_hook(Box::new(|info| {
        // The panic may have happened anywhere, so nothing here may panic again.
        let first =
            PANIC.with(|panic| panic.try_borrow_mut().is_ok_and(|mut said| said.replace(info.to_string()).is_none()));
        if first {
            let error = dead().map_or(JsValue::UNDEFINED, |error| to_js(&error));
            let waiting = WAITING.with(|waiting| Array::from(waiting));
            WAITING.with(Set::clear);
            for reject in waiting {
                _ = reject.unchecked_into::<Function>().call1(&JsValue::UNDEFINED, &error);
            }
        }
    }));
}

/// The error of an instance that panicked.
pub(super) fn dead() -> Option<Error> {
    let said = PANIC.with(|panic| panic.try_borrow().ok().and_then(|said| said.clone()))?;
    let message = format!(
        "the store stopped after an internal error ({said}); reload the page or restart the program, and please report it"
    );
    Some(Error::new(ErrorKind::Backend, message))
}

/// The result of a call now, or its error thrown.
#[cfg(feature = "full")]
pub(super) fn now(call: impl Future<Output = Result<JsValue>> + 'static) -> Result<JsValue, JsValue> {
    finish(Box::pin(call)).map_err(|error| to_js(&error))
}

#[cfg(feature = "full")]
fn finish(call: BoxFut<'static, Result<JsValue>>) -> Result<JsValue> {
    dead().map_or_else(|| blocking::now(call), Err)
}

/// Starts the call now, so that the order of calls is the order of operations, and promises its result.
pub(super) fn promise(call: impl Future<Output = Result<JsValue>> + 'static) -> Promise {
    start(Box::pin(call))
}

fn start(mut call: BoxFut<'static, Result<JsValue>>) -> Promise {
    if let Some(error) = dead() {
        return Promise::reject(&to_js(&error));
    }
    match Pin::new(&mut call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(value)) => Promise::resolve(&value),
        Poll::Ready(Err(error)) => Promise::reject(&to_js(&error)),
        Poll::Pending => later(call),
    }
}

fn later(call: BoxFut<'static, Result<JsValue>>) -> Promise {
    let mut call = Some(call);
    Promise::new(&mut |resolve, reject| {
        let Some(call) = call.take() else { return };
        WAITING.with(|waiting| waiting.add(&reject));
        spawn_local(async move {
            let done = call.await;
            if !WAITING.with(|waiting| waiting.delete(&reject)) {
                return;
            }
            _ = match done {
                Ok(value) => resolve.call1(&JsValue::UNDEFINED, &value),
                Err(error) => reject.call1(&JsValue::UNDEFINED, &to_js(&error)),
            };
        });
    })
}
