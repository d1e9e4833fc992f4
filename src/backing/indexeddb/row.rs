//! The rows of the two object stores, and how a blob becomes rows.
//!
//! `m` has a row for every blob: its head, and its value too where both are at most 2 KiB. `v` has the larger values: as
//! bytes, or as a `Blob` of the browser's where it was streamed and has 1 MiB or more.
//! A row of `m` that is exactly a head may have its value in `v`.

use bytes::Bytes;
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::IdbRequest;

use super::fault::fault;
use crate::{
    backing::{Blob, RecordCopy},
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

/// The object store of heads and small values.
pub(super) const HEADS: &str = "m";
/// The object store of larger values.
pub(super) const VALUES: &str = "v";
/// The key of the store's record in `m`; no blob is named so.
const RECORD: &str = "konserve.store";
/// That of its copy, of an encrypted store.
const RECORD_COPY: &str = "konserve.store-copy";
/// Before the names of damaged blobs; outside of the range of a listing.
#[cfg(feature = "full")]
const DAMAGED: &str = "konserve.damaged.";
/// The largest blob that is one row.
const INLINE: usize = 2048;

/// What has a row of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Row {
    Record(RecordCopy),
    Blob(BlobName),
    /// A damaged blob that was set aside.
    #[cfg(feature = "full")]
    Aside(BlobName),
}

impl Row {
    /// The row that has this key.
    pub(super) fn from_key(key: &JsValue) -> Option<Self> {
        let key = key.as_string()?;
        match key.as_str() {
            RECORD => Some(Self::Record(RecordCopy::First)),
            RECORD_COPY => Some(Self::Record(RecordCopy::Second)),
            name => BlobName::from_file_name(name).map(Self::Blob),
        }
    }

    /// The name of the blob that has it.
    #[cfg(feature = "full")]
    pub(super) fn name(self) -> Option<BlobName> {
        match self {
            Self::Blob(name) => Some(name),
            Self::Record(_) | Self::Aside(_) => None,
        }
    }

    /// The key of this row in both object stores.
    pub(super) fn key(self) -> JsValue {
        match self {
            Self::Record(RecordCopy::First) => JsValue::from_str(RECORD),
            Self::Record(RecordCopy::Second) => JsValue::from_str(RECORD_COPY),
            Self::Blob(name) => JsValue::from_str(&name.file_name()),
            #[cfg(feature = "full")]
            Self::Aside(name) => JsValue::from_str(&(String::from(DAMAGED) + &name.file_name())),
        }
    }
}

/// A blob as its rows have it.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) head: Bytes,
    pub(super) value: Value,
}

/// A value as a row has it.
#[derive(Clone)]
pub(super) enum Value {
    Bytes(Bytes),
    /// Its bytes are not in memory, and never change. No transaction waits until they are read.
    Object(web_sys::Blob),
}

impl From<Blob> for Stored {
    fn from(Blob { head, value }: Blob) -> Self {
        Self { head, value: Value::Bytes(value) }
    }
}

impl Stored {
    /// Whether the value has a row of its own, in `v`.
    pub(super) fn is_large(&self) -> bool {
        match &self.value {
            Value::Bytes(value) => !value.is_empty() && self.head.len() + value.len() > INLINE,
            Value::Object(_) => true,
        }
    }

    /// With the bytes of its value.
    pub(super) async fn load(self) -> Result<Blob> {
        let value = match self.value {
            Value::Bytes(value) => value,
            Value::Object(object) => load(&object).await?,
        };
        Ok(Blob { head: self.head, value })
    }
}

/// The bytes of an object.
pub(super) async fn load(object: &web_sys::Blob) -> Result<Bytes> {
    // No `Vec` is longer.
    if object.size() > f64::from(i32::MAX) {
        let message = "a stored Blob is too long for memory; read it as a stream: bget takes a function";
        return Err(Error::new(ErrorKind::LimitExceeded, message));
    }
    let loaded = JsFuture::from(object.array_buffer()).await.map_err(|cause| fault("reading", cause))?;
    Ok(Uint8Array::new(&loaded).to_vec().into())
}

/// What a row of `m` holds, and whether `v` may hold the value that belongs to it.
pub(super) fn from_heads(found: JsValue) -> Result<(Option<Stored>, bool)> {
    let Some(whole) = bytes(found)? else { return Ok((None, false)) };
    let only_head = Blob::head_len(&whole) == Some(whole.len());
    Ok((Some(Blob::split(whole).into()), only_head))
}

/// What a row of `v` holds.
pub(super) fn from_values(found: JsValue) -> Result<Value> {
    match found.dyn_into() {
        Ok(object) => Ok(Value::Object(object)),
        Err(found) => Ok(Value::Bytes(bytes(found)?.unwrap_or_default())),
    }
}

/// The bytes of a row; `None` where there is none.
pub(super) fn bytes(found: JsValue) -> Result<Option<Bytes>> {
    if found.is_undefined() {
        return Ok(None);
    }
    let array = found.dyn_into::<Uint8Array>();
    let array = array.map_err(|_| {
        Error::new(ErrorKind::Corrupt, "a row of this database is not bytes: something else wrote to it")
    })?;
    Ok(Some(array.to_vec().into()))
}

/// The result of a request that has ended.
pub(super) fn result(request: &IdbRequest) -> Result<JsValue, JsValue> {
    let result = request.result()?;
    // A request that failed has an undefined result, too.
    if result.is_undefined()
        && let Some(error) = request.error()?
    {
        return Err(error.into());
    }
    Ok(result)
}
