//! Stores in two places, and stores with a cache.

use std::sync::Arc;

use bytes::Bytes;

use super::{Config, Store, config::OTHER_ID, lent::Lending};
use crate::{
    backing::{CachePlace, OnError, Place, ReadPolicy, TierOptions, TierSync, TieredPlace, WritePolicy},
    error::{Error, ErrorKind, Result},
    name::Uuid,
    record::Record,
};

/// How many blobs may wait for the back unless something else is said.
const QUEUE: usize = 1000;

/// One of the two places of a tiered store.
pub struct Tier {
    place: Arc<dyn Place>,
    id: Option<Uuid>,
    wrong: Option<Error>,
}

impl From<Config> for Tier {
    fn from(config: Config) -> Self {
        let wrong = config.wrong.clone().or_else(|| {
            config.compressor.map(|_| {
                let message = "a tier has no compressor of its own; say that of the tiered store";
                Error::new(ErrorKind::InvalidConfig, message)
            })
        });
        Self { place: config.plain_place(), id: config.id.or(config.expected), wrong }
    }
}

/// An open store: it stays open when the tiered store is closed, and is not deleted with it. As long as it is a tier, only
/// the tiered store may write.
impl From<&Store> for Tier {
    fn from(store: &Store) -> Self {
        Self { place: Arc::new(Lending(store.clone())), id: Some(store.id()), wrong: None }
    }
}

/// What the front is given when a tiered store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPolicy {
    /// What it does not have.
    PopulateMissing,
    /// What it does not have; what it has otherwise than the back is replaced or deleted.
    Full,
}

/// A store in two places: a front that is near, a back that has the truth. See the page on tiers for what each policy
/// promises.
///
/// ```
/// use konserve::{Config, Tiers, WritePolicy, blocking};
///
/// # let folder = tempfile::tempdir().map_err(|error| konserve::Error::new(konserve::ErrorKind::Io, error.to_string()))?;
/// # let path = folder.path().join("store");
/// let tiers = Tiers::new(Config::memory(), Config::file(path)).write_policy(WritePolicy::Behind);
/// let store = blocking::open_store(Config::tiered(tiers))?;
/// store.assoc("user", "Ada")?;
/// store.flush()?;
/// # store.close()?;
/// # Ok::<(), konserve::Error>(())
/// ```
pub struct Tiers {
    place: TieredPlace,
    id: Option<Uuid>,
    wrong: Option<Error>,
}

impl Tiers {
    /// A front and a back, each a config, or a store that is open. Written through and read front first, unless said
    /// otherwise.
    pub fn new(front: impl Into<Tier>, back: impl Into<Tier>) -> Self {
        let (front, back): (Tier, Tier) = (front.into(), back.into());
        let contradict = front.id.zip(back.id).is_some_and(|(front, back)| front != back);
        let contradiction = contradict.then(|| Error::new(ErrorKind::InvalidConfig, OTHER_ID));
        let place = TieredPlace { front: front.place, back: back.place, options: options() };
        Self { place, id: back.id.or(front.id), wrong: front.wrong.or(back.wrong).or(contradiction) }
    }

    /// Where writes go. Default: [`WritePolicy::Through`].
    #[must_use]
    pub fn write_policy(mut self, policy: WritePolicy) -> Self {
        self.place.options.write = policy;
        self
    }

    /// Where reads look. Default: [`ReadPolicy::FrontFirst`].
    #[must_use]
    pub fn read_policy(mut self, policy: ReadPolicy) -> Self {
        self.place.options.read = policy;
        self
    }

    /// What the front is given when the store is opened. Default: nothing. [`Store::walk`](Store::walk) is the third way.
    #[must_use]
    pub fn sync(mut self, sync: SyncPolicy) -> Self {
        self.place.options.sync = match sync {
            SyncPolicy::PopulateMissing => TierSync::Missing,
            SyncPolicy::Full => TierSync::Full,
        };
        self
    }

    /// How many blobs may wait for the back with [`WritePolicy::Behind`]; then writers wait. Default: 1000.
    #[must_use]
    pub fn queue(mut self, entries: usize) -> Self {
        self.place.options.queue = entries;
        self
    }

    /// Who is told of errors that no call returns: those of the front, and those of writes behind.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn on_error(self, on_error: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.telling(Arc::new(on_error))
    }

    #[must_use]
    pub(crate) fn telling(mut self, on_error: OnError) -> Self {
        self.place.options.on_error = Some(on_error);
        self
    }
}

fn options() -> TierOptions {
    TierOptions {
        write: WritePolicy::default(),
        read: ReadPolicy::default(),
        sync: TierSync::default(),
        queue: QUEUE,
        on_error: None,
        same: same_store,
        coherent: false,
        told: false,
    }
}

/// How much a cache in front of a store holds: what was used last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cache {
    /// So many values. Default: 1000.
    pub entries: usize,
    /// So many bytes, as they are stored, with their heads. A value that is larger is not held. Default: 32 MiB.
    pub bytes: usize,
}

impl Default for Cache {
    fn default() -> Self {
        Self { entries: 1000, bytes: 32 * 1024 * 1024 }
    }
}

impl Config {
    /// A store in two places.
    pub fn tiered(tiers: Tiers) -> Self {
        let mut config = Self::at(tiers.place);
        (config.expected, config.id, config.wrong) = (tiers.id, tiers.id, tiers.wrong);
        config
    }

    /// With values in memory that were read or written last. `INVALID_CONFIG` where others may write.
    #[must_use]
    pub fn cache(self, cache: Cache) -> Self {
        self.cached(cache, false)
    }

    /// `told`: of what others write, the store is told by [`Store::invalidate`].
    pub(crate) fn cached(self, cache: Cache, told: bool) -> Self {
        let front = Arc::new(CachePlace { entries: cache.entries, bytes: cache.bytes });
        let options = TierOptions { coherent: true, told, ..options() };
        let place = TieredPlace { front, back: self.plain_place(), options };
        self.with_place(place)
    }
}

/// Whether two records are of one store.
fn same_store(front: &Bytes, back: &Bytes) -> Result<()> {
    let (front, back) = (Record::from_bytes(front)?.id(), Record::from_bytes(back)?.id());
    if front == back {
        return Ok(());
    }
    let message = format!(
        "the front of the tiered store is of the store {front}, the back of {back}; delete the front or choose another, or make both with one id"
    );
    Err(Error::new(ErrorKind::InvalidConfig, message))
}
