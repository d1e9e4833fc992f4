//! Writing: `assoc`, `update`, `dissoc`, whole values and by path.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::{
    Event, Mode, Op, Store,
    locks::Held,
    log::{self, Log},
};
use crate::{
    backing::{Blob, Change, Check, Expect, Outcome, Part, UpdateFn, Write},
    cbor,
    codec::{Compressor, Encoded, check_stored, check_value},
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    key::{Key, Path},
    meta::{self, Kind, Meta},
    name::BlobName,
};

/// How often an asynchronous update is tried before others' writes make it a `CONFLICT`.
pub(super) const MAX_TRIES: usize = 32;

/// What a write says beside the value.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    pub(super) user: Bytes,
    pub(super) expires: Option<u64>,
    pub(super) compressor: Option<Compressor>,
}

impl WriteOptions {
    /// Entries of the user's own, as a CBOR map. Updates keep the entries that they do not name.
    pub fn meta_cbor(mut self, map: &[u8]) -> Result<Self> {
        self.user = meta::check_user(map)?;
        Ok(self)
    }

    /// These, and over them what the other says.
    pub(super) fn with(&self, over: &Self) -> Self {
        Self {
            user: meta::merge_user(&self.user, &over.user),
            expires: over.expires.or(self.expires),
            compressor: over.compressor.or(self.compressor),
        }
    }

    /// What this value is compressed with. Default: what the store writes with. Not for logs, nor for what is streamed;
    /// `UNSUPPORTED` in konserve's layout.
    #[must_use]
    pub fn compressor(mut self, compressor: Compressor) -> Self {
        self.compressor = Some(compressor);
        self
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
    /// Whether there was something, and what to tell of it.
    Found(bool, Option<Box<Event>>),
    /// The new value comes later.
    Later(Box<Seen>, Later),
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
        let key = path.key.clone();
        let put = async {
            // Who is told what was there before needs it to be read.
            if path.steps.is_empty() && !self.tells_values() {
                return self.put(path.key, value, options).await;
            }
            let op = if path.steps.is_empty() { Op::Assoc } else { Op::AssocIn };
            self.update_path(op, path, Box::new(move |_| Ok(Answer::Now(value.clone()))), options).await
        };
        put.await.map_err(|error| error.at_key(key.as_cbor()))
    }

    /// Replaces the value at a path by what `f` makes of it. No other write to the key comes in between, whoever makes it.
    pub async fn update_cbor(&self, path: Path, f: LeafFn, options: WriteOptions) -> Result<()> {
        let key = path.key.clone();
        let op = if path.steps.is_empty() { Op::Update } else { Op::UpdateIn };
        self.update_path(op, path, f, options).await.map_err(|error| error.at_key(key.as_cbor()))
    }

    /// Deletes a key, or what is at a path inside its value; whether it was there.
    pub async fn dissoc_cbor(&self, path: Path) -> Result<bool> {
        let key = path.key.clone();
        let gone = if path.steps.is_empty() { self.delete(path.key).await } else { self.remove(path).await };
        gone.map_err(|error| error.at_key(key.as_cbor()))
    }

    async fn put(&self, key: Key, value: Bytes, options: WriteOptions) -> Result<()> {
        let _pass = self.inner.gate.enter()?;
        check_value(&value)?;
        let name = self.find(&key).await?;
        let event = self.event(Op::Assoc, std::slice::from_ref(&key));
        self.put_content(name, &key, Kind::Value, value, &options, event).await
    }

    /// Puts a value in the place of what is there, of a log with its elements, and tells of it.
    pub(super) async fn put_content(
        &self,
        name: BlobName,
        key: &Key,
        kind: Kind,
        content: Bytes,
        options: &WriteOptions,
        event: Option<Box<Event>>,
    ) -> Result<()> {
        let (meta, encoded) = self.prepare(key, kind, None, options, content)?;
        // Writes of a key come in the order of their calls, however long one is waited for.
        let held = self.lock(name, Mode::Exclusive).await;
        let blob = if self.inner.layout.waits(encoded.section.len()) {
            self.inner.layout.seal_later(name, meta, encoded).await?
        } else {
            self.inner.layout.seal(name, meta, encoded)?
        };
        if self.inner.logs.may_be(name) {
            let put = move |_: Option<&Blob>| Ok((Change::Put(blob.clone()), Said::Found(true, event.clone())));
            return self.apply(name, Part::All, Box::new(put), held).await.map(drop);
        }
        let write = Write { name, change: Change::Put(blob), expect: Expect::Anything };
        self.commit_under(held, write, event).await.map(drop)
    }

