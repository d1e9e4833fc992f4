//! Whatever bytes are read: they are a value or an error, soon and in little memory, and nothing panics.
//!
//! Each target is fed for `FUZZ_SECONDS` (1 unless it is said) with changed copies of what Clojure's konserve and this store
//! write; what was read well is changed further. `FUZZ_SEED` repeats a run.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "in a test, that is a failure")]

use std::{
    collections::BTreeMap,
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use konserve::{
    Compressor, Config, Encryptor, Error, ErrorKind, LayoutName, Query, Value,
    backing::{Blob, FilePlace, Fs},
    blocking::{self, wait},
    cbor, edn,
    testing::{SimFs, edn as edn_text, fressian, konserve_cbor},
};

/// Numbers that are random enough (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[7]
    }
}

/// One small change.
fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    const TELLING: [u8; 12] = [0, 1, 0x17, 0x18, 0x1f, 0x7f, 0x80, 0x9f, 0xbf, 0xd9, 0xef, 0xff];
    let at = random.below(bytes.len());
    let end = at + random.below((bytes.len() - at).min(16) + 1);
    match random.below(9) {
        0 => bytes.truncate(at),
        1 => _ = bytes.drain(at..end),
        2 => bytes.insert(at, random.byte()),
        3 => {
            let part = bytes[at..end].repeat(1 + random.below(4));
            bytes.splice(at..at, part);
        }
        4 => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len());
            bytes.splice(at.., other[from..].iter().copied());
        }
        5 => {
            let len = [u64::MAX, u64::MAX >> 1, 1 << 32, 1 << 31, 0xffff][random.below(5)].to_be_bytes();
            let len = &len[random.below(8)..];
            bytes.splice(at..end, len.iter().copied());
        }
        change => {
            let Some(byte) = bytes.get_mut(at) else { return };
            match change {
                6 => *byte ^= 1 << random.below(8),
                7 => *byte = TELLING[random.below(TELLING.len())],
                _ => *byte = random.byte(),
            }
        }
    }
}

/// Runs a target over changed seeds; it says whether the input was read.
fn fuzz(name: &str, seeds: &[Vec<u8>], target: impl Fn(&[u8]) -> bool) {
    const MAX_LEN: usize = 4096;
    const MAX_INPUTS: usize = 2000;
    assert!(!seeds.is_empty());
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    let seed = number("FUZZ_SEED").unwrap_or(u64::try_from(nanos & u128::from(u64::MAX)).unwrap()) | 1;
    println!("{name}: FUZZ_SEED={seed}");
    let (mut random, mut inputs) = (Random(seed), seeds.to_vec());
    let (mut runs, mut read) = (0_u64, 0_u64);
    let until = Instant::now() + Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(1));
    while Instant::now() < until {
        let mut input = inputs[random.below(inputs.len())].clone();
        for _ in 0..=random.below(4) {
            change(&mut input, seeds, &mut random);
        }
        input.truncate(MAX_LEN);
        let began = Instant::now();
        let was_read = catch_unwind(AssertUnwindSafe(|| target(&input)))
            .unwrap_or_else(|_| panic!("{name} fails (FUZZ_SEED={seed}) at {}", hex(&input)));
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{name} takes too long (FUZZ_SEED={seed}) at {}",
            hex(&input)
        );
        runs += 1;
        if was_read {
            read += 1;
            let at = if inputs.len() < MAX_INPUTS { inputs.len() } else { random.below(MAX_INPUTS) };
            inputs.splice(at..(at + 1).min(inputs.len()), [input]);
        }
    }
    println!("{name}: {runs} runs, {read} of them read");
    assert!(read > 0);
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    digits.as_bytes().chunks(2).map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// A store of one sort of blob.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    key: String,
    value: String,
    encrypted_with: Option<String>,
    blobs: BTreeMap<String, String>,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors/clojure_blobs.json")).unwrap()
}

/// The meta and value sections with this serializer and compressor, in the clear.
fn sections(serializer: u8, compressor: u8) -> Vec<Vec<u8>> {
    let blobs = vectors().into_iter().flat_map(|vector| vector.blobs.into_values()).map(|digits| unhex(&digits));
    let blobs = blobs.filter(|blob| blob[1..4] == [serializer, compressor, 0] && blob[8..20] == [0; 12]);
    let parts = blobs.filter_map(|blob| {
        let meta_len = usize::try_from(u32::from_be_bytes(blob[4..8].try_into().unwrap())).unwrap();
        let (meta, value) = blob[20..].split_at_checked(meta_len)?;
        Some([meta.to_vec(), value.to_vec()])
    });
    parts.flatten().collect()
}

/// The values of all vectors, in the inner form.
fn items() -> Vec<Vec<u8>> {
    vectors().iter().map(|vector| edn::read(&vector.value).unwrap().to_cbor().unwrap()).collect()
}

/// That an error is one of those that bytes may cause.
fn is_of_bytes(error: &Error) {
    assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::LimitExceeded), "{error}");
}

/// What is read passes the check, is not much longer than what was stored, and is read again once it was written.
fn serializer(
    stored: &[u8],
    decode: fn(&[u8]) -> konserve::Result<bytes::Bytes>,
    encode: fn(&[u8]) -> konserve::Result<bytes::Bytes>,
) -> bool {
    let inner = match decode(stored) {
        Ok(inner) => inner,
        Err(error) => {
            is_of_bytes(&error);
            return false;
        }
    };
    cbor::check(&inner).unwrap();
    assert!(inner.len() <= (1 << 20) + 4096 * stored.len());
    match encode(&inner) {
        Ok(written) => _ = decode(&written).unwrap(),
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::LimitExceeded), "{error}");
        }
    }
    true
}

