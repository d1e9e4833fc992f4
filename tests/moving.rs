//! The export form: what it is to the byte, that every damage of it is told, and that it takes bounded memory.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "in a test, that is a failure")]

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
};

use konserve::{
    BlobName, Compressor, Config, Error, ErrorKind, Existing, Imported, Key, Value, WriteOptions,
    backing::{FilePlace, StdFs},
    blocking::{Store, create_store},
};
use proptest::prelude::*;

fn memory() -> Store {
    create_store(Config::memory()).unwrap()
}

fn exported(store: &Store) -> Vec<u8> {
    let mut export = Vec::new();
    store.export_to(&mut export, |_, _| {}).unwrap();
    export
}

/// Gives no more than so many bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let len = to.len().min(self.1);
        self.0.read(&mut to[..len])
    }
}

fn imported(store: &Store, export: &[u8], existing: Existing) -> Result<Imported, Error> {
    store.import_from(&mut Slow(export, 1000), existing, |_, _| {})
}

fn small() -> Store {
    let store = memory();
    store.assoc("a", 1).unwrap();
    store.assoc_with(("b",), "two", WriteOptions::default().meta(BTreeMap::from([("by", "Ada")])).unwrap()).unwrap();
    store.assoc("c", vec![3; 20]).unwrap();
    store
}

/// The entries of an export: where each begins and ends, and its name. Reads the format as it is written down.
fn entries(export: &[u8]) -> Vec<(std::ops::Range<usize>, BlobName)> {
    assert_eq!(&export[..16], b"konserve-export1");
    let mut at = 20 + u32::from_be_bytes(export[16..20].try_into().unwrap()) as usize;
    let mut entries = Vec::new();
    loop {
        let name: [u8; 16] = export[at..at + 16].try_into().unwrap();
        let number = u64::from_be_bytes(export[at + 16..at + 24].try_into().unwrap());
        if name == [0; 16] {
            assert_eq!(number, entries.len() as u64);
            assert_eq!(export[at + 24..], *blake3::hash(&export[..at + 24]).as_bytes());
            return entries;
        }
        let end = at + 24 + usize::try_from(number).unwrap();
        entries.push((at..end, BlobName::from_bytes(name)));
        at = end;
    }
}

#[test]
fn an_export_is_what_the_format_says() {
    let folder = tempfile::tempdir().unwrap();
    let store = create_store(Config::file(folder.path())).unwrap();
    for n in 0..20 {
        store.assoc(n, vec![n; 50 * n]).unwrap();
    }
    let export = exported(&store);
    let record = std::fs::read(folder.path().join("konserve.store")).unwrap();
    assert_eq!(export[16..20], u32::try_from(record.len()).unwrap().to_be_bytes());
    assert_eq!(export[20..20 + record.len()], record);
    let entries = entries(&export);
    assert_eq!(entries.len(), 20);
    assert!(entries.is_sorted_by_key(|(_, name)| *name));
    for (at, name) in entries {
        assert_eq!(export[at.start + 24..at.end], std::fs::read(folder.path().join(name.file_name())).unwrap());
    }
}

/// What the error of a damaged export must name: the entry at this byte.
fn names_its_place(error: &Error, at: usize, export: &[u8], what: &str) {
    let entries = entries(export);
    let first = entries[0].0.start;
    let message = error.message();
    let expected = match entries.iter().position(|(range, _)| range.contains(&at)) {
        Some(n) if at < entries[n].0.start + 24 => {
            vec![format!("entry {n} "), format!("entry {} ", n + 1), format!("entry {n}:")]
        }
        Some(n) => vec![format!("entry {} (blob {})", n + 1, entries[n].1)],
        None if at < first => vec![
            "before its first entry".into(),
            "no export".into(),
            "version".into(),
            "Clojure".into(),
            "format".into(),
            "encrypted".into(),
            "entry 1 ".into(),
        ],
        None => vec!["entry 3".into(), "entry 4 ".into(), "at its end".into()],
    };
    assert!(expected.iter().any(|words| message.contains(words)), "{what} {at}: {message}, expected {expected:?}");
    assert!(message.contains("entries were put"), "{what} {at}: {message}");
}

#[test]
fn every_cut_is_an_error_that_names_the_entry() {
    let export = exported(&small());
    for len in 0..export.len() {
        let store = memory();
        let error = imported(&store, &export[..len], Existing::Error).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "cut at {len}: {error}");
        names_its_place(&error, len, &export, "cut at");
        let whole = entries(&export).iter().filter(|(range, _)| range.end <= len).count();
        assert_eq!(store.keys().unwrap().count(), whole, "cut at {len}: what came before is imported");
    }
}

