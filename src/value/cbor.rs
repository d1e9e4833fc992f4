//! [`Value`] from and to CBOR, as FORMAT's table has it.

use super::{BigInt, Decimal, Ratio, Value, date};
use crate::{
    cbor::{Flaw, FlawKind, Head, MAX_DEPTH, Reader, Writer, tag},
    error::{Error, ErrorKind, Result},
};

/// The name that records of single characters have, in tag 27.
const CHAR: &str = "clojure/char";
/// What a declared length may reserve before the items are seen.
const RESERVE: usize = 1024;

impl Value {
    /// The value that one CBOR item stands for. `CORRUPT` if the bytes are no item, `LIMIT_EXCEEDED` if it is nested deeper
    /// than 512.
    pub fn from_cbor(item: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(item);
        let value = read(&mut reader, 0).and_then(|value| match reader.rest() {
            [] => Ok(value),
            _ => Err(reader.flaw(FlawKind::Trailing)),
        });
        value.map_err(|flaw| flawed(&flaw))
    }

    /// The item that a store keeps. `INVALID_VALUE`: a symbol that begins with a colon, a date beyond the years −271821 to
    /// 275760. `LIMIT_EXCEEDED`: nested deeper than 512. That no key or member is there twice is checked by the store.
    pub fn to_cbor(&self) -> Result<Vec<u8>> {
        let mut out = Writer::new();
        write(self, &mut out, 0)?;
        Ok(out.finish())
    }
}

/// The error of bytes that are no value.
pub(super) fn flawed(flaw: &Flaw) -> Error {
    match flaw.kind {
        FlawKind::Depth => too_deep(),
        _ => {
            Error::new(ErrorKind::Corrupt, format!("byte {} of a value is no CBOR; restore it from a backup", flaw.at))
        }
    }
}

/// The error of a value that is nested too deep.
pub(super) fn too_deep() -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("a value is nested deeper than {MAX_DEPTH}; make it flatter"))
}

/// `depth`: how many arrays, maps and tags are around.
fn read(reader: &mut Reader<'_>, depth: usize) -> Result<Value, Flaw> {
    let head = reader.head()?;
    if depth >= MAX_DEPTH && matches!(head, Head::Array(_) | Head::Map(_) | Head::Tag(_)) {
        return Err(reader.flaw(FlawKind::Depth));
    }
    Ok(match head {
        Head::Positive(n) => Value::Int(n.into()),
        Head::Negative(n) => Value::Int(-1 - i128::from(n)),
        Head::Float(n) => Value::Float(n),
        Head::Simple(20) => Value::Bool(false),
        Head::Simple(21) => Value::Bool(true),
        Head::Simple(22) => Value::Null,
        Head::Simple(23) => Value::Undefined,
        Head::Simple(_) => return Err(reader.flaw(FlawKind::Head)),
        Head::Bytes(len) => Value::Bytes(reader.take(len)?.to_vec()),
        Head::Text(len) => {
            let at = reader.flaw(FlawKind::Utf8);
            Value::Text(std::str::from_utf8(reader.take(len)?).map_err(|_| at)?.to_owned())
        }
        Head::Array(len) => {
            let mut items = Vec::with_capacity(len.min(RESERVE));
            for _ in 0..len {
                items.push(read(reader, depth + 1)?);
            }
            Value::Array(items)
        }
        Head::Map(len) => {
            let mut entries = Vec::with_capacity(len.min(RESERVE));
            for _ in 0..len {
                entries.push((read(reader, depth + 1)?, read(reader, depth + 1)?));
            }
            Value::Map(entries)
        }
        Head::Tag(tag) => classify(tag, read(reader, depth + 1)?),
    })
}

/// The variant that has this tag, if the content fits it.
pub(super) fn classify(tag: u64, content: Value) -> Value {
    match fitting(tag, &content) {
        Some(value) => value,
        None => match (tag, content) {
            (tag::SET, Value::Array(members)) => Value::Set(members),
            (_, content) => Value::Tagged(tag, Box::new(content)),
        },
    }
}

