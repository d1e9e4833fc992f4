//! Items that are in the inner form already, as most are.

use super::{shapes::SHAPES, strings};
use crate::cbor::{Head, Reader, tag};

/// The first item, if it is in the inner form, as far as its heads tell. `None` also for what is no item: who translates it
/// finds out why.
pub(super) fn find(stored: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(stored);
    let mut left = 1_usize;
    while left > 0 {
        left -= 1;
        let item = reader.rest();
        match reader.head().ok()? {
            Head::Positive(n) | Head::Negative(n) if i64::try_from(n).is_err() => return None,
            Head::Float(n) if item.starts_with(&[0xf9]) || (n.is_nan() && !is_the_nan(item)) => return None,
            Head::Bytes(len) | Head::Text(len) => _ = reader.take(len).ok()?,
            Head::Array(len) => left += len,
            Head::Map(len) => left += 2 * len,
            Head::Tag(tag::DATE_SECONDS | strings::TABLE | strings::REFERENCE | SHAPES) => return None,
            Head::Tag(tag::BIG_POSITIVE | tag::BIG_NEGATIVE) => big(&mut reader)?,
            Head::Tag(_) => left += 1,
            Head::Positive(_) | Head::Negative(_) | Head::Float(_) | Head::Simple(_) => {}
        }
        // Every item that is left has a byte.
        if left > reader.rest().len() {
            return None;
        }
    }
    stored.get(..reader.at())
}

fn is_the_nan(item: &[u8]) -> bool {
    item.starts_with(&super::out::NAN_32) || item.starts_with(&super::out::NAN_64)
}

/// The content of a bigint without leading zeros.
fn big(reader: &mut Reader<'_>) -> Option<()> {
    let Head::Bytes(len) = reader.head().ok()? else { return None };
    match reader.take(len).ok()? {
        [0] => Some(()),
        [] | [0, ..] => None,
        _ => Some(()),
    }
}
