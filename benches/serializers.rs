//! Measures the serializers beside `ciborium`'s and `serde_json`'s own values, on the same documents, and the names of keys.
//!
//! `cargo bench --features testing --bench serializers` prints the tables of `docs/benchmarks/serializers.md`. Rounds go
//! through all contenders; a ratio is the median of the rounds' ratios.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use konserve::{
    Value, edn,
    testing::{edn as edn_text, fressian, hasch, konserve_cbor},
};

const ROUNDS: usize = 15;
const SLICE: Duration = Duration::from_millis(40);

type Run<'a> = Box<dyn Fn() + 'a>;

/// Runs per second.
fn rate(run: &dyn Fn()) -> f64 {
    let began = Instant::now();
    let mut runs = 0_u32;
    while began.elapsed() < SLICE {
        (0..8).for_each(|_| run());
        runs += 8;
    }
    f64::from(runs) / began.elapsed().as_secs_f64()
}

/// The rates of all rounds of each contender; the first round warms up.
fn measure(contenders: &[Run<'_>]) -> Vec<Vec<f64>> {
    let mut rates = vec![Vec::new(); contenders.len()];
    for round in 0..=ROUNDS {
        for (rates, run) in rates.iter_mut().zip(contenders) {
            let rate = rate(run);
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    rates
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A line of a table: the rate of the first, then the ratio of each of the others to it.
fn line(what: &str, contenders: &[Run<'_>]) {
    let rates = measure(contenders);
    let ratios = rates[1..].iter().map(|other| {
        let ratios = other.iter().zip(&rates[0]).map(|(other, first)| other / first).collect();
        format!(" **{:.2}** |", median(ratios))
    });
    println!("| {what} | {:.0} |{}", median(rates[0].clone()), ratios.collect::<String>());
}

fn person(n: i32) -> serde_json::Value {
    serde_json::json!({
        "id": n * 37,
        "name": format!("Ann Example {n}"),
        "active": n % 3 == 0,
        "score": f64::from(n) * 1.37,
        "tags": ["alpha", "beta", "gamma"],
        "address": { "city": "Vancouver", "zip": "V5K 0A1" },
    })
}

/// Reads and writes a document in all ways, from bytes to the value that a program has and back.
fn document(what: &str, json: &serde_json::Value) {
    let cbor = {
        let mut cbor = Vec::new();
        ciborium::into_writer(json, &mut cbor).unwrap();
        cbor
    };
    let text = serde_json::to_vec(json).unwrap();
    let value = Value::from_cbor(&cbor).unwrap();
    let theirs: ciborium::Value = ciborium::from_reader(&cbor[..]).unwrap();
    let stored = konserve_cbor::encode(&cbor).unwrap();
    let (fressian_bytes, edn_bytes) = (fressian::encode(&cbor).unwrap(), edn_text::encode(&cbor).unwrap());
    assert_eq!(edn::read(std::str::from_utf8(&edn_bytes).unwrap()).unwrap(), value);
    line(
        &format!("read {what} ({} bytes of CBOR)", cbor.len()),
        &[
            Box::new(|| _ = black_box(ciborium::from_reader::<ciborium::Value, _>(black_box(&cbor[..])).unwrap())),
            Box::new(|| _ = black_box(serde_json::from_slice::<serde_json::Value>(black_box(&text)).unwrap())),
            Box::new(|| _ = black_box(read(konserve_cbor::decode, &stored))),
            Box::new(|| _ = black_box(read(fressian::decode, &fressian_bytes))),
            Box::new(|| _ = black_box(read(edn_text::decode, &edn_bytes))),
        ],
    );
    line(
        &format!("write {what}"),
        &[
            Box::new(|| {
                let mut out = Vec::new();
                ciborium::into_writer(black_box(&theirs), &mut out).unwrap();
                black_box(out);
            }),
            Box::new(|| _ = black_box(serde_json::to_vec(black_box(json)).unwrap())),
            Box::new(|| _ = black_box(write(konserve_cbor::encode, &value))),
            Box::new(|| _ = black_box(write(fressian::encode, &value))),
            Box::new(|| _ = black_box(write(edn_text::encode, &value))),
        ],
    );
}

type Translate = fn(&[u8]) -> konserve::Result<bytes::Bytes>;

fn read(decode: Translate, stored: &[u8]) -> Value {
    Value::from_cbor(&decode(black_box(stored)).unwrap()).unwrap()
}

fn write(encode: Translate, value: &Value) -> bytes::Bytes {
    encode(&black_box(value).to_cbor().unwrap()).unwrap()
}

fn main() {
    println!("| | ciborium's `Value`, per second | serde_json's `Value` | konserve's CBOR | Fressian | EDN |");
    println!("|---|---|---|---|---|---|");
    document("a document", &person(7));
    document("100 documents", &(0..100).map(person).collect());
    println!("\n| names of keys | per second |\n|---|---|");
    for key in
        ["42", ":a", ":user/ada", "\"some text\"", "[:users 7]", "#uuid \"550e8400-e29b-41d4-a716-446655440000\""]
    {
        let item = edn::read(key).unwrap().to_cbor().unwrap();
        let rates = measure(&[Box::new(|| _ = black_box(hasch::name(black_box(&item)).unwrap()))]);
        println!("| `{key}` | {:.0} |", median(rates[0].clone()));
    }
}
