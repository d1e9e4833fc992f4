//! What must not be known, and what must not repeat: key material is told nowhere, and no write goes without chance.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test, that is a failure")]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt::Debug,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use konserve::{
    Config, Encryptor, Error, ErrorKind, Existing, Query, Result, Secret, Sweep, Value, WriteOptions,
    backing::{Access, FilePlace, MemoryPlace, Part, Place, StdFs},
    blocking::{self, Store, wait},
    env::{Rng, System},
};

/// Bytes of which no six that follow each other are anywhere else, nor text.
const CANARY: [u8; 32] = *b"\xc3\x9a\x01\xf7\x1e\x88\xd4\x5b\xe6\x2c\xb0\x93\x74\xaf\x19\xcd\xfe\x63\xa8\x07\xd1\x4e\x95\xba\x30\xef\x8c\x52\xc7\x1b\xe9\x86";
const PASSPHRASE: &str = "grackle-Zwetschge-47 under oath";

/// Random bytes of the system's, all of which are noted; from some moment on, none.
#[derive(Clone, Default)]
struct Noted {
    drawn: Arc<Mutex<Vec<Vec<u8>>>>,
    fails: Arc<AtomicBool>,
}

impl Rng for Noted {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Backend, "no chance"));
        }
        System.fill(bytes)?;
        self.drawn.lock().unwrap().push(bytes.to_vec());
        Ok(())
    }
}

fn at(folder: &Path, access: Access) -> Config {
    Config::at(FilePlace::new(Arc::new(StdFs), folder).sync_blob(false).access(access))
}

fn with(folder: &Path, key: impl Into<Secret>) -> Config {
    at(folder, Access::Exclusive).encryptor(Encryptor::aes_blake3(key))
}

/// All that somebody may see or log, each text once.
#[derive(Default)]
struct Told {
    texts: BTreeSet<String>,
    errors: usize,
}

impl Told {
    fn see(&mut self, it: &impl Debug) {
        self.texts.extend([format!("{it:?}"), format!("{it:#?}")]);
    }

    fn error(&mut self, error: &Error) {
        self.errors += 1;
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(error) = cause {
            self.see(&error);
            self.texts.insert(error.to_string());
            cause = error.source();
        }
    }

    /// The error of what must fail.
    #[track_caller]
    fn fails<T: Debug>(&mut self, done: Result<T>) {
        self.error(&done.unwrap_err());
    }

    fn all(&self) -> String {
        self.texts.iter().flat_map(|text| [text.as_str(), "\n"]).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// How bytes may be written: each window of some that follow each other, in the ways that programs print them.
fn forms(bytes: &[u8]) -> Vec<String> {
    let decimal = |bytes: &[u8]| bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    let of_six = bytes.windows(6).flat_map(|window| [hex(window), decimal(window), window.escape_ascii().to_string()]);
    // Whichever of three bytes the text begins with.
    let of_nine = bytes.windows(9).map(base64);
    of_six.chain(of_nine).collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[bits >> shift & 63]))
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}

/// The secrets in all their forms, by the length of these.
struct Forms(BTreeMap<usize, HashMap<Vec<u8>, String>>);

impl Forms {
    fn of(secrets: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut all = BTreeMap::<_, HashMap<_, _>>::new();
        for (name, secret) in secrets {
            for form in forms(secret) {
                all.entry(form.len()).or_default().insert(form.into_bytes(), name.clone());
            }
        }
        Self(all)
    }

    /// The name of a secret that stands in a text in any form.
    fn find(&self, text: &str) -> Option<String> {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let url_safe = compact.replace('-', "+").replace('_', "/");
        [compact.to_lowercase(), url_safe, compact].iter().find_map(|text| self.find_in(text.as_bytes()))
    }

    fn find_in(&self, text: &[u8]) -> Option<String> {
        let of_len = |(len, forms): (&usize, &HashMap<Vec<u8>, String>)| {
            text.windows(*len).find_map(|window| forms.get(window).cloned())
        };
        self.0.iter().find_map(of_len)
    }
}

fn derived(context: &str, parts: &[&[u8]], len: usize) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    parts.iter().for_each(|part| _ = hasher.update(part));
    let mut bytes = vec![0; len];
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

