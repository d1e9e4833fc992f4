//! Ratios from alternating rounds: in each round every lane of a section has one slice, forwards and backwards in turn. A machine
//! that is slower for a while so makes all slower.

use std::time::Duration;

use serde_json::json;

use super::{
    Asked,
    lane::{Lane, Section, Unit},
};

/// What takes so long is measured so few times.
const LONG: Duration = Duration::from_millis(500);
const FEW: usize = 2;

/// Measures a section, and prints it as one line of JSON.
pub fn measure(mut section: Section, asked: &Asked) {
    asked.take(&mut section.lanes);
    let shares: Vec<_> = section.lanes.iter_mut().map(|lane| warm_up(lane, asked)).collect();
    let mut samples = vec![Vec::new(); shares.len()];
    for round in 0..asked.rounds {
        let forwards: Vec<_> = (0..shares.len()).collect();
        let order = if round % 2 == 0 { forwards } else { forwards.into_iter().rev().collect() };
        for at in order {
            let (lane, Share { count, rounds }) = (&mut section.lanes[at], shares[at]);
            if round < rounds {
                let took = (lane.run)(count).as_secs_f64();
                samples[at].push(sample(section.unit, took, count, lane.many));
            }
        }
    }
    println!("{}", told(&section, &samples));
}

/// What a lane does of a section.
#[derive(Clone, Copy)]
struct Share {
    /// How often in a slice.
    count: u64,
    rounds: usize,
}

/// Lets a lane do its work until it is warm. What takes seconds has its turn in few rounds.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn warm_up(lane: &mut Lane, &Asked { slice, rounds, .. }: &Asked) -> Share {
    // The first time opens its store.
    (lane.run)(1);
    let (mut count, mut spent) = (1, Duration::ZERO);
    loop {
        let took = (lane.run)(count);
        spent += took;
        if spent > slice {
            let share = (count as f64 * slice.as_secs_f64() / took.as_secs_f64()) as u64;
            let is_long = took > LONG && count == 1;
            return Share { count: share.max(1), rounds: if is_long { rounds.min(FEW) } else { rounds } };
        }
        count *= 2;
    }
}

#[allow(clippy::cast_precision_loss)]
fn sample(unit: Unit, seconds: f64, count: u64, many: u32) -> f64 {
    match unit {
        Unit::PerSecond => count as f64 * f64::from(many) / seconds,
        Unit::Milliseconds => seconds * 1000.0 / count as f64,
    }
}

fn told(Section { id, title, unit, baseline, lanes, .. }: &Section, samples: &[Vec<f64>]) -> serde_json::Value {
    let (unit, better) = match unit {
        Unit::PerSecond => ("operations a second", "more"),
        Unit::Milliseconds => ("ms", "less"),
    };
    let row = |(lane, samples): (&Lane, &Vec<f64>)| json!({ "subject": lane.subject, "title": lane.title, "against": lane.against, "samples": samples });
    let rows: Vec<_> = lanes.iter().zip(samples).map(row).collect();
    json!({ "id": id, "title": title, "unit": unit, "better": better, "baseline": baseline, "rows": rows })
}
