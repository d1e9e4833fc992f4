//! Stores in two places and caches: their options, open stores as tiers, walks.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{convert::TryFromJsValue, prelude::*};

use super::{
    calls::bytes,
    full_pages::kept,
    host::to_js,
    options::{self, Mode},
    promise::{now, promise},
    store::RawStore,
    sync::RawSyncStore,
};
use crate::{
    backing::{ReadPolicy, WritePolicy},
    cbor::{Writer, quoted},
    error::{Error, ErrorKind, Result},
    key::Key,
    store::{Cache, Config, Store, SyncPolicy, Tier, Tiers, Walk},
};

/// An open store on its way to be a tier of another.
#[wasm_bindgen]
pub struct RawTier {
    store: Store,
}

#[wasm_bindgen]
#[allow(missing_docs, reason = "documented where JavaScript reads it, in index.d.ts")]
impl RawStore {
    pub fn tier(&self) -> RawTier {
        RawTier { store: self.store.clone() }
    }

    /// An array of keys, or all.
    pub fn invalidate(&self, keys: Option<Vec<u8>>) -> Promise {
        let keys = keys.map(|keys| kept(&keys)).transpose();
        // Begun by the call: from here on no copy is read.
        let begun = keys.map(|keys| self.store.invalidate(keys.as_deref()));
        promise(async move {
            begun?.await;
            Ok(JsValue::UNDEFINED)
        })
    }

    pub fn walk(&self, roots: &[u8]) -> Result<RawWalk, JsValue> {
        walk(&self.store, roots)
    }
}

#[wasm_bindgen]
#[allow(missing_docs, reason = "as those of `RawStore`")]
impl RawSyncStore {
    pub fn tier(&self) -> RawTier {
        RawTier { store: self.store.clone() }
    }

    pub fn walk(&self, roots: &[u8]) -> Result<RawWalk, JsValue> {
        walk(&self.store, roots)
    }
}

fn walk(store: &Store, roots: &[u8]) -> Result<RawWalk, JsValue> {
    let roots = kept(roots).map_err(|error| to_js(&error))?;
    Ok(RawWalk(Rc::new(RefCell::new(Some(store.walk(roots))))))
}

/// A walk, one value at a time.
#[wasm_bindgen]
pub struct RawWalk(Rc<RefCell<Option<Walk>>>);

#[wasm_bindgen]
impl RawWalk {
    /// The next key and its value, as a page of entries has them; `undefined` after the last.
    pub fn next(&self) -> Promise {
        promise(next(self.0.clone()))
    }

    /// The same, at once.
    #[wasm_bindgen(js_name = nextNow)]
    pub fn next_now(&self) -> Result<JsValue, JsValue> {
        now(next(self.0.clone()))
    }

    /// An array of keys that are walked to, unless they were before.
    pub fn found(&self, keys: &[u8]) -> Result<(), JsValue> {
        let keys = kept(keys).map_err(|error| to_js(&error))?;
        self.0.borrow_mut().iter_mut().for_each(|walk| walk.found(keys.clone()));
        Ok(())
    }
}

async fn next(walk: Rc<RefCell<Option<Walk>>>) -> Result<JsValue> {
    let taken = walk.borrow_mut().take();
    let Some(mut walking) = taken else { return Ok(JsValue::UNDEFINED) };
    let met = walking.next().await;
    *walk.borrow_mut() = Some(walking);
    let pair = |(key, value): (Key, bytes::Bytes)| {
        let mut out = Writer::new();
        out.array(1);
        out.array(2);
        out.raw(key.as_cbor());
        out.raw(&value);
        out.finish()
    };
    Ok(bytes(met?.map(pair).as_deref()))
}

/// The config of a tiered store.
pub(super) fn config(options: &JsValue, mode: Mode) -> Result<Config> {
    let tier = |name: &str| match get(options, name) {
        Some(tier) => self::tier(tier, mode),
        None => Err(invalid(format!("the backend tiered needs {name}: a config, or a store that is open"))),
    };
    let mut tiers = Tiers::new(tier("frontendConfig")?, tier("backendConfig")?)
        .write_policy(named(options, "writePolicy", &WRITE_POLICIES)?.unwrap_or_default())
        .read_policy(named(options, "readPolicy", &READ_POLICIES)?.unwrap_or_default());
    if let Some(sync) = named(options, "sync", &SYNCS)? {
        tiers = tiers.sync(sync);
    }
    if let Some(entries) = count(options, "queue")? {
        tiers = tiers.queue(entries);
    }
    if let Some(on_error) = get(options, "onError") {
        let on_error: Function = on_error.unchecked_into();
        tiers = tiers.telling(std::sync::Arc::new(move |error: &Error| {
            _ = on_error.call1(&JsValue::UNDEFINED, &to_js(error));
        }));
    }
    Ok(Config::tiered(tiers))
}

fn tier(given: JsValue, mode: Mode) -> Result<Tier> {
    if RawTier::is_of(&given) {
        let tier = RawTier::try_from_js_value(given)
            .map_err(|_| invalid("a tier that is an open store must be of the same program as this one".to_owned()))?;
        return Ok(Tier::from(&tier.store));
    }
    Ok(options::config(&given, mode)?.into())
}

impl RawTier {
    /// Whether this is what `tier()` gave, and no config.
    fn is_of(given: &JsValue) -> bool {
        Reflect::has(given, &"backend".into()).is_ok_and(|has| !has)
    }
}

/// With the cache that the options say, if they do.
pub(super) fn cached(options: &JsValue, config: Config) -> Result<Config> {
    let Some(wanted) = get(options, "cache") else { return Ok(config) };
    let default = Cache::default();
    let cache = Cache {
        entries: count(&wanted, "entries")?.unwrap_or(default.entries),
        bytes: count(&wanted, "bytes")?.unwrap_or(default.bytes),
    };
    Ok(config.cached(cache, get(options, "told").is_some()))
}

const WRITE_POLICIES: [(&str, WritePolicy); 4] = [
    ("write-through", WritePolicy::Through),
    ("write-behind", WritePolicy::Behind),
    ("write-around", WritePolicy::Around),
    ("frontend-only", WritePolicy::FrontOnly),
];
const READ_POLICIES: [(&str, ReadPolicy); 2] =
    [("frontend-first", ReadPolicy::FrontFirst), ("frontend-only", ReadPolicy::FrontOnly)];
const SYNCS: [(&str, SyncPolicy); 2] = [("populate-missing", SyncPolicy::PopulateMissing), ("full", SyncPolicy::Full)];

fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

/// One of these, by its name.
fn named<T: Copy>(options: &JsValue, name: &str, all: &[(&str, T)]) -> Result<Option<T>> {
    let Some(given) = get(options, name) else { return Ok(None) };
    let given = given.as_string().unwrap_or_default();
    if let Some((_, found)) = all.iter().find(|(known, _)| *known == given) {
        return Ok(Some(*found));
    }
    let known: Array = all.iter().map(|(known, _)| JsValue::from_str(known)).collect();
    let known = String::from(known.join(", "));
    Err(invalid(format!("there is no {name} {}; there are {known}", quoted(&given))))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a whole number in range")]
fn count(options: &JsValue, name: &str) -> Result<Option<usize>> {
    match get(options, name).map(|given| given.as_f64()) {
        None => Ok(None),
        Some(Some(n)) if (1.0..=f64::from(u32::MAX)).contains(&n) && n.fract() == 0.0 => Ok(Some(n as usize)),
        Some(_) => Err(invalid(format!("{name} must be a whole number from 1 to 2^32 - 1"))),
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidConfig, message)
}
