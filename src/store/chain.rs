//! Logs as Clojure's konserve keeps them: the head names the last element and the first, each element names the next.
//!
//! An element is a blob under a random UUID as key, whose metadata has the key of the log. An append writes the element, the
//! last one again, since it names the next now, and the head: in one commit, so that no crash leaves a part of it.

use bytes::Bytes;

use super::{
    Mode, Store, WriteOptions,
    log::{Log, not_a_log},
};
use crate::{
    backing::{Blob, Change, Expect, Outcome, Write},
    cbor::{Head, Reader, Writer, tag},
    env::{Rng, System},
    error::{Error, ErrorKind, Result},
    key::Key,
    meta::{self, Kind, Meta},
    name::{BlobName, Uuid},
};

/// How often an append is tried before others' appends make it a `CONFLICT`. Each time somebody else's was written.
const MAX_TRIES: usize = 1000;
/// How many elements are deleted together.
const DELETED_AT_ONCE: usize = 256;
const APPEND_LOG: &str = ":append-log";
/// The keywords of an element, as CBOR.
const NEXT: &[u8] = b"\xd8\x27\x65:next";
const ELEM: &[u8] = b"\xd8\x27\x65:elem";

/// What a head says: `[:append-log last first]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) first: Uuid,
    pub(super) last: Uuid,
}

/// What an element says: `{:next …, :elem …}`.
pub(super) struct Link {
    pub(super) next: Option<Uuid>,
    pub(super) element: Bytes,
    /// When it was written, in milliseconds since 1970, as its metadata says.
    pub(super) written: u64,
}

impl Chain {
    /// From the value of a head.
    pub(super) fn from_cbor(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let Head::Array(3) = reader.head().ok()? else { return None };
        let mut kind = Writer::new();
        keyword(&mut kind, APPEND_LOG);
        if reader.item().ok()? != kind.finish() {
            return None;
        }
        Some(Self { last: uuid(reader.item().ok()?)?, first: uuid(reader.item().ok()?)? })
    }

    /// The value of the head.
    pub(super) fn to_cbor(self) -> Bytes {
        let mut out = Writer::new();
        out.array(3);
        keyword(&mut out, APPEND_LOG);
        write_uuid(&mut out, self.last);
        write_uuid(&mut out, self.first);
        out.finish().into()
    }
}

impl Link {
    fn from_cbor(value: &Bytes, written: u64) -> Option<Self> {
        let (mut next, mut element) = (None, None);
        for (name, item) in meta::pairs(value) {
            match name {
                NEXT if Reader::new(item).head() != Ok(Head::Simple(22)) => next = Some(uuid(item)?),
                ELEM => element = Some(value.slice_ref(item)),
                _ => {}
            }
        }
        Some(Self { next, element: element?, written })
    }

    pub(super) fn to_cbor(&self) -> Bytes {
        let mut out = Writer::new();
        out.map(2);
        out.raw(NEXT);
        match self.next {
            Some(next) => write_uuid(&mut out, next),
            None => out.raw(b"\xf6"),
        }
        out.raw(ELEM);
        out.raw(&self.element);
        out.finish().into()
    }
}

fn keyword(out: &mut Writer, name: &str) {
    out.tag(tag::SYMBOL);
    out.text(name);
}

fn write_uuid(out: &mut Writer, id: Uuid) {
    out.tag(tag::UUID);
    out.bytes(id.as_bytes());
}

fn uuid(item: &[u8]) -> Option<Uuid> {
    let mut reader = Reader::new(item);
    let (Head::Tag(tag::UUID), Head::Bytes(16)) = (reader.head().ok()?, reader.head().ok()?) else { return None };
    reader.take(16).ok()?.try_into().ok().map(Uuid::from_bytes)
}

/// What an append found at its key.
struct Before {
    expect: Expect,
    chain: Option<Chain>,
    meta: Option<Meta>,
    /// A log that has expired: its elements go.
    gone: Option<Chain>,
}

