//! The compliance suite over the example of a backing of one's own, as its author would run it.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../examples/map_backing/backing.rs"]
mod backing;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use backing::MapPlace;
use konserve::{
    Config,
    blocking::wait,
    testing::compliance::{Need, Outcome, Subject, run_all},
};

#[test]
fn the_example_keeps_every_promise() {
    let places: Mutex<HashMap<String, MapPlace>> = Mutex::default();
    let config = move |place: &str| {
        let mut places = places.lock().unwrap_or_else(PoisonError::into_inner);
        Config::at(places.entry(place.to_owned()).or_default().clone())
    };
    let reports = wait(async { run_all(&Subject::new(config).await.unwrap()).await });
    let mut passed = 0;
    for report in &reports {
        match &report.outcome {
            Outcome::Passed => passed += 1,
            Outcome::Skipped(need) => assert_eq!(*need, Need::Shared, "{report}"),
            Outcome::Failed(_) => println!("{report}"),
        }
    }
    println!("{passed} of {} passed", reports.len());
    assert!(!reports.iter().any(|report| report.outcome.is_failed()));
    assert!(passed > 120);
}
