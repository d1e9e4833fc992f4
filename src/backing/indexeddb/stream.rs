//! Blobs that are gathered in a `Blob` of the browser's piece by piece, outside of this memory, and read the same way.

use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;

use super::{
    OBJECT,
    connection::Shared,
    fault::fault,
    image::Becomes,
    job::{RowWrite, Work},
    row::{self, Stored, Value},
};
use crate::{
    backing::{BlobReader, BlobWriter, Expect},
    env::BoxFut,
    error::Result,
    name::BlobName,
};

/// What was written so far.
pub(super) struct DbWriter {
    shared: Rc<Shared>,
    name: BlobName,
    /// All of it, while that is too little for an object; else what is in none yet.
    bytes: BytesMut,
    objects: Array,
}

impl DbWriter {
    pub(super) fn new(shared: Rc<Shared>, name: BlobName) -> Self {
        Self { shared, name, bytes: BytesMut::new(), objects: Array::new() }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() as u64 >= OBJECT {
            let part = Array::of1(&Uint8Array::from(self.bytes.as_ref()));
            self.objects.push(&object(&part)?.into());
            self.bytes.clear();
        }
        Ok(())
    }

    fn value(mut self) -> Result<Value> {
        if self.objects.length() == 0 {
            return Ok(Value::Bytes(self.bytes.freeze()));
        }
        self.objects.push(&Uint8Array::from(self.bytes.split().as_ref()));
        object(&self.objects).map(Value::Object)
    }
}

fn object(parts: &JsValue) -> Result<web_sys::Blob> {
    web_sys::Blob::new_with_blob_sequence(parts).map_err(|cause| fault("writing", cause))
}

impl BlobWriter for DbWriter {
    fn write(&mut self, bytes: Bytes) -> BoxFut<'_, Result<()>> {
        Box::pin(async move { self.add(&bytes) })
    }

    fn sync(&mut self) -> BoxFut<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn finish(self: Box<Self>, head: Bytes) -> BoxFut<'static, Result<()>> {
        Box::pin(async move {
            let (shared, name) = (self.shared.clone(), self.name);
            let becomes = Becomes::Now(Stored { head, value: self.value()? });
            let writes = vec![RowWrite { name, becomes, expect: Expect::Anything }];
            shared.push(|answer| Work::Commit { writes, answer }).await.map(drop)
        })
    }

    fn abort(self: Box<Self>) -> BoxFut<'static, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// What one transaction read. An object never changes, and stays readable when its row is gone.
pub(super) struct DbReader(pub(super) Stored);

impl BlobReader for DbReader {
    fn head(&self) -> Bytes {
        self.0.head.clone()
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size is a whole number")]
    fn value_len(&self) -> u64 {
        match &self.0.value {
            Value::Bytes(value) => value.len() as u64,
            Value::Object(object) => object.size() as u64,
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "no object is that long")]
    #[allow(clippy::cast_possible_truncation, reason = "what is held in memory is shorter")]
    fn read(&mut self, at: u64, len: usize) -> BoxFut<'_, Result<Bytes>> {
        Box::pin(async move {
            let end = at.saturating_add(len as u64).min(self.value_len());
            let start = at.min(end);
            match &self.0.value {
                Value::Bytes(value) => Ok(value.slice(start as usize..end as usize)),
                Value::Object(object) => {
                    let part = object.slice_with_f64_and_f64(start as f64, end as f64);
                    row::load(&part.map_err(|cause| fault("reading", cause))?).await
                }
            }
        })
    }

    fn object(&self) -> Option<JsValue> {
        match &self.0.value {
            Value::Bytes(_) => None,
            Value::Object(object) => Some(object.into()),
        }
    }
}