/// What an open store knows and tells nobody: the user's keys, its own, and what is derived of them. `drawn` are the random
/// bytes since it was made, of which the first 32 are the name key, the next K, and 16 after that the salt of its slot.
fn secrets(kek: &[u8], drawn: &[Vec<u8>]) -> BTreeMap<String, Vec<u8>> {
    let keys: Vec<_> = drawn.iter().filter(|bytes| bytes.len() == 32).collect();
    // The first 16 are the id.
    let slot_salt = drawn.iter().filter(|bytes| bytes.len() == 16).nth(1).unwrap();
    let (name_key, k) = (keys[0], keys[1]);
    let mut secrets = BTreeMap::from([
        ("KEK".to_owned(), kek.to_vec()),
        ("name key".to_owned(), name_key.clone()),
        ("K".to_owned(), k.clone()),
        ("slot keys".to_owned(), derived("konserve 2026 key slot", &[kek, slot_salt], 80)),
        ("record key".to_owned(), derived("konserve 2026 store record", &[k], 32)),
    ]);
    for (n, salt) in keys[2..].iter().take(12).enumerate() {
        secrets.insert(format!("blob keys {n}"), derived("konserve 2026 blob keys", &[k, salt], 96));
    }
    secrets
}

/// The key that Argon2id makes of the passphrase, with the salt of the only slot, which stands in the record.
fn kek_of_passphrase(salt: &[u8]) -> Vec<u8> {
    let params = argon2::Params::new(19_456, 2, 1, Some(32)).unwrap();
    let mut blocks = vec![argon2::Block::default(); params.block_count()];
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut key = vec![0; 32];
    argon2.hash_password_into_with_memory(PASSPHRASE.as_bytes(), salt, &mut key, &mut blocks).unwrap();
    key
}

fn blob_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut blobs: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "ksv")).collect();
    blobs.sort();
    blobs
}

fn fill(store: &Store) {
    let user = Value::Map(vec![("of".into(), "the user".into())]);
    store.assoc_with(["value"], "plain", WriteOptions::default().meta(user).unwrap()).unwrap();
    store.append("log", 1).unwrap();
    store.bassoc("binary", b"bytes".as_slice()).unwrap();
    let mut writer = store.write_binary(&"large".into(), WriteOptions::default()).unwrap();
    std::io::Write::write_all(&mut writer, &b"large".repeat(100_000)).unwrap();
    writer.finish().unwrap();
}

/// Every read of a store whose blobs were damaged at this place.
fn damaged_reads(folder: &Path, store: &Store, place: impl Fn(usize) -> usize, told: &mut Told) {
    for file in blob_files(folder) {
        let whole = fs::read(&file).unwrap();
        let mut bytes = whole.clone();
        bytes[place(whole.len())] ^= 4;
        fs::write(&file, bytes).unwrap();
        let done = [
            store.get::<Value>("value").map(drop),
            store.get_meta("value").map(drop),
            store.log::<Value>("log").map(drop),
            store.bget("binary").map(drop),
            store.bget("large").map(drop),
            store.update("value", |old: Option<Value>| old.unwrap_or(Value::Null)).map(drop),
            store.append("log", 2).map(drop),
            store.keys().unwrap().collect::<Result<Vec<_>>>().map(drop),
        ];
        done.iter().filter_map(|done| done.as_ref().err()).for_each(|error| told.error(error));
        told.see(&store.verify(|_| {}).unwrap());
        fs::write(&file, whole).unwrap();
    }
}

/// Many operations that fail, and all that they and what is at hand say of themselves.
fn provoke(folder: &Path, key: &Secret, rng: &Noted, told: &mut Told) {
    let config = || with(folder, key.clone()).rng(rng.clone());
    told.see(key);
    told.see(&Encryptor::aes_blake3(key.clone()));
    let store = blocking::open_store(config()).unwrap();
    told.see(&store);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let hook = seen.clone();
    store.add_write_hook("seen", move |event| hook.lock().unwrap().push(format!("{event:?}"))).unwrap();
    fill(&store);
    store.keys().unwrap().for_each(|meta| told.see(&meta.unwrap()));
    damaged_reads(folder, &store, |len| len - 1, told);
    damaged_reads(folder, &store, |_| 40, told);
    damaged_reads(folder, &store, |_| 3, told);
    let keys = store.inner();
    told.fails(wait(keys.change_key(&Secret::from([1; 32]), key)));
    told.fails(wait(keys.remove_key(key)));
    told.fails(wait(keys.rekey(&[], |_| Ok(()))));
    told.fails(wait(keys.rekey(std::slice::from_ref(key), |_| Err(Error::new(ErrorKind::Io, "stopped")))));
    told.fails(blocking::open_store(config()));
    told.fails(blocking::create_store(config()));
    rng.fails.store(true, Ordering::Relaxed);
    told.fails(store.assoc("value", 2));
    told.fails(wait(keys.add_key(&Secret::from([2; 32]))));
    rng.fails.store(false, Ordering::Relaxed);
    let mut exported = Vec::new();
    store.export_to(&mut exported, |_, _| {}).unwrap();
    let other = blocking::open_store(Config::memory().encryptor(Encryptor::aes_blake3([3; 32]))).unwrap();
    told.fails(other.import_from(&mut exported.as_slice(), Existing::Error, |_, _| {}));
    let plain = blocking::open_store(Config::memory()).unwrap();
    told.fails(plain.import_from(&mut exported.as_slice(), Existing::Error, |_, _| {}));
    store.close().unwrap();
    told.fails(store.assoc("value", 2));
    told.see(&store);
    told.texts.extend(seen.lock().unwrap().drain(..));
    told.fails(blocking::open_store(with(folder, [4; 32])));
    told.fails(blocking::open_store(with(folder, "another passphrase")));
    told.fails(blocking::open_store(at(folder, Access::Exclusive)));
    told.fails(blocking::open_store(config().layout(konserve::LayoutName::Konserve)));
    damaged_records(folder, &config, told);
}