#[test]
fn every_flipped_bit_is_an_error_that_names_the_entry() {
    let export = exported(&small());
    for bit in 0..export.len() * 8 {
        let mut flipped = export.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let store = memory();
        let error = imported(&store, &flipped, Existing::Error).unwrap_err();
        names_its_place(&error, bit / 8, &export, "bit flipped at");
        assert!(store.verify(|_| {}).unwrap().corrupt.is_empty(), "bit {bit}: nothing damaged is imported");
    }
}

#[test]
fn what_follows_an_export_is_an_error() {
    let mut export = exported(&small());
    export.push(0);
    let error = imported(&memory(), &export, Existing::Error).unwrap_err();
    assert!(error.message().contains("more follows"), "{error}");
}

#[test]
fn entries_out_of_order_or_twice_are_an_error() {
    let export = exported(&small());
    let places: Vec<_> = entries(&export).into_iter().map(|(range, _)| range).collect();
    let entry = |n: usize| &export[places[n].clone()];
    for [a, b] in [[1, 0], [1, 1]] {
        let shuffled = [&export[..places[0].start], entry(a), entry(b)].concat();
        let error = imported(&memory(), &shuffled, Existing::Error).unwrap_err();
        assert!(error.message().contains("entry 2 (blob"), "{error}");
    }
}

#[test]
fn a_length_that_nobody_could_hold_allocates_nothing() {
    let mut export = exported(&small());
    let first = entries(&export)[0].0.start;
    export[first + 16..first + 24].copy_from_slice(&(1_u64 << 63).to_be_bytes());
    let error = imported(&memory(), &export, Existing::Error).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    assert!(error.message().contains("entry 1 (blob"), "{error}");
}

/// Fails after so many bytes.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl Write for Broken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_or_writer_that_fails_is_told_and_the_store_works_on() {
    let store = small();
    let export = exported(&store);
    let error = store.export_to(&mut Broken(250), |_, _| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    let other = memory();
    let second = entries(&export)[1].0.end;
    let mut broken = export[..second].chain(Broken(0));
    let error = other.import_from(&mut broken, Existing::Error, |_, _| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.message().contains("2 entries were put"), "{error}");
    assert_eq!(other.keys().unwrap().count(), 2);
}

#[test]
fn a_closed_store_moves_nothing() {
    let (store, open) = (small(), memory());
    let export = exported(&store);
    store.close().unwrap();
    let kinds = [
        store.export_to(&mut Vec::new(), |_, _| {}).unwrap_err().kind(),
        imported(&store, &export, Existing::Error).unwrap_err().kind(),
        store.copy_to(&open, Existing::Error, |_| {}).unwrap_err().kind(),
        open.copy_to(&store, Existing::Error, |_| {}).unwrap_err().kind(),
        store.repair(|_| {}).unwrap_err().kind(),
    ];
    assert_eq!(kinds, [ErrorKind::Closed; 5]);
}

#[test]
fn a_copy_is_written_as_the_other_store_writes() {
    let text = "again and again ".repeat(1000);
    let folder = tempfile::tempdir().unwrap();
    let store = memory();
    store.assoc("k", &text).unwrap();
    let other = create_store(Config::file(folder.path()).compressor(Compressor::Lz4)).unwrap();
    store.copy_to(&other, Existing::Error, |_| {}).unwrap();
    let blob = std::fs::read(folder.path().join(Key::from("k").name().file_name())).unwrap();
    assert!(blob.len() < 1000, "it is compressed");
    assert_eq!(other.get::<String>("k").unwrap(), Some(text));
    let (old, new) = (store.get_meta("k").unwrap().unwrap(), other.get_meta("k").unwrap().unwrap());
    assert_eq!((new.last_write, new.size), (old.last_write, old.size));
}

#[test]
fn a_store_that_is_only_read_is_not_repaired() {
    use konserve::{backing::Access, blocking::connect_store};
    let folder = tempfile::tempdir().unwrap();
    let store = create_store(Config::file(folder.path())).unwrap();
    store.assoc("k", 1).unwrap();
    store.close().unwrap();
    let file = folder.path().join(Key::from("k").name().file_name());
    std::fs::write(&file, [0x81; 50]).unwrap();
    let place = FilePlace::new(std::sync::Arc::new(StdFs), folder.path());
    let reading = connect_store(Config::at(place.access(Access::Read))).unwrap();
    assert_eq!(reading.verify(|_| {}).unwrap().corrupt.len(), 1);
    assert_eq!(reading.repair(|_| {}).unwrap_err().kind(), ErrorKind::PermissionDenied);
    let writing = connect_store(Config::file(folder.path())).unwrap();
    assert!(writing.repair(|_| {}).unwrap().corrupt[0].set_aside);
    let aside = folder.path().join(Key::from("k").name().file_name() + ".damaged.new");
    assert_eq!(std::fs::read(aside).unwrap(), [0x81; 50]);
}

