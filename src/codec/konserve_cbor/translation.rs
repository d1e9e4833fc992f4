//! The way from konserve's CBOR to the inner form.

use super::{
    out::Out,
    shapes::SHAPES,
    source::{Head, Source},
    strings::{self, Literal, Strings},
};
use crate::{
    cbor::{self, MAX_DEPTH, calendar, tag},
    error::{Error, ErrorKind, Result},
};

/// Levels of the input. Those of tables leave none behind, so there may be a few more than the inner form has.
const MAX_LEVELS: usize = MAX_DEPTH + 32;

/// One item that is being translated. What it becomes is checked after it: texts, twins, the content of tags, depth.
pub(super) struct Translation<'a> {
    pub(super) source: Source<'a>,
    pub(super) out: Out,
    /// The innermost table.
    strings: Option<Strings<'a>>,
}

impl<'a> Translation<'a> {
    /// The inner form of the first item of the input, not checked.
    pub(super) fn of(stored: &'a [u8], max_len: u64) -> Result<Vec<u8>> {
        let mut translation = Self { source: Source::new(stored), out: Out::new(stored.len(), max_len), strings: None };
        translation.item(0)?;
        Ok(translation.out.finish())
    }

    /// One item inside so many levels. Kept small, as are those that call it again, for they share one stack.
    pub(super) fn item(&mut self, level: usize) -> Result<()> {
        let head = self.source.head()?;
        match head {
            Head::Array(len) => self.items(4, len, deeper(level)?),
            Head::Map(len) => self.items(5, len, deeper(level)?),
            Head::Tag(tag) => self.tag(tag, deeper(level)?),
            _ => self.leaf(head),
        }
    }

    /// The members of an array, or the keys and values of a map.
    fn items(&mut self, major: u8, len: Option<usize>, level: usize) -> Result<()> {
        let each = usize::from(major) - 3;
        if let Some(len) = len {
            self.out.head(major, len as u64)?;
            return (0..len * each).try_for_each(|_| self.item(level));
        }
        let start = self.out.open()?;
        let mut len = 0;
        while !self.at_break()? {
            (0..each).try_for_each(|_| self.item(level))?;
            len += 1;
        }
        self.out.close(start, major, len)
    }

    /// Whether an indefinite length ends here; then its mark is left behind.
    fn at_break(&mut self) -> Result<bool> {
        let ends = self.source.peek() == Some(0xff);
        if ends {
            self.source.take(1)?;
        }
        Ok(ends)
    }

    /// An item that has no others in it.
    fn leaf(&mut self, head: Head) -> Result<()> {
        match head {
            Head::Positive(n) => self.integer(tag::BIG_POSITIVE, n),
            Head::Negative(n) => self.integer(tag::BIG_NEGATIVE, n),
            Head::Bytes(len) => self.string(2, len),
            Head::Text(len) => self.string(3, len),
            Head::Simple(n) => self.out.head(7, n.into()),
            Head::Half(bits) => self.out.single(half(bits)),
            Head::Single(bits) => self.out.single(f32::from_bits(bits)),
            Head::Double(bits) => self.out.double(f64::from_bits(bits)),
            _ => Err(self.source.corrupt("an end of nothing")),
        }
    }

    /// An integer, which beyond 64 bits with a sign is a bigint in Clojure.
    fn integer(&mut self, big: u64, n: u64) -> Result<()> {
        if i64::try_from(n).is_ok() {
            return self.out.head(u8::from(big == tag::BIG_NEGATIVE), n);
        }
        self.big(big, &n.to_be_bytes())
    }

    fn big(&mut self, tag: u64, magnitude: &[u8]) -> Result<()> {
        let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
        let digits = magnitude.get(zeros..).filter(|digits| !digits.is_empty()).unwrap_or(&[0]);
        self.out.head(6, tag)?;
        self.out.head(2, digits.len() as u64)?;
        self.out.raw(digits)
    }

    fn string(&mut self, major: u8, len: Option<usize>) -> Result<()> {
        if let Some(len) = len {
            let literal = self.literal(major, len)?;
            return self.write(literal);
        }
        let start = self.out.open()?;
        let mut whole = 0;
        loop {
            let (of, len) = match self.source.head()? {
                Head::Break => return self.out.close(start, major, whole),
                Head::Bytes(Some(len)) => (2, len),
                Head::Text(Some(len)) => (3, len),
                _ => (0, 0),
            };
            if of != major {
                return Err(self.source.corrupt("a string in pieces that has another thing in it"));
            }
            let piece = self.literal(major, len)?.bytes;
            if major == 3 && std::str::from_utf8(piece).is_err() {
                return Err(self.source.corrupt("text that is not UTF-8"));
            }
            self.out.raw(piece)?;
            whole += len;
        }
    }

