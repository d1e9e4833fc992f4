//! Arrays of maps that share their keys: `[[key …] [[value …] …]]`, each row the values of one map.

use super::translation::Translation;
use crate::{cbor::Reader, env::sort, error::Result};

/// The tag of such an array.
pub(super) const SHAPES: u64 = 39_649;
/// In a row: the map has no such key.
const ABSENT: u8 = 0xf7;

impl Translation<'_> {
    /// The array of maps that the content of the tag stands for. A row may be short: the last keys are absent then.
    pub(super) fn shapes(&mut self, level: usize) -> Result<()> {
        if self.source.array("maps that share their keys")? != 2 {
            return Err(self.source.corrupt("maps that share their keys must be keys and rows"));
        }
        let start = self.out.len();
        let len = self.source.array("the keys that maps share")?;
        (0..len).try_for_each(|_| self.item(level))?;
        let written = self.out.take(start);
        let keys = split(&written);
        if keys.is_empty() || has_twins(&keys) {
            return Err(self.source.corrupt("maps that share no keys, or one twice"));
        }
        let rows = self.source.array("the rows of maps")?;
        self.out.head(4, rows as u64)?;
        (0..rows).try_for_each(|_| self.row(&keys, level))?;
        self.out.give_back(&written);
        Ok(())
    }

    fn row(&mut self, keys: &[&[u8]], level: usize) -> Result<()> {
        let len = self.source.array("a row of a map")?;
        let Some(keys) = keys.get(..len) else {
            return Err(self.source.corrupt("a row that is longer than the keys of its map"));
        };
        let start = self.out.open()?;
        let mut present = 0;
        for key in keys {
            if self.source.peek() == Some(ABSENT) {
                self.source.take(1)?;
                continue;
            }
            self.out.raw(key)?;
            self.item(level)?;
            present += 1;
        }
        self.out.close(start, 5, present)
    }
}

/// The items one by one.
fn split(written: &[u8]) -> Vec<&[u8]> {
    let mut reader = Reader::new(written);
    let mut items = Vec::new();
    while let Ok(item) = reader.item() {
        items.push(item);
    }
    items
}

fn has_twins(keys: &[&[u8]]) -> bool {
    let mut sorted = keys.to_vec();
    sort(&mut sorted);
    sorted.iter().zip(sorted.iter().skip(1)).any(|(a, b)| a == b)
}
