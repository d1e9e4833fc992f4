//! The synchronous view: the same core, polled in place.

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

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(done) => return done,
            Poll::Pending => thread::park(),
        }
    }
}

/// The result of a future that is ready at its first poll; one that would wait is given up with `CONFLICT`.
#[cfg(target_arch = "wasm32")]
pub(crate) fn now<T>(future: impl Future<Output = crate::Result<T>>) -> crate::Result<T> {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => Err(crate::Error::new(
            crate::ErrorKind::Conflict,
            "a synchronous call would have to wait for an operation that is under way; await that first, or use the asynchronous API",
        )),
    }
}
