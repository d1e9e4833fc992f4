//! Many rows of `m`, asked for by ranges of their names.
//!
//! A request costs much more than a row does, and names are hashes: the wanted rows lie evenly among the others. Where
//! every third row or so is wanted, all of them are asked for at once.

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::IdbRequest;

use super::{
    row::{self, Row},
    transaction::Transaction,
};
use crate::name::BlobName;

/// Fewer rows are asked for one by one.
pub(super) const LEAST: usize = 128;
/// So many wanted rows are in one range.
const MOST: usize = 1024;
/// So many rows are asked for, for each wanted one.
const FOR_EACH: usize = 3;

/// Neighbours among the wanted rows, and the requests for what is from the first to the last of them.
pub(super) struct Range {
    wanted: Vec<BlobName>,
    requests: [IdbRequest; 2],
}

/// What is in a range.
pub(super) struct Content {
    pub(super) found: Vec<(Row, JsValue)>,
    /// The wanted rows that are among the found ones, or are not there.
    pub(super) known: Vec<BlobName>,
}

impl Range {
    /// Asks for these rows, if that is worth it in a store of so many.
    pub(super) fn ask(mut wanted: Vec<BlobName>, of: usize, transaction: &Transaction) -> Result<Vec<Self>, JsValue> {
        if wanted.len() < LEAST || of > FOR_EACH * wanted.len() {
            return Ok(Vec::new());
        }
        wanted.sort_unstable();
        let ask = |wanted: &[BlobName]| {
            let requests = transaction.get_range(wanted, limit(wanted))?;
            Ok(Self { wanted: wanted.to_vec(), requests })
        };
        wanted.chunks(MOST).map(ask).collect()
    }

    /// How many rows of it are wanted.
    pub(super) fn len(&self) -> usize {
        self.wanted.len()
    }

    /// The request that ends last.
    pub(super) fn last(&self) -> &IdbRequest {
        let [_, last] = &self.requests;
        last
    }

    /// What is there.
    pub(super) fn take(self) -> Result<Content, JsValue> {
        let Self { wanted: mut known, requests: [names, rows] } = self;
        let (names, rows): (Array, Array) = (row::result(&names)?.dyn_into()?, row::result(&rows)?.dyn_into()?);
        let is_cut = names.length() >= limit(&known);
        let found: Vec<_> =
            names.iter().zip(rows.iter()).filter_map(|(name, row)| Some((Row::from_key(&name)?, row))).collect();
        if is_cut {
            let end = found.iter().rev().find_map(|(row, _)| row.name());
            known.truncate(known.partition_point(|name| Some(*name) <= end));
        }
        Ok(Content { found, known })
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a range has few wanted rows")]
fn limit(wanted: &[BlobName]) -> u32 {
    (FOR_EACH * wanted.len()) as u32
}
