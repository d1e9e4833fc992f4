//! Whole numbers: packed into their code where they are small, in two's complement where they are large.

use super::codes;

/// Writes a number in the fewest bytes.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the upper bytes are in the code")]
pub(super) fn write(n: i64, out: &mut Vec<u8>) {
    let (zero, width) = match (if n < 0 { !n } else { n }).leading_zeros() {
        0..=14 => {
            out.push(codes::INT);
            out.extend(n.to_be_bytes());
            return;
        }
        15..=22 => (0x7e, 6),
        23..=30 => (0x7a, 5),
        31..=38 => (0x76, 4),
        39..=44 => (0x72, 3),
        45..=51 => (0x68, 2),
        58.. if n >= -1 => {
            out.push(n as u8);
            return;
        }
        _ => (0x50, 1),
    };
    out.push((zero + (n >> (8 * width))) as u8);
    out.extend(n.to_be_bytes().iter().skip(8 - width));
}

/// Writes a length.
pub(super) fn write_len(len: usize, out: &mut Vec<u8>) {
    write(i64::try_from(len).unwrap_or(i64::MAX), out);
}

/// Writes the code and the length of what has few parts or many.
#[allow(clippy::cast_possible_truncation, reason = "below 8")]
pub(super) fn write_head(packed: u8, code: u8, len: usize, out: &mut Vec<u8>) {
    if len < codes::PACKED {
        out.push(packed + len as u8);
    } else {
        out.push(code);
        write_len(len, out);
    }
}

/// The bytes of a Java `BigInteger`, as few as there can be, of the content of CBOR's tag 2 or 3: `n`, or `-1 - n`.
pub(super) fn twos_complement(negative: bool, content: &[u8]) -> Vec<u8> {
    let flip = if negative { 0xff } else { 0 };
    let zeros = content.iter().take_while(|byte| **byte == 0).count();
    let digits = content.get(zeros..).unwrap_or_default();
    let mut bytes = Vec::with_capacity(digits.len() + 1);
    if digits.first().is_none_or(|first| first & 0x80 != 0) {
        bytes.push(flip);
    }
    bytes.extend(digits.iter().map(|byte| byte ^ flip));
    bytes
}

/// The inverse of [`twos_complement`], from any number of bytes: whether it is below zero, and the content.
pub(super) fn tag_content(bytes: &[u8]) -> (bool, Vec<u8>) {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let flip = if negative { 0xff } else { 0 };
    let mut content: Vec<u8> = bytes.iter().map(|byte| byte ^ flip).skip_while(|byte| *byte == 0).collect();
    if content.is_empty() {
        content.push(0);
    }
    (negative, content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bigints_are_as_java_has_them() {
        for (negative, content, bytes) in [
            (false, "00", "00"),
            (false, "", "00"),
            (false, "0000", "00"),
            (false, "7f", "7f"),
            (false, "80", "0080"),
            (true, "00", "ff"),
            (true, "", "ff"),
            (true, "7f", "80"),
            (true, "80", "ff7f"),
        ] {
            let hex = |text: &str| -> Vec<u8> {
                (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
            };
            assert_eq!(twos_complement(negative, &hex(content)), hex(bytes));
            let content = hex(content.trim_start_matches("00"));
            assert_eq!(tag_content(&hex(bytes)), (negative, if content.is_empty() { vec![0] } else { content }));
        }
    }

    proptest! {
        #[test]
        fn bigints_come_back(n: i128) {
            let content = if n < 0 { !n } else { n }.to_be_bytes();
            let (negative, digits) = tag_content(&twos_complement(n < 0, &content));
            prop_assert_eq!(negative, n < 0);
            prop_assert!(content.ends_with(&digits));
            prop_assert_eq!(tag_content(&n.to_be_bytes()), (negative, digits));
        }
    }
}
