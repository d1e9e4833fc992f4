//! Logs on their way into a store that keeps them in another way: elements with numbers, or elements that name the next.
//!
//! A copy has the same elements in the same order, with their times. Its ids are made of those of the log that it was copied
//! from, so that a copy which is made again is known to be the same. Its head comes last: until then there is no log, and
//! what a copy leaves that fails is deleted.

use super::{
    Mode, Op, Store,
    chain::{Chain, Link},
    elements::{Elements, Stamped},
    intake::{Existing, Intake, MAX_BLOBS, MAX_BYTES, exists},
    log::{Log, LogId, Numbered},
};
use crate::{
    backing::{Change, Expect, Outcome, Part, Write},
    env::{Rng, System},
    error::{Error, ErrorKind, Result},
    key::Key,
    layout::{Digest, Layout},
    meta::{Kind, Meta},
    name::{BlobName, Uuid},
};

/// A log on its way into a store.
struct Copy<'a> {
    store: &'a Store,
    key: &'a Key,
    id: LogId,
    /// How many elements it has so far.
    count: u64,
    writes: Vec<Write>,
    size: usize,
}

impl Store {
    /// Copies a log whose head has this metadata and says this, to this name.
    pub(super) async fn copy_log(
        &self,
        name: BlobName,
        meta: Meta,
        value: &[u8],
        intake: &mut Intake,
        progress: &mut impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        intake.flush().await?;
        let (to, elements) = (intake.store.clone(), self.list_log(meta.key.clone()));
        let Some((id, expect)) = intake.place_of(name, &meta, origin(&self.inner.layout, value)?).await? else {
            intake.skip();
            return Ok(());
        };
        let mut copy = Copy { store: &to, key: &meta.key, id, count: 0, writes: Vec::new(), size: 0 };
        let before = intake.entries();
        let copied = match copy.elements(elements, |count| progress(before + count)).await {
            Ok(()) => copy.finish(name, &meta, expect).await,
            failed => failed,
        };
        if let Err(error) = copied {
            // The first error is the one to tell.
            drop(copy.abandon().await);
            return Err(error);
        }
        intake.done.imported += copy.count + 1;
        Ok(())
    }
}

impl Intake {
    /// The id of a copy of the log with this id, and what its key must hold when its head is put; `None` if it is passed
    /// over.
    async fn place_of(&self, name: BlobName, meta: &Meta, origin: LogId) -> Result<Option<(LogId, Expect)>> {
        let head = self.store.inner.backing.read(vec![name], Part::Head).await?.pop().flatten();
        let Some(head) = head else { return Ok(Some((origin, Expect::Absent))) };
        let there = match self.expired(name, &head) {
            Some(expect) => return Ok(Some((random()?, expect))),
            None => self.store.inner.layout.open_head(name, None, &head.head),
        };
        match self.existing {
            Existing::Keep => Ok(None),
            // What is replaced may be another copy of the same log: its elements go, and these stay.
            Existing::Replace => Ok(Some((random()?, Expect::Anything))),
            Existing::Error => match there {
                Ok(there) if is_same(&there.meta, meta) && self.store.is_copy(name, origin).await? => Ok(None),
                _ => Err(exists()),
            },
        }
    }
}

impl Store {
    /// Whether the log under this name is a copy of the one with this id.
    async fn is_copy(&self, name: BlobName, origin: LogId) -> Result<bool> {
        let Some(blob) = self.blob(name).await? else { return Ok(false) };
        Ok(match self.parse_log(name, None, blob)? {
            Some(Log::Numbered(log)) => log.id == origin,
            Some(Log::Chain(chain)) => chain.first == link_id(origin, 0),
            None => false,
        })
    }
}

/// Whether two heads of logs say the same, but for what their layouts make of it.
fn is_same(there: &Meta, meta: &Meta) -> bool {
    let said = |meta: &Meta| Meta { size: None, digest: None, ..meta.clone() };
    said(there) == said(meta)
}

