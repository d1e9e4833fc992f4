//! Says whether bytes are one item that a store may hold.

use super::{Flaw, FlawKind, Head, MAX_DEPTH, Reader, date, tag};
use crate::env::sort;

/// Up to so many keys are compared each with each, more are sorted.
const FEW: usize = 16;

/// Exactly one item that obeys the format: definite lengths, shortest heads, UTF-8, nothing reserved, at most
/// [`MAX_DEPTH`] levels, no map key and no set member twice (same bytes), and in the [tags](tag) known here what
/// belongs there. Floats of 2 and 4 bytes are read, and so are big integers with leading zeros (RFC 8949 §3.4.3);
/// a head longer than it need be is a [`FlawKind::Head`], so that one text has one encoding.
pub fn check(bytes: &[u8]) -> Result<(), Flaw> {
    check_inside(0, bytes)
}

/// The same for an item that is to be inside so many levels.
pub(super) fn check_inside(level: usize, bytes: &[u8]) -> Result<(), Flaw> {
    let mut walk = Walk { bytes, reader: Reader::new(bytes), keys: Vec::new() };
    walk.item(level, false)?;
    if walk.reader.rest().is_empty() { Ok(()) } else { Err(walk.reader.flaw(FlawKind::Trailing)) }
}

struct Walk<'a> {
    bytes: &'a [u8],
    reader: Reader<'a>,
    /// The keys seen so far of all maps and sets that are open, the innermost last.
    keys: Vec<&'a [u8]>,
}

impl Walk<'_> {
    /// One item inside so many levels, at most [`MAX_DEPTH`], which bounds this recursion.
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    #[allow(clippy::inline_always, reason = "most items are short, and a call costs more than they do")]
    fn item(&mut self, level: usize, set: bool) -> Result<(), Flaw> {
        if self.reader.short() { Ok(()) } else { self.longer(level, set) }
    }

    /// The same of one that is not short.
    fn longer(&mut self, level: usize, set: bool) -> Result<(), Flaw> {
        let flaw = self.reader.flaw(FlawKind::Depth);
        let head = self.reader.head()?;
        if level >= MAX_DEPTH && matches!(head, Head::Array(_) | Head::Map(_) | Head::Tag(_)) {
            return Err(flaw);
        }
        match head {
            Head::Positive(_) | Head::Negative(_) | Head::Float(_) | Head::Simple(_) => Ok(()),
            Head::Bytes(len) => self.reader.take(len).map(drop),
            Head::Text(len) => {
                let text = self.reader.take(len)?;
                // Most texts are ASCII, which is quicker to say.
                let good = text.is_ascii() || std::str::from_utf8(text).is_ok();
                if good { Ok(()) } else { Err(Flaw { kind: FlawKind::Utf8, ..flaw }) }
            }
            Head::Tag(tag) if !fits(tag, self.reader.clone())? => Err(Flaw { kind: FlawKind::Tag, ..flaw }),
            Head::Tag(tag) => self.item(level + 1, tag == tag::SET),
            Head::Array(len) if set => self.distinct(len, false, level + 1),
            Head::Array(len) => (0..len).try_for_each(|_| self.item(level + 1, false)),
            Head::Map(len) => self.distinct(len, true, level + 1),
        }
    }

    /// The keys of a map, each with its value, or the members of a set.
    fn distinct(&mut self, len: usize, values: bool, level: usize) -> Result<(), Flaw> {
        let outer = self.keys.len();
        if self.keys.capacity() == 0 {
            // Once, with room for a map inside a map, which is all that most values have.
            self.keys.reserve(2 * FEW);
        }
        // A bit for each key, by its last byte and length: where the bit is new, the key is.
        let mut sketch = 0_u64;
        for seen in 1..=len {
            let start = self.reader.at();
            self.item(level, false)?;
            let key = self.bytes.get(start..self.reader.at()).unwrap_or_default();
            if len <= FEW {
                let bit = 1 << (key.last().map_or(0, |last| usize::from(*last) + 11 * key.len()) % 64);
                if sketch & bit != 0 && self.keys.iter().skip(outer).any(|other| *other == key) {
                    return Err(Flaw { kind: FlawKind::Duplicate, at: start });
                }
                sketch |= bit;
            }
            self.keys.push(key);
            if values {
                self.item(level, false)?;
            }
            // Looking early, too, keeps a bomb of equal keys from filling the memory.
            if len > FEW && (seen == len || (seen > 1000 && seen.is_power_of_two())) {
                self.sorted_distinct(outer)?;
            }
        }
        self.keys.truncate(outer);
        Ok(())
    }

    fn sorted_distinct(&mut self, outer: usize) -> Result<(), Flaw> {
        let keys = self.keys.get_mut(outer..).unwrap_or_default();
        sort(keys);
        let twin = keys.windows(2).find_map(|pair| match *pair {
            [a, b] if a == b => Some(a.as_ptr().max(b.as_ptr())),
            _ => None,
        });
        let Some(twin) = twin else { return Ok(()) };
        Err(Flaw { kind: FlawKind::Duplicate, at: twin.addr().saturating_sub(self.bytes.as_ptr().addr()) })
    }
}

