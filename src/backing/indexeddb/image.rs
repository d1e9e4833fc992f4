//! The blobs that one transaction works on, in memory: operations run over them in queue order, then the last states are put.

use std::collections::HashMap;

use bytes::Bytes;
use wasm_bindgen::JsValue;
use web_sys::IdbRequest;

use super::{
    fault::fault,
    large::Large,
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

/// One row of the image.
struct Entry {
    key: JsValue,
    /// How much of it an operation wants to see; nothing for what is only written.
    wanted: Option<Part>,
    /// Whether `v` may hold a value of it.
    may_have_value: bool,
    /// Whether that value is to be fetched.
    value_wanted: bool,
    /// The request that is under way for it.
    request: Option<IdbRequest>,
    /// What it is now.
    now: Result<Option<Stored>>,
    dirty: bool,
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Image {
    entries: HashMap<Row, Entry, NameHash>,
}

impl Image {
    /// An operation will touch this row, and wants to see this much of it.
    pub(super) fn touch(&mut self, row: Row, part: Option<Part>, large: &Large) {
        let entry = self.entries.entry(row).or_insert_with(|| Entry {
            key: row.key(),
            wanted: None,
            may_have_value: large.may_have(row),
            value_wanted: false,
            request: None,
            now: Ok(None),
            dirty: false,
        });
        if entry.wanted != Some(Part::All) {
            entry.wanted = part.or(entry.wanted);
        }
    }

    /// Asks for the rows of `m` that are wanted; the last request, if there is any.
    pub(super) fn ask_heads(&mut self, transaction: &Transaction) -> Result<Option<IdbRequest>, JsValue> {
        let mut last = None;
        for entry in self.entries.values_mut().filter(|entry| entry.wanted.is_some()) {
            let request = transaction.get_head(&entry.key)?;
            last = Some(entry.request.insert(request).clone());
        }
        Ok(last)
    }

    /// Takes the rows of `m`; says whether rows of `v` are wanted now.
    pub(super) fn take_heads(&mut self) -> bool {
        let mut any = false;
        for entry in self.entries.values_mut() {
            let Some(request) = entry.request.take() else { continue };
            match row::result(&request).map_err(|cause| fault("reading", cause)).and_then(row::from_heads) {
                Ok((now, only_head)) => {
                    entry.now = Ok(now);
                    entry.may_have_value |= only_head;
                    entry.value_wanted = only_head && entry.wanted == Some(Part::All);
                    any |= entry.value_wanted;
                }
                Err(error) => entry.now = Err(error),
            }
        }
        any
    }

    /// Asks for the rows of `v` that are wanted; the last request, if there is any.
    pub(super) fn ask_values(&mut self, transaction: &Transaction) -> Result<Option<IdbRequest>, JsValue> {
        let mut last = None;
        for entry in self.entries.values_mut().filter(|entry| entry.value_wanted) {
            let request = transaction.get_value(&entry.key)?;
            last = Some(entry.request.insert(request).clone());
        }
        Ok(last)
    }

    /// Takes the rows of `v`.
    pub(super) fn take_values(&mut self) {
        for entry in self.entries.values_mut() {
            let Some(request) = entry.request.take() else { continue };
            match row::result(&request).map_err(|cause| fault("reading", cause)).and_then(row::from_values) {
                Ok(value) => {
                    if let Ok(Some(blob)) = &mut entry.now {
                        blob.value = value;
                    }
                }
                Err(error) => entry.now = Err(error),
            }
        }
    }

    /// The blob as the operations before this one left it.
    pub(super) fn see(&self, row: Row, part: Part) -> Result<Option<Stored>> {
        let Some(entry) = self.entries.get(&row) else { return Ok(None) };
        let mut blob = entry.now.clone()?;
        if let (Part::Head, Some(blob)) = (part, &mut blob) {
            blob.value = Value::Bytes(Bytes::new());
        }
        Ok(blob)
    }

    /// Changes the row for the operations after this one; says whether there was something, or is now.
    pub(super) fn change(&mut self, row: Row, change: &Becomes) -> bool {
        let Some(entry) = self.entries.get_mut(&row) else { return false };
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

    /// Asks that every changed row be put as it is now.
    pub(super) fn put(&self, transaction: &Transaction) -> Result<(), JsValue> {
        for entry in self.entries.values().filter(|entry| entry.dirty) {
            match &entry.now {
                Ok(Some(blob)) => transaction.put(&entry.key, blob, entry.may_have_value)?,
                Ok(None) => transaction.delete(&entry.key, entry.may_have_value)?,
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Tells which rows were found to have a value in `v`, or were given one, or lost it.
    pub(super) fn teach(&self, large: &mut Large) {
        for (row, entry) in &self.entries {
            match &entry.now {
                Ok(now) if entry.dirty => large.learn(*row, now.as_ref().is_some_and(Stored::is_large)),
                _ if entry.value_wanted => large.learn(*row, true),
                _ => {}
            }
        }
    }
}