impl Copy<'_> {
    async fn elements(&mut self, mut from: Elements, mut progress: impl FnMut(u64) -> Result<()>) -> Result<()> {
        // An element names the one after it, so it waits for that.
        let mut waiting = None;
        while let Some(page) = from.next_stamped().await? {
            for element in page {
                if let Some(before) = waiting.replace(element) {
                    self.add(before, false).await?;
                }
            }
            progress(self.count)?;
        }
        let last = waiting.ok_or_else(|| Error::new(ErrorKind::Corrupt, "the log has no elements"))?;
        self.add(last, true).await?;
        self.flush().await
    }

    async fn add(&mut self, (written, element): Stamped, is_last: bool) -> Result<()> {
        let (name, n) = (self.element(self.count)?, self.count);
        let layout = &self.store.inner.layout;
        let (key, value) = match layout {
            Layout::Sealed(_) => (self.numbered().element(n), element),
            Layout::Konserve(_) => {
                let next = (!is_last).then(|| link_id(self.id, n + 1));
                (self.key.clone(), Link { next, element, written }.to_cbor())
            }
        };
        let encoded = layout.encode(Kind::LogElement, value)?;
        let blob = layout.seal(name, Meta::new(key, Kind::LogElement, written), encoded)?;
        self.size += blob.head.len() + blob.value.len();
        self.writes.push(Write { name, change: Change::Put(blob), expect: Expect::Anything });
        self.count += 1;
        if self.size < MAX_BYTES && self.writes.len() < MAX_BLOBS { Ok(()) } else { self.flush().await }
    }

    fn numbered(&self) -> Numbered {
        Numbered { id: self.id, first: 0, next: self.count }
    }

    /// The name of an element.
    fn element(&self, n: u64) -> Result<BlobName> {
        match self.store.inner.layout {
            Layout::Sealed(_) => self.store.name(&self.numbered().element(n)),
            Layout::Konserve(_) => self.store.link_name(link_id(self.id, n)),
        }
    }

    async fn flush(&mut self) -> Result<()> {
        self.size = 0;
        let writes = std::mem::take(&mut self.writes);
        if !writes.is_empty() {
            self.store.inner.backing.commit(writes).await?;
        }
        Ok(())
    }

    /// Puts the head, in the place of what is there.
    async fn finish(&self, name: BlobName, meta: &Meta, expect: Expect) -> Result<()> {
        let store = self.store;
        let value = match store.inner.layout {
            Layout::Sealed(_) => self.numbered().to_cbor(),
            Layout::Konserve(_) => {
                let (first, last) = (link_id(self.id, 0), link_id(self.id, self.count.saturating_sub(1)));
                Chain { first, last }.to_cbor()
            }
        };
        let encoded = store.inner.layout.encode(Kind::Log, value)?;
        let blob = store.inner.layout.seal(name, meta.clone(), encoded)?;
        let held = store.lock(name, Mode::Exclusive).await;
        store.inner.logs.learn(name);
        let before = store.log_under(name).await;
        let write = Write { name, change: Change::Put(blob), expect };
        if let Outcome::Conflict(_) = store.inner.backing.commit(vec![write]).await? {
            return Err(exists());
        }
        if let Some(event) = store.event(Op::Import, std::slice::from_ref(self.key)) {
            store.inner.hooks.tell(*event, held);
        }
        if let Some(before) = before {
            store.remove_log(name, before).await?;
        }
        store.inner.logs.learn(name);
        Ok(())
    }

    /// Deletes the elements.
    async fn abandon(&mut self) -> Result<()> {
        self.writes.clear();
        let mut names = (0..self.count).map(|n| self.element(n));
        loop {
            let some = names.by_ref().take(MAX_BLOBS).collect::<Result<Vec<_>>>()?;
            if some.is_empty() {
                return Ok(());
            }
            let delete = |name| Write { name, change: Change::Delete, expect: Expect::Anything };
            self.store.inner.backing.commit(some.into_iter().map(delete).collect()).await?;
        }
    }
}

/// What tells the log with this head from others.
fn origin(layout: &Layout, value: &[u8]) -> Result<LogId> {
    let id = match layout {
        Layout::Sealed(_) => Numbered::from_cbor(value).map(|log| log.id),
        Layout::Konserve(_) => Chain::from_cbor(value).map(|chain| LogId::from_bytes(*chain.first.as_bytes())),
    };
    id.ok_or_else(|| Error::new(ErrorKind::Corrupt, "the head of a log is none; restore it from a backup"))
}

/// The id of an element of a log: as random as that of the log.
fn link_id(log: LogId, n: u64) -> Uuid {
    let digest = Digest::of(&[log.as_bytes().as_slice(), &n.to_be_bytes()].concat());
    let mut id: [u8; 16] = digest.first_chunk().copied().unwrap_or_default();
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    Uuid::from_bytes(id)
}

fn random() -> Result<LogId> {
    let mut id = [0; 16];
    System.fill(&mut id)?;
    Ok(LogId::from_bytes(id))
}
