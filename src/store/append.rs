//! `append`: a new element, then the head that counts it.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Event, Mode, Op, Store, WriteOptions,
    group::Calls,
    log::{Log, Numbered},
};
use crate::{
    backing::{Blob, Change, Expect, Outcome, Write},
    codec::{Encoded, check_value},
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    key::Key,
    meta::{self, Kind, Meta},
    name::BlobName,
};

/// How often appends are tried before others' appends make them a `CONFLICT`. Each time somebody else's was written.
const MAX_TRIES: usize = 1000;
/// Held, together, by those who have written elements but not yet the head. No key has this name.
const APPENDING: BlobName = BlobName::from_bytes([0; 16]);

/// One append.
pub(super) struct Append {
    element: Encoded,
    options: WriteOptions,
    /// What to tell of it, if anybody wants to know.
    event: Option<Box<Event>>,
}

/// The end of a log, and what its head says beside it.
#[derive(Clone)]
pub(super) struct Tail {
    log: Numbered,
    /// What the head's name holds.
    expect: Expect,
    user: Bytes,
    expires: Option<u64>,
    /// The log that was there before, and has expired.
    before: Option<Log>,
}

impl Tail {
    fn new(expect: Expect, before: Option<Log>) -> Result<Self> {
        Ok(Self { log: Numbered::new()?, expect, user: Bytes::new(), expires: None, before })
    }
}

impl Store {
    /// Adds an element, given as CBOR, to the end of a log, which begins with its first element. Metadata and expiry
    /// are the log's: later appends keep what they do not name. `NOT_A_LOG` where the key holds something else.
    pub async fn append_cbor(&self, key: Key, element: Bytes, options: WriteOptions) -> Result<()> {
        let appended = async {
            let _pass = self.inner.gate.enter()?;
            check_value(&element)?;
            #[cfg(feature = "clojure")]
            if let crate::layout::Layout::Konserve(_) = self.inner.layout {
                return self.append_link(&key, element, options).await;
            }
            let event = self.append_event(&key, &element, &options);
            let name = self.name(&key)?;
            let append = Append { element: self.inner.layout.encode(Kind::LogElement, element)?, options, event };
            self.inner.logs.learn(name);
            let write = |calls| write(self.clone(), key.clone(), name, calls);
            self.inner.logs.groups.join(name, append, write).written().await
        };
        appended.await.map_err(|error: Error| error.at_key(key.as_cbor()))
    }

    pub(super) fn append_event(&self, key: &Key, element: &Bytes, options: &WriteOptions) -> Option<Box<Event>> {
        let mut event = self.event(Op::Append, std::slice::from_ref(key))?;
        if self.tells_values() {
            event.values = vec![element.clone()];
            event.meta = options.user.clone();
        }
        Some(event)
    }

    /// The end of the log at a key, or of a new one.
    fn tail<'a>(&'a self, key: &'a Key, name: BlobName) -> BoxFut<'a, Result<Tail>> {
        Box::pin(async move { self.tail_in(key, name, self.blob(name).await?) })
    }

    fn tail_in(&self, key: &Key, name: BlobName, blob: Option<Blob>) -> Result<Tail> {
        let Some(blob) = blob else { return Tail::new(Expect::Absent, None) };
        let expect = blob.check().map_or(Expect::Anything, Expect::Check);
        let opened = self.inner.layout.open(name, Some(key), blob)?;
        let gone = opened.meta.is_expired(self.now());
        if gone && opened.meta.kind != Kind::Log {
            return Tail::new(expect, None);
        }
        let (user, expires) = (opened.meta.user.clone(), opened.meta.expires);
        let log = self.read_log(opened)?;
        if gone {
            return Tail::new(expect, Some(log));
        }
        match log {
            Log::Numbered(log) => Ok(Tail { log, expect, user, expires, before: None }),
            #[cfg(feature = "clojure")]
            Log::Chain(_) => Err(super::log::not_a_log()),
        }
    }

    /// Writes elements and the head that counts them; the new end, or nothing if the log did not end there any more.
    ///
    /// Where all can be one transaction, it is one. On files a batch costs more than two files do, so a single element
    /// goes before its head, as two writes. Others who may write the same element must not come in between: then it is
    /// a batch, or where there are none, the head is written only if the elements still are what was written.
    async fn extend(&self, key: &Key, name: BlobName, tail: &Tail, appends: &[Option<Append>]) -> Result<Option<Tail>> {
        let capability = self.inner.backing.capability();
        let together = capability.atomic_batches && (capability.ordered || capability.shared || appends.len() > 1);
        let _appending = if together { None } else { Some(self.inner.lanes.lock(APPENDING, Mode::Shared).await) };
        let (mut elements, head, tail_after) = self.seal_appends(key, name, tail, appends)?;
        if together {
            elements.push(head);
            return Ok(self.committed(elements).await?.then_some(tail_after));
        }
        let mut then: Vec<_> = if capability.shared { elements.iter().map(unchanged).collect() } else { Vec::new() };
        then.push(head);
        let written = self.committed(elements).await? && self.committed(then).await?;
        Ok(written.then_some(tail_after))
    }

