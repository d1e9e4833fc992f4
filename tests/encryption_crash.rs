//! Power cuts, kills and faults at every step of what changes the keys of an encrypted store, on a simulated machine.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "in a test, that is a failure")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use konserve::{
    BlobName, Config, Encryptor, ErrorKind, Result, Secret, Store, Value, WriteOptions,
    backing::{Access, FilePlace, Fs},
    blocking::wait,
    open_store, store_exists,
    testing::{SimFault, SimFs},
};

const KEY: [u8; 32] = [7; 32];
const OTHER: [u8; 32] = [8; 32];
const THIRD: [u8; 32] = [9; 32];
const NEW: [u8; 32] = [10; 32];
/// What is longer is streamed.
const MAX_LEN: u64 = 500;
const BLOBS: u64 = 7;

fn config(fs: &SimFs, access: Access, key: [u8; 32]) -> Config {
    let place = FilePlace::new(Arc::new(fs.clone()), "/store").access(access);
    Config::at(place).encryptor(Encryptor::aes_blake3(key)).max_value_len(MAX_LEN)
}

fn open(fs: &SimFs, access: Access, key: [u8; 32]) -> Result<Store> {
    wait(open_store(config(fs, access, key)))
}

fn large() -> Vec<u8> {
    b"many bytes".repeat(90)
}

/// Two keys open it, and it has all kinds of what a store holds.
fn prepared(fs: &SimFs, access: Access) -> Store {
    let store = open(fs, access, KEY).unwrap();
    wait(store.add_key(&Secret::from(THIRD))).unwrap();
    wait(fill(&store)).unwrap();
    store
}

async fn fill(store: &Store) -> Result<()> {
    let user = Value::Map(vec![("of".into(), "the user".into())]);
    store.assoc_with(["with meta"], 1, WriteOptions::default().meta(user)?).await?;
    store.assoc("value", "a text").await?;
    store.append("log", 0).await?;
    store.append("log", 1).await?;
    store.bassoc("binary", b"a few bytes".as_slice()).await?;
    let mut writer = store.write_binary(&"large".into(), WriteOptions::default()).await?;
    writer.write(&large()).await?;
    writer.finish().await
}

/// All that was stored, read again.
async fn holds_all(store: &Store, context: &str) {
    assert_eq!(store.get::<i64>("with meta").await.unwrap(), Some(1), "{context}");
    let meta = store.get_meta("with meta").await.unwrap().unwrap();
    assert_eq!(meta.user, Value::Map(vec![("of".into(), "the user".into())]).to_cbor().unwrap(), "{context}");
    assert_eq!(store.get::<String>("value").await.unwrap().as_deref(), Some("a text"), "{context}");
    assert_eq!(store.log::<i64>("log").await.unwrap(), [0, 1], "{context}");
    assert_eq!(store.bget("binary").await.unwrap().unwrap(), "a few bytes", "{context}");
    let mut reader = store.read_binary(&"large".into()).await.unwrap().unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = reader.next().await.unwrap() {
        bytes.extend_from_slice(&piece);
    }
    assert_eq!(bytes, large(), "{context}");
    is_sound(store, context).await;
}

async fn is_sound(store: &Store, context: &str) {
    let report = store.verify(|_| {}).await.unwrap();
    assert!(report.checked == BLOBS && report.corrupt.is_empty() && report.orphans.is_empty(), "{context}: {report:?}");
}

/// One change of keys, and which keys open the store before and after.
struct Deed {
    what: &'static str,
    before: &'static [[u8; 32]],
    after: &'static [[u8; 32]],
    act: fn(&Store) -> Result<()>,
}

const DEEDS: [Deed; 4] = [
    Deed {
        what: "add_key",
        before: &[KEY, THIRD],
        after: &[KEY, THIRD, OTHER],
        act: |store| wait(store.add_key(&OTHER.into())),
    },
    Deed {
        what: "change_key",
        before: &[KEY, THIRD],
        after: &[OTHER, THIRD],
        act: |store| wait(store.change_key(&KEY.into(), &OTHER.into())),
    },
    Deed {
        what: "remove_key",
        before: &[KEY, THIRD],
        after: &[THIRD],
        act: |store| wait(store.remove_key(&KEY.into())),
    },
    Deed { what: "rekey", before: &[KEY, THIRD], after: &[OTHER], act: |store| rekey(store, &[OTHER]).map(drop) },
];

