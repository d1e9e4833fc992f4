//! The calls of a store, once for promises and for the synchronous view.

use bytes::Bytes;
use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{host::thrown, meta::meta_map};
#[cfg(feature = "full")]
use crate::codec::Compressor;
use crate::{
    error::{Error, ErrorKind, Result},
    key::{Key, Path},
    store::{Answer, Store, WriteOptions},
};

/// A copy for JavaScript, or `undefined`.
pub(super) fn bytes(found: Option<&[u8]>) -> JsValue {
    found.map_or(JsValue::UNDEFINED, |bytes| Uint8Array::from(bytes).into())
}

pub(super) async fn get(store: Store, path: Vec<u8>) -> Result<JsValue> {
    Ok(bytes(store.get_cbor(&Path::from_cbor(&path)?).await?.as_deref()))
}

pub(super) async fn exists(store: Store, key: Vec<u8>) -> Result<JsValue> {
    Ok(store.exists_key(&Key::from_cbor(&key)?).await?.into())
}

pub(super) async fn get_meta(store: Store, key: Vec<u8>) -> Result<JsValue> {
    let meta = store.meta(&Key::from_cbor(&key)?).await?;
    Ok(bytes(meta.as_ref().map(meta_map).as_deref()))
}

pub(super) async fn assoc(store: Store, path: Vec<u8>, value: Vec<u8>, options: Options) -> Result<JsValue> {
    store.assoc_cbor(Path::from_cbor(&path)?, value.into(), options.read()?).await?;
    Ok(JsValue::UNDEFINED)
}

pub(super) async fn update(store: Store, path: Vec<u8>, f: Function, options: Options) -> Result<JsValue> {
    let f = Box::new(move |old: Option<&[u8]>| {
        let answer = f.call1(&JsValue::UNDEFINED, &bytes(old)).map_err(thrown)?;
        match answer.dyn_into::<Promise>() {
            Ok(promise) => Ok(Answer::Later(Box::pin(async { given(JsFuture::from(promise).await.map_err(thrown)?) }))),
            Err(value) => Ok(Answer::Now(given(value)?)),
        }
    });
    store.update_cbor(Path::from_cbor(&path)?, f, options.read()?).await?;
    Ok(JsValue::UNDEFINED)
}

pub(super) async fn dissoc(store: Store, path: Vec<u8>) -> Result<JsValue> {
    Ok(store.dissoc_cbor(Path::from_cbor(&path)?).await?.into())
}

pub(super) async fn flush(store: Store) -> Result<JsValue> {
    store.flush().await?;
    Ok(JsValue::UNDEFINED)
}

pub(super) async fn close(store: Store) -> Result<JsValue> {
    store.close().await?;
    Ok(JsValue::UNDEFINED)
}

/// What a write says beside the value: metadata as a CBOR map, milliseconds since 1970.
pub(super) struct Options {
    pub(super) meta: Option<Vec<u8>>,
    pub(super) expires: Option<f64>,
    /// By its number.
    #[cfg_attr(not(feature = "full"), allow(dead_code, reason = "the lean module writes as the store does"))]
    pub(super) compressor: Option<u8>,
}

impl Options {
    pub(super) fn read(self) -> Result<WriteOptions> {
        let mut options = WriteOptions::default();
        if let Some(meta) = self.meta {
            options = options.meta_cbor(&meta)?;
        }
        #[cfg(feature = "full")]
        if let Some(id) = self.compressor {
            let message = "this build does not have this compressor; open the store with it, and what has it is loaded";
            let compressor = Compressor::from_id(id).ok_or_else(|| Error::new(ErrorKind::Unsupported, message))?;
            options = options.compressor(compressor);
        }
        match self.expires {
            None => Ok(options),
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be a whole number in range"
            )]
            Some(at) if (0.0..=MAX_DATE).contains(&at) && at.fract() == 0.0 => Ok(options.expires(at as u64)),
            Some(_) => {
                Err(Error::new(ErrorKind::InvalidValue, "expires must be a Date, or whole milliseconds since 1970"))
            }
        }
    }
}

/// The last instant of a JavaScript `Date` (ECMA-262 §21.4.1.1), in milliseconds since 1970.
const MAX_DATE: f64 = 8.64e15;

pub(super) fn given(value: JsValue) -> Result<Bytes> {
    match value.dyn_into::<Uint8Array>() {
        Ok(bytes) => Ok(bytes.to_vec().into()),
        Err(_) => Err(no_bytes()),
    }
}

/// What JavaScript gave is no `Uint8Array`, which its side of the package should have noticed.
pub(super) fn no_bytes() -> Error {
    Error::new(ErrorKind::Backend, "the package handed over no bytes; this is a defect, please report it")
}
