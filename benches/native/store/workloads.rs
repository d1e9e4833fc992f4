//! The workloads on a store of moderate size.

use std::{sync::Arc, thread, time::Instant};

use konserve::blocking::wait;

use super::{
    documents::{Content, Crowd, Document, Random, binary, keys, zipf},
    lane::{Lane, Lazy, Section, Unit},
    subject::{KINDS, Kind, Subject},
};

/// So many keys have documents.
const KEYS: usize = 1000;
/// So many documents are written in turn.
const VARIANTS: usize = 64;
/// One in so many operations of the mixed workload is a write.
const WRITES: u64 = 20;
const BATCH: u32 = 1000;
const THREADS: u64 = 8;
/// How many small documents are in the large one, and which of them is asked for.
const CROWD: u64 = 5200;
const MIDDLE: u64 = CROWD / 2;

/// All kinds, each with these documents at all keys.
fn filled<T: Content>(count: usize) -> Vec<Arc<Lazy>> {
    let fill = move |subject: &Subject| {
        let documents: Vec<_> = (0..count as u64).map(T::numbered).collect();
        subject.set_all(keys(count), &documents);
    };
    KINDS.map(|kind| Lazy::new(kind, fill)).into()
}

fn empty(wanted: impl Fn(&Kind) -> bool) -> Vec<Arc<Lazy>> {
    KINDS.into_iter().filter(wanted).map(|kind| Lazy::new(kind, |_| {})).collect()
}

fn section(id: &str, title: &str, lanes: Vec<Lane>) -> Section {
    let baseline = lanes.first().unwrap().against.clone();
    Section { id: id.into(), title: title.into(), unit: Unit::PerSecond, baseline, lanes, slow: false }
}

/// The same operation by each subject, with a key by chance.
fn each(
    id: &str,
    title: &str,
    all: &[Arc<Lazy>],
    count: usize,
    act: impl Fn(&Subject, &str, u64) + Copy + 'static,
) -> Section {
    let lane = |lazy: &Arc<Lazy>| {
        let (keys, mut random) = (keys(count), Random::new());
        Lane::of(lazy, move |subject, at| act(subject, &keys[random.below(count)], at))
    };
    section(id, title, all.iter().map(lane).collect())
}

/// Set, get as bytes and as a value, and update.
fn documents<T: Content>(size: &str, suffix: &str, all: &[Arc<Lazy>], count: usize) -> Vec<Section> {
    let variants: &'static [T] = (0..VARIANTS as u64).map(T::numbered).collect::<Vec<_>>().leak();
    let set = move |subject: &Subject, key: &str, at: u64| {
        let at = usize::try_from(at).unwrap() % VARIANTS;
        subject.set(key, &variants[at]);
    };
    vec![
        each(&format!("get-bytes{suffix}"), &format!("get {size} as encoded bytes"), all, count, |subject, key, _| {
            subject.get_bytes(key);
        }),
        each(&format!("get-value{suffix}"), &format!("get {size} as a struct"), all, count, |subject, key, _| {
            drop(subject.get::<T>(key));
        }),
        each(&format!("set{suffix}"), &format!("set {size}"), all, count, set),
        each(&format!("update{suffix}"), &format!("update {size}"), all, count, |subject, key, _| {
            subject.update::<T>(key);
        }),
    ]
}

fn mixed(all: &[Arc<Lazy>]) -> Section {
    let lanes = all.iter().map(|lazy| {
        let (keys, order, document) = (keys(KEYS), zipf(KEYS, 1 << 16), Document::numbered(1));
        Lane::of(lazy, move |subject, at| {
            let key = &keys[order[usize::try_from(at).unwrap() % order.len()]];
            if at % WRITES == 0 {
                subject.set(key, &document);
            } else {
                drop(subject.get::<Document>(key));
            }
        })
    });
    section("mixed", "95 gets to 5 sets of 200 bytes, keys by Zipf's law", lanes.collect())
}

fn batches() -> Section {
    let lanes = empty(|_| true).into_iter().map(|lazy| {
        let (keys, documents) =
            (keys(BATCH as usize), (0..u64::from(BATCH)).map(Document::numbered).collect::<Vec<_>>());
        Lane::of(&lazy, move |subject, _| subject.set_all(keys, &documents)).many(BATCH)
    });
    section("batch-1000", "set 200 bytes, batches of 1,000", lanes.collect())
}