fn rekey(store: &Store, keys: &[[u8; 32]]) -> Result<u64> {
    let keys: Vec<_> = keys.iter().map(|key| Secret::from(*key)).collect();
    wait(store.rekey(&keys, |_| Ok(())))
}

/// Who may have the store while keys change; rekey wants it for itself.
fn accesses(deed: &Deed) -> &'static [Access] {
    if deed.what == "rekey" { &[Access::Exclusive] } else { &[Access::Exclusive, Access::Shared] }
}

/// Which of all keys open the store. Where the two copies of the record are two states of it, this mends neither: each key
/// is tried on a machine of its own.
fn openers(fs: &SimFs) -> Vec<[u8; 32]> {
    let opens = |key: &[u8; 32]| match open(&fs.restart(|choices| choices - 1), Access::Exclusive, *key) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WrongKey, "{error}");
            false
        }
    };
    [KEY, OTHER, THIRD, NEW].into_iter().filter(opens).collect()
}

/// What must be true afterwards: the keys from before or those from after open the store, acknowledged only the latter; all
/// is readable; then a rekey ends, and leaves nothing under an older key.
fn check(fs: &SimFs, deed: &Deed, acknowledged: bool, context: &str) {
    let openers = openers(fs);
    let done = openers.iter().all(|key| deed.after.contains(key)) && openers.len() == deed.after.len();
    let fits = |key| deed.before.contains(key) || deed.after.contains(key);
    let of_before = deed.before.iter().any(|key| openers.contains(key));
    assert!(done || !acknowledged && of_before && openers.iter().all(fits), "{context}: {openers:?}");
    for key in openers {
        let fs = fs.restart(|choices| choices - 1);
        let store = open(&fs, Access::Exclusive, key).unwrap();
        wait(is_sound(&store, context));
        assert_eq!(record(&fs, "konserve.store"), record(&fs, "konserve.store-copy"), "{context}: mended");
        rekey(&store, &[NEW]).unwrap_or_else(|error| panic!("{context}: {error}"));
        wait(store.close()).unwrap();
        assert_eq!(kids(&fs).len(), 1, "{context}");
        // A rekey ends with one key of the data: what is under another would be damage here.
        wait(holds_all(&open(&fs, Access::Exclusive, NEW).unwrap(), context));
        assert_eq!(
            open(&fs.restart(|_| 0), Access::Exclusive, key).unwrap_err().kind(),
            ErrorKind::WrongKey,
            "{context}"
        );
    }
}

fn read(fs: &SimFs, path: &Path) -> Vec<u8> {
    wait(Fs::read(fs, path, None)).unwrap().unwrap().to_vec()
}

fn record(fs: &SimFs, name: &str) -> Vec<u8> {
    read(fs, &PathBuf::from("/store").join(name))
}

/// The ids of the data keys that blobs are under, and how many of them.
fn kids(fs: &SimFs) -> BTreeMap<Vec<u8>, usize> {
    let mut kids = BTreeMap::new();
    for file in fs.files() {
        if BlobName::from_file_name(file.file_name().unwrap().to_str().unwrap()).is_some() {
            *kids.entry(read(fs, &file)[20..28].to_vec()).or_default() += 1;
        }
    }
    kids
}

/// The digits of a number, each in its own base.
fn digits(mut number: u64) -> impl FnMut(u64) -> u64 {
    move |base| {
        let digit = number % base;
        number /= base;
        digit
    }
}

/// Numbers below this one: all if they are few, or some from everywhere among them.
fn some_of(numbers: u64, few: u64) -> impl Iterator<Item = u64> {
    let spread = if numbers > few { 0x9e37_79b9_7f4a_7c15_u64 } else { 1 };
    (0..numbers.min(few)).map(move |one| one.wrapping_mul(spread))
}

