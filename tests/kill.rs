//! A real process that writes, killed at a random moment. The process is this test program, started again.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "in a test, that is a failure")]

use std::{
    env,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use konserve::{
    BlobName,
    backing::{Access, Backing, Blob, Change, Expect, FilePlace, Part, Place, StdFs, Write},
    blocking::wait,
};

const NAMES: u8 = 3;

fn open(folder: &Path) -> Arc<dyn Backing> {
    wait(FilePlace::new(Arc::new(StdFs), folder).access(Access::Exclusive).open(true)).unwrap()
}

fn name(number: u64) -> BlobName {
    BlobName::from_bytes([u8::try_from(number % u64::from(NAMES)).unwrap(); 16])
}

/// About 20 KiB that are all the same number: a mixture of two would show.
fn blob(number: u64) -> Blob {
    let value: Vec<_> = std::iter::repeat_n(number.to_be_bytes(), 2500).flatten().collect();
    Blob { head: vec![0; 20].into(), value: value.into() }
}

/// The number of a blob; 0 for none.
fn number(blob: Option<&Blob>) -> u64 {
    let Some(found) = blob else { return 0 };
    let number = u64::from_be_bytes(found.value[..8].try_into().unwrap());
    assert_eq!(found, &self::blob(number), "a mixture");
    number
}

/// Not a test: what the process does that is going to be killed. It tells each number before it writes it and after,
/// and deletes every tenth.
#[test]
fn writing_process() {
    let Ok(folder) = env::var("KONSERVE_FOLDER") else { return };
    let first: u64 = env::var("KONSERVE_FIRST").unwrap().parse().unwrap();
    let store = open(Path::new(&folder));
    let mut out = std::io::stdout().lock();
    for number in first.. {
        let change = if number % 10 == 0 { Change::Delete } else { Change::Put(blob(number)) };
        writeln!(out, "begun {number}").unwrap();
        wait(store.commit(vec![Write { name: name(number), change, expect: Expect::Anything }])).unwrap();
        writeln!(out, "done {number}").unwrap();
    }
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged_and_blocks_nobody() {
    let kills = env::var("KONSERVE_KILLS").map_or(50, |kills| kills.parse().unwrap());
    let seed = u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos());
    let folder = tempfile::tempdir().unwrap();
    let mut may = vec![vec![0]; usize::from(NAMES)];
    let (mut next, mut writes) = (1, 0);
    for kill in 0..kills {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "writing_process", "--nocapture"])
            .env("KONSERVE_FOLDER", folder.path())
            .env("KONSERVE_FIRST", next.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        sleep(Duration::from_micros((seed + kill * 7919) % 60_000));
        process.kill().unwrap();
        for line in BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap) {
            let Some((what, told)) = line.split_once(' ') else { continue };
            let Ok(told) = told.parse::<u64>() else { continue };
            let may = &mut may[usize::try_from(told % u64::from(NAMES)).unwrap()];
            let holds = if told % 10 == 0 { 0 } else { told };
            match what {
                "begun" => may.push(holds),
                "done" => *may = vec![holds],
                _ => continue,
            }
            next = told + 1;
            writes += 1;
        }
        process.wait().unwrap();
        let store = open(folder.path());
        for at in 0..NAMES {
            let found = wait(store.read(vec![name(at.into())], Part::All)).unwrap();
            let found = number(found[0].as_ref());
            let may = &mut may[usize::from(at)];
            assert!(may.contains(&found), "seed {seed}, kill {kill}: {found} is not one of {may:?}");
            *may = vec![found];
        }
        wait(store.close()).unwrap();
        let left = folder.path().read_dir().unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let left: Vec<_> = left.filter(|file| BlobName::from_file_name(file).is_none()).collect();
        assert_eq!(left, [""; 0], "seed {seed}, kill {kill}: left over");
    }
    println!("{kills} kills in {} writes, seed {seed}", writes / 2);
}
