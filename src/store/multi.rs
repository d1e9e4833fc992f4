//! Several keys together: `multi_get`, `multi_assoc`, `multi_dissoc`. All of it happens, or nothing.

use bytes::Bytes;

use super::{
    Held, Mode, Op, Store, WriteOptions,
    log::{self, Log},
    write::MAX_TRIES,
};
use crate::{
    backing::{Blob, Capability, Change, Expect, Outcome, Part, Write},
    codec::check_value,
    env::{BoxFut, sort},
    error::{Error, ErrorKind, Result},
    key::Key,
    meta::Kind,
    name::BlobName,
};

/// One value of a batch, and where it goes.
#[derive(Clone, Debug)]
pub struct BatchEntry {
    /// The key.
    pub key: Key,
    /// The value, as CBOR.
    pub value: Bytes,
    /// What this entry says beside the value.
    pub options: WriteOptions,
}

/// The blobs of some keys. A key may be given more than once; its blob is read and written once.
struct Batch {
    /// Each name once, ascending, and which key was the last to be given with it.
    blobs: Vec<(BlobName, usize)>,
    /// For each key, which of the blobs is its.
    slots: Vec<usize>,
}

impl Batch {
    async fn of<'k>(store: &Store, keys: impl ExactSizeIterator<Item = &'k Key>) -> Result<Self> {
        let mut batch = Self { blobs: Vec::new(), slots: vec![0; keys.len()] };
        // The name, then the place in eight bytes: sorted by bytes they are in the order of both.
        let mut places = Vec::with_capacity(keys.len());
        for (at, key) in keys.enumerate() {
            let name = store.find(key).await.map_err(|error| error.at_key(key.as_cbor()))?;
            places.push([name.as_bytes().as_slice(), &(at as u64).to_be_bytes()].concat());
        }
        let mut places: Vec<_> = places.iter().map(Vec::as_slice).collect();
        sort(&mut places);
        for place in places {
            let Some((name, at)) = place.split_first_chunk() else { continue };
            let name = BlobName::from_bytes(*name);
            let at = at.iter().fold(0, |at, byte| at << 8 | usize::from(*byte));
            match batch.blobs.last_mut() {
                Some((known, last)) if *known == name => *last = at,
                _ => batch.blobs.push((name, at)),
            }
            if let Some(slot) = batch.slots.get_mut(at) {
                *slot = batch.blobs.len() - 1;
            }
        }
        Ok(batch)
    }

    fn names(&self) -> Vec<BlobName> {
        self.blobs.iter().map(|(name, _)| *name).collect()
    }

    /// With the key of the blob that the error names, or with the first: what fails is all of it.
    fn at_key(&self, error: Error, keys: &[Key]) -> Error {
        let named = |(name, _): &&(BlobName, usize)| error.blob() == Some(*name.as_bytes());
        let named = self.blobs.iter().find(named).and_then(|(_, at)| keys.get(*at));
        match named.or(keys.first()) {
            Some(key) => error.at_key(key.as_cbor()),
            None => error,
        }
    }

    /// What was found of each blob, for each key in the order that was given.
    fn by_key<T: Clone + Default>(&self, found: &[T]) -> Vec<T> {
        self.slots.iter().map(|slot| found.get(*slot).cloned().unwrap_or_default()).collect()
    }

    /// The keys of the blobs that were found, each once.
    fn keys_of(&self, found: &[bool], keys: &[Key]) -> Vec<Key> {
        let mut those = Vec::new();
        for (at, (slot, key)) in self.slots.iter().zip(keys).enumerate() {
            if found.get(*slot) == Some(&true) && self.blobs.get(*slot).is_some_and(|(_, last)| *last == at) {
                those.push(key.clone());
            }
        }
        those
    }
}

/// Whether each blob was there, the logs that are gone, and the locks that are still to be held.
type Exchanged = (Vec<bool>, Vec<Gone>, Option<Vec<Held>>);

/// A log that is gone, but for its elements. Where they were not looked up in time, there is only the name.
type Gone = (BlobName, Option<Log>);

