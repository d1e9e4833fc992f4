//! Diagnostic notation (RFC 8949 §8), for messages.

use std::fmt::Write;

use super::{Flaw, Head, MAX_DEPTH, Reader};
use crate::env::float_text;

/// Longer notation is cut, so that a message stays readable.
const MAX_LEN: usize = 200;

/// The first item of `bytes` as people write CBOR: `"k"`, `[1, 2.5]`, `39(":a")`, `h'00ff'`.
pub fn diagnose(bytes: &[u8]) -> String {
    let mut out = String::new();
    if item(&mut Reader::new(bytes), &mut out, 0).is_err() {
        out.push('…');
    }
    cut(out)
}

/// Where in a value the item is that holds the byte `at`, as one would write it in code: `["users"][3]["name"]`; empty
/// for the value itself. A key counts as what it leads to, and tags are not steps. For a [`Flaw`], before which the
/// bytes are sound.
pub fn locate(bytes: &[u8], at: usize) -> String {
    let mut way = String::new();
    _ = pass(&mut Reader::new(bytes), at, &mut way, 0);
    cut(way)
}

/// Reads one item if `at` is not in it; else `None`, and `way` leads there.
fn pass(reader: &mut Reader<'_>, at: usize, way: &mut String, depth: usize) -> Option<()> {
    let head = reader.head().ok()?;
    if let Head::Bytes(len) | Head::Text(len) = head {
        reader.take(len).ok()?;
    }
    if reader.at() > at || depth > MAX_DEPTH {
        return None;
    }
    match head {
        Head::Tag(_) => pass(reader, at, way, depth + 1),
        Head::Array(len) => (0..len).try_for_each(|n| {
            pass(reader, at, way, depth + 1).or_else(|| {
                way.insert_str(0, &format!("[{n}]"));
                None
            })
        }),
        Head::Map(len) => (0..len).try_for_each(|_| {
            let key = reader.item().ok()?;
            if reader.at() <= at && pass(reader, at, way, depth + 1).is_some() {
                return Some(());
            }
            way.insert_str(0, &format!("[{}]", diagnose(key)));
            None
        }),
        _ => Some(()),
    }
}

/// Text between quotes, as JSON writes it.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\n' => out.push_str("\\n"),
            ' '.. => out.push(char),
            _ => _ = write!(out, "\\u{:04x}", u32::from(char)),
        }
    }
    out.push('"');
    out
}

fn cut(mut out: String) -> String {
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
        Head::Negative(u64::MAX) => out.push_str("-18446744073709551616"),
        Head::Negative(n) => _ = write!(out, "-{}", n + 1),
        Head::Float(n) => out.push_str(&float_text(n)),
        Head::Simple(20) => out.push_str("false"),
        Head::Simple(21) => out.push_str("true"),
        Head::Simple(22) => out.push_str("null"),
        Head::Simple(_) => out.push_str("undefined"),
        Head::Text(len) => out.push_str(&quoted(str::from_utf8(reader.take(len)?).unwrap_or("…"))),
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
        let bytes = b"\x87\x01\x20\xf9\x3e\x00\xf9\xfc\x00\xd8\x27\x62:a\xa1\x61k\x42\x00\xff\xf7";
        assert_eq!(diagnose(bytes), r#"[1, -1, 1.5, -Infinity, 39(":a"), {"k": h'00ff'}, undefined]"#);
    }

    #[test]
    fn texts_are_quoted_as_json_does_it() {
        for text in ["", "plain", "\"\\/", "\n\t\u{0}\u{1f}", "\u{7f}é😀\u{2028}"] {
            assert_eq!(serde_json::from_str::<String>(&quoted(text)).unwrap(), text);
        }
    }

    #[test]
    fn places_are_written_as_paths() {
        // {"users": [1, {"name": 259({2: "x"})}]}
        let bytes = b"\xa1\x65users\x82\x01\xa1\x64name\xd9\x01\x03\xa1\x02\x61x";
        for (at, way) in [
            (0, ""),
            (1, r#"["users"]"#),
            (7, r#"["users"]"#),
            (8, r#"["users"][0]"#),
            (9, r#"["users"][1]"#),
            (10, r#"["users"][1]["name"]"#),
            (18, r#"["users"][1]["name"]"#),
            (20, r#"["users"][1]["name"][2]"#),
            (22, ""),
        ] {
            assert_eq!(locate(bytes, at), way, "{at}");
        }
        assert_eq!(locate(b"\x82\x01\x1c", 2), "[1]");
        assert_eq!(locate(b"\xa1\x61", 1), "");
        assert!(locate(&vec![0x81; 100_000], 99_999).starts_with("[0][0]"));
    }

    #[test]
    fn bad_and_endless_items_stay_short() {
        assert_eq!(diagnose(b"\x81\x61"), "[…");
        assert!(diagnose(&vec![0x81; 100_000]).chars().count() <= MAX_LEN + 1);
    }
}
