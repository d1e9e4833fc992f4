//! The synchronous view: the same core, on the caller's thread.
//!
//! ```
//! use konserve::{Config, blocking};
//!
//! let store = blocking::open_store(Config::memory())?;
//! store.assoc_in(("user", "name"), "Ada")?;
//! assert_eq!(store.get_in::<String>(("user", "name"))?, Some("Ada".into()));
//! # Ok::<(), konserve::Error>(())
//! ```

#[cfg(not(target_arch = "wasm32"))]
mod native;

#[cfg(not(target_arch = "wasm32"))]
pub use native::*;

/// The result of a future that is ready at its first poll; one that would wait is given up with `CONFLICT`.
#[cfg(all(target_arch = "wasm32", feature = "full"))]
pub(crate) fn now<T>(mut future: crate::env::BoxFut<'_, crate::Result<T>>) -> crate::Result<T> {
    use std::task::{Context, Poll, Waker};

    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => Err(crate::Error::new(
            crate::ErrorKind::Conflict,
            "a synchronous call would have to wait for an operation that is under way; await that first, or use the asynchronous API",
        )),
    }
}