/// Whether what follows is right inside this tag. It may turn out flawed further in; that is found when it is walked.
fn fits(tag: u64, mut content: Reader<'_>) -> Result<bool, Flaw> {
    Ok(match (tag, content.head()?) {
        (tag::DATE_TEXT, Head::Text(len)) => date::is_rfc3339(content.take(len)?),
        (tag::DATE_SECONDS, Head::Float(seconds)) => seconds.is_finite(),
        (tag::DATE_SECONDS, Head::Positive(_) | Head::Negative(_))
        | (tag::BIG_POSITIVE | tag::BIG_NEGATIVE, Head::Bytes(_))
        | (tag::URI | tag::REGEXP, Head::Text(_))
        | (tag::UUID, Head::Bytes(16))
        | (tag::SET, Head::Array(_))
        | (tag::MAP, Head::Map(_)) => true,
        (tag::DECIMAL, Head::Array(2)) => integer(&mut content)?.is_some() && integer(&mut content)?.is_some(),
        (tag::RATIO, Head::Array(2)) => integer(&mut content)?.is_some() && integer(&mut content)? == Some(true),
        (tag::RECORD, Head::Array(2)) => matches!(content.head()?, Head::Text(_)),
        (
            tag::DATE_TEXT
            | tag::DATE_SECONDS
            | tag::BIG_POSITIVE
            | tag::BIG_NEGATIVE
            | tag::DECIMAL
            | tag::RECORD
            | tag::RATIO
            | tag::URI
            | tag::REGEXP
            | tag::UUID
            | tag::SET
            | tag::MAP,
            _,
        ) => false,
        (tag, head) => match (element_size(tag), head) {
            (None, _) => true,
            (Some(size), Head::Bytes(len)) => len.is_multiple_of(size),
            (Some(_), _) => false,
        },
    })
}

/// Reads an integer of any size; says whether it is above zero. `None` if it is something else.
fn integer(reader: &mut Reader<'_>) -> Result<Option<bool>, Flaw> {
    Ok(match reader.head()? {
        Head::Positive(n) => Some(n > 0),
        Head::Negative(_) => Some(false),
        Head::Tag(tag @ (tag::BIG_POSITIVE | tag::BIG_NEGATIVE)) => match reader.head()? {
            Head::Bytes(len) => Some(reader.take(len)?.iter().any(|byte| *byte != 0) && tag == tag::BIG_POSITIVE),
            _ => None,
        },
        _ => None,
    })
}

/// How many bytes an element of a typed array has (RFC 8746 §2.1): the tag is `010fsell`, of `f`loats twice `1 << ll`.
fn element_size(tag: u64) -> Option<usize> {
    match tag {
        // Reserved, and without meaning.
        76 => None,
        64..=79 => Some(1 << (tag & 3)),
        80..=87 => Some(2 << (tag & 3)),
        _ => None,
    }
}
