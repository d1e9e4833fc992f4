//! What a blob says of itself beside its value.

use bytes::Bytes;

use crate::{
    cbor::{self, Head, Reader, Writer},
    error::{Error, ErrorKind, Result},
    key::Key,
};

/// What a blob holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A value.
    Value,
    /// Bytes as they are, not serialized.
    Binary,
    /// The head of an append log.
    Log,
    /// One element of a log.
    LogElement,
}

impl Kind {
    /// As the `type` of metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "edn",
            Self::Binary => "binary",
            Self::Log => "append-log",
            Self::LogElement => "log-element",
        }
    }

    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        [Self::Value, Self::Binary, Self::Log, Self::LogElement]
            .into_iter()
            .find(|kind| kind.as_str().as_bytes() == text)
    }
}

/// The metadata of one blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The key.
    pub key: Key,
    /// What the blob holds.
    pub kind: Kind,
    /// When it was written, in milliseconds since 1970; never going back within one process.
    pub last_write: u64,
    /// When it stops being there, in milliseconds since 1970.
    pub expires: Option<u64>,
    /// The user's own entries: a CBOR map, or no bytes where there are none.
    pub user: Bytes,
    /// The length of the value in bytes, before compression, where the head says it.
    pub size: Option<u64>,
    /// BLAKE3 of the value section as stored, where the head says it.
    pub digest: Option<[u8; 32]>,
}

/// Names that entries of the user's may not have.
pub(crate) const RESERVED: [&str; 8] = ["key", "type", "last-write", "lastWrite", "expires", "user", "size", "digest"];

impl Meta {
    /// That of a blob which is written at this time, in milliseconds since 1970.
    pub(crate) fn new(key: Key, kind: Kind, last_write: u64) -> Self {
        Self { key, kind, last_write, expires: None, user: Bytes::new(), size: None, digest: None }
    }

    /// Whether it is gone at `now`, in milliseconds since 1970.
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// The map of the meta section.
    pub(crate) fn to_map(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.map(3 + usize::from(self.expires.is_some()) + usize::from(!self.user.is_empty()));
        out.text("key");
        out.raw(self.key.as_cbor());
        out.text("type");
        out.text(self.kind.as_str());
        out.text("last-write");
        out.positive(self.last_write);
        if let Some(expires) = self.expires {
            out.text("expires");
            out.positive(expires);
        }
        if !self.user.is_empty() {
            out.text("user");
            out.raw(&self.user);
        }
        out.finish()
    }

    /// Reads the map of a meta section; entries it does not know are ignored. `key` is the one that it is expected to have,
    /// where the caller knows it.
    pub(crate) fn from_map(map: &[u8], size: u64, digest: [u8; 32], key: Option<&Key>) -> Result<Self> {
        if let Some(key) = key
            && let Some(last_write) = usual(map, key)
        {
            let key = Key::from_canonical(key.canonical());
            return Ok(Self { size: Some(size), digest: Some(digest), ..Self::new(key, Kind::Value, last_write) });
        }
        let corrupt =
            || Error::new(ErrorKind::Corrupt, "the metadata of a blob is no metadata; restore it from a backup");
        cbor::check(map).map_err(|flaw| match flaw.kind {
            cbor::FlawKind::Depth => Error::new(ErrorKind::LimitExceeded, "the metadata of a blob is nested too deep"),
            _ => corrupt(),
        })?;
        Self::entries(map, size, digest).ok().flatten().ok_or_else(corrupt)
    }

    fn entries(map: &[u8], size: u64, digest: [u8; 32]) -> Result<Option<Self>, cbor::Flaw> {
        let (mut key, mut kind, mut last_write, mut expires, mut user) = (None, None, None, None, Bytes::new());
        let mut reader = Reader::new(map);
        let Head::Map(len) = reader.head()? else { return Ok(None) };
        for _ in 0..len {
            let name = text(reader.item()?);
            let value = reader.item()?;
            match name {
                Some(b"key") => key = Some(Key::from_canonical(Bytes::copy_from_slice(value))),
                Some(b"type") => kind = text(value).and_then(Kind::parse),
                Some(b"last-write") => last_write = positive(value),
                Some(b"expires") => match positive(value) {
                    Some(at) => expires = Some(at),
                    None => return Ok(None),
                },
                Some(b"user") => match Reader::new(value).head()? {
                    Head::Map(0) => {}
                    Head::Map(_) => user = Bytes::copy_from_slice(value),
                    _ => return Ok(None),
                },
                _ => {}
            }
        }
        let (Some(key), Some(kind), Some(last_write)) = (key, kind, last_write) else { return Ok(None) };
        Ok(Some(Self { key, kind, last_write, expires, user, size: Some(size), digest: Some(digest) }))
    }
}

