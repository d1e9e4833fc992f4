//! Locks by name, first come, first served: readers together, a writer alone.

use std::{
    collections::{HashMap, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::name::{BlobName, NameHash};

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Together with other readers.
    Shared,
    /// Alone.
    Exclusive,
}

/// All locks of a store. A name that nobody holds or waits for takes no memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locks {
    names: Arc<Mutex<HashMap<BlobName, Lock, NameHash>>>,
}

#[derive(Debug, Default)]
struct Lock {
    readers: usize,
    writer: bool,
    next_ticket: u64,
    waiting: VecDeque<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    mode: Mode,
    waker: Waker,
}

impl Lock {
    fn is_free_for(&self, mode: Mode) -> bool {
        !self.writer && (mode == Mode::Shared || self.readers == 0)
    }

    fn hold(&mut self, mode: Mode) {
        match mode {
            Mode::Shared => self.readers += 1,
            Mode::Exclusive => self.writer = true,
        }
    }

    fn release(&mut self, mode: Mode) {
        match mode {
            Mode::Shared => self.readers -= 1,
            Mode::Exclusive => self.writer = false,
        }
    }
}

impl Locks {
    /// Waits for its turn. The first poll takes the place in the queue; dropping the future gives it up.
    pub(crate) fn lock(&self, name: BlobName, mode: Mode) -> Acquire {
        Acquire { locks: self.clone(), name, mode, ticket: None }
    }

    fn names(&self) -> MutexGuard<'_, HashMap<BlobName, Lock, NameHash>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a change of this name's lock: who can go on, and whether anybody still needs it.
    fn settle(&self, name: BlobName, change: &dyn Fn(&mut Lock)) {
        let mut names = self.names();
        let Some(lock) = names.get_mut(&name) else { return };
        change(lock);
        let mut next = Vec::new();
        let mut free = Lock { readers: lock.readers, writer: lock.writer, ..Lock::default() };
        for waiter in &lock.waiting {
            if !free.is_free_for(waiter.mode) {
                break;
            }
            free.hold(waiter.mode);
            next.push(waiter.waker.clone());
        }
        if lock.readers == 0 && !lock.writer && lock.waiting.is_empty() {
            names.remove(&name);
        }
        drop(names);
        next.into_iter().for_each(Waker::wake);
    }
}

/// A wait for a lock.
#[derive(Debug)]
pub(crate) struct Acquire {
    locks: Locks,
    name: BlobName,
    mode: Mode,
    ticket: Option<u64>,
}

impl Future for Acquire {
    type Output = Held;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Held> {
        let this = &mut *self;
        let mut names = this.locks.names();
        let lock = names.entry(this.name).or_default();
        let ticket = *this.ticket.get_or_insert_with(|| {
            lock.next_ticket += 1;
            lock.next_ticket
        });
        let ahead = lock.waiting.iter().take_while(|waiter| waiter.ticket < ticket);
        // Readers do not overtake a writer that waits.
        let first = ahead.clone().all(|waiter| waiter.mode == Mode::Shared && this.mode == Mode::Shared);
        if first && lock.is_free_for(this.mode) {
            lock.waiting.retain(|waiter| waiter.ticket != ticket);
            lock.hold(this.mode);
            this.ticket = None;
            return Poll::Ready(Held { locks: this.locks.clone(), name: this.name, mode: this.mode });
        }
        match lock.waiting.iter_mut().find(|waiter| waiter.ticket == ticket) {
            Some(waiter) => waiter.waker.clone_from(context.waker()),
            None => lock.waiting.push_back(Waiter { ticket, mode: this.mode, waker: context.waker().clone() }),
        }
        Poll::Pending
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.locks.settle(self.name, &|lock| lock.waiting.retain(|waiter| waiter.ticket != ticket));
        }
    }
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    locks: Locks,
    name: BlobName,
    mode: Mode,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.locks.settle(self.name, &|lock| lock.release(self.mode));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const NAME: BlobName = BlobName::from_bytes([7; 16]);

    fn poll(acquire: &mut Acquire) -> Option<Held> {
        match Pin::new(acquire).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(held) => Some(held),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_writer_is_alone_and_readers_are_together() {
        let locks = Locks::default();
        let first = poll(&mut locks.lock(NAME, Mode::Shared)).unwrap();
        let second = poll(&mut locks.lock(NAME, Mode::Shared)).unwrap();
        let mut writer = locks.lock(NAME, Mode::Exclusive);
        assert!(poll(&mut writer).is_none());
        let mut late = locks.lock(NAME, Mode::Shared);
        assert!(poll(&mut late).is_none(), "a reader must not overtake a writer that waits");
        drop((first, second));
        let held = poll(&mut writer).unwrap();
        assert!(poll(&mut late).is_none());
        drop(held);
        assert!(poll(&mut late).is_some());
    }

    #[test]
    fn who_gives_up_does_not_stop_those_behind() {
        let locks = Locks::default();
        let held = poll(&mut locks.lock(NAME, Mode::Shared)).unwrap();
        let mut writer = locks.lock(NAME, Mode::Exclusive);
        assert!(poll(&mut writer).is_none());
        let mut reader = locks.lock(NAME, Mode::Shared);
        assert!(poll(&mut reader).is_none());
        drop(writer);
        assert!(poll(&mut reader).is_some());
        drop(held);
    }

    #[test]
    fn locks_that_nobody_needs_take_no_memory() {
        let locks = Locks::default();
        let held = poll(&mut locks.lock(NAME, Mode::Exclusive)).unwrap();
        let mut waiting = locks.lock(NAME, Mode::Exclusive);
        assert!(poll(&mut waiting).is_none());
        drop(waiting);
        drop(held);
        assert!(locks.names().is_empty());
    }

    #[test]
    fn threads_take_turns() {
        let (locks, inside, count) = (Locks::default(), Arc::new(AtomicUsize::new(0)), 8 * 500);
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (locks, inside) = (locks.clone(), inside.clone());
                std::thread::spawn(move || {
                    for _ in 0..500 {
                        let held = crate::blocking::wait(locks.lock(NAME, Mode::Exclusive));
                        let seen = inside.load(Ordering::Relaxed);
                        std::thread::yield_now();
                        inside.store(seen + 1, Ordering::Relaxed);
                        drop(held);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(inside.load(Ordering::Relaxed), count);
        assert!(locks.names().is_empty());
    }
}
