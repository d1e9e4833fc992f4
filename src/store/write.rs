//! Writing: `assoc`, `update`, `dissoc`, whole values and by path.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::{
    Mode, Store,
    locks::Held,
    log::{self, Log},
};
use crate::{
    backing::{Blob, Change, Check, Expect, Outcome, Part, UpdateFn, Write},
    cbor,
    codec::check_value,
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    key::{Key, Path},
    layout,
    meta::{self, Kind, Meta},
    name::BlobName,
};

/// How often an asynchronous update is tried before others' writes make it a `CONFLICT`.
const MAX_TRIES: usize = 32;

/// What a write says beside the value.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    pub(super) user: Bytes,
    pub(super) expires: Option<u64>,
}

impl WriteOptions {
    /// Entries of the user's own, as a CBOR map. Updates keep the entries that they do not name.
    pub fn meta_cbor(mut self, map: &[u8]) -> Result<Self> {
        self.user = meta::check_user(map)?;
        Ok(self)
    }

    /// When the value stops being there, in milliseconds since 1970. Default: never; updates keep what was said before.
    #[must_use]
    pub fn expires(mut self, at: u64) -> Self {
        self.expires = Some(at);
        self
    }
}

/// What the function of an update gives: a value as CBOR, now or later.
pub enum Answer {
    /// The new value: written in the same transaction that read the old one.
    Now(Bytes),
    /// A promise of it: written if the old value is still there then, else the function is asked again.
    Later(Later),
}

/// The function of an update: sees the value at the path, as CBOR. It may be called more than once.
#[cfg(not(target_arch = "wasm32"))]
pub type LeafFn = Box<dyn FnMut(Option<&[u8]>) -> Result<Answer> + Send>;
/// The function of an update: sees the value at the path, as CBOR. It may be called more than once.
#[cfg(target_arch = "wasm32")]
pub type LeafFn = Box<dyn FnMut(Option<&[u8]>) -> Result<Answer>>;

/// What an update found, kept for the time that its function takes to answer.
struct Seen {
    whole: Option<Bytes>,
    meta: Option<Meta>,
    expect: Expect,
}

/// What the function of a change says beside the change.
enum Said {
    /// Whether there was something.
    Found(bool),
    /// The new value comes later.
    Later(Seen, Later),
    /// It may be a log, and its elements are known only from its value.
    Log,
}

type Later = BoxFut<'static, Result<Bytes>>;

/// The function of a change: what becomes of a blob, and what is said beside it.
#[cfg(not(target_arch = "wasm32"))]
type ChangeFn = Box<dyn FnMut(Option<&Blob>) -> Result<(Change, Said)> + Send>;
/// The function of a change: what becomes of a blob, and what is said beside it.
#[cfg(target_arch = "wasm32")]
type ChangeFn = Box<dyn FnMut(Option<&Blob>) -> Result<(Change, Said)>>;

/// What the function of a change said the last time it was called, and the log whose elements go with what it changed.
type Saying = Arc<Mutex<Option<(Said, Option<Log>)>>>;

impl Store {
    /// Puts a value, given as CBOR, at a path. Missing levels become maps.
    pub async fn assoc_cbor(&self, path: Path, value: Bytes, options: WriteOptions) -> Result<()> {
        if !path.steps.is_empty() {
            return self.update_cbor(path, Box::new(move |_| Ok(Answer::Now(value.clone()))), options).await;
        }
        let put = async {
            let _pass = self.inner.gate.enter()?;
            check_value(&value)?;
            let name = path.key.name();
            let blob = self.seal(name, &path.key, None, &options, value)?;
            if self.inner.logs.may_be(name) {
                let put = move |_: Option<&Blob>| Ok((Change::Put(blob.clone()), Said::Found(true)));
                return self.change(name, Part::All, Box::new(put)).await.map(|_| ());
            }
            self.commit(Write { name, change: Change::Put(blob), expect: Expect::Anything }).await.map(|_| ())
        };
        put.await.map_err(|error: Error| error.at_key(path.key.as_cbor()))
    }

    /// Replaces the value at a path by what `f` makes of it. No other write to the key comes in between, whoever makes it.
    pub async fn update_cbor(&self, path: Path, f: LeafFn, options: WriteOptions) -> Result<()> {
        let key = path.key.clone();
        self.update_path(path, f, options).await.map_err(|error| error.at_key(key.as_cbor()))
    }

    /// Deletes a key, or what is at a path inside its value; whether it was there.
    pub async fn dissoc_cbor(&self, path: Path) -> Result<bool> {
        let key = path.key.clone();
        let gone = if path.steps.is_empty() { self.delete(path.key).await } else { self.remove(path).await };
        gone.map_err(|error| error.at_key(key.as_cbor()))
    }