#[test]
fn a_power_cut_at_any_step_of_creating_leaves_a_store_that_opens_or_none() {
    let (mut states, mut of_copy) = (0, 0);
    for access in [Access::Exclusive, Access::Shared] {
        for step in 0.. {
            let fs = SimFs::new();
            fs.cut_power(step);
            let acknowledged = open(&fs, access, KEY).is_ok();
            for survivor in some_of(fs.survivors(), 60) {
                let after = fs.restart(digits(survivor));
                let context = format!("{access:?}, step {step}, survivor {survivor}: {:?}", after.files());
                let there = wait(store_exists(config(&after, access, KEY))).unwrap();
                assert!(there || !acknowledged, "{context}");
                of_copy += u64::from(there && !after.files().contains(&PathBuf::from("/store/konserve.store")));
                let store = open(&after, access, KEY).unwrap_or_else(|error| panic!("{context}: {error}"));
                wait(store.assoc("value", 1)).unwrap();
                wait(store.close()).unwrap();
                assert_eq!(openers(&after), [KEY], "{context}");
                let value = wait(open(&after, access, KEY).unwrap().get::<i64>("value")).unwrap();
                assert_eq!(value, Some(1), "{context}");
                assert_eq!(record(&after, "konserve.store"), record(&after, "konserve.store-copy"), "{context}");
                states += 1;
            }
            if !fs.is_dark() {
                assert!(acknowledged);
                break;
            }
        }
    }
    println!("{states} states of the disk, {of_copy} with the copy alone");
    assert!(of_copy > 0);
}

#[test]
fn a_power_cut_at_any_step_of_a_change_of_keys_loses_nothing() {
    for deed in &DEEDS {
        let (mut states, mut two_keys) = (0, 0);
        for access in accesses(deed) {
            for step in 0.. {
                let fs = SimFs::new();
                let store = prepared(&fs, *access);
                fs.cut_power(step);
                let acknowledged = (deed.act)(&store).is_ok();
                for survivor in some_of(fs.survivors(), 6) {
                    let context = format!("{} {access:?}, step {step}, survivor {survivor}", deed.what);
                    let after = fs.restart(digits(survivor));
                    two_keys += u64::from(kids(&after).len() == 2);
                    check(&after, deed, acknowledged, &context);
                    states += 1;
                }
                if !fs.is_dark() {
                    assert!(acknowledged, "{} {access:?}", deed.what);
                    break;
                }
            }
        }
        println!("{}: {states} states of the disk, {two_keys} with blobs under two keys", deed.what);
        assert_eq!(two_keys > 0, deed.what == "rekey");
    }
}

#[test]
fn a_process_that_is_killed_at_any_step_of_a_change_of_keys_loses_nothing() {
    for deed in &DEEDS {
        for access in accesses(deed) {
            for step in 0.. {
                let fs = SimFs::new();
                let next = fs.another_process();
                let store = prepared(&fs, *access);
                fs.kill(step + 1);
                let acknowledged = (deed.act)(&store).is_ok();
                let done = !fs.is_dead();
                fs.kill(0);
                check(&next, deed, acknowledged, &format!("{} {access:?}, killed at step {step}", deed.what));
                if done {
                    break;
                }
            }
        }
    }
}

/// The rekey that goes on after a power cut is cut, too: at each of its steps, where the first got half of its way.
#[test]
fn a_power_cut_at_any_step_of_resuming_a_rekey_loses_nothing() {
    let deed = DEEDS.iter().find(|deed| deed.what == "rekey").unwrap();
    let half = SimFs::new();
    let store = prepared(&half, Access::Exclusive);
    let before = half.steps();
    (deed.act)(&store).unwrap();
    let steps = half.steps() - before;
    let mut states = 0;
    for first in [steps / 4, steps / 2, steps - 8] {
        let half = SimFs::new();
        let store = prepared(&half, Access::Exclusive);
        half.cut_power(first);
        (deed.act)(&store).unwrap_err();
        for step in 0.. {
            let again = half.restart(|choices| choices - 1);
            again.cut_power(step);
            let resumed = open(&again, Access::Exclusive, OTHER).and_then(|store| rekey(&store, &[OTHER]));
            for survivor in some_of(again.survivors(), 2) {
                let context = format!("step {first} and {step}, survivor {survivor}");
                check(&again.restart(digits(survivor)), deed, true, &context);
                states += 1;
            }
            if !again.is_dark() {
                resumed.unwrap();
                break;
            }
        }
    }
    println!("{states} states of the disk");
}

