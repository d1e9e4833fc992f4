//! One open connection to a database, with its event handlers.

#[cfg(feature = "full")]
use std::cell::Cell;
use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{Event, IdbRequest};

use super::{
    Durability,
    connection::Shared,
    database::Opened,
    large::Large,
    row::{HEADS, VALUES},
    transaction::{Database, JsTransaction},
};

type Handler = Closure<dyn Fn(Event)>;

/// See the module's documentation.
///
/// The handlers are made once for the connection and serve all its transactions: `error` and `abort` bubble up to
/// the database; `complete`, and `success` of a request, are set where they are wanted. What JavaScript needs again
/// and again is made once, too.
pub(super) struct Handle {
    database: Database,
    pub(super) heads: JsValue,
    pub(super) values: JsValue,
    stores: Array,
    readwrite: JsValue,
    options: JsValue,
    large: RefCell<Large>,
    /// How many rows `m` seemed to have when it was last seen; 0 before that.
    #[cfg(feature = "full")]
    pub(super) rows: Cell<usize>,
    on_success: Handler,
    on_complete: Handler,
    /// Held for as long as the database may call them.
    _others: [Handler; 4],
}

impl Handle {
    pub(super) fn new(opened: Opened, durability: Durability, shared: &Weak<Shared>) -> Self {
        let Opened { database, large } = opened;
        let (heads, values) = (HEADS.into(), VALUES.into());
        let others = [
            handler(shared, Shared::on_error),
            handler(shared, Shared::on_abort),
            handler(shared, Shared::let_go),
            handler(shared, Shared::on_close),
        ];
        let [error, abort, version_change, close] = &others;
        database.set_onerror(Some(error.as_ref().unchecked_ref()));
        database.set_onabort(Some(abort.as_ref().unchecked_ref()));
        database.set_onversionchange(Some(version_change.as_ref().unchecked_ref()));
        database.set_onclose(Some(close.as_ref().unchecked_ref()));
        let options = Object::new();
        // Setting a property of a plain object of our own cannot fail.
        _ = Reflect::set(&options, &"durability".into(), &durability.as_str().into());
        Self {
            database: database.unchecked_into(),
            stores: Array::of2(&heads, &values),
            heads,
            values,
            readwrite: "readwrite".into(),
            options: options.into(),
            large: RefCell::new(large),
            #[cfg(feature = "full")]
            rows: Cell::new(0),
            on_success: handler(shared, Shared::on_success),
            on_complete: handler(shared, Shared::on_complete),
            _others: others,
        }
    }

    /// A new transaction over both object stores; `complete` of one that writes will be told.
    pub(super) fn begin(&self, writes: bool) -> Result<JsTransaction, JsValue> {
        if !writes {
            return self.database.reading(&self.stores);
        }
        let transaction = self.database.writing(&self.stores, &self.readwrite, &self.options)?;
        transaction.set_oncomplete(Some(self.on_complete.as_ref().unchecked_ref()));
        Ok(transaction)
    }

    /// `success` of this request, the last that somebody waits for, will be told.
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

/// A function for JavaScript that calls this one, as long as the connection lives.
fn handler(shared: &Weak<Shared>, handle: fn(&Rc<Shared>, &Event)) -> Handler {
    let shared = shared.clone();
    Handler::new(move |event: Event| {
        if let Some(shared) = shared.upgrade() {
            handle(&shared, &event);
        }
    })
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
