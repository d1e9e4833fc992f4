//! Power cuts, kills and faults at every step of a file store, on a simulated machine.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "in a test, that is a failure")]

use std::{collections::BTreeMap, env, sync::Arc};

use bytes::Bytes;
use konserve::{
    BlobName, Error, ErrorKind,
    backing::{Access, Backing, Blob, Change, Expect, FilePlace, Outcome, Part, Place, RecordCopy, Write},
    blocking::wait,
    testing::{SimFault, SimFs},
};

type Store = Arc<dyn Backing>;

fn place(fs: &SimFs, access: Access, sync: bool) -> FilePlace {
    FilePlace::new(Arc::new(fs.clone()), "/store").access(access).sync_blob(sync)
}

fn open(fs: &SimFs, access: Access) -> Result<Store, Error> {
    wait(place(fs, access, true).open(true))
}

fn name(number: u8) -> BlobName {
    BlobName::from_bytes([number; 16])
}

/// A blob whose head is as long as it declares, and whose content tells it from every other.
fn blob(content: u32) -> Blob {
    let mut head = vec![0x81, 3, 0, 0, 0, 0, 0, 6];
    head.extend_from_slice(&[content.to_be_bytes(), content.to_be_bytes(), content.to_be_bytes()].concat());
    head.extend_from_slice(b"the me");
    Blob { head: head.into(), value: format!("value {content}").repeat(8).into_bytes().into() }
}

fn write(number: u8, change: Change) -> Vec<Write> {
    vec![Write { name: name(number), change, expect: Expect::Anything }]
}

fn put(store: &Store, number: u8, content: u32) -> Result<(), Error> {
    wait(store.commit(write(number, Change::Put(blob(content))))).map(drop)
}

fn stream(store: &Store, number: u8, content: u32) -> Result<(), Error> {
    let Blob { head, value } = blob(content);
    let mut writer = wait(store.write_stream(name(number), head.len()))?;
    for piece in value.chunks(30) {
        if let Err(error) = wait(writer.write(Bytes::copy_from_slice(piece))) {
            // What fails here is told by nobody, and swept.
            drop(wait(writer.abort()));
            return Err(error);
        }
    }
    wait(writer.sync())?;
    wait(writer.finish(head))
}

fn delete(store: &Store, number: u8) -> Result<(), Error> {
    wait(store.commit(write(number, Change::Delete))).map(drop)
}

fn read(store: &Store, number: u8) -> Result<Option<Blob>, Error> {
    wait(store.read(vec![name(number)], Part::All)).map(|mut found| found.remove(0))
}

fn listed(store: &Store) -> Vec<BlobName> {
    let mut pages = store.heads();
    let mut names = Vec::new();
    while let Some(page) = wait(pages.next()).unwrap() {
        names.extend(page.into_iter().map(|(name, head)| {
            head.unwrap();
            name
        }));
    }
    names
}

/// The digits of a number, each in its own base.
fn digits(mut number: u64) -> impl FnMut(u64) -> u64 {
    move |base| {
        let digit = number % base;
        number /= base;
        digit
    }
}

/// All numbers below this one if they are few, and else some from everywhere among them.
fn some_of(numbers: u64, few: u64) -> impl Iterator<Item = u64> {
    let spread = if numbers > few { 0x9e37_79b9_7f4a_7c15_u64 } else { 1 };
    (0..numbers.min(few)).map(move |one| one.wrapping_mul(spread))
}

/// xorshift64*, seeded; the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % end
    }
}

/// What names 1 and above hold; the others hold nothing.
type Holding = &'static [(u8, u32)];

/// One thing to do, and what the names hold before and after.
struct Deed {
    what: &'static str,
    before: Holding,
    after: Holding,
    act: fn(&Store) -> Result<(), Error>,
}

