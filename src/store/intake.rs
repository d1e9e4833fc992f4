//! Putting many blobs that were written elsewhere, a few at a time.

use super::{Event, Op, Store, write::MAX_TRIES};
use crate::{
    backing::{Blob, Change, Expect, Outcome, Part, Write},
    cbor,
    error::{Error, ErrorKind, Result},
    key::Key,
    meta::Kind,
    name::{BlobName, NameTable},
};

/// So many bytes are put at a time, or a single blob that is larger.
pub(super) const MAX_BYTES: usize = 1024 * 1024;
/// So many blobs are put at a time.
pub(super) const MAX_BLOBS: usize = 128;

/// So many entries that are left out are named.
const MAX_NAMED: usize = 10;

/// What becomes of keys that exist already, when others of the same name come from elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// The first is a `CONFLICT`. One that is the very same, as after an import that was interrupted, is passed over.
    #[default]
    Error,
    /// They stay as they are.
    Keep,
    /// They are replaced, also by what was written earlier.
    Replace,
}

/// What came of an import or a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many entries were put.
    pub imported: u64,
    /// How many were not: their keys were kept or had the very same already, or they had expired.
    pub skipped: u64,
}

/// See the module's documentation.
pub(super) struct Intake {
    pub(super) store: Store,
    pub(super) done: Imported,
    pub(super) existing: Existing,
    group: Vec<(BlobName, Blob)>,
    size: usize,
    refused: Box<Refused>,
}

/// What could not be copied.
#[derive(Default)]
struct Refused {
    /// The first error.
    first: Option<Error>,
    /// What the next ones are of.
    others: Vec<String>,
    count: usize,
    /// The names that were taken, where keys that were told apart may have the same.
    names: NameTable,
}

impl Intake {
    pub(super) fn new(store: &Store, existing: Existing) -> Self {
        let (done, refused) = (Imported::default(), Box::default());
        Self { store: store.clone(), done, existing, group: Vec::new(), size: 0, refused }
    }

    /// Leaves out one that cannot be taken.
    pub(super) fn refuse(&mut self, name: BlobName, error: Error) {
        let Refused { first, others, count, .. } = self.refused.as_mut();
        *count += 1;
        if first.is_none() {
            *first = Some(error);
        } else if *count <= MAX_NAMED {
            let of = error.key().map_or_else(|| format!("blob {name}"), |key| format!("key {}", cbor::diagnose(key)));
            others.push(format!("{of}: {}", error.code()));
        }
    }

    /// Takes a name; whether it is the first to do so.
    pub(super) fn claim(&mut self, name: BlobName) -> bool {
        self.refused.names.insert(name, 0).is_none()
    }

    /// What was done; an error where something was left out.
    pub(super) fn finished(self) -> Result<Imported> {
        let (Imported { imported, skipped }, Refused { first, mut others, count, .. }) = (self.done, *self.refused);
        let Some(first) = first else { return Ok(self.done) };
        if count > MAX_NAMED {
            others.push(format!("{} more", count - MAX_NAMED));
        }
        let also = if others.is_empty() { String::new() } else { format!(", and of {}", others.join(", ")) };
        Err(first.noting(&format!(
            "so it is with {count} entries, this one{also}; the rest was copied: {imported} entries were put and {skipped} passed over"
        )))
    }

    /// How many entries were taken so far, those included that are not put yet.
    pub(super) fn entries(&self) -> u64 {
        self.done.imported + self.done.skipped + self.group.len() as u64
    }

    /// Takes one that was checked.
    pub(super) async fn add(&mut self, name: BlobName, blob: Blob) -> Result<()> {
        self.size += blob.head.len() + blob.value.len();
        self.group.push((name, blob));
        if self.size < MAX_BYTES && self.group.len() < MAX_BLOBS { Ok(()) } else { self.flush().await }
    }

    /// Passes over one.
    pub(super) fn skip(&mut self) {
        self.done.skipped += 1;
    }

    /// Puts what was taken, in one transaction. Where a key exists that must not, those before it are put. The backing sees
    /// to it that what was there is still there; locks are held only where the order of the writes is to be told.
    pub(super) async fn flush(&mut self) -> Result<()> {
        self.size = 0;
        let group = std::mem::take(&mut self.group);
        if group.is_empty() {
            return Ok(());
        }
        let mut held = self.store.lock_to_tell(group.iter().map(|(name, _)| *name)).await;
        for _ in 0..MAX_TRIES {
            let (writes, stopped) = self.decide(&group, Part::All).await?;
            let put = writes.len() as u64;
            let event = held.as_ref().and_then(|_| self.event(&writes));
            // Somebody else wrote one of them in between, so what becomes of it is to be decided anew.
            let committing = self.store.inner.backing.commit(writes);
            let outcome = committing.await.map_err(|error| self.store.at_key_among(error, &group))?;
            let Outcome::Done(_) = outcome else { continue };
            if let Some(event) = event {
                self.store.inner.hooks.tell(*event, held.take());
            }
            self.done.imported += put;
            let (passed, result) = stopped.map_or((group.len() as u64, Ok(())), |(before, error)| (before, Err(error)));
            self.done.skipped += passed - put;
            return result;
        }
        Err(Error::new(ErrorKind::Conflict, "others write the same keys all the time; try again when they are done"))
    }

