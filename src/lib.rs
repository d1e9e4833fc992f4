//! A key-value and document store: atomic updates by path, one checked format in Rust, Node and the browser.

pub mod backing;
pub mod cbor;
pub mod env;
mod error;
mod name;
#[cfg(not(target_arch = "wasm32"))]
pub mod value;

pub use error::{Error, ErrorKind, Result, Source};
pub use name::BlobName;
#[cfg(not(target_arch = "wasm32"))]
pub use value::{FromCbor, ToCbor, Value, edn};