impl Store {
    /// Adds an element, given as CBOR, to the end of a log in konserve's layout.
    pub(super) async fn append_link(&self, key: &Key, element: Bytes, options: WriteOptions) -> Result<()> {
        let name = self.find(key).await?;
        let event = self.append_event(key, &element, &options);
        // Before the lock, so that a write which is called after this one and before its turn knows that it meets a log.
        self.inner.logs.learn(name);
        let held = self.lock(name, Mode::Exclusive).await;
        // What had its turn before may have forgotten a log that it deleted.
        self.inner.logs.learn(name);
        for _ in 0..MAX_TRIES {
            let before = self.before(key, name).await?;
            let writes = self.linked(key, name, &before, &element, &options).await?;
            if let Outcome::Conflict(_) = self.inner.backing.commit(writes).await? {
                continue;
            }
            if let Some(event) = event {
                self.inner.hooks.tell(*event, Some(held));
            }
            return match before.gone {
                Some(chain) => self.remove_chain(chain).await,
                None => Ok(()),
            };
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!("others appended to the log {MAX_TRIES} times meanwhile; try again"),
        ))
    }

    async fn before(&self, key: &Key, name: BlobName) -> Result<Before> {
        let Some(blob) = self.blob(name).await? else {
            return Ok(Before { expect: Expect::Absent, chain: None, meta: None, gone: None });
        };
        let expect = blob.check().map_or(Expect::Anything, Expect::Check);
        let opened = self.inner.layout.open(name, Some(key), blob)?;
        let (is_log, gone) = (opened.meta.kind == Kind::Log, opened.meta.is_expired(self.now()));
        if gone && !is_log {
            return Ok(Before { expect, chain: None, meta: None, gone: None });
        }
        let meta = opened.meta.clone();
        let Log::Chain(chain) = self.read_log(opened)? else { return Err(not_a_log()) };
        Ok(if gone {
            Before { expect, chain: None, meta: None, gone: Some(chain) }
        } else {
            Before { expect, chain: Some(chain), meta: Some(meta), gone: None }
        })
    }

    /// The writes of an append: the new element, the last one that names it, and the head.
    async fn linked(
        &self,
        key: &Key,
        name: BlobName,
        before: &Before,
        element: &Bytes,
        options: &WriteOptions,
    ) -> Result<Vec<Write>> {
        let (id, stamp) = (random_id()?, self.stamp());
        let part = |kind| Meta::new(key.clone(), kind, stamp);
        let added = Link { next: None, element: element.clone(), written: stamp };
        let mut writes =
            vec![self.linked_write(self.link_name(id)?, part(Kind::LogElement), added.to_cbor(), Expect::Absent)?];
        if let Some(Chain { last, .. }) = before.chain {
            let (name, blob) = self.link_blob(last).await?.ok_or_else(lacks)?;
            let expect = blob.check().map_or(Expect::Anything, Expect::Check);
            let link = Link { next: Some(id), ..self.read_link(name, blob)? };
            writes.push(self.linked_write(name, part(Kind::LogElement), link.to_cbor(), expect)?);
        }
        let head = Chain { first: before.chain.map_or(id, |chain| chain.first), last: id };
        let (user, expires) =
            before.meta.as_ref().map_or_else(Default::default, |meta| (meta.user.clone(), meta.expires));
        let (user, expires) = (meta::merge_user(&user, &options.user), options.expires.or(expires));
        writes.push(self.linked_write(
            name,
            Meta { expires, user, ..part(Kind::Log) },
            head.to_cbor(),
            before.expect,
        )?);
        Ok(writes)
    }

    fn linked_write(&self, name: BlobName, meta: Meta, value: Bytes, expect: Expect) -> Result<Write> {
        let encoded = self.inner.layout.encode(meta.kind, value)?;
        Ok(Write { name, change: Change::Put(self.inner.layout.seal(name, meta, encoded)?), expect })
    }

    /// The name of the blob of an element.
    pub(super) fn link_name(&self, id: Uuid) -> Result<BlobName> {
        let mut key = Writer::new();
        write_uuid(&mut key, id);
        self.name(&Key::from_canonical(key.finish().into()))
    }

    async fn link_blob(&self, id: Uuid) -> Result<Option<(BlobName, Blob)>> {
        let name = self.link_name(id)?;
        Ok(self.blob(name).await?.map(|blob| (name, blob)))
    }

    fn read_link(&self, name: BlobName, blob: Blob) -> Result<Link> {
        let opened = self.inner.layout.open(name, None, blob)?;
        let written = opened.meta.last_write;
        Link::from_cbor(&self.decode(opened)?, written).ok_or_else(|| {
            let message = format!("an element of a log, blob {name}, is none; restore it from a backup");
            Error::new(ErrorKind::Corrupt, message)
        })
    }

    /// The element of this id; `None` if it is not there.
    pub(super) async fn link(&self, id: Uuid) -> Result<Option<Link>> {
        let Some((name, blob)) = self.link_blob(id).await? else { return Ok(None) };
        self.read_link(name, blob).map(Some)
    }

    /// Deletes the elements of a log that has no head any more. What a crash leaves of them are orphans.
    pub(super) async fn remove_chain(&self, Chain { first, last }: Chain) -> Result<()> {
        let mut at = Some(first);
        while at.is_some() {
            let mut names = Vec::new();
            while let Some(id) = at.filter(|_| names.len() < DELETED_AT_ONCE) {
                names.push(self.link_name(id)?);
                // One that cannot be read hides the rest.
                let link = self.link(id).await.ok().flatten();
                at = link.filter(|_| id != last).and_then(|link| link.next);
            }
            // A damaged chain may come back to itself.
            names.sort_unstable();
            names.dedup();
            let delete = |name| Write { name, change: Change::Delete, expect: Expect::Anything };
            self.inner.backing.commit(names.into_iter().map(delete).collect()).await?;
        }
        Ok(())
    }
}

/// The error of an element that should be there.
pub(super) fn lacks() -> Error {
    Error::new(
        ErrorKind::Corrupt,
        "the log is damaged (an element is missing); restore its blob from a backup or delete the key",
    )
}

/// Notices when a walk comes back to where it was, in constant memory (Brent's algorithm).
#[derive(Default)]
pub(super) struct Turns {
    mark: Option<Uuid>,
    steps: u64,
    limit: u64,
}

impl Turns {
    /// The walk is here now; `CORRUPT` if it was here before.
    pub(super) fn pass(&mut self, id: Uuid) -> Result<()> {
        if self.mark == Some(id) {
            let message = "the log is damaged (its elements go round); restore it from a backup or delete the key";
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        if self.steps == self.limit {
            (self.mark, self.steps, self.limit) = (Some(id), 0, (2 * self.limit).max(1));
        }
        self.steps += 1;
        Ok(())
    }
}

fn random_id() -> Result<Uuid> {
    let mut id = [0; 16];
    System.fill(&mut id)?;
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    Ok(Uuid::from_bytes(id))
}