fn damaged_records(folder: &Path, config: &impl Fn() -> Config, told: &mut Told) {
    let copies = ["konserve.store", "konserve.store-copy"].map(|name| folder.join(name));
    let record = fs::read(&copies[0]).unwrap();
    for at in (0..record.len()).step_by(7) {
        let mut bytes = record[..record.len() - 32].to_vec();
        bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1);
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        copies.iter().for_each(|copy| fs::write(copy, &bytes).unwrap());
        if let Err(error) = blocking::open_store(config()) {
            told.error(&error);
        }
        copies.iter().for_each(|copy| fs::write(copy, &record).unwrap());
    }
}

#[test]
fn no_key_stands_in_anything_that_is_printed() {
    let [raw, of_passphrase] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (mut told, rng) = (Told::default(), Noted::default());
    provoke(raw.path(), &Secret::from(CANARY), &rng, &mut told);
    let mut all = secrets(&CANARY, &rng.drawn.lock().unwrap());

    let rng = Noted::default();
    provoke(of_passphrase.path(), &Secret::from(PASSPHRASE), &rng, &mut told);
    let drawn = rng.drawn.lock().unwrap();
    let kek = kek_of_passphrase(drawn.iter().filter(|bytes| bytes.len() == 16).nth(1).unwrap());
    all.extend(secrets(&kek, &drawn).into_iter().map(|(name, secret)| (format!("{name} of a passphrase"), secret)));

    for wrong in [&CANARY[..31], &[CANARY.as_slice(), &[0]].concat(), &[]] {
        told.fails(Secret::raw(wrong));
    }
    told.fails(blocking::open_store(Config::memory().encryptor(Encryptor::aes_blake3(""))));
    println!("{} errors, {} texts, {} secrets", told.errors, told.texts.len(), all.len());
    assert!(told.errors > 100 && told.texts.len() > 100);
    let forms = Forms::of(&all);
    assert_eq!(forms.find(&told.all()), None);
    let words = ["grackle", "Zwetschge", "under oath"];
    assert!(!words.iter().any(|word| told.all().contains(word)), "the passphrase");
    found_where_it_is(&all, &forms);
}

/// The search itself finds what is there, in every form.
fn found_where_it_is(secrets: &BTreeMap<String, Vec<u8>>, forms: &Forms) {
    for secret in secrets.values() {
        let part = &secret[3..15];
        let hex = hex(part).to_uppercase();
        for text in [hex, format!("{part:?}"), format!("{part:#?}"), base64(part), part.escape_ascii().to_string()] {
            assert!(forms.find(&format!("a text with {text} in it")).is_some(), "{text}");
        }
    }
}

#[test]
fn the_secrets_that_are_searched_for_are_those_of_the_store() {
    let (folder, rng) = (tempfile::tempdir().unwrap(), Noted::default());
    let store = blocking::open_store(with(folder.path(), CANARY).rng(rng.clone())).unwrap();
    store.assoc("k", 1).unwrap();
    let drawn = rng.drawn.lock().unwrap();
    let (record, blob) = (fs::read(folder.path().join("konserve.store")).unwrap(), &blob_files(folder.path())[0]);
    let secrets = secrets(&CANARY, &drawn);
    let key = |name: &str| -> [u8; 32] { secrets[name].clone().try_into().unwrap() };
    let (body, mac) = (&record[..record.len() - 64], &record[record.len() - 64..record.len() - 32]);
    assert_eq!(blake3::keyed_hash(&key("record key"), body).as_bytes(), mac);
    let kid = blake3::derive_key("konserve 2026 key id", &secrets["K"]);
    assert_eq!(&fs::read(blob).unwrap()[20..28], &kid[..8]);
    let name = blake3::keyed_hash(&key("name key"), b"\x61k");
    assert!(blob.file_name().unwrap().to_str().unwrap().starts_with(&hex(&name.as_bytes()[..4])));
}

type Deed = fn(&Store) -> Result<()>;

