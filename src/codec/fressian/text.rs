//! Strings as Fressian has them: each unit of UTF-16 by itself, so that what UTF-8 writes in four bytes has twice three.

use std::{borrow::Cow, str};

use super::codes;

/// The most bytes of one chunk.
const CHUNK: usize = 65_536;

/// Why bytes are no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Half of a surrogate pair, which UTF-8 has no form for.
    Lone,
    /// Something else.
    Malformed,
}

/// The text that stands in these bytes, also where they are UTF-8 as it should be.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    let mut rest = bytes;
    let mut text = String::new();
    loop {
        match str::from_utf8(rest) {
            Ok(good) if text.is_empty() => return Ok(Cow::Borrowed(good)),
            Ok(good) => {
                text.push_str(good);
                return Ok(Cow::Owned(text));
            }
            Err(error) => {
                let (good, after) = rest.split_at_checked(error.valid_up_to()).unwrap_or_default();
                text.reserve(rest.len());
                text.push_str(str::from_utf8(good).unwrap_or_default());
                text.push(pair(after)?);
                rest = after.get(6..).unwrap_or_default();
            }
        }
    }
}

/// The character of the surrogate pair that begins here.
fn pair(bytes: &[u8]) -> Result<char, Fault> {
    match *bytes {
        [0xed, a @ 0xa0..=0xaf, b @ 0x80..=0xbf, 0xed, c @ 0xb0..=0xbf, d @ 0x80..=0xbf, ..] => {
            let ten = |upper: u8, lower: u8| u32::from(upper & 0xf) << 6 | u32::from(lower & 0x3f);
            char::from_u32(0x1_0000 + (ten(a, b) << 10 | ten(c, d))).ok_or(Fault::Malformed)
        }
        [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => Err(Fault::Lone),
        _ => Err(Fault::Malformed),
    }
}

/// Writes a string, in chunks if it is long.
pub(super) fn write(text: &str, out: &mut Vec<u8>) {
    let bytes = units(text);
    let mut rest = &*bytes;
    while rest.len() > CHUNK {
        // Where a unit begins, be it the second one of a pair.
        let end = (0..=CHUNK).rev().find(|at| rest.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80));
        let Some((chunk, after)) = rest.split_at_checked(end.unwrap_or(CHUNK)) else { break };
        out.push(codes::STRING_CHUNK);
        super::integer::write_len(chunk.len(), out);
        out.extend(chunk);
        rest = after;
    }
    super::integer::write_head(codes::STRING_PACKED, codes::STRING, rest.len(), out);
    out.extend(rest);
}

/// The bytes of each unit.
fn units(text: &str) -> Cow<'_, [u8]> {
    if text.is_ascii() || !text.bytes().any(|byte| byte >= 0xf0) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len() / 2 * 3);
    for c in text.chars() {
        let code = u32::from(c);
        if code < 0x1_0000 {
            bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let [upper, lower] = unit.to_be_bytes();
                bytes.extend([0xed, 0x80 | (upper & 0xf) << 2 | lower >> 6, 0x80 | lower & 0x3f]);
            }
        }
    }
    Cow::Owned(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_comes_back(text: String) {
            let units = units(&text);
            prop_assert_eq!(decode(&units).unwrap(), text.as_str());
            prop_assert_eq!(decode(text.as_bytes()).unwrap(), text.as_str());
        }
    }

    #[test]
    fn half_a_pair_is_no_text() {
        for (bytes, fault) in [
            (&b"a\xed\xa0\xbc"[..], Fault::Lone),
            (b"\xed\xb0\x80", Fault::Lone),
            (b"\xed\xa0\xbc\xed\xa0\xbc", Fault::Lone),
            (b"\xed\xa0\xbcx", Fault::Lone),
            (b"\xed\xa0", Fault::Malformed),
            (b"\xff", Fault::Malformed),
            (b"\xc0\x80", Fault::Malformed),
        ] {
            assert_eq!(decode(bytes), Err(fault), "{bytes:x?}");
        }
    }

    #[test]
    fn chunks_end_where_a_unit_begins() {
        for (unit, units) in [("a", 65_536), ("é", 32_768), ("世", 21_845), ("🌍", 10_922)] {
            for (more, chunks) in [(0, 1), (1, 2)] {
                let mut out = Vec::new();
                write(&unit.repeat(units + more), &mut out);
                assert_eq!(out[0], if chunks == 1 { codes::STRING } else { codes::STRING_CHUNK }, "{unit} {more}");
            }
        }
    }
}
