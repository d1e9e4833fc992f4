//! Tags of CBOR, as they are written.

use super::{
    codes::{self, Known},
    integer,
    structs::{DOUBLES, FLOATS, INTS, LONGS},
    text,
    writer::{Writer, flawed, unsayable},
};
use crate::{
    cbor::{self, FlawKind, Head, tag},
    error::{Error, Result},
    value::Value,
};

/// Seconds and nanoseconds of a `Duration`, and the text of a `LocalDate`.
const DURATION: u64 = 1002;
const LOCAL_DATE: u64 = 1004;
/// Dates are in milliseconds; what is left of a second has so many digits.
const MS_DIGITS: usize = 3;

impl<'a> Writer<'a> {
    /// What follows a tag; `depth` counts it.
    pub(super) fn tagged(&mut self, number: u64, depth: usize) -> Result<()> {
        let content = self.reader.clone();
        match number {
            tag::DATE_TEXT | tag::DATE_SECONDS => return self.date(number, depth),
            tag::BIG_POSITIVE | tag::BIG_NEGATIVE => {
                let Head::Bytes(len) = self.head()? else { return Err(self.unfit()) };
                let bytes = self.take(len)?;
                self.folded |= bytes.is_empty() || len > 1 && bytes.first() == Some(&0);
                self.bigint(number == tag::BIG_NEGATIVE, bytes);
            }
            tag::DECIMAL => return self.decimal(depth),
            tag::RECORD => return self.named(depth),
            tag::RATIO => return self.ratio(),
            tag::URI | tag::REGEXP => {
                let text = self.content_text()?;
                self.known(if number == tag::URI { Known::Uri } else { Known::Regexp });
                text::write(text, &mut self.out);
            }
            tag::UUID => {
                let Head::Bytes(len) = self.head()? else { return Err(self.unfit()) };
                let bytes = self.take(len)?;
                self.known(Known::Uuid);
                self.bytes(bytes);
            }
            tag::SYMBOL => match self.head()? {
                Head::Text(len) => {
                    let text = self.text(len)?;
                    match text.strip_prefix(':') {
                        Some(name) => self.name(Known::Keyword, name),
                        None => self.name(Known::Symbol, text),
                    }
                }
                _ => return self.escaped(number, content, depth),
            },
            INTS | LONGS | FLOATS | DOUBLES => return self.numbers(number),
            tag::SET => {
                let Head::Array(len) = self.head()? else { return Err(self.unfit()) };
                self.known(Known::Set);
                return self.list(len, depth);
            }
            tag::MAP => {
                self.structure("js/map", 1);
                return self.item(depth);
            }
            DURATION => return Err(unsayable("a Duration")),
            LOCAL_DATE => return Err(unsayable("a LocalDate")),
            _ => return self.escaped(number, content, depth),
        }
        Ok(())
    }

    /// A tag without a twin, from its content on.
    pub(super) fn escaped(&mut self, number: u64, content: cbor::Reader<'a>, depth: usize) -> Result<()> {
        self.reader = content;
        self.structure("cbor/tag", 2);
        match i64::try_from(number) {
            Ok(number) => integer::write(number, &mut self.out),
            Err(_) => self.bigint(false, &number.to_be_bytes()),
        }
        self.item(depth)
    }

    /// The error of content that does not fit its tag.
    pub(super) fn unfit(&self) -> Error {
        flawed(self.reader.flaw(FlawKind::Tag))
    }

