//! A key-value and document store: atomic updates by path, one checked format in Rust, Node and the browser.

pub mod backing;
pub mod cbor;
pub mod env;
mod error;
mod name;

pub use error::{Error, ErrorKind, Result, Source};
pub use name::BlobName;
