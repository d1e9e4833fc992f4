//! The calls that read or write a whole store, once for promises and for the synchronous view.
//!
//! Each calls `progress` as it goes, and ends with what that throws.

use bytes::Bytes;
use js_sys::{Array, Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{
    calls::{bytes, no_bytes},
    host::thrown,
};
use crate::{
    cbor::Writer,
    error::{Error, ErrorKind, Result},
    store::{Existing, Export, Imported, Store},
};

pub(super) fn told(progress: &Function, count: u64) -> Result<JsValue> {
    #[allow(clippy::cast_precision_loss, reason = "below 2^53")]
    progress.call1(&JsValue::UNDEFINED, &JsValue::from_f64(count as f64)).map_err(thrown)
}

/// The report as a CBOR map.
pub(super) async fn verify(store: Store, repair: bool, progress: Function) -> Result<JsValue> {
    let report = store.check_all(repair, |checked| told(&progress, checked).map(drop)).await?;
    let mut out = Writer::new();
    out.map(3);
    out.text("checked");
    out.positive(report.checked);
    out.text("corrupt");
    out.array(report.corrupt.len());
    for damaged in report.corrupt {
        out.map(3);
        out.text("name");
        out.text(&damaged.name.to_string());
        out.text("code");
        out.text(damaged.error.code());
        out.text("quarantined");
        out.bool(damaged.set_aside);
    }
    out.text("orphans");
    out.array(report.orphans.len());
    report.orphans.iter().for_each(|name| out.text(&name.to_string()));
    Ok(bytes(Some(&out.finish())))
}

/// An export, and who is told how many entries it has so far.
pub(super) struct Exporting(Export, Function);

impl Exporting {
    pub(super) fn new(store: &Store, progress: Function) -> Result<Self> {
        Ok(Self(store.export()?, progress))
    }

    pub(super) async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let Self(export, progress) = self;
        let chunk = export.next_chunk().await?;
        told(progress, export.entries())?;
        Ok(chunk)
    }
}

/// `next(entries)` gives the next bytes, or `undefined`, or a promise of these. How many were put, and passed over.
pub(super) async fn import(store: Store, existing: String, next: Function) -> Result<JsValue> {
    let mut import = store.import(mode(&existing)?)?;
    loop {
        let mut chunk = told(&next, import.entries())?;
        if let Some(promise) = chunk.dyn_ref::<Promise>() {
            chunk = JsFuture::from(promise.clone()).await.map_err(thrown)?;
        }
        let chunk = match chunk.dyn_into::<Uint8Array>() {
            Ok(chunk) => Some(chunk.to_vec()),
            Err(end) if end.is_undefined() => None,
            Err(_) => return Err(no_bytes()),
        };
        import.feed(chunk.as_deref()).await?;
        if chunk.is_none() {
            return Ok(counts(import.done()));
        }
    }
}

/// How many were put, and passed over.
pub(super) async fn copy_to(store: Store, other: Store, existing: String, progress: Function) -> Result<JsValue> {
    let done = store.copy_all(&other, mode(&existing)?, |copied| told(&progress, copied).map(drop)).await?;
    Ok(counts(done))
}

fn counts(Imported { imported, skipped }: Imported) -> JsValue {
    #[allow(clippy::cast_precision_loss, reason = "below 2^53")]
    let [done, skipped] = [imported, skipped].map(|count| JsValue::from_f64(count as f64));
    Array::of2(&done, &skipped).into()
}

fn mode(existing: &str) -> Result<Existing> {
    match existing {
        "error" => Ok(Existing::Error),
        "keep" => Ok(Existing::Keep),
        "replace" => Ok(Existing::Replace),
        _ => Err(Error::new(ErrorKind::InvalidConfig, "existing is one of error, keep, replace")),
    }
}