fn fitting(tag: u64, content: &Value) -> Option<Value> {
    Some(match (tag, content) {
        (tag::DATE_TEXT, Value::Text(text)) => Value::Date(date::parse(text)?),
        (tag::DATE_SECONDS, seconds) => Value::Date(from_seconds(seconds)?),
        (tag::BIG_POSITIVE, Value::Bytes(bytes)) => BigInt::from_tag_content(false, bytes).into(),
        (tag::BIG_NEGATIVE, Value::Bytes(bytes)) => BigInt::from_tag_content(true, bytes).into(),
        (tag::DECIMAL, Value::Array(parts)) => match parts.as_slice() {
            [exponent @ Value::Int(_), mantissa] => {
                Decimal { mantissa: whole(mantissa)?, exponent: exponent.as_i64()? }.into()
            }
            _ => return None,
        },
        (tag::RATIO, Value::Array(parts)) => match parts.as_slice() {
            [numerator, denominator] => Ratio::new(whole(numerator)?, whole(denominator)?)?.into(),
            _ => return None,
        },
        (tag::UUID, Value::Bytes(bytes)) => Value::Uuid(bytes.as_slice().try_into().ok()?),
        (tag::SYMBOL, Value::Text(text)) => match text.strip_prefix(':') {
            Some(name) => Value::Keyword(name.into()),
            None => Value::Symbol(text.clone()),
        },
        (tag::RECORD, Value::Array(parts)) => match parts.as_slice() {
            [Value::Text(name), Value::Text(text)] if name == CHAR => {
                let mut chars = text.chars();
                Value::Char(chars.next().filter(|_| chars.next().is_none())?)
            }
            _ => return None,
        },
        _ => return None,
    })
}

fn whole(value: &Value) -> Option<BigInt> {
    match value {
        Value::Int(n) => Some((*n).into()),
        Value::BigInt(n) => Some(n.clone()),
        _ => None,
    }
}

/// Milliseconds from the content of tag 1, rounded as JavaScript's `Math.round` does.
#[allow(clippy::cast_possible_truncation, reason = "checked to lie within the range of dates")]
pub(crate) fn from_seconds(seconds: &Value) -> Option<i64> {
    let ms = match seconds {
        Value::Int(n) => i64::try_from(*n).ok()?.checked_mul(1000)?,
        Value::Float(s) if s.abs() < 1e16 => {
            let fine = 1000.0 * s.fract();
            let round = if fine - fine.floor() < 0.5 { fine.floor() } else { fine.ceil() };
            (s.trunc() as i64).checked_mul(1000)? + round as i64
        }
        _ => return None,
    };
    in_range(ms).then_some(ms)
}

fn in_range(ms: i64) -> bool {
    (-date::MAX_MS..=date::MAX_MS).contains(&ms)
}

/// One level deeper, if the limit allows it.
fn inside(depth: usize) -> Result<usize> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(too_deep()) }
}

/// Kept small, as are those it calls back from: 512 of their frames must fit into the stack of a thread.
fn write(value: &Value, out: &mut Writer, depth: usize) -> Result<()> {
    match value {
        Value::Array(items) => write_items(items, out, depth),
        Value::Set(members) => {
            out.tag(tag::SET);
            write_items(members, out, inside(depth)?)
        }
        Value::Map(entries) => write_entries(entries, out, depth),
        Value::Tagged(tag, content) => {
            out.tag(*tag);
            write(content, out, inside(depth)?)
        }
        leaf => write_leaf(leaf, out, depth),
    }
}

fn write_items(items: &[Value], out: &mut Writer, depth: usize) -> Result<()> {
    let depth = inside(depth)?;
    out.array(items.len());
    for item in items {
        write(item, out, depth)?;
    }
    Ok(())
}

fn write_entries(entries: &[(Value, Value)], out: &mut Writer, depth: usize) -> Result<()> {
    let depth = inside(depth)?;
    out.map(entries.len());
    for (key, value) in entries {
        write(key, out, depth)?;
        write(value, out, depth)?;
    }
    Ok(())
}

