//! What tells two writes of a key apart, where their metadata would be the same bytes.
//!
//! An update that was decided on one write must not replace another, and konserve's metadata has nothing that differs
//! between writes of one millisecond. Newer versions of konserve have `:revision "<uuid>-<number>"` for that; so it is
//! written here, too, but only where it is needed.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    env::{Rng, System},
    error::Result,
    name::{BlobName, Uuid},
};

/// The last write of each name, or of several together.
const SLOTS: usize = 256;

/// The revisions that an open store gives.
#[derive(Clone)]
pub struct Revisions(Arc<Inner>);

struct Inner {
    /// The run of the program.
    run: Uuid,
    next: AtomicU64,
    /// In milliseconds since 1970.
    last: [AtomicU64; SLOTS],
    /// Whether others may write the same key in the same millisecond.
    shared: bool,
}

impl Revisions {
    /// For a store that others may write, too, or that nobody else does.
    pub fn new(shared: bool) -> Result<Self> {
        let mut run = [0; 16];
        System.fill(&mut run)?;
        run[6] = run[6] & 0x0f | 0x40;
        run[8] = run[8] & 0x3f | 0x80;
        let last = std::array::from_fn(|_| AtomicU64::new(0));
        Ok(Self(Arc::new(Inner { run: Uuid::from_bytes(run), next: AtomicU64::new(1), last, shared })))
    }

    /// That of a write of this name at this time, if it needs one.
    pub fn of_write(&self, name: BlobName, at: u64) -> Option<String> {
        let Inner { run, next, last, shared } = &*self.0;
        let [.., slot] = *name.as_bytes();
        let before = last.get(usize::from(slot)).map(|last| last.swap(at, Ordering::Relaxed));
        let is_needed = *shared || before.is_none_or(|before| before == at);
        is_needed.then(|| format!("{run}-{}", next.fetch_add(1, Ordering::Relaxed)))
    }
}
