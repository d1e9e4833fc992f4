//! Stores of many keys: what it costs to list and open them, and whether the cost of a get and a set stays the same.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    documents::{Content, Document, Random, keys},
    lane::{Lane, Lazy, Section, Unit},
    subject::{HEADS, KINDS, Kind, Subject},
};

const SIZES: [usize; 4] = [1000, 10_000, 100_000, 1_000_000];
const QUICK: [usize; 2] = [100, 1000];
/// Above this size there are only these.
const MANY: usize = 100_000;
const OF_MANY: [&str; 5] = ["map", "konserve-memory", "konserve-files", "redb-unsynced", "fjall"];
const BESIDE: [&str; 4] = ["fs", "konserve-memory-encrypted", "konserve-files-encrypted", "konserve-tiered"];
/// So many are written at once where a batch is the way to do it.
const BATCH: usize = 1000;

struct Sized {
    size: usize,
    lazy: Arc<Lazy>,
}

fn kinds(size: usize) -> impl Iterator<Item = Kind> {
    let wanted = move |kind: &Kind| OF_MANY.contains(&kind.name) || (size <= MANY && BESIDE.contains(&kind.name));
    KINDS.into_iter().chain([HEADS]).filter(move |kind| wanted(kind) || kind.name == HEADS.name)
}

fn fill(subject: &Subject, size: usize) {
    let (keys, document) = (keys(size), Document::numbered(1));
    if ["redb-unsynced", "fjall"].contains(&subject.kind.name) {
        let documents = vec![document; BATCH];
        for some in keys.chunks(BATCH) {
            subject.set_all(some, &documents);
        }
    } else {
        for key in keys {
            subject.set(key, &document);
        }
    }
    assert_eq!(subject.count(), size, "{}", subject.kind.name);
}

pub fn all(quick: bool) -> Vec<Section> {
    let sizes = if quick { &QUICK[..] } else { &SIZES };
    let of =
        |size| kinds(size).map(move |kind| Sized { size, lazy: Lazy::new(kind, move |subject| fill(subject, size)) });
    let stores: Vec<_> = sizes.iter().flat_map(|size| of(*size)).collect();
    let sections = sizes.iter().flat_map(|size| {
        let some: Vec<_> = stores.iter().filter(|store| store.size == *size).collect();
        [listing(&some, *size), opening(&some, *size)]
    });
    let mut sections: Vec<_> = sections.collect();
    sections.push(flat("flat-get", "get 200 bytes", &stores, |subject, key, _| drop(subject.get::<Document>(key))));
    sections.push(flat("flat-set", "set 200 bytes", &stores, Subject::set));
    sections
}

fn slow(id: String, title: String, baseline: &str, lanes: Vec<Lane>) -> Section {
    Section { id, title, unit: Unit::Milliseconds, baseline: baseline.into(), lanes, slow: true }
}

/// What has its keys inside of its files is beside a listing that reads these.
fn listing(stores: &[&Sized], size: usize) -> Section {
    let lane = |store: &&Sized| {
        let lane = Lane::of(&store.lazy, move |subject, _| assert_eq!(subject.count(), size));
        let memory = store.lazy.kind.against == "map";
        lane.against(if memory { "map" } else { HEADS.name })
    };
    slow(format!("list-{size}"), format!("list {} keys", written(size)), "map", stores.iter().map(lane).collect())
}

/// Until the first value.
fn opening(stores: &[&Sized], size: usize) -> Section {
    let kept = ["konserve-files", "konserve-files-encrypted", "redb-unsynced", "fjall"];
    let lanes = stores.iter().filter(|store| kept.contains(&store.lazy.kind.name)).map(|Sized { lazy, .. }| {
        let lane = Lane::of(lazy, |_, _| {}).against("redb-unsynced");
        let lazy = lazy.clone();
        let run = move |count| {
            let mut subject = lazy.get().write().unwrap();
            let reopen = |_| {
                let began = Instant::now();
                subject.reopen();
                subject.get_bytes("person 7");
                began.elapsed()
            };
            (0..count).map(reopen).sum::<Duration>()
        };
        Lane { run: Box::new(run), ..lane }
    });
    let title = format!("open a store of {} keys, until the first value", written(size));
    slow(format!("open-{size}"), title, "redb-unsynced", lanes.collect())
}

/// Each subject beside itself with the fewest keys.
fn flat(id: &str, what: &str, stores: &[Sized], act: impl Fn(&Subject, &str, &Document) + Copy + 'static) -> Section {
    let mut sorted: Vec<_> = stores.iter().filter(|store| store.lazy.kind.name != HEADS.name).collect();
    sorted.sort_by_key(|store| (store.lazy.kind.name, store.size));
    let lanes: Vec<_> = sorted
        .into_iter()
        .map(|Sized { size, lazy }| {
            let (document, mut random, size, mut made) = (Document::numbered(2), Random::new(), *size, None);
            let lane = Lane::of(lazy, move |subject, _| {
                let keys = *made.get_or_insert_with(|| keys(size));
                act(subject, &keys[random.below(size)], &document);
            });
            let least = stores.first().unwrap().size;
            lane.named(&format!("@{size}"), &format!(": {}", written(size)), &format!("@{least}"))
        })
        .collect();
    let baseline = lanes.first().unwrap().subject.clone();
    Section {
        id: id.into(),
        title: format!("{what}, by the number of keys"),
        unit: Unit::PerSecond,
        baseline,
        lanes,
        slow: true,
    }
}

/// With commas, as in 1,000,000.
fn written(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
