//! Several keys together: `multi_get`, `multi_assoc`, `multi_dissoc`. All of it happens, or nothing.

use bytes::Bytes;

use super::{Held, Mode, Op, Store, WriteOptions, write::MAX_TRIES};
use crate::{
    backing::{Blob, Change, Expect, Outcome, Part, Write},
    codec::check_value,
    env::{BoxFut, sort},
    error::{Error, ErrorKind, Result},
    key::Key,
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
    /// Each once, ascending.
    names: Vec<BlobName>,
    /// For each name, which key was the last to be given with it.
    last: Vec<usize>,
    /// For each key, which name is its.
    slots: Vec<usize>,
}

impl Batch {
    fn of<'k>(keys: impl ExactSizeIterator<Item = &'k Key>) -> Self {
        // The name, then the place in eight bytes: sorted by bytes they are in the order of both.
        let place = |(at, key): (usize, &Key)| [key.name().as_bytes().as_slice(), &(at as u64).to_be_bytes()].concat();
        let mut slots = vec![0; keys.len()];
        let places: Vec<_> = keys.enumerate().map(place).collect();
        let mut places: Vec<_> = places.iter().map(Vec::as_slice).collect();
        sort(&mut places);
        let (mut names, mut last) = (Vec::<BlobName>::new(), Vec::new());
        for (name, at) in places.into_iter().filter_map(|place| place.split_first_chunk()) {
            let name = BlobName::from_bytes(*name);
            let at = at.iter().fold(0, |at, byte| at << 8 | usize::from(*byte));
            if names.last() == Some(&name) {
                last.pop();
            } else {
                names.push(name);
            }
            last.push(at);
            if let Some(slot) = slots.get_mut(at) {
                *slot = names.len() - 1;
            }
        }
        Self { names, last, slots }
    }

    /// What was found of each name, for each key in the order that was given.
    fn by_key<T: Clone + Default>(&self, found: &[T]) -> Vec<T> {
        self.slots.iter().map(|slot| found.get(*slot).cloned().unwrap_or_default()).collect()
    }

    /// The keys of the names that were found, each once.
    fn keys_of(&self, found: &[bool], keys: &[Key]) -> Vec<Key> {
        let last = |(at, slot): &(usize, &usize)| self.last.get(**slot) == Some(at) && found.get(**slot) == Some(&true);
        self.slots.iter().enumerate().filter(last).filter_map(|(at, _)| keys.get(at).cloned()).collect()
    }
}

/// Whether each key was there, and the locks that are still to be held.
type Exchanged = (Vec<bool>, Option<Vec<Held>>);

