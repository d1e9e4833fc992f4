//! The compliance suite, for tests in JavaScript.

use js_sys::{Function, Promise};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::{
    host::thrown,
    options::{self, Mode},
    promise::promise,
};
use crate::{
    backing::{Backing, Place},
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    store::Config,
    testing::compliance::{Case, Outcome, Subject, backing_cases, cases, run},
};

fn all() -> impl Iterator<Item = Case> {
    cases().into_iter().chain(backing_cases())
}

/// The names of all cases.
#[wasm_bindgen(js_name = complianceCases)]
pub fn compliance_cases() -> Vec<String> {
    all().map(|case| case.name().to_owned()).collect()
}

/// What a case came to: `passed`, `skipped` or `failed`, and why.
#[derive(Serialize)]
struct Report {
    outcome: &'static str,
    message: String,
}

/// Runs one case. `config(place)` gives the config of the place that a text names. A promise of its [`Report`].
#[wasm_bindgen(js_name = runCompliance)]
pub fn run_compliance(name: String, config: Function, sync: bool) -> Promise {
    let mode = if sync { Mode::Sync } else { Mode::Async };
    promise(async move {
        let case = all().find(|case| case.name() == name);
        let case = case.ok_or_else(|| Error::new(ErrorKind::Unsupported, format!("there is no case {name}")))?;
        let subject = Subject::new(move |place| made(&config, place, mode).unwrap_or_else(nowhere)).await?;
        let (outcome, message) = match run(&subject, &case).await.outcome {
            Outcome::Passed => ("passed", String::new()),
            Outcome::Skipped(why) => ("skipped", why),
            Outcome::Failed(how) => ("failed", how),
        };
        serde_wasm_bindgen::to_value(&Report { outcome, message }).map_err(|error| thrown(error.into()))
    })
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
