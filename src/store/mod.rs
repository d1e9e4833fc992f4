//! The store: paths, locks, metadata and codecs over a backing. One core, asynchronous; the synchronous view polls it.
//!
//! The order of the calls on one key is the order of what happens. A call is made when its future is first polled.

mod append;
mod binary;
mod binary_reader;
mod binary_writer;
mod blobs;
#[cfg(feature = "clojure")]
mod chain;
mod config;
mod copy;
#[cfg(feature = "clojure")]
mod copy_log;
#[cfg(all(feature = "clojure", not(target_arch = "wasm32")))]
mod dump;
mod elements;
mod export;
mod export_reader;
mod gate;
mod group;
mod guard;
mod heads;
mod hooks;
mod import;
mod intake;
mod keys;
#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
mod lent;
mod lifecycle;
mod listing;
mod log;
mod multi;
mod orphans;
mod read;
mod rekey;
mod sealed_record;
mod section;
mod stored;
mod sweep;
#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
mod tiers;
#[cfg(not(target_arch = "wasm32"))]
mod typed;
mod verify;
#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
mod walk;
mod write;

use std::{fmt, sync::Arc};

pub use binary::Span;
pub use binary_reader::BinaryReader;
pub use binary_writer::BinaryWriter;
pub use config::{Config, LayoutName};
#[cfg(all(feature = "clojure", not(target_arch = "wasm32")))]
pub use dump::{Dump, DumpPage, Dumped};
pub use elements::Elements;
pub use export::Export;
pub use guard::Unreferenced;
pub(crate) use hooks::Detail;
#[cfg(target_arch = "wasm32")]
pub(crate) use hooks::TELLS_VALUES;
pub use hooks::{Event, Op};
pub use import::Import;
pub use intake::{Existing, Imported};
pub use lifecycle::{connect_store, create_store, delete_store, open_store, store_exists};
pub use listing::{Entries, Keys, Prefix, Query};
pub use multi::BatchEntry;
pub use sweep::{Sweep, Sweeping};
#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
pub use tiers::{Cache, SyncPolicy, Tier, Tiers};
pub use verify::{Damaged, Report};
#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
pub use walk::Walk;
pub use write::{Answer, LeafFn, WriteOptions};

use crate::{
    backing::Backing,
    env::{Clock, Rng, stamp},
    error::Result,
    key::Key,
    keyring::Vault,
    layout::Layout,
    locks::{self, Held, Locks, Mode},
    name::{BlobName, Uuid},
    openings::Openings,
    record::Record,
};
use gate::Gate;
use hooks::Hooks;
use log::Logs;

/// An open store. Clones are the same store; it works from many threads and under any executor.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    backing: Arc<dyn Backing>,
    record: Record,
    layout: Layout,
    clock: Arc<dyn Clock>,
    gate: Gate,
    /// Held while an operation on a name is under way.
    locks: Locks,
    /// Held by updates whose function is asynchronous, so that they take turns without holding up anybody else.
    lanes: Locks,
    hooks: Hooks,
    logs: Logs,
    /// The stores that this one is a tier of.
    borrowers: Openings,
}

impl Store {
    fn new(backing: Arc<dyn Backing>, record: Record, layout: Layout, clock: Arc<dyn Clock>) -> Self {
        let (gate, locks, lanes) = (Gate::default(), Locks::default(), Locks::default());
        let (hooks, logs, borrowers) = (Hooks::default(), Logs::default(), Openings::default());
        Self { inner: Arc::new(Inner { backing, record, layout, clock, gate, locks, lanes, hooks, logs, borrowers }) }
    }

    /// The store's id, from its record.
    pub fn id(&self) -> Uuid {
        self.inner.record.id
    }

    /// How its blobs are framed and checked.
    pub fn layout(&self) -> LayoutName {
        match self.inner.layout {
            Layout::Sealed(_) => LayoutName::Sealed,
            #[cfg(feature = "clojure")]
            Layout::Konserve(_) => LayoutName::Konserve,
        }
    }

    /// When the store was made, in milliseconds since 1970; 0 in konserve's layout, which does not say it.
    pub fn created(&self) -> u64 {
        self.inner.record.created
    }

    /// Whether every operation ends without waiting, so that the synchronous view works.
    pub fn is_immediate(&self) -> bool {
        self.inner.backing.capability().immediate
    }