const DEEDS: [Deed; 7] = [
    Deed { what: "put", before: &[], after: &[(1, 1)], act: |store| put(store, 1, 1) },
    Deed { what: "overwrite", before: &[(1, 5)], after: &[(1, 1)], act: |store| put(store, 1, 1) },
    Deed { what: "stream", before: &[(1, 5)], after: &[(1, 1)], act: |store| stream(store, 1, 1) },
    Deed { what: "delete", before: &[(1, 5)], after: &[], act: |store| delete(store, 1) },
    Deed {
        what: "update",
        before: &[(1, 5)],
        after: &[(1, 1)],
        act: |store| {
            let f = |old: Option<&Blob>| {
                assert!(old == Some(&blob(5)) || old == Some(&blob(1)));
                Ok(Change::Put(blob(1)))
            };
            wait(store.update(name(1), Part::All, Box::new(f)))
        },
    },
    Deed {
        what: "batch",
        before: &[(1, 5), (3, 6)],
        after: &[(1, 1), (2, 2)],
        act: |store| {
            let changes = [(1, Change::Put(blob(1))), (2, Change::Put(blob(2))), (3, Change::Delete)];
            wait(store.commit(changes.into_iter().flat_map(|(number, change)| write(number, change)).collect()))
                .map(drop)
        },
    },
    Deed { what: "record", before: &[], after: &[], act: |store| create_record(store, b"the record") },
];

fn holds(store: &Store, holding: Holding) -> bool {
    let expected = |number| holding.iter().find(|(name, _)| *name == number).map(|(_, content)| blob(*content));
    (1..=3).all(|number| read(store, number).unwrap() == expected(number))
}

fn create_record(store: &Store, record: &'static [u8]) -> Result<(), Error> {
    wait(store.put_record(RecordCopy::First, None, Bytes::from_static(record))).map(drop)
}

/// A store in which the deed can be done. Name 0 holds what has nothing to do with it.
fn prepared(fs: &SimFs, access: Access, deed: &Deed) -> Store {
    let store = open(fs, access).unwrap();
    prepare(&store, deed);
    store
}

fn prepare(store: &Store, deed: &Deed) {
    put(store, 0, 9).unwrap();
    for (number, content) in deed.before {
        put(store, *number, *content).unwrap();
    }
}

/// What must be true after recovery. A deed that was acknowledged is done, any other is done or not.
fn check(fs: &SimFs, access: Access, deed: &Deed, acknowledged: bool, context: &str) {
    for access in [Access::Read, access] {
        let store = open(fs, access).unwrap();
        // Until somebody writes again, a reader may see a batch of a dead process half done.
        let done = holds(&store, deed.after);
        let not_done = !acknowledged && holds(&store, deed.before);
        assert!(done || not_done || deed.what == "batch" && access == Access::Read, "{context}");
        assert_eq!(read(&store, 0).unwrap(), Some(blob(9)), "{context}");
        let there: Vec<_> = (0..4).filter(|number| read(&store, *number).unwrap().is_some()).map(name).collect();
        assert_eq!(listed(&store), there, "{context}");
        let record = wait(store.record(RecordCopy::First)).unwrap();
        let whole = record.as_deref() == Some(b"the record");
        assert!(whole || !(acknowledged && deed.what == "record") && record.is_none(), "{context}: {record:?}");
        if access != Access::Read {
            put(&store, 1, 7).unwrap();
            assert_eq!(read(&store, 1).unwrap(), Some(blob(7)), "{context}");
        }
        wait(store.close()).unwrap();
    }
}

/// Nothing stays but blobs, the record, and locks of single files, which their next user takes over.
fn check_swept(fs: &SimFs, access: Access, context: &str) {
    for file in fs.files() {
        let file = file.file_name().unwrap().to_str().unwrap();
        let stays = BlobName::from_file_name(file).is_some() || file == "konserve.store";
        let lock = access == Access::Shared && file.contains(".lock.");
        assert!(stays || lock, "{context}: {file} was left over");
    }
}

#[test]
fn a_power_cut_at_any_step_leaves_the_old_value_or_the_new_and_never_loses_what_was_acknowledged() {
    let mut states = 0;
    for access in [Access::Exclusive, Access::Shared] {
        for deed in &DEEDS {
            for step in 0.. {
                let fs = SimFs::new();
                let store = prepared(&fs, access, deed);
                fs.cut_power(step);
                let acknowledged = (deed.act)(&store).is_ok();
                for survivor in 0..fs.survivors() {
                    let context = format!("{} {access:?}, step {step}, survivor {survivor}", deed.what);
                    let after = fs.restart(digits(survivor));
                    check(&after, access, deed, acknowledged, &context);
                    check_swept(&after, access, &context);
                    states += 1;
                }
                if !fs.is_dark() {
                    assert!(acknowledged);
                    break;
                }
            }
        }
    }
    println!("{states} states of the disk");
}

