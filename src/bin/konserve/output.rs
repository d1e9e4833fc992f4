//! What is printed: EDN, or JSON.

use std::io::{self, BufWriter, StdoutLock, Write};

use konserve::{Error, Key, Kind, Meta, Value, value::json};

use crate::failure::Failure;

/// Standard output, one value or line after the other.
pub(crate) struct Output {
    out: BufWriter<StdoutLock<'static>>,
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { out: BufWriter::new(io::stdout().lock()), json }
    }

    /// Whether JSON is wanted.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A value in a line of its own.
    pub(crate) fn value(&mut self, value: &Value) -> Result<(), Failure> {
        if self.json { self.line(&[&json::print(value)]) } else { self.line(&[&value.to_string()]) }
    }

    /// A line of columns between tabs.
    pub(crate) fn line(&mut self, columns: &[&str]) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{}", columns.join("\t"))?)
    }

    /// For bytes as they are.
    pub(crate) fn writer(&mut self) -> &mut impl Write {
        &mut self.out
    }

    /// Writes out what is still held back.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }
}

/// The value of a key.
pub(crate) fn key(key: &Key) -> Result<Value, Error> {
    Value::from_cbor(key.exact())
}

/// Metadata as a map: with names as JavaScript has them for JSON, else with Clojure's keywords.
pub(crate) fn meta(meta: &Meta, json: bool) -> Result<Value, Error> {
    let name = |in_json: &str, in_edn: &str| {
        if json { Value::Text(in_json.into()) } else { Value::Keyword(in_edn.into()) }
    };
    let kind = meta.kind.as_str();
    let mut entries = vec![
        (name("key", "key"), key(&meta.key)?),
        (name("type", "type"), name(kind, kind)),
        (name("lastWrite", "last-write"), date(meta.last_write)),
    ];
    entries.extend(meta.size.map(|size| (name("size", "size"), size.into())));
    entries.extend(meta.digest.map(|digest| (name("digest", "digest"), digest.as_slice().into())));
    entries.extend(meta.expires.map(|at| (name("expires", "expires"), date(at))));
    if !meta.user.is_empty() {
        entries.extend_from_slice(Value::from_cbor(&meta.user)?.as_map().unwrap_or_default());
    }
    Ok(Value::Map(entries))
}

/// A moment; what no date can say is the number.
pub(crate) fn date(ms: u64) -> Value {
    let date = i64::try_from(ms).map_or(Value::Int(ms.into()), Value::Date);
    if date.to_cbor().is_ok() { date } else { Value::Int(ms.into()) }
}

/// What a blob holds, as `dump` calls it.
pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Value => "edn",
        Kind::Binary => "binary",
        Kind::Log => "log-head",
        Kind::LogElement => "log-element",
    }
}
