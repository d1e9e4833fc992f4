//! Measures encrypted stores beside plain ones, in folders without fsync.
//!
//! `cargo bench --bench encryption` prints the table of `docs/benchmarks/encryption.md`. Rounds alternate; a ratio is the
//! median of the rounds' ratios.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark")]

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use konserve::{
    Config, Encryptor, Value,
    backing::{FilePlace, StdFs},
    blocking::{self, Store},
};

const ROUNDS: usize = 15;
const SLICE: Duration = Duration::from_millis(200);

type Act = Box<dyn Fn(&Store)>;

fn open(folder: &Path, encryptor: Option<Encryptor>) -> Store {
    let config = Config::at(FilePlace::new(Arc::new(StdFs), folder).sync_blob(false));
    blocking::open_store(match encryptor {
        Some(encryptor) => config.encryptor(encryptor),
        None => config,
    })
    .unwrap()
}

/// How often it is done in a second.
fn rate(store: &Store, act: &Act) -> f64 {
    let (began, mut times) = (Instant::now(), 0_u32);
    while began.elapsed() < SLICE {
        act(store);
        times += 1;
    }
    f64::from(times) / began.elapsed().as_secs_f64()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A line of a table: both rates, and how many times slower the second is.
fn line(what: &str, plain: &Store, encrypted: &Store, act: &Act) {
    let rounds: Vec<_> = (0..=ROUNDS).map(|_| (rate(plain, act), rate(encrypted, act))).skip(1).collect();
    let [first, second] = [0, 1].map(|at| median(rounds.iter().map(|round| [round.0, round.1][at]).collect()));
    let slower = median(rounds.iter().map(|(plain, encrypted)| plain / encrypted).collect());
    println!("| {what} | {first:.0} | {second:.0} | **{slower:.2}** |");
}

fn document(people: usize) -> Value {
    let person = |n: usize| {
        Value::Map(vec![
            ("name".into(), format!("Ada Lovelace {n}").into()),
            ("email".into(), format!("ada.{n}@example.org").into()),
            ("tags".into(), Value::Array(["mathematics", "poetry", "engines"].map(Value::from).to_vec())),
            ("city".into(), "London".into()),
        ])
    };
    Value::Array((0..people).map(person).collect())
}

fn main() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let plain = open(folders[0].path(), None);
    let encrypted = open(folders[1].path(), Some(Encryptor::aes_blake3([7; 32])));
    println!("| per second | not encrypted | encrypted | times slower |\n|---|---|---|---|");
    for (what, people) in [("200 bytes", 2), ("10 KiB", 105)] {
        let value = document(people);
        let put: Act = Box::new(move |store| store.assoc("document", value.clone()).unwrap());
        line(&format!("assoc, {what}"), &plain, &encrypted, &put);
        let get: Act = Box::new(|store| assert!(store.get::<Value>("document").unwrap().is_some()));
        line(&format!("get, {what}"), &plain, &encrypted, &get);
    }
    let bytes: Vec<u8> = (0..10_u32 << 20).map(|at| (at ^ at >> 8 ^ at >> 16).to_le_bytes()[0]).collect();
    let put: Act = Box::new(move |store| store.bassoc("binary", bytes.clone()).unwrap());
    line("bassoc, 10 MiB", &plain, &encrypted, &put);
    let get: Act = Box::new(|store| assert!(store.bget("binary").unwrap().is_some()));
    line("bget, 10 MiB", &plain, &encrypted, &get);
}
