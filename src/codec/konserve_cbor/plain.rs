//! Items that are in the inner form already, as most are.

use super::{
    content,
    out::{NAN_32, NAN_64},
    shapes::SHAPES,
    strings,
};
use crate::cbor::{Head, Reader, tag};

/// The first item, if it is in the inner form, as far as its heads tell. `None` also for what is no item: who translates it
/// finds out why.
pub(super) fn find(stored: &[u8]) -> Option<&[u8]> {
    let mut rest = stored;
    let mut left = 1_usize;
    while left > 0 {
        left -= 1;
        // Most items begin with one of these, which need no closer look.
        rest = match *rest {
            [0..=0x17 | 0x20..=0x37 | 0xf4..=0xf7, ref after @ ..] => after,
            [head @ (0x40..=0x57 | 0x60..=0x77), ref after @ ..] => after.get(usize::from(head & 0x1f)..)?,
            // A keyword or symbol.
            [0xd8, 0x27, ref after @ ..] => {
                left += 1;
                after
            }
            _ => {
                let (inside, after) = look(rest)?;
                // Every item that is left has a byte.
                left = left.checked_add(inside).filter(|left| *left <= after.len())?;
                after
            }
        };
    }
    stored.get(..stored.len() - rest.len())
}

/// How many items are inside of the one that begins here, and what follows its head, and its bytes. `None` if it is not in
/// the inner form.
fn look(item: &[u8]) -> Option<(usize, &[u8])> {
    let mut reader = Reader::new(item);
    let inside = match reader.head().ok()? {
        Head::Positive(n) | Head::Negative(n) if i64::try_from(n).is_err() => return None,
        Head::Float(_) if item.starts_with(&[0xf9]) => return None,
        Head::Float(n) if n.is_nan() && !item.starts_with(&NAN_32) && !item.starts_with(&NAN_64) => return None,
        Head::Bytes(len) | Head::Text(len) => {
            reader.take(len).ok()?;
            0
        }
        Head::Array(len) => len,
        Head::Map(len) => 2 * len,
        Head::Tag(tag::DATE_SECONDS | strings::TABLE | strings::REFERENCE | SHAPES) => return None,
        Head::Tag(tag::BIG_POSITIVE | tag::BIG_NEGATIVE) if !is_short(reader.clone()) => return None,
        Head::Tag(tag) if !content::fits(tag, reader.clone()) => return None,
        Head::Tag(_) => 1,
        Head::Positive(_) | Head::Negative(_) | Head::Float(_) | Head::Simple(_) => 0,
    };
    Some((inside, reader.rest()))
}

/// Whether the content of a bigint has no leading zeros.
fn is_short(mut reader: Reader<'_>) -> bool {
    let Ok(Head::Bytes(len)) = reader.head() else { return false };
    matches!(reader.take(len), Ok([0] | [1..=255, ..]))
}