    async fn update_path(&self, path: Path, f: LeafFn, options: WriteOptions) -> Result<()> {
        let _pass = self.inner.gate.enter()?;
        let update = Arc::new(Update { store: self.clone(), name: path.key.name(), path, options });
        let f = Arc::new(Mutex::new(f));
        let Said::Later(mut seen, mut answer) = update.attempt(&f).await? else { return Ok(()) };
        let _lane = self.inner.lanes.lock(update.name, Mode::Exclusive).await;
        for _ in 0..MAX_TRIES {
            if update.commit(&seen, answer.await?).await? {
                return Ok(());
            }
            match update.attempt(&f).await? {
                Said::Later(again, later) => (seen, answer) = (again, later),
                Said::Found(_) | Said::Log => return Ok(()),
            }
        }
        let message = format!(
            "others changed the value {MAX_TRIES} times while the update's function worked; try again, or use a synchronous function"
        );
        Err(Error::new(ErrorKind::Conflict, message))
    }

    async fn delete(&self, key: Key) -> Result<bool> {
        let _pass = self.inner.gate.enter()?;
        let name = key.name();
        let held = self.lock(name, Mode::Exclusive).await;
        if !self.inner.logs.may_be(name) {
            match self.apply(None, name, Part::Head, self.deletion(&key, Part::Head)).await? {
                Said::Log => {}
                said => return Ok(matches!(said, Said::Found(true))),
            }
        }
        let gone = self.apply(Some(held), name, Part::All, self.deletion(&key, Part::All)).await?;
        Ok(matches!(gone, Said::Found(true)))
    }

    /// Deletes what is there, but for a log of which only the head's head is seen.
    fn deletion(&self, key: &Key, part: Part) -> ChangeFn {
        let (store, name, key) = (self.clone(), key.name(), key.clone());
        Box::new(move |blob| {
            let Some(blob) = blob else { return Ok((Change::Keep, Said::Found(false))) };
            // What cannot be read can still be deleted.
            let opened = store.open(name, Some(&key), blob.clone());
            if part == Part::Head && store.inner.logs.may_be(name) {
                return Ok((Change::Keep, Said::Log));
            }
            Ok((Change::Delete, Said::Found(!matches!(opened, Ok(None)))))
        })
    }

    /// Deletes the log under a name, if its head is still the one that was seen.
    pub(super) async fn delete_log(&self, name: BlobName, seen: Check) -> Result<bool> {
        self.inner.logs.learn(name);
        let delete = move |blob: Option<&Blob>| {
            let same = blob.and_then(Blob::check) == Some(seen);
            Ok((if same { Change::Delete } else { Change::Keep }, Said::Found(same)))
        };
        Ok(matches!(self.change(name, Part::All, Box::new(delete)).await?, Said::Found(true)))
    }

    async fn remove(&self, path: Path) -> Result<bool> {
        let update = Update { store: self.clone(), name: path.key.name(), path, options: WriteOptions::default() };
        let (name, store) = (update.name, self.clone());
        let remove = move |blob: Option<&Blob>| {
            let (Some(whole), Some(meta), _) = update.read(blob)? else {
                return Ok((Change::Keep, Said::Found(false)));
            };
            let Some(rest) = cbor::path::remove(&whole, &update.steps())? else {
                return Ok((Change::Keep, Said::Found(false)));
            };
            Ok((Change::Put(update.seal(Some(&meta), rest.into())?), Said::Found(true)))
        };
        Ok(matches!(store.change(name, Part::All, Box::new(remove)).await?, Said::Found(true)))
    }

