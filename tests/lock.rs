//! Several processes on one file store. The processes are this test program, started again.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "in a test, that is a failure")]

use std::{
    env,
    io::{BufRead, BufReader, Read, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use konserve::{
    BlobName, Error, ErrorKind,
    backing::{Access, Backing, Blob, Change, FilePlace, Part, Place, StdFs},
    blocking::wait,
};

const COUNTER: BlobName = BlobName::from_bytes([7; 16]);

fn open(folder: &Path, access: Access) -> Result<Arc<dyn Backing>, Error> {
    wait(FilePlace::new(Arc::new(StdFs), folder).access(access).sync_blob(false).open(true))
}

fn blob(number: u64) -> Blob {
    let mut head = vec![0; 20];
    head[0] = 0x81;
    Blob { head: head.into(), value: number.to_string().into_bytes().into() }
}

fn number(blob: Option<&Blob>) -> u64 {
    blob.map_or(0, |blob| std::str::from_utf8(&blob.value).unwrap().parse().unwrap())
}

fn increment(store: &dyn Backing) {
    let add = |old: Option<&Blob>| Ok(Change::Put(blob(number(old) + 1)));
    wait(store.update(COUNTER, Part::All, Box::new(add))).unwrap();
}

fn count(folder: &Path) -> u64 {
    let store = open(folder, Access::Read).unwrap();
    number(wait(store.read(vec![COUNTER], Part::All)).unwrap()[0].as_ref())
}

/// A process that waits for a line before it opens the store, and for the end of its input before it closes it.
struct Other(Child);

impl Other {
    fn start(folder: &Path, access: &str, increments: u64) -> Self {
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "other_process", "--nocapture"])
            .env("KONSERVE_OTHER", access)
            .env("KONSERVE_FOLDER", folder)
            .env("KONSERVE_INCREMENTS", increments.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        Self(child.unwrap())
    }

    fn go(&mut self) {
        self.0.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    /// What it says: `done`, or the code of its error.
    fn says(&mut self) -> String {
        let mut lines = BufReader::new(self.0.stdout.as_mut().unwrap()).lines();
        lines.find_map(|line| line.unwrap().strip_prefix("says ").map(str::to_owned)).unwrap()
    }

    fn kill(self) {
        drop(self);
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Not a test: what another process does.
#[test]
fn other_process() {
    let Ok(access) = env::var("KONSERVE_OTHER") else { return };
    let folder = env::var("KONSERVE_FOLDER").unwrap();
    let increments: u64 = env::var("KONSERVE_INCREMENTS").unwrap().parse().unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let access = if access == "shared" { Access::Shared } else { Access::Exclusive };
    let store = open(Path::new(&folder), access);
    if let Ok(store) = &store {
        (0..increments).for_each(|_| increment(&**store));
    }
    println!("says {}", store.as_ref().err().map_or("done", Error::code));
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    if let Ok(store) = store {
        wait(store.close()).unwrap();
    }
}

#[test]
fn a_second_writer_is_told_who_has_the_store_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut other = Other::start(folder.path(), "exclusive", 3);
    other.go();
    assert_eq!(other.says(), "done");
    for access in [Access::Exclusive, Access::Shared] {
        let error = open(folder.path(), access).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::StoreLocked);
        let lock = folder.path().join("konserve.lock.new");
        for part in [&format!("process {}", other.0.id()), "since 20", "\"shared\"", &lock.display().to_string()] {
            assert!(error.message().contains(part), "{part}: {error}");
        }
    }
    assert_eq!(count(folder.path()), 3, "readers need no lock");
    other.end();
    wait(open(folder.path(), Access::Exclusive).unwrap().close()).unwrap();
    let files: Vec<_> = folder.path().read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, [COUNTER.file_name().as_str()], "nothing stays but the blob");
}

#[test]
fn a_second_opening_in_the_same_process_is_locked_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), Access::Exclusive).unwrap();
    assert_eq!(open(folder.path(), Access::Exclusive).err().unwrap().kind(), ErrorKind::StoreLocked);
    wait(store.close()).unwrap();
    wait(open(folder.path(), Access::Exclusive).unwrap().close()).unwrap();
}

#[test]
fn the_lock_of_a_killed_owner_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    for access in ["exclusive", "shared"] {
        let mut other = Other::start(folder.path(), access, 1);
        other.go();
        assert_eq!(other.says(), "done");
        assert_eq!(open(folder.path(), Access::Exclusive).err().unwrap().kind(), ErrorKind::StoreLocked);
        other.kill();
        let store = open(folder.path(), Access::Exclusive).unwrap();
        increment(&*store);
        wait(store.close()).unwrap();
    }
    assert_eq!(count(folder.path()), 4);
}

/// On Linux, a process that nobody waits for stays in the process table after its end.
#[cfg(target_os = "linux")]
#[test]
fn the_lock_of_a_killed_owner_that_nobody_waited_for_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut other = Other::start(folder.path(), "exclusive", 1);
    other.go();
    assert_eq!(other.says(), "done");
    other.0.kill().unwrap();
    let ended = || std::fs::read_to_string(format!("/proc/{}/stat", other.0.id())).unwrap().contains(") Z ");
    while !ended() {
        std::thread::yield_now();
    }
    wait(open(folder.path(), Access::Exclusive).unwrap().close()).unwrap();
    other.kill();
}