/// A value that has no other values in it.
fn write_leaf(value: &Value, out: &mut Writer, depth: usize) -> Result<()> {
    match value {
        Value::Undefined => out.undefined(),
        Value::Null => out.null(),
        Value::Bool(it) => out.bool(*it),
        Value::Int(n) => write_int(*n, out, depth)?,
        Value::Float(n) => out.float(*n),
        Value::Text(text) => out.text(text),
        Value::Bytes(bytes) => out.bytes(bytes),
        Value::BigInt(n) => write_bigint(n, out, depth)?,
        Value::Ratio(ratio) => write_pair(tag::RATIO, ratio.numerator(), ratio.denominator(), out, depth)?,
        Value::Decimal(it) => write_pair(tag::DECIMAL, &i128::from(it.exponent).into(), &it.mantissa, out, depth)?,
        Value::Char(char) => {
            inside(inside(depth)?)?;
            out.tag(tag::RECORD);
            out.array(2);
            out.text(CHAR);
            out.text(char.encode_utf8(&mut [0; 4]));
        }
        Value::Date(ms) => write_date(*ms, out, depth)?,
        Value::Uuid(bytes) => {
            inside(depth)?;
            out.tag(tag::UUID);
            out.bytes(bytes);
        }
        Value::Keyword(name) => write_name(&format!(":{name}"), out, depth)?,
        Value::Symbol(name) if name.starts_with(':') => {
            let why = format!("the symbol {name} begins with a colon; make it a keyword");
            return Err(Error::new(ErrorKind::InvalidValue, why));
        }
        Value::Symbol(name) => write_name(name, out, depth)?,
        Value::Array(_) | Value::Set(_) | Value::Map(_) | Value::Tagged(..) => write(value, out, depth)?,
    }
    Ok(())
}

fn write_name(name: &str, out: &mut Writer, depth: usize) -> Result<()> {
    inside(depth)?;
    out.tag(tag::SYMBOL);
    out.text(name);
    Ok(())
}

fn write_int(n: i128, out: &mut Writer, depth: usize) -> Result<()> {
    match (u64::try_from(n), u64::try_from(!n)) {
        (Ok(n), _) => out.positive(n),
        (_, Ok(n)) => out.negative(n),
        _ => write_bigint(&n.into(), out, depth)?,
    }
    Ok(())
}

fn write_bigint(n: &BigInt, out: &mut Writer, depth: usize) -> Result<()> {
    inside(depth)?;
    out.tag(if n.is_negative() { tag::BIG_NEGATIVE } else { tag::BIG_POSITIVE });
    out.bytes(&n.to_tag_content());
    Ok(())
}

/// The parts of ratios and decimals: integers where 64 bits with a sign hold them, else bigints.
fn write_pair(tag: u64, first: &BigInt, second: &BigInt, out: &mut Writer, depth: usize) -> Result<()> {
    let depth = inside(inside(depth)?)?;
    out.tag(tag);
    out.array(2);
    for part in [first, second] {
        match part.to_i128().and_then(|n| i64::try_from(n).ok()) {
            Some(n) => out.int(n),
            None => write_bigint(part, out, depth)?,
        }
    }
    Ok(())
}

#[allow(
    clippy::cast_precision_loss,
    reason = "within the range of dates the nearest double is less than half a millisecond off"
)]
fn write_date(ms: i64, out: &mut Writer, depth: usize) -> Result<()> {
    inside(depth)?;
    if !in_range(ms) {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            format!("{ms} ms since 1970 is no date; dates reach from the year -271821 to 275760"),
        ));
    }
    if date::is_four_digits(ms) {
        out.tag(tag::DATE_TEXT);
        out.text(&(date::format(ms, false) + "Z"));
    } else {
        out.tag(tag::DATE_SECONDS);
        match ms % 1000 {
            0 => out.int(ms / 1000),
            _ => out.float(ms as f64 / 1000.0),
        }
    }
    Ok(())
}