/// Each kind of write, to a store that has something of each kind.
const WRITES: [(&str, Deed); 14] = [
    ("assoc", |store| store.assoc("value", 2)),
    ("assoc of a new key", |store| store.assoc("new", 2)),
    ("assoc_in", |store| store.assoc_in(["map", "a"], 2)),
    ("update", |store| store.update("value", |_: Option<Value>| Value::from(2)).map(drop)),
    ("bassoc", |store| store.bassoc("binary", b"other".as_slice())),
    ("write_binary", |store| {
        let mut writer = store.write_binary(&"large".into(), WriteOptions::default())?;
        let written = std::io::Write::write_all(&mut writer, &[1; 1000]);
        written.map_err(|error| Error::new(ErrorKind::Backend, error.to_string()))?;
        writer.finish()
    }),
    ("append", |store| store.append("log", 2)),
    ("append to a new log", |store| store.append("new log", 2)),
    ("multi_assoc", |store| store.multi_assoc([("value", 2), ("new", 2)]).map(drop)),
    ("add_key", |store| wait(store.inner().add_key(&Secret::from([2; 32])))),
    ("change_key", |store| wait(store.inner().change_key(&Secret::from(CANARY), &Secret::from([2; 32])))),
    ("rekey", |store| wait(store.inner().rekey(&[Secret::from(CANARY)], |_| Ok(()))).map(drop)),
    ("copy_to", |store| {
        let other = blocking::open_store(Config::memory())?;
        fill(&other);
        other.copy_to(store, Existing::Replace, |_| {}).map(drop)
    }),
    ("import", |store| {
        let (other, mut exported) = (blocking::open_store(Config::memory())?, Vec::new());
        fill(&other);
        other.export_to(&mut exported, |_, _| {})?;
        store.import_from(&mut exported.as_slice(), Existing::Replace, |_, _| {}).map(drop)
    }),
];

/// Names and bytes of all files.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

#[test]
fn without_random_bytes_no_kind_of_write_goes_ahead() {
    let (folder, rng) = (tempfile::tempdir().unwrap(), Noted::default());
    let config = || with(folder.path(), CANARY).rng(rng.clone());
    rng.fails.store(true, Ordering::Relaxed);
    assert_eq!(blocking::open_store(config()).unwrap_err().kind(), ErrorKind::Backend);
    assert_eq!(blocking::create_store(config()).unwrap_err().kind(), ErrorKind::Backend);
    assert!(!blocking::store_exists(config()).unwrap());
    rng.fails.store(false, Ordering::Relaxed);
    let store = blocking::open_store(config()).unwrap();
    fill(&store);
    store.assoc_in(["map"], Value::Map(vec![("a".into(), 1.into())])).unwrap();
    let before = files(folder.path());
    rng.fails.store(true, Ordering::Relaxed);
    for (what, write) in WRITES {
        assert_eq!(write(&store).unwrap_err().kind(), ErrorKind::Backend, "{what}");
        assert_eq!(files(folder.path()), before, "{what}");
    }
    // What needs no chance goes on.
    assert_eq!(store.get::<String>("value").unwrap().as_deref(), Some("plain"));
    assert!(store.verify(|_| {}).unwrap().corrupt.is_empty());
    assert!(store.dissoc("value").unwrap());
    store.sweep(Sweep::before(0)).unwrap();
    store.close().unwrap();
    let store = blocking::open_store(config()).unwrap();
    assert_eq!(store.list_keys(Query::default()).unwrap().count(), 4);
    rng.fails.store(false, Ordering::Relaxed);
    for (what, write) in WRITES.iter().filter(|(what, _)| *what != "change_key") {
        write(&store).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
}

const WRITERS: usize = 4;
const KEYS: usize = 500;
const ROUNDS: usize = 50;

/// Writes each of some keys again and again, and reads the salt of each write out of its blob.
fn salts(writer: usize) -> HashSet<[u8; 32]> {
    let place = MemoryPlace::named(format!("salts {writer}"));
    let config = Config::memory_named(format!("salts {writer}")).encryptor(Encryptor::aes_blake3(CANARY));
    let store = blocking::open_store(config).unwrap();
    let backing = wait(place.open(false)).unwrap();
    let mut salts = HashSet::new();
    for _ in 0..ROUNDS {
        store.multi_assoc((0..KEYS as u64).map(|key| (key, 0))).unwrap();
        let (mut names, mut heads) = (Vec::new(), backing.heads());
        while let Some(page) = wait(heads.next()).unwrap() {
            names.extend(page.into_iter().map(|(name, _)| name));
        }
        for blob in wait(backing.read(names, Part::Head)).unwrap() {
            salts.insert(blob.unwrap().head[28..60].try_into().unwrap());
        }
    }
    salts
}

#[test]
fn writes_at_once_repeat_no_salt() {
    let all = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || salts(writer))).collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<HashSet<_>>()
    });
    assert_eq!(all.len(), WRITERS * KEYS * ROUNDS);
    println!("{} salts", all.len());
}