/// When a value was written, where the map says nothing else beside the key: nearly all are so, and this is read quicker.
fn usual(map: &[u8], key: &Key) -> Option<u64> {
    let rest = map.strip_prefix(b"\xa3\x63key")?.strip_prefix(key.as_cbor())?;
    let mut reader = Reader::new(rest.strip_prefix(b"\x64type\x63edn\x6alast-write")?);
    match reader.head() {
        Ok(Head::Positive(last_write)) if reader.rest().is_empty() => Some(last_write),
        _ => None,
    }
}

fn text(item: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(item);
    match reader.head() {
        Ok(Head::Text(len)) => reader.take(len).ok(),
        _ => None,
    }
}

fn positive(item: &[u8]) -> Option<u64> {
    match Reader::new(item).head() {
        Ok(Head::Positive(n)) => Some(n),
        _ => None,
    }
}

/// Checks entries that a user gives: a map, none of them named like ours. Empty becomes no bytes.
pub(crate) fn check_user(map: &[u8]) -> Result<Bytes> {
    let invalid = |why: String| Error::new(ErrorKind::InvalidValue, why);
    cbor::check(map).map_err(|flaw| invalid(format!("meta{}: {}", cbor::locate(map, flaw.at), flaw.kind)))?;
    let no_map = || invalid("meta must be a plain object of entries of your own".to_owned());
    let mut reader = Reader::new(map);
    let Ok(Head::Map(len)) = reader.head() else { return Err(no_map()) };
    for _ in 0..len {
        let name = reader.item().ok().and_then(text).ok_or_else(no_map)?;
        if let Some(taken) = RESERVED.into_iter().find(|reserved| reserved.as_bytes() == name) {
            return Err(invalid(format!("meta: {taken} is an entry of the store's own; use another name")));
        }
        reader.item().map_err(|_| no_map())?;
    }
    Ok(if len == 0 { Bytes::new() } else { Bytes::copy_from_slice(map) })
}

/// The entries of `old` that `new` does not name, then those of `new`; both as [`check_user`] gives them.
pub(crate) fn merge_user(old: &Bytes, new: &Bytes) -> Bytes {
    if old.is_empty() || new.is_empty() {
        return if new.is_empty() { old.clone() } else { new.clone() };
    }
    let new_pairs = pairs(new);
    let mut kept = pairs(old);
    kept.retain(|(name, _)| new_pairs.iter().all(|(other, _)| other != name));
    let mut out = Writer::new();
    out.map(kept.len() + new_pairs.len());
    for (name, value) in kept.into_iter().chain(new_pairs) {
        out.raw(name);
        out.raw(value);
    }
    out.finish().into()
}

/// The entries of a checked map.
pub(crate) fn pairs(map: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut reader = Reader::new(map);
    let Ok(Head::Map(len)) = reader.head() else { return Vec::new() };
    (0..len).map_while(|_| Some((reader.item().ok()?, reader.item().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metas(key: &Key) -> [Meta; 4] {
        let plain = Meta::new(key.clone(), Kind::Value, 1_700_000_000_000);
        [
            plain.clone(),
            Meta { kind: Kind::Log, ..plain.clone() },
            Meta { expires: Some(7), ..plain.clone() },
            Meta { user: Bytes::from_static(b"\xa1\x61a\x01"), ..plain },
        ]
    }

    #[test]
    fn the_quick_way_reads_the_same() {
        let (key, other) = (Key::from("key"), Key::from("kez"));
        for meta in metas(&key) {
            let expected = Meta { size: Some(3), digest: Some([9; 32]), ..meta.clone() };
            for known in [None, Some(&key), Some(&other)] {
                assert_eq!(Meta::from_map(&meta.to_map(), 3, [9; 32], known).unwrap(), expected);
            }
        }
    }

    #[test]
    fn only_what_is_as_usual_is_read_the_quick_way() {
        let key = Key::from("key");
        assert_eq!(metas(&key).map(|meta| usual(&meta.to_map(), &key).is_some()), [true, false, false, false]);
        assert_eq!(usual(&metas(&key)[0].to_map(), &Key::from("kez")), None);
        let longer = [metas(&key)[0].to_map(), vec![0]].concat();
        assert_eq!(usual(&longer, &key), None);
        assert!(Meta::from_map(&longer, 3, [9; 32], Some(&key)).is_err());
    }
}
