//! The way of a value to its stored form and back: serialize, then compress. Encryption follows in the layout.

#[cfg(feature = "clojure")]
mod built_in;
mod compressor;
#[cfg(feature = "clojure")]
pub mod edn;
#[cfg(feature = "clojure")]
pub mod encryptor;
#[cfg(feature = "clojure")]
pub mod fressian;
#[cfg(feature = "clojure")]
pub mod konserve_cbor;
mod lz4;
#[cfg(not(target_arch = "wasm32"))]
mod of_values;
mod serializer;

use std::sync::Arc;

use bytes::Bytes;

#[cfg(feature = "clojure")]
use built_in::built_in;
#[cfg(feature = "clojure")]
pub use built_in::{EDN, FRESSIAN, clojure_cbor};
pub use compressor::Compressor;
#[cfg(not(target_arch = "wasm32"))]
pub use of_values::{OfValues, Serializer, SerializerError};
#[cfg(feature = "clojure")]
pub use serializer::unknown_serializer;
pub use serializer::{CBOR, Serializers, Translate};

use crate::{
    cbor::{self, FlawKind, Writer},
    error::{Error, ErrorKind, Result},
    meta::Kind,
};

/// A value is at most this long unless the store is opened with another limit: 256 MiB.
pub const DEFAULT_MAX_VALUE_LEN: u64 = 256 * 1024 * 1024;

/// How a store encodes what it writes, and how far it decodes.
#[derive(Clone)]
pub struct Codec {
    /// For what is written next; each blob names the one it was written with. `None` is CBOR as it is.
    pub serializer: Option<Arc<dyn Translate>>,
    /// For what is read.
    pub serializers: Serializers,
    /// For what is written next; each blob names the one it was written with.
    pub compressor: Compressor,
    /// The longest value in bytes, before compression.
    pub max_len: u64,
}

/// Which codecs a value went through, as the header's bytes 1 to 3 say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codecs {
    /// Byte 1.
    pub serializer: u8,
    /// Byte 2.
    pub compressor: u8,
    /// Byte 3.
    pub encryptor: u8,
}

/// A value section, and what its header and metadata say of it.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// Bytes 1 and 2 of the header.
    pub codecs: Codecs,
    /// The length before compression.
    pub size: u64,
    /// The section.
    pub section: Bytes,
}

impl Codec {
    /// Encodes a value that is given as CBOR, or a binary as it is.
    pub fn encode(&self, kind: Kind, content: Bytes) -> Result<Encoded> {
        self.encode_with(self.compressor, kind, content)
    }

    /// The same with a compressor that is not the usual one. What it does not make smaller is stored as it is.
    pub fn encode_with(&self, compressor: Compressor, kind: Kind, content: Bytes) -> Result<Encoded> {
        let own = match kind {
            Kind::Value | Kind::LogElement => self.serializer.as_ref(),
            // Bytes as they are, and what the format says.
            Kind::Binary | Kind::Log => None,
        };
        let (serializer, bytes) = match own {
            Some(own) => (own.id(), own.encode(&content)?),
            None => (CBOR, content),
        };
        let size = bytes.len() as u64;
        if size > self.max_len {
            return Err(too_long(size, self.max_len));
        }
        let (compressor, section) = match compressor.compress(&bytes)? {
            Some(smaller) => (compressor, smaller),
            None => (Compressor::None, bytes),
        };
        Ok(Encoded { codecs: Codecs { serializer, compressor: compressor.id(), encryptor: 0 }, size, section })
    }

    /// The bytes of a value section that was found undamaged, before compression.
    pub fn decompress(&self, codecs: Codecs, size: u64, section: Bytes) -> Result<Bytes> {
        let compressor = Compressor::from_id(codecs.compressor)
            .ok_or_else(|| unsupported(&format!("compressor {}, which this build does not have", codecs.compressor)))?;
        if size > self.max_len {
            return Err(too_long(size, self.max_len));
        }
        compressor.decompress(section, size)
    }

    /// The one CBOR item that a value section is, which was found undamaged; a binary is a byte string. Whether it is CBOR
    /// is [checked](check_stored) by who looks at it, or at a part of it.
    pub fn item(&self, kind: Kind, codecs: Codecs, size: u64, section: Bytes) -> Result<Bytes> {
        let own = self.serializers.reader(kind, codecs.serializer)?;
        let bytes = self.decompress(codecs, size, section)?;
        match own {
            Some(own) => own.decode(&bytes),
            None if kind == Kind::Binary => {
                let mut item = Writer::new();
                item.bytes(&bytes);
                Ok(item.finish().into())
            }
            None => Ok(bytes),
        }
    }

    /// That a value section which was found undamaged also is what a store writes, as far as that can be told without
    /// the serializers of the application's own.
    pub fn check(&self, kind: Kind, codecs: Codecs, size: u64, section: Bytes) -> Result<()> {
        if kind == Kind::Binary || Serializers::is_own(codecs.serializer) {
            self.decompress(codecs, size, section).map(drop)
        } else {
            check_stored(&self.item(kind, codecs, size, section)?)
        }
    }
}

/// Checks what was stored as a value: `CORRUPT`, or `LIMIT_EXCEEDED` if it is nested too deep.
pub fn check_stored(cbor: &[u8]) -> Result<()> {
    cbor::check(cbor).map_err(|flaw| match flaw.kind {
        FlawKind::Depth => {
            Error::new(ErrorKind::LimitExceeded, format!("a stored value is nested deeper than {}", cbor::MAX_DEPTH))
        }
        kind => Error::new(ErrorKind::Corrupt, format!("a stored value is not what a store writes: {kind}")),
    })
}

/// What a binary that is streamed goes through: nothing, whatever the store's compressor is.
pub const STREAMED: Codecs = Codecs { serializer: CBOR, compressor: Compressor::None.id(), encryptor: 0 };

/// Checks a value that a user gives: `INVALID_VALUE` names the place inside it.
pub fn check_value(cbor: &[u8]) -> Result<()> {
    cbor::check(cbor).map_err(|flaw| match flaw.kind {
        FlawKind::Depth => Error::new(
            ErrorKind::LimitExceeded,
            format!("the value is nested deeper than {}; store a part of it by itself", cbor::MAX_DEPTH),
        ),
        kind => Error::new(
            ErrorKind::InvalidValue,
            format!("the value cannot be stored: {kind} at value{}", cbor::locate(cbor, flaw.at)),
        ),
    })
}

/// The error of a value that is longer than the limit.
pub fn too_long(size: u64, limit: u64) -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format!(
            "a value of {size} bytes is longer than the limit of {limit}; let it be a binary and stream it, or open the store with a higher limit"
        ),
    )
}

fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("the blob was written with {what}; read it with a build that has it"))
}