#[test]
fn a_power_cut_at_any_step_of_opening_after_a_power_cut_loses_nothing() {
    for deed in &DEEDS {
        for step in 0.. {
            let fs = SimFs::new();
            let store = prepared(&fs, Access::Exclusive, deed);
            fs.cut_power(step);
            let acknowledged = (deed.act)(&store).is_ok();
            for first in [u64::MAX, step] {
                cut_power_while_opening(&fs.restart(digits(first)), deed, acknowledged, &format!("step {step}"));
            }
            if !fs.is_dark() {
                break;
            }
        }
    }
}

fn cut_power_while_opening(fs: &SimFs, deed: &Deed, acknowledged: bool, context: &str) {
    for step in 0.. {
        let again = fs.restart(|choices| choices - 1);
        again.cut_power(step);
        let opened = open(&again, Access::Exclusive);
        for survivor in some_of(again.survivors(), 5) {
            let context = format!("{}, {context} and {step}, survivor {survivor}", deed.what);
            let after = again.restart(digits(survivor));
            check(&after, Access::Exclusive, deed, acknowledged, &context);
            check_swept(&after, Access::Exclusive, &context);
        }
        if !again.is_dark() {
            assert!(opened.is_ok());
            break;
        }
    }
}

#[test]
fn a_process_killed_at_any_step_loses_nothing_also_without_syncing() {
    for (access, sync) in [(Access::Exclusive, true), (Access::Exclusive, false), (Access::Shared, false)] {
        for deed in &DEEDS {
            for step in 0.. {
                let fs = SimFs::new();
                let next = fs.another_process();
                let store = wait(place(&fs, access, sync).open(true)).unwrap();
                prepare(&store, deed);
                fs.kill(step + 1);
                let acknowledged = (deed.act)(&store).is_ok();
                let done = !fs.is_dead();
                fs.kill(0);
                let context = format!("{} {access:?} {sync}, step {step}", deed.what);
                check(&next, access, deed, acknowledged, &context);
                check_swept(&next, access, &context);
                if done {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_batch_of_a_killed_process_is_gone_on_with_by_the_next_to_want_one_of_its_files() {
    let deed = DEEDS.iter().find(|deed| deed.what == "batch").unwrap();
    let (mut undone, mut done) = (0, 0);
    for step in 0.. {
        let fs = SimFs::new();
        let another = fs.another_process();
        let store = prepared(&fs, Access::Shared, deed);
        let sharing = open(&another, Access::Shared).unwrap();
        fs.kill(step + 1);
        drop((deed.act)(&store));
        let finished = !fs.is_dead();
        fs.kill(0);
        put(&sharing, 1, 7).unwrap();
        match (holds(&sharing, &[(1, 7), (3, 6)]), holds(&sharing, &[(1, 7), (2, 2)])) {
            (true, false) => undone += 1,
            (false, true) => done += 1,
            _ => panic!("step {step}: half a batch"),
        }
        let seen = [2, 3].map(|number| read(&sharing, number).unwrap());
        wait(sharing.close()).unwrap();
        let last = open(&another, Access::Exclusive).unwrap();
        assert_eq!(read(&last, 1).unwrap(), Some(blob(7)), "step {step}");
        assert_eq!([2, 3].map(|number| read(&last, number).unwrap()), seen, "step {step}");
        wait(last.close()).unwrap();
        check_swept(&another, Access::Exclusive, &format!("step {step}"));
        if finished {
            break;
        }
    }
    assert!(undone > 0 && done > 0, "{undone} {done}");
}

#[test]
fn any_fault_at_any_step_has_its_code_and_leaves_the_old_value_or_the_new_and_a_store_that_works() {
    for access in [Access::Exclusive, Access::Shared] {
        for deed in &DEEDS {
            for fault in SimFault::ALL {
                for step in 1.. {
                    let fs = SimFs::new();
                    let store = prepared(&fs, access, deed);
                    let before = fs.steps();
                    fs.fail(step, fault);
                    let result = (deed.act)(&store);
                    let context = format!("{} {access:?}, {fault:?} at step {step}: {result:?}", deed.what);
                    if before + step > fs.steps() {
                        result.unwrap();
                        break;
                    }
                    if let Err(error) = &result {
                        assert_eq!(error.kind(), documented(fault), "{context}");
                        assert!(error.message().contains("/store"), "{context}");
                    }
                    let acknowledged = result.is_ok();
                    let not_done = !acknowledged && holds(&store, deed.before);
                    assert!(not_done || holds(&store, deed.after), "{context}");
                    (deed.act)(&store).map_or_else(|error| panic!("{context}: {error}"), drop);
                    assert!(holds(&store, deed.after), "{context}");
                    wait(store.close()).unwrap();
                    check(&fs.another_process(), access, deed, true, &context);
                    check_swept(&fs, access, &context);
                }
            }
        }
    }
}

fn documented(fault: SimFault) -> ErrorKind {
    match fault {
        SimFault::NoSpace => ErrorKind::NoSpace,
        SimFault::Denied | SimFault::ReadOnly => ErrorKind::PermissionDenied,
        _ => ErrorKind::Io,
    }
}

#[test]
fn a_batch_that_failed_is_whole_or_absent_also_after_a_power_cut_and_never_undoes_a_later_write() {
    let deed = DEEDS.iter().find(|deed| deed.what == "batch").unwrap();
    for access in [Access::Exclusive, Access::Shared] {
        for step in 1.. {
            let fs = SimFs::new();
            let store = prepared(&fs, access, deed);
            let before = fs.steps();
            fs.fail(step, SimFault::Io);
            let acknowledged = (deed.act)(&store).is_ok();
            if before + step > fs.steps() {
                break;
            }
            let context = format!("{access:?}, step {step}");
            for survivor in some_of(fs.survivors(), 300) {
                let after = fs.restart(digits(survivor));
                check(&after, access, deed, acknowledged, &format!("{context}, survivor {survivor}"));
            }
            put(&store, 1, 7).unwrap();
            delete(&store, 2).unwrap();
            put(&store, 3, 8).unwrap();
            let later: Holding = &[(1, 7), (3, 8)];
            assert!(holds(&store, later), "{context}");
            for survivor in some_of(fs.survivors(), 100) {
                let after = open(&fs.restart(digits(survivor)), access).unwrap();
                assert!(holds(&after, later), "{context}, survivor {survivor}");
            }
        }
    }
}

/// What a name may hold: one thing after an acknowledged write, more after writes that failed.
type Model = BTreeMap<u8, Vec<Option<u32>>>;

#[test]
fn random_histories_with_faults_kills_and_power_cuts_lose_nothing() {
    let seeds: u64 = env::var("KONSERVE_SEEDS").map_or(1000, |seeds| seeds.parse().unwrap());
    let first: u64 = env::var("KONSERVE_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("seeds {first} to {}; again with KONSERVE_SEED=<seed> KONSERVE_SEEDS=1", first + seeds - 1);
    for seed in first..first + seeds {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut fs = SimFs::new();
        let mut model = Model::new();
        for life in 0..6 {
            let access = if random.below(2) == 0 { Access::Exclusive } else { Access::Shared };
            live(&fs, access, &mut random, &mut model, &format!("seed {seed}, life {life}, {access:?}"));
            fs = fs.restart(|choices| random.below(choices));
        }
    }
}

fn live(fs: &SimFs, access: Access, random: &mut Random, model: &mut Model, context: &str) {
    let store = open(fs, access).unwrap_or_else(|error| panic!("{context}: {error}"));
    for number in 0..6 {
        compare(&store, number, model, context);
    }
    assert_eq!(read(&store, TWINS[0]).unwrap(), read(&store, TWINS[1]).unwrap(), "{context}: half a batch");
    fs.cut_power(random.below(160));
    for _ in 0..24 {
        if random.below(4) == 0 {
            fs.fail(1 + random.below(12), SimFault::ALL[usize::try_from(random.below(8)).unwrap()]);
        }
        let number = u8::try_from(random.below(4)).unwrap();
        let new = u32::try_from(random.below(1 << 31)).unwrap();
        let (names, wanted, result) = match random.below(4) {
            0 => (vec![number], None, delete(&store, number)),
            1 => (vec![number], Some(new), put(&store, number, new)),
            2 => {
                let f = move |_: Option<&Blob>| Ok(Change::Put(blob(new)));
                (vec![number], Some(new), wait(store.update(name(number), Part::Head, Box::new(f))))
            }
            _ => {
                let wanted = (new % 3 != 0).then_some(new);
                let change = wanted.map_or(Change::Delete, |new| Change::Put(blob(new)));
                let names = [TWINS.to_vec(), vec![number]].concat();
                let writes = names.iter().flat_map(|number| write(*number, change.clone())).collect();
                (names, wanted, wait(store.commit(writes)).map(drop))
            }
        };
        for number in names {
            let may = model.entry(number).or_insert_with(|| vec![None]);
            if result.is_ok() {
                may.clear();
            }
            may.push(wanted);
            compare(&store, number, model, context);
        }
        if let Ok(twins) = wait(store.read(TWINS.map(name).to_vec(), Part::All)) {
            assert_eq!(twins[0], twins[1], "{context}: half a batch");
        }
    }
}

/// Names that are only written together, and the same.
const TWINS: [u8; 2] = [4, 5];

fn compare(store: &Store, number: u8, model: &mut Model, context: &str) {
    let may = model.entry(number).or_insert_with(|| vec![None]);
    if let Ok(found) = read(store, number) {
        let expected = may.iter().any(|may| may.map(blob) == found);
        assert!(expected, "{context}: name {number} holds {found:?}, not one of {may:?}");
    }
}

#[test]
fn a_delete_of_what_an_unsynced_delete_removed_is_synced_before_it_is_acknowledged() {
    for step in 1..=2 {
        let fs = SimFs::new();
        let store = open(&fs, Access::Exclusive).unwrap();
        put(&store, 1, 1).unwrap();
        fs.fail(step, SimFault::Io);
        drop(delete(&store, 1));
        delete(&store, 1).unwrap();
        for survivor in 0..fs.survivors() {
            let after = open(&fs.restart(digits(survivor)), Access::Exclusive).unwrap();
            assert_eq!(read(&after, 1).unwrap(), None, "step {step}, survivor {survivor}");
        }
    }
}

#[test]
fn a_full_disk_keeps_the_old_value_and_works_again_when_there_is_room() {
    for step in 1.. {
        let fs = SimFs::new();
        let store = open(&fs, Access::Exclusive).unwrap();
        put(&store, 1, 1).unwrap();
        let before = fs.steps();
        fs.fail(step, SimFault::NoSpace);
        let result = put(&store, 1, 2);
        if before + step > fs.steps() {
            return result.unwrap();
        }
        assert_eq!(result.unwrap_err().kind(), ErrorKind::NoSpace);
        put(&store, 1, 2).unwrap();
        assert_eq!(read(&store, 1).unwrap(), Some(blob(2)));
    }
}

#[test]
fn a_commit_whose_expectation_fails_changes_nothing() {
    let fs = SimFs::new();
    let store = open(&fs, Access::Exclusive).unwrap();
    put(&store, 1, 1).unwrap();
    let commit = |expect, content| {
        let write = Write { name: name(1), change: Change::Put(blob(content)), expect };
        wait(store.commit(vec![write])).unwrap()
    };
    let check = |content| Expect::Check(blob(content).check().unwrap());
    assert_eq!(commit(Expect::Absent, 2), Outcome::Conflict(name(1)));
    assert_eq!(commit(check(2), 2), Outcome::Conflict(name(1)));
    assert_eq!(read(&store, 1).unwrap(), Some(blob(1)));
    assert_eq!(commit(check(1), 2), Outcome::Done(vec![true]));
    assert_eq!(read(&store, 1).unwrap(), Some(blob(2)));
}
