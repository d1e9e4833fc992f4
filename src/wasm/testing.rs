//! The compliance suite, for tests in JavaScript.

use js_sys::{Function, Promise};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::{
    host::{thrown, to_js},
    options::{self, Mode},
    promise::promise,
};
use crate::{
    backing::{Backing, Place},
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    store::Config,
    testing::compliance::{Case, Failure, Need, Outcome, Subject, backing_cases, cases, run},
};

/// The suite over one backing.
#[wasm_bindgen]
pub struct Compliance(Subject, Mode);

/// `config(place)` gives the config of the place that a text names, for the synchronous view or the other. A promise of
/// a [`Compliance`].
#[wasm_bindgen]
pub fn compliance(config: Function, sync: bool) -> Promise {
    let mode = if sync { Mode::Sync } else { Mode::Async };
    promise(async move { Ok(Compliance(Subject::new(places(config, mode)).await?, mode).into()) })
}

#[wasm_bindgen]
impl Compliance {
    /// `{ name, skipped }` of each case: by which capability it is skipped, if it is.
    pub fn cases(&self) -> Result<JsValue, JsValue> {
        let shown = |case: Case| Shown { name: case.name(), skipped: case.lacks(self.0.capability()).map(spelt) };
        Ok(serde_wasm_bindgen::to_value(&all().map(shown).collect::<Vec<_>>())?)
    }

    /// Runs one case, in what `config` gives. The promise is rejected with how it failed.
    pub fn run(&self, name: String, config: Function) -> Promise {
        let subject = self.0.at(places(config, self.1));
        promise(async move {
            let case = all().find(|case| case.name() == name);
            let case = case.ok_or_else(|| Error::new(ErrorKind::Unsupported, format!("there is no case {name}")))?;
            match run(&subject, &case).await.outcome {
                Outcome::Failed(failure) => Err(thrown(broken(&failure))),
                Outcome::Passed | Outcome::Skipped(_) => Ok(JsValue::UNDEFINED),
            }
        })
    }
}

fn places(config: Function, mode: Mode) -> impl Fn(&str) -> Config {
    move |place| made(&config, place, mode).unwrap_or_else(nowhere)
}

fn all() -> impl Iterator<Item = Case> {
    cases().into_iter().chain(backing_cases())
}

#[derive(Serialize)]
struct Shown {
    name: &'static str,
    skipped: Option<&'static str>,
}

/// As a backing in JavaScript says it.
fn spelt(need: Need) -> &'static str {
    match need {
        Need::Ordered => "ordered",
        Need::Immediate => "sync",
        Need::AtomicBatches => "atomicBatches",
        Need::Shared => "shared",
    }
}

fn broken(failure: &Failure) -> JsValue {
    let error = js_sys::Error::new(&failure.to_string());
    if let Some(cause) = failure.error() {
        error.set_cause(&to_js(cause));
    }
    error.into()
}

fn made(config: &Function, place: &str, mode: Mode) -> Result<Config> {
    options::config(&config.call1(&JsValue::UNDEFINED, &place.into()).map_err(thrown)?, mode)
}

/// A place where everything fails for this reason.
struct Nowhere(Error);

fn nowhere(error: Error) -> Config {
    Config::at(Nowhere(error))
}

impl Nowhere {
    fn fail<T: 'static>(&self) -> BoxFut<'static, Result<T>> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }
}

impl Place for Nowhere {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        self.fail()
    }

    fn open(&self, _create: bool) -> BoxFut<'static, Result<std::sync::Arc<dyn Backing>>> {
        self.fail()
    }

    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        self.fail()
    }
}
