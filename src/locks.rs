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

    /// Waits for its turn at several names, each given once. The first poll takes the places in all queues at one
    /// instant: who comes later is later everywhere, so the order of the calls holds, and no two wait for each other.
    pub(crate) fn lock_all(&self, names: &[BlobName], mode: Mode) -> AcquireAll {
        let waiting = names.iter().map(|name| self.lock(*name, mode)).collect();
        AcquireAll { locks: self.clone(), waiting, held: Vec::new(), begun: false }
    }

    /// Whether nobody holds this name or waits for it.
    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    pub(crate) fn is_idle(&self, name: BlobName) -> bool {
        !self.names().contains_key(&name)
    }

    /// The lock, if nobody is to be waited for.
    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    pub(crate) fn try_lock(&self, name: BlobName, mode: Mode) -> Option<Held> {
        let mut names = self.names();
        let lock = names.entry(name).or_default();
        if !lock.waiting.is_empty() || !lock.is_free_for(mode) {
            return None;
        }
        lock.hold(mode);
        Some(Held { locks: self.clone(), name, mode })
    }

    /// The names that are held or waited for.
    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    pub(crate) fn names_held(&self) -> Vec<BlobName> {
        self.names().keys().copied().collect()
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

impl Acquire {
    /// Holds the lock if it is its turn, else waits for it in the queue.
    fn attempt(&mut self, names: &mut HashMap<BlobName, Lock, NameHash>, waker: &Waker) -> Option<Held> {
        let lock = names.entry(self.name).or_default();
        let ticket = *self.ticket.get_or_insert_with(|| {
            lock.next_ticket += 1;
            lock.next_ticket
        });
        let ahead = lock.waiting.iter().take_while(|waiter| waiter.ticket < ticket);
        // Readers do not overtake a writer that waits.
        let first = ahead.clone().all(|waiter| waiter.mode == Mode::Shared && self.mode == Mode::Shared);
        if first && lock.is_free_for(self.mode) {
            lock.waiting.retain(|waiter| waiter.ticket != ticket);
            lock.hold(self.mode);
            self.ticket = None;
            return Some(Held { locks: self.locks.clone(), name: self.name, mode: self.mode });
        }
        match lock.waiting.iter_mut().find(|waiter| waiter.ticket == ticket) {
            Some(waiter) => waiter.waker.clone_from(waker),
            None => lock.waiting.push_back(Waiter { ticket, mode: self.mode, waker: waker.clone() }),
        }
        None
    }
}

impl Future for Acquire {
    type Output = Held;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Held> {
        let locks = self.locks.clone();
        let held = self.attempt(&mut locks.names(), context.waker());
        held.map_or(Poll::Pending, Poll::Ready)
    }
}

/// A wait for several locks.
#[derive(Debug)]
pub(crate) struct AcquireAll {
    locks: Locks,
    /// Each has a place in its queue once this was polled.
    waiting: Vec<Acquire>,
    held: Vec<Held>,
    begun: bool,
}

impl Future for AcquireAll {
    type Output = Vec<Held>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<Held>> {
        let Self { locks, waiting, held, begun } = &mut *self;
        let mut names = locks.names();
        if !std::mem::replace(begun, true) {
            waiting.retain_mut(|acquire| {
                let now = acquire.attempt(&mut names, context.waker());
                let later = now.is_none();
                held.extend(now);
                later
            });
        }
        // The place in the queue keeps the others: one look each is enough, in any order.
        while let Some(acquire) = waiting.last_mut() {
            let Some(now) = acquire.attempt(&mut names, context.waker()) else { return Poll::Pending };
            held.push(now);
            waiting.pop();
        }
        Poll::Ready(std::mem::take(held))
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

    fn poll_all(acquire: &mut AcquireAll) -> Option<Vec<Held>> {
        match Pin::new(acquire).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(held) => Some(held),
            Poll::Pending => None,
        }
    }

    #[test]
    fn several_locks_are_waited_for_in_the_order_of_the_calls() {
        let (locks, other) = (Locks::default(), BlobName::from_bytes([8; 16]));
        let held = poll(&mut locks.lock(NAME, Mode::Exclusive)).unwrap();
        let mut both = locks.lock_all(&[NAME, other], Mode::Exclusive);
        assert!(poll_all(&mut both).is_none());
        let mut late = locks.lock(other, Mode::Exclusive);
        assert!(poll(&mut late).is_none(), "who comes later is later, although the first still waits elsewhere");
        drop(held);
        let held = poll_all(&mut both).unwrap();
        assert!(poll(&mut late).is_none());
        drop(held);
        assert!(poll(&mut late).is_some());
    }

    #[test]
    fn a_wait_for_several_locks_that_is_given_up_leaves_nothing() {
        let (locks, other) = (Locks::default(), BlobName::from_bytes([8; 16]));
        let held = poll(&mut locks.lock(NAME, Mode::Shared)).unwrap();
        let mut both = locks.lock_all(&[other, NAME], Mode::Exclusive);
        assert!(poll_all(&mut both).is_none());
        drop(both);
        drop(held);
        assert!(locks.names().is_empty());
    }

    #[test]
    fn those_who_wait_for_several_locks_never_wait_for_each_other() {
        let (locks, other, inside) = (Locks::default(), BlobName::from_bytes([8; 16]), Arc::new(AtomicUsize::new(0)));
        let threads: Vec<_> = (0..4)
            .map(|at| {
                let (locks, inside) = (locks.clone(), inside.clone());
                let names = if at % 2 == 0 { [NAME, other] } else { [other, NAME] };
                std::thread::spawn(move || {
                    for _ in 0..500 {
                        let held = crate::blocking::wait(locks.lock_all(&names, Mode::Exclusive));
                        let seen = inside.load(Ordering::Relaxed);
                        std::thread::yield_now();
                        inside.store(seen + 1, Ordering::Relaxed);
                        drop(held);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(inside.load(Ordering::Relaxed), 4 * 500);
        assert!(locks.names().is_empty());
    }

    #[test]
    fn a_lock_is_tried_without_a_place_in_the_queue() {
        let locks = Locks::default();
        assert!(locks.is_idle(NAME));
        let held = locks.try_lock(NAME, Mode::Shared).unwrap();
        assert!(!locks.is_idle(NAME));
        assert!(locks.try_lock(NAME, Mode::Exclusive).is_none());
        drop(locks.try_lock(NAME, Mode::Shared).unwrap());
        let mut writer = locks.lock(NAME, Mode::Exclusive);
        assert!(poll(&mut writer).is_none());
        assert!(locks.try_lock(NAME, Mode::Shared).is_none(), "nobody overtakes a writer that waits");
        drop(held);
        assert!(locks.try_lock(NAME, Mode::Shared).is_none());
        drop(poll(&mut writer).unwrap());
        assert!(locks.is_idle(NAME));
        assert!(locks.names().is_empty());
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
