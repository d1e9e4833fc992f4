//! From a key or path of the user's to canonical bytes, and from these to the name of a blob.

use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
    sync::LazyLock,
};

use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use bytes::Bytes;

use crate::{
    cbor::{self, Head, Reader, Writer},
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

/// Keys are at most this long, in bytes of canonical CBOR.
pub const MAX_KEY_LEN: usize = 64 * 1024;

/// A key in its canonical form: equal keys have equal bytes, in every language.
#[derive(Clone, Debug)]
pub struct Key {
    canonical: Bytes,
    /// As it was given, where that is something else: Clojure tells `1.0` from `1`.
    given: Option<Bytes>,
}

impl Key {
    /// The key that one CBOR item stands for. `INVALID_KEY`: `undefined`, more than 64 KiB, names reserved for the
    /// store itself, and what is no value.
    pub fn from_cbor(item: &[u8]) -> Result<Self> {
        let invalid = |why: &str| Error::new(ErrorKind::InvalidKey, format!("this key cannot be used: {why}"));
        let too_long = || invalid("it is longer than 64 KiB");
        if item.len() > 2 * MAX_KEY_LEN {
            return Err(too_long());
        }
        let canonical = cbor::canonical(item).map_err(|flaw| invalid(&flaw.kind.to_string()))?;
        cbor::check_key(&canonical).map_err(|flaw| invalid(&flaw.kind.to_string()))?;
        if canonical.len() > MAX_KEY_LEN {
            return Err(too_long());
        }
        let given = (canonical != item).then(|| Bytes::copy_from_slice(item));
        Ok(Self { canonical: canonical.into(), given })
    }

    /// The key of canonical bytes that were read from a store.
    pub(crate) fn from_canonical(canonical: Bytes) -> Self {
        Self { canonical, given: None }
    }

    /// Whether its bytes, which were read from a store, are the canonical ones of a key.
    pub(crate) fn is_canonical(&self) -> bool {
        let undefined =
            matches!(cbor::check_key(&self.canonical), Err(cbor::Flaw { kind: cbor::FlawKind::Undefined, .. }));
        !undefined && cbor::canonical(&self.canonical).is_ok_and(|canonical| canonical == self.canonical)
    }

    /// As it was given, as CBOR: what Clojure tells apart, its canonical form may not.
    pub fn exact(&self) -> &[u8] {
        self.given.as_ref().unwrap_or(&self.canonical)
    }

    /// Its canonical bytes, shared.
    pub(crate) fn canonical(&self) -> Bytes {
        self.canonical.clone()
    }

    /// Its canonical bytes.
    pub fn as_cbor(&self) -> &[u8] {
        &self.canonical
    }

    /// The name of its blob in a store that is not encrypted: a UUID of version 8 from BLAKE3.
    pub fn name(&self) -> BlobName {
        // The context is hashed once: names are made for every operation.
        static CONTEXT: LazyLock<ContextKey> = LazyLock::new(|| hash_derive_key_context("konserve 2026 blob name"));
        let mut hasher = blake3::Hasher::new_from_context_key(&CONTEXT);
        hasher.update(&self.canonical);
        named(hasher.finalize())
    }

    /// The name of its blob in an encrypted store, which tells nothing of the key without this secret.
    pub(crate) fn name_with(&self, secret: &[u8; 32]) -> BlobName {
        named(blake3::keyed_hash(secret, &self.canonical))
    }
}

/// A UUID of version 8 (RFC 9562 §5.8).
fn named(hash: blake3::Hash) -> BlobName {
    let mut name: [u8; 16] = hash.as_bytes().first_chunk().copied().unwrap_or_default();
    name[6] = name[6] & 0x0f | 0x80;
    name[8] = name[8] & 0x3f | 0x80;
    BlobName::from_bytes(name)
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.canonical.cmp(&other.canonical)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl From<&str> for Key {
    /// Text is canonical as it is.
    fn from(text: &str) -> Self {
        // As long as it comes to be: bytes with room behind them are kept in a larger form.
        let mut writer = Writer::with_capacity(text.len() + 1 + usize::from(text.len() > 23));
        writer.text(text);
        Self::from_canonical(writer.finish().into())
    }
}

/// A key, and the steps from its value to a place inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The key.
    pub key: Key,
    /// What to step into, outermost first, each one CBOR item: the key of a map or the index of an array.
    pub steps: Vec<Bytes>,
}

impl Path {
    /// The path that one CBOR array stands for: a key, then steps. Empty is `INVALID_PATH`.
    pub fn from_cbor(array: &[u8]) -> Result<Self> {
        let invalid =
            || Error::new(ErrorKind::InvalidPath, "a path is an array: a key first, then steps into its value");
        let mut reader = Reader::new(array);
        let Ok(Head::Array(len @ 1..)) = reader.head() else { return Err(invalid()) };
        let key = Key::from_cbor(reader.item().map_err(|_| invalid())?)?;
        let mut steps = Vec::new();
        for _ in 1..len {
            let step = reader.item().map_err(|_| invalid())?;
            cbor::check(step).map_err(|_| invalid())?;
            steps.push(Bytes::copy_from_slice(step));
        }
        if reader.rest().is_empty() { Ok(Self { key, steps }) } else { Err(invalid()) }
    }
}

impl From<Key> for Path {
    fn from(key: Key) -> Self {
        Self { key, steps: Vec::new() }
    }
}
