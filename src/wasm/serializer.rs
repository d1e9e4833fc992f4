//! Serializers that JavaScript brings. What an application gives is wrapped by `serializers.js`, which makes values of
//! CBOR and CBOR of values, and says what failed; here it is only called.

use std::sync::Arc;

use bytes::Bytes;
use js_sys::{Function, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use super::calls::given;
use crate::{
    codec::Translate,
    env::JsCause,
    error::{Error, ErrorKind, Result},
};

/// The wrapped object.
pub(super) struct JsSerializer {
    id: u8,
    object: JsValue,
}

impl JsSerializer {
    /// Of what `serializers.js` made, whose id is from 128 to 255.
    pub(super) fn of(object: JsValue) -> Arc<dyn Translate> {
        let id = Reflect::get(&object, &"id".into()).ok().and_then(|id| id.as_f64()).unwrap_or_default();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of 8 bits")]
        Arc::new(Self { id: id as u8, object })
    }

    fn call(&self, method: &str, bytes: &[u8]) -> Result<Bytes> {
        let answer = Reflect::get(&self.object, &method.into())
            .and_then(|method| method.unchecked_into::<Function>().call1(&self.object, &Uint8Array::from(bytes)));
        given(answer.map_err(|thrown| failed(&thrown))?)
    }
}

impl Translate for JsSerializer {
    fn id(&self) -> u8 {
        self.id
    }

    fn encode(&self, cbor: &[u8]) -> Result<Bytes> {
        self.call("encode", cbor)
    }

    fn decode(&self, stored: &[u8]) -> Result<Bytes> {
        self.call("decode", stored)
    }
}

/// What `serializers.js` throws: an error with a code of ours, and what the application's method threw as its cause.
fn failed(thrown: &JsValue) -> Error {
    let field = |name: &str| Reflect::get(thrown, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let kind = match field("code").as_string().as_deref() {
        Some("INVALID_VALUE") => ErrorKind::InvalidValue,
        Some("LIMIT_EXCEEDED") => ErrorKind::LimitExceeded,
        _ => ErrorKind::Corrupt,
    };
    Error::new(kind, field("message").as_string().unwrap_or_default()).caused_by(Arc::new(JsCause(field("cause"))))
}
