//! Reads items one head at a time, without building anything.

use ciborium_ll::{Decoder, Error, Header};

use super::{Flaw, FlawKind};

/// The head of an item; what follows it is the caller's to read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Head {
    /// A whole number from 0.
    Positive(u64),
    /// The whole number `-1 - n`.
    Negative(u64),
    /// A float of any width.
    Float(f64),
    /// `false`, `true`, `null`, `undefined` are 20–23.
    Simple(u8),
    /// A tag; one item follows.
    Tag(u64),
    /// A byte string; so many bytes follow, and they are there.
    Bytes(usize),
    /// A text; so many bytes follow, and they are there.
    Text(usize),
    /// An array; so many items follow.
    Array(usize),
    /// A map; twice so many items follow.
    Map(usize),
}

/// A place in bytes that hold CBOR.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// At the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The flaw of this kind, here.
    pub fn flaw(&self, kind: FlawKind) -> Flaw {
        Flaw { kind, at: self.at }
    }

    /// Reads a head. A length that goes beyond the end is [`FlawKind::Cut`], so nothing is ever allocated for it;
    /// an array or map that declares more items than bytes are left is too. Indefinite lengths, heads that are longer
    /// than need be and simple values other than 20–23 are [`FlawKind::Head`].
    pub fn head(&mut self) -> Result<Head, Flaw> {
        let mut decoder = Decoder::from(self.rest());
        let header = decoder.pull().map_err(|error| match error {
            Error::Io(_) => self.flaw(FlawKind::Cut),
            Error::Syntax(_) => self.flaw(FlawKind::Head),
        })?;
        let used = decoder.offset();
        let after = self.at + used;
        let left = self.bytes.len().saturating_sub(after);
        let shortest = |n: u64| if used == head_len(n) { Ok(n) } else { Err(self.flaw(FlawKind::Head)) };
        let within = |len: usize| {
            shortest(len as u64)?;
            if len <= left { Ok(len) } else { Err(self.flaw(FlawKind::Cut)) }
        };
        let head = match header {
            Header::Positive(n) => Head::Positive(shortest(n)?),
            Header::Negative(n) => Head::Negative(shortest(n)?),
            Header::Float(n) => Head::Float(n),
            Header::Simple(n @ 20..=23) if used == 1 => Head::Simple(n),
            Header::Tag(n) => Head::Tag(shortest(n)?),
            Header::Bytes(Some(len)) => Head::Bytes(within(len)?),
            Header::Text(Some(len)) => Head::Text(within(len)?),
            Header::Array(Some(len)) => Head::Array(within(len)?),
            Header::Map(Some(len)) => {
                within(len)?;
                if len > left / 2 {
                    return Err(self.flaw(FlawKind::Cut));
                }
                Head::Map(len)
            }
            Header::Bytes(None)
            | Header::Text(None)
            | Header::Array(None)
            | Header::Map(None)
            | Header::Simple(_)
            | Header::Break => return Err(self.flaw(FlawKind::Head)),
        };
        self.at = after;
        Ok(head)
    }

    /// The next so many bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Flaw> {
        let taken = self.rest().get(..len).ok_or_else(|| self.flaw(FlawKind::Cut))?;
        self.at += len;
        Ok(taken)
    }

    /// The bytes of one whole item, stepped over without a look inside texts and tags.
    pub fn item(&mut self) -> Result<&'a [u8], Flaw> {
        let start = self.at;
        let mut left = 1_usize;
        while left > 0 {
            left -= 1;
            match self.head()? {
                Head::Bytes(len) | Head::Text(len) => {
                    self.take(len)?;
                }
                Head::Array(len) => left += len,
                Head::Map(len) => left += 2 * len,
                Head::Tag(_) => left += 1,
                Head::Positive(_) | Head::Negative(_) | Head::Float(_) | Head::Simple(_) => {}
            }
        }
        Ok(self.bytes.get(start..self.at).unwrap_or_default())
    }
}

fn head_len(n: u64) -> usize {
    match n {
        0..=23 => 1,
        24..=0xff => 2,
        0x100..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}