fn appends() -> Section {
    let lanes = empty(|_| true).into_iter().map(|lazy| {
        let document = Document::numbered(1);
        Lane::of(&lazy, move |subject, at| subject.append("log", at, &document))
    });
    section("append", "append 200 bytes to a log", lanes.collect())
}

fn binaries() -> [Section; 2] {
    let all = KINDS.map(|kind| Lazy::new(kind, |subject| subject.set_binary("binary", &binary())));
    let set = |lazy: &Arc<Lazy>| {
        let bytes = binary();
        Lane::of(lazy, move |subject, _| subject.set_binary("binary", &bytes))
    };
    let get = |lazy: &Arc<Lazy>| Lane::of(lazy, |subject, _| subject.get_binary("binary"));
    [
        section("binary-set", "set 10 MiB", all.iter().map(set).collect()),
        section("binary-get", "get 10 MiB", all.iter().map(get).collect()),
    ]
}

/// A leaf of a large document, against all of it in the same store.
fn parts() -> [Section; 2] {
    let fill = |subject: &Subject| subject.set("crowd", &Crowd::of(0, CROWD));
    let ours = ["konserve-memory", "konserve-files", "konserve-files-encrypted"];
    let kinds = KINDS.into_iter().filter(|kind| kind.name == "map" || ours.contains(&kind.name));
    let all: Vec<_> = kinds.map(|kind| Lazy::new(kind, fill)).collect();
    let both = |leaf: fn(&Subject), whole: fn(&Subject)| -> Vec<Lane> {
        let lanes = |lazy: &Arc<Lazy>| {
            let part = Lane::of(lazy, move |subject, _| leaf(subject)).named("", "", "-whole");
            let all = Lane::of(lazy, move |subject, _| whole(subject)).named("-whole", ", all of it", "-whole");
            if lazy.kind.name == "map" { vec![all] } else { vec![all, part] }
        };
        all.iter().flat_map(lanes).collect()
    };
    let get = both(
        |subject| {
            let path = ("crowd", "people", MIDDLE, "address", "lat");
            let lat: Option<f64> = wait(subject.store().unwrap().get_in(path)).unwrap();
            assert!(lat.is_some());
        },
        |subject| drop(subject.get::<Crowd>("crowd")),
    );
    let update = both(
        |subject| {
            let path = ("crowd", "people", MIDDLE, "active");
            wait(subject.store().unwrap().update_in(path, |old: Option<bool>| !old.unwrap())).unwrap();
        },
        |subject| {
            let mut crowd: Crowd = subject.get("crowd");
            crowd.change();
            subject.set("crowd", &crowd);
        },
    );
    [section("getin-1M", "get a leaf of 1 MiB", get), section("updatein-1M", "update a leaf of 1 MiB", update)]
}

/// Eight threads that write different keys of one store, which syncs.
fn threads() -> Section {
    let lanes = empty(|kind| kind.against == "fs-fsync").into_iter().map(|lazy| {
        let (lane, keys, document) = (Lane::of(&lazy, |_, _| {}), keys(KEYS), Document::numbered(1));
        let run = move |count: u64| {
            let subject = lazy.get().read().unwrap();
            let work = |thread: u64| {
                (thread..count)
                    .step_by(8)
                    .for_each(|at| subject.set(&keys[usize::try_from(at).unwrap() % KEYS], &document));
            };
            let began = Instant::now();
            thread::scope(|scope| (0..THREADS).for_each(|thread| _ = scope.spawn(move || work(thread))));
            began.elapsed()
        };
        Lane { run: Box::new(run), ..lane }
    });
    section("set-threads", "set 200 bytes, 8 threads at once, synced", lanes.collect())
}

pub fn all() -> Vec<Section> {
    let small = filled::<Document>(KEYS);
    let mut all = documents::<Document>("200 bytes", "", &small, KEYS);
    all.push(mixed(&small));
    all.extend(documents::<Crowd>("10 KiB", "-10K", &filled::<Crowd>(KEYS / 4), KEYS / 4));
    all.extend([batches(), appends()]);
    all.extend(binaries());
    all.extend(parts());
    all.push(threads());
    all
}
