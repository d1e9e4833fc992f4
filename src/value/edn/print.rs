//! The EDN text of a value.

use std::fmt::{self, Write};

use super::{CHARS, JAVA_LIST, LIST, NAMED, Value, is_keyword, is_record, is_symbol};
use crate::{
    BlobName,
    cbor::{MAX_DEPTH, tag},
    value::{date, number::java_double},
};

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        print(self, if f.alternate() { Style::Sorted } else { Style::Same }, 0, &mut text)?;
        f.write_str(&text)
    }
}

/// How a value is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// So that it is read as the same, with maps and sets in their order.
    Same,
    /// The same, maps and sets in the order of their texts.
    Sorted,
    /// Sorted, with all names of keywords and symbols as they are, but for control characters.
    Dump,
}

/// The text of [`Style::Dump`].
pub(super) fn dump(value: &Value) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    _ = print(value, Style::Dump, 0, &mut text);
    text
}

/// Adds the text of a value. A value that no store would take, for it is nested too deep, ends in `…`.
fn print(value: &Value, style: Style, depth: usize, out: &mut String) -> fmt::Result {
    if depth > MAX_DEPTH {
        out.push('…');
        return Ok(());
    }
    let sorted = style != Style::Same;
    let is_raw = |name: &str| style == Style::Dump && !name.contains(char::is_control);
    match value {
        Value::Undefined => out.push_str("#js/undefined nil"),
        Value::Null => out.push_str("nil"),
        Value::Bool(it) => write!(out, "{it}")?,
        Value::Int(n) => write!(out, "{n}")?,
        Value::BigInt(n) => write!(out, "{n}N")?,
        Value::Float(n) => float(*n, out),
        Value::Ratio(ratio) => write!(out, "{ratio}")?,
        Value::Decimal(decimal) => write!(out, "{decimal}M")?,
        Value::Text(it) => text(it, out)?,
        Value::Char(it) => char(*it, out)?,
        Value::Bytes(bytes) => {
            out.push_str("#bytes \"");
            bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))?;
            out.push('"');
        }
        Value::Date(ms) => write!(out, "#inst \"{}-00:00\"", date::format(*ms, true))?,
        // The names of blobs are UUIDs, and print as these do.
        Value::Uuid(bytes) => write!(out, "#uuid \"{}\"", BlobName::from_bytes(*bytes))?,
        Value::Keyword(name) if is_keyword(name) || is_raw(name) => write!(out, ":{name}")?,
        Value::Keyword(name) => tagged(tag::SYMBOL, &Value::Text(format!(":{name}")), style, depth, out)?,
        Value::Symbol(name) if is_symbol(name) || is_raw(name) => out.push_str(name),
        Value::Symbol(name) => tagged(tag::SYMBOL, &Value::Text(name.clone()), style, depth, out)?,
        Value::Array(items) => {
            let items = items.iter().map(|item| [item]).collect();
            list(["[", " ", "]"], items, false, depth, out, style)?;
        }
        Value::Set(members) => {
            let members = members.iter().map(|member| [member]).collect();
            list(["#{", " ", "}"], members, sorted, depth, out, style)?;
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| [key, value]).collect();
            list(["{", ", ", "}"], entries, sorted, depth, out, style)?;
        }
        Value::Tagged(tag, content) => match value.as_record() {
            Some((LIST | JAVA_LIST, Value::Array(items))) => {
                let items = items.iter().map(|item| [item]).collect();
                list(["(", " ", ")"], items, false, depth, out, style)?;
            }
            Some((name, content)) if is_record(name) => {
                write!(out, "#{name} ")?;
                print(content, style, depth + 1, out)?;
            }
            _ => tagged(*tag, content, style, depth, out)?,
        },
    }
    Ok(())
}

fn tagged(tag: u64, content: &Value, style: Style, depth: usize, out: &mut String) -> fmt::Result {
    let named = NAMED.iter().find(|(named, _)| *named == tag);
    match named {
        Some((_, name)) => write!(out, "#{name} ")?,
        None => write!(out, "#cbor/tag [{tag} ")?,
    }
    print(content, style, depth + 1, out)?;
    out.push_str(if named.is_some() { "" } else { "]" });
    Ok(())
}

/// Items of one value, or of key and value, between signs: how the list begins, what stands between items, how it ends.
fn list<const N: usize>(
    [begin, between, end]: [&str; 3],
    items: Vec<[&Value; N]>,
    in_order: bool,
    depth: usize,
    out: &mut String,
    style: Style,
) -> fmt::Result {
    out.push_str(begin);
    if in_order {
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            let mut text = String::new();
            one(item, style, depth, &mut text)?;
            texts.push(text);
        }
        texts.sort_unstable();
        out.push_str(&texts.join(between));
    } else {
        for (at, item) in items.into_iter().enumerate() {
            out.push_str(if at > 0 { between } else { "" });
            one(item, style, depth, out)?;
        }
    }
    out.push_str(end);
    Ok(())
}

fn one<const N: usize>(values: [&Value; N], style: Style, depth: usize, out: &mut String) -> fmt::Result {
    for (at, value) in values.into_iter().enumerate() {
        out.push_str(if at > 0 { " " } else { "" });
        print(value, style, depth + 1, out)?;
    }
    Ok(())
}

fn float(n: f64, out: &mut String) {
    match n {
        f64::INFINITY => out.push_str("##Inf"),
        f64::NEG_INFINITY => out.push_str("##-Inf"),
        n if n.is_nan() => out.push_str("##NaN"),
        n => out.push_str(&java_double(n)),
    }
}

/// A text in quotes, as EDN and JSON both write it.
pub(in crate::value) fn text(text: &str, out: &mut String) -> fmt::Result {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c.is_control() => write!(out, "\\u{:04x}", u32::from(c))?,
            c => out.push(c),
        }
    }
    out.push('"');
    Ok(())
}

fn char(c: char, out: &mut String) -> fmt::Result {
    match CHARS.iter().find(|(named, _)| *named == c) {
        Some((_, name)) => write!(out, "\\{name}"),
        None if c.is_control() || c.is_whitespace() => write!(out, "\\u{:04x}", u32::from(c)),
        None => write!(out, "\\{c}"),
    }
}
