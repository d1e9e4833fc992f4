//! One suite for every backing: what a store promises, whatever it is kept in.
//!
//! ```
//! use konserve::{Config, blocking::wait, testing::compliance};
//!
//! let reports = wait(async {
//!     let subject = compliance::Subject::new(|place| Config::memory_named(format!("example {place}"))).await?;
//!     Ok::<_, konserve::Error>(compliance::run_all(&subject).await)
//! })?;
//! for report in reports {
//!     assert!(!report.outcome.is_failed(), "{report}");
//! }
//! # Ok::<(), konserve::Error>(())
//! ```
//!
//! For a backing of your own, give the config of a [`Place`](crate::backing::Place) of it: `examples/map_backing` is a
//! whole one, and `tests/map_backing.rs` runs the suite over it.
//!
//! A case is skipped only where the backing's own [`Capability`] says that it cannot do what the case is about.
//! Nothing here depends on a test framework, on an executor, on the time of day or on chance.

mod backing;
mod batches;
mod binaries;
mod check;
mod concurrency;
mod damage;
mod expiry;
mod garbage;
mod ground;
mod hooks;
mod item;
mod keys;
mod large;
mod lifecycle;
mod listing;
mod logs;
mod meta;
mod moving;
mod multi;
mod nesting;
mod paths;
mod poll;
mod sharing;
mod talk;
mod told;
mod updates;
mod values;

use std::{fmt, sync::Arc};

use crate::{
    backing::Capability,
    env::{BoxFut, MaybeSend, MaybeSync},
    error::Result,
    store::Config,
};
pub use check::Failure;
use check::Verdict;
use ground::{Ground, Make};

/// What is tested: a backing, in places that nobody else uses.
#[derive(Clone)]
pub struct Subject {
    make: Arc<Make>,
    capability: Capability,
}

impl Subject {
    /// `config` names a place by a text of lower-case letters, digits and `_`: the same text is the same place, another
    /// one another. What is in these places is deleted.
    pub async fn new(config: impl Fn(&str) -> Config + MaybeSend + MaybeSync + 'static) -> Result<Self> {
        let place = config("capability").place();
        place.destroy().await?;
        let backing = place.open(true).await?;
        let capability = backing.capability();
        backing.close().await?;
        place.destroy().await?;
        Ok(Self { make: Arc::new(config), capability })
    }

    /// With whatever makes a thread wait done on the caller's, as the [blocking view](crate::blocking) does it.
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn on_this_thread(config: impl Fn(&str) -> Config + MaybeSend + MaybeSync + 'static) -> Result<Self> {
        Self::new(move |place| config(place).on_this_thread()).await
    }

    /// The same backing in other places.
    #[must_use]
    pub fn at(&self, config: impl Fn(&str) -> Config + MaybeSend + MaybeSync + 'static) -> Self {
        Self { make: Arc::new(config), capability: self.capability }
    }

    /// What the backing says that it can do.
    pub fn capability(&self) -> Capability {
        self.capability
    }
}

/// What a backing must be able to do for a case to be of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// [`Capability::ordered`].
    Ordered,
    /// [`Capability::immediate`].
    Immediate,
    /// [`Capability::atomic_batches`].
    AtomicBatches,
    /// [`Capability::shared`], and no [`copies`](Capability::copies).
    Shared,
}

impl Need {
    fn is_met_by(self, capability: Capability) -> bool {
        match self {
            Self::Ordered => capability.ordered,
            Self::Immediate => capability.immediate,
            Self::AtomicBatches => capability.atomic_batches,
            Self::Shared => capability.shared && !capability.copies,
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ordered => "ordered",
            Self::Immediate => "immediate",
            Self::AtomicBatches => "atomic_batches",
            Self::Shared => "shared without copies",
        })
    }
}

/// One promise, and how it is tried.
#[derive(Clone, Copy)]
pub struct Case {
    name: &'static str,
    need: Option<Need>,
    run: fn(&Ground) -> BoxFut<'_, Verdict>,
}

impl Case {
    const fn new(name: &'static str, run: fn(&Ground) -> BoxFut<'_, Verdict>) -> Self {
        Self { name, need: None, run }
    }

    const fn needs(mut self, need: Need) -> Self {
        self.need = Some(need);
        self
    }

    /// The promise, in words joined by `_`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Without this the case is skipped.
    pub fn need(&self) -> Option<Need> {
        self.need
    }

    /// What this case needs and the backing does not have: by this it is skipped.
    pub fn lacks(&self, capability: Capability) -> Option<Need> {
        self.need.filter(|need| !need.is_met_by(capability))
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The case of an async function, named after it.
macro_rules! case {
    ($name:ident) => {
        super::Case::new(stringify!($name), |ground| Box::pin($name(ground)))
    };
}
use case;

/// The promises of a store.
pub fn cases() -> Vec<Case> {
    [
        lifecycle::CASES,
        values::CASES,
        binaries::CASES,
        keys::CASES,
        paths::CASES,
        nesting::CASES,
        updates::CASES,
        meta::CASES,
        expiry::CASES,
        listing::CASES,
        damage::CASES,
        moving::CASES,
        large::CASES,
        concurrency::CASES,
        sharing::CASES,
        multi::CASES,
        hooks::CASES,
        told::CASES,
        logs::CASES,
        garbage::CASES,
    ]
    .concat()
}

/// The promises of [`Backing`](crate::backing::Backing) and [`Place`](crate::backing::Place), for authors of backings:
/// where these hold, a store has what it needs.
pub fn backing_cases() -> Vec<Case> {
    [backing::CASES, batches::CASES].concat()
}

/// How a case ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The promise was kept.
    Passed,
    /// The backing says that it does not have what the promise is about.
    Skipped(Need),
    /// The promise was broken.
    Failed(Failure),
}

impl Outcome {
    /// Whether the promise was broken.
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

/// A case, and how it ended.
#[derive(Clone, Debug)]
pub struct Report {
    /// The name of the case.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Passed => write!(f, "{}: passed", self.name),
            Outcome::Skipped(need) => write!(f, "{}: skipped, the backing's capability is not {need}", self.name),
            Outcome::Failed(how) => write!(f, "{}: FAILED, {how}", self.name),
        }
    }
}

/// Runs one case, in a place of its own, which is empty before and gone afterwards.
pub async fn run(subject: &Subject, case: &Case) -> Report {
    let outcome = match case.lacks(subject.capability) {
        Some(need) => Outcome::Skipped(need),
        None => match attempt(subject, case).await {
            Ok(()) => Outcome::Passed,
            Err(failure) => Outcome::Failed(failure),
        },
    };
    Report { name: case.name, outcome }
}

async fn attempt(subject: &Subject, case: &Case) -> Verdict {
    let ground = Ground::new(subject.make.clone(), case.name);
    ground.clear().await?;
    let verdict = (case.run)(&ground).await;
    // The first failure is the one to tell.
    let cleared = ground.clear().await;
    verdict.and(cleared)
}

/// Runs all [`cases`] and all [`backing_cases`], one after another.
pub async fn run_all(subject: &Subject) -> Vec<Report> {
    let mut reports = Vec::new();
    for case in cases().iter().chain(&backing_cases()) {
        reports.push(run(subject, case).await);
    }
    reports
}