    async fn update_path(&self, op: Op, path: Path, f: LeafFn, options: WriteOptions) -> Result<()> {
        let _pass = self.inner.gate.enter()?;
        let name = self.find(&path.key).await?;
        let update = Arc::new(Update { store: self.clone(), op, name, path, options });
        let f = Arc::new(Mutex::new(f));
        let Said::Later(mut seen, mut answer) = update.attempt(&f).await? else { return Ok(()) };
        let _lane = self.inner.lanes.lock(update.name, Mode::Exclusive).await;
        for tries in 1.. {
            if update.commit(&seen, answer.await?).await? {
                return Ok(());
            }
            if tries == MAX_TRIES {
                break;
            }
            match update.attempt(&f).await? {
                Said::Later(again, later) => (seen, answer) = (again, later),
                Said::Found(..) | Said::Log => return Ok(()),
            }
        }
        let message = format!(
            "others changed the value {MAX_TRIES} times while the update's function worked; try again, or use a synchronous function"
        );
        Err(Error::new(ErrorKind::Conflict, message))
    }

    async fn delete(&self, key: Key) -> Result<bool> {
        let _pass = self.inner.gate.enter()?;
        let name = self.find(&key).await?;
        let mut held = self.lock(name, Mode::Exclusive).await;
        if !self.inner.logs.may_be(name) && !self.tells_values() {
            match self.apply(name, Part::Head, self.deletion(name, &key, Part::Head), held).await? {
                (Said::Log, Some(back)) => held = back,
                (said, _) => return Ok(matches!(said, Said::Found(true, _))),
            }
        }
        let (gone, _) = self.apply(name, Part::All, self.deletion(name, &key, Part::All), held).await?;
        Ok(matches!(gone, Said::Found(true, _)))
    }

    /// Deletes what is there, but for a log of which only the head's head is seen.
    fn deletion(&self, name: BlobName, key: &Key, part: Part) -> ChangeFn {
        let (store, key) = (self.clone(), key.clone());
        Box::new(move |blob| {
            let Some(blob) = blob else { return Ok((Change::Keep, Said::Found(false, None))) };
            // What cannot be read can still be deleted.
            let was_there = !matches!(store.open(name, Some(&key), blob.clone()), Ok(None));
            if part == Part::Head && store.inner.logs.may_be(name) {
                return Ok((Change::Keep, Said::Log));
            }
            let mut event = store.event(Op::Dissoc, std::slice::from_ref(&key)).filter(|_| was_there);
            if let (Some(event), Part::All) = (&mut event, part) {
                event.old_value = store.value(name, &key, blob.clone()).unwrap_or_default();
            }
            Ok((Change::Delete, Said::Found(was_there, event)))
        })
    }

    /// Deletes the log under a name, if its head is still the one that was seen, and tells of it.
    pub(super) async fn delete_log(&self, name: BlobName, seen: Check, event: Option<Box<Event>>) -> Result<bool> {
        self.inner.logs.learn(name);
        let delete = move |blob: Option<&Blob>| {
            let same = blob.and_then(Blob::check) == Some(seen);
            let (change, event) = if same { (Change::Delete, event.clone()) } else { (Change::Keep, None) };
            Ok((change, Said::Found(same, event)))
        };
        Ok(matches!(self.change(name, Part::All, Box::new(delete)).await?, Said::Found(true, _)))
    }

