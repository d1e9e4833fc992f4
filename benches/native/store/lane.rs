//! What is measured, before it is: sections of lanes. A lane is what one subject does; its store is opened when it first runs.

use std::{
    fs,
    sync::{
        Arc, LazyLock, OnceLock, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::subject::{Kind, Subject};

/// Lanes that do the same.
pub struct Section {
    pub id: String,
    pub title: String,
    pub unit: Unit,
    pub baseline: String,
    pub lanes: Vec<Lane>,
    /// Whether one operation may take seconds: nothing for criterion, which wants many.
    pub slow: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    PerSecond,
    Milliseconds,
}

pub struct Lane {
    pub subject: String,
    pub title: String,
    /// The subject that it is compared with.
    pub against: String,
    /// So many things are done by one operation.
    pub many: u32,
    /// Does it so many times, and tells how long that took.
    pub run: Box<dyn FnMut(u64) -> Duration>,
}

impl Lane {
    /// What a subject does with the number of each operation.
    pub fn of(lazy: &Arc<Lazy>, mut act: impl FnMut(&Subject, u64) + 'static) -> Self {
        let (kind, lazy, mut done) = (lazy.kind, lazy.clone(), 0);
        let run = move |count| {
            let subject = lazy.get().read().unwrap();
            let began = now();
            for at in done..done + count {
                act(&subject, at);
            }
            done += count;
            now().saturating_sub(began)
        };
        Self {
            subject: kind.name.into(),
            title: kind.title.into(),
            against: kind.against.into(),
            many: 1,
            run: Box::new(run),
        }
    }

    #[must_use]
    pub fn many(self, many: u32) -> Self {
        Self { many, ..self }
    }

    #[must_use]
    pub fn named(self, suffix: &str, title: &str, against: &str) -> Self {
        let against = format!("{}{against}", self.subject);
        Self { subject: self.subject + suffix, title: self.title + title, against, ..self }
    }

    #[must_use]
    pub fn against(self, against: &str) -> Self {
        Self { against: against.into(), ..self }
    }
}

/// Whether lanes of one thread are measured by the time that it had a processor (Linux), and not by the clock: steadier where
/// others use the machine, and nothing for disks.
pub static ON_PROCESSOR: AtomicBool = AtomicBool::new(false);

fn now() -> Duration {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    if !ON_PROCESSOR.load(Ordering::Relaxed) {
        return BEGAN.elapsed();
    }
    // Gives the processor away for a moment, since the number is as of then.
    thread::sleep(Duration::from_micros(50));
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

/// A subject that is opened and filled when it is first wanted, and shared by lanes.
pub struct Lazy {
    pub kind: Kind,
    fill: Box<dyn Fn(&Subject) + Send + Sync>,
    open: OnceLock<RwLock<Subject>>,
}

impl Lazy {
    pub fn new(kind: Kind, fill: impl Fn(&Subject) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { kind, fill: Box::new(fill), open: OnceLock::new() })
    }

    pub fn get(&self) -> &RwLock<Subject> {
        self.open.get_or_init(|| {
            let subject = Subject::open(self.kind);
            (self.fill)(&subject);
            RwLock::new(subject)
        })
    }
}
