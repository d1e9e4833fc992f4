//! Names whose copy in the front may not be what is stored: it is not read.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::name::{BlobName, NameTable};

/// The marks. Each has the number of when it was made, so that who takes one away takes away no younger one.
#[derive(Default)]
pub(super) struct Marks(Mutex<State>);

#[derive(Default)]
struct State {
    by_name: NameTable,
    last: u64,
}

impl Marks {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks these names; the number of the marks.
    pub(super) fn set(&self, names: &[BlobName]) -> u64 {
        let mut state = self.state();
        state.last += 1;
        let last = state.last;
        state.by_name.extend(names.iter().map(|name| (*name, last)));
        last
    }

    /// The number of the youngest mark.
    pub(super) fn last(&self) -> u64 {
        self.state().last
    }

    /// Takes away the marks of these names that are no younger than this number.
    pub(super) fn clear(&self, names: &[BlobName], number: u64) {
        let by_name = &mut self.state().by_name;
        for name in names {
            if by_name.get(name).is_some_and(|mark| *mark <= number) {
                by_name.remove(name);
            }
        }
    }

    /// Those of the names that have a mark.
    pub(super) fn of(&self, names: &[BlobName]) -> Vec<BlobName> {
        let by_name = &self.state().by_name;
        if by_name.is_empty() {
            return Vec::new();
        }
        names.iter().filter(|name| by_name.contains_key(name)).copied().collect()
    }

    /// All names that have a mark.
    pub(super) fn all(&self) -> Vec<BlobName> {
        self.state().by_name.keys().copied().collect()
    }
}
