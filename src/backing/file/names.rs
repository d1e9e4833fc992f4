//! Locks by name within one process.

use std::{
    collections::{BTreeSet, HashMap},
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Which names are held, and who waits for them. A name that nobody holds takes no memory.
#[derive(Clone, Default)]
pub(super) struct Names(Arc<Mutex<HashMap<String, Vec<Waker>>>>);

/// Names that are held until this is dropped.
pub(super) struct Held {
    names: Names,
    held: Vec<String>,
}

impl Names {
    /// Waits until nobody holds these names, and holds them. Everyone takes them in the same order.
    pub(super) async fn hold(&self, wanted: BTreeSet<String>) -> Held {
        let mut all = Held { names: self.clone(), held: Vec::new() };
        for name in wanted {
            poll_fn(|context| self.poll_hold(&name, context)).await;
            all.held.push(name);
        }
        all
    }

    /// Waits until nobody holds any name.
    pub(super) async fn idle(&self) {
        poll_fn(|context| match self.lock().values_mut().next() {
            Some(waiting) => wait(waiting, context),
            None => Poll::Ready(()),
        })
        .await;
    }

    fn poll_hold(&self, name: &str, context: &Context<'_>) -> Poll<()> {
        let mut held = self.lock();
        if let Some(waiting) = held.get_mut(name) {
            return wait(waiting, context);
        }
        held.insert(name.to_owned(), Vec::new());
        Poll::Ready(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Waker>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait(waiting: &mut Vec<Waker>, context: &Context<'_>) -> Poll<()> {
    waiting.push(context.waker().clone());
    Poll::Pending
}

impl Drop for Held {
    fn drop(&mut self) {
        for name in &self.held {
            let waiting = self.names.lock().remove(name);
            waiting.into_iter().flatten().for_each(Waker::wake);
        }
    }
}
