//! The `konserve` program, run as its users run it, over real folders.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "in a test, that is a failure")]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Output, Stdio},
};

mod manifest;

use konserve::{
    BlobName, Config, Value,
    backing::{Access, FilePlace, StdFs},
    blocking, edn,
};
use serde_json::json;
use tempfile::TempDir;

/// A folder for a store, which does not exist yet.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> String {
        self.0.path().join("store").to_str().unwrap().to_owned()
    }

    /// With a store, which holds this under `users`.
    fn with_users() -> Self {
        let place = Self::new();
        let users = r#"[{"name":"Ada","tags":{"0":"first"}},{"name":"Bob"}]"#;
        place.run("put --create", &["users", users]).is(0);
        place
    }

    /// Runs `konserve WORDS FOLDER REST`.
    fn run(&self, words: &str, rest: &[&str]) -> Ran {
        self.run_with(words, rest, "")
    }

    fn run_with(&self, words: &str, rest: &[&str], stdin: &str) -> Ran {
        let mut command = konserve();
        command.args(words.split(' ')).arg(self.folder()).args(rest).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        Ran::from(child.wait_with_output().unwrap())
    }

    /// Names and contents of all files in the folder.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let files = fs::read_dir(self.folder()).unwrap().map(Result::unwrap);
        let file = |file: fs::DirEntry| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap());
        files.filter(|file| file.file_type().unwrap().is_file()).map(file).collect()
    }

    /// The blobs among them.
    fn blobs(&self) -> BTreeMap<String, Vec<u8>> {
        self.files().into_iter().filter(|(file, _)| BlobName::from_file_name(file).is_some()).collect()
    }

    fn open(&self, access: Access) -> blocking::Store {
        let place = FilePlace::new(std::sync::Arc::new(StdFs), self.folder()).access(access);
        blocking::connect_store(Config::at(place)).unwrap()
    }
}

fn konserve() -> Command {
    Command::new(env!("CARGO_BIN_EXE_konserve"))
}

/// What a run of the program left.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    /// Must have ended with this code, and said something on stderr if and only if it is not 0. Gives its output.
    #[track_caller]
    fn is(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.err.is_empty(), code == 0, "{self:?}");
        self.out
    }

    /// Must have failed with this code and a message that contains these words.
    #[track_caller]
    fn fails(self, code: i32, words: &[&str]) {
        assert!(words.iter().all(|word| self.err.contains(word)), "{self:?}");
        self.is(code);
    }
}

/// What a manifest says of a blob, as EDN.
struct Told {
    file: String,
    kind: String,
    key: Option<String>,
    value: String,
    meta: String,
}

/// A copy of a store that konserve wrote, its manifest, and the words that open it; `None` where these are not at hand.
fn konserves(name: &str) -> Option<(Place, Vec<Told>, Vec<&'static str>)> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/konserve").join(name);
    let Ok(manifest) = fs::read(from.join("manifest.json")) else {
        eprintln!("skipped: {} is not there; it holds what Clojure konserve wrote", from.display());
        return None;
    };
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let text = |entry: &serde_json::Value, field| entry[field].as_str().map(str::to_owned);
    let told = |entry| {
        let (file, kind) = (text(entry, "file")?, text(entry, "kind")?);
        Some(Told { file, kind, key: text(entry, "key"), value: text(entry, "value")?, meta: text(entry, "meta")? })
    };
    let entries = manifest["entries"].as_array().unwrap().iter().filter_map(told).collect();
    let place = Place::new();
    fs::create_dir(place.folder()).unwrap();
    for file in fs::read_dir(from.join("store")).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), Path::new(&place.folder()).join(file.file_name())).unwrap();
    }
    let bytes = "#bytes \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"";
    let key = match name {
        "aeskeys-bytes" => vec!["--key-edn", bytes],
        name if name.ends_with("-aes") => vec!["--key-edn", "\"s3cr3t\""],
        _ => Vec::new(),
    };
    Some((place, entries, key))
}

/// The text of a manifest as a dump prints it. What no EDN reader takes, such as keywords with spaces, stays as it is.
fn as_dumped(store: &str, text: &str) -> String {
    if edn::read(text).is_ok() { edn::dump(&manifest::read(text, serializer(store))) } else { text.to_owned() }
}

/// What a store was written with, by its name.
fn serializer(store: &str) -> manifest::Serializer {
    if store.starts_with("fressian") { manifest::Serializer::Fressian } else { manifest::Serializer::Boring }
}

/// All stores that konserve wrote.
const KONSERVES: [&str; 12] = [
    "aeskeys-bytes",
    "boring-archival",
    "boring-keys",
    "boring-lz4-none",
    "boring-none-aes",
    "boring-none-none",
    "boring-zstd-aes",
    "boring-zstd-none",
    "fressian-lz4-none",
    "fressian-none-aes",
    "fressian-none-none",
    "inplace-boring",
];

/// The lines of a dump without file names and ids, sorted.
fn told(dump: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut parts = line.split_once('\t').unwrap().1.split("#uuid \"");
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |line, part| line + "#uuid " + part.split_once('"').unwrap().1)
    };
    let mut lines: Vec<_> = dump.lines().map(line).collect();
    lines.sort();
    lines
}

/// The one blob of a store with a single key.
fn blob(place: &Place) -> String {
    let name = place.files().into_keys().find(|name| Path::new(name).extension().is_some_and(|ending| ending == "ksv"));
    format!("{}/{}", place.folder(), name.unwrap())
}

