//! Serializers of value sections. Inside, a value is CBOR; what an application brings translates from it and to it.

use std::{ops::RangeInclusive, sync::Arc};

use bytes::Bytes;

use crate::{
    env::{MaybeSend, MaybeSync},
    error::{Error, ErrorKind, Result},
    meta::Kind,
};

/// Serializer 3: the inner form as it is.
pub const CBOR: u8 = 3;
/// The ids that applications give to their own.
const OWN: RangeInclusive<u8> = 128..=255;

/// A serializer of the application's own. What it is given to encode was checked, and what it decodes is checked after it.
pub trait Translate: MaybeSend + MaybeSync {
    /// Byte 1 of the header: 128 to 255.
    fn id(&self) -> u8;
    /// The stored form of a value that is given as CBOR; `INVALID_VALUE` where there is none.
    fn encode(&self, cbor: &[u8]) -> Result<Bytes>;
    /// The CBOR of a stored form; `CORRUPT` where it is none.
    fn decode(&self, stored: &[u8]) -> Result<Bytes>;
}

/// The serializers of the application's own that a store was given, in any order.
#[derive(Clone, Default)]
pub struct Serializers(Vec<Arc<dyn Translate>>);

impl Serializers {
    /// One more.
    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    pub fn add(&mut self, serializer: Arc<dyn Translate>) {
        self.0.push(serializer);
    }

    /// That each has an id of its own; else `INVALID_CONFIG`.
    pub fn check(&self) -> Result<()> {
        for (at, id) in self.0.iter().map(|serializer| serializer.id()).enumerate() {
            if !OWN.contains(&id) {
                let message = format!("the serializer id {id} is not from 128 to 255; give yours another");
                return Err(Error::new(ErrorKind::InvalidConfig, message));
            }
            if self.0.iter().skip(at + 1).any(|other| other.id() == id) {
                let message = format!("two serializers have the id {id}; each needs one of its own, for ever");
                return Err(Error::new(ErrorKind::InvalidConfig, message));
            }
        }
        Ok(())
    }

    /// What writes with this id: `None` is CBOR as it is.
    pub fn writer(&self, id: u8) -> Result<Option<Arc<dyn Translate>>> {
        if id == CBOR {
            return Ok(None);
        }
        self.find(id).map(Some).ok_or_else(|| unknown_serializer("the store's values are written", id))
    }

    /// What reads a blob of this kind with this id: `None` is CBOR as it is. Binaries have no serializer, and the heads
    /// of logs are CBOR always.
    pub(super) fn reader(&self, kind: Kind, id: u8) -> Result<Option<Arc<dyn Translate>>> {
        match kind {
            Kind::Binary => Ok(None),
            _ if id == CBOR => Ok(None),
            Kind::Log => Err(unknown_serializer("the head of a log was written", id)),
            Kind::Value | Kind::LogElement => {
                self.find(id).map(Some).ok_or_else(|| unknown_serializer("the value was written", id))
            }
        }
    }

    /// The one with this number: the application's, or one that the format knows.
    pub fn find(&self, id: u8) -> Option<Arc<dyn Translate>> {
        let own = self.0.iter().find(|serializer| serializer.id() == id).cloned();
        #[cfg(feature = "clojure")]
        return own.or_else(|| super::built_in(id));
        #[cfg(not(feature = "clojure"))]
        own
    }

    /// Whether this number is one of those that applications give to their own.
    pub fn is_own(id: u8) -> bool {
        OWN.contains(&id)
    }
}

/// The error of a serializer that nobody brought.
pub fn unknown_serializer(what: &str, id: u8) -> Error {
    let advice = if OWN.contains(&id) {
        "of an application's own; open the store with it, as serializer or among serializers"
    } else {
        "that this build does not have; use one that has it"
    };
    Error::new(ErrorKind::Unsupported, format!("{what} with serializer {id}, {advice}"))
}
