//! Metadata as Clojure's konserve keeps it: a map with keywords as keys.
//!
//! Entries of the user's have text as names here and keywords there: `author` is `:author`. What is no keyword there keeps
//! its EDN text as name. A name that means something else here (`size`) has its colon: `:size`.

use bytes::Bytes;

use crate::{
    error::{Error, ErrorKind, Result},
    key::Key,
    meta::{Kind, Meta, RESERVED},
    value::Value,
};

/// Entries that konserve gives a meaning. `:revision` is of newer versions, and changes with each write of theirs: an
/// older one must not stay.
const REVISION: &str = "revision";

/// The map of a meta section, in the inner form.
pub fn to_cbor(meta: &Meta, revision: Option<String>) -> Result<Vec<u8>> {
    let keyword = |name: &str| Value::Keyword(name.to_owned());
    let kind = match meta.kind {
        Kind::LogElement => Kind::Log,
        kind => kind,
    };
    let mut entries = vec![
        (keyword("key"), Value::from_cbor(meta.key.exact())?),
        (keyword("type"), keyword(kind.as_str())),
        (keyword("last-write"), date(meta.last_write)),
    ];
    entries.extend(revision.map(|revision| (keyword(REVISION), Value::Text(revision))));
    entries.extend(meta.expires.map(|at| (keyword("expires"), date(at))));
    if !meta.user.is_empty()
        && let Value::Map(user) = Value::from_cbor(&meta.user)?
    {
        let taken = entries.len();
        for (name, value) in user {
            let name = their_name(name);
            if entries.iter().take(taken).all(|(other, _)| *other != name) {
                entries.push((name, value));
            }
        }
    }
    Value::Map(entries).to_cbor()
}

/// The metadata of a map in the inner form. Of what `kind` a blob of an append log is, the caller knows.
pub fn from_cbor(map: &[u8]) -> Result<Meta> {
    let corrupt = || Error::new(ErrorKind::Corrupt, "the metadata of a blob is no metadata; restore it from a backup");
    let Value::Map(entries) = Value::from_cbor(map)? else { return Err(corrupt()) };
    let (mut key, mut kind, mut last_write, mut expires, mut user) = (None, Kind::Value, 0, None, Vec::new());
    for (name, value) in entries {
        match (&name, &value) {
            (Value::Keyword(name), _) if name == "key" => key = Some(value),
            (Value::Keyword(name), Value::Keyword(it)) if name == "type" => {
                kind = Kind::parse(it.as_bytes()).unwrap_or(kind);
            }
            (Value::Keyword(name), _) if name == "last-write" => last_write = moment(&value).unwrap_or_default(),
            (Value::Keyword(name), _) if name == "expires" && expiry(&value).is_some() => expires = expiry(&value),
            (Value::Keyword(name), _) if name == REVISION => {}
            _ => user.push((Value::Text(our_name(&name)), value)),
        }
    }
    let key = Key::from_cbor(&key.ok_or_else(corrupt)?.to_cbor()?).map_err(|_| corrupt())?;
    let user = if user.is_empty() { Bytes::new() } else { Value::Map(user).to_cbor()?.into() };
    Ok(Meta { expires, user, ..Meta::new(key, kind, last_write) })
}

fn date(ms: u64) -> Value {
    i64::try_from(ms).map_or(Value::Int(ms.into()), Value::Date)
}

fn moment(value: &Value) -> Option<u64> {
    match value {
        Value::Date(ms) => u64::try_from(*ms).ok(),
        Value::BigInt(n) => n.to_string().parse().ok(),
        value => value.as_i64().and_then(|ms| u64::try_from(ms).ok()),
    }
}

/// A moment as it is written. A number is the user's own: seconds to live, perhaps.
fn expiry(value: &Value) -> Option<u64> {
    moment(value).filter(|at| matches!(value, Value::Date(_)) || i64::try_from(*at).is_err())
}

fn our_name(name: &Value) -> String {
    match name {
        Value::Keyword(name) if !RESERVED.contains(&name.as_str()) => name.clone(),
        Value::Text(name) if !name.starts_with([':', '"']) => format!("\"{name}\""),
        other => other.to_string(),
    }
}

fn their_name(name: Value) -> Value {
    match name {
        Value::Text(name) if name.starts_with([':', '"']) => {
            crate::value::edn::read(&name).unwrap_or(Value::Text(name))
        }
        Value::Text(name) => Value::Keyword(name),
        other => other,
    }
}