    /// One atomic change of a blob, under its lock, and what the function said beside it the last time it was called.
    fn change(&self, name: BlobName, part: Part, f: ChangeFn) -> BoxFut<'_, Result<Said>> {
        Box::pin(async move {
            let _pass = self.inner.gate.enter()?;
            let held = self.lock(name, Mode::Exclusive).await;
            self.apply(Some(held), name, part, f).await
        })
    }

    /// The function as a backing wants it, and a place for what it said last and for the log that it took away.
    fn watched(&self, name: BlobName, mut f: ChangeFn) -> (UpdateFn, Saying) {
        let (store, said) = (self.clone(), Saying::default());
        let saying = said.clone();
        let f: UpdateFn = Box::new(move |blob| {
            let (change, say) = f(blob)?;
            let log = if change == Change::Keep { None } else { store.log_in(name, blob) };
            *saying.lock().unwrap_or_else(PoisonError::into_inner) = Some((say, log));
            Ok(change)
        });
        (f, said)
    }

    /// The same, with a lock that the caller has; one that is given over is held no longer than need be.
    fn apply(&self, held: Option<Held>, name: BlobName, part: Part, f: ChangeFn) -> BoxFut<'_, Result<Said>> {
        let (f, said) = self.watched(name, f);
        Box::pin(async move {
            let updating = self.inner.backing.update(name, part, f);
            let kept = held.and_then(|held| self.keep(held));
            updating.await?;
            let said = said.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (said, log) = said.ok_or_else(|| {
                Error::new(
                    ErrorKind::Backend,
                    "the backing acknowledged an update without making it; this is a defect of the backing",
                )
            })?;
            if let Some(log) = log {
                self.inner.logs.forget(name);
                drop(kept);
                self.remove_elements(log).await?;
            }
            Ok(said)
        })
    }

    fn commit(&self, write: Write) -> BoxFut<'_, Result<Outcome>> {
        Box::pin(async move {
            let held = self.lock(write.name, Mode::Exclusive).await;
            let committing = self.inner.backing.commit(vec![write]);
            let _kept = self.keep(held);
            committing.await
        })
    }

    /// The blob of a value: metadata fresh, or kept from before and merged with what the write says.
    fn seal(
        &self,
        name: BlobName,
        key: &Key,
        old: Option<&Meta>,
        options: &WriteOptions,
        value: Bytes,
    ) -> Result<Blob> {
        let encoded = self.inner.codec.encode(value)?;
        let meta = Meta {
            key: key.clone(),
            kind: Kind::Value,
            last_write: self.stamp(),
            expires: options.expires.or(old.and_then(|meta| meta.expires)),
            user: old.map_or_else(|| options.user.clone(), |meta| meta::merge_user(&meta.user, &options.user)),
            size: encoded.size,
            digest: layout::digest(&encoded.section),
        };
        layout::seal(name, encoded.codecs, &meta, encoded.section)
    }
}

/// One update under way.
struct Update {
    store: Store,
    name: BlobName,
    path: Path,
    options: WriteOptions,
}

impl Update {
    /// Runs the function over what is there now. An answer that it gives at once is written.
    fn attempt<'a>(self: &'a Arc<Self>, f: &Arc<Mutex<LeafFn>>) -> BoxFut<'a, Result<Said>> {
        let (update, f) = (self.clone(), f.clone());
        let attempt = move |blob: Option<&Blob>| {
            let (whole, meta, expect) = update.read(blob)?;
            let old = match &whole {
                Some(whole) => cbor::path::get(whole, &update.steps())?,
                None => None,
            };
            let answer = (f.lock().unwrap_or_else(PoisonError::into_inner))(old)?;
            match answer {
                Answer::Now(value) => {
                    Ok((Change::Put(update.place(whole.as_deref(), meta.as_ref(), &value)?), Said::Found(true)))
                }
                Answer::Later(answer) => Ok((Change::Keep, Said::Later(Seen { whole, meta, expect }, answer))),
            }
        };
        self.store.change(self.name, Part::All, Box::new(attempt))
    }

    /// Writes a late answer, if what was seen is still there.
    async fn commit(&self, seen: &Seen, value: Bytes) -> Result<bool> {
        let blob = self.place(seen.whole.as_deref(), seen.meta.as_ref(), &value)?;
        let write = Write { name: self.name, change: Change::Put(blob), expect: seen.expect };
        Ok(matches!(self.store.commit(write).await?, Outcome::Done(_)))
    }

    /// What a blob holds; an expired one holds nothing.
    fn read(&self, blob: Option<&Blob>) -> Result<(Option<Bytes>, Option<Meta>, Expect)> {
        let Some(blob) = blob else { return Ok((None, None, Expect::Absent)) };
        let expect = blob.check().map_or(Expect::Anything, Expect::Check);
        let Some(opened) = self.store.open(self.name, Some(&self.path.key), blob.clone())? else {
            return Ok((None, None, expect));
        };
        log::refuse(&opened.meta)?;
        let meta = opened.meta.clone();
        Ok((Some(self.store.decode(opened)?), Some(meta), expect))
    }

    /// The blob with a value at the path.
    fn place(&self, whole: Option<&[u8]>, meta: Option<&Meta>, value: &[u8]) -> Result<Blob> {
        // Putting it checks it, at the depth where it comes to be.
        self.seal(meta, cbor::path::put(whole, &self.steps(), value)?.into())
    }

    fn seal(&self, meta: Option<&Meta>, whole: Bytes) -> Result<Blob> {
        self.store.seal(self.name, &self.path.key, meta, &self.options, whole)
    }

    fn steps(&self) -> Vec<&[u8]> {
        self.path.steps.iter().map(Bytes::as_ref).collect()
    }
}
