//! Who is told of writes: each once, after it succeeded, in the order of the writes to a key.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
};

use bytes::Bytes;

use super::Store;
use crate::{error::Result, key::Key};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Op {
    /// A value was put at a key.
    Assoc,
    /// A value was put inside the value of a key.
    AssocIn,
    /// The value of a key was made of the old one.
    Update,
    /// A value inside the value of a key was made of the old one.
    UpdateIn,
    /// A key was deleted.
    Dissoc,
    /// Something was removed from the value of a key.
    DissocIn,
    /// Bytes were put at a key, as a binary. Events hold neither them nor what was there before.
    Bassoc,
    /// Several values were put together.
    MultiAssoc,
    /// Several keys were deleted together.
    MultiDissoc,
    /// An element was added to the end of a log.
    Append,
    /// A sweep deleted keys: one event for each of its batches, and one for each log.
    Sweep,
    /// Keys came from another store, by an import or a copy: one event for all that were put together.
    Import,
    /// What was damaged was set aside, so its key has no value any more. No keys where its key could not be read.
    Repair,
}

impl Op {
    /// Its name, as konserve has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assoc => "assoc",
            Self::AssocIn => "assoc-in",
            Self::Update => "update",
            Self::UpdateIn => "update-in",
            Self::Dissoc => "dissoc",
            Self::DissocIn => "dissoc-in",
            Self::Bassoc => "bassoc",
            Self::MultiAssoc => "multi-assoc",
            Self::MultiDissoc => "multi-dissoc",
            Self::Append => "append",
            Self::Sweep => "sweep",
            Self::Import => "import",
            Self::Repair => "repair",
        }
    }

    /// Whether it is about several keys.
    pub const fn is_batch(self) -> bool {
        matches!(self, Self::MultiAssoc | Self::MultiDissoc | Self::Sweep | Self::Import | Self::Repair)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One write that succeeded. Values are CBOR; a listener that asked for keys alone gets none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What was done.
    pub op: Op,
    /// The key; those of a batch in the order that was given. A deletion of several names those that were there.
    pub keys: Vec<Key>,
    /// The steps into the value, outermost first; none where the whole value was meant.
    pub steps: Vec<Bytes>,
    /// What was written, one for each key: for a path what is there now, of an append the element. None for what deletes,
    /// for binaries and for an import.
    pub values: Vec<Bytes>,
    /// What was there before, of a write to one key. `None` also where it could not be read.
    pub old_value: Option<Bytes>,
    /// The entries of the user's own that the write said, as a CBOR map; no bytes where it said none.
    pub meta: Bytes,
}

impl Event {
    /// Of this key or these, with nothing else known yet.
    pub(crate) fn new(op: Op, keys: Vec<Key>) -> Self {
        Self { op, keys, steps: Vec::new(), values: Vec::new(), old_value: None, meta: Bytes::new() }
    }
}

/// The lean module in wasm tells keys alone.
pub(crate) const TELLS_VALUES: bool = cfg!(any(not(target_arch = "wasm32"), feature = "full"));

/// How much listeners want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// What was done to which keys.
    Keys = 1,
    /// All of it; a write then reads what was there before.
    Values = 2,
}

/// A listener.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type HookFn = Arc<dyn Fn(&Event) + Send + Sync>;
/// A listener.
#[cfg(target_arch = "wasm32")]
pub(crate) type HookFn = Arc<dyn Fn(&Event)>;

/// The listeners of a store.
#[derive(Default)]
pub(super) struct Hooks {
    /// The most that one of them wants, as a [`Detail`]; 0 if there is none.
    wanted: AtomicU8,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    listeners: Arc<Vec<(String, Detail, HookFn)>>,
    /// What was done and not told yet.
    events: Vec<Event>,
    /// Somebody is telling.
    telling: bool,
}

impl Hooks {
    /// Whether somebody wants to know this much.
    pub(super) fn want(&self, detail: Detail) -> bool {
        self.wanted.load(Ordering::Relaxed) >= detail as u8
    }

    fn set(&self, id: &str, listener: Option<(Detail, HookFn)>) {
        let mut state = self.state();
        let mut listeners: Vec<_> = state.listeners.iter().filter(|(other, ..)| other != id).cloned().collect();
        listeners.extend(listener.map(|(detail, f)| (id.to_owned(), detail, f)));
        let wanted = listeners.iter().map(|(_, detail, _)| *detail as u8).max();
        self.wanted.store(wanted.unwrap_or(0), Ordering::Relaxed);
        let before = std::mem::replace(&mut state.listeners, Arc::new(listeners));
        // Dropping a listener may run anything: not under the lock.
        drop(state);
        drop(before);
    }

    /// Nobody listens any more.
    pub(super) fn clear(&self) {
        self.wanted.store(0, Ordering::Relaxed);
        let gone = std::mem::take(&mut self.state().listeners);
        drop(gone);
    }

    /// Tells of a write. Its keys are still held, so that the order is that of the writes; listeners run without them,
    /// one event after the other, also if a listener writes, or threads do at the same time.
    pub(super) fn tell<T>(&self, event: Event, held: T) {
        self.tell_all([event], held);
    }

    /// The same of several writes, in this order.
    pub(super) fn tell_all<T>(&self, events: impl IntoIterator<Item = Event>, held: T) {
        self.state().events.extend(events);
        drop(held);
        loop {
            let mut state = self.state();
            if state.telling || state.events.is_empty() {
                return;
            }
            state.telling = true;
            let (events, listeners) = (std::mem::take(&mut state.events), state.listeners.clone());
            drop(state);
            for event in &events {
                for (_, _, listener) in &*listeners {
                    call(listener, event);
                }
            }
            self.state().telling = false;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A listener that panics harms nobody else; the panic itself was reported by the panic hook.
fn call(listener: &HookFn, event: &Event) {
    _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| listener(event)));
}

/// Write hooks.
impl Store {
    /// Calls `hook` after each write that succeeded, of this store and its clones, until it is removed or the store is
    /// closed. A hook of the same id is replaced. Hooks run one at a time, in the order of the writes to a key, mostly
    /// on the thread that wrote and before its write returns; they should be quick. With a hook, `assoc` and `dissoc`
    /// read what was there before.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn add_write_hook(&self, id: &str, hook: impl Fn(&Event) + Send + Sync + 'static) -> Result<()> {
        self.listen(id, Detail::Values, Arc::new(hook))
    }

    /// Removes the hook of this id, if there is one.
    pub fn remove_write_hook(&self, id: &str) {
        self.inner.hooks.set(id, None);
    }

    /// A hook that gets this much.
    pub(crate) fn listen(&self, id: &str, detail: Detail, listener: HookFn) -> Result<()> {
        let _pass = self.inner.gate.enter()?;
        self.inner.hooks.set(id, Some((detail, listener)));
        Ok(())
    }

    /// The event of a write to these keys, if anybody wants to know.
    pub(super) fn event(&self, op: Op, keys: &[Key]) -> Option<Box<Event>> {
        self.inner.hooks.want(Detail::Keys).then(|| Box::new(Event::new(op, keys.to_vec())))
    }

    /// Whether values are to be told.
    pub(super) fn tells_values(&self) -> bool {
        TELLS_VALUES && self.inner.hooks.want(Detail::Values)
    }
}
