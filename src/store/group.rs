//! Appends that are written together: those to one log that were called one after another, with no other call on its
//! key in between.
//!
//! A group has one place among the calls on its key: that of its first append. Later ones join until it is written.
//! The work is one future that every member can drive, one at a time: so a member that is given up holds nobody up.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll},
};

use super::{
    append::Append,
    locks::{Locks, Mode},
};
use crate::{env::BoxFut, error::Result, name::BlobName};

/// How many appends are written together.
const MAX_TOGETHER: usize = 256;
/// The one name in the locks of a group.
const TURN: BlobName = BlobName::from_bytes([0; 16]);

/// The groups that can be joined.
#[derive(Default)]
pub(super) struct Groups(Mutex<Vec<(BlobName, Weak<Group>)>>);

struct Group {
    calls: Arc<Calls>,
    flight: Mutex<Flight>,
    /// Whose turn it is to drive the flight.
    turn: Locks,
}

enum Flight {
    Going(BoxFut<'static, Result<()>>),
    Landed(Result<()>),
}

/// The appends of a group, in the order of their calls; those that were given up are gone. None once they were taken.
pub(super) struct Calls(Mutex<Option<Vec<Option<Append>>>>);

impl Calls {
    fn gathered(&self) -> MutexGuard<'_, Option<Vec<Option<Append>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them. Nobody can join any more.
    pub(super) fn take(&self) -> Vec<Option<Append>> {
        self.gathered().take().unwrap_or_default()
    }

    /// Adds an append, if it is not too late; its place.
    fn join(&self, append: &mut Option<Append>) -> Option<usize> {
        let mut gathered = self.gathered();
        let appends = gathered.as_mut().filter(|appends| appends.len() < MAX_TOGETHER)?;
        appends.push(append.take());
        Some(appends.len() - 1)
    }

    fn withdraw(&self, place: usize) {
        if let Some(append) = self.gathered().as_mut().and_then(|appends| appends.get_mut(place)) {
            *append = None;
        }
    }
}

impl Groups {
    fn open(&self) -> MutexGuard<'_, Vec<(BlobName, Weak<Group>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another call on this key was made: what is appended from now on comes after it.
    pub(super) fn end(&self, name: BlobName) {
        let mut open = self.open();
        if let Some(at) = open.iter().position(|(of, _)| *of == name) {
            open.swap_remove(at);
        }
    }

    /// An append, in the group that is open or in a new one, which writes by what `write` makes.
    pub(super) fn join(
        &self,
        name: BlobName,
        append: Append,
        write: impl FnOnce(Arc<Calls>) -> BoxFut<'static, Result<()>>,
    ) -> Member {
        let mut append = Some(append);
        let open = self.open().iter().find(|(of, _)| *of == name).and_then(|(_, group)| group.upgrade());
        if let Some(group) = open
            && let Some(place) = group.calls.join(&mut append)
        {
            return Member { group, place };
        }
        self.end(name);
        let calls = Arc::new(Calls(Mutex::new(Some(vec![append]))));
        let flight = Mutex::new(Flight::Going(write(calls.clone())));
        let group = Arc::new(Group { calls, flight, turn: Locks::default() });
        self.open().push((name, Arc::downgrade(&group)));
        Member { group, place: 0 }
    }
}

impl Group {
    fn poll(&self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        let done = match &mut *flight {
            Flight::Landed(done) => return Poll::Ready(done.clone()),
            Flight::Going(going) => std::task::ready!(going.as_mut().poll(context)),
        };
        *flight = Flight::Landed(done.clone());
        Poll::Ready(done)
    }
}

/// An append in a group. One that is given up before it was written never is.
pub(super) struct Member {
    group: Arc<Group>,
    place: usize,
}

impl Member {
    /// Until it was written.
    pub(super) async fn written(self) -> Result<()> {
        let _turn = self.group.turn.lock(TURN, Mode::Exclusive).await;
        poll_fn(|context| self.group.poll(context)).await
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.group.calls.withdraw(self.place);
    }
}
