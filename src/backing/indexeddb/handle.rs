//! One open connection to a database, with its event handlers.

use std::{cell::RefCell, rc::{Rc, Weak}};

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{Event, EventTarget, IdbDatabase, IdbRequest, IdbTransaction};

use super::{
    Durability,
    connection::Shared,
    database::Opened,
    large::Large,
    row::{HEADS, Rows, VALUES},
};

#[wasm_bindgen]
extern "C" {
    /// An `IDBDatabase` whose `transaction` takes options, which web-sys does not offer.
    #[wasm_bindgen(extends = IdbDatabase, extends = EventTarget)]
    type Database;

    #[wasm_bindgen(method, catch)]
    fn transaction(this: &Database, stores: &Array, mode: &JsValue, options: &JsValue) -> Result<Transaction, JsValue>;

    /// An `IDBTransaction` whose `commit` may be missing.
    #[wasm_bindgen(extends = IdbTransaction, extends = EventTarget)]
    pub(super) type Transaction;

    /// Says that no request will follow.
    #[wasm_bindgen(method, catch)]
    pub(super) fn commit(this: &Transaction) -> Result<(), JsValue>;
}

type Handler = Closure<dyn Fn(Event)>;

/// See the module's documentation.
///
/// The handlers are made once for the connection and serve all its transactions: `error` and `abort` bubble up to
/// the database, `complete` and the last request's `success` do not and are set where they are wanted.
pub(super) struct Handle {
    database: Database,
    stores: Array,
    modes: [JsValue; 2],
    options: JsValue,
    large: RefCell<Large>,
    on_success: Handler,
    on_complete: Handler,
    /// Held for as long as the database may call them.
    _others: [Handler; 4],
}

impl Handle {
    pub(super) fn new(opened: Opened, durability: Durability, shared: &Weak<Shared>) -> Self {
        let Opened { database, large } = opened;
        let handler = |handle: fn(&Rc<Shared>, &Event)| {
            let shared = shared.clone();
            let call = move |event: Event| {
                if let Some(shared) = shared.upgrade() {
                    handle(&shared, &event);
                }
            };
            Handler::new(call)
        };
        let others = [
            handler(Shared::on_error),
            handler(Shared::on_abort),
            handler(Shared::on_version_change),
            handler(Shared::on_close),
        ];
        let [error, abort, version_change, close] = &others;
        database.set_onerror(Some(error.as_ref().unchecked_ref()));
        database.set_onabort(Some(abort.as_ref().unchecked_ref()));
        database.set_onversionchange(Some(version_change.as_ref().unchecked_ref()));
        database.set_onclose(Some(close.as_ref().unchecked_ref()));
        let options = Object::new();
        // Defining a property on a plain object of our own cannot fail.
        _ = Reflect::set(&options, &"durability".into(), &durability.as_str().into());
        Self {
            database: database.unchecked_into(),
            stores: Array::of2(&HEADS.into(), &VALUES.into()),
            modes: ["readonly".into(), "readwrite".into()],
            options: options.into(),
            large: RefCell::new(large),
            on_success: handler(Shared::on_success),
            on_complete: handler(Shared::on_complete),
            _others: others,
        }
    }

    /// A new transaction over both object stores. Fails when the connection is closing or closed.
    pub(super) fn begin(&self, writes: bool) -> Result<(Transaction, Rows), JsValue> {
        let [readonly, readwrite] = &self.modes;
        let mode = if writes { readwrite } else { readonly };
        let transaction = self.database.transaction(&self.stores, mode, &self.options)?;
        if writes {
            transaction.set_oncomplete(Some(self.on_complete.as_ref().unchecked_ref()));
        }
        let rows = Rows { heads: transaction.object_store(HEADS)?, values: transaction.object_store(VALUES)? };
        Ok((transaction, rows))
    }

    /// `success` of this request, the last of its transaction so far, is to be told.
    pub(super) fn watch(&self, last: &IdbRequest) {
        last.set_onsuccess(Some(self.on_success.as_ref().unchecked_ref()));
    }

    /// What is known of the rows in `v`. The function must not call JavaScript.
    pub(super) fn with_large(&self, f: impl FnOnce(&mut Large)) {
        f(&mut self.large.borrow_mut());
    }

    /// Whether the event came from this connection itself.
    pub(super) fn is_target_of(&self, event: &Event) -> bool {
        event.target().is_some_and(|target| target == **self.database)
    }

    /// Closes once the transactions under way have ended.
    pub(super) fn close(&self) {
        self.database.close();
    }
}

impl Drop for Handle {
    /// No transaction is under way: each holds the handle. Nothing may call the handlers from here on.
    fn drop(&mut self) {
        self.database.set_onerror(None);
        self.database.set_onabort(None);
        self.database.set_onversionchange(None);
        self.database.set_onclose(None);
        self.database.close();
    }
}
