//! The crates that encryption is made of, as it uses them, against the vectors of their standards.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use aes::Aes256;
use argon2::{Algorithm, Argon2, AssociatedData, Block, ParamsBuilder, Version};
use cbc::{
    Decryptor, Encryptor,
    cipher::{
        BlockModeDecrypt, BlockModeEncrypt, KeyIvInit,
        block_padding::{NoPadding, Pkcs7},
    },
};
use serde_json::Value;

const BLOCK_LEN: usize = 16;

macro_rules! vectors {
    ($file:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("vectors/primitives/", $file))).unwrap()
    };
}

/// The entries of a list, which has exactly so many.
fn list<'a>(vectors: &'a Value, name: &str, count: usize) -> &'a [Value] {
    let entries = vectors[name].as_array().unwrap();
    assert_eq!(entries.len(), count);
    entries
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn encryptor(test: &Value) -> Encryptor<Aes256> {
    Encryptor::new_from_slices(&hex(&test["key"]), &hex(&test["iv"])).unwrap()
}

fn decryptor(test: &Value) -> Decryptor<Aes256> {
    Decryptor::new_from_slices(&hex(&test["key"]), &hex(&test["iv"])).unwrap()
}

#[test]
fn aes_256_cbc_is_that_of_nist() {
    for test in list(&vectors!("nist_aes_256_cbc.json"), "tests", 426) {
        let (plain, cipher) = (hex(&test["plain"]), hex(&test["cipher"]));
        assert_eq!(encryptor(test).encrypt_padded_vec::<NoPadding>(&plain), cipher, "{test}");
        assert_eq!(decryptor(test).decrypt_padded_vec::<NoPadding>(&cipher).unwrap(), plain, "{test}");
    }
}

#[test]
fn padding_adds_a_block_behind_whole_ones() {
    for test in list(&vectors!("nist_aes_256_cbc.json"), "tests", 426) {
        let (plain, cipher) = (hex(&test["plain"]), hex(&test["cipher"]));
        let padded = encryptor(test).encrypt_padded_vec::<Pkcs7>(&plain);
        assert_eq!(padded.len(), cipher.len() + BLOCK_LEN, "{test}");
        assert_eq!(padded[..cipher.len()], cipher, "{test}");
        assert_eq!(decryptor(test).decrypt_padded_vec::<Pkcs7>(&padded).unwrap(), plain, "{test}");
    }
}

#[test]
fn one_block_after_the_other_is_the_same_as_all_at_once() {
    for test in list(&vectors!("nist_aes_256_cbc.json"), "tests", 426) {
        let (plain, cipher) = (hex(&test["plain"]), hex(&test["cipher"]));
        let (mut encryptor, mut decryptor) = (encryptor(test), decryptor(test));
        for (plain, cipher) in plain.chunks_exact(BLOCK_LEN).zip(cipher.chunks_exact(BLOCK_LEN)) {
            let mut block = plain.try_into().unwrap();
            encryptor.encrypt_block(&mut block);
            assert_eq!(block[..], *cipher, "{test}");
            decryptor.decrypt_block(&mut block);
            assert_eq!(block[..], *plain, "{test}");
        }
    }
}

#[test]
fn paddings_are_those_of_wycheproof() {
    let mut valid = 0;
    for test in list(&vectors!("wycheproof_aes_256_cbc_pkcs5.json"), "tests", 72) {
        let (message, cipher) = (hex(&test["msg"]), hex(&test["ct"]));
        let decrypted = decryptor(test).decrypt_padded_vec::<Pkcs7>(&cipher);
        if test["result"] == "valid" {
            valid += 1;
            assert_eq!(encryptor(test).encrypt_padded_vec::<Pkcs7>(&message), cipher, "{test}");
            assert_eq!(decrypted.unwrap(), message, "{test}");
        } else {
            assert!(decrypted.is_err(), "{test}");
        }
    }
    assert_eq!(valid, 24);
}

/// What the vectors of BLAKE3 are the hashes of.
fn input(case: &Value) -> Vec<u8> {
    (0..=250).cycle().take(number(&case["input_len"]) as usize).collect()
}

/// All bytes of a hash that may be of any length, the first 32 of which are the usual hash.
fn assert_hash(hasher: &blake3::Hasher, usual: [u8; 32], expected: &Value) {
    let expected = hex(expected);
    let mut long = vec![0; expected.len()];
    hasher.finalize_xof().fill(&mut long);
    assert_eq!(long, expected);
    assert_eq!(hasher.finalize(), usual);
    assert_eq!(usual[..], expected[..32]);
}

#[test]
fn blake3_hashes_authenticates_and_derives_as_its_vectors_do() {
    const CONTEXT: &str = "BLAKE3 2019-12-27 16:29:52 test vectors context";
    let vectors = vectors!("blake3.json");
    let key: [u8; 32] = vectors["key"].as_str().unwrap().as_bytes().try_into().unwrap();
    assert_eq!(vectors["context_string"], CONTEXT);
    for case in list(&vectors, "cases", 35) {
        let input = input(case);
        let usual = *blake3::hash(&input).as_bytes();
        assert_hash(blake3::Hasher::new().update(&input), usual, &case["hash"]);
        let usual = *blake3::keyed_hash(&key, &input).as_bytes();
        assert_hash(blake3::Hasher::new_keyed(&key).update(&input), usual, &case["keyed_hash"]);
        let usual = blake3::derive_key(CONTEXT, &input);
        assert_hash(blake3::Hasher::new_derive_key(CONTEXT).update(&input), usual, &case["derive_key"]);
    }
}

#[test]
fn blake3_in_pieces_is_the_same_as_all_at_once() {
    for case in list(&vectors!("blake3.json"), "cases", 35) {
        for length in [1, 63, 64, 1000, 1024, 4096] {
            let mut hasher = blake3::Hasher::new();
            input(case).chunks(length).for_each(|piece| {
                hasher.update(piece);
            });
            assert_eq!(hasher.finalize().as_bytes()[..], hex(&case["hash"])[..32]);
        }
    }
}

/// The tag of a vector of Argon2id.
fn argon2id(test: &Value, secret: &[u8]) -> Vec<u8> {
    let mut tag = vec![0; hex(&test["tag"]).len()];
    let params = ParamsBuilder::new()
        .m_cost(number(&test["m"]))
        .t_cost(number(&test["t"]))
        .p_cost(number(&test["p"]))
        .data(AssociatedData::new(&hex(&test["ad"])).unwrap())
        .output_len(tag.len())
        .build()
        .unwrap();
    let memory = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new_with_secret(secret, Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let (password, salt) = (hex(&test["password"]), hex(&test["salt"]));
    argon2.hash_password_into_with_memory(&password, &salt, &mut tag, memory).unwrap();
    tag
}

#[test]
fn argon2id_is_that_of_rfc_9106() {
    for test in list(&vectors!("argon2id.json"), "tests", 14) {
        assert_eq!(argon2id(test, &hex(&test["secret"])), hex(&test["tag"]), "{test}");
    }
}
