//! What is written before anything points to it, and how long a sweep must spare it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Store;
use crate::name::Uuid;

/// Since when something is being written, by store, in milliseconds since 1970.
fn writing() -> MutexGuard<'static, Vec<(Uuid, u64)>> {
    static WRITING: Mutex<Vec<(Uuid, u64)>> = Mutex::new(Vec::new());
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While this lives, the store's [`cutoff`](Store::cutoff) stays before everything that was written since it was made.
#[derive(Debug)]
pub struct Unreferenced {
    store: Uuid,
    since: u64,
}

impl Drop for Unreferenced {
    fn drop(&mut self) {
        let mut writing = writing();
        if let Some(at) = writing.iter().position(|entry| *entry == (self.store, self.since)) {
            writing.swap_remove(at);
        }
    }
}

impl Store {
    /// Say so before values are written to which nothing points yet; drop it once something does.
    #[must_use = "it counts as long as it lives"]
    pub fn unreferenced_writes(&self) -> Unreferenced {
        let mut writing = writing();
        let (store, since) = (self.id(), self.stamp());
        writing.push((store, since));
        Unreferenced { store, since }
    }

    /// The `before` of a sweep that spares what this process is writing without a pointer to it, in milliseconds since
    /// 1970. Take it before you look what is pointed to.
    pub fn cutoff(&self) -> u64 {
        let writing = writing();
        let since = writing.iter().filter(|(store, _)| *store == self.id()).map(|(_, since)| *since);
        since.min().unwrap_or_else(|| self.stamp())
    }
}
