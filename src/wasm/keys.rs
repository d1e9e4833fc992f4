//! The keys of encrypted stores, and the Argon2id that JavaScript lends: a module of its own, since few need it.

use std::sync::Arc;

use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use zeroize::Zeroizing;

use super::{aes::JsAes, host::thrown, options::invalid};
use crate::{
    encryptor::Encryptor,
    env::BoxFut,
    error::Result,
    keyring::{Kdf, KdfParams, Secret},
    store::Config,
};
#[cfg(feature = "full")]
use crate::{
    error::{Error, ErrorKind},
    store::Store,
};

/// `derive(passphrase, salt, memory, passes, lanes)` gives the 32 bytes, or promises them.
struct JsKdf(Function);

impl Kdf for JsKdf {
    fn derive(
        &self,
        passphrase: Arc<Zeroizing<String>>,
        params: KdfParams,
    ) -> BoxFut<'static, Result<Zeroizing<[u8; 32]>>> {
        let KdfParams { memory, passes, lanes, salt } = params;
        let given = js_sys::Array::of5(
            &passphrase.as_str().into(),
            &Uint8Array::from(salt.as_slice()),
            &memory.into(),
            &passes.into(),
            &lanes.into(),
        );
        let called = self.0.apply(&JsValue::UNDEFINED, &given);
        Box::pin(async move {
            let mut derived = called.map_err(thrown)?;
            if let Some(promise) = derived.dyn_ref::<Promise>() {
                derived = JsFuture::from(promise.clone()).await.map_err(thrown)?;
            }
            let mut key = Zeroizing::new([0; 32]);
            let bytes = derived.dyn_into::<Uint8Array>().ok().filter(|bytes| bytes.length() == 32);
            bytes
                .ok_or_else(|| invalid("a passphrase could not be made a key".to_owned()))?
                .copy_to(key.as_mut_slice());
            Ok(key)
        })
    }
}

/// A key: bytes, or a passphrase with what makes bytes of it.
fn secret(key: &JsValue, derive: &JsValue) -> Result<Secret> {
    if let Some(bytes) = key.dyn_ref::<Uint8Array>() {
        return Secret::raw(&Zeroizing::new(bytes.to_vec()));
    }
    let passphrase = key.as_string().ok_or_else(|| invalid("a key is 32 bytes, or a passphrase".to_owned()))?;
    Secret::passphrase(passphrase, Arc::new(JsKdf(derive.clone().unchecked_into())))
}

/// `{ type: 'aes-blake3', key, derive, aes, waits }`; the last two, if there, are the platform's AES, and whether it promises.
pub(super) fn encrypted(given: &JsValue, config: Config) -> Result<Config> {
    let field = |name: &str| Reflect::get(given, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let config = config.encryptor(secret(&field("key"), &field("derive")).map(Encryptor::aes_blake3)?);
    Ok(match field("aes").dyn_into::<Function>() {
        Ok(aes) => config.platform_aes(Arc::new(JsAes { aes, waits: field("waits").is_truthy() })),
        Err(_) => config,
    })
}

/// Whether that is meant.
#[cfg(feature = "full")]
pub(super) fn is_ours(given: &JsValue) -> bool {
    Reflect::get(given, &"type".into()).ok().and_then(|kind| kind.as_string()).as_deref() == Some("aes-blake3")
}

/// `op`: `change` one key to another, `add` one, `remove` one.
#[cfg(feature = "full")]
pub(super) async fn change(store: Store, op: String, keys: js_sys::Array, derive: Function) -> Result<JsValue> {
    let key = |at| secret(&keys.get(at), &derive);
    match op.as_str() {
        "change" => store.change_key(&key(0)?, &key(1)?).await?,
        "add" => store.add_key(&key(0)?).await?,
        "remove" => store.remove_key(&key(0)?).await?,
        _ => return Err(Error::new(ErrorKind::Unsupported, "keys are changed, added or removed")),
    }
    Ok(JsValue::UNDEFINED)
}

/// How many blobs were written anew. `alone`: it is known that nobody else has the store open.
#[cfg(feature = "full")]
pub(super) async fn rekey(
    store: Store,
    keys: js_sys::Array,
    derive: Function,
    progress: Function,
    alone: bool,
) -> Result<JsValue> {
    let keys = keys.iter().map(|key| secret(&key, &derive)).collect::<Result<Vec<_>>>()?;
    let told = |seen| super::moving::told(&progress, seen).map(drop);
    let written = store.rekey_if(alone, &keys, told).await?;
    #[allow(clippy::cast_precision_loss, reason = "below 2^53")]
    Ok(JsValue::from_f64(written as f64))
}
