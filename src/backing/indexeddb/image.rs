//! The blobs that one transaction works on, in memory: operations run over them in queue order, then the last states are put.

#[cfg(feature = "full")]
use std::{cell::Cell, mem::take};
use std::{collections::HashMap, ops::Range};

use bytes::Bytes;
use wasm_bindgen::JsValue;
use web_sys::IdbRequest;

#[cfg(feature = "full")]
use super::range;
use super::{
    fault::fault,
    large::{Has, Large},
    row::{self, Row, Stored, Value},
    transaction::Transaction,
};
use crate::{
    backing::{Change, Part},
    error::Result,
    name::NameHash,
};

/// What becomes of a row.
pub(super) enum Becomes {
    Same,
    Now(Stored),
    Nothing,
}

impl From<Change> for Becomes {
    fn from(change: Change) -> Self {
        match change {
            Change::Keep => Self::Same,
            Change::Put(blob) => Self::Now(blob.into()),
            Change::Delete => Self::Nothing,
        }
    }
}

/// What is known of a row of `m`.
enum Head {
    Nothing,
    Asked(IdbRequest),
    All,
}

/// One row of the image.
struct Entry {
    row: Row,
    key: JsValue,
    /// The number of the last group of operations that touches it, which puts it.
    last: usize,
    /// How much of it an operation wants to see; nothing for what is only written.
    wanted: Option<Part>,
    /// Whether `v` holds a value of it.
    large: Has,
    /// Whether that value is to be fetched.
    value_wanted: bool,
    /// Its row of `m`.
    head: Head,
    /// The request that is under way for its row of `v`.
    value_request: Option<IdbRequest>,
    /// What it is now.
    now: Result<Option<Stored>>,
    dirty: bool,
}

impl Entry {
    /// Takes its row of `m`.
    fn take_head(&mut self, found: Result<JsValue, JsValue>) {
        self.head = Head::All;
        match found.map_err(|cause| fault("reading", cause)).and_then(row::from_heads) {
            Ok((now, only_head)) => {
                self.now = Ok(now);
                if only_head && self.large == Has::No {
                    self.large = Has::Maybe;
                }
                self.value_wanted = only_head && self.wanted == Some(Part::All);
            }
            Err(error) => self.now = Err(error),
        }
    }

    /// Takes its row of `v`.
    fn take_value(&mut self, found: Result<JsValue, JsValue>) {
        match found.map_err(|cause| fault("reading", cause)).and_then(row::from_values) {
            Ok(value) => {
                if let Ok(Some(blob)) = &mut self.now {
                    blob.value = value;
                }
            }
            Err(error) => self.now = Err(error),
        }
    }
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Image {
    /// In the order in which operations touch them: the rows that a group touches first are neighbours.
    entries: Vec<Entry>,
    places: HashMap<Row, usize, NameHash>,
    #[cfg(feature = "full")]
    ranges: Vec<range::Range>,
}

impl Image {
    /// How many rows it has. What is from one such number to a later one was touched in between.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// An operation of this group will touch this row, and wants to see this much of it.
    pub(super) fn touch(&mut self, row: Row, part: Option<Part>, group: usize, large: &Large) {
        let place = *self.places.entry(row).or_insert(self.entries.len());
        if place == self.entries.len() {
            self.entries.push(Entry {
                row,
                key: row.key(),
                last: group,
                wanted: None,
                large: large.has(row),
                value_wanted: false,
                head: Head::Nothing,
                value_request: None,
                now: Ok(None),
                dirty: false,
            });
        }
        if let Some(entry) = self.entries.get_mut(place) {
            entry.last = group;
            if entry.wanted != Some(Part::All) {
                entry.wanted = part.or(entry.wanted);
            }
        }
    }

    fn entry(&self, row: Row) -> Option<&Entry> {
        self.entries.get(*self.places.get(&row)?)
    }

    fn entry_mut(&mut self, row: Row) -> Option<&mut Entry> {
        self.entries.get_mut(*self.places.get(&row)?)
    }

    fn among(&mut self, rows: &Range<usize>) -> &mut [Entry] {
        self.entries.get_mut(rows.clone()).unwrap_or_default()
    }

    /// Asks for ranges of `m` that have what is wanted, if that is worth it; the last request, if there is any.
    #[cfg(feature = "full")]
    pub(super) fn ask_ranges(&mut self, transaction: &Transaction) -> Result<Option<IdbRequest>, JsValue> {
        if self.entries.len() < range::LEAST {
            return Ok(None);
        }
        let wanted = self.entries.iter().filter(|entry| entry.wanted.is_some());
        let names = wanted.filter_map(|entry| entry.row.name()).collect();
        self.ranges = range::Range::ask(names, transaction.handle.rows.get(), transaction)?;
        Ok(self.ranges.last().map(|range| range.last().clone()))
    }

