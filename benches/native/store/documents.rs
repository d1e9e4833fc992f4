//! What is stored: documents of about 200 bytes, 10 KiB and 1 MiB as JSON, and which of them is asked for.

use std::sync::Mutex;

use konserve::{FromCbor, ToCbor};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// About 200 bytes as JSON.
#[derive(Clone, Deserialize, Serialize)]
pub struct Document {
    id: u64,
    name: String,
    email: String,
    tags: Vec<String>,
    address: Address,
    active: bool,
}

#[derive(Clone, Deserialize, Serialize)]
struct Address {
    city: String,
    postcode: String,
    lat: f64,
    lon: f64,
}

/// Many of them in one: 52 are 10 KiB, 5200 are 1 MiB.
#[derive(Clone, Deserialize, Serialize)]
pub struct Crowd {
    id: u64,
    people: Vec<Document>,
}

/// A document that can be made, and changed a little.
pub trait Content: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    fn numbered(n: u64) -> Self;
    fn change(&mut self);
}

impl Content for Document {
    fn numbered(n: u64) -> Self {
        Self {
            id: n,
            name: format!("Ada Lovelace {}", n % 97),
            email: format!("ada.{n}@example.org"),
            tags: ["mathematics", "poetry", "engines"].map(str::to_owned).to_vec(),
            address: Address { city: "London".into(), postcode: "W1".into(), lat: 51.5074, lon: -0.1278 },
            active: n.is_multiple_of(2),
        }
    }

    fn change(&mut self) {
        self.active = !self.active;
    }
}

impl Crowd {
    pub fn of(n: u64, people: u64) -> Self {
        Self { id: n, people: (n..n + people).map(Document::numbered).collect() }
    }
}

impl Content for Crowd {
    fn numbered(n: u64) -> Self {
        Self::of(n, 52)
    }

    fn change(&mut self) {
        self.id = self.id.wrapping_add(1);
    }
}

/// All peers store the same bytes, so that stores are compared and not encodings.
pub fn encode(document: &impl Serialize) -> Vec<u8> {
    document.to_cbor().unwrap()
}

pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> T {
    T::from_cbor(bytes).unwrap()
}

/// 10 MiB that no two blocks of are alike.
pub fn binary() -> Vec<u8> {
    (0..10_u32 << 20).map(|at| (at ^ at >> 8 ^ at >> 16).to_le_bytes()[0]).collect()
}

/// So many keys, made once.
pub fn keys(count: usize) -> &'static [String] {
    static MADE: Mutex<Vec<&[String]>> = Mutex::new(Vec::new());
    let mut made = MADE.lock().unwrap();
    if let Some(found) = made.iter().find(|found| found.len() == count) {
        return found;
    }
    made.push((0..count).map(|n| format!("person {n}")).collect::<Vec<_>>().leak());
    made.last().unwrap()
}

/// Numbers that look random, the same each time.
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        Self(7)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next()).unwrap() % count
    }
}

/// Numbers below `count` by Zipf's law: few of them often, most of them seldom.
pub fn zipf(count: usize, how_many: usize) -> Vec<usize> {
    let mut sums = Vec::with_capacity(count);
    let mut sum = 0.0;
    for rank in 1..=count {
        #[allow(clippy::cast_precision_loss)]
        let weight = 1.0 / rank as f64;
        sum += weight;
        sums.push(sum);
    }
    let mut random = Random::new();
    #[allow(clippy::cast_precision_loss)]
    let mut draw = || sum * random.next() as f64 / (1_u64 << 31) as f64;
    let pick = |drawn: f64| sums.partition_point(|reached| *reached < drawn).min(count - 1);
    (0..how_many).map(|_| pick(draw())).collect()
}