    fn committed(&self, writes: Vec<Write>) -> BoxFut<'_, Result<bool>> {
        let committing = self.inner.backing.commit(writes);
        Box::pin(async move { Ok(matches!(committing.await?, Outcome::Done(_))) })
    }

    /// The writes of the elements, that of the head, and the end after them.
    fn seal_appends(
        &self,
        key: &Key,
        name: BlobName,
        tail: &Tail,
        appends: &[Option<Append>],
    ) -> Result<(Vec<Write>, Write, Tail)> {
        let stamp = self.stamp();
        let mut after = Tail { before: None, ..tail.clone() };
        let mut elements = Vec::with_capacity(appends.len() + 1);
        for Append { element, options, .. } in appends.iter().flatten() {
            let key = after.log.element(after.log.next);
            let (name, blob) = self.seal_part(&key, Kind::LogElement, stamp, (None, Bytes::new()), element.clone())?;
            elements.push(Write { name, change: Change::Put(blob), expect: Expect::Anything });
            after.log.next += 1;
            after.user = meta::merge_user(&after.user, &options.user);
            after.expires = options.expires.or(after.expires);
        }
        let head = self.inner.layout.encode(Kind::Log, after.log.to_cbor())?;
        let (_, blob) = self.seal_part(key, Kind::Log, stamp, (after.expires, after.user.clone()), head)?;
        after.expect = blob.check().map_or(Expect::Anything, Expect::Check);
        Ok((elements, Write { name, change: Change::Put(blob), expect: tail.expect }, after))
    }

    /// The blob of a head or an element.
    fn seal_part(
        &self,
        key: &Key,
        kind: Kind,
        stamp: u64,
        (expires, user): (Option<u64>, Bytes),
        value: Encoded,
    ) -> Result<(BlobName, Blob)> {
        let name = self.name(key)?;
        let meta = Meta { expires, user, ..Meta::new(key.clone(), kind, stamp) };
        Ok((name, self.inner.layout.seal(name, meta, value)?))
    }
}

/// That what was written is still there.
fn unchanged(write: &Write) -> Write {
    let check = match &write.change {
        Change::Put(blob) => blob.check(),
        Change::Keep | Change::Delete => None,
    };
    Write { name: write.name, change: Change::Keep, expect: check.map_or(Expect::Anything, Expect::Check) }
}

/// Writes all appends of a group, once it is their turn.
fn write(store: Store, key: Key, name: BlobName, calls: Arc<Calls>) -> BoxFut<'static, Result<()>> {
    Box::pin(async move {
        let logs = &store.inner.logs;
        // Not by `Store::lock`, which ends the group. It is held until everything is acknowledged: what must be tried
        // again keeps its place before later calls, and whoever comes meanwhile joins the next group.
        let held = store.inner.locks.lock(name, Mode::Exclusive).await;
        let known = logs.take_tail(name).filter(|tail| tail.expires.is_none_or(|expires| expires > store.now()));
        let found = match known {
            Some(tail) => Ok(tail),
            None => store.tail(&key, name).await,
        };
        let mut appends = calls.take();
        logs.groups.end(name);
        let mut tail = found?;
        for _ in 0..MAX_TRIES {
            if let Some(after) = store.extend(&key, name, &tail, &appends).await? {
                logs.put_tail(name, after);
                logs.learn(name);
                let events = appends.iter_mut().flatten().filter_map(|append| append.event.take());
                store.inner.hooks.tell_all(events.map(|event| *event), held);
                return match tail.before {
                    Some(log) => store.remove_elements(log).await,
                    None => Ok(()),
                };
            }
            tail = store.tail(&key, name).await?;
        }
        let message = format!("others appended to the log {MAX_TRIES} times meanwhile; try again");
        Err(Error::new(ErrorKind::Conflict, message))
    })
}

/// Who waits for it knows that every element which was written before has its head.
pub(super) async fn appended(store: &Store) {
    drop(store.inner.lanes.lock(APPENDING, Mode::Exclusive).await);
}