    async fn remove(&self, path: Path) -> Result<bool> {
        let name = self.find(&path.key).await?;
        let update = Update { store: self.clone(), op: Op::DissocIn, name, path, options: WriteOptions::default() };
        let remove = move |blob: Option<&Blob>| {
            let (Some(whole), Some(meta), _) = update.read(blob)? else {
                return Ok((Change::Keep, Said::Found(false, None)));
            };
            let Some(rest) = cbor::path::remove(&whole, &update.steps())? else {
                return Ok((Change::Keep, Said::Found(false, None)));
            };
            let event = update.event(update.leaf(Some(&whole))?, None);
            Ok((Change::Put(update.seal(Some(&meta), rest.into())?), Said::Found(true, event)))
        };
        Ok(matches!(self.change(name, Part::All, Box::new(remove)).await?, Said::Found(true, _)))
    }

    /// One atomic change of a blob, under its lock, and what the function said beside it the last time it was called.
    fn change(&self, name: BlobName, part: Part, f: ChangeFn) -> BoxFut<'_, Result<Said>> {
        Box::pin(async move {
            let _pass = self.inner.gate.enter()?;
            let held = self.lock(name, Mode::Exclusive).await;
            Ok(self.apply(name, part, f, held).await?.0)
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

    /// The same, with a lock that the caller has. It is held no longer than need be, or given back where nothing was done.
    fn apply(&self, name: BlobName, part: Part, f: ChangeFn, held: Held) -> BoxFut<'_, Result<(Said, Option<Held>)>> {
        let (f, said) = self.watched(name, f);
        Box::pin(async move {
            let updating = self.inner.backing.update(name, part, f);
            // A deletion that finds a log goes on under the same lock.
            let mut held = if part == Part::Head { Some(held) } else { self.keep(held) };
            updating.await?;
            let said = said.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (mut said, log) = said.ok_or_else(|| {
                Error::new(
                    ErrorKind::Backend,
                    "the backing acknowledged an update without making it; this is a defect of the backing",
                )
            })?;
            if let Said::Log = said {
                return Ok((said, held));
            }
            if log.is_some() {
                self.inner.logs.forget(name);
            }
            if let Said::Found(_, event) = &mut said
                && let Some(event) = event.take()
            {
                self.inner.hooks.tell(*event, held.take());
            }
            drop(held);
            if let Some(log) = log {
                self.remove_elements(log).await?;
            }
            Ok((said, None))
        })
    }

    /// One write, and what to tell of it once it is done.
    pub(super) fn commit(&self, write: Write, event: Option<Box<Event>>) -> BoxFut<'_, Result<Outcome>> {
        Box::pin(async move {
            let held = self.lock(write.name, Mode::Exclusive).await;
            self.commit_under(held, write, event).await
        })
    }

    /// The same, with a lock that the caller has.
    fn commit_under(&self, held: Held, write: Write, event: Option<Box<Event>>) -> BoxFut<'_, Result<Outcome>> {
        Box::pin(async move {
            let committing = self.inner.backing.commit(vec![write]);
            let kept = self.keep(held);
            let outcome = committing.await?;
            if let (Outcome::Done(_), Some(event)) = (&outcome, event) {
                self.inner.hooks.tell(*event, kept);
            }
            Ok(outcome)
        })
    }

    /// The blob of a value: metadata fresh, or kept from before and merged with what the write says.
    pub(super) fn seal(
        &self,
        name: BlobName,
        key: &Key,
        kind: Kind,
        old: Option<&Meta>,
        options: &WriteOptions,
        value: Bytes,
    ) -> Result<Blob> {
        let (meta, encoded) = self.prepare(key, kind, old, options, value)?;
        self.inner.layout.seal(name, meta, encoded)
    }

    fn prepare(
        &self,
        key: &Key,
        kind: Kind,
        old: Option<&Meta>,
        options: &WriteOptions,
        value: Bytes,
    ) -> Result<(Meta, Encoded)> {
        let encoded = match options.compressor {
            None => self.inner.layout.encode(kind, value)?,
            Some(compressor) => self.inner.layout.encode_with(compressor, kind, value)?,
        };
        let meta = Meta {
            expires: options.expires.or(old.and_then(|meta| meta.expires)),
            user: old.map_or_else(|| options.user.clone(), |meta| meta::merge_user(&meta.user, &options.user)),
            ..Meta::new(key.clone(), kind, self.stamp())
        };
        Ok((meta, encoded))
    }
}