#[test]
fn what_is_put_is_got() {
    let place = Place::new();
    assert_eq!(place.run("put --create", &["greeting", r#"{"text": "hé\n", "n": 12345678901234567890}"#]).is(0), "");
    assert_eq!(place.run("get", &["greeting"]).is(0), "{\"text\" \"hé\\n\", \"n\" 12345678901234567890}\n");
    assert_eq!(place.run("get --json", &["greeting"]).is(0), "{\"text\":\"hé\\n\",\"n\":12345678901234567890}\n");
    assert_eq!(place.run("put --json", &["greeting", "null"]).is(0), "{\"written\":true}\n");
    assert_eq!(place.run("get", &["greeting"]).is(0), "nil\n", "a stored null is a value");
}

#[test]
fn edn_is_the_same_value_both_ways() {
    let place = Place::new();
    let everything =
        r#"[nil #js/undefined nil 1 1N 1.0 ##NaN 1/3 1.50M "a" \a :a/b c #{1} {:k [2]} #inst "2024" #bytes "00ff"]"#;
    place.run("put --edn --create", &[":a/b", everything]).is(0);
    let printed = place.run("get --edn", &[":a/b"]).is(0);
    assert_eq!(edn::read(&printed).unwrap(), edn::read(everything).unwrap());
    place.run_with("put --edn", &[":again", "-"], &printed).is(0);
    assert_eq!(place.run("get --edn", &[":again"]).is(0), printed);
    assert_eq!(place.run("get --edn", &[":a/b", "13", ":k", "0"]).is(0), "2\n");
    let json = place.run("get --json --edn", &[":a/b"]).is(0);
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
    assert!(json.contains(r#"{"$bytes":"00ff"}"#), "{json}");
}

#[test]
fn values_come_from_standard_input_too() {
    let place = Place::new();
    place.run_with("put --create", &["big", "-"], &format!("[{}\n]\n", vec!["1"; 100_000].join(", "))).is(0);
    assert_eq!(place.run("get", &["big", "99999"]).is(0), "1\n");
}

#[test]
fn digits_are_an_index_in_an_array_and_text_in_a_map() {
    let place = Place::with_users();
    assert_eq!(place.run("get", &["users", "0", "tags", "0"]).is(0), "\"first\"\n");
    place.run("put", &["users", "2", "name", "\"Cid\""]).is(0);
    place.run("put", &["users", "1", "born", "-1815"]).is(0);
    place.run("put", &["users", "1", "tags", "7", "true"]).is(0);
    assert_eq!(place.run("get", &["users", "2"]).is(0), "{\"name\" \"Cid\"}\n");
    assert_eq!(place.run("get --json", &["users", "1", "born"]).is(0), "-1815\n");
    assert_eq!(place.run("get", &["users", "1", "tags"]).is(0), "{\"7\" true}\n");
    place.run("put", &["users", "9", "name", "1"]).fails(2, &["INVALID_PATH", "\"users\""]);
    place.run("put", &["users", "name", "1"]).fails(2, &["INVALID_PATH"]);
}

#[test]
fn rm_removes_keys_and_parts_and_says_whether_they_were_there() {
    let place = Place::with_users();
    place.run("rm", &["users", "0", "tags"]).is(0);
    assert_eq!(place.run("get --json", &["users"]).is(0), "[{\"name\":\"Ada\"},{\"name\":\"Bob\"}]\n");
    place.run("rm", &["users", "0", "tags"]).fails(1, &["nothing at users 0 tags"]);
    assert_eq!(place.run("rm --json", &["users"]).is(0), "{\"removed\":true}\n");
    assert_eq!(place.run("rm --json", &["users"]).is(1), "{\"removed\":false}\n");
    assert_eq!(place.run("ls", &[]).is(0), "");
}

#[test]
fn what_is_not_there_is_exit_code_1() {
    let place = Place::with_users();
    for path in [&["nobody"][..], &["users", "5"], &["users", "0", "age"], &["users", "0", "name", "x"]] {
        place.run("get", path).fails(1, &["konserve: there is nothing at", "konserve ls"]);
    }
    place.run("info", &["nobody"]).fails(1, &["nobody"]);
    assert_eq!(place.run("get --edn", &["\"users\"", "0", "\"name\""]).is(0), "\"Ada\"\n");
}

#[test]
fn ls_lists_keys_with_what_is_asked_for() {
    let place = Place::new();
    for key in ["b", "ab", "a b"] {
        place.run("put --create", &[key, "1"]).is(0);
    }
    place.run("put --edn", &["[:k 1]", "1"]).is(0);
    let sorted = |text: String| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(place.run("ls", &[]).is(0)), ["\"a b\"", "\"ab\"", "\"b\"", "[:k 1]"]);
    assert_eq!(sorted(place.run("ls --prefix a", &[]).is(0)), ["\"a b\"", "\"ab\""]);
    let long = place.run("ls -l", &[]).is(0);
    let columns: Vec<&str> = long.lines().find(|line| line.ends_with("\"a b\"")).unwrap().split('\t').collect();
    assert_eq!((columns[0], columns[1], columns[3]), ("edn", "1", "\"a b\""));
    assert!(matches!(edn::read(columns[2]), Ok(Value::Date(_))), "{long}");
    let json = place.run("ls --json", &[]).is(0);
    let lines: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let one = lines.iter().find(|line| line["key"] == json!("a b")).unwrap();
    assert_eq!((&one["type"], &one["size"]), (&json!("edn"), &json!(1)));
    assert!(one["lastWrite"]["$date"].is_string());
}

#[test]
fn info_describes_the_store_and_a_key() {
    let place = Place::with_users();
    let info: serde_json::Value = serde_json::from_str(&place.run("info --json", &[]).is(0)).unwrap();
    assert_eq!((&info["keys"], &info["layout"], &info["logs"]), (&json!(1), &json!("sealed"), &json!(0)));
    assert!(place.run("info", &[]).is(0).contains("keys\t1\n"));
    let id = place.open(Access::Read).inner().id().to_string();
    assert_eq!(info["id"]["$uuid"], json!(id));
    let meta = edn::read(&place.run("info", &["users"]).is(0)).unwrap();
    assert!(meta.to_string().contains(":type :edn"), "{meta}");
    let meta: serde_json::Value = serde_json::from_str(&place.run("info --json --edn", &["\"users\""]).is(0)).unwrap();
    assert_eq!(meta["key"], json!("users"));
}

#[test]
fn dump_prints_one_line_for_each_entry() {
    let place = Place::with_users();
    place.run("put --edn", &["\"tab\tkey\"", "{:b \"line\nline\", :a 1.0}"]).is(0);
    let dump = place.run("dump --edn", &[]).is(0);
    assert_eq!(place.run("dump", &[]).is(0), dump);
    let lines: Vec<Vec<&str>> = dump.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 2);
    for [file, kind, key, value, meta] in lines.iter().map(|line| <[&str; 5]>::try_from(line.as_slice()).unwrap()) {
        assert!(place.files().contains_key(file), "{file}");
        assert_eq!(kind, "edn");
        assert!(meta.starts_with(&format!("{{:key {key}, :last-write #inst \"")), "sorted: {meta}");
        assert!(meta.ends_with(", :type :edn}"), "as konserve has it: {meta}");
        match key {
            "\"users\"" => assert_eq!(value, r#"[{"name" "Ada", "tags" {"0" "first"}} {"name" "Bob"}]"#),
            key => assert_eq!((key, value), (r#""tab\tkey""#, r#"{:a 1.0, :b "line\nline"}"#)),
        }
    }
    for line in place.run("dump --json", &[]).is(0).lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(entry["key"], entry["meta"]["key"]);
    }
    place.run("dump --json --edn", &[]).is(2);
}

#[test]
fn a_folder_without_a_blob_is_dumped_as_an_empty_store_of_clojures() {
    let place = Place::new();
    let missing = place.run("dump", &[]);
    assert!(missing.err.contains("STORE_NOT_FOUND"), "{missing:?}");
    missing.is(3);
    fs::create_dir(place.folder()).unwrap();
    assert_eq!(place.run("dump --edn", &[]).is(0), "");
    let ghost = "31476ea9-6c51-5513-86f8-e3405d44c43d.ksv";
    fs::write(format!("{}/{ghost}", place.folder()), "").unwrap();
    let ran = place.run("dump --edn", &[]);
    assert!(ran.err.contains(&format!("{ghost}: CORRUPT: ")), "{ran:?}");
    assert_eq!(ran.is(3), "");
    assert_eq!(place.files().len(), 1, "nothing is made there");
}

#[test]
fn a_binary_is_printed_and_dumped_as_its_bytes() {
    let place = Place::with_users();
    let store = place.open(Access::Exclusive);
    store.bassoc("photo", vec![1, 2, 255]).unwrap();
    store.close().unwrap();
    assert_eq!(place.run("get", &["photo"]).is(0), "#bytes \"0102ff\"\n");
    let dump = place.run("dump", &[]).is(0);
    assert!(dump.contains("\tbinary\t\"photo\"\t#bytes \"0102ff\"\t"), "{dump}");
}

#[test]
fn verify_finds_a_damaged_blob_and_the_rest_is_still_listed() {
    let place = Place::with_users();
    assert_eq!(place.run("verify", &[]).is(0), "1 checked, 0 damaged\n");
    let damaged = blob(&place);
    place.run("put", &["well", "1"]).is(0);
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[30] ^= 1;
    fs::write(&damaged, &bytes).unwrap();
    let file = damaged.rsplit('/').next().unwrap();
    let ran = place.run("verify", &[]);
    assert!(ran.err.contains("1 of 2 are damaged"), "{ran:?}");
    let report = ran.is(1);
    assert!(
        report.starts_with(&format!("{file}\tCORRUPT\t")) && report.ends_with("\n2 checked, 1 damaged\n"),
        "{report}"
    );
    let report: serde_json::Value = serde_json::from_str(&place.run("verify --json", &[]).is(1)).unwrap();
    assert_eq!((&report["checked"], &report["corrupt"][0]["file"]), (&json!(2), &json!(file)));
    assert_eq!(place.run("ls", &[]).is(3), "\"well\"\n");
    assert!(place.run("dump", &[]).is(3).contains("\t\"well\"\t"));
    place.run("get", &["users"]).fails(3, &["CORRUPT", "\"users\""]);
    place.run("put", &["users", "0", "name", "1"]).fails(3, &["CORRUPT"]);
    assert_eq!(fs::read(&damaged).unwrap(), bytes, "nothing mends or changes it in silence");
    place.run("rm", &["users"]).is(0);
    assert_eq!(place.run("verify", &[]).is(0), "1 checked, 0 damaged\n");
}

#[test]
fn a_blob_cut_short_is_damage_at_every_length() {
    let place = Place::with_users();
    let (blob, whole) = (blob(&place), fs::read(blob(&place)).unwrap());
    for len in [0, 1, 19, 20, 60, whole.len() - 1] {
        fs::write(&blob, &whole[..len]).unwrap();
        place.run("get", &["users"]).fails(3, &["CORRUPT"]);
        place.run("verify", &[]).is(1);
    }
}

#[test]
fn a_store_that_another_has_open_is_read_and_not_written() {
    let place = Place::with_users();
    let owner = place.open(Access::Exclusive);
    let pid = format!("process {}", std::process::id());
    place.run("put", &["users", "0", "1"]).fails(3, &["STORE_LOCKED", &pid]);
    place.run("put --shared", &["users", "0", "1"]).fails(3, &["STORE_LOCKED"]);
    place.run("rm", &["users"]).fails(3, &["STORE_LOCKED"]);
    assert_eq!(place.run("get", &["users", "0", "name"]).is(0), "\"Ada\"\n");
    assert_eq!(place.run("verify", &[]).is(0), "1 checked, 0 damaged\n");
    owner.close().unwrap();
    place.run("put", &["users", "0", "1"]).is(0);
}

#[test]
fn with_shared_access_it_writes_beside_others() {
    let place = Place::with_users();
    let other = place.open(Access::Shared);
    place.run("put", &["n", "1"]).fails(3, &["STORE_LOCKED"]);
    place.run("put --shared", &["n", "1"]).is(0);
    assert_eq!(other.get::<i64>("n").unwrap(), Some(1));
    place.run("rm --shared", &["n"]).is(0);
    assert_eq!(other.get::<i64>("n").unwrap(), None);
    other.close().unwrap();
}

#[test]
fn foreign_files_are_left_alone() {
    let place = Place::with_users();
    for foreign in ["README.txt", "notes.ksv", "31476EA9-6C51-8513-86F8-E3405D44C43D.ksv", ".hidden"] {
        fs::write(format!("{}/{foreign}", place.folder()), "foreign").unwrap();
    }
    fs::create_dir(format!("{}/folder.ksv", place.folder())).unwrap();
    assert_eq!(place.run("ls", &[]).is(0), "\"users\"\n");
    assert_eq!(place.run("verify", &[]).is(0), "1 checked, 0 damaged\n");
    place.run("put", &["n", "1"]).is(0);
    place.run("rm", &["n"]).is(0);
    assert_eq!(place.files().values().filter(|content| *content == b"foreign").count(), 4);
}

#[test]
fn reading_changes_no_file() {
    let place = Place::with_users();
    let before = place.files();
    for words in ["ls", "get", "info", "verify", "dump"] {
        let key: &[&str] = if words == "get" { &["users"] } else { &[] };
        place.run(words, key).is(0);
    }
    assert_eq!(place.files(), before);
}

#[test]
fn where_no_store_is_none_is_made_unless_asked_for() {
    let place = Place::new();
    for words in ["ls", "info", "verify", "dump"] {
        place.run(words, &[]).fails(3, &["STORE_NOT_FOUND", "konserve put --create"]);
    }
    place.run("get", &["a"]).fails(3, &["STORE_NOT_FOUND"]);
    place.run("put", &["a", "1"]).fails(3, &["STORE_NOT_FOUND"]);
    place.run("put --create", &["a", "hello"]).fails(2, &["JSON, line 1, column 1", "--edn"]);
    assert!(!Path::new(&place.folder()).exists());
    fs::write(place.folder(), "a file").unwrap();
    place.run("ls", &[]).fails(2, &["INVALID_CONFIG", "not a folder"]);
    assert_eq!(fs::read_to_string(place.folder()).unwrap(), "a file");
}

#[test]
fn what_is_exported_is_imported() {
    let (place, other) = (Place::with_users(), Place::new());
    place.run("put", &["n", "1"]).is(0);
    let file = place.0.path().join("export");
    let file = file.to_str().unwrap();
    assert_eq!(place.run("export", &[file]).is(0), "2 exported\n");
    assert!(fs::read(file).unwrap().starts_with(b"konserve-export1"));
    other.run("import", &[file]).fails(3, &["STORE_NOT_FOUND"]);
    assert_eq!(other.run("import --create", &[file]).is(0), "2 imported, 0 skipped\n");
    assert_eq!(other.run("get", &["users", "1", "name"]).is(0), "\"Bob\"\n");
    assert_eq!(other.run("import --json", &[file]).is(0), "{\"imported\":0,\"skipped\":2}\n");
    other.run("put", &["n", "2"]).is(0);
    other.run("import", &[file]).fails(3, &["CONFLICT", "(key \"n\")", "entries were put"]);
    assert_eq!(other.run("import --existing keep", &[file]).is(0), "0 imported, 2 skipped\n");
    assert_eq!(other.run("get", &["n"]).is(0), "2\n");
    assert_eq!(other.run("import --existing replace", &[file]).is(0), "2 imported, 0 skipped\n");
    assert_eq!(other.run("get", &["n"]).is(0), "1\n");
}

#[test]
fn an_export_goes_through_a_pipe() {
    let (place, other) = (Place::with_users(), Place::new());
    let mut export = konserve().args(["export", &place.folder()]).stdout(Stdio::piped()).spawn().unwrap();
    let mut import = konserve();
    import.args(["import", "--create", &other.folder(), "-"]).stdin(export.stdout.take().unwrap());
    assert_eq!(Ran::from(import.output().unwrap()).is(0), "1 imported, 0 skipped\n");
    assert!(export.wait().unwrap().success());
}

#[test]
fn an_export_overwrites_nothing_and_leaves_no_half() {
    let place = Place::with_users();
    let file = place.0.path().join("export");
    fs::write(&file, "mine").unwrap();
    place.run("export", &[file.to_str().unwrap()]).fails(2, &["making", "exists"]);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    fs::remove_file(&file).unwrap();
    let mut bytes = fs::read(blob(&place)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(blob(&place), bytes).unwrap();
    place.run("export", &[file.to_str().unwrap()]).fails(3, &["CORRUPT", "is damaged"]);
    assert!(!file.exists());
}

#[test]
fn an_import_of_what_is_damaged_says_where_and_what_is_there_then() {
    let (place, other) = (Place::with_users(), Place::new());
    place.run("put", &["n", "1"]).is(0);
    let file = place.0.path().join("export");
    place.run("export", &[file.to_str().unwrap()]).is(0);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 70]).unwrap();
    let words = ["CORRUPT", "cut short", "entry 2 (blob", "1 entries were put"];
    other.run("import --create", &[file.to_str().unwrap()]).fails(3, &words);
    assert_eq!(other.run("ls", &[]).is(0).lines().count(), 1);
    other.run("import", &["no such file"]).fails(2, &["opening no such file"]);
    other.run_with("import", &[], "no export, surely not").fails(3, &["CORRUPT", "no export"]);
}

#[test]
fn verify_repairs_what_is_damaged_and_touches_nothing_else() {
    let place = Place::with_users();
    let file = blob(&place);
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, &bytes).unwrap();
    place.run("put", &["n", "1"]).is(0);
    place.run("verify", &[]).fails(1, &["1 of 2 are damaged", "--repair"]);
    let ran = place.run("verify --repair", &[]);
    assert!(ran.out.contains(".ksv.damaged.new\tCORRUPT\t"), "{ran:?}");
    ran.fails(1, &["1 of 2 are damaged", "renamed"]);
    assert_eq!(fs::read(format!("{file}.damaged.new")).unwrap(), bytes);
    assert!(!Path::new(&file).exists());
    assert_eq!(place.run("verify", &[]).is(0), "1 checked, 0 damaged\n");
    assert_eq!(place.run("verify --repair --json", &[]).is(0), "{\"checked\":1,\"corrupt\":[],\"orphans\":[]}\n");
    assert_eq!(place.run("get", &["n"]).is(0), "1\n");
    let _held = place.open(Access::Exclusive);
    place.run("verify --repair", &[]).fails(3, &["STORE_LOCKED"]);
    place.run("verify", &[]).is(0);
}

#[test]
fn verify_tells_elements_of_logs_that_are_gone() {
    let place = Place::new();
    place.run("put --create", &["n", "1"]).is(0);
    let store = place.open(Access::Exclusive);
    store.append("log", "first").unwrap();
    store.append("log", "second").unwrap();
    store.close().unwrap();
    let dump = place.run("dump", &[]).is(0);
    let head = dump.lines().find(|line| line.contains("\"log\"")).and_then(|line| line.split('\t').next()).unwrap();
    assert_eq!(place.run("verify", &[]).is(0), "4 checked, 0 damaged\n");
    fs::remove_file(format!("{}/{head}", place.folder())).unwrap();
    let report = place.run("verify", &[]).is(0);
    assert_eq!(report.lines().filter(|line| line.contains(".ksv\torphan\t")).count(), 2, "{report}");
    assert!(report.ends_with("\n3 checked, 0 damaged, 2 orphans\n"), "{report}");
    let report: serde_json::Value = serde_json::from_str(&place.run("verify --json", &[]).is(0)).unwrap();
    let orphans = report["orphans"].as_array().unwrap();
    let there = |file: &serde_json::Value| Path::new(&place.folder()).join(file.as_str().unwrap()).exists();
    assert!(orphans.len() == 2 && orphans.iter().all(there), "{report}");
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let place = Place::with_users();
    let before = place.files();
    place.run("put", &["users"]).fails(2, &["required", "--help"]);
    place.run("get", &[]).fails(2, &["required"]);
    place.run("frob", &[]).fails(2, &["frob"]);
    place.run("get --edn", &["[1"]).fails(2, &["the key: EDN, line 1, column 1: this is not closed"]);
    place.run("get --edn", &["1", "]"]).fails(2, &["a step: EDN"]);
    place.run("put --edn", &["1", "{:a}"]).fails(2, &["the value: EDN"]);
    place.run("put", &["a", "{\"b\": 1, \"b\": 2}"]).fails(2, &["twice"]);
    place.run("put --edn", &["#js/undefined nil", "1"]).fails(2, &["INVALID_KEY"]);
    place.run("put", &[&"k".repeat(70_000), "1"]).fails(2, &["INVALID_KEY"]);
    assert_eq!(place.files(), before);
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let place = Place::new();
    place.run_with("put --create", &["big", "-"], &format!("\"{}\"", "x".repeat(1 << 20))).is(0);
    let mut command = konserve();
    command.args(["dump", &place.folder()]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut start = Vec::new();
    BufReader::with_capacity(64, child.stdout.take().unwrap()).read_until(b'\t', &mut start).unwrap();
    assert!(start.ends_with(b".ksv\t"));
    Ran::from(child.wait_with_output().unwrap()).is(0);
}

#[test]
fn the_help_says_how_keys_are_given_and_what_the_exit_codes_mean() {
    let help = Ran::from(konserve().arg("--help").output().unwrap()).is(0);
    for word in [
        "ls",
        "get",
        "put",
        "rm",
        "info",
        "verify",
        "export",
        "import",
        "convert",
        "dump",
        "--json",
        "--key-edn",
        "--key-file",
        "rekey",
        "Exit codes:",
        "Keys and steps:",
        "$date",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    for command in ["ls", "get", "put", "rm", "info", "verify", "export", "import", "dump"] {
        assert!(Ran::from(konserve().args([command, "--help"]).output().unwrap()).is(0).contains("<FOLDER>"));
    }
}

#[test]
fn a_dump_of_what_konserve_wrote_is_what_its_manifest_says() {
    for name in KONSERVES {
        let Some((place, entries, key)) = konserves(name) else { return };
        let before = place.files();
        let ran = place.run("dump --edn", &key);
        let ghosts = place.blobs().into_iter().filter(|(_, bytes)| bytes.is_empty());
        let ghosts: Vec<_> = ghosts.map(|(file, _)| file).collect();
        for ghost in &ghosts {
            assert!(ran.err.contains(&format!("{ghost}: CORRUPT: ")), "{name}: {}", ran.err);
        }
        let dump = ran.is(if ghosts.is_empty() { 0 } else { 3 });
        assert!(dump.lines().is_sorted(), "{name}: by file name");
        assert_eq!(dump.lines().count(), entries.len(), "{name}");
        for line in dump.lines() {
            let [file, kind, key, value, meta] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            let entry = entries.iter().find(|entry| entry.file == file).unwrap();
            assert_eq!(kind, entry.kind, "{name} {line}");
            assert_eq!(value, as_dumped(name, &entry.value), "{name} {line}");
            assert_eq!(meta, as_dumped(name, &entry.meta), "{name} {line}");
            // Its metadata says the key as konserve reads it: lists come back as vectors from CBOR.
            let of = edn::read(&entry.meta).is_ok().then(|| manifest::read(&entry.meta, serializer(name)));
            let of = of
                .as_ref()
                .and_then(|meta| meta.as_map()?.iter().find(|(name, _)| *name == Value::Keyword("key".into())));
            let expected = of.map_or_else(|| entry.key.clone().unwrap(), |(_, key)| edn::dump(key));
            assert_eq!(key, expected, "{name} {line}");
        }
        assert_eq!(place.files(), before, "{name}: nothing is changed, no lock is left");
    }
}

#[test]
fn what_konserve_wrote_is_converted_and_back_without_loss() {
    for name in KONSERVES.into_iter().filter(|name| *name != "boring-keys") {
        let Some((place, entries, key)) = konserves(name) else { return };
        let (sealed, again) = (Place::new(), Place::new());
        let dump = place.run("dump", &key).out;
        let mut rest = vec![sealed.folder()];
        rest.extend(key.iter().map(|word| (*word).to_owned()));
        let ran = place.run("convert --layout sealed", &rest.iter().map(String::as_str).collect::<Vec<_>>());
        // The files that a failed write of konserve's left are told, and the rest is there.
        if name == "fressian-none-none" {
            ran.fails(3, &["CORRUPT", "so it is with 6 entries", "137 entries were put"]);
        } else {
            assert_eq!(ran.is(0), format!("{} converted\n", entries.len()));
        }
        assert_eq!(sealed.run("verify", &[]).is(0), format!("{} checked, 0 damaged\n", entries.len()));
        let words = match name.split('-').next() {
            Some("fressian") => "convert --layout konserve --serializer fressian --compressor lz4",
            _ => "convert --layout konserve --compressor zstd --to-key-edn :k --encryptor aes",
        };
        sealed.run(words, &[&again.folder()]).is(0);
        let encrypted: &[&str] = if words.contains("key") { &["--key-edn", ":k"] } else { &[] };
        assert_eq!(told(&again.run("dump", encrypted).is(0)), told(&dump), "{name}");
        assert_eq!(again.run("verify", encrypted).is(0), format!("{} checked, 0 damaged\n", entries.len()));
    }
}

#[test]
fn keys_that_the_other_layout_takes_for_one_are_told_when_the_rest_is_there() {
    let Some((place, entries, _)) = konserves("boring-keys") else { return };
    let to = Place::new();
    let rest = entries.len() - 3;
    place
        .run("convert --layout sealed", &[&to.folder()])
        .fails(2, &["INVALID_KEY", "with 3 entries", "(key 0)", "key 1:"]);
    assert_eq!(to.run("ls", &[]).is(0).lines().count(), rest);
    place.run("convert --layout sealed", &[&to.folder()]).fails(3, &["STORE_EXISTS"]);
}

#[test]
fn a_sealed_store_is_converted_and_back() {
    let (place, theirs, again) = (Place::with_users(), Place::new(), Place::new());
    let store = place.open(Access::Exclusive);
    for n in 0..300 {
        store.append("log", n).unwrap();
    }
    store.bassoc("photo", vec![1, 2, 255]).unwrap();
    store.close().unwrap();
    place.run("put --edn", &["[:a 1]", "#{1 2/3 #inst \"2024\"}"]).is(0);
    let key = "{:a [1 \"b\"]}";
    let to = [theirs.folder(), "--to-key-edn".into(), key.into()];
    assert_eq!(
        place.run("convert --json --layout konserve", &to.each_ref().map(String::as_str)).is(0),
        "{\"converted\":304}\n"
    );
    assert!(theirs.blobs().values().all(|bytes| bytes[0] == 1));
    theirs.run("ls", &[]).fails(3, &["WRONG_KEY"]);
    theirs.run("ls", &["--key-edn", "{:a"]).fails(2, &["--key-edn: EDN"]);
    assert_eq!(theirs.run("ls", &["--key-edn", key]).is(0).lines().count(), 4);
    assert_eq!(theirs.run("get --edn", &["[:a 1]", "--key-edn", key]).is(0), place.run("get --edn", &["[:a 1]"]).is(0));
    assert!(theirs.run("info", &["--key-edn", key]).is(0).starts_with("layout\t\"konserve\"\nkeys\t4\n"));
    let back = [again.folder(), "--key-edn".into(), key.into()];
    theirs.run("convert --layout sealed", &back.each_ref().map(String::as_str)).is(0);
    let dumped = |place: &Place| {
        let dump = place.run("dump", &[]).is(0);
        let lines = dump.lines().filter(|line| !line.contains("\tlog-")).map(str::to_owned);
        lines.collect::<Vec<_>>()
    };
    assert_eq!(dumped(&again), dumped(&place));
    let log: Vec<i64> = again.open(Access::Read).log("log").unwrap();
    assert!(log.into_iter().eq(0..300));
    place.run("convert --layout sealed --to-key-edn :k", &[&Place::new().folder()]).fails(2, &["INVALID_CONFIG"]);
    place.run("convert", &[&Place::new().folder()]).fails(2, &["--layout"]);
}

#[test]
fn a_store_of_konserves_is_written_with_its_key() {
    let Some((place, _, key)) = konserves("fressian-none-aes") else { return };
    let words = |words: &[&'static str]| [words, &key].concat();
    let before = place.files();
    place.run("put --edn", &words(&[":new", "{:a [1 2]}"])).is(0);
    assert_eq!(place.run("get --edn", &words(&[":new", ":a", "1"])).is(0), "2\n");
    let new = place.blobs().into_iter().find(|(file, _)| !before.contains_key(file)).unwrap();
    assert_eq!(new.1[..4], [1, 1, 0, 1], "as the others: Fressian, encrypted");
    place.run("rm --edn", &words(&[":new"])).is(0);
    place.run("get --edn", &[":new", "--key-edn", "\"other\""]).fails(3, &["WRONG_KEY"]);
}

#[test]
fn verify_reads_and_repairs_stores_of_konserves() {
    let Some((place, entries, _)) = konserves("fressian-none-none") else { return };
    let ghosts: Vec<_> = place.blobs().into_iter().filter(|(_, bytes)| bytes.is_empty()).collect();
    let ran = place.run("verify", &[]);
    assert!(ghosts.iter().all(|(file, _)| ran.out.contains(&format!("{file}\tCORRUPT\t"))), "{ran:?}");
    ran.fails(1, &["6 of 143 are damaged"]);
    place.run("verify --repair", &[]).fails(1, &["renamed"]);
    assert_eq!(place.run("verify", &[]).is(0), "137 checked, 0 damaged\n");
    let value = entries.iter().find(|entry| entry.key.as_deref() == Some(":str/hello")).unwrap();
    let file = format!("{}/{}", place.folder(), value.file);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 2]).unwrap();
    assert!(place.run("verify", &[]).is(1).contains(&format!("{}\tCORRUPT\t", value.file)));
    fs::write(&file, whole).unwrap();
    let log = entries.iter().find(|entry| entry.kind == "log-head" && entry.key.as_deref() == Some(":log")).unwrap();
    fs::remove_file(format!("{}/{}", place.folder(), log.file)).unwrap();
    let report = place.run("verify", &[]).is(0);
    assert_eq!(report.lines().filter(|line| line.contains("\torphan\t")).count(), 3, "{report}");
}

#[test]
fn a_store_of_konserves_is_exported_and_imported_into_its_layout() {
    let Some((place, entries, key)) = konserves("boring-zstd-aes") else { return };
    let (other, sealed, file) = (Place::new(), Place::new(), place.0.path().join("export"));
    let words = [&[file.to_str().unwrap()], key.as_slice()].concat();
    assert_eq!(place.run("export", &words).is(0), format!("{} exported\n", entries.len()));
    let imported = format!("{} imported, 0 skipped\n", entries.len());
    assert_eq!(other.run("import --create --layout konserve", &words).is(0), imported);
    assert_eq!(other.blobs(), place.blobs());
    sealed.run("import --create", &[file.to_str().unwrap()]).fails(3, &["UNSUPPORTED", "konserve convert"]);
    other.run("import", &[file.to_str().unwrap()]).fails(3, &["WRONG_KEY"]);
}

/// A file beside the store.
fn beside(place: &Place, name: &str, content: impl AsRef<[u8]>) -> String {
    let file = place.0.path().join(name);
    fs::write(&file, content).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn an_encrypted_store_opens_with_a_key_in_a_file() {
    let place = Place::new();
    let raw = beside(&place, "raw", [7; 32]);
    let hex = beside(&place, "hex", format!("{}\n", "07".repeat(32)));
    let words = beside(&place, "words", "correct horse\nbattery\n");
    place.run("put --create", &["name", "\"Ada\"", "--key-file", &raw]).is(0);
    for (option, file) in [("--key-file", &raw), ("--key-file", &hex)] {
        assert_eq!(place.run("get", &["name", option, file]).is(0), "\"Ada\"\n");
    }
    assert!(place.blobs().values().all(|blob| blob[3] == 128), "encrypted");
    place.run("ls", &[]).fails(3, &["WRONG_KEY"]);
    place.run("ls", &["--passphrase-file", &words]).fails(3, &["WRONG_KEY"]);
    place.run("ls", &["--key-file", &words]).fails(2, &["64 hexadecimal digits"]);
    place.run("ls", &["--key-file", &format!("{raw}-none")]).fails(2, &["cannot be used"]);
    place.run("ls", &["--passphrase-file", &beside(&place, "empty", "\n")]).fails(2, &["no passphrase"]);
    place.run("ls", &["--key-file", &raw, "--passphrase-file", &words]).fails(2, &["--passphrase-file"]);
    assert_eq!(place.run("verify", &["--key-file", &raw]).is(0), "1 checked, 0 damaged\n");
    let plain = Place::with_users();
    plain.run("ls", &["--key-file", &raw]).fails(3, &["AUTHENTICATION"]);
}

#[test]
fn keys_are_added_removed_and_changed() {
    let place = Place::new();
    let raw = beside(&place, "raw", [7; 32]);
    let other = beside(&place, "other", [8; 32]);
    let words = beside(&place, "words", "correct horse");
    place.run("put --create", &["name", "\"Ada\"", "--key-file", &raw]).is(0);
    place.run("add-key", &["--key-file", &raw]).fails(2, &["--to-key-file"]);
    place.run("add-key", &["--key-file", &raw, "--to-passphrase-file", &words]).is(0);
    let blobs = place.blobs();
    place.run("remove-key", &["--key-file", &raw]).is(0);
    assert_eq!(place.blobs(), blobs, "no value was written");
    place.run("ls", &["--key-file", &raw]).fails(3, &["WRONG_KEY"]);
    place.run("remove-key", &["--passphrase-file", &words]).fails(2, &["INVALID_CONFIG"]);
    let anew = place.run("rekey", &["--passphrase-file", &words, "--to-key-file", &other]).is(0);
    assert_eq!(anew, "1 written anew\n");
    place.run("ls", &["--passphrase-file", &words]).fails(3, &["WRONG_KEY"]);
    assert_ne!(place.blobs(), blobs);
    assert_eq!(place.run("rekey", &["--key-file", &other]).is(0), "1 written anew\n");
    assert_eq!(place.run("get", &["name", "--key-file", &other]).is(0), "\"Ada\"\n");
}

#[test]
fn a_rekey_that_did_not_end_is_told_and_gone_on_with() {
    let place = Place::new();
    let raw = beside(&place, "raw", [7; 32]);
    let key = ["--key-file", raw.as_str()];
    place.run("put --create", &["name", "\"Ada\"", key[0], key[1]]).is(0);
    place.run("put", &["other", "\"Bob\"", key[0], key[1]]).is(0);
    let files = FilePlace::new(std::sync::Arc::new(StdFs), place.folder());
    let config = Config::at(files).encryptor(konserve::Encryptor::aes_blake3([7; 32]));
    let store = blocking::connect_store(config).unwrap();
    let blobs = place.blobs();
    let stop = |_| Err(konserve::Error::new(konserve::ErrorKind::Io, "stopped"));
    blocking::wait(store.inner().rekey(&[konserve::Secret::from([7; 32])], stop)).unwrap_err();
    store.close().unwrap();
    // As if it had been stopped before this one.
    let (name, blob) = blobs.first_key_value().unwrap();
    fs::write(Path::new(&place.folder()).join(name), blob).unwrap();
    let told = "2 checked, 0 damaged, 1 under an older key; konserve rekey writes them anew\n";
    assert_eq!(place.run("verify", &key).is(0), told);
    let json = place.run("verify --json", &key).is(0);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["older"], 1);
    assert_eq!(place.run("rekey", &key).is(0), "1 written anew\n");
    assert_eq!(place.run("verify", &key).is(0), "2 checked, 0 damaged\n");
}

#[test]
fn no_message_has_the_key_or_the_passphrase() {
    let place = Place::new();
    let words = beside(&place, "words", "grackle under oath\n");
    let hex = beside(&place, "hex", "5a".repeat(31) + "5");
    let sign = beside(&place, "sign", "+5".repeat(32));
    let passphrase = ["--passphrase-file", words.as_str()];
    place.run("put --create", &["name", "\"Ada\"", passphrase[0], passphrase[1]]).is(0);
    let runs = [
        place.run("get", &["none", passphrase[0], passphrase[1]]),
        place.run("put", &["name", "{", passphrase[0], passphrase[1]]),
        place.run("ls", &["--key-file", &words]),
        place.run("ls", &["--key-file", &hex]),
        place.run("ls", &["--key-file", &sign]),
        place.run("remove-key", &passphrase),
        place.run("add-key", &passphrase),
    ];
    for ran in runs {
        assert_ne!(ran.code, 0, "{ran:?}");
        let told = format!("{}{}", ran.out, ran.err).to_lowercase();
        assert!(["grackle", "oath", "5a5a", "+5+5", "90, 90"].iter().all(|secret| !told.contains(secret)), "{ran:?}");
    }
}

#[test]
fn encrypted_stores_are_converted_exported_and_dumped() {
    let place = Place::with_users();
    let (encrypted, again, imported) = (Place::new(), Place::new(), Place::new());
    let raw = beside(&place, "raw", [7; 32]);
    let key = ["--key-file", raw.as_str()];
    place.run("convert --layout sealed", &[&encrypted.folder(), "--to-key-file", &raw]).is(0);
    assert!(encrypted.blobs().values().all(|blob| blob[3] == 128));
    let dumped = |place: &Place, key: &[&str]| {
        let dump = place.run("dump", key).is(0);
        dump.lines().map(|line| line.split_once('\t').unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(dumped(&encrypted, &key), dumped(&place, &[]), "but for the names");
    encrypted.run("convert --layout sealed", &[&again.folder(), "--key-file", &raw]).is(0);
    assert_eq!(again.blobs().keys().collect::<Vec<_>>(), place.blobs().keys().collect::<Vec<_>>());
    let file = place.0.path().join("exported");
    let file = file.to_str().unwrap();
    encrypted.run("export", &[file, "--key-file", &raw]).is(0);
    imported.run("import --create", &[file, "--key-file", &beside(&place, "other", [8; 32])]).fails(3, &["WRONG_KEY"]);
    place.run("import --existing keep", &[file]).fails(3, &["WRONG_KEY"]);
    encrypted.run("import --existing keep", &[file, "--key-file", &raw]).is(0);
}
