//! The serializers that the format knows by number, beside CBOR as it is.

use std::sync::Arc;

use bytes::Bytes;

use super::{Translate, edn, fressian, konserve_cbor};
use crate::error::Result;

/// Serializer 0: EDN text.
pub const EDN: u8 = 0;
/// Serializer 1: Fressian.
pub const FRESSIAN: u8 = 1;

type Function = fn(&[u8]) -> Result<Bytes>;

/// One of them: a pair of functions over the inner form.
struct BuiltIn {
    id: u8,
    encode: Function,
    decode: Function,
}

impl Translate for BuiltIn {
    fn id(&self) -> u8 {
        self.id
    }

    fn encode(&self, cbor: &[u8]) -> Result<Bytes> {
        (self.encode)(cbor)
    }

    fn decode(&self, stored: &[u8]) -> Result<Bytes> {
        (self.decode)(stored)
    }
}

/// The serializer with this number in either layout.
pub fn built_in(id: u8) -> Option<Arc<dyn Translate>> {
    let (encode, decode): (Function, Function) = match id {
        EDN => (edn::encode, edn::decode),
        FRESSIAN => (fressian::encode, fressian::decode),
        _ => return None,
    };
    Some(Arc::new(BuiltIn { id, encode, decode }))
}

/// Serializer 3 as Clojure's konserve has it.
pub fn clojure_cbor() -> Arc<dyn Translate> {
    Arc::new(BuiltIn { id: super::CBOR, encode: konserve_cbor::encode, decode: konserve_cbor::decode })
}
