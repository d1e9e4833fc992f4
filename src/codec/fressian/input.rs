//! The bytes of a stored form, and what they hold without other items in it: numbers, bytes, strings.

use std::borrow::Cow;

use super::{
    codes::{self, BYTES, BYTES_CHUNK, BYTES_PACKED, STRING, STRING_CHUNK, STRING_PACKED},
    text::{self, Fault},
};
use crate::error::{Error, ErrorKind, Result};

/// A place in a stored form.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    /// At the first byte.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The error of what is no Fressian, before this place.
    #[cold]
    pub(super) fn corrupt(&self, why: &str) -> Error {
        Error::new(ErrorKind::Corrupt, format!("a stored value is no Fressian: {why}, before byte {}", self.at))
    }

    /// The next byte, which stays.
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> Result<u8> {
        let byte = self.peek().ok_or_else(|| self.corrupt("it ends too early"))?;
        self.at += 1;
        Ok(byte)
    }

    /// The next so many bytes.
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..len).ok_or_else(|| self.corrupt("it ends too early"))?;
        self.at += len;
        Ok(taken)
    }

    /// The next bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.first_chunk().copied().ok_or_else(|| self.corrupt("it ends too early"))
    }

    /// Whether this is the code of a whole number.
    pub(super) fn is_int(code: u8) -> bool {
        matches!(code, 0..=0x7f | codes::INT | 0xff)
    }

    /// The number that begins with this code: the upper bits are in it.
    pub(super) fn int(&mut self, code: u8) -> Result<i64> {
        let (zero, width) = match code {
            0..=0x3f => return Ok(code.into()),
            0xff => return Ok(-1),
            0x40..=0x5f => (0x50, 1),
            0x60..=0x6f => (0x68, 2),
            0x70..=0x73 => (0x72, 3),
            0x74..=0x77 => (0x76, 4),
            0x78..=0x7b => (0x7a, 5),
            0x7c..=0x7f => (0x7e, 6),
            codes::INT => (codes::INT, 8),
            _ => return Err(self.corrupt("there is no number where one must be")),
        };
        let upper = i64::from(code) - i64::from(zero);
        Ok(self.take(width)?.iter().fold(upper, |n, byte| n << 8 | i64::from(*byte)))
    }

    /// A length, or an index.
    pub(super) fn len(&mut self) -> Result<usize> {
        let code = self.byte()?;
        let len = self.int(code)?;
        usize::try_from(len).map_err(|_| self.corrupt("a length is below zero"))
    }

    /// How many items follow. They are there, if each has one byte, so nothing is ever reserved for more.
    pub(super) fn count(&mut self) -> Result<usize> {
        let count = self.len()?;
        self.within(count)
    }

    /// That so many items may follow.
    pub(super) fn within(&self, count: usize) -> Result<usize> {
        let left = self.bytes.len().saturating_sub(self.at);
        if count <= left { Ok(count) } else { Err(self.corrupt("more items are announced than there are bytes")) }
    }

    /// The bytes that begin with this code.
    pub(super) fn bytes(&mut self, code: u8) -> Result<Cow<'a, [u8]>> {
        match code {
            BYTES_PACKED..BYTES_CHUNK => self.take((code - BYTES_PACKED).into()).map(Cow::Borrowed),
            BYTES => self.run().map(Cow::Borrowed),
            BYTES_CHUNK => self.chunks(BYTES_CHUNK, BYTES_PACKED, BYTES).map(Cow::Owned),
            _ => Err(self.corrupt("there are no bytes where some must be")),
        }
    }

    /// The string that begins with this code.
    pub(super) fn text(&mut self, code: u8) -> Result<Cow<'a, str>> {
        let text = match code {
            STRING_PACKED..STRING_CHUNK => text::decode(self.take((code - STRING_PACKED).into())?),
            STRING => text::decode(self.run()?),
            STRING_CHUNK => {
                // A pair of surrogates may stand in two chunks.
                let bytes = self.chunks(STRING_CHUNK, STRING_PACKED, STRING)?;
                text::decode(&bytes).map(|text| Cow::Owned(text.into_owned()))
            }
            _ => return Err(self.corrupt("there is no string where one must be")),
        };
        text.map_err(|fault| {
            self.corrupt(match fault {
                Fault::Lone => "a string holds half of a surrogate pair, which UTF-8 cannot say",
                Fault::Malformed => "a string is not UTF-8",
            })
        })
    }

    fn run(&mut self) -> Result<&'a [u8]> {
        let len = self.len()?;
        self.take(len)
    }

    /// Chunks from the first one, whose code was read, to the one that has another code.
    fn chunks(&mut self, chunk: u8, packed: u8, whole: u8) -> Result<Vec<u8>> {
        let mut bytes = self.run()?.to_vec();
        loop {
            match self.byte()? {
                code if code == chunk => bytes.extend(self.run()?),
                code if code == whole => {
                    bytes.extend(self.run()?);
                    return Ok(bytes);
                }
                code if (packed..packed + 8).contains(&code) => {
                    bytes.extend(self.take((code - packed).into())?);
                    return Ok(bytes);
                }
                _ => return Err(self.corrupt("something stands between the chunks of a string or of bytes")),
            }
        }
    }
}