    /// Waits until all that was acknowledged is where it belongs: where writes go behind, in the back. Its errors are those of
    /// the writes that are not there; these are tried again by the next `flush`. Elsewhere there is nothing to wait for.
    pub async fn flush(&self) -> Result<()> {
        let _pass = self.inner.gate.enter()?;
        self.inner.backing.flush().await
    }

    /// Forgets the copies that a tiered or cached store has of these keys, or of all, since somebody else wrote them: no
    /// read that begins after this call gives what was there before.
    pub fn invalidate(&self, keys: Option<&[Key]>) -> impl Future<Output = ()> + use<> {
        let names = |keys: &[Key]| keys.iter().flat_map(|key| self.names(key)).collect();
        self.inner.backing.invalidate(keys.map(names))
    }

    /// Lets what is under way finish, then gives locks and handles back. Every later call is `CLOSED`, but for `close` itself.
    pub async fn close(&self) -> Result<()> {
        if self.inner.gate.close() {
            self.inner.gate.empty().await;
            self.inner.hooks.clear();
            self.inner.backing.close().await?;
        }
        Ok(())
    }

    /// The name of the blob that holds a key, unless an older version of Java gave it another.
    fn name(&self, key: &Key) -> Result<BlobName> {
        self.inner.layout.name(key)
    }

    /// What the blob of a key is called, for who looks behind the store's back.
    #[cfg(feature = "testing")]
    pub(crate) fn blob_name(&self, key: &Key) -> Result<BlobName> {
        self.name(key)
    }

    /// Whether what is stored is encrypted and authenticated.
    #[cfg(feature = "testing")]
    pub(crate) fn is_encrypted(&self) -> bool {
        self.inner.layout.vault().is_some()
    }

    /// All names under which a key may lie; none where the layout has none for it.
    fn names(&self, key: &Key) -> impl Iterator<Item = BlobName> + use<> {
        let names = self.inner.layout.names(key).ok();
        names.into_iter().flat_map(|(name, older)| std::iter::once(name).chain(older))
    }

    /// The name under which a key lies, or is to lie: that which an older version of Java gave it, where only this is there.
    async fn find(&self, key: &Key) -> Result<BlobName> {
        let (name, older) = self.inner.layout.names(key)?;
        #[cfg(feature = "clojure")]
        if let Some(older) = older {
            let found = self.inner.backing.read(vec![name, older], crate::backing::Part::Head).await?;
            return Ok(if let [None, Some(_)] = found.as_slice() { older } else { name });
        }
        Ok(name)
    }

    /// What salts are drawn from in an encrypted store.
    fn rng(&self) -> Result<&dyn Rng> {
        self.inner.layout.vault().map(Vault::rng).ok_or_else(keys::not_encrypted)
    }

    fn now(&self) -> u64 {
        self.inner.clock.now()
    }

    fn stamp(&self) -> u64 {
        stamp(self.inner.clock.as_ref())
    }

    /// The lock of a name, for as long as [`keep`](Self::keep) says.
    async fn lock(&self, name: BlobName, mode: Mode) -> Held {
        self.inner.logs.groups.end(name);
        self.inner.locks.lock(name, mode).await
    }

    /// The locks of several names, as [`lock`](Self::lock).
    async fn lock_all(&self, names: &[BlobName], mode: Mode) -> Vec<Held> {
        names.iter().for_each(|name| self.inner.logs.groups.end(*name));
        self.inner.locks.lock_all(names, mode).await
    }

    /// The locks of names that are written without a need for them, where the order of the writes is to be told.
    async fn lock_to_tell(&self, names: impl Iterator<Item = BlobName>) -> Option<Vec<Held>> {
        if !self.inner.hooks.want(Detail::Keys) {
            return None;
        }
        let names: Vec<_> = names.collect();
        Some(self.lock_all(&names, Mode::Exclusive).await)
    }

    /// A lock to hold until the operation is acknowledged, where the backing does not keep the order of calls by itself.
    /// Where it does, holding the lock any longer than the call would make the operations on one key wait for each
    /// other's acknowledgement instead of sharing one. One that never waits needs no such care.
    fn keep<T>(&self, held: T) -> Option<T> {
        let capability = self.inner.backing.capability();
        (!capability.ordered || capability.immediate).then_some(held)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("id", &self.inner.record.id).finish_non_exhaustive()
    }
}