    /// A string of the input; it takes a number if it can. So do, in konserve, the pieces of one in pieces.
    fn literal(&mut self, major: u8, len: usize) -> Result<Literal<'a>> {
        let literal = Literal { major, bytes: self.source.take(len)? };
        if let Some(strings) = &mut self.strings {
            strings.meet(literal);
        }
        Ok(literal)
    }

    fn write(&mut self, literal: Literal<'_>) -> Result<()> {
        self.out.head(literal.major, literal.bytes.len() as u64)?;
        self.out.raw(literal.bytes)
    }

    fn tag(&mut self, tag: u64, level: usize) -> Result<()> {
        match tag {
            strings::TABLE => {
                let outer = self.strings.replace(Strings::default());
                self.item(level)?;
                self.strings = outer;
                Ok(())
            }
            strings::REFERENCE => self.reference(),
            SHAPES => self.shapes(level),
            tag::DATE_SECONDS => self.date(level),
            tag::BIG_POSITIVE | tag::BIG_NEGATIVE => self.bigint(tag, level),
            _ => {
                self.out.head(6, tag)?;
                self.item(level)
            }
        }
    }

    fn reference(&mut self) -> Result<()> {
        let Head::Positive(number) = self.source.head()? else {
            return Err(self.source.corrupt("a reference to a string that is no number"));
        };
        let Some(strings) = &self.strings else {
            return Err(self.source.corrupt("a reference to a string outside of any table"));
        };
        match strings.get(number) {
            Some(literal) => self.write(literal),
            None => Err(self.source.corrupt("a reference to a string that was not there before")),
        }
    }

    /// A bigint, without leading zeros. What is none is left for the check.
    fn bigint(&mut self, tag: u64, level: usize) -> Result<()> {
        let start = self.out.len();
        self.item(level)?;
        let magnitude = match self.out.written(start) {
            Some((cbor::Head::Bytes(_), magnitude)) => magnitude.to_vec(),
            _ => return Err(self.source.corrupt("a bigint without its digits")),
        };
        self.out.truncate(start);
        self.big(tag, &magnitude)
    }

    /// Seconds since 1970: as text where the year has four digits, else as the inner form has them, integers or floats of 8
    /// bytes.
    fn date(&mut self, level: usize) -> Result<()> {
        let start = self.out.len();
        self.out.head(6, tag::DATE_SECONDS)?;
        let content = self.out.len();
        self.item(level)?;
        let Some((head, _)) = self.out.written(content) else { return Ok(()) };
        if let Some(ms) = milliseconds(head).filter(|ms| calendar::is_four_digits(*ms)) {
            self.out.truncate(start);
            let text = calendar::format(ms, false) + "Z";
            self.out.head(6, tag::DATE_TEXT)?;
            return self.write(Literal { major: 3, bytes: text.as_bytes() });
        }
        if let cbor::Head::Float(seconds) = head {
            self.out.truncate(content);
            return self.out.double(seconds);
        }
        Ok(())
    }
}

fn deeper(level: usize) -> Result<usize> {
    if level < MAX_LEVELS {
        return Ok(level + 1);
    }
    Err(Error::new(ErrorKind::LimitExceeded, format!("a stored value is nested deeper than {MAX_DEPTH}")))
}

/// The moment that konserve reads: nanoseconds rounded, then milliseconds cut.
#[allow(clippy::cast_possible_truncation, reason = "checked to be far below 2^53")]
fn milliseconds(seconds: cbor::Head) -> Option<i64> {
    match seconds {
        cbor::Head::Positive(n) => i64::try_from(n).ok()?.checked_mul(1000),
        cbor::Head::Negative(n) => (!i64::try_from(n).ok()?).checked_mul(1000),
        cbor::Head::Float(n) if n.abs() < 1e12 => {
            let nanoseconds = ((n - n.floor()) * 1e9).round();
            Some(n.floor() as i64 * 1000 + (nanoseconds / 1e6).floor() as i64)
        }
        _ => None,
    }
}

/// A float of 2 bytes (RFC 8949 appendix D).
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction / 16_777_216.0,
        31 if fraction > 0.0 => f32::NAN,
        31 => f32::INFINITY,
        _ => (fraction + 1024.0) * 2_f32.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}
