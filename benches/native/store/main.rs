//! Measures the crate beside what a program would take instead.
//!
//! `cargo bench --bench store` in this folder: each lane by criterion, which tells its spread and how it changed. The usual
//! arguments of criterion do what they do: `cargo bench --bench store -- get-bytes`.
//!
//! `cargo bench --bench store -- --rounds 9`: ratios from alternating rounds, a line of JSON for each section; so
//! `npm run bench -- --native` does it. `--slice MS`, `--sections` and `--subjects` (names with commas between), `--quick`;
//! `--cpu` for the time on a processor instead of that on the clock; `--list` prints the names.
#![allow(missing_docs, reason = "a benchmark")]

mod documents;
mod lane;
mod peers;
mod rounds;
mod scale;
mod subject;
mod workloads;

use std::{env, sync::atomic::Ordering, time::Duration};

use criterion::Criterion;
use lane::{Lane, Section};
use serde_json::json;

/// What the arguments ask for.
pub struct Asked {
    rounds: usize,
    slice: Duration,
    sections: Option<Vec<String>>,
    subjects: Option<Vec<String>>,
}

impl Asked {
    fn wants(&self, section: &Section) -> bool {
        is_among(self.sections.as_ref(), &section.id)
    }

    /// Those that are wanted, and what they are compared with.
    fn take(&self, lanes: &mut Vec<Lane>) {
        let wanted = |lane: &&Lane| is_among(self.subjects.as_ref(), &lane.subject);
        let against: Vec<_> = lanes.iter().filter(wanted).map(|lane| lane.against.clone()).collect();
        lanes.retain(|lane| wanted(&lane) || against.contains(&lane.subject));
    }
}

/// Without a list, all are.
fn is_among(names: Option<&Vec<String>>, name: &str) -> bool {
    names.is_none_or(|names| names.iter().any(|one| one == name))
}

fn main() {
    let arguments: Vec<_> = env::args().collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let after = |name: &str| arguments.iter().skip_while(|argument| *argument != name).nth(1);
    let number = |name: &str| after(name).map(|text| text.parse::<u64>().expect("a number"));
    let names = |name: &str| after(name).map(|text| text.split(',').map(str::to_owned).collect());

    lane::ON_PROCESSOR.store(has("--cpu"), Ordering::Relaxed);
    let mut sections = workloads::all();
    sections.extend(scale::all(has("--quick")));
    if has("--list") {
        for section in &sections {
            println!("{}", listed(section));
        }
    } else if let Some(rounds) = number("--rounds") {
        let asked = Asked {
            rounds: usize::try_from(rounds).expect("fewer rounds"),
            slice: Duration::from_millis(number("--slice").unwrap_or(60)),
            sections: names("--sections"),
            subjects: names("--subjects"),
        };
        sections
            .into_iter()
            .filter(|section| asked.wants(section))
            .for_each(|section| rounds::measure(section, &asked));
    } else {
        criterion(sections);
    }
}

fn listed(section: &Section) -> serde_json::Value {
    let subjects: Vec<_> = section.lanes.iter().map(|lane| &lane.subject).collect();
    json!({ "id": section.id, "subjects": subjects })
}

/// Each lane by itself. Listing large stores is for the rounds: criterion wants each operation at least ten times.
fn criterion(sections: Vec<Section>) {
    let (warm_up, measure) = (Duration::from_millis(200), Duration::from_secs(1));
    let criterion =
        Criterion::default().sample_size(10).warm_up_time(warm_up).measurement_time(measure).without_plots();
    let mut criterion = criterion.configure_from_args();
    for section in sections.into_iter().filter(|section| !section.slow) {
        let mut group = criterion.benchmark_group(section.id);
        for mut lane in section.lanes {
            group.bench_function(lane.subject, |bencher| bencher.iter_custom(|count| (lane.run)(count)));
        }
        group.finish();
    }
    criterion.final_summary();
}