    /// Takes the ranges, and learns from them how many rows there are. What they do not tell is asked for one by one.
    #[cfg(feature = "full")]
    pub(super) fn take_ranges(&mut self, rows: &Cell<usize>) {
        let wanted: usize = self.ranges.iter().map(range::Range::len).sum();
        let (mut seen, mut known) = (0, 0);
        for content in take(&mut self.ranges).into_iter().filter_map(|range| range.take().ok()) {
            seen += content.found.len();
            known += content.known.len();
            for name in content.known {
                if let Some(entry) = self.entry_mut(Row::Blob(name)) {
                    entry.head = Head::All;
                }
            }
            for (row, found) in content.found {
                if let Some(entry) = self.entry_mut(row) {
                    entry.take_head(Ok(found));
                }
            }
        }
        rows.set(seen * wanted / known.max(1));
    }

    /// Asks for these rows of `m` that are wanted and not known; the last request, if there is any.
    pub(super) fn ask_heads(
        &mut self,
        rows: &Range<usize>,
        transaction: &Transaction,
    ) -> Result<Option<IdbRequest>, JsValue> {
        let mut last = None;
        for entry in self.among(rows) {
            let (Some(part), Head::Nothing) = (entry.wanted, &entry.head) else { continue };
            let request = transaction.get_head(&entry.key)?;
            last = Some(request.clone());
            entry.head = Head::Asked(request);
            // The value comes along, where it is sure to be there.
            if entry.large == Has::Yes && part == Part::All {
                last = Some(entry.value_request.insert(transaction.get_value(&entry.key)?).clone());
            }
        }
        Ok(last)
    }

    /// Takes these rows of `m`.
    pub(super) fn take_heads(&mut self, rows: &Range<usize>) {
        for entry in self.among(rows) {
            if let Head::Asked(request) = &entry.head {
                let found = row::result(request);
                entry.take_head(found);
            }
        }
    }

    /// Asks for these rows of `v` that are wanted and not asked for; the last request, if there is any.
    pub(super) fn ask_values(
        &mut self,
        rows: &Range<usize>,
        transaction: &Transaction,
    ) -> Result<Option<IdbRequest>, JsValue> {
        let mut last = None;
        for entry in self.among(rows).iter_mut().filter(|entry| entry.value_wanted && entry.value_request.is_none()) {
            last = Some(entry.value_request.insert(transaction.get_value(&entry.key)?).clone());
        }
        Ok(last)
    }

    /// Takes these rows of `v`.
    pub(super) fn take_values(&mut self, rows: &Range<usize>) {
        for entry in self.among(rows) {
            if let Some(request) = entry.value_request.take().filter(|_| entry.value_wanted) {
                entry.take_value(row::result(&request));
            }
        }
    }

    /// The blob as the operations before this one left it.
    pub(super) fn see(&self, row: Row, part: Part) -> Result<Option<Stored>> {
        let Some(entry) = self.entry(row) else { return Ok(None) };
        let mut blob = entry.now.clone()?;
        if let (Part::Head, Some(blob)) = (part, &mut blob) {
            blob.value = Value::Bytes(Bytes::new());
        }
        Ok(blob)
    }

    /// Changes the row for the operations after this one; says whether there was something, or is now.
    pub(super) fn change(&mut self, row: Row, change: &Becomes) -> bool {
        let Some(entry) = self.entry_mut(row) else { return false };
        let now = match change {
            Becomes::Same => return true,
            Becomes::Now(blob) => Some(blob.clone()),
            Becomes::Nothing => None,
        };
        // A row that could not be read is something.
        let counts = now.is_some() || !matches!(entry.now, Ok(None));
        entry.dirty |= counts;
        entry.now = Ok(now);
        counts
    }

    /// Asks that every changed row be put as it is now, of those that no group after this one touches.
    pub(super) fn put(&self, group: usize, transaction: &Transaction) -> Result<(), JsValue> {
        for entry in self.entries.iter().filter(|entry| entry.dirty && entry.last == group) {
            match &entry.now {
                Ok(Some(blob)) => transaction.put(&entry.key, blob, entry.large != Has::No)?,
                Ok(None) => transaction.delete(&entry.key, entry.large != Has::No)?,
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Tells which of these rows were found to have a value in `v`, or were given one, or lost it.
    pub(super) fn teach(&self, rows: &Range<usize>, large: &mut Large) {
        for entry in self.entries.get(rows.clone()).unwrap_or_default() {
            match &entry.now {
                Ok(now) if entry.dirty => large.learn(entry.row, now.as_ref().is_some_and(Stored::is_large)),
                _ if entry.value_wanted => large.learn(entry.row, true),
                _ => {}
            }
        }
    }
}
