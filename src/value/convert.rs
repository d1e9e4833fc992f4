//! What may be stored, and what stored values may be read into.

use serde::{Serialize, de::DeserializeOwned};

use super::{Value, serde_read, serde_write};
use crate::error::Result;

/// What may be stored: [`Value`], and every type that implements serde's `Serialize`.
///
/// With serde, structs and their like are maps, unit variants are texts, other variants are maps of one entry, `None` and
/// `()` are `null`, a `char` is a text, integers beyond 64 bits are bigints. Bytes are an array of numbers unless the type
/// asks for bytes, as those of `serde_bytes` do.
pub trait ToCbor {
    /// The CBOR item to be stored. `INVALID_VALUE` if the value cannot be stored, `LIMIT_EXCEEDED` if it is nested deeper
    /// than 512.
    fn to_cbor(&self) -> Result<Vec<u8>>;
}

/// What stored values may be read into: [`Value`], and every type that implements serde's `Deserialize` and owns its data.
///
/// With serde, tags are stepped over: a set fits a `HashSet`, a date a text, a keyword `:a` the text `":a"`, a UUID 16
/// bytes. A whole number fits a float too, for JavaScript stores `2.0` as `2`. `null` and `undefined` are `None`.
pub trait FromCbor: Sized {
    /// The value of a CBOR item. `INVALID_VALUE`, naming the type, if the item is right and does not fit the type;
    /// `CORRUPT` if it is no CBOR; `LIMIT_EXCEEDED` if it is nested deeper than 512.
    fn from_cbor(item: &[u8]) -> Result<Self>;
}

impl ToCbor for Value {
    fn to_cbor(&self) -> Result<Vec<u8>> {
        Self::to_cbor(self)
    }
}

impl ToCbor for &Value {
    fn to_cbor(&self) -> Result<Vec<u8>> {
        Value::to_cbor(self)
    }
}

impl FromCbor for Value {
    fn from_cbor(item: &[u8]) -> Result<Self> {
        Self::from_cbor(item)
    }
}

impl<T: Serialize + ?Sized> ToCbor for T {
    fn to_cbor(&self) -> Result<Vec<u8>> {
        serde_write::to_cbor(self)
    }
}

impl<T: DeserializeOwned> FromCbor for T {
    fn from_cbor(item: &[u8]) -> Result<Self> {
        serde_read::from_cbor(item)
    }
}
