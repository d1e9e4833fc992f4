//! Diagnostic notation (RFC 8949 §8), for messages.

use std::fmt::Write;

use super::{Flaw, Head, MAX_DEPTH, Reader};

/// Longer notation is cut, so that a message stays readable.
const MAX_LEN: usize = 200;

/// The first item of `bytes` as people write CBOR: `"k"`, `[1, 2.5]`, `39(":a")`, `h'00ff'`.
pub fn diagnose(bytes: &[u8]) -> String {
    let mut out = String::new();
    if item(&mut Reader::new(bytes), &mut out, 0).is_err() {
        out.push('…');
    }
    if let Some((cut, _)) = out.char_indices().nth(MAX_LEN) {
        out.truncate(cut);
        out.push('…');
    }
    out
}

fn item(reader: &mut Reader<'_>, out: &mut String, depth: usize) -> Result<(), Flaw> {
    if out.len() > 4 * MAX_LEN || depth > MAX_DEPTH {
        return Err(reader.flaw(super::FlawKind::Depth));
    }
    // Writing to a string cannot fail.
    match reader.head()? {
        Head::Positive(n) => _ = write!(out, "{n}"),
        Head::Negative(n) => _ = write!(out, "{}", -1 - i128::from(n)),
        Head::Float(n) => _ = write!(out, "{n:?}"),
        Head::Simple(20) => out.push_str("false"),
        Head::Simple(21) => out.push_str("true"),
        Head::Simple(22) => out.push_str("null"),
        Head::Simple(23) => out.push_str("undefined"),
        Head::Simple(n) => _ = write!(out, "simple({n})"),
        Head::Text(len) => _ = write!(out, "{:?}", String::from_utf8_lossy(reader.take(len)?)),
        Head::Bytes(len) => {
            out.push_str("h'");
            reader.take(len)?.iter().take(MAX_LEN).for_each(|byte| _ = write!(out, "{byte:02x}"));
            out.push('\'');
        }
        Head::Tag(tag) => {
            _ = write!(out, "{tag}(");
            item(reader, out, depth + 1)?;
            out.push(')');
        }
        Head::Array(len) => {
            out.push('[');
            for at in 0..len {
                out.push_str(if at > 0 { ", " } else { "" });
                item(reader, out, depth + 1)?;
            }
            out.push(']');
        }
        Head::Map(len) => {
            out.push('{');
            for at in 0..len {
                out.push_str(if at > 0 { ", " } else { "" });
                item(reader, out, depth + 1)?;
                out.push_str(": ");
                item(reader, out, depth + 1)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_written_as_people_write_them() {
        let bytes = b"\x86\x01\x20\xf9\x3e\x00\xd8\x27\x62:a\xa1\x61k\x42\x00\xff\xf7";
        assert_eq!(diagnose(bytes), r#"[1, -1, 1.5, 39(":a"), {"k": h'00ff'}, undefined]"#);
    }

    #[test]
    fn bad_and_endless_items_stay_short() {
        assert_eq!(diagnose(b"\x81\x61"), "[…");
        assert!(diagnose(&vec![0x81; 100_000]).chars().count() <= MAX_LEN + 1);
    }
}
