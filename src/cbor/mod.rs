//! CBOR as the store keeps it (RFC 8949): definite lengths, shortest heads, floats of 8 bytes.

use std::fmt;

#[cfg(any(not(target_arch = "wasm32"), feature = "clojure"))]
pub(crate) mod calendar;
mod canonical;
mod check;
pub(crate) mod date;
mod diagnose;
pub mod path;
mod reader;
mod step;
mod writer;

pub use canonical::{canonical, check_key};
pub use check::check;
#[cfg(target_arch = "wasm32")]
pub(crate) use diagnose::quoted;
pub use diagnose::{diagnose, locate};
pub use reader::{Head, Reader};
pub use writer::Writer;

/// Arrays, maps and tags may nest this deep, one level each.
pub const MAX_DEPTH: usize = 512;

/// The tags that this store gives a meaning.
pub mod tag {
    #![allow(missing_docs, reason = "named for what they mean; numbers from the IANA registry of CBOR tags")]
    pub const DATE_TEXT: u64 = 0;
    pub const DATE_SECONDS: u64 = 1;
    pub const BIG_POSITIVE: u64 = 2;
    pub const BIG_NEGATIVE: u64 = 3;
    pub const DECIMAL: u64 = 4;
    pub const RECORD: u64 = 27;
    pub const RATIO: u64 = 30;
    pub const URI: u64 = 32;
    pub const REGEXP: u64 = 35;
    pub const UUID: u64 = 37;
    pub const SYMBOL: u64 = 39;
    pub const SET: u64 = 258;
    pub const MAP: u64 = 259;
}

/// Why bytes are not a value that a store may hold. On reading that is `LIMIT_EXCEEDED` for [`FlawKind::Depth`] and
/// `CORRUPT` for the rest; on writing the rest is `INVALID_VALUE`, or `INVALID_KEY`. [`locate`] says where in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What it is.
    pub kind: FlawKind,
    /// Where the item begins that has it, in bytes from the start.
    pub at: usize,
}

/// The kinds of [`Flaw`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlawKind {
    /// Cut short: a declared length goes beyond the end.
    Cut,
    /// Bytes follow the item.
    Trailing,
    /// A reserved head, one that is longer than need be, a break, an indefinite length, a simple value without meaning.
    Head,
    /// Text that is not UTF-8.
    Utf8,
    /// Nested deeper than [`MAX_DEPTH`].
    Depth,
    /// A map key or set member twice.
    Duplicate,
    /// A tag whose content does not fit it.
    Tag,
    /// `undefined` in a key.
    Undefined,
    /// A record in a key whose name is for this store's own use.
    Reserved,
}

impl fmt::Display for FlawKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cut => "the bytes end too early",
            Self::Trailing => "more bytes follow the value",
            Self::Head => "bytes that mean nothing in this format",
            Self::Utf8 => "text that is not UTF-8",
            Self::Depth => "nested deeper than 512 levels",
            Self::Duplicate => "a map key or set member twice",
            Self::Tag => "a tag whose content does not fit it",
            Self::Undefined => "undefined, which no key may hold",
            Self::Reserved => "a record whose name begins with konserve/, which is reserved",
        })
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.kind, self.at)
    }
}

impl std::error::Error for Flaw {}
