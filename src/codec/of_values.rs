//! Serializers of Rust programs, which see values.

use std::sync::Arc;

use bytes::Bytes;

use super::Translate;
use crate::{
    error::{Error, ErrorKind, Result},
    value::Value,
};

/// Why a [`Serializer`] gives nothing: any error.
pub type SerializerError = Box<dyn std::error::Error + Send + Sync>;

/// A serializer of your own: how a store keeps its values, instead of CBOR.
///
/// Every value and every element of a log goes through it; keys, metadata and binaries never do. What it writes is
/// compressed after it, and checked before it is given back to it. It must give back the value that it was given, for as
/// long as blobs with its id exist.
pub trait Serializer: Send + Sync + 'static {
    /// What blobs say that they were written with it: 128 to 255. Never give it to another one.
    fn id(&self) -> u8;
    /// What errors call it.
    fn name(&self) -> &str;
    /// The stored form of a value. An error is the cause of the write's `INVALID_VALUE`.
    fn encode(&self, value: &Value) -> Result<Vec<u8>, SerializerError>;
    /// The value of a stored form. An error is the cause of the read's `CORRUPT`.
    fn decode(&self, bytes: &[u8]) -> Result<Value, SerializerError>;
}

impl<S: Serializer + ?Sized> Serializer for Arc<S> {
    fn id(&self) -> u8 {
        S::id(self)
    }

    fn name(&self) -> &str {
        S::name(self)
    }

    fn encode(&self, value: &Value) -> Result<Vec<u8>, SerializerError> {
        S::encode(self, value)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Value, SerializerError> {
        S::decode(self, bytes)
    }
}

/// A serializer of values as the store needs it.
pub struct OfValues<S>(pub S);

impl<S: Serializer> OfValues<S> {
    fn failed(&self, kind: ErrorKind, could_not: &str, cause: SerializerError) -> Error {
        let message = format!("the serializer {} could not {could_not}: {cause}", self.0.name());
        Error::new(kind, message).caused_by(cause.into())
    }
}

impl<S: Serializer> Translate for OfValues<S> {
    fn id(&self) -> u8 {
        self.0.id()
    }

    fn encode(&self, cbor: &[u8]) -> Result<Bytes> {
        let stored = self.0.encode(&Value::from_cbor(cbor)?);
        stored.map(Bytes::from).map_err(|cause| self.failed(ErrorKind::InvalidValue, "write a value", cause))
    }

    fn decode(&self, stored: &[u8]) -> Result<Bytes> {
        let value = self.0.decode(stored).map_err(|cause| self.failed(ErrorKind::Corrupt, "read a value", cause))?;
        value.to_cbor().map(Bytes::from).map_err(|error| match error.kind() {
            ErrorKind::LimitExceeded => error,
            _ => self.failed(ErrorKind::Corrupt, "read a value", Box::new(error)),
        })
    }
}
