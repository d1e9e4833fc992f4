//! The options of stores that are shared with Clojure.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use super::options::invalid;
use crate::{
    cbor::quoted,
    encryptor::Encryptor,
    error::Result,
    store::{Config, LayoutName},
};

pub(super) fn layout(given: Option<&str>, config: Config) -> Result<Config> {
    match given {
        None => Ok(config),
        Some("sealed") => Ok(config.layout(LayoutName::Sealed)),
        Some("konserve") => Ok(config.layout(LayoutName::Konserve)),
        Some(other) => Err(invalid(format!("there is no layout {}; use sealed or konserve", quoted(other)))),
    }
}

pub(super) fn serializer(given: Option<&str>, config: Config) -> Result<Config> {
    match given {
        None => Ok(config),
        Some("cbor") => Ok(config.cbor()),
        Some("fressian") => Ok(config.fressian()),
        Some("edn") => Ok(config.edn()),
        Some(other) => Err(invalid(format!(
            "there is no serializer {}; use cbor, fressian, edn, or an object of your own",
            quoted(other)
        ))),
    }
}

/// `{ type, key }`, where the package has made CBOR of the key.
pub(super) fn encryptor(given: &JsValue, config: Config) -> Result<Config> {
    let field = |name: &str| Reflect::get(given, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let key = field("key").dyn_into::<Uint8Array>().map(|key| key.to_vec()).unwrap_or_default();
    let encryptor = match field("type").as_string().as_deref() {
        Some("aes") => Encryptor::aes_cbor(&key),
        Some("aes-gcm") => Encryptor::aes_gcm_cbor(&key),
        other => {
            let other = quoted(other.unwrap_or_default());
            Err(invalid(format!(
                "there is no encryptor of the type {other}; encryptor.type is aes-blake3, aes or aes-gcm"
            )))
        }
    };
    Ok(config.encryptor(encryptor?))
}
