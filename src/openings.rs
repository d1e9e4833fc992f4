//! How many have something open: for who needs it alone.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// Counts those who have it open. Clones count the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Openings(Arc<AtomicUsize>);

impl Openings {
    /// One more.
    pub(crate) fn open(&self) -> Opening {
        self.0.fetch_add(1, Ordering::SeqCst);
        Opening { all: self.clone(), is_open: AtomicBool::new(true) }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// One who has it open, until closed or dropped.
#[derive(Debug)]
pub(crate) struct Opening {
    all: Openings,
    is_open: AtomicBool,
}

impl Opening {
    pub(crate) fn close(&self) {
        if self.is_open.swap(false, Ordering::SeqCst) {
            self.all.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::Openings;

    #[test]
    fn each_counts_once_until_closed_or_dropped() {
        let openings = Openings::default();
        let (first, second) = (openings.open(), openings.open());
        assert_eq!(openings.count(), 2);
        first.close();
        first.close();
        drop(first);
        assert_eq!(openings.count(), 1);
        drop(second);
        assert_eq!(openings.count(), 0);
    }
}
