//! The content of tags that the inner form keeps as they are, and that konserve refuses where it is not right.

use crate::cbor::{Head, Reader, date::is_rfc3339};

/// Arrays of more than one dimension: `[[length …] elements]`.
const DIMENSIONS: u64 = 40;
/// `{1 seconds, -9 nanoseconds}` (RFC 9581).
const DURATION: u64 = 1002;
/// `2024-02-29` (RFC 8943).
const FULL_DATE: u64 = 1004;

/// Whether what follows is right inside this tag, if it is one of these. It need not be checked yet.
pub(super) fn fits(tag: u64, content: Reader<'_>) -> bool {
    match tag {
        DIMENSIONS => dimensions(content).is_some(),
        DURATION => duration(content).is_some(),
        FULL_DATE => full_date(content).is_some(),
        _ => true,
    }
}

/// The first tag of an item whose content does not fit it.
pub(super) fn misfit(item: &[u8]) -> Option<u64> {
    let mut reader = Reader::new(item);
    while let Ok(head) = reader.head() {
        match head {
            Head::Bytes(len) | Head::Text(len) => _ = reader.take(len),
            Head::Tag(tag) if !fits(tag, reader.clone()) => return Some(tag),
            _ => {}
        }
    }
    None
}

/// Whether the lengths, none of them 0, make as many elements as there are.
fn dimensions(mut content: Reader<'_>) -> Option<()> {
    let (Head::Array(2), Head::Array(count @ 1..)) = (content.head().ok()?, content.head().ok()?) else { return None };
    let mut product = 1_usize;
    for _ in 0..count {
        let Head::Positive(length @ 1..) = content.head().ok()? else { return None };
        product = product.checked_mul(usize::try_from(length).ok()?)?;
    }
    let elements = match content.head().ok()? {
        Head::Array(len) => len,
        Head::Tag(41) => match content.head().ok()? {
            Head::Array(len) => len,
            _ => return None,
        },
        Head::Tag(tag @ (64..=75 | 77..=82 | 84..=86)) => match content.head().ok()? {
            Head::Bytes(len) => len / element_size(tag),
            _ => return None,
        },
        _ => return None,
    };
    (elements == product).then_some(())
}

/// RFC 8746 §2.1.
fn element_size(tag: u64) -> usize {
    if tag < 80 { 1 << (tag & 3) } else { 2 << (tag & 3) }
}

/// Whether it is a map that has seconds.
fn duration(mut content: Reader<'_>) -> Option<()> {
    let Head::Map(len) = content.head().ok()? else { return None };
    let mut found = None;
    for _ in 0..len {
        let key = content.item().ok()?;
        let value = content.item().ok()?;
        if key == [1] && matches!(value.first(), Some(0..=0x3b | 0xfa | 0xfb)) {
            found = Some(());
        }
    }
    found
}

/// Whether it is a day that the calendar has.
fn full_date(mut content: Reader<'_>) -> Option<()> {
    let Head::Text(len @ 10) = content.head().ok()? else { return None };
    is_rfc3339(&[content.take(len).ok()?, b"T00:00:00Z"].concat()).then_some(())
}
