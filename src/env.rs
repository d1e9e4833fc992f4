//! What differs between native programs and wasm, and what tests want to own: threads, time and chance.

use std::{
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::error::{Error, ErrorKind, Result};

/// A boxed future: `Send` on native targets, where a store is used from many threads.
#[cfg(not(target_arch = "wasm32"))]
pub type BoxFut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// A boxed future: `Send` on native targets, where a store is used from many threads.
#[cfg(target_arch = "wasm32")]
pub type BoxFut<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// `Send` on native targets, nothing in wasm, where JavaScript values stay on their thread.
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSend: Send {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + ?Sized> MaybeSend for T {}
/// `Send` on native targets, nothing in wasm, where JavaScript values stay on their thread.
#[cfg(target_arch = "wasm32")]
pub trait MaybeSend {}
#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> MaybeSend for T {}

/// `Sync` on native targets, nothing in wasm.
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSync: Sync {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Sync + ?Sized> MaybeSync for T {}
/// `Sync` on native targets, nothing in wasm.
#[cfg(target_arch = "wasm32")]
pub trait MaybeSync {}
#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> MaybeSync for T {}

/// A source of time in milliseconds since 1970.
pub trait Clock: MaybeSend + MaybeSync {
    /// Now.
    fn now(&self) -> u64;
}

/// A source of random bytes.
pub trait Rng: MaybeSend + MaybeSync {
    /// Fills the whole of `bytes`, or fails.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}

/// The clock and the random source of the operating system or of the browser.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Clock for System {
    #[cfg(not(target_arch = "wasm32"))]
    fn now(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |passed| u64::try_from(passed.as_millis()).unwrap_or(u64::MAX))
    }

    #[cfg(target_arch = "wasm32")]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "Date.now() is a positive integer below 2^53"
    )]
    fn now(&self) -> u64 {
        js_sys::Date::now() as u64
    }
}

impl Rng for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|error| {
            Error::new(ErrorKind::Backend, format!("the system gave no random bytes: {error}; nothing was written"))
        })
    }
}

/// A number that is hardly ever given twice, and not secret. In wasm by `Math.random`: what has secret ones takes Node
/// milliseconds to load.
pub fn chance() -> Result<u64> {
    #[cfg(not(target_arch = "wasm32"))]
    {
        let mut bytes = [0; 8];
        System.fill(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }
    #[cfg(target_arch = "wasm32")]
    {
        let [first, second] = [js_sys::Math::random(), js_sys::Math::random()].map(f64::to_bits);
        Ok(first ^ second.rotate_left(32))
    }
}

/// The stamp of a write, in milliseconds since 1970: never less than one this process gave before, whatever the clock does.
pub fn stamp(clock: &dyn Clock) -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = clock.now();
    LAST.fetch_max(now, Ordering::Relaxed).max(now)
}

/// A float as people write it. In wasm by the host, because the code that does it is large.
pub(crate) fn float_text(n: f64) -> String {
    #[cfg(not(target_arch = "wasm32"))]
    return format!("{n:?}").replace("inf", "Infinity");
    #[cfg(target_arch = "wasm32")]
    return js_sys::Number::from(n).to_string_with_radix(10).map_or_else(|_| String::from("a float"), String::from);
}

/// Sorts by bytes.
pub(crate) fn sort(items: &mut [&[u8]]) {
    #[cfg(not(target_arch = "wasm32"))]
    items.sort_unstable();
    #[cfg(target_arch = "wasm32")]
    sort_by_merging(items);
}

/// For wasm, where the code of the library's own sort is ten times as long.
#[cfg(any(target_arch = "wasm32", test))]
fn sort_by_merging(items: &mut [&[u8]]) {
    let mut run = if items.is_sorted() { items.len() } else { 1 };
    while run < items.len() {
        let from = items.to_vec();
        let mut places = items.iter_mut();
        for pair in from.chunks(2 * run) {
            let (mut a, mut b) = pair.split_at(run.min(pair.len()));
            for place in places.by_ref().take(pair.len()) {
                let first = match (a, b) {
                    ([first, ..], [other, ..]) if first <= other => a.split_off_first(),
                    (_, [_, ..]) => b.split_off_first(),
                    _ => a.split_off_first(),
                };
                *place = first.copied().unwrap_or_default();
            }
        }
        run *= 2;
    }
}

/// What a future gives at its first poll, if anything.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    use std::task::{Context, Poll, Waker};

    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

/// Runs a future to its end on this thread, which sleeps while there is nothing to do.
#[cfg(not(target_arch = "wasm32"))]
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    use std::{
        pin::pin,
        sync::Arc,
        task::{Context, Poll, Wake, Waker},
        thread::{self, Thread},
    };

    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let mut future = pin!(future);
    // Most are done at once, and a waker costs more than a small read.
    if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return done;
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(done) => return done,
            Poll::Pending => thread::park(),
        }
    }
}

/// A JavaScript value that was thrown: the source of errors in wasm.
#[cfg(target_arch = "wasm32")]
#[derive(Debug)]
pub struct JsCause(pub wasm_bindgen::JsValue);

#[cfg(target_arch = "wasm32")]
impl std::fmt::Display for JsCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use wasm_bindgen::JsCast;
        match self.0.dyn_ref::<js_sys::Error>() {
            Some(error) => f.write_str(&String::from(error.message())),
            None => f.write_str("a JavaScript value was thrown"),
        }
    }
}

#[cfg(target_arch = "wasm32")]
impl std::error::Error for JsCause {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn merging_sorts_like_the_library(
            items in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..3), 0..200),
        ) {
            let mut merged: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
            let mut sorted = merged.clone();
            sorted.sort_unstable();
            sort_by_merging(&mut merged);
            prop_assert_eq!(merged, sorted);
        }
    }
}
