//! The bytes that stand for a value in its hash.

use std::io::Write;

use sha2::{Digest, Sha512};

use super::{invalid, older_java};
use crate::{
    cbor::{Flaw, FlawKind, Head, MAX_DEPTH, Reader, tag},
    error::{Error, Result},
    name::Uuid,
    value::{BigInt, Decimal, Value, cbor::from_seconds, date, number},
};

/// What the first byte of a coercion says.
const NIL: u8 = 0;
const BOOLEAN: u8 = 1;
const NUMBER: u8 = 2;
const STRING: u8 = 3;
const SYMBOL: u8 = 4;
const KEYWORD: u8 = 5;
const DATE: u8 = 6;
const UUID: u8 = 7;
const SEQ: u8 = 8;
pub(super) const VECTOR: u8 = 9;
const MAP: u8 = 10;
const SET: u8 = 11;
const LITERAL: u8 = 12;
const BYTES: u8 = 13;

/// From so many bytes on a text or byte string is hashed.
const LONG: usize = 1024;
/// How much of a member's hash counts in a map or set.
const MEMBER_LEN: usize = 32;

/// Whose printing of floats is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Java {
    /// That of Java 19 and later: the shortest digits.
    Modern,
    /// That of Java before 19.
    Older,
}

/// A value on its way to its coercion.
pub(super) struct Coercion<'a> {
    reader: Reader<'a>,
    java: Java,
    has_floats: bool,
    /// Which of the arrays are taken for lists, a bit for each, and how many there were so far.
    lists: u32,
    arrays: u32,
    /// The coercion so far; at its end, the elements of the containers that are open.
    out: Vec<u8>,
}

impl<'a> Coercion<'a> {
    pub(super) fn new(item: &'a [u8], java: Java) -> Self {
        // Mostly enough, so that what may be secret is not left behind by a vector that grew.
        let out = Vec::with_capacity(128 + 3 * item.len());
        Self { reader: Reader::new(item), java, has_floats: false, lists: 0, arrays: 0, out }
    }

    /// Takes some of the arrays for lists, the first one by the lowest bit.
    pub(super) fn with_lists(self, lists: u32) -> Self {
        Self { lists, ..self }
    }

    pub(super) fn arrays(&self) -> u32 {
        self.arrays
    }

