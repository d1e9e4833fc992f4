//! Which blobs have a value in `v`, as far as one connection knows.
//!
//! A hint, never a truth: another connection may change it at any time. Where it is wrong, a read needs a second
//! transaction, or a value stays in `v` that no row of `m` belongs to: nobody reads it, and the next connection that
//! writes or deletes that blob removes it. Where it is right, it saves each small write a request, which costs as much
//! as the write, and a read of a large value the wait for its head.

use std::collections::HashSet;

use super::row::Row;
use crate::name::NameHash;

/// How many are remembered. With more, every blob may have one.
pub(super) const LIMIT: u32 = 4096;

/// Whether a blob has a value in `v`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Has {
    No,
    Maybe,
    /// It was seen.
    Yes,
}

/// See the module's documentation.
pub(super) struct Large {
    rows: Option<HashSet<Row, NameHash>>,
}

impl Large {
    /// From the rows of `v`, of which one more than the limit are enough.
    pub(super) fn new(rows: HashSet<Row, NameHash>) -> Self {
        let mut large = Self { rows: Some(rows) };
        large.forget_too_many();
        large
    }

    /// Whether the blob has a value in `v`.
    pub(super) fn has(&self, row: Row) -> Has {
        match &self.rows {
            None => Has::Maybe,
            Some(rows) if rows.contains(&row) => Has::Yes,
            Some(_) => Has::No,
        }
    }

    /// The blob has a value in `v`, or has none any more.
    pub(super) fn learn(&mut self, row: Row, has_value: bool) {
        match &mut self.rows {
            Some(rows) if has_value => _ = rows.insert(row),
            Some(rows) => _ = rows.remove(&row),
            None => {}
        }
        self.forget_too_many();
    }

    fn forget_too_many(&mut self) {
        if self.rows.as_ref().is_some_and(|rows| rows.len() > LIMIT as usize) {
            self.rows = None;
        }
    }
}
