//! Writes that wait for the back, in their order.

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use super::{Backing, BlobName, Change, Locks, Mode, Outcome, Write};
use crate::{
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    name::{NameHash, NameTable},
};

/// So many blobs are written together, where the back writes all or nothing.
const TOGETHER: usize = 256;
/// The one name in the locks of a queue.
const TURN: BlobName = BlobName::from_bytes([0; 16]);

/// Whether writes found room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Found,
    Full,
}

/// The queue. At most so many blobs wait in it; a batch that is larger waits alone.
pub(super) struct Queue {
    limit: usize,
    state: Mutex<State>,
    /// The commit that is under way, and of how many batches. It goes on when who drives it gives up.
    flight: Mutex<Option<(usize, BoxFut<'static, Result<Outcome>>)>>,
    /// Whose turn it is to drive it.
    turn: Locks,
}

#[derive(Default)]
struct State {
    /// Each is written whole.
    batches: VecDeque<Vec<Write>>,
    /// The last change of each name that waits, and in which batch that is, by the count of all.
    latest: HashMap<BlobName, (u64, Change), NameHash>,
    blobs: usize,
    pushed: u64,
    drained: u64,
    /// The last commit failed: the next is of one batch alone.
    failed: bool,
    /// Somebody empties the queue beside the callers.
    on_duty: bool,
}

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::default(), flight: Mutex::default(), turn: Locks::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a batch, if there is room.
    pub(super) fn push(&self, writes: &[Write]) -> Room {
        let mut state = self.state();
        if state.blobs > 0 && state.blobs + writes.len() > self.limit {
            return Room::Full;
        }
        state.pushed += 1;
        state.blobs += writes.len();
        let number = state.pushed;
        state.latest.extend(writes.iter().map(|write| (write.name, (number, write.change.clone()))));
        state.batches.push_back(writes.to_vec());
        Room::Found
    }

    /// What is to become of each name, where something waits.
    pub(super) fn waiting(&self, names: &[BlobName]) -> Vec<Option<Change>> {
        let state = self.state();
        names.iter().map(|name| state.latest.get(name).map(|(_, change)| change.clone())).collect()
    }

    /// How many batches were added so far.
    pub(super) fn pushed(&self) -> u64 {
        self.state().pushed
    }

    /// Whether so many of them are in the back.
    pub(super) fn is_drained(&self, target: u64) -> bool {
        self.state().drained >= target
    }

    /// Whether the caller is to empty the queue, since nobody does.
    pub(super) fn take_duty(&self) -> bool {
        !std::mem::replace(&mut self.state().on_duty, true)
    }

    pub(super) fn give_up_duty(&self) {
        self.state().on_duty = false;
    }

    /// Whether the queue is empty; then the duty is over.
    pub(super) fn end_duty(&self) -> bool {
        let mut state = self.state();
        let empty = state.batches.is_empty();
        if empty {
            state.on_duty = false;
        }
        empty
    }

    /// Writes the first of what waits, if anything does.
    pub(super) async fn drain_some(&self, back: &dyn Backing) -> Result<()> {
        let _turn = self.turn.lock(TURN, Mode::Exclusive).await;
        let drained = poll_fn(|context| {
            let mut flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
            if flight.is_none() {
                let (count, writes) = self.first(back.capability().atomic_batches);
                if count == 0 {
                    return Poll::Ready((0, Ok(Outcome::Done(Vec::new()))));
                }
                *flight = Some((count, back.commit(writes)));
            }
            let Some((count, going)) = flight.as_mut() else { return Poll::Pending };
            let outcome = std::task::ready!(going.as_mut().poll(context));
            let count = *count;
            *flight = None;
            Poll::Ready((count, outcome))
        });
        let (count, outcome) = drained.await;
        self.landed(count, outcome)
    }

    /// How many batches are to be written next, and what they come to: of each name the last change.
    fn first(&self, together: bool) -> (usize, Vec<Write>) {
        let state = self.state();
        let most = if together && !state.failed { TOGETHER } else { 1 };
        let (mut count, mut writes, mut places) = (0, Vec::<Write>::new(), NameTable::default());
        for batch in &state.batches {
            if count > 0 && writes.len() + batch.len() > most {
                break;
            }
            count += 1;
            for write in batch {
                let place = *places.entry(write.name).or_insert(writes.len() as u64);
                match usize::try_from(place).ok().and_then(|place| writes.get_mut(place)) {
                    Some(earlier) => *earlier = write.clone(),
                    None => writes.push(write.clone()),
                }
            }
        }
        (count, writes)
    }

    fn landed(&self, count: usize, outcome: Result<Outcome>) -> Result<()> {
        let outcome = match outcome {
            Ok(Outcome::Conflict(_)) => {
                Err(Error::new(ErrorKind::Backend, "the back refused a write that expects nothing; this is its defect"))
            }
            outcome => outcome,
        };
        let mut state = self.state();
        state.failed = outcome.is_err();
        outcome?;
        for batch in state.batches.drain(..count).collect::<Vec<_>>() {
            state.drained += 1;
            let number = state.drained;
            state.blobs -= batch.len();
            for write in batch {
                if state.latest.get(&write.name).is_some_and(|(latest, _)| *latest == number) {
                    state.latest.remove(&write.name);
                }
            }
        }
        Ok(())
    }
}