/// The number of a process is given again: then the process began at another time.
#[cfg(target_os = "linux")]
#[test]
fn a_lock_of_an_earlier_process_with_the_number_of_a_running_one_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("konserve.lock.new");
    let store = open(folder.path(), Access::Exclusive).unwrap();
    let text = std::fs::read_to_string(&lock).unwrap();
    wait(store.close()).unwrap();
    let started = text.lines().find(|line| line.starts_with("started ")).unwrap();
    std::fs::write(&lock, text.replace(started, "started another boot/12345")).unwrap();
    wait(open(folder.path(), Access::Exclusive).unwrap().close()).unwrap();
}

#[test]
fn the_lock_of_another_machine_is_respected() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("konserve.lock.new");
    let store = open(folder.path(), Access::Exclusive).unwrap();
    let text = std::fs::read_to_string(&lock).unwrap();
    wait(store.close()).unwrap();
    let host = text.lines().find(|line| line.starts_with("host ")).unwrap();
    std::fs::write(&lock, text.replace(host, "host far.away").replace("pid ", "pid 9")).unwrap();
    let error = open(folder.path(), Access::Exclusive).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::StoreLocked);
    assert!(error.message().contains("on host far.away"), "{error}");
}

#[test]
fn a_lock_cut_short_by_a_power_cut_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("konserve.lock.new");
    for left in ["", "konserve lock\npid 1"] {
        std::fs::write(&lock, left).unwrap();
        wait(open(folder.path(), Access::Exclusive).unwrap().close()).unwrap();
        assert!(!lock.exists());
    }
}

#[test]
fn of_several_processes_opening_at_once_one_wins_also_over_a_dead_lock() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let mut dead = Other::start(folder.path(), "exclusive", 0);
        dead.go();
        assert_eq!(dead.says(), "done");
        if round % 2 == 0 {
            dead.kill();
        } else {
            dead.end();
        }
        let mut others: Vec<_> = (0..4).map(|_| Other::start(folder.path(), "exclusive", 1)).collect();
        others.iter_mut().for_each(Other::go);
        let mut said: Vec<_> = others.iter_mut().map(Other::says).collect();
        said.sort();
        assert_eq!(said, ["STORE_LOCKED", "STORE_LOCKED", "STORE_LOCKED", "done"], "round {round}");
        assert_eq!(count(folder.path()), round + 1);
        others.into_iter().for_each(Other::end);
    }
}

/// Eight takers; each who gets the lock dies with it, and some also leave a dead heir behind.
#[test]
fn takers_of_dead_locks_never_hold_one_together() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("konserve.lock.new");
    let (held, taken) = (AtomicBool::new(false), AtomicU64::new(0));
    let die = |number: u64| {
        let text = std::fs::read_to_string(&lock).unwrap();
        let pid = text.lines().find(|line| line.starts_with("pid ")).unwrap();
        let dead = text.replace(pid, "pid 999999999");
        if number.is_multiple_of(3) {
            let heir = blake3::hash(dead.as_bytes()).to_hex();
            let heir = folder.path().join(format!("konserve.lock.{}.heir.new", &heir[..16]));
            std::fs::write(heir, dead.replace("since ", "since 1")).unwrap();
        }
        let grave = folder.path().join(format!("grave {number}"));
        std::fs::write(&grave, dead).unwrap();
        held.store(false, Ordering::SeqCst);
        std::fs::rename(grave, &lock).unwrap();
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while taken.load(Ordering::SeqCst) < 500 {
                    match open(folder.path(), Access::Exclusive) {
                        Ok(_) => {
                            assert!(!held.swap(true, Ordering::SeqCst), "held twice");
                            die(taken.fetch_add(1, Ordering::SeqCst));
                        }
                        Err(error) => assert_eq!(error.kind(), ErrorKind::StoreLocked, "{error}"),
                    }
                }
            });
        }
    });
}

#[test]
fn four_processes_with_shared_access_count_exactly() {
    let each = env::var("KONSERVE_INCREMENTS_EACH").map_or(1000, |each| each.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut others: Vec<_> = (0..4).map(|_| Other::start(folder.path(), "shared", each)).collect();
    others.iter_mut().for_each(Other::go);
    for other in &mut others {
        assert_eq!(other.says(), "done");
    }
    assert_eq!(count(folder.path()), 4 * each);
    assert_eq!(open(folder.path(), Access::Exclusive).err().unwrap().kind(), ErrorKind::StoreLocked);
    others.into_iter().for_each(Other::end);
    wait(open(folder.path(), Access::Exclusive).unwrap().close()).unwrap();
    let files: Vec<_> = folder.path().read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, [COUNTER.file_name().as_str()]);
}

#[test]
fn processes_killed_while_they_share_the_store_block_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), Access::Shared).unwrap();
    increment(&*store);
    for _ in 0..10 {
        let mut other = Other::start(folder.path(), "shared", u64::MAX);
        other.go();
        let before = count(folder.path());
        while count(folder.path()) < before + 20 {
            std::thread::yield_now();
        }
        other.kill();
        let killed = count(folder.path());
        increment(&*store);
        assert_eq!(count(folder.path()), killed + 1);
    }
    wait(store.close()).unwrap();
}

#[test]
fn many_threads_of_one_process_count_exactly() {
    let folder = tempfile::tempdir().unwrap();
    for access in [Access::Exclusive, Access::Shared] {
        let before = if folder.path().join(COUNTER.file_name()).exists() { count(folder.path()) } else { 0 };
        let store = open(folder.path(), access).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..250).for_each(|_| increment(&*store)));
            }
        });
        wait(store.close()).unwrap();
        assert_eq!(count(folder.path()), before + 2000);
    }
}
