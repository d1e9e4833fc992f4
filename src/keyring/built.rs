//! What only a build with encryption has. In the others it cannot exist, and the compiler leaves out all that would use it.

use std::ops::Deref;

use crate::error::Result;

/// A key, or what is made of keys.
#[cfg(feature = "encryption")]
#[derive(Clone)]
pub struct Built<T>(T);

#[cfg(feature = "encryption")]
impl<T> Built<T> {
    /// `UNSUPPORTED` in a build without encryption.
    #[allow(clippy::unnecessary_wraps, reason = "other builds have none")]
    pub fn new(value: T) -> Result<Self> {
        Ok(Self(value))
    }

    /// Of a build that is known to encrypt.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn here(value: T) -> Self {
        Self(value)
    }

    /// Another one: where there is one, there can be more.
    #[allow(clippy::unused_self, reason = "other builds have none")]
    pub fn beside<U>(&self, other: U) -> Built<U> {
        Built(other)
    }
}

#[cfg(feature = "encryption")]
impl<T> Deref for Built<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A key, or what is made of keys: there is none. Nothing of `T` is in it, so that an option of it is always `None`.
#[cfg(not(feature = "encryption"))]
#[derive(Clone)]
pub struct Built<T>(Never, std::marker::PhantomData<T>);

#[cfg(not(feature = "encryption"))]
#[derive(Clone, Copy)]
enum Never {}

#[cfg(not(feature = "encryption"))]
impl<T> Built<T> {
    /// `UNSUPPORTED` in a build without encryption.
    #[allow(clippy::needless_pass_by_value, reason = "other builds keep it")]
    pub fn new(_value: T) -> Result<Self> {
        use crate::error::{Error, ErrorKind};
        Err(Error::new(ErrorKind::Unsupported, "this build does not encrypt"))
    }

    /// Another one: where there is one, there can be more.
    pub fn beside<U>(&self, _other: U) -> Built<U> {
        match self.0 {}
    }
}

#[cfg(not(feature = "encryption"))]
impl<T> Deref for Built<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self.0 {}
    }
}
