//! The inner form as it is being written, never longer than a limit.

use crate::{
    cbor::{Head, Reader},
    codec::too_long,
    error::Result,
};

/// The one NaN of 4 bytes.
pub(super) const NAN_32: [u8; 5] = [0xfa, 0x7f, 0xc0, 0, 0];
/// The one NaN of 8 bytes.
pub(super) const NAN_64: [u8; 9] = [0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0];

pub(super) struct Out {
    bytes: Vec<u8>,
    /// How many bytes were taken out and are kept elsewhere.
    lent: usize,
    limit: usize,
}

impl Out {
    /// For an input of so many bytes.
    pub(super) fn new(input: usize, max_len: u64) -> Self {
        let limit = usize::try_from(max_len).unwrap_or(usize::MAX);
        Self { bytes: Vec::with_capacity(input.saturating_mul(2).min(limit)), lent: 0, limit }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        let len = self.bytes.len().saturating_add(self.lent).saturating_add(bytes.len());
        if len > self.limit {
            return Err(too_long(len as u64, self.limit as u64));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// A major type and its number.
    pub(super) fn head(&mut self, major: u8, n: u64) -> Result<()> {
        let (head, len) = head(major, n);
        self.raw(head.get(..len).unwrap_or_default())
    }

    /// A float of 4 bytes.
    pub(super) fn single(&mut self, n: f32) -> Result<()> {
        if n.is_nan() {
            return self.raw(&NAN_32);
        }
        self.raw(&[0xfa])?;
        self.raw(&n.to_bits().to_be_bytes())
    }

    /// A float of 8 bytes.
    pub(super) fn double(&mut self, n: f64) -> Result<()> {
        if n.is_nan() {
            return self.raw(&NAN_64);
        }
        self.raw(&[0xfb])?;
        self.raw(&n.to_bits().to_be_bytes())
    }

    /// Room for a head whose number is known later; where it is.
    pub(super) fn open(&mut self) -> Result<usize> {
        let at = self.bytes.len();
        self.raw(&[0])?;
        Ok(at)
    }

    /// Writes the head that has its room there, and moves what follows it where it is longer than one byte.
    pub(super) fn close(&mut self, at: usize, major: u8, n: usize) -> Result<()> {
        let (head, len) = head(major, n as u64);
        let head = head.get(..len).unwrap_or_default();
        if len > 1 {
            // So that the limit is minded.
            self.raw(head.get(1..).unwrap_or_default())?;
            self.bytes.truncate(self.bytes.len() - (len - 1));
        }
        self.bytes.splice(at..=at, head.iter().copied());
        Ok(())
    }

    /// Takes back what was written after the first `at` bytes. It counts until it is [given back](Self::give_back).
    pub(super) fn take(&mut self, at: usize) -> Vec<u8> {
        let taken = self.bytes.split_off(at);
        self.lent += taken.len();
        taken
    }

    /// What was taken is no longer needed.
    pub(super) fn give_back(&mut self, taken: &[u8]) {
        self.lent = self.lent.saturating_sub(taken.len());
    }

    /// Forgets what was written after the first `at` bytes.
    pub(super) fn truncate(&mut self, at: usize) {
        self.bytes.truncate(at);
    }

    /// The head of what was written after the first `at` bytes, and what follows it.
    pub(super) fn written(&self, at: usize) -> Option<(Head, &[u8])> {
        let mut reader = Reader::new(self.bytes.get(at..)?);
        let head = reader.head().ok()?;
        Some((head, reader.rest()))
    }
}

/// The shortest head, and its length.
fn head(major: u8, n: u64) -> ([u8; 9], usize) {
    let (info, len) = match n {
        0..24 => (n.to_be_bytes()[7], 0),
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    let mut head = [major << 5 | info, 0, 0, 0, 0, 0, 0, 0, 0];
    for (place, byte) in head.iter_mut().skip(1).zip(n.to_be_bytes().iter().skip(8 - len)) {
        *place = *byte;
    }
    (head, 1 + len)
}
