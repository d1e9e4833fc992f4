//! Says whether bytes are one item that a store may hold.

use super::{Flaw, FlawKind, Head, MAX_DEPTH, Reader, date, tag};

/// Up to so many keys are compared each with each, more are sorted.
const FEW: usize = 16;

/// Exactly one item that obeys the format: definite lengths, shortest heads, UTF-8, nothing reserved, at most
/// [`MAX_DEPTH`] levels, no map key and no set member twice (same bytes), and in the [tags](tag) known here what
/// belongs there. Floats of 2 and 4 bytes are read, and so are big integers with leading zeros (RFC 8949 §3.4.3);
/// a head longer than it need be is a [`FlawKind::Head`], so that one text has one encoding.
pub fn check(bytes: &[u8]) -> Result<(), Flaw> {
    let mut walk = Walk { bytes, reader: Reader::new(bytes), keys: Vec::new() };
    walk.item(0, false)?;
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
    fn item(&mut self, level: usize, set: bool) -> Result<(), Flaw> {
        let flaw = self.reader.flaw(FlawKind::Depth);
        let head = self.reader.head()?;
        if level == MAX_DEPTH && matches!(head, Head::Array(_) | Head::Map(_) | Head::Tag(_)) {
            return Err(flaw);
        }
        match head {
            Head::Positive(_) | Head::Negative(_) | Head::Float(_) | Head::Simple(_) => Ok(()),
            Head::Bytes(len) => self.reader.take(len).map(drop),
            Head::Text(len) => match std::str::from_utf8(self.reader.take(len)?) {
                Ok(_) => Ok(()),
                Err(_) => Err(Flaw { kind: FlawKind::Utf8, ..flaw }),
            },
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
        for seen in 1..=len {
            let start = self.reader.at();
            self.item(level, false)?;
            self.keys.push(self.bytes.get(start..self.reader.at()).unwrap_or_default());
            if values {
                self.item(level, false)?;
            }
            // Looking early, too, keeps a bomb of equal keys from filling the memory.
            if seen == len || (seen > 1000 && seen.is_power_of_two()) {
                self.no_twins(outer)?;
            }
        }
        self.keys.truncate(outer);
        Ok(())
    }

    fn no_twins(&mut self, outer: usize) -> Result<(), Flaw> {
        let keys = self.keys.get_mut(outer..).unwrap_or_default();
        let twin = if keys.len() <= FEW {
            let mut before = keys.iter().enumerate();
            before.find_map(|(n, key)| keys.iter().take(n).any(|other| other == key).then_some(*key))
        } else {
            keys.sort_unstable();
            keys.windows(2).find_map(|pair| match *pair {
                [a, b] if a == b => Some(if a.as_ptr() < b.as_ptr() { b } else { a }),
                _ => None,
            })
        };
        let offset = |key: &[u8]| key.as_ptr().addr().saturating_sub(self.bytes.as_ptr().addr());
        twin.map_or(Ok(()), |key| Err(Flaw { kind: FlawKind::Duplicate, at: offset(key) }))
    }
}

/// Whether what follows is right inside this tag. It may turn out flawed further in; that is found when it is walked.
fn fits(tag: u64, mut content: Reader<'_>) -> Result<bool, Flaw> {
    Ok(match (tag, content.head()?) {
        (tag::DATE_TEXT, Head::Text(len)) => date::is_rfc3339(content.take(len)?),
        (tag::DATE_SECONDS, Head::Float(seconds)) => seconds.is_finite(),
        (tag::DATE_SECONDS, Head::Positive(_) | Head::Negative(_))
        | (tag::BIG_POSITIVE | tag::BIG_NEGATIVE, Head::Bytes(_))
        | (tag::URI | tag::REGEXP | tag::SYMBOL, Head::Text(_))
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
            | tag::SYMBOL
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
