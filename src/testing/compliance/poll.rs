//! Several futures on one thread, under any executor.

use std::{
    future::poll_fn,
    task::{Context, Poll, Waker},
};

use crate::env::BoxFut;

/// Polls the calls in their order, until all are done: so their order is the order of the calls.
pub(super) async fn all<T>(calls: Vec<BoxFut<'_, T>>) -> Vec<T> {
    let mut waiting: Vec<_> = calls.into_iter().map(Ok).collect();
    poll_fn(|context| {
        let mut pending = false;
        for call in &mut waiting {
            let Ok(future) = call else { continue };
            match future.as_mut().poll(context) {
                Poll::Ready(done) => *call = Err(done),
                Poll::Pending => pending = true,
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    waiting.into_iter().filter_map(Result::err).collect()
}

/// Begins a call; its result, if that is there at once.
pub(super) async fn begin<T>(call: &mut BoxFut<'_, T>) -> Option<T> {
    poll_fn(|context| {
        Poll::Ready(match call.as_mut().poll(context) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        })
    })
    .await
}

/// Does something while a call goes on beside it, which is given up if it is not done by then.
pub(super) async fn beside<T, U>(mut call: BoxFut<'_, T>, mut done: BoxFut<'_, U>) -> U {
    let mut over = false;
    poll_fn(|context| {
        over = over || call.as_mut().poll(context).is_ready();
        done.as_mut().poll(context)
    })
    .await
}

/// The result of a call that is there at the first poll.
pub(super) fn at_once<T>(mut call: BoxFut<'_, T>) -> Option<T> {
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

/// Lets others go first, once.
pub(super) async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if paused {
            return Poll::Ready(());
        }
        paused = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
