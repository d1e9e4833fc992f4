//! The canonical form, which makes one key out of all encodings of it.

use super::{Flaw, FlawKind, Head, Reader, Writer, check, tag};
use crate::env::sort;

/// Whole numbers are exact in a float up to here.
const EXACT: u64 = 1 << 53;

/// The same item in the one form that names a key. At every depth: numbers by value (whole and within ±2^53 an
/// integer, else the shortest exact float), integers beyond that and all big integers as tag 2 or 3 without leading
/// zeros, map entries and set members in bytewise order. Texts stay as they are.
///
/// The item is [checked](check) first. Keys or members that only now are the same are a [`FlawKind::Duplicate`]
/// at their map or set.
pub fn canonical(item: &[u8]) -> Result<Vec<u8>, Flaw> {
    check(item)?;
    if is_plain(item) {
        return Ok(item.to_vec());
    }
    let mut form = Form { reader: Reader::new(item), out: Writer::new() };
    form.item(false)?;
    Ok(form.out.finish())
}

/// What a store's key may not hold beyond what [`check`] refuses, at any depth: `undefined`
/// ([`FlawKind::Undefined`]) and records whose name begins `konserve/` ([`FlawKind::Reserved`]).
pub fn check_key(item: &[u8]) -> Result<(), Flaw> {
    let mut reader = Reader::new(item);
    while !reader.rest().is_empty() {
        let flaw = reader.flaw(FlawKind::Undefined);
        match reader.head()? {
            Head::Simple(23) => return Err(flaw),
            Head::Tag(tag::RECORD) if is_reserved(reader.clone())? => {
                return Err(Flaw { kind: FlawKind::Reserved, ..flaw });
            }
            Head::Bytes(len) | Head::Text(len) => _ = reader.take(len)?,
            _ => {}
        }
    }
    Ok(())
}

fn is_reserved(mut record: Reader<'_>) -> Result<bool, Flaw> {
    Ok(match (record.head()?, record.head()?) {
        (Head::Array(_), Head::Text(len)) => record.take(len)?.starts_with(b"konserve/"),
        _ => false,
    })
}

/// Whether a sound item is its own canonical form, as its first bytes can tell: texts, bytes, integers of up to four
/// bytes and the simple values, tagged or not, but no big integers.
pub(super) fn is_plain(item: &[u8]) -> bool {
    let mut reader = Reader::new(item);
    loop {
        match reader.rest().first() {
            Some(0..=0x1a | 0x20..=0x3a | 0x40..=0x7f | 0xf4..=0xf7) => return true,
            Some(0xc0 | 0xc1 | 0xc4..=0xdb) if reader.head().is_ok() => {}
            _ => return false,
        }
    }
}

struct Form<'a> {
    reader: Reader<'a>,
    out: Writer,
}

impl Form<'_> {
    /// One item, `check` has bounded the depth.
    fn item(&mut self, set: bool) -> Result<(), Flaw> {
        let at = self.reader.at();
        match self.reader.head()? {
            Head::Positive(n) if n > EXACT => self.big(tag::BIG_POSITIVE, &n.to_be_bytes()),
            Head::Negative(n) if n >= EXACT => self.big(tag::BIG_NEGATIVE, &n.to_be_bytes()),
            Head::Positive(n) => self.out.positive(n),
            Head::Negative(n) => self.out.negative(n),
            Head::Float(n) => self.float(n),
            Head::Simple(n) => self.out.simple(n),
            Head::Text(len) => self.out.text_bytes(self.reader.take(len)?),
            Head::Bytes(len) => self.out.bytes(self.reader.take(len)?),
            Head::Tag(tag @ (tag::BIG_POSITIVE | tag::BIG_NEGATIVE)) => match self.reader.head()? {
                Head::Bytes(len) => {
                    let magnitude = self.reader.take(len)?;
                    self.big(tag, magnitude);
                }
                _ => return Err(Flaw { kind: FlawKind::Tag, at }),
            },
            Head::Tag(tag) => {
                self.out.tag(tag);
                self.item(tag == tag::SET)?;
            }
            Head::Array(len) => {
                self.out.array(len);
                let body = self.out.len();
                (0..len).try_for_each(|_| self.item(false))?;
                if set {
                    self.sort(body, 1, at)?;
                }
            }
            Head::Map(len) => {
                self.out.map(len);
                let body = self.out.len();
                (0..2 * len).try_for_each(|_| self.item(false))?;
                self.sort(body, 2, at)?;
            }
        }
        Ok(())
    }

    fn big(&mut self, tag: u64, magnitude: &[u8]) {
        let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
        self.out.tag(tag);
        self.out.bytes(magnitude.get(zeros..).filter(|digits| !digits.is_empty()).unwrap_or(&[0]));
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "whole numbers up to 2^53 are exact"
    )]
    fn float(&mut self, n: f64) {
        if n.abs() <= EXACT as f64 && n.fract() == 0.0 {
            self.out.int(n as i64);
        } else {
            self.out.shortest_float(n);
        }
    }

    /// Puts what was written since `body`, entries of so many items each, into bytewise order. An encoded item is
    /// never the beginning of another, so the order of entries is the order of their keys.
    fn sort(&mut self, body: usize, items: usize, at: usize) -> Result<(), Flaw> {
        let written = self.out.split_off(body);
        let mut reader = Reader::new(&written);
        let mut entries = Vec::new();
        while !reader.rest().is_empty() {
            let start = reader.at();
            for _ in 0..items {
                reader.item()?;
            }
            entries.push(written.get(start..reader.at()).unwrap_or_default());
        }
        sort(&mut entries);
        let key = |entry| Reader::new(entry).item();
        if entries.windows(2).any(|pair| matches!(pair, [a, b] if key(a) == key(b))) {
            return Err(Flaw { kind: FlawKind::Duplicate, at });
        }
        for entry in entries {
            self.out.raw(entry);
        }
        Ok(())
    }
}
