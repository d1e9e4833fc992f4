//! How a database comes to be, and is opened.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event, IdbDatabase, IdbFactory, IdbOpenDbRequest, IdbRequest};

use super::{
    fault::{fault, newer},
    large::{self, Large},
    row::{self, HEADS, Row, VALUES},
};
use crate::error::{Error, ErrorKind, Result};

/// The version of the database: which object stores it has.
const VERSION: u32 = 1;
/// How long another tab may keep a database from being opened or deleted, in milliseconds.
const PATIENCE: i32 = 5000;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(call: &Function, ms: i32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// The browser's databases, in a window as in a worker.
pub(super) fn factory() -> Result<IdbFactory> {
    let found = Reflect::get(&js_sys::global(), &"indexedDB".into()).map_err(|cause| fault("opening", cause))?;
    found.dyn_into().map_err(|_| {
        let message = "there is no IndexedDB here: use a page or a worker of a browser, or another backend";
        Error::new(ErrorKind::Unsupported, message)
    })
}

/// Makes the database, if there is none of this name.
pub(super) async fn create(name: &str) -> Result<()> {
    const DOING: &str = "creating the database";
    let failed = |cause| fault(DOING, cause);
    let request = factory()?.open_with_u32(name, VERSION).map_err(failed)?;
    opened(DOING, &request).await?;
    if request.transaction().is_some() {
        let database: IdbDatabase = request.result().map_err(failed)?.unchecked_into();
        for store in [HEADS, VALUES] {
            database.create_object_store(store).map_err(failed)?;
        }
        opened(DOING, &request).await?;
    }
    let database: IdbDatabase = row::result(&request).map_err(failed)?.unchecked_into();
    database.close();
    Ok(())
}

/// What opening by name found.
pub(super) enum Found {
    Ours(Opened),
    /// A database of something else.
    Foreign,
    Nothing,
}

/// An open database, and what is known of it.
pub(super) struct Opened {
    pub(super) database: IdbDatabase,
    pub(super) large: Large,
}

impl Found {
    /// The database, or the error that says why there is none.
    pub(super) fn ours(self) -> Result<Opened> {
        let message = match self {
            Self::Ours(opened) => return Ok(opened),
            Self::Foreign => "the database of this name belongs to something else; use another name",
            Self::Nothing => "there is no database of this name: it was never created, or it was deleted",
        };
        Err(Error::new(ErrorKind::StoreNotFound, message))
    }
}

/// Opens the database if there is one of ours. Never creates one.
pub(super) async fn open(name: &str) -> Result<Found> {
    let failed = |cause| fault("opening the database", cause);
    let request = factory()?.open(name).map_err(failed)?;
    opened("opening the database", &request).await?;
    if let Some(upgrade) = request.transaction() {
        // There was none, and this request is about to make one: an aborted upgrade leaves nothing behind.
        upgrade.abort().map_err(failed)?;
        return Ok(Found::Nothing);
    }
    let database: IdbDatabase = row::result(&request).map_err(failed)?.unchecked_into();
    let stores = database.object_store_names();
    let is_ours = stores.contains(HEADS) && stores.contains(VALUES);
    if is_ours && database.version() <= f64::from(VERSION) {
        let large = large(&database).await;
        let large = large.map_err(failed).inspect_err(|_| database.close())?;
        return Ok(Found::Ours(Opened { database, large }));
    }
    database.close();
    if stores.contains("") {
        let message = "the database is in konserve's layout; this build does not open it";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    if is_ours { Err(newer()) } else { Ok(Found::Foreign) }
}

/// Waits for an event of the request. One that comes too late finds nobody, and is given back.
async fn opened(doing: &'static str, request: &IdbOpenDbRequest) -> Result<()> {
    within_patience(doing, first_event(request)).await.inspect_err(|_| {
        let late = Closure::once_into_js(give_back);
        request.set_onsuccess(Some(late.unchecked_ref()));
        request.set_onupgradeneeded(Some(late.unchecked_ref()));
    })
}

/// What has a value in `v` now.
async fn large(database: &IdbDatabase) -> Result<Large, JsValue> {
    let rows = database.transaction_with_str(VALUES)?.object_store(VALUES)?;
    let request = rows.get_all_keys_with_key_and_limit(&JsValue::UNDEFINED, large::LIMIT + 1)?;
    JsFuture::from(first_event(&request)).await?;
    let keys: Array = row::result(&request)?.unchecked_into();
    Ok(Large::new(keys.iter().filter_map(|key| Row::from_key(&key)).collect()))
}

/// Resolves with the first event of the request, inside that event.
fn first_event(request: &IdbRequest) -> Promise {
    Promise::new(&mut |resolve, _| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&resolve));
        if let Some(opening) = request.dyn_ref::<IdbOpenDbRequest>() {
            opening.set_onupgradeneeded(Some(&resolve));
        }
    })
}

/// The result of `work`, or `BLOCKED` if it takes too long. `work` goes on: nobody can call it back.
pub(super) async fn within_patience(doing: &'static str, work: Promise) -> Result<()> {
    let mut timer = JsValue::UNDEFINED;
    let limit = Promise::new(&mut |_, reject| timer = set_timeout(&reject, PATIENCE));
    let ended = JsFuture::from(Promise::race(&Array::of2(&work, &limit))).await;
    clear_timeout(&timer);
    match ended {
        Ok(_) => Ok(()),
        Err(cause) if cause.is_undefined() => Err(Error::new(
            ErrorKind::Blocked,
            format!("{doing}: another tab or worker keeps it open; close that one, then try again"),
        )),
        Err(cause) => Err(fault(doing, cause)),
    }
}

/// A database that opened when nobody waited any more must not stand in others' way, nor come to be.
#[allow(clippy::needless_pass_by_value, reason = "a handler owns its event")]
fn give_back(event: Event) {
    let Some(request) = event.target().map(JsCast::unchecked_into::<IdbOpenDbRequest>) else { return };
    match (request.transaction(), request.result()) {
        (Some(upgrade), _) => _ = upgrade.abort(),
        (None, Ok(database)) => database.unchecked_into::<IdbDatabase>().close(),
        (None, Err(_)) => {}
    }
}