    pub(super) fn has_floats(&self) -> bool {
        self.has_floats
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    /// One item, and nothing behind it.
    pub(super) fn whole(&mut self) -> Result<()> {
        self.item(0)?;
        if self.reader.rest().is_empty() { Ok(()) } else { Err(flawed(self.reader.flaw(FlawKind::Trailing))) }
    }

    /// One item inside so many levels, at most [`MAX_DEPTH`], which bounds this recursion.
    fn item(&mut self, level: usize) -> Result<()> {
        let is_double = self.reader.rest().first() == Some(&0xfb);
        let head = self.head()?;
        if level >= MAX_DEPTH && matches!(head, Head::Array(_) | Head::Map(_) | Head::Tag(_)) {
            return Err(flawed(self.reader.flaw(FlawKind::Depth)));
        }
        match head {
            Head::Positive(n) => self.number(n.into()),
            Head::Negative(n) => self.number(-1 - i128::from(n)),
            Head::Float(n) if is_double => self.double(n),
            Head::Float(n) => self.float(n),
            Head::Simple(22) => self.out.push(NIL),
            Head::Simple(n @ (20 | 21)) => self.out.extend([BOOLEAN, 20 + n]),
            Head::Simple(_) => return Err(invalid("undefined is no value of Clojure's")),
            Head::Text(len) => self.safe(STRING, len)?,
            Head::Bytes(len) => self.safe(BYTES, len)?,
            Head::Array(len) => {
                let is_list = self.lists.checked_shr(self.arrays).is_some_and(|lists| lists & 1 == 1);
                self.arrays += 1;
                self.sequence(if is_list { SEQ } else { VECTOR }, len, level + 1)?;
            }
            Head::Map(len) => self.members(MAP, len, level + 1)?,
            Head::Tag(tag) => self.tagged(tag, level + 1)?,
        }
        Ok(())
    }

    fn tagged(&mut self, tag: u64, level: usize) -> Result<()> {
        let content = match tag {
            tag::DATE_TEXT | tag::DATE_SECONDS => return self.date(tag),
            tag::DECIMAL => return self.decimal(),
            tag::RECORD => return self.named(level),
            _ => self.head()?,
        };
        match (tag, content) {
            (tag::BIG_POSITIVE | tag::BIG_NEGATIVE, Head::Bytes(len)) => {
                let big = BigInt::from_tag_content(tag == tag::BIG_NEGATIVE, self.take(len)?);
                self.text(NUMBER, &big.to_string());
                Ok(())
            }
            (tag::UUID, Head::Bytes(len)) => {
                let bytes = self.take(len)?.try_into().map_err(|_| misfit())?;
                self.text(UUID, &Uuid::from_bytes(bytes).to_string());
                Ok(())
            }
            (tag::SYMBOL, Head::Text(len)) => {
                let is_keyword = self.reader.rest().first() == Some(&b':');
                self.safe(if is_keyword { KEYWORD } else { SYMBOL }, len)
            }
            (tag::SET, Head::Array(len)) => self.members(SET, len, level),
            (tag::BIG_POSITIVE | tag::BIG_NEGATIVE | tag::UUID | tag::SYMBOL | tag::SET, _) => Err(misfit()),
            _ => Err(unhashable(tag)),
        }
    }

    /// What has a name: tag 27. Names of Clojure's and Java's own are kinds of value, all others are records and tagged
    /// literals.
    fn named(&mut self, level: usize) -> Result<()> {
        let Head::Array(2) = self.head()? else { return Err(misfit()) };
        let Head::Text(len) = self.head()? else { return Err(misfit()) };
        let name = std::str::from_utf8(self.take(len)?).map_err(|_| misfit())?;
        if !name.starts_with("clojure/") && !name.starts_with("java/") && !name.starts_with("js/") {
            return self.literal(name, level + 1);
        }
        match (name, self.head()?) {
            ("clojure/char", Head::Text(len)) => self.safe(STRING, len),
            ("clojure/list" | "java/list", Head::Array(len)) => self.sequence(SEQ, len, level + 2),
            ("clojure/sorted-map", Head::Map(len)) => self.members(MAP, len, level + 2),
            ("clojure/sorted-set", Head::Array(len)) => self.members(SET, len, level + 2),
            ("clojure/with-meta", Head::Array(2)) => {
                self.reader.item().map_err(flawed)?;
                self.item(level + 2)
            }
            (
                "clojure/char" | "clojure/list" | "java/list" | "clojure/sorted-map" | "clojure/sorted-set"
                | "clojure/with-meta",
                _,
            ) => Err(misfit()),
            _ => Err(invalid(&format!("hasch has no hash for a {name}"))),
        }
    }

    /// A record, whose symbol is the name of its class, or a tagged literal.
    fn literal(&mut self, name: &str, level: usize) -> Result<()> {
        let start = self.out.len();
        let is_map = matches!(self.reader.clone().head(), Ok(Head::Map(_)));
        match name.split_once('/').filter(|_| is_map) {
            Some((namespace, class)) => {
                self.encode(SYMBOL, format!("{}.{class}", namespace.replace('-', "_")).as_bytes());
            }
            None => self.encode(SYMBOL, name.as_bytes()),
        }
        self.item(level)?;
        self.close(LITERAL, start);
        Ok(())
    }

    fn sequence(&mut self, kind: u8, len: usize, level: usize) -> Result<()> {
        let start = self.out.len();
        if len == 0 {
            // As if it held nil: hasch looks at a first element always.
            self.out.push(NIL);
        }
        for _ in 0..len {
            self.item(level)?;
        }
        self.close(kind, start);
        Ok(())
    }

    /// A map or a set, whatever the order: the sum without carry of what stands for each entry.
    fn members(&mut self, kind: u8, len: usize, level: usize) -> Result<()> {
        let mut sum = [0; MEMBER_LEN];
        for _ in 0..len {
            let start = self.out.len();
            self.item(level)?;
            if kind == MAP {
                self.item(level)?;
                self.close(VECTOR, start);
            } else {
                self.close(SET, start);
                self.out.remove(start);
            }
            sum.iter_mut().zip(self.out.drain(start..)).for_each(|(sum, byte)| *sum ^= byte);
        }
        self.out.push(kind);
        if len > 0 {
            self.out.extend(sum);
        }
        Ok(())
    }

    /// Puts one digest in the place of all that was written since.
    fn close(&mut self, kind: u8, start: usize) {
        let digest = Sha512::digest(self.out.get(start..).unwrap_or_default());
        self.out.truncate(start);
        self.out.push(kind);
        self.out.extend(digest);
    }

    fn number(&mut self, n: i128) {
        self.out.push(NUMBER);
        // Writing to a vector cannot fail.
        _ = write!(self.out, "{n}");
    }

    fn double(&mut self, n: f64) {
        self.has_floats = true;
        let text = if self.java == Java::Modern { number::java_double(n) } else { older_java::double(n) };
        self.text(NUMBER, &text);
    }

    /// A float of 4 bytes, or of 2, which Java knows as one of 4.
    #[allow(clippy::cast_possible_truncation, reason = "it was read from no more bytes than that")]
    fn float(&mut self, n: f64) {
        self.has_floats = true;
        let n = n as f32;
        let text = if self.java == Java::Modern { number::java_float(n) } else { older_java::float(n) };
        self.text(NUMBER, &text);
    }

    fn decimal(&mut self) -> Result<()> {
        let Head::Array(2) = self.head()? else { return Err(misfit()) };
        let exponent = self.integer()?.to_i128();
        let mantissa = self.integer()?;
        // Java's scale is an `int`, and the exponent with its sign turned.
        let exponent = exponent.filter(|exponent| i32::try_from(-exponent).is_ok());
        let exponent = exponent.and_then(|exponent| i64::try_from(exponent).ok());
        let exponent = exponent.ok_or_else(|| invalid("a decimal with an exponent that Java cannot hold"))?;
        self.text(NUMBER, &Decimal { mantissa, exponent }.to_string());
        Ok(())
    }

    fn integer(&mut self) -> Result<BigInt> {
        Ok(match self.head()? {
            Head::Positive(n) => i128::from(n).into(),
            Head::Negative(n) => (-1 - i128::from(n)).into(),
            Head::Tag(tag @ (tag::BIG_POSITIVE | tag::BIG_NEGATIVE)) => {
                let Head::Bytes(len) = self.head()? else { return Err(misfit()) };
                BigInt::from_tag_content(tag == tag::BIG_NEGATIVE, self.take(len)?)
            }
            _ => return Err(misfit()),
        })
    }

    fn date(&mut self, tag: u64) -> Result<()> {
        let ms = match (tag, self.head()?) {
            (tag::DATE_TEXT, Head::Text(len)) => {
                let text = std::str::from_utf8(self.take(len)?).map_err(|_| misfit())?;
                if is_finer(text) {
                    return Err(invalid("hasch has no hash for a moment finer than a millisecond"));
                }
                date::parse(text)
            }
            (tag::DATE_SECONDS, Head::Positive(s)) => i64::try_from(s).ok().and_then(|s| s.checked_mul(1000)),
            (tag::DATE_SECONDS, Head::Negative(s)) => i64::try_from(s).ok().and_then(|s| (-1 - s).checked_mul(1000)),
            (tag::DATE_SECONDS, Head::Float(s)) => from_seconds(&Value::Float(s)),
            _ => None,
        };
        self.text(DATE, &ms.ok_or_else(misfit)?.to_string());
        Ok(())
    }

    fn text(&mut self, kind: u8, text: &str) {
        self.out.push(kind);
        self.out.extend(text.as_bytes());
    }

    /// The next so many bytes as a text or byte string.
    fn safe(&mut self, kind: u8, len: usize) -> Result<()> {
        let bytes = self.take(len)?;
        self.encode(kind, bytes);
        Ok(())
    }

    /// A text or byte string so that it cannot pass for the coercion of another kind: each byte that could begin one is
    /// marked behind it.
    fn encode(&mut self, kind: u8, bytes: &[u8]) {
        self.out.push(kind);
        if bytes.len() < LONG {
            self.out.extend(bytes);
            self.out.extend(bytes.iter().map(|byte| u8::from((1..30).contains(byte))));
        } else {
            self.out.extend(Sha512::digest(bytes));
        }
    }

    fn head(&mut self) -> Result<Head> {
        self.reader.head().map_err(flawed)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        self.reader.take(len).map_err(flawed)
    }
}

/// Whether the seconds of an RFC 3339 text have digits behind the third that are not zero.
fn is_finer(text: &str) -> bool {
    let Some((_, fraction)) = text.split_once('.') else { return false };
    fraction.bytes().take_while(u8::is_ascii_digit).skip(3).any(|digit| digit != b'0')
}

#[cold]
fn flawed(flaw: Flaw) -> Error {
    invalid(&flaw.kind.to_string())
}

#[cold]
fn misfit() -> Error {
    invalid(&FlawKind::Tag.to_string())
}

#[cold]
fn unhashable(tag: u64) -> Error {
    let what = match tag {
        tag::RATIO => "a ratio",
        tag::URI => "a URI",
        tag::REGEXP => "a regular expression",
        tag::MAP => "a Map of JavaScript's",
        40 | 64..=87 => "an array of numbers",
        1002 => "a duration",
        1004 => "a date without a time",
        _ => return invalid(&format!("hasch has no hash for CBOR tag {tag}")),
    };
    invalid(&format!("hasch has no hash for {what}"))
}