#[test]
fn any_fault_at_any_step_of_a_change_of_keys_loses_nothing_and_leaves_a_store_that_works() {
    for deed in &DEEDS {
        for access in accesses(deed) {
            for fault in [SimFault::Io, SimFault::ShortWrite, SimFault::FailedClose] {
                for step in 1.. {
                    let fs = SimFs::new();
                    let store = prepared(&fs, *access);
                    let before = fs.steps();
                    fs.fail(step, fault);
                    let result = (deed.act)(&store);
                    let context = format!("{} {access:?}, {fault:?} at step {step}: {result:?}", deed.what);
                    if before + step > fs.steps() {
                        result.unwrap();
                        break;
                    }
                    wait(holds_all(&store, &context));
                    for survivor in some_of(fs.survivors(), 1) {
                        check(&fs.restart(digits(survivor)), deed, result.is_ok(), &context);
                    }
                    if result.is_err() {
                        again(&store, deed, &context);
                    }
                    wait(store.close()).unwrap();
                    check(&fs.another_process(), deed, true, &context);
                }
            }
        }
    }
}

/// What failed can be done again. What it was done to may already be as it should: then the key to change is none any more.
fn again(store: &Store, deed: &Deed, context: &str) {
    match (deed.act)(store) {
        Err(error) if error.kind() == ErrorKind::WrongKey && deed.what != "rekey" => {}
        done => done.unwrap_or_else(|error| panic!("{context}; again: {error}")),
    }
}

#[test]
fn rekey_tells_how_far_it_is_and_can_be_stopped_there() {
    let fs = SimFs::new();
    let store = prepared(&fs, Access::Exclusive);
    let mut told = Vec::new();
    let written = wait(store.rekey(&[Secret::from(OTHER)], |seen| {
        told.push(seen);
        Ok(())
    }));
    assert_eq!(written.unwrap(), BLOBS);
    assert!(told.is_sorted() && told.last() == Some(&BLOBS), "{told:?}");
    let stopped = wait(store.rekey(&[Secret::from(KEY)], |_| Err(konserve::Error::new(ErrorKind::Closed, "stop"))));
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Closed);
    wait(holds_all(&store, "stopped"));
    assert_eq!(rekey(&store, &[KEY]).unwrap(), 0, "all were written before it was stopped");
}

/// Nobody who may have the store open at the same time is left with a key that is no more.
#[test]
fn rekey_refuses_a_store_that_may_be_shared_and_changes_nothing() {
    let fs = SimFs::new();
    let store = prepared(&fs, Access::Shared);
    let before: Vec<_> = fs.files().iter().map(|file| read(&fs, file)).collect();
    assert_eq!(rekey(&store, &[OTHER]).unwrap_err().kind(), ErrorKind::StoreLocked);
    assert_eq!(fs.files().iter().map(|file| read(&fs, file)).collect::<Vec<_>>(), before);
    wait(store.close()).unwrap();
    let _alone = open(&fs, Access::Exclusive, KEY).unwrap();
    let other = open(&fs.another_process(), Access::Exclusive, KEY).unwrap_err();
    assert_eq!(other.kind(), ErrorKind::StoreLocked);
}

#[test]
fn verify_tells_what_a_rekey_that_was_cut_left_under_the_older_key() {
    let mut seen = std::collections::BTreeSet::new();
    for step in (0..).step_by(5) {
        let fs = SimFs::new();
        let store = prepared(&fs, Access::Exclusive);
        fs.cut_power(step);
        let done = rekey(&store, &[KEY]).is_ok();
        let after = fs.restart(|choices| choices - 1);
        let older = |store: &Store| wait(store.verify(|_| {})).unwrap().older;
        let store = open(&after, Access::Exclusive, KEY).unwrap();
        seen.insert(older(&store));
        rekey(&store, &[KEY]).unwrap();
        assert_eq!(older(&store), 0, "step {step}");
        if done {
            break;
        }
    }
    println!("{seen:?} blobs under the older key");
    assert!(seen.contains(&0) && seen.contains(&BLOBS) && seen.len() > 4, "{seen:?}");
}
