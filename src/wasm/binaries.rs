//! Binaries given to functions, and written and read piece by piece.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{
    calls::{Options, bytes},
    host::thrown,
    promise::promise,
};
use crate::{
    env::JsCause,
    error::{Error, ErrorKind, Result},
    key::Key,
    store::{BinaryReader, BinaryWriter, Span, Store},
};

pub(super) async fn bassoc(store: Store, key: Vec<u8>, given: Vec<u8>, options: Options) -> Result<JsValue> {
    store.put_binary(&Key::from_cbor(&key)?, given.into(), options.read()?).await?;
    Ok(JsValue::UNDEFINED)
}

/// `start` and `end` are whole numbers.
#[allow(clippy::cast_possible_truncation, reason = "what is beyond is beyond any binary")]
pub(super) async fn bget(store: Store, key: Vec<u8>, start: f64, end: Option<f64>) -> Result<JsValue> {
    let span = Span { start: start as i64, end: end.map(|end| end as i64) };
    let Some(mut reader) = store.unchecked_binary(&Key::from_cbor(&key)?).await? else { return Ok(JsValue::UNDEFINED) };
    let Some(object) = reader.object() else { return Ok(bytes(Some(&reader.part(span).await?))) };
    let reach = reader.reach(span)?;
    reader.check().await?;
    sliced(object.unchecked_into(), reach).await.map_err(|cause| {
        Error::new(ErrorKind::Backend, "the browser could not read a stored Blob; try again")
            .caused_by(Arc::new(JsCause(cause)))
    })
}

/// The bytes of an object from here to there, which need not come into this memory.
#[allow(clippy::cast_precision_loss, reason = "no object is that long")]
async fn sliced(object: web_sys::Blob, (start, end): (u64, u64)) -> Result<JsValue, JsValue> {
    let part = object.slice_with_f64_and_f64(start as f64, end as f64)?;
    Ok(Uint8Array::new(&JsFuture::from(part.array_buffer()).await?).into())
}

/// What a function gave, or what its promise comes to.
async fn done(called: Result<JsValue, JsValue>) -> Result<JsValue> {
    let answer = called.map_err(thrown)?;
    JsFuture::from(Promise::resolve(&answer)).await.map_err(thrown)
}

/// A binary, for as long as a function works with it. One call at a time takes it out.
struct Lent {
    reader: RefCell<Option<BinaryReader>>,
    over: Cell<bool>,
}

impl Lent {
    async fn next(self: Rc<Self>) -> Result<JsValue> {
        let reader = self.reader.borrow_mut().take();
        let mut reader = reader.ok_or_else(|| {
            let message = "a binary is read inside the function that it was given to; await it there";
            Error::new(ErrorKind::Closed, message)
        })?;
        let piece = reader.next().await;
        if !self.over.get() {
            *self.reader.borrow_mut() = Some(reader);
        }
        Ok(bytes(piece?.as_deref()))
    }
}

/// A binary that a function was given.
#[wasm_bindgen]
pub struct RawReader(Rc<Lent>);

#[wasm_bindgen]
impl RawReader {
    /// The next bytes; `undefined` at the end.
    pub fn next(&self) -> Promise {
        promise(self.0.clone().next())
    }
}

/// Calls `f(reader, size, object)` with a binary, if there is one, and keeps its key locked until that is done.
pub(super) async fn lend(store: Store, key: Vec<u8>, f: Function) -> Result<JsValue> {
    let Some(reader) = store.read_binary(&Key::from_cbor(&key)?).await? else { return Ok(JsValue::UNDEFINED) };
    #[allow(clippy::cast_precision_loss, reason = "no binary is that long")]
    let size = reader.len() as f64;
    let object = reader.object().unwrap_or(JsValue::UNDEFINED);
    let lent = Rc::new(Lent { reader: RefCell::new(Some(reader)), over: Cell::new(false) });
    let done = done(f.call3(&JsValue::UNDEFINED, &RawReader(lent.clone()).into(), &size.into(), &object)).await;
    lent.over.set(true);
    let reader = lent.reader.borrow_mut().take();
    drop(reader);
    done
}

/// A binary on its way into the store. One call at a time takes it out.
#[wasm_bindgen]
pub struct RawWriter(Rc<Cell<Option<BinaryWriter>>>);

pub(super) async fn begin(store: Store, key: Vec<u8>, options: Options) -> Result<JsValue> {
    let writer = store.write_binary(&Key::from_cbor(&key)?, options.read()?).await?;
    Ok(RawWriter(Rc::new(Cell::new(Some(writer)))).into())
}

impl RawWriter {
    fn call<F: Future<Output = Result<()>>>(
        &self,
        act: impl FnOnce(BinaryWriter, Rc<Cell<Option<BinaryWriter>>>) -> F + 'static,
    ) -> Promise {
        let cell = self.0.clone();
        promise(async move {
            let writer = cell.take().ok_or_else(|| {
                Error::new(ErrorKind::Conflict, "a binary that is being written takes one call at a time")
            })?;
            act(writer, cell).await.map(|()| JsValue::UNDEFINED)
        })
    }
}

#[wasm_bindgen]
#[allow(missing_docs, reason = "as those of `BinaryWriter`")]
impl RawWriter {
    pub fn write(&self, bytes: Vec<u8>) -> Promise {
        self.call(async move |mut writer, cell| {
            let written = writer.write(&bytes).await;
            cell.set(Some(writer));
            written
        })
    }

    pub fn finish(&self) -> Promise {
        self.call(async move |writer, _| writer.finish().await)
    }

    pub fn abort(&self) -> Promise {
        self.call(async move |writer, _| writer.abort().await)
    }
}
