//! The encryptors of stores shared with Clojure, against its own files and against sections made by independent programs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use konserve::{
    BlobName, Error, ErrorKind, Result, Value,
    cbor::Reader,
    env::{Rng, System},
    testing::encryptor::{KonserveAes, KonserveGcm, Section},
};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn aes(key: &Value) -> KonserveAes {
    KonserveAes::new(&key.to_cbor().unwrap()).unwrap()
}

fn gcm(key: &Value) -> Result<KonserveGcm> {
    KonserveGcm::new(&key.to_cbor().unwrap())
}

/// Always the same bytes.
struct Fixed(u8);

impl Rng for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        bytes.fill(self.0);
        Ok(())
    }
}

const PLAIN: [u8; 4] = [0x83, 1, 2, 3];
const BLOB: BlobName = BlobName::from_bytes(*b"0123456789abcdef");

/// All blobs of Clojure's encrypted stores, each with the store's name and key.
fn encrypted_blobs() -> Vec<(String, Value, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/konserve");
    if !folder.is_dir() {
        println!("skipped: the folder {} is not there", folder.display());
        return Vec::new();
    }
    let text = || Value::from("s3cr3t");
    let mut blobs = Vec::new();
    for (store, key) in [
        ("boring-none-aes", text()),
        ("boring-zstd-aes", text()),
        ("fressian-none-aes", text()),
        ("aeskeys-bytes", Value::Bytes((0..32).collect())),
    ] {
        let files = fs::read_dir(folder.join(store).join("store")).unwrap().map(|file| file.unwrap().path());
        blobs.extend(
            files.filter(|file| file.metadata().unwrap().len() > 0).map(|file| (store.into(), key.clone(), file)),
        );
    }
    blobs
}

/// That bytes begin as the serializer and the compressor of a header write them.
fn looks_right(header: &[u8], plain: &[u8]) -> bool {
    match (header[1], header[2]) {
        (_, 2) => plain.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]),
        (1, _) => !plain.is_empty(),
        (3, _) => Reader::new(plain).item().is_ok(),
        _ => false,
    }
}

#[test]
fn every_section_that_clojure_encrypted_is_read() {
    let mut sections = 0;
    for (store, key, file) in encrypted_blobs() {
        let blob = fs::read(&file).unwrap();
        let (header, rest) = blob.split_at(20);
        assert_eq!(header[3], KonserveAes::ID);
        let meta_len = u32::from_be_bytes(header[4..8].try_into().unwrap());
        let (meta, value) = rest.split_at(usize::try_from(meta_len).unwrap());
        let aes = aes(&key);
        let read = |section| {
            aes.decrypt(section, |plain| {
                let wrong = Error::new(ErrorKind::Corrupt, "this is not what the serializer writes");
                if looks_right(header, &plain) { Ok(plain) } else { Err(wrong) }
            })
        };
        let meta = read(meta).unwrap_or_else(|error| panic!("{store}: {}: {error}", file.display()));
        if header[2] == 0 {
            let holds = |name: &[u8]| meta.windows(name.len()).any(|window| window == name);
            assert!(holds(b"last-write"), "{store}: {}", file.display());
            if holds(b"binary") {
                continue;
            }
        }
        sections += 1;
        match read(value) {
            Ok(_) => sections += 1,
            // A compressed blob does not say that it is a binary, which is not encrypted; there is one in each store.
            Err(error) => {
                assert!(header[2] == 2 && !value.len().is_multiple_of(16), "{store}: {}: {error}", file.display());
            }
        }
    }
    println!("{sections} sections");
}

/// Made by Python's hashlib and OpenSSL: this salt has 0x80 at its byte 10.
const JVM: &str = "8bc9d7bcbacdbf0cc47080c77b56074ae7425176bfb458688a8428a33308024c9598bc0ca1ff347cfebd1ae6668ea0f6\
                   b10414c56c3f3705541388b4f60129ae0f2cdd023cb5dda5d0618855da874343";
const JAVASCRIPT: &str = "8bc9d7bcbacdbf0cc47080c77b56074ae7425176bfb458688a8428a33308024c9598bc0ca1ff347cfebd1ae6668ea0f6\
                          b10414c56c3f3705541388b4f60129ae0f1a2fdb9b0f573ee1651ebc7805b508";
/// From JavaScript too, but as the JVM reads the salt the padding is right as well.
const BOTH: &str = "1eae8f612f03e5a84af580fd4a1a5f548707e084a9f6ef21cbbb371c9946c2dbc81a767e7b787b3eae629aec63b3b436\
                    b69a67a768352e32bc184e2656d9eea9a281c8884b29cdab8cb72b8010fc8bad";

#[test]
fn a_salt_is_read_as_either_platform_meant_it() {
    let aes = aes(&"s3cr3t".into());
    for section in [JVM, JAVASCRIPT] {
        assert_eq!(aes.decrypt(&hex(section), Ok).unwrap(), PLAIN.as_slice());
    }
    let mut seen = Vec::new();
    let read = aes.decrypt(&hex(BOTH), |plain| {
        seen.push(plain.clone());
        if plain == PLAIN.as_slice() { Ok(plain) } else { Err(Error::new(ErrorKind::Corrupt, "no value")) }
    });
    assert_eq!(read.unwrap(), PLAIN.as_slice());
    assert_eq!(seen.len(), 2);
    let refuse = |_: Bytes| -> Result<()> { Err(Error::new(ErrorKind::Corrupt, "no value")) };
    assert_eq!(aes.decrypt(&hex(BOTH), refuse).unwrap_err().message(), "no value");
}

