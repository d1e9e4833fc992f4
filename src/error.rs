//! The one error of this crate: what failed, at which key, and what to do about it.

use std::{borrow::Cow, fmt, sync::Arc};

use crate::cbor;

/// What kind of thing went wrong. Each kind has a stable [code](ErrorKind::code), the same in JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// `create_store` found a store in the place.
    StoreExists,
    /// `connect_store` found none.
    StoreNotFound,
    /// Another writer has the store; the message names it.
    StoreLocked,
    /// The store was closed before this call.
    Closed,
    /// The configuration is wrong, or disagrees with the store's record.
    InvalidConfig,
    /// Not usable as a key.
    InvalidKey,
    /// The path is empty, or leads through something that has no members.
    InvalidPath,
    /// Not storable; the message names the path inside the value.
    InvalidValue,
    /// Too deep, too long or too large.
    LimitExceeded,
    /// Stored bytes are damaged.
    Corrupt,
    /// Stored bytes were not written with this store's key.
    Authentication,
    /// The key or passphrase does not open this store.
    WrongKey,
    /// The store was written by a newer format.
    UnsupportedFormat,
    /// A serializer, compressor or operation that this build does not have.
    Unsupported,
    /// Others changed the value each time, or a synchronous call would have had to wait.
    Conflict,
    /// The browser refuses more data.
    QuotaExceeded,
    /// The disk is full.
    NoSpace,
    /// The operating system refuses access.
    PermissionDenied,
    /// Another tab keeps an older connection open.
    Blocked,
    /// A log operation on a key that holds something else.
    NotALog,
    /// A binary operation on a key that holds something else.
    NotBinary,
    /// The operating system failed.
    Io,
    /// The backing failed.
    Backend,
}

impl ErrorKind {
    /// The stable code, as `KonserveError.code` has it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::StoreExists => "STORE_EXISTS",
            Self::StoreNotFound => "STORE_NOT_FOUND",
            Self::StoreLocked => "STORE_LOCKED",
            Self::Closed => "CLOSED",
            Self::InvalidConfig => "INVALID_CONFIG",
            Self::InvalidKey => "INVALID_KEY",
            Self::InvalidPath => "INVALID_PATH",
            Self::InvalidValue => "INVALID_VALUE",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::Corrupt => "CORRUPT",
            Self::Authentication => "AUTHENTICATION",
            Self::WrongKey => "WRONG_KEY",
            Self::UnsupportedFormat => "UNSUPPORTED_FORMAT",
            Self::Unsupported => "UNSUPPORTED",
            Self::Conflict => "CONFLICT",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::NoSpace => "NO_SPACE",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::Blocked => "BLOCKED",
            Self::NotALog => "NOT_A_LOG",
            Self::NotBinary => "NOT_BINARY",
            Self::Io => "IO",
            Self::Backend => "BACKEND",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The error below an [`Error`]: a `std::io::Error`, or in the browser the thrown JavaScript value.
#[cfg(not(target_arch = "wasm32"))]
pub type Source = Arc<dyn std::error::Error + Send + Sync>;
/// The error below an [`Error`]: a `std::io::Error`, or in the browser the thrown JavaScript value.
#[cfg(target_arch = "wasm32")]
pub type Source = Arc<dyn std::error::Error>;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, with which key, and what to do about it.
///
/// Cloning is cheap: one failed transaction answers every operation that shared it.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

/// Behind a pointer, so that every result of this crate is small.
#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    key: Option<Arc<[u8]>>,
    blob: Option<[u8; 16]>,
    source: Option<Source>,
}

impl Error {
    /// An error of this kind. The message says what was being done, and what to do about it.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self::boxed(kind, message.into())
    }

    #[cold]
    fn boxed(kind: ErrorKind, message: Cow<'static, str>) -> Self {
        Self(Box::new(Inner { kind, message, key: None, blob: None, source: None }))
    }

    /// With the error that caused it.
    #[must_use]
    pub fn caused_by(mut self, source: Source) -> Self {
        self.0.source = Some(source);
        self
    }

    /// With the key that was being worked on, as canonical CBOR. The first key said stays.
    #[must_use]
    pub fn at_key(mut self, key: &[u8]) -> Self {
        self.0.key.get_or_insert_with(|| key.into());
        self
    }

    /// With this at the end of its message.
    #[must_use]
    pub(crate) fn noting(mut self, note: &str) -> Self {
        self.0.message = [self.message(), "; ", note].concat().into();
        self
    }

    /// With the name of the blob that was being worked on, by a backing, which knows no keys: where several are written
    /// together, the store finds the key by it.
    #[must_use]
    pub fn at_blob(mut self, name: [u8; 16]) -> Self {
        self.0.blob = Some(name);
        self
    }

    /// The name of the blob that was being worked on, where a backing said so.
    pub fn blob(&self) -> Option<[u8; 16]> {
        self.0.blob
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code of its kind.
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// What was being done, and what to do about it.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The key that was being worked on, as canonical CBOR.
    pub fn key(&self) -> Option<&[u8]> {
        self.0.key.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message())?;
        match self.key() {
            Some(key) => write!(f, " (key {})", cbor::diagnose(key)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