/// One update under way.
struct Update {
    store: Store,
    op: Op,
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
            let old = update.leaf(whole.as_ref())?;
            let answer = (f.lock().unwrap_or_else(PoisonError::into_inner))(old.as_deref())?;
            match answer {
                Answer::Now(value) => {
                    let blob = update.place(whole.as_deref(), meta.as_ref(), &value)?;
                    Ok((Change::Put(blob), Said::Found(true, update.event(old, Some(value)))))
                }
                Answer::Later(answer) => {
                    Ok((Change::Keep, Said::Later(Box::new(Seen { whole, meta, expect }), answer)))
                }
            }
        };
        self.store.change(self.name, Part::All, Box::new(attempt))
    }

    /// Writes a late answer, if what was seen is still there.
    async fn commit(&self, seen: &Seen, value: Bytes) -> Result<bool> {
        let blob = self.place(seen.whole.as_deref(), seen.meta.as_ref(), &value)?;
        let write = Write { name: self.name, change: Change::Put(blob), expect: seen.expect };
        let event = self.event(self.leaf(seen.whole.as_ref())?, Some(value));
        Ok(matches!(self.store.commit(write, event).await?, Outcome::Done(_)))
    }

    /// What is at the path of a whole value.
    fn leaf(&self, whole: Option<&Bytes>) -> Result<Option<Bytes>> {
        let Some(whole) = whole else { return Ok(None) };
        let Some(leaf) = cbor::path::get(whole, &self.steps())? else { return Ok(None) };
        if leaf.len() < whole.len() {
            check_stored(leaf)?;
        }
        Ok(Some(whole.slice_ref(leaf)))
    }

    /// What to tell of it, if anybody wants to know.
    fn event(&self, old: Option<Bytes>, new: Option<Bytes>) -> Option<Box<Event>> {
        let mut event = self.store.event(self.op, std::slice::from_ref(&self.path.key))?;
        event.steps.clone_from(&self.path.steps);
        if self.store.tells_values() {
            event.values = new.into_iter().collect();
            event.old_value = old;
            event.meta = self.options.user.clone();
        }
        Some(event)
    }

    /// What a blob holds; an expired one holds nothing.
    fn read(&self, blob: Option<&Blob>) -> Result<(Option<Bytes>, Option<Meta>, Expect)> {
        let Some(blob) = blob else { return Ok((None, None, Expect::Absent)) };
        if self.op == Op::Assoc {
            // Nothing of the old value stays, so it may be damaged.
            let old = self.store.value(self.name, &self.path.key, blob.clone());
            return Ok((old.unwrap_or_default(), None, Expect::Anything));
        }
        let expect = blob.check().map_or(Expect::Anything, Expect::Check);
        let Some(opened) = self.store.open(self.name, Some(&self.path.key), blob.clone())? else {
            return Ok((None, None, expect));
        };
        log::refuse(&opened.meta)?;
        let meta = opened.meta.clone();
        let layout = &self.store.inner.layout;
        // As with `get_in`, what is beside the path is not looked at, but its digest is.
        let whole = match self.op {
            Op::AssocIn | Op::UpdateIn => layout.item(opened)?,
            _ => layout.decode(opened)?,
        };
        Ok((Some(whole), Some(meta), expect))
    }

    /// The blob with a value at the path.
    fn place(&self, whole: Option<&[u8]>, meta: Option<&Meta>, value: &[u8]) -> Result<Blob> {
        // Putting it checks it, at the depth where it comes to be.
        self.seal(meta, cbor::path::put(whole, &self.steps(), value)?.into())
    }

    fn seal(&self, meta: Option<&Meta>, whole: Bytes) -> Result<Blob> {
        self.store.seal(self.name, &self.path.key, Kind::Value, meta, &self.options, whole)
    }

    fn steps(&self) -> Vec<&[u8]> {
        self.path.steps.iter().map(Bytes::as_ref).collect()
    }
}