#[test]
fn what_is_written_has_a_salt_that_all_platforms_read_alike() {
    let aes = aes(&"s3cr3t".into());
    let section = aes.encrypt(&PLAIN, &Fixed(0x80)).unwrap();
    assert!(!section[..64].contains(&0x80));
    assert_eq!(aes.decrypt(&section, Ok).unwrap(), PLAIN.as_slice());
    let salts: Vec<_> = (0..2).map(|_| aes.encrypt(&PLAIN, &System).unwrap()).collect();
    assert_ne!(salts[0][..64], salts[1][..64]);
}

#[test]
fn another_key_does_not_decrypt() {
    let section = hex(JVM);
    let error = aes(&"secret".into()).decrypt(&section, Ok).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKey);
    for len in [0, 63, 64, 79, 81] {
        let longer = [section.as_slice(), &[0]].concat();
        let error = aes(&"s3cr3t".into()).decrypt(&longer[..len], Ok).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{len}");
    }
    let no_hash = Value::Tagged(30, Box::new(Value::Array(vec![1.into(), 3.into()])));
    assert_eq!(KonserveAes::new(&no_hash.to_cbor().unwrap()).unwrap_err().kind(), ErrorKind::InvalidConfig);
}

/// Made by Python's cryptography, and the same by Node's crypto: key 00..1f, salt 64..83, nonce c8..d3.
const GCM: &str = "6465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f80818283c8c9cacbcccdcecfd0d1d2d3\
                   14147f16f86434ad471f3897d8f01464f084ff76";

#[test]
fn authenticated_sections_are_as_others_make_them() {
    let key: Vec<u8> = (0..32).collect();
    let digits = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F";
    for key in [Value::Bytes(key), digits.into(), digits.to_lowercase().into()] {
        let plain = gcm(&key).unwrap().decrypt(&hex(GCM), BLOB, Section::Value).unwrap();
        assert_eq!(plain, PLAIN.as_slice());
    }
}

#[test]
fn an_authenticated_section_is_refused_when_anything_about_it_changed() {
    let key = Value::Bytes((0..32).collect());
    let encryptor = gcm(&key).unwrap();
    let section = hex(GCM);
    let refused = |encryptor: &KonserveGcm, section: &[u8], blob, which| {
        encryptor.decrypt(section, blob, which).unwrap_err().kind() == ErrorKind::Authentication
    };
    assert!(refused(&encryptor, &section, BLOB, Section::Meta));
    assert!(refused(&encryptor, &section, BlobName::from_bytes([0; 16]), Section::Value));
    assert!(refused(&gcm(&Value::Bytes(vec![0; 32])).unwrap(), &section, BLOB, Section::Value));
    for at in 0..section.len() {
        assert!(refused(&encryptor, &section[..at], BLOB, Section::Value), "cut at {at}");
        let mut changed = section.clone();
        changed[at] ^= 1;
        assert!(refused(&encryptor, &changed, BLOB, Section::Value), "changed at {at}");
    }
}

#[test]
fn a_passphrase_is_no_key_of_an_authenticated_store() {
    for key in [
        "s3cr3t".into(),
        "g".repeat(64).into(),
        "0".repeat(63).into(),
        Value::Bytes(vec![0; 31]),
        Value::Bytes(vec![0; 64]),
        Value::Int(1),
    ] {
        assert_eq!(gcm(&key).unwrap_err().kind(), ErrorKind::InvalidConfig);
    }
}

#[test]
fn no_key_is_shown() {
    let key = Value::Bytes(vec![b'K'; 32]);
    let shown = format!("{:?} {:?} {:?}", aes(&key), gcm(&key).unwrap(), gcm(&"KKKK".into()).unwrap_err());
    assert!(!shown.contains("KK") && !shown.contains("75, 75"), "{shown}");
}

proptest! {
    #[test]
    fn what_is_encrypted_is_decrypted(plain: Vec<u8>, key: String, master: [u8; 32], name: [u8; 16]) {
        let aes = aes(&key.into());
        let section = aes.encrypt(&plain, &System).unwrap();
        prop_assert_eq!(section.len(), 64 + plain.len() / 16 * 16 + 16);
        prop_assert_eq!(aes.decrypt(&section, Ok).unwrap(), &plain);
        let gcm = gcm(&Value::Bytes(master.into())).unwrap();
        let blob = BlobName::from_bytes(name);
        let section = gcm.encrypt(&plain, blob, Section::Meta, &System).unwrap();
        prop_assert_eq!(section.len(), 60 + plain.len());
        prop_assert_eq!(gcm.decrypt(&section, blob, Section::Meta).unwrap(), &plain);
    }

    #[test]
    fn any_section_is_read_or_refused(section in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = aes(&1.into()).decrypt(&section, Ok);
        let refused = gcm(&Value::Bytes(vec![0; 32])).unwrap().decrypt(&section, BLOB, Section::Value);
        prop_assert!(refused.is_err());
    }
}
