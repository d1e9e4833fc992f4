//! Reads items one head at a time, without building anything.
//!
//! Heads are read by hand: over slices that is several times faster than ciborium's decoder, and every get and assoc
//! waits for it.

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
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "every head needs it, also where the compiler saves space")]
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
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub fn head(&mut self) -> Result<Head, Flaw> {
        let (first, rest) = self.rest().split_first().ok_or(self.flaw(FlawKind::Cut))?;
        let (n, rest) = argument(*first, rest).map_err(|kind| self.flaw(kind))?;
        let within = |len: u64| match usize::try_from(len) {
            Ok(len) if len <= rest.len() => Ok(len),
            _ => Err(self.flaw(FlawKind::Cut)),
        };
        let head = match first >> 5 {
            0 => Head::Positive(n),
            1 => Head::Negative(n),
            2 => Head::Bytes(within(n)?),
            3 => Head::Text(within(n)?),
            4 => Head::Array(within(n)?),
            5 => {
                within(n.saturating_mul(2))?;
                Head::Map(within(n)?)
            }
            6 => Head::Tag(n),
            _ => simple_or_float(*first, n).ok_or(self.flaw(FlawKind::Head))?,
        };
        self.at = self.bytes.len() - rest.len();
        Ok(head)
    }

    /// The next so many bytes.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as `rest`")]
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Flaw> {
        let taken = self.rest().get(..len).ok_or_else(|| self.flaw(FlawKind::Cut))?;
        self.at += len;
        Ok(taken)
    }

    /// Steps over a small number, a simple value or an ASCII text of less than 24 bytes, if one is next. Most items are, and
    /// a head as a value of its own costs more than they do.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as `rest`")]
    pub fn short(&mut self) -> bool {
        let rest = self.rest();
        let len = match rest.first() {
            Some(0x00..=0x17 | 0x20..=0x37 | 0xf4..=0xf7) => 1,
            Some(head @ 0x60..=0x77) => 1 + usize::from(head & 0x1f),
            _ => return false,
        };
        // A head of these is ASCII or stands alone.
        let is_short = len == 1 || rest.get(..len).is_some_and(is_ascii);
        self.at += if is_short { len } else { 0 };
        is_short
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
            // Every item that is left has a byte. Arrays that promise too much, one inside another, end here.
            if left > self.rest().len() {
                return Err(self.flaw(FlawKind::Cut));
            }
        }
        Ok(self.bytes.get(start..self.at).unwrap_or_default())
    }
}

/// Whether up to 24 bytes are ASCII. The library looks at so few one by one.
#[cfg(not(target_arch = "wasm32"))]
#[inline(always)]
#[allow(clippy::inline_always, reason = "as `short`")]
fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let eight = |eight: &[u8; 8]| u64::from_ne_bytes(*eight);
    let four = |four: &[u8; 4]| u64::from(u32::from_ne_bytes(*four));
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        let between = bytes.get(8..).and_then(<[u8]>::first_chunk).map_or(0, eight);
        (eight(first) | between | eight(last)) & HIGH == 0
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (four(first) | four(last)) & HIGH == 0
    } else {
        bytes.iter().all(u8::is_ascii)
    }
}

/// Whether bytes are ASCII. In wasm, code is to be small.
#[cfg(target_arch = "wasm32")]
#[inline(always)]
#[allow(clippy::inline_always, reason = "as `short`")]
fn is_ascii(bytes: &[u8]) -> bool {
    bytes.is_ascii()
}

/// The number in a head, and what follows the head. Only that of a float may be shorter than its place.
fn argument(first: u8, rest: &[u8]) -> Result<(u64, &[u8]), FlawKind> {
    let (n, least, rest) = match first & 0x1f {
        n @ 0..=23 => return Ok((n.into(), rest)),
        24 => split(rest).map(|([n], rest)| (u64::from(*n), 24, rest)),
        25 => split(rest).map(|(n, rest)| (u16::from_be_bytes(*n).into(), 1 << 8, rest)),
        26 => split(rest).map(|(n, rest)| (u32::from_be_bytes(*n).into(), 1 << 16, rest)),
        27 => split(rest).map(|(n, rest)| (u64::from_be_bytes(*n), 1 << 32, rest)),
        _ => return Err(FlawKind::Head),
    }
    .ok_or(FlawKind::Cut)?;
    if n >= least || first >= 0xf9 { Ok((n, rest)) } else { Err(FlawKind::Head) }
}

fn split<const N: usize>(rest: &[u8]) -> Option<(&[u8; N], &[u8])> {
    rest.split_first_chunk()
}

#[allow(clippy::cast_possible_truncation, reason = "as wide as `first` says")]
fn simple_or_float(first: u8, n: u64) -> Option<Head> {
    match first {
        0xf4..=0xf7 => Some(Head::Simple(n as u8)),
        0xf9 => Some(Head::Float(half(n as u16))),
        0xfa => Some(Head::Float(f32::from_bits(n as u32).into())),
        0xfb => Some(Head::Float(f64::from_bits(n))),
        _ => None,
    }
}

/// A float of 2 bytes (RFC 8949 appendix D).
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction / 16_777_216.0,
        31 if fraction > 0.0 => f64::NAN,
        31 => f64::INFINITY,
        _ => (fraction + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_of_a_short_text_is_looked_at() {
        for len in 0..=24 {
            let mut bytes = vec![0x7f; len];
            assert!(is_ascii(&bytes), "{len}");
            for at in 0..len {
                bytes[at] = 0x80;
                assert!(!is_ascii(&bytes), "{at} of {len}");
                bytes[at] = 0x7f;
            }
        }
    }
}
