//! Lets operations in until the store closes, and tells when the last one is out.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

use crate::error::{Error, ErrorKind, Result};

/// The gate of a store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    inside: usize,
    closed: bool,
    waiting: Vec<Waker>,
}

impl Gate {
    /// Lets one operation in, or says `CLOSED`.
    pub(crate) fn enter(&self) -> Result<Pass> {
        let mut state = self.state();
        if state.closed {
            return Err(Error::new(ErrorKind::Closed, "the store was closed; connect to it again"));
        }
        state.inside += 1;
        Ok(Pass { gate: self.clone() })
    }

    /// Lets nobody in any more; whether it was open until now.
    pub(crate) fn close(&self) -> bool {
        !std::mem::replace(&mut self.state().closed, true)
    }

    /// Waits until nobody is inside.
    pub(crate) async fn empty(&self) {
        std::future::poll_fn(|context| {
            let mut state = self.state();
            if state.inside == 0 {
                return Poll::Ready(());
            }
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An operation that is inside.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Gate,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.inside -= 1;
        let woken = if state.inside == 0 { std::mem::take(&mut state.waiting) } else { Vec::new() };
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }
}
