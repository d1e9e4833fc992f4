//! AES that the platform lends: wasm has no instructions for it, and a browser or Node is many times faster.

use crate::env::{BoxFut, MaybeSend, MaybeSync};

/// Less than this is not worth the way to the platform and back, in bytes.
pub const WORTH: usize = 1024;

/// What AES-256-CBC with PKCS#7 padding is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Encrypt,
    Decrypt,
}

/// AES-256-CBC with PKCS#7 padding, of the platform. It gives nothing where it cannot; then it is done here.
pub trait PlatformAes: MaybeSend + MaybeSync {
    /// Whether it must be waited for.
    fn waits(&self) -> bool;

    /// At once; nothing where it must be waited for.
    fn now(&self, way: Way, key: &[u8; 32], iv: &[u8; 16], bytes: &[u8]) -> Option<Vec<u8>>;

    /// When it is done.
    fn later(&self, way: Way, key: &[u8; 32], iv: &[u8; 16], bytes: &[u8]) -> BoxFut<'static, Option<Vec<u8>>>;
}
