//! AES that the platform lends: a function `aes(way, key, iv, bytes)` gives the bytes, promises them, or gives nothing.

use std::future::ready;

use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::{
    env::BoxFut,
    keyring::{PlatformAes, Way},
};

/// See the module's documentation.
pub(super) struct JsAes {
    pub(super) aes: Function,
    /// Whether it promises.
    pub(super) waits: bool,
}

impl JsAes {
    fn call(&self, way: Way, key: &[u8; 32], iv: &[u8; 16], bytes: &[u8]) -> Option<JsValue> {
        let way = match way {
            Way::Encrypt => "encrypt",
            Way::Decrypt => "decrypt",
        };
        let [key, iv, bytes] = [key.as_slice(), iv, bytes].map(Uint8Array::from);
        self.aes.call4(&JsValue::UNDEFINED, &way.into(), &key, &iv, &bytes).ok()
    }
}

impl PlatformAes for JsAes {
    fn waits(&self) -> bool {
        self.waits
    }

    fn now(&self, way: Way, key: &[u8; 32], iv: &[u8; 16], bytes: &[u8]) -> Option<Vec<u8>> {
        vec_of(self.call(way, key, iv, bytes)?)
    }

    fn later(&self, way: Way, key: &[u8; 32], iv: &[u8; 16], bytes: &[u8]) -> BoxFut<'static, Option<Vec<u8>>> {
        match self.call(way, key, iv, bytes).and_then(|called| called.dyn_into::<Promise>().ok()) {
            Some(promise) => Box::pin(async move { vec_of(JsFuture::from(promise).await.ok()?) }),
            None => Box::pin(ready(None)),
        }
    }
}

fn vec_of(bytes: JsValue) -> Option<Vec<u8>> {
    Some(bytes.dyn_into::<Uint8Array>().ok()?.to_vec())
}
