//! What a store is opened with.

use std::sync::Arc;

use crate::{
    backing::{MemoryPlace, Place},
    codec::{Compressor, DEFAULT_MAX_VALUE_LEN},
    env::{Clock, System},
    error::{Error, ErrorKind, Result},
    name::Uuid,
};

#[cfg(not(target_arch = "wasm32"))]
use crate::backing::{FilePlace, StdFs, off_thread};

pub(super) const OTHER_ID: &str =
    "the tiers of a tiered store are one store and have one id; say the same id for both, or leave ids out";

/// Where a store is and how it is written. Every option has a default.
#[derive(Clone)]
pub struct Config {
    place: Arc<dyn Place>,
    pub(super) id: Option<Uuid>,
    pub(super) compressor: Option<Compressor>,
    pub(super) max_value_len: u64,
    pub(super) clock: Arc<dyn Clock>,
    /// What is wrong with it, told by whatever is done with it first.
    pub(super) wrong: Option<Error>,
    /// The id that the tiers of a tiered store have, where they say one.
    pub(super) expected: Option<Uuid>,
    #[cfg(not(target_arch = "wasm32"))]
    on_this_thread: bool,
}

#[cfg(not(target_arch = "wasm32"))]
impl Config {
    /// A store in this folder: synced, and with exclusive access. [`FilePlace`] has the other ways.
    pub fn file(path: impl Into<std::path::PathBuf>) -> Self {
        Self::at(FilePlace::new(Arc::new(StdFs), path))
    }

    /// Whatever makes a thread wait is done on the caller's.
    pub(crate) fn on_this_thread(self) -> Self {
        Self { on_this_thread: true, ..self }
    }
}

impl Config {
    /// A store in this place.
    pub fn at(place: impl Place) -> Self {
        Self {
            place: Arc::new(place),
            id: None,
            compressor: None,
            max_value_len: DEFAULT_MAX_VALUE_LEN,
            clock: Arc::new(System),
            wrong: None,
            expected: None,
            #[cfg(not(target_arch = "wasm32"))]
            on_this_thread: false,
        }
    }

    /// The place, with other threads waiting for a disk unless the caller's is to.
    pub(crate) fn place(&self) -> Arc<dyn Place> {
        #[cfg(not(target_arch = "wasm32"))]
        if !self.on_this_thread {
            return off_thread(&self.place);
        }
        self.place.clone()
    }

    /// What is wrong with it, as an error.
    pub(super) fn check(&self) -> Result<()> {
        self.wrong.clone().map_or(Ok(()), Err)
    }

    /// The place as it was given.
    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    pub(super) fn plain_place(&self) -> Arc<dyn Place> {
        self.place.clone()
    }

    /// The same store, in this place.
    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    pub(super) fn with_place(self, place: impl Place) -> Self {
        Self { place: Arc::new(place), ..self }
    }

    /// A store in memory that nobody else sees.
    pub fn memory() -> Self {
        Self::at(MemoryPlace::private())
    }

    /// A store in memory that every part of this process finds by its name.
    pub fn memory_named(name: impl Into<String>) -> Self {
        Self::at(MemoryPlace::named(name))
    }

    /// The id that a new store gets, and that an existing one must have (`INVALID_CONFIG`). Default: random.
    #[must_use]
    pub fn id(mut self, id: Uuid) -> Self {
        if self.wrong.is_none() && self.expected.is_some_and(|expected| expected != id) {
            self.wrong = Some(Error::new(ErrorKind::InvalidConfig, OTHER_ID));
        }
        self.id = Some(id);
        self
    }

    /// What values are compressed with from now on. Default: what the store was made with, none for a new one.
    #[must_use]
    pub fn compressor(mut self, compressor: Compressor) -> Self {
        self.compressor = Some(compressor);
        self
    }

    /// The longest value in bytes, read or written. Default: 256 MiB.
    #[must_use]
    pub fn max_value_len(mut self, len: u64) -> Self {
        self.max_value_len = len;
        self
    }

    /// The clock that stamps writes and decides what has expired. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}
