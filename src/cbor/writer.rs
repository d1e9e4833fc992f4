//! Writes items: definite lengths, shortest heads, floats of 8 bytes.

use ciborium_ll::{Encoder, Header};

/// CBOR being written.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing yet, and room for so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes) }
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// The whole number `n`.
    pub fn positive(&mut self, n: u64) {
        self.head(0, n);
    }

    /// The whole number `-1 - n`.
    pub fn negative(&mut self, n: u64) {
        self.head(1, n);
    }

    /// A whole number.
    pub fn int(&mut self, n: i64) {
        match u64::try_from(n) {
            Ok(n) => self.positive(n),
            Err(_) => self.negative(!n.cast_unsigned()),
        }
    }

    /// A float in 8 bytes, by hand: ciborium would write the shortest form. Every NaN is `7ff8000000000000`.
    pub fn float(&mut self, n: f64) {
        self.out.push(0xfb);
        self.out.extend(one_nan(n).to_be_bytes());
    }

    /// A float in the fewest bytes that are exact, for canonical keys.
    pub fn shortest_float(&mut self, n: f64) {
        // Writing to a vector cannot fail.
        _ = Encoder::from(&mut self.out).push(Header::Float(one_nan(n)));
    }

    /// The simple value `n`.
    pub(super) fn simple(&mut self, n: u8) {
        self.head(7, n.into());
    }

    /// `false` or `true`.
    pub fn bool(&mut self, b: bool) {
        self.simple(20 + u8::from(b));
    }

    /// `null`.
    pub fn null(&mut self) {
        self.simple(22);
    }

    /// `undefined`.
    pub fn undefined(&mut self) {
        self.simple(23);
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.text_bytes(text.as_bytes());
    }

    /// A text that is known to be UTF-8.
    pub(crate) fn text_bytes(&mut self, text: &[u8]) {
        self.head(3, text.len() as u64);
        self.out.extend(text);
    }

    /// A byte string.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.head(2, bytes.len() as u64);
        self.out.extend(bytes);
    }

    /// The head of an array; so many items must follow.
    pub fn array(&mut self, len: usize) {
        self.head(4, len as u64);
    }

    /// The head of a map; so many keys, each with its value, must follow.
    pub fn map(&mut self, len: usize) {
        self.head(5, len as u64);
    }

    /// A tag; one item must follow.
    pub fn tag(&mut self, tag: u64) {
        self.head(6, tag);
    }

    /// Items that are CBOR already.
    pub fn raw(&mut self, items: &[u8]) {
        self.out.extend(items);
    }

    /// How many bytes were written.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// What was written after the first `at` bytes.
    pub(crate) fn since(&self, at: usize) -> &[u8] {
        self.out.get(at..).unwrap_or_default()
    }

    /// Takes back what was written after the first `at` bytes.
    pub(crate) fn split_off(&mut self, at: usize) -> Vec<u8> {
        self.out.split_off(at)
    }

    /// A major type and its number, by hand like in [`Reader`](super::Reader).
    fn head(&mut self, major: u8, n: u64) {
        let (first, len) = match n {
            // Most heads, and much faster.
            0..24 => return self.out.push(major << 5 | n.to_be_bytes()[7]),
            24..=0xff => (24, 1),
            0x100..=0xffff => (25, 2),
            0x1_0000..=0xffff_ffff => (26, 4),
            _ => (27, 8),
        };
        self.out.push(major << 5 | first);
        self.out.extend(n.to_be_bytes().iter().skip(8 - len));
    }
}

/// Of the many NaNs always the same.
fn one_nan(n: f64) -> f64 {
    if n.is_nan() { f64::from_bits(0x7ff8_0000_0000_0000) } else { n }
}