    /// What is told of these.
    fn event(&self, writes: &[Write]) -> Option<Box<Event>> {
        let mut event = self.store.event(Op::Import, &[])?;
        event.keys = writes.iter().filter_map(|write| self.store.key_written(write)).collect();
        Some(event).filter(|event| !event.keys.is_empty())
    }

    /// Puts what came before an error, which then also tells how much that was.
    pub(super) async fn stop(&mut self, error: Error) -> Error {
        // The first error is the one to tell.
        drop(self.flush().await);
        let Imported { imported, skipped } = self.done;
        error.noting(&format!("before that, {imported} entries were put and {skipped} passed over"))
    }

    /// What is to be written; and where it must stop, after how many. With [`Part::Head`] only heads are at hand.
    pub(super) async fn decide(
        &self,
        group: &[(BlobName, Blob)],
        part: Part,
    ) -> Result<(Vec<Write>, Option<(u64, Error)>)> {
        let mut writes = Vec::with_capacity(group.len());
        let names = group.iter().map(|(name, _)| *name).collect();
        let found = match self.existing {
            Existing::Replace => Vec::new(),
            Existing::Error if !self.store.inner.layout.tells_equal() => {
                self.store.inner.backing.read(names, part).await?
            }
            Existing::Error | Existing::Keep => self.store.inner.backing.read(names, Part::Head).await?,
        };
        let mut found = found.into_iter();
        for (before, one @ (name, blob)) in group.iter().enumerate() {
            let expect = match found.next().flatten() {
                None if self.existing == Existing::Replace => Expect::Anything,
                None => Expect::Absent,
                Some(there) => match self.expired(*name, &there) {
                    Some(expect) => expect,
                    None if self.existing == Existing::Keep || self.is_same(*name, &there, blob, part) => continue,
                    None => {
                        let error = self.store.at_key_of(exists(), one);
                        return Ok((writes, Some((before as u64, error))));
                    }
                },
            };
            writes.push(Write { name: *name, change: Change::Put(blob.clone()), expect });
        }
        Ok((writes, None))
    }

    /// Whether two blobs hold the same. A head says so by its digest; where it has none, or one of what is encrypted, all of
    /// it is compared. Where only heads are at hand, which have the time of the write, what they say.
    fn is_same(&self, name: BlobName, there: &Blob, blob: &Blob, part: Part) -> bool {
        let layout = &self.store.inner.layout;
        if there.head == blob.head && (layout.has_digests() || there.value == blob.value) {
            return true;
        }
        let says = |blob: &Blob| layout.open_head(name, None, &blob.head).ok().map(|opened| opened.meta);
        let holds = |blob: &Blob| self.store.check(name, blob.clone()).ok();
        match part {
            _ if layout.tells_equal() => false,
            Part::Head if layout.has_digests() => false,
            Part::Head => says(there).is_some_and(|there| says(blob) == Some(there)),
            Part::All => holds(there).is_some_and(|there| holds(blob) == Some(there)),
        }
    }

    /// How a blob that has expired is to be found again; `None` if it is there.
    pub(super) fn expired(&self, name: BlobName, blob: &Blob) -> Option<Expect> {
        match self.store.open(name, None, blob.clone()) {
            Ok(None) => blob.check().map(Expect::Check),
            // What cannot be read is something.
            Ok(Some(_)) | Err(_) => None,
        }
    }
}

impl Store {
    /// The key that is written.
    fn key_written(&self, write: &Write) -> Option<Key> {
        match &write.change {
            Change::Put(blob) => self.key_told(write.name, &blob.head),
            Change::Keep | Change::Delete => None,
        }
    }

    /// The key of a blob with this head; none of an element, whose log has one.
    pub(super) fn key_told(&self, name: BlobName, head: &[u8]) -> Option<Key> {
        let meta = self.inner.layout.open_head(name, None, head).ok()?.meta;
        (meta.kind != Kind::LogElement).then_some(meta.key)
    }

    /// With the key of this blob, if it can be read.
    fn at_key_of(&self, error: Error, (name, blob): &(BlobName, Blob)) -> Error {
        match self.inner.layout.open_head(*name, None, &blob.head) {
            Ok(opened) => error.at_key(opened.meta.key.as_cbor()),
            Err(_) => error,
        }
    }

    /// With the key of the blob that the error names, or with the first: what fails is all of it.
    fn at_key_among(&self, error: Error, group: &[(BlobName, Blob)]) -> Error {
        let named = group.iter().find(|(name, _)| error.blob() == Some(*name.as_bytes()));
        match named.or(group.first()) {
            Some(one) => self.at_key_of(error, one),
            None => error,
        }
    }
}

pub(super) fn exists() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "the key has another value already; say whether existing keys are to be kept or replaced",
    )
}
