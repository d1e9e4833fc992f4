//! Serializer 0: EDN text.

use std::str::{self, Utf8Error};

use bytes::Bytes;

use super::check_stored;
use crate::{
    error::{Error, ErrorKind, Result},
    value::{Value, edn},
};

/// The inner form of the first value of a text; what follows it is ignored. `CORRUPT` if there is none, `LIMIT_EXCEEDED` if
/// it is nested deeper than 512.
pub fn decode(stored: &[u8]) -> Result<Bytes> {
    // A stale tail may begin inside of a character.
    let whole = str::from_utf8(stored);
    let sound = stored.get(..whole.as_ref().map_or_else(Utf8Error::valid_up_to, |text| text.len()));
    let text = str::from_utf8(sound.unwrap_or_default()).unwrap_or_default();
    let (value, end) = edn::read_first(text).map_err(corrupt)?;
    if whole.is_err() && end == text.len() {
        return Err(Error::new(ErrorKind::Corrupt, format!("a stored EDN text is not UTF-8 at byte {end}")));
    }
    let cbor = value.to_cbor().map_err(corrupt)?;
    check_stored(&cbor)?;
    Ok(cbor.into())
}

/// The text of a value that is given in the inner form.
pub fn encode(cbor: &[u8]) -> Result<Bytes> {
    Ok(Value::from_cbor(cbor)?.to_string().into_bytes().into())
}

fn corrupt(error: Error) -> Error {
    match error.kind() {
        ErrorKind::LimitExceeded => error,
        _ => Error::new(ErrorKind::Corrupt, format!("a stored text is no EDN: {}", error.message())),
    }
}
