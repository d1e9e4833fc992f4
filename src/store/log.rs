//! Logs: a head that says which elements there are, and one blob for each element.
//!
//! The head's value is `[log id, first, next]`; the log is `first … next − 1`. An element beyond is what a crash left of
//! an append, and the next append overwrites it. The log id is random, so the elements of a log that was deleted are
//! never taken for those of another.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

#[cfg(feature = "clojure")]
use super::chain::Chain;
use super::{Store, append::Tail, group::Groups};
use crate::{
    backing::{Blob, Change, Expect, Outcome, Part, Write},
    cbor::{Head, Reader, Writer},
    env::{Rng, System},
    error::{Error, ErrorKind, Result},
    key::Key,
    layout::{Layout, Opened},
    meta::{Kind, Meta},
    name::{BlobName, NameTable},
};

/// How many elements are deleted together.
const DELETED_AT_ONCE: u64 = 256;
/// Whole numbers in keys end here.
const MAX_NEXT: u64 = 1 << 53;
/// How the key of an element begins: tag 27, `["konserve/log-element", [` and the head of the log id.
const ELEMENT: &[u8] = b"\xd8\x1b\x82\x74konserve/log-element\x82\x50";

/// What tells one log from every other. As name of no blob, for tables by name.
pub(super) type LogId = BlobName;

/// What a head says, in either layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Log {
    Numbered(Numbered),
    #[cfg(feature = "clojure")]
    Chain(Chain),
}

/// The head of a log whose elements have numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbered {
    pub(super) id: LogId,
    pub(super) first: u64,
    pub(super) next: u64,
}

impl Numbered {
    /// A log that never was before, without elements.
    pub(super) fn new() -> Result<Self> {
        let mut id = [0; 16];
        System.fill(&mut id)?;
        Ok(Self { id: LogId::from_bytes(id), first: 0, next: 0 })
    }

    /// From the value of a head.
    pub(super) fn from_cbor(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let (Head::Array(3), Head::Bytes(16)) = (reader.head().ok()?, reader.head().ok()?) else { return None };
        let id = LogId::from_bytes(reader.take(16).ok()?.try_into().ok()?);
        let (Head::Positive(first), Head::Positive(next)) = (reader.head().ok()?, reader.head().ok()?) else {
            return None;
        };
        (first <= next && next < MAX_NEXT).then_some(Self { id, first, next })
    }

    /// The value of the head.
    pub(super) fn to_cbor(self) -> Bytes {
        let mut out = Writer::new();
        out.array(3);
        out.bytes(self.id.as_bytes());
        out.positive(self.first);
        out.positive(self.next);
        out.finish().into()
    }

    /// The key of an element.
    pub(super) fn element(self, n: u64) -> Key {
        let mut out = Writer::new();
        out.raw(ELEMENT);
        out.raw(self.id.as_bytes());
        out.positive(n);
        Key::from_canonical(out.finish().into())
    }

    /// How many elements there are.
    pub(super) fn len(self) -> u64 {
        self.next - self.first
    }
}

/// `INVALID_PATH` for a log: its head is no value to read or to change.
pub(super) fn refuse(meta: &Meta) -> Result<()> {
    if meta.kind != Kind::Log {
        return Ok(());
    }
    let message =
        "this key holds a log, not a value; read it with log or reduceLog (reduce_log), add to it with append";
    Err(Error::new(ErrorKind::InvalidPath, message))
}

/// Whether this is the key of an element.
pub(super) fn is_element(key: &Key) -> bool {
    key.as_cbor().starts_with(ELEMENT)
}

pub(super) fn not_a_log() -> Error {
    let message =
        "this key holds a value or a binary, not a log; read it with get or bget, or delete it before the first append";
    Error::new(ErrorKind::NotALog, message)
}

/// So many names of logs are remembered. With more, every key may hold one.
const MAX_MET: usize = 4096;
/// The ends of so many logs are remembered.
const MAX_TAILS: usize = 64;

/// What an open store knows of its logs.
///
/// Which keys hold one is a hint, never a truth: a value that is put where no log is known is put without a look, since
/// a look would make every `assoc` slower by half. Where the hint is wrong, the elements of the log that was replaced
/// stay behind as orphans, which nobody reads and `sweep` deletes.
pub(super) struct Logs {
    pub(super) groups: Groups,
    met: Mutex<Option<NameTable>>,
    tails: Mutex<Vec<(BlobName, Tail)>>,
}

impl Default for Logs {
    fn default() -> Self {
        Self { groups: Groups::default(), met: Mutex::new(Some(NameTable::default())), tails: Mutex::default() }
    }
}

