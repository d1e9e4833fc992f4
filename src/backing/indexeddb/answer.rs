//! The way of a result from the transaction back to the caller.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use crate::error::{Error, ErrorKind, Result};

struct Slot<T> {
    result: Option<Result<T>>,
    waker: Option<Waker>,
}

/// Sends one result. Dropped without one, it sends an error: nobody waits for ever.
pub(super) struct Answer<T> {
    slot: Rc<RefCell<Slot<T>>>,
    ready: Option<Result<T>>,
    sent: bool,
}

/// The future of the result.
pub(super) struct Reply<T> {
    slot: Rc<RefCell<Slot<T>>>,
}

/// A sender and its future.
pub(super) fn answer<T>() -> (Answer<T>, Reply<T>) {
    let slot = Rc::new(RefCell::new(Slot { result: None, waker: None }));
    (Answer { slot: slot.clone(), ready: None, sent: false }, Reply { slot })
}

impl<T> Answer<T> {
    /// Keeps the result until [`send_ready`](Self::send_ready): what was done counts once the transaction is complete.
    pub(super) fn prepare(&mut self, result: Result<T>) {
        self.ready = Some(result);
    }

    /// Sends what was prepared.
    pub(super) fn send_ready(&mut self) {
        if let Some(result) = self.ready.take() {
            self.send(result);
        }
    }

    /// Sends the result; only the first counts.
    pub(super) fn send(&mut self, result: Result<T>) {
        if std::mem::replace(&mut self.sent, true) {
            return;
        }
        let waker = {
            let mut slot = self.slot.borrow_mut();
            slot.result = Some(result);
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        if !self.sent {
            self.send(Err(Error::new(
                ErrorKind::Backend,
                "the operation was given up: the store was dropped before it ended",
            )));
        }
    }
}

impl<T> Future for Reply<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = self.slot.borrow_mut();
        if let Some(result) = slot.result.take() {
            return Poll::Ready(result);
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
