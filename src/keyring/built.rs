//! Whether this build encrypts. Where it does not, nothing that has to do with keys can exist, and is not compiled.

use crate::error::Result;

/// What keys and ciphers hold as a proof that they can be there.
#[cfg(feature = "encryption")]
#[derive(Clone, Copy)]
pub struct Built;

/// What keys and ciphers hold as a proof that they can be there: there is none.
#[cfg(not(feature = "encryption"))]
#[derive(Clone, Copy)]
pub enum Built {}

/// The proof; `UNSUPPORTED` in a build without encryption.
#[cfg(feature = "encryption")]
#[allow(clippy::unnecessary_wraps, reason = "other builds have none")]
pub fn built() -> Result<Built> {
    Ok(Built)
}

/// The proof; `UNSUPPORTED` in a build without encryption.
#[cfg(not(feature = "encryption"))]
pub fn built() -> Result<Built> {
    use crate::error::{Error, ErrorKind};
    Err(Error::new(ErrorKind::Unsupported, "this build does not encrypt"))
}
