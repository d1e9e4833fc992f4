//! The blobs that one transaction works on, in memory: operations run over them in queue order, then the last states are put.

use std::collections::BTreeMap;

use wasm_bindgen::JsValue;
use web_sys::IdbRequest;

use super::{
    fault::fault,
    row::{self, Row, Rows},
};
use crate::{
    backing::{Blob, Change, Part},
    error::Result,
};

/// One row of the image.
struct Entry {
    key: JsValue,
    /// How much of it an operation wants to see; nothing for what is only written.
    wanted: Option<Part>,
    /// Whether `v` may hold a value.
    has_value_row: bool,
    /// The request that is under way for it.
    request: Option<IdbRequest>,
    /// What it is now.
    now: Result<Option<Blob>>,
    dirty: bool,
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Image {
    entries: BTreeMap<Row, Entry>,
}

impl Image {
    /// An operation will touch this row, and wants to see this much of it.
    pub(super) fn touch(&mut self, row: Row, part: Option<Part>) {
        let entry = self.entries.entry(row).or_insert_with(|| Entry {
            key: row.key(),
            wanted: None,
            has_value_row: true,
            request: None,
            now: Ok(None),
            dirty: false,
        });
        if entry.wanted != Some(Part::All) {
            entry.wanted = part.or(entry.wanted);
        }
    }

    /// Asks for the rows of `m` that are wanted; the last request, if there is any.
    pub(super) fn ask_heads(&mut self, rows: &Rows) -> Result<Option<IdbRequest>, JsValue> {
        let mut last = None;
        for entry in self.entries.values_mut().filter(|entry| entry.wanted.is_some()) {
            entry.request = Some(rows.heads.get(&entry.key)?);
            last.clone_from(&entry.request);
        }
        Ok(last)
    }

    /// Takes the rows of `m`, and asks for those of `v` that are wanted; the last request, if there is any.
    pub(super) fn take_heads(&mut self, rows: &Rows) -> Result<Option<IdbRequest>, JsValue> {
        let mut last = None;
        for entry in self.entries.values_mut() {
            let Some(request) = entry.request.take() else { continue };
            match row::result(&request).map_err(|cause| fault("reading", cause)).and_then(row::from_heads) {
                Ok((now, only_head)) => (entry.now, entry.has_value_row) = (Ok(now), only_head),
                Err(error) => entry.now = Err(error),
            }
            if entry.now.is_ok() && entry.has_value_row && entry.wanted == Some(Part::All) {
                entry.request = Some(rows.values.get(&entry.key)?);
                last.clone_from(&entry.request);
            }
        }
        Ok(last)
    }

    /// Takes the rows of `v`.
    pub(super) fn take_values(&mut self) {
        for entry in self.entries.values_mut() {
            let Some(request) = entry.request.take() else { continue };
            let value = row::result(&request).map_err(|cause| fault("reading", cause)).and_then(row::bytes);
            match (value, &mut entry.now) {
                (Ok(value), Ok(Some(blob))) => blob.value = value.unwrap_or_default(),
                (Err(error), now) => *now = Err(error),
                (Ok(_), _) => {}
            }
        }
    }

    /// The blob as the operations before this one left it.
    pub(super) fn see(&self, row: Row, part: Part) -> Result<Option<Blob>> {
        let Some(entry) = self.entries.get(&row) else { return Ok(None) };
        let mut blob = entry.now.clone()?;
        if let (Part::Head, Some(blob)) = (part, &mut blob) {
            blob.value.clear();
        }
        Ok(blob)
    }

    /// Changes the row for the operations after this one; says whether there was something, or is now.
    pub(super) fn change(&mut self, row: Row, change: &Change) -> bool {
        let Some(entry) = self.entries.get_mut(&row) else { return false };
        let now = match change {
            Change::Keep => return true,
            Change::Put(blob) => Some(blob.clone()),
            Change::Delete => None,
        };
        let was = !matches!(entry.now, Ok(None));
        let is = now.is_some();
        entry.dirty |= was || is;
        entry.now = Ok(now);
        was || is
    }

    /// Asks that every changed row be put as it is now.
    pub(super) fn put(&self, rows: &Rows) -> Result<(), JsValue> {
        for entry in self.entries.values().filter(|entry| entry.dirty) {
            match &entry.now {
                Ok(Some(blob)) => rows.put(&entry.key, blob, entry.has_value_row)?,
                Ok(None) => rows.delete(&entry.key, entry.has_value_row)?,
                Err(_) => {}
            }
        }
        Ok(())
    }
}