impl Logs {
    fn met(&self) -> MutexGuard<'_, Option<NameTable>> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tails(&self) -> MutexGuard<'_, Vec<(BlobName, Tail)>> {
        self.tails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A log was met under this name.
    pub(super) fn learn(&self, name: BlobName) {
        let mut met = self.met();
        if let Some(names) = &mut *met {
            names.insert(name, 0);
            if names.len() > MAX_MET {
                *met = None;
            }
        }
    }

    /// Whether there may be a log under this name.
    pub(super) fn may_be(&self, name: BlobName) -> bool {
        self.met().as_ref().is_none_or(|names| names.contains_key(&name))
    }

    /// There is something else under this name now.
    pub(super) fn forget(&self, name: BlobName) {
        if let Some(names) = &mut *self.met() {
            names.remove(&name);
        }
        self.take_tail(name);
    }

    /// Where this log ended when it was last written. Whoever relies on it says so in what the commit expects.
    pub(super) fn take_tail(&self, name: BlobName) -> Option<Tail> {
        let mut tails = self.tails();
        let at = tails.iter().position(|(of, _)| *of == name)?;
        Some(tails.swap_remove(at).1)
    }

    pub(super) fn put_tail(&self, name: BlobName, tail: Tail) {
        let mut tails = self.tails();
        if tails.len() == MAX_TAILS {
            tails.swap_remove(0);
        }
        tails.push((name, tail));
    }
}

impl Store {
    /// Of the metadata of an element: of which log it is.
    pub(super) fn log_of(&self, meta: &Meta) -> Option<LogId> {
        if meta.kind != Kind::LogElement {
            return None;
        }
        match self.inner.layout {
            Layout::Sealed(_) => {
                let rest = meta.key.as_cbor().strip_prefix(ELEMENT)?;
                rest.first_chunk().copied().map(LogId::from_bytes)
            }
            // The head of its log is of the same key.
            #[cfg(feature = "clojure")]
            Layout::Konserve(_) => self.name(&meta.key).ok(),
        }
    }

    /// What the head of a log says.
    pub(super) fn read_log(&self, opened: Opened) -> Result<Log> {
        if opened.meta.kind != Kind::Log {
            return Err(not_a_log());
        }
        let name = opened.name;
        let value = self.decode(opened)?;
        let log = match self.inner.layout {
            Layout::Sealed(_) => Numbered::from_cbor(&value).map(Log::Numbered),
            #[cfg(feature = "clojure")]
            Layout::Konserve(_) => Chain::from_cbor(&value).map(Log::Chain),
        };
        log.ok_or_else(|| {
            let message =
                format!("the head of a log, blob {name}, is none; restore it from a backup or delete its key");
            Error::new(ErrorKind::Corrupt, message)
        })
    }

    /// The log, expired or not, of which this is the head; nothing for the blob of something else.
    pub(super) fn parse_log(&self, name: BlobName, key: Option<&Key>, blob: Blob) -> Result<Option<Log>> {
        let opened = self.inner.layout.open(name, key, blob)?;
        if opened.meta.kind == Kind::Log { self.read_log(opened).map(Some) } else { Ok(None) }
    }

    /// Whether this is the head of the blob of a log.
    pub(super) fn is_log(&self, name: BlobName, blob: &Blob) -> bool {
        self.inner.layout.open_head(name, None, &blob.head).is_ok_and(|opened| opened.meta.kind == Kind::Log)
    }

    /// The log that goes when this blob goes, if it is known that one may be there.
    pub(super) fn log_in(&self, name: BlobName, blob: Option<&Blob>) -> Option<Log> {
        let blob = blob.filter(|_| self.inner.logs.may_be(name))?;
        self.parse_log(name, None, blob.clone()).ok().flatten()
    }

    /// The log under a name that is locked, if it is known that one may be there. What cannot be read is none.
    pub(super) async fn log_under(&self, name: BlobName) -> Option<Log> {
        if !self.inner.logs.may_be(name) {
            return None;
        }
        let head = self.inner.backing.read(vec![name], Part::Head).await.ok()?.pop().flatten()?;
        // A binary may be larger than memory.
        if !self.is_log(name, &head) {
            return None;
        }
        self.log_in(name, self.blob(name).await.ok()?.as_ref())
    }

    /// What is left to do once something else has come in the place of this log, or nothing.
    pub(super) async fn remove_log(&self, name: BlobName, log: Log) -> Result<()> {
        self.inner.logs.forget(name);
        self.remove_elements(log).await
    }

    /// Deletes the elements of a log that has no head any more. What a crash leaves of them are orphans.
    pub(super) async fn remove_elements(&self, log: Log) -> Result<()> {
        let log = match log {
            Log::Numbered(log) => log,
            #[cfg(feature = "clojure")]
            Log::Chain(chain) => return self.remove_chain(chain).await,
        };
        let mut first = log.first;
        while first < log.next {
            let next = log.next.min(first + DELETED_AT_ONCE);
            let delete = |name| Write { name, change: Change::Delete, expect: Expect::Anything };
            let names = (first..next).map(|n| Ok(delete(self.name(&log.element(n))?)));
            let outcome = self.inner.backing.commit(names.collect::<Result<_>>()?).await?;
            // A damaged head may promise more than there is.
            if matches!(outcome, Outcome::Done(found) if found.iter().all(|found| !found)) {
                break;
            }
            first = next;
        }
        Ok(())
    }
}