impl Store {
    /// The values of several keys as CBOR, for each key in the order that was given, read together.
    pub async fn multi_get_cbor(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>> {
        let _pass = self.inner.gate.enter()?;
        let batch = Batch::of(self, keys.iter()).await?;
        let held = self.lock_all(&batch.names(), Mode::Shared).await;
        let reading = self.inner.backing.read(batch.names(), Part::All);
        let _kept = self.keep(held);
        let mut found = Vec::with_capacity(batch.blobs.len());
        for ((name, at), blob) in batch.blobs.iter().zip(reading.await?) {
            found.push(match (keys.get(*at), blob) {
                (Some(key), Some(blob)) => {
                    self.gotten(*name, key, blob).map_err(|error| error.at_key(key.as_cbor()))?
                }
                _ => None,
            });
        }
        Ok(batch.by_key(&found))
    }

    /// Puts several values: all of them, or none. Says for each entry, in the order that was given, whether its key was
    /// there before. Of a key that is given more than once the last entry counts. What an entry says is merged over
    /// `common`.
    pub async fn multi_assoc_cbor(&self, entries: Vec<BatchEntry>, common: WriteOptions) -> Result<Vec<bool>> {
        let _pass = self.inner.gate.enter()?;
        let batch = Batch::of(self, entries.iter().map(|entry| &entry.key)).await?;
        for entry in &entries {
            check_value(&entry.value).map_err(|error| error.at_key(entry.key.as_cbor()))?;
        }
        let mut changes = Vec::with_capacity(batch.blobs.len());
        for (name, at) in &batch.blobs {
            let Some(BatchEntry { key, value, options }) = entries.get(*at) else { continue };
            let blob = self.seal(*name, key, Kind::Value, None, &common.with(options), value.clone());
            changes.push(Change::Put(blob.map_err(|error| error.at_key(key.as_cbor()))?));
        }
        let (keys, values): (Vec<_>, Vec<_>) = entries.into_iter().map(|entry| (entry.key, entry.value)).unzip();
        let (there, logs, kept) = self.exchange(&keys, &batch, changes).await?;
        if let Some(mut event) = self.event(Op::MultiAssoc, &keys) {
            if self.tells_values() {
                event.values = values;
                event.meta = common.user;
            }
            self.inner.hooks.tell(*event, kept);
        }
        self.remove_logs(logs).await?;
        Ok(batch.by_key(&there))
    }

    /// Deletes several keys: all of them, or none. Says for each key, in the order that was given, whether it was there.
    pub async fn multi_dissoc_cbor(&self, keys: &[Key]) -> Result<Vec<bool>> {
        let _pass = self.inner.gate.enter()?;
        let batch = Batch::of(self, keys.iter()).await?;
        let changes = vec![Change::Delete; batch.blobs.len()];
        let (there, logs, kept) = self.exchange(keys, &batch, changes).await?;
        if let Some(mut event) = self.event(Op::MultiDissoc, &[]).filter(|_| there.contains(&true)) {
            event.keys = batch.keys_of(&there, keys);
            self.inner.hooks.tell(*event, kept);
        }
        self.remove_logs(logs).await?;
        Ok(batch.by_key(&there))
    }

    /// Makes the changes, one for each blob, in one commit.
    fn exchange<'a>(
        &'a self,
        keys: &'a [Key],
        batch: &'a Batch,
        changes: Vec<Change>,
    ) -> BoxFut<'a, Result<Exchanged>> {
        Box::pin(async move {
            let mut held = Some(self.lock_all(&batch.names(), Mode::Exclusive).await);
            let backing = &self.inner.backing;
            let Capability { ordered, shared, .. } = backing.capability();
            // The elements of a log are known only from its head, which has to be read before it is gone.
            let at_once = ordered && !batch.blobs.iter().any(|(name, _)| self.inner.logs.may_be(*name));
            for _ in 0..MAX_TRIES {
                let mut reading = backing.read(batch.names(), Part::Head);
                let before = if at_once {
                    None
                } else {
                    Some(reading.as_mut().await.map_err(|error| batch.at_key(error, keys))?)
                };
                let mut logs = match &before {
                    Some(before) => self.logs_among(batch, before).await,
                    None => Vec::new(),
                };
                // Where the backing keeps the order of calls, one right after the other shares its transaction; elsewhere
                // what was read must still be there, if others may write too.
                let seen = before.as_ref().filter(|_| shared);
                let committing = backing.commit(writes(batch, &changes, seen));
                held = held.and_then(|held| self.keep(held));
                let outcome = committing.await.map_err(|error| batch.at_key(error, keys))?;
                if let Outcome::Conflict(_) = outcome {
                    continue;
                }
                let before = match before {
                    Some(before) => before,
                    // What is done is done, also if what was there cannot be read: then it counts as there.
                    None => reading.await.unwrap_or_else(|_| vec![Some(Blob::default()); changes.len()]),
                };
                if at_once {
                    logs.extend(self.logs_of(batch, &before).map(|name| (name, None)));
                }
                return Ok((self.there(keys, batch, before), logs, held));
            }
            let message = format!("others changed one of the keys {MAX_TRIES} times in between; try again");
            Err(Error::new(ErrorKind::Conflict, message))
        })
    }

    /// The logs among the blobs of a batch, of which these are the heads.
    async fn logs_among(&self, batch: &Batch, heads: &[Option<Blob>]) -> Vec<Gone> {
        let mut logs = Vec::new();
        for name in self.logs_of(batch, heads) {
            self.inner.logs.learn(name);
            // One that cannot be read has no elements that can be known.
            if let Some(log) = self.log_under(name).await {
                logs.push((name, Some(log)));
            }
        }
        logs
    }

    /// Removes the elements of logs that are gone.
    async fn remove_logs(&self, logs: Vec<Gone>) -> Result<()> {
        let missed = logs.iter().any(|(_, log)| log.is_none());
        for (name, log) in logs {
            match log {
                Some(log) => self.remove_log(name, log).await?,
                None => self.inner.logs.forget(name),
            }
        }
        if missed { self.remove_orphans().await } else { Ok(()) }
    }

    /// The names of the logs among the blobs of a batch, of which these are the heads.
    fn logs_of<'a>(&'a self, batch: &'a Batch, heads: &'a [Option<Blob>]) -> impl Iterator<Item = BlobName> + 'a {
        let names = batch.blobs.iter().map(|(name, _)| *name);
        names.zip(heads).filter_map(|(name, head)| head.as_ref().filter(|head| self.is_log(name, head)).map(|_| name))
    }

    /// The value of a blob as a `get` gives it.
    fn gotten(&self, name: BlobName, key: &Key, blob: Blob) -> Result<Option<Bytes>> {
        let Some(opened) = self.open(name, Some(key), blob)? else { return Ok(None) };
        log::refuse(&opened.meta)?;
        self.decode(opened).map(Some)
    }

    /// Which of the blobs held something; what is damaged does.
    fn there(&self, keys: &[Key], batch: &Batch, before: Vec<Option<Blob>>) -> Vec<bool> {
        let there = |((name, at), blob): (&(BlobName, usize), Option<Blob>)| {
            blob.is_some_and(|blob| !matches!(self.open(*name, keys.get(*at), blob), Ok(None)))
        };
        batch.blobs.iter().zip(before).map(there).collect()
    }
}

/// The writes that make these changes, if what was seen is still there.
fn writes(batch: &Batch, changes: &[Change], seen: Option<&Vec<Option<Blob>>>) -> Vec<Write> {
    let expect = |at: usize| match seen.and_then(|seen| seen.get(at)) {
        None => Expect::Anything,
        Some(None) => Expect::Absent,
        Some(Some(blob)) => blob.check().map_or(Expect::Anything, Expect::Check),
    };
    let write = |(at, ((name, _), change)): (usize, (&(BlobName, usize), &Change))| Write {
        name: *name,
        change: change.clone(),
        expect: expect(at),
    };
    batch.blobs.iter().zip(changes).enumerate().map(write).collect()
}
