//! Work that goes on when nobody waits for it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use crate::env::{BoxFut, MaybeSend};

/// Runs a future to its end beside the caller: on a thread of its own, or in wasm when the caller is done. Whether it was
/// begun: a system may have no thread to give.
pub(super) fn spawn(future: BoxFut<'static, ()>) -> bool {
    #[cfg(not(target_arch = "wasm32"))]
    return std::thread::Builder::new().name(String::from("konserve")).spawn(move || crate::env::wait(future)).is_ok();
    #[cfg(target_arch = "wasm32")]
    {
        wasm_bindgen_futures::spawn_local(future);
        true
    }
}

/// A future that is run to its end also when who waits for it gives up, once it has begun.
pub(super) fn finishing<T: MaybeSend + 'static>(
    future: impl Future<Output = T> + MaybeSend + 'static,
) -> BoxFut<'static, T> {
    Box::pin(Finishing(Some(Box::pin(future)), false))
}

/// The future until it is done, and whether it has begun.
struct Finishing<T: MaybeSend + 'static>(Option<BoxFut<'static, T>>, bool);

impl<T: MaybeSend + 'static> Future for Finishing<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Self(future, begun) = &mut *self;
        *begun = true;
        let Some(going) = future else { return Poll::Pending };
        let done = going.as_mut().poll(context);
        if done.is_ready() {
            *future = None;
        }
        done
    }
}

impl<T: MaybeSend + 'static> Drop for Finishing<T> {
    fn drop(&mut self) {
        if let (Some(future), true) = (self.0.take(), self.1) {
            spawn(Box::pin(async move { drop(future.await) }));
        }
    }
}
