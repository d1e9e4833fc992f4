//! Binaries piece by piece.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{calls::bytes, host::thrown, promise::promise};
use crate::{
    error::{Error, ErrorKind, Result},
    key::Key,
    store::{BinaryReader, Store},
};

/// A binary, for as long as a function works with it. One call at a time takes it out.
struct Lent {
    reader: RefCell<Option<BinaryReader>>,
    over: Cell<bool>,
}

impl Lent {
    async fn next(self: Rc<Self>) -> Result<JsValue> {
        let reader = self.reader.borrow_mut().take();
        let mut reader = reader.ok_or_else(|| {
            Error::new(ErrorKind::Closed, "a binary is read inside the function that it was given to; await it there")
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

/// Calls `f(reader, size)` with a binary, if there is one, and keeps its key locked until that is done.
pub(super) async fn lend(store: Store, key: Vec<u8>, f: Function) -> Result<JsValue> {
    let Some(reader) = store.read_binary(&Key::from_cbor(&key)?).await? else { return Ok(JsValue::UNDEFINED) };
    #[allow(clippy::cast_precision_loss, reason = "no binary is that long")]
    let size = reader.meta().size as f64;
    let lent = Rc::new(Lent { reader: RefCell::new(Some(reader)), over: Cell::new(false) });
    let called = f.call2(&JsValue::UNDEFINED, &RawReader(lent.clone()).into(), &size.into());
    let done = match called {
        Ok(answer) => JsFuture::from(Promise::resolve(&answer)).await,
        Err(error) => Err(error),
    };
    lent.over.set(true);
    let reader = lent.reader.borrow_mut().take();
    drop(reader);
    done.map_err(thrown)
}

#[cfg(feature = "node")]
pub(super) use writer::begin;

/// A browser collects what is streamed, since its database takes only whole values.
#[cfg(feature = "node")]
mod writer {
    use super::{Cell, Error, ErrorKind, JsValue, Key, Promise, Rc, Result, Store, promise, wasm_bindgen};
    use crate::{store::BinaryWriter, wasm::calls::Options};

    /// A binary on its way into the store. One call at a time takes it out.
    #[wasm_bindgen]
    pub struct RawWriter(Rc<Cell<Option<BinaryWriter>>>);

    pub(in crate::wasm) async fn begin(store: Store, key: Vec<u8>, options: Options) -> Result<JsValue> {
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
}
