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

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// The whole number `n`.
    pub fn positive(&mut self, n: u64) {
        self.push(Header::Positive(n));
    }

    /// The whole number `-1 - n`.
    pub fn negative(&mut self, n: u64) {
        self.push(Header::Negative(n));
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
        let bits = if n.is_nan() { 0x7ff8_0000_0000_0000 } else { n.to_bits() };
        self.out.push(0xfb);
        self.out.extend(bits.to_be_bytes());
    }

    /// `false` or `true`.
    pub fn bool(&mut self, b: bool) {
        self.push(Header::Simple(20 + u8::from(b)));
    }

    /// `null`.
    pub fn null(&mut self) {
        self.push(Header::Simple(22));
    }

    /// `undefined`.
    pub fn undefined(&mut self) {
        self.push(Header::Simple(23));
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.push(Header::Text(Some(text.len())));
        self.out.extend(text.as_bytes());
    }

    /// A byte string.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.push(Header::Bytes(Some(bytes.len())));
        self.out.extend(bytes);
    }

    /// The head of an array; so many items must follow.
    pub fn array(&mut self, len: usize) {
        self.push(Header::Array(Some(len)));
    }

    /// The head of a map; so many keys, each with its value, must follow.
    pub fn map(&mut self, len: usize) {
        self.push(Header::Map(Some(len)));
    }

    /// A tag; one item must follow.
    pub fn tag(&mut self, tag: u64) {
        self.push(Header::Tag(tag));
    }

    /// Items that are CBOR already.
    pub fn raw(&mut self, items: &[u8]) {
        self.out.extend(items);
    }

    fn push(&mut self, header: Header) {
        // Writing to a vector cannot fail.
        _ = Encoder::from(&mut self.out).push(header);
    }
}
