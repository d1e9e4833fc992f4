//! Reads heads in all the forms that RFC 8949 allows.

use crate::error::{Error, ErrorKind, Result};

/// The head of an item. Lengths are `None` where they are indefinite; others are not beyond the end of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Positive(u64),
    /// The whole number `-1 - n`.
    Negative(u64),
    Bytes(Option<usize>),
    Text(Option<usize>),
    Array(Option<usize>),
    Map(Option<usize>),
    Tag(u64),
    /// `false`, `true`, `null`, `undefined`: 20–23.
    Simple(u8),
    Half(u16),
    Single(u32),
    Double(u64),
    /// The end of an indefinite length.
    Break,
}

/// A place in the input.
pub(super) struct Source<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Source<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// The error of stored bytes that are wrong here.
    pub(super) fn corrupt(&self, why: &str) -> Error {
        let at = self.at;
        Error::new(ErrorKind::Corrupt, format!("a stored value is no CBOR of konserve: {why} (before byte {at})"))
    }

    /// The next so many bytes.
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let taken = self.rest().get(..len).ok_or_else(|| self.corrupt("the bytes end too early"))?;
        self.at += len;
        Ok(taken)
    }

    pub(super) fn head(&mut self) -> Result<Head> {
        let first = self.byte()?;
        let (major, info) = (first >> 5, first & 0x1f);
        if info == 31 {
            return self.indefinite(major);
        }
        let n = self.argument(info)?;
        Ok(match major {
            0 => Head::Positive(n),
            1 => Head::Negative(n),
            2 => Head::Bytes(Some(self.within(n, 1)?)),
            3 => Head::Text(Some(self.within(n, 1)?)),
            4 => Head::Array(Some(self.within(n, 1)?)),
            5 => Head::Map(Some(self.within(n, 2)?)),
            6 => Head::Tag(n),
            _ => self.simple_or_float(info, n)?,
        })
    }

    /// The length of an array that must be a definite one.
    pub(super) fn array(&mut self, of: &str) -> Result<usize> {
        match self.head()? {
            Head::Array(Some(len)) => Ok(len),
            _ => Err(self.corrupt(&format!("{of} must be an array"))),
        }
    }

    fn byte(&mut self) -> Result<u8> {
        self.take(1).map(|byte| byte.first().copied().unwrap_or_default())
    }

    fn argument(&mut self, info: u8) -> Result<u64> {
        let len = match info {
            0..24 => return Ok(info.into()),
            24..28 => 1 << (info - 24),
            _ => return Err(self.corrupt("a head that is reserved")),
        };
        Ok(self.take(len)?.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
    }

    /// A number of items, each of so many bytes at least, that are there.
    fn within(&self, n: u64, each: usize) -> Result<usize> {
        let len = usize::try_from(n).ok().filter(|n| n.saturating_mul(each) <= self.rest().len());
        len.ok_or_else(|| self.corrupt("a length goes beyond the end"))
    }

    fn indefinite(&self, major: u8) -> Result<Head> {
        match major {
            2 => Ok(Head::Bytes(None)),
            3 => Ok(Head::Text(None)),
            4 => Ok(Head::Array(None)),
            5 => Ok(Head::Map(None)),
            7 => Ok(Head::Break),
            _ => Err(self.corrupt("a head that is reserved")),
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "as wide as `info` says")]
    fn simple_or_float(&self, info: u8, n: u64) -> Result<Head> {
        match info {
            20..=23 => Ok(Head::Simple(info)),
            25 => Ok(Head::Half(n as u16)),
            26 => Ok(Head::Single(n as u32)),
            27 => Ok(Head::Double(n)),
            _ => Err(self.corrupt("a simple value without meaning")),
        }
    }
}