    fn content_text(&mut self) -> Result<&'a str> {
        match self.head()? {
            Head::Text(len) => self.text(len),
            _ => Err(self.unfit()),
        }
    }

    fn date(&mut self, number: u64, depth: usize) -> Result<()> {
        let content = self.reader.clone();
        let item = self.reader.item().map_err(flawed)?;
        let Value::Date(ms) = Value::tagged(number, Value::from_cbor(item)?) else {
            // Beyond what a date is in JavaScript.
            return self.escaped(number, content, depth);
        };
        if is_finer(item, ms) {
            return Err(unsayable("an Instant that is finer than a millisecond"));
        }
        self.folded |= Value::Date(ms).to_cbor()?.get(1..) != Some(item);
        self.known(Known::Date);
        integer::write(ms, &mut self.out);
        Ok(())
    }

    fn decimal(&mut self, depth: usize) -> Result<()> {
        let content = self.reader.clone();
        let Head::Array(2) = self.head()? else { return Err(self.unfit()) };
        let scale = match self.head()? {
            Head::Positive(n) => i64::try_from(n).ok().and_then(|n| i32::try_from(-n).ok()),
            Head::Negative(n) => i64::try_from(n).ok().and_then(|n| i32::try_from(n + 1).ok()),
            _ => None,
        };
        let Some(scale) = scale else { return self.escaped(tag::DECIMAL, content, depth) };
        let unscaled = self.part()?;
        self.known(Known::Decimal);
        self.bytes(&unscaled);
        integer::write(scale.into(), &mut self.out);
        Ok(())
    }

    fn ratio(&mut self) -> Result<()> {
        let Head::Array(2) = self.head()? else { return Err(self.unfit()) };
        self.structure("ratio", 2);
        for _ in 0..2 {
            let part = self.part()?;
            self.known(Known::BigInt);
            self.bytes(&part);
        }
        Ok(())
    }

    /// A whole number of any kind, in two's complement.
    fn part(&mut self) -> Result<Vec<u8>> {
        let (negative, content) = match self.head()? {
            Head::Positive(n) => (false, n.to_be_bytes().to_vec()),
            Head::Negative(n) => (true, n.to_be_bytes().to_vec()),
            Head::Tag(number @ (tag::BIG_POSITIVE | tag::BIG_NEGATIVE)) => {
                let Head::Bytes(len) = self.head()? else { return Err(self.unfit()) };
                self.folded = true;
                (number == tag::BIG_NEGATIVE, self.take(len)?.to_vec())
            }
            _ => return Err(self.unfit()),
        };
        // Such a number comes back as a bigint.
        self.folded |= content.first().is_some_and(|first| first & 0x80 != 0);
        Ok(integer::twos_complement(negative, &content))
    }

    /// An array of numbers.
    fn numbers(&mut self, number: u64) -> Result<()> {
        let Head::Bytes(len) = self.head()? else { return Err(self.unfit()) };
        let (known, width) = match number {
            INTS => (Known::Ints, 4),
            LONGS => (Known::Longs, 8),
            FLOATS => (Known::Floats, 4),
            _ => (Known::Doubles, 8),
        };
        let bytes = self.take(len)?;
        if !len.is_multiple_of(width) {
            return Err(self.unfit());
        }
        self.known(known);
        integer::write_len(len / width, &mut self.out);
        for element in bytes.chunks_exact(width) {
            let bits = element.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
            match known {
                #[allow(clippy::cast_possible_truncation, reason = "four bytes were read")]
                Known::Ints => integer::write((bits as u32).cast_signed().into(), &mut self.out),
                Known::Longs => integer::write(bits.cast_signed(), &mut self.out),
                Known::Floats => {
                    self.out.push(codes::FLOAT);
                    self.out.extend(element.iter().rev());
                }
                _ => self.double(f64::from_bits(bits)),
            }
        }
        Ok(())
    }
}

/// Whether the content of a date says more than its milliseconds.
#[allow(clippy::cast_precision_loss, reason = "the same is done where such a date is written")]
fn is_finer(item: &[u8], ms: i64) -> bool {
    match cbor::Reader::new(item).head() {
        Ok(Head::Text(_)) => {
            let fraction = item.iter().skip_while(|byte| **byte != b'.').skip(1);
            fraction.take_while(|byte| byte.is_ascii_digit()).skip(MS_DIGITS).any(|digit| *digit != b'0')
        }
        #[allow(clippy::float_cmp, reason = "the nearest double is the same")]
        Ok(Head::Float(seconds)) => ms as f64 / 1000.0 != seconds,
        _ => false,
    }
}
