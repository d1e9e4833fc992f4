//! Whole numbers of any size.

use std::{cmp::Ordering, fmt, str::FromStr};

/// A whole number of any size, as JavaScript's `bigint` and Clojure's `5N` are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BigInt {
    /// Big-endian, without leading zeros; zero is no bytes.
    magnitude: Box<[u8]>,
    /// Never set for zero.
    negative: bool,
}

/// Decimal digits are converted nine at a time: the most that fit into a limb.
const CHUNK: usize = 9;
const CHUNK_BASE: u64 = 1_000_000_000;

impl BigInt {
    /// From a sign and a magnitude, big-endian; leading zeros are dropped, and there is no negative zero.
    pub fn new(negative: bool, magnitude: &[u8]) -> Self {
        let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
        let magnitude: Box<[u8]> = magnitude.get(zeros..).unwrap_or_default().into();
        Self { negative: negative && !magnitude.is_empty(), magnitude }
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Its distance from zero, big-endian without leading zeros; no bytes for zero.
    pub fn magnitude(&self) -> &[u8] {
        &self.magnitude
    }

    /// The same number, if it fits.
    pub fn to_i128(&self) -> Option<i128> {
        let magnitude = self.unsigned()?;
        if self.negative { 0_i128.checked_sub_unsigned(magnitude) } else { i128::try_from(magnitude).ok() }
    }

    /// The same number, if it fits.
    pub fn to_u128(&self) -> Option<u128> {
        if self.negative { None } else { self.unsigned() }
    }

    fn unsigned(&self) -> Option<u128> {
        let shift = |sum: u128, byte: &u8| Some(sum.checked_mul(256)? | u128::from(*byte));
        self.magnitude.iter().try_fold(0, shift)
    }

    /// The content of CBOR's tag 2 or 3 (RFC 8949 §3.4.3): `n`, or `-1 - n`; zero is one byte.
    pub(super) fn to_tag_content(&self) -> Vec<u8> {
        let mut bytes = self.magnitude.to_vec();
        if self.negative {
            for byte in bytes.iter_mut().rev() {
                let borrow = *byte == 0;
                *byte = byte.wrapping_sub(1);
                if !borrow {
                    break;
                }
            }
        }
        if bytes.len() > 1 && bytes.first() == Some(&0) {
            bytes.remove(0);
        }
        if bytes.is_empty() { vec![0] } else { bytes }
    }

    /// The inverse of [`to_tag_content`](Self::to_tag_content); any leading zeros are accepted.
    pub(crate) fn from_tag_content(negative: bool, content: &[u8]) -> Self {
        if !negative {
            return Self::new(false, content);
        }
        let mut bytes = vec![0];
        bytes.extend(content);
        for byte in bytes.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
        Self::new(true, &bytes)
    }
}

impl From<i128> for BigInt {
    fn from(n: i128) -> Self {
        Self::new(n < 0, &n.unsigned_abs().to_be_bytes())
    }
}

impl Ord for BigInt {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitudes = (self.magnitude.len(), &self.magnitude).cmp(&(other.magnitude.len(), &other.magnitude));
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => magnitudes,
            (true, true) => magnitudes.reverse(),
        }
    }
}

impl PartialOrd for BigInt {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for BigInt {
    /// Decimal digits, without a suffix.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Limbs of 32 bits, most significant first.
        let mut limbs: Vec<u64> = self
            .magnitude
            .rchunks(4)
            .rev()
            .map(|limb| limb.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
            .collect();
        let mut chunks = Vec::new();
        while !limbs.is_empty() {
            let mut rest = 0;
            for limb in &mut limbs {
                let part = rest << 32 | *limb;
                *limb = part / CHUNK_BASE;
                rest = part % CHUNK_BASE;
            }
            chunks.push(rest);
            let zeros = limbs.iter().take_while(|limb| **limb == 0).count();
            limbs.drain(..zeros);
        }
        let mut digits = chunks.pop().unwrap_or_default().to_string();
        for chunk in chunks.iter().rev() {
            fmt::Write::write_fmt(&mut digits, format_args!("{chunk:09}"))?;
        }
        f.pad_integral(!self.negative, "", &digits)
    }
}

/// A text is no number of the kind that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

impl fmt::Display for NotANumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a number of this kind")
    }
}

impl std::error::Error for NotANumber {}

impl FromStr for BigInt {
    type Err = NotANumber;

    /// Decimal digits, after a sign if there is one.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let negative = text.starts_with('-');
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text).as_bytes();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(NotANumber);
        }
        // Limbs of 32 bits, least significant first.
        let mut limbs: Vec<u32> = Vec::new();
        let (first, others) = digits.split_at(digits.len() % CHUNK);
        for chunk in std::iter::once(first).chain(others.chunks(CHUNK)) {
            let mut carry = chunk.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
            for limb in &mut limbs {
                let part = u64::from(*limb) * CHUNK_BASE + carry;
                [*limb, _] = halves(part);
                carry = part >> 32;
            }
            if carry > 0 {
                limbs.push(halves(carry)[0]);
            }
        }
        let magnitude: Vec<u8> = limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
        Ok(Self::new(negative, &magnitude))
    }
}

/// The lower and the upper 32 bits.
#[allow(clippy::cast_possible_truncation, reason = "it is what is wanted")]
fn halves(n: u64) -> [u32; 2] {
    [n as u32, (n >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_numbers_have_their_digits() {
        for text in ["0", "1", "-1", "999999999", "1000000000", "18446744073709551616", "-18446744073709551617"] {
            assert_eq!(text.parse::<BigInt>().unwrap().to_string(), text);
        }
        assert_eq!("-0".parse::<BigInt>().unwrap(), BigInt::default());
        assert_eq!(BigInt::new(false, &[1, 0, 0, 0, 0, 0, 0, 0, 0]).to_string(), "18446744073709551616");
        for text in ["", "-", "+", "1_0", "--1", "1.0", "٣"] {
            assert_eq!(text.parse::<BigInt>(), Err(NotANumber), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_i128(a: i128, b: i128) {
            let big = BigInt::from(a);
            prop_assert_eq!(big.to_string(), a.to_string());
            prop_assert_eq!(a.to_string().parse::<BigInt>().unwrap(), big.clone());
            prop_assert_eq!(big.to_i128(), Some(a));
            prop_assert_eq!(big.cmp(&BigInt::from(b)), a.cmp(&b));
        }

        #[test]
        fn digits_and_tag_content_come_back(negative: bool, bytes: Vec<u8>) {
            let big = BigInt::new(negative, &bytes);
            prop_assert_eq!(big.to_string().parse::<BigInt>().unwrap(), big.clone());
            let content = big.to_tag_content();
            prop_assert!(content.len() == 1 || content[0] != 0);
            prop_assert_eq!(BigInt::from_tag_content(big.is_negative(), &content), big);
        }
    }
}