impl Store {
    /// The values of several keys as CBOR, for each key in the order that was given, read together.
    pub async fn multi_get_cbor(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>> {
        let _pass = self.inner.gate.enter()?;
        let batch = Batch::of(keys.iter());
        let held = self.inner.locks.lock_all(&batch.names, Mode::Shared).await;
        let reading = self.inner.backing.read(batch.names.clone(), Part::All);
        let _kept = self.keep(held);
        let mut found = Vec::with_capacity(keys.len());
        for ((name, at), blob) in batch.names.iter().zip(&batch.last).zip(reading.await?) {
            let (Some(key), Some(blob)) = (keys.get(*at), blob) else {
                found.push(None);
                continue;
            };
            let opened = self.open(*name, Some(key), blob);
            let value = opened.and_then(|opened| opened.map(|opened| self.decode(opened)).transpose());
            found.push(value.map_err(|error| error.at_key(key.as_cbor()))?);
        }
        Ok(batch.by_key(&found))
    }

    /// Puts several values: all of them, or none. Says for each entry, in the order that was given, whether its key was
    /// there before. Of a key that is given more than once the last entry counts. What an entry says is merged over
    /// `common`.
    pub async fn multi_assoc_cbor(&self, entries: Vec<BatchEntry>, common: WriteOptions) -> Result<Vec<bool>> {
        let _pass = self.inner.gate.enter()?;
        let batch = Batch::of(entries.iter().map(|entry| &entry.key));
        for entry in &entries {
            check_value(&entry.value).map_err(|error| error.at_key(entry.key.as_cbor()))?;
        }
        let sealed = |(name, at): (&BlobName, &usize)| {
            let BatchEntry { key, value, options } = entries.get(*at)?;
            let options = common.with(options);
            // A copy: stored as a part of the batch it would keep the whole of it in memory.
            let blob = self.seal(*name, key, None, &options, Bytes::copy_from_slice(value));
            Some(blob.map(Change::Put).map_err(|error| error.at_key(key.as_cbor())))
        };
        let changes = batch.names.iter().zip(&batch.last).filter_map(sealed).collect::<Result<_>>()?;
        let keys: Vec<_> = entries.iter().map(|entry| entry.key.clone()).collect();
        let (there, kept) = self.exchange(&keys, &batch, changes).await?;
        if let Some(mut event) = self.event(Op::MultiAssoc, &keys) {
            if self.tells_values() {
                event.values = entries.into_iter().map(|entry| entry.value).collect();
                event.meta = common.user;
            }
            self.inner.hooks.tell(event, kept);
        }
        Ok(batch.by_key(&there))
    }

    /// Deletes several keys: all of them, or none. Says for each key, in the order that was given, whether it was there.
    pub async fn multi_dissoc_cbor(&self, keys: &[Key]) -> Result<Vec<bool>> {
        let _pass = self.inner.gate.enter()?;
        let batch = Batch::of(keys.iter());
        let changes = vec![Change::Delete; batch.names.len()];
        let (there, kept) = self.exchange(keys, &batch, changes).await?;
        if let Some(mut event) = self.event(Op::MultiDissoc, &[]).filter(|_| there.contains(&true)) {
            event.keys = batch.keys_of(&there, keys);
            self.inner.hooks.tell(event, kept);
        }
        Ok(batch.by_key(&there))
    }

    /// Makes the changes, one for each name, in one commit. Says of each name whether its key was there before, and gives
    /// the locks that are still to be held.
    fn exchange<'a>(
        &'a self,
        keys: &'a [Key],
        batch: &'a Batch,
        changes: Vec<Change>,
    ) -> BoxFut<'a, Result<Exchanged>> {
        Box::pin(async move {
            let held = self.inner.locks.lock_all(&batch.names, Mode::Exclusive).await;
            let backing = &self.inner.backing;
            let (before, kept) = if backing.capability().ordered {
                // One right after the other, so that one transaction serves both.
                let reading = backing.read(batch.names.clone(), Part::Head);
                let writes = batch.names.iter().zip(changes);
                let writes = writes.map(|(name, change)| Write { name: *name, change, expect: Expect::Anything });
                let committing = backing.commit(writes.collect());
                let kept = self.keep(held);
                committing.await?;
                (reading.await, kept)
            } else {
                (Ok(self.exchange_in_turn(batch, &changes).await?), Some(held))
            };
            // What is done is done. What could not be read counts as there, as it does where one key is deleted.
            let there = |((name, at), before): ((&BlobName, &usize), Option<Blob>)| {
                before.is_some_and(|blob| !matches!(self.open(*name, keys.get(*at), blob), Ok(None)))
            };
            let there = match before {
                Ok(before) => batch.names.iter().zip(&batch.last).zip(before).map(there).collect(),
                Err(_) => vec![true; batch.names.len()],
            };
            Ok((there, kept))
        })
    }

    /// Reads what is there, then commits under the condition that it still is.
    async fn exchange_in_turn(&self, batch: &Batch, changes: &[Change]) -> Result<Vec<Option<Blob>>> {
        let backing = &self.inner.backing;
        let shared = backing.capability().shared;
        let expect = |before: &Option<Blob>| match before {
            // Nobody else writes.
            _ if !shared => Expect::Anything,
            None => Expect::Absent,
            Some(blob) => blob.check().map_or(Expect::Anything, Expect::Check),
        };
        for _ in 0..MAX_TRIES {
            let before = backing.read(batch.names.clone(), Part::Head).await?;
            let writes = batch.names.iter().zip(changes).zip(&before);
            let writes = writes.map(|((name, change), before)| Write {
                name: *name,
                change: change.clone(),
                expect: expect(before),
            });
            if let Outcome::Done(_) = backing.commit(writes.collect()).await? {
                return Ok(before);
            }
        }
        let message =
            format!("others changed one of the keys {MAX_TRIES} times while they were being written; try again");
        Err(Error::new(ErrorKind::Conflict, message))
    }
}