#[test]
fn what_this_build_cannot_read_stays_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = create_store(Config::file(folder.path())).unwrap();
    store.assoc("long", vec![0_u8; 5000]).unwrap();
    store.close().unwrap();
    let strict = konserve::blocking::connect_store(Config::file(folder.path()).max_value_len(100)).unwrap();
    let report = strict.repair(|_| {}).unwrap();
    assert_eq!(report.corrupt[0].error.kind(), ErrorKind::LimitExceeded);
    assert!(!report.corrupt[0].set_aside);
    assert!(folder.path().join(Key::from("long").name().file_name()).exists());
}

fn stores() -> impl Strategy<Value = Vec<(String, Vec<u8>, Option<String>)>> {
    proptest::collection::vec(
        (".{0,20}", proptest::collection::vec(any::<u8>(), 0..3000), proptest::option::of(".{0,9}")),
        0..40,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_exported_is_imported_in_chunks_of_any_size(kept in stores(), at_once in 1_usize..5000, lz4: bool) {
        let compressor = if lz4 { Compressor::Lz4 } else { Compressor::None };
        let store = create_store(Config::memory().compressor(compressor)).unwrap();
        for (key, value, by) in &kept {
            let options = match by {
                Some(by) => WriteOptions::default().meta(BTreeMap::from([("by", by.as_str())])).unwrap(),
                None => WriteOptions::default(),
            };
            store.assoc_with((key.as_str(),), value, options).unwrap();
        }
        let export = exported(&store);
        let other = memory();
        let done = other.import_from(&mut Slow(&export, at_once), Existing::Error, |_, _| {}).unwrap();
        prop_assert_eq!((done.imported, done.skipped), (store.keys().unwrap().count() as u64, 0));
        let listed = |store: &Store| store.entries::<Value>().unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        prop_assert_eq!(listed(&store), listed(&other));
        // But for the record, which is the other store's own, its export is the same.
        let record = |export: &[u8]| entries(export).first().map_or(export.len() - 56, |(range, _)| range.start);
        let other_export = exported(&other);
        let (from, to) = (record(&export), record(&other_export));
        prop_assert_eq!(&export[from..export.len() - 32], &other_export[to..other_export.len() - 32]);
    }
}

#[test]
fn a_binary_too_large_for_a_store_that_does_not_stream_is_refused_before_anything_of_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let from = create_store(Config::file(folder.path())).unwrap();
    from.bassoc("large", vec![7; 6 << 20]).unwrap();
    let to = create_store(Config::memory().max_value_len(5 << 20)).unwrap();
    for result in [imported(&to, &exported(&from), Existing::Error), from.copy_to(&to, Existing::Error, |_| {})] {
        let error = result.unwrap_err();
        assert_eq!(
            (error.kind(), error.key()),
            (ErrorKind::LimitExceeded, Some(Key::from("large").as_cbor())),
            "{error}"
        );
        assert!(!to.exists("large").unwrap());
    }
    let roomy = memory();
    assert_eq!(imported(&roomy, &exported(&from), Existing::Error).unwrap().imported, 1);
    assert_eq!(roomy.bget("large").unwrap().unwrap(), vec![7; 6 << 20]);
    let copy = memory();
    from.copy_to(&copy, Existing::Error, |_| {}).unwrap();
    assert_eq!(copy.bget("large").unwrap().unwrap(), vec![7; 6 << 20]);
}

#[test]
fn a_large_binary_that_is_damaged_ends_an_export_before_a_byte_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let from = create_store(Config::file(folder.path())).unwrap();
    from.bassoc("large", vec![7; 6 << 20]).unwrap();
    let file = folder.path().join(Key::from("large").name().file_name());
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let mut export = Vec::new();
    let error = from.export_to(&mut export, |_, _| {}).unwrap_err();
    assert_eq!((error.kind(), error.key()), (ErrorKind::Corrupt, Some(Key::from("large").as_cbor())));
    assert!(export.len() < 1000, "{} bytes", export.len());
    let copy = create_store(Config::file(folder.path().join("copy"))).unwrap();
    assert_eq!(from.copy_to(&copy, Existing::Error, |_| {}).unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(!copy.exists("large").unwrap());
}
