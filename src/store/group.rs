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

/// The appends of a group, in the order of their calls, until they are written.
#[derive(Default)]
pub(super) struct Calls(Mutex<Gathered>);

#[derive(Default)]
struct Gathered {
    appends: Vec<(u64, Append)>,
    tickets: u64,
    taken: bool,
}

impl Calls {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them. Nobody can join any more.
    pub(super) fn take(&self) -> Vec<Append> {
        let mut gathered = self.gathered();
        gathered.taken = true;
        std::mem::take(&mut gathered.appends).into_iter().map(|(_, append)| append).collect()
    }

    /// The ticket to withdraw with; the append comes back if it is too late, or too many.
    fn join(&self, append: Append) -> Result<u64, Append> {
        let mut gathered = self.gathered();
        if gathered.taken || gathered.appends.len() == MAX_TOGETHER {
            return Err(append);
        }
        gathered.tickets += 1;
        let ticket = gathered.tickets;
        gathered.appends.push((ticket, append));
        Ok(ticket)
    }

    fn withdraw(&self, ticket: u64) {
        self.gathered().appends.retain(|(of, _)| *of != ticket);
    }
}

impl Groups {
    fn open(&self) -> MutexGuard<'_, Vec<(BlobName, Weak<Group>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another call on this key was made: what is appended from now on comes after it.
    pub(super) fn end(&self, name: BlobName) {
        self.open().retain(|(of, _)| *of != name);
    }

    /// An append, in the group that is open or in a new one, which writes by what `write` makes.
    pub(super) fn join(
        &self,
        name: BlobName,
        append: Append,
        write: &dyn Fn(Arc<Calls>) -> BoxFut<'static, Result<()>>,
    ) -> Member {
        let mut open = self.open();
        open.retain(|(_, group)| group.strong_count() > 0);
        let group = open.iter().find(|(of, _)| *of == name).and_then(|(_, group)| group.upgrade());
        let joined = match group {
            Some(group) => group.calls.join(append).map(|ticket| (group, ticket)),
            None => Err(append),
        };
        let (group, ticket) = joined.unwrap_or_else(|append| {
            let calls = Arc::new(Calls(Mutex::new(Gathered { appends: vec![(0, append)], ..Gathered::default() })));
            let flight = Mutex::new(Flight::Going(write(calls.clone())));
            let group = Arc::new(Group { calls, flight, turn: Locks::default() });
            open.retain(|(of, _)| *of != name);
            open.push((name, Arc::downgrade(&group)));
            (group, 0)
        });
        Member { group, ticket }
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
    ticket: u64,
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
        self.group.calls.withdraw(self.ticket);
    }
}
