//! One transaction over both object stores.

use std::{cell::OnceCell, rc::Rc};

use js_sys::{Array, Date, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{EventTarget, IdbDatabase, IdbKeyRange, IdbObjectStore, IdbRequest, IdbTransaction};

use super::{
    PAGE_LEN,
    handle::Handle,
    row::{Row, Stored, Value},
};
use crate::name::BlobName;

#[wasm_bindgen]
extern "C" {
    /// An `IDBDatabase` whose `transaction` takes options, which web-sys does not offer.
    #[wasm_bindgen(extends = IdbDatabase, extends = EventTarget)]
    pub(super) type Database;

    /// For reading, which needs neither mode nor options.
    #[wasm_bindgen(method, catch, js_name = transaction)]
    pub(super) fn reading(this: &Database, stores: &Array) -> Result<JsTransaction, JsValue>;

    #[wasm_bindgen(method, catch, js_name = transaction)]
    pub(super) fn writing(
        this: &Database,
        stores: &Array,
        mode: &JsValue,
        options: &JsValue,
    ) -> Result<JsTransaction, JsValue>;

    /// An `IDBTransaction` that takes names which are JavaScript strings already, and may lack `commit`.
    #[wasm_bindgen(extends = IdbTransaction, extends = EventTarget)]
    pub(super) type JsTransaction;

    #[wasm_bindgen(method, catch, js_name = objectStore)]
    fn rows(this: &JsTransaction, name: &JsValue) -> Result<IdbObjectStore, JsValue>;

    #[wasm_bindgen(method, catch, js_name = commit)]
    fn finish(this: &JsTransaction) -> Result<(), JsValue>;
}

/// See the module's documentation. It holds the connection for as long as events may come.
pub(super) struct Transaction {
    pub(super) handle: Rc<Handle>,
    inner: JsTransaction,
    heads: IdbObjectStore,
    values: OnceCell<IdbObjectStore>,
    /// When it began, in ms since 1970.
    began: f64,
}

/// How long reads may go on in one transaction, in ms: writers, also those of other tabs, wait for its end.
const MAX_AGE: f64 = 4.0;

impl Transaction {
    /// Fails when the connection is closing or closed.
    pub(super) fn begin(handle: Rc<Handle>, writes: bool) -> Result<Self, JsValue> {
        let inner = handle.begin(writes)?;
        let heads = inner.rows(&handle.heads)?;
        Ok(Self { handle, inner, heads, values: OnceCell::new(), began: Date::now() })
    }

    /// Whether it is young enough for more reads.
    pub(super) fn may_go_on(&self) -> bool {
        (0.0..MAX_AGE).contains(&(Date::now() - self.began))
    }

    fn values(&self) -> Result<&IdbObjectStore, JsValue> {
        if let Some(values) = self.values.get() {
            return Ok(values);
        }
        let values = self.inner.rows(&self.handle.values)?;
        Ok(self.values.get_or_init(|| values))
    }

    pub(super) fn get_head(&self, key: &JsValue) -> Result<IdbRequest, JsValue> {
        self.heads.get(key)
    }

    pub(super) fn get_value(&self, key: &JsValue) -> Result<IdbRequest, JsValue> {
        self.values()?.get(key)
    }

    /// Asks for the rows of a blob. `clear`: `v` may hold an older value.
    pub(super) fn put(&self, key: &JsValue, blob: &Stored, clear: bool) -> Result<(), JsValue> {
        let Stored { head, value } = blob;
        match value {
            Value::Bytes(value) if !blob.is_large() => {
                put(&self.heads, key, &[head.as_ref(), value.as_ref()].concat())?;
                return self.clear_value(key, clear);
            }
            Value::Bytes(value) => put(self.values()?, key, value)?,
            Value::Object(object) => drop(self.values()?.put_with_key(object, key)?),
        }
        put(&self.heads, key, head)
    }

    /// Asks that both rows be removed. `clear`: `v` may hold a value.
    pub(super) fn delete(&self, key: &JsValue, clear: bool) -> Result<(), JsValue> {
        self.heads.delete(key)?;
        self.clear_value(key, clear)
    }

    fn clear_value(&self, key: &JsValue, clear: bool) -> Result<(), JsValue> {
        if clear { self.values()?.delete(key).map(drop) } else { Ok(()) }
    }

    /// Asks for the names after this one, and for their rows.
    pub(super) fn get_page(&self, after: Option<BlobName>) -> Result<[IdbRequest; 2], JsValue> {
        // Names begin with a hexadecimal digit, the record does not.
        let lower = after.map_or_else(|| JsValue::from_str("0"), |name| Row::Blob(name).key());
        let range = IdbKeyRange::bound_with_lower_open_and_upper_open(&lower, &JsValue::from_str("g"), true, true)?;
        Ok([
            self.heads.get_all_keys_with_key_and_limit(&range, PAGE_LEN)?,
            self.heads.get_all_with_key_and_limit(&range, PAGE_LEN)?,
        ])
    }

    /// Asks for the names from the first to the last of these, which are sorted, and for their rows.
    #[cfg(feature = "full")]
    pub(super) fn get_range(&self, names: &[BlobName], limit: u32) -> Result<[IdbRequest; 2], JsValue> {
        let key = |name: Option<&BlobName>| name.map_or(JsValue::UNDEFINED, |name| Row::Blob(*name).key());
        let range = IdbKeyRange::bound(&key(names.first()), &key(names.last()))?;
        Ok([
            self.heads.get_all_keys_with_key_and_limit(&range, limit)?,
            self.heads.get_all_with_key_and_limit(&range, limit)?,
        ])
    }

    /// No request will follow. The browser commits anyway, but sooner so: where `commit` is missing or fails, nothing is lost.
    pub(super) fn commit(&self) {
        _ = self.inner.finish();
    }

    /// Undoes everything. It may be over already; then there is nothing to undo.
    pub(super) fn abort(&self) {
        _ = self.inner.abort();
    }

    /// Why it was aborted.
    pub(super) fn abort_cause(&self) -> JsValue {
        self.inner.error().map_or(JsValue::NULL, JsValue::from)
    }

    /// Whether the events of this target are its own.
    pub(super) fn is(&self, target: &EventTarget) -> bool {
        **self.inner == *target
    }
}

fn put(store: &IdbObjectStore, key: &JsValue, bytes: &[u8]) -> Result<(), JsValue> {
    store.put_with_key(&Uint8Array::from(bytes), key).map(drop)
}