#[test]
fn fressian_is_read_or_refused() {
    let written = items().into_iter().map(|item| fressian::encode(&item).unwrap().to_vec());
    let seeds: Vec<_> = sections(1, 0).into_iter().chain(written).collect();
    fuzz("fressian", &seeds, |stored| serializer(stored, fressian::decode, fressian::encode));
}

#[test]
fn the_cbor_of_konserve_is_read_or_refused() {
    let seeds: Vec<_> = sections(3, 0).into_iter().chain(items()).collect();
    fuzz("konserve's CBOR", &seeds, |stored| serializer(stored, konserve_cbor::decode, konserve_cbor::encode));
}

#[test]
fn edn_is_read_or_refused() {
    let seeds: Vec<_> =
        vectors().into_iter().flat_map(|vector| [vector.key.into_bytes(), vector.value.into_bytes()]).collect();
    fuzz("EDN", &seeds, |stored| serializer(stored, edn_text::decode, edn_text::encode));
}

#[test]
fn cbor_is_read_or_refused() {
    fuzz("CBOR", &items(), |item| {
        let is_sound = cbor::check(item).is_ok();
        _ = cbor::diagnose(item);
        match Value::from_cbor(item) {
            Ok(value) => match value.to_cbor() {
                Ok(again) => assert_eq!(Value::from_cbor(&again).unwrap(), value),
                Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidValue, "{error}"),
            },
            Err(error) => {
                is_of_bytes(&error);
                assert!(!is_sound);
            }
        }
        is_sound
    });
}

#[test]
fn frames_of_unknown_size_are_decompressed_or_refused() {
    const MAX_LEN: u64 = 1 << 20;
    for compressor in [Compressor::Lz4, Compressor::Zstd] {
        let id = compressor.id();
        let written = [vec![7; 5000], (0..=255).collect(), Vec::new(), b"ab".repeat(300)];
        let written =
            written.iter().filter_map(|bytes| compressor.compress(bytes).unwrap()).map(|frame| frame.to_vec());
        let seeds: Vec<_> = sections(1, id).into_iter().chain(sections(3, id)).chain(written).collect();
        fuzz(&format!("{compressor:?}"), &seeds, |frame| {
            match compressor.decompress_unsized(bytes::Bytes::copy_from_slice(frame), MAX_LEN) {
                Ok(content) => assert!(content.len() as u64 <= MAX_LEN),
                Err(error) => {
                    is_of_bytes(&error);
                    return false;
                }
            }
            true
        });
    }
}

/// Headers, metadata and encryption: a folder with one blob is opened, listed, read and verified.
#[test]
fn a_store_with_any_blob_is_read_or_refused() {
    let (folder, key) = (Path::new("store"), Value::from("s3cr3t"));
    // Each blob is under the name of the first vector, whose key is asked for: a name is no part of a blob.
    let first = vectors().remove(0);
    let (name, asked) = (first.blobs.keys().next().unwrap().clone(), edn::read(&first.key).unwrap());
    let of_key = |vector: &Vector| vector.encrypted_with.as_ref().is_none_or(|with| with.contains("s3cr3t"));
    let blobs = vectors().into_iter().filter(of_key).flat_map(|vector| vector.blobs.into_values());
    let seeds: Vec<_> = blobs.map(|digits| unhex(&digits)).collect();
    fuzz("opening", &seeds, |blob| {
        let fs = SimFs::new();
        let blob = Blob { head: bytes::Bytes::copy_from_slice(blob), value: bytes::Bytes::new() };
        wait(fs.mkdir(folder)).unwrap();
        wait(fs.create(&folder.join(&name), &blob, false)).unwrap();
        let store = Config::at(FilePlace::new(Arc::new(fs), folder)).layout(LayoutName::Konserve);
        let store = store.encryptor(Encryptor::aes(&key).unwrap()).max_value_len(1 << 20);
        let is_expected = |error: &Error| {
            use ErrorKind::{Corrupt, LimitExceeded, NotALog, NotBinary, Unsupported, WrongKey};
            assert!(
                matches!(error.kind(), Corrupt | LimitExceeded | NotALog | NotBinary | Unsupported | WrongKey),
                "{error}"
            );
        };
        let store = match blocking::open_store(store) {
            Ok(store) => store,
            Err(error) => {
                is_expected(&error);
                return false;
            }
        };
        let listed = store.list_keys(Query::default()).unwrap().collect::<Vec<_>>();
        listed.iter().filter_map(|meta| meta.as_ref().err()).for_each(is_expected);
        store.verify(|_| {}).unwrap().corrupt.iter().for_each(|damaged| is_expected(&damaged.error));
        let read = store.get::<Value>(&asked);
        read.as_ref().err().into_iter().for_each(is_expected);
        store.get_meta(&asked).err().iter().for_each(is_expected);
        store.bget(&asked).err().iter().for_each(is_expected);
        store.log::<Value>(&asked).err().iter().for_each(is_expected);
        store.close().unwrap();
        read.is_ok()
    });
}
