//! The crates that encryption is made of, as it uses them, for tests with the vectors of their standards.

use aes::Aes256;
use argon2::{Algorithm, Argon2, AssociatedData, Block, ParamsBuilder, Version};
use cbc::{
    Decryptor, Encryptor,
    cipher::{
        BlockModeDecrypt, BlockModeEncrypt, KeyIvInit,
        block_padding::{NoPadding, Pkcs7},
    },
};
use wasm_bindgen::prelude::*;

/// AES-256-CBC, with the padding of PKCS#7 or with none. Nothing where a length is wrong.
#[wasm_bindgen(js_name = aesCbcEncrypt)]
pub fn aes_cbc_encrypt(key: &[u8], iv: &[u8], plain: &[u8], padded: bool) -> Option<Vec<u8>> {
    let cipher = Encryptor::<Aes256>::new_from_slices(key, iv).ok()?;
    Some(if padded { cipher.encrypt_padded_vec::<Pkcs7>(plain) } else { cipher.encrypt_padded_vec::<NoPadding>(plain) })
}

/// The reverse; nothing where the padding is wrong, too.
#[wasm_bindgen(js_name = aesCbcDecrypt)]
pub fn aes_cbc_decrypt(key: &[u8], iv: &[u8], encrypted: &[u8], padded: bool) -> Option<Vec<u8>> {
    let cipher = Decryptor::<Aes256>::new_from_slices(key, iv).ok()?;
    if padded {
        cipher.decrypt_padded_vec::<Pkcs7>(encrypted).ok()
    } else {
        cipher.decrypt_padded_vec::<NoPadding>(encrypted).ok()
    }
}

/// So many bytes of BLAKE3.
#[wasm_bindgen]
pub fn blake3(input: &[u8], len: usize) -> Vec<u8> {
    output(::blake3::Hasher::new().update(input), len)
}

/// With a key of 32 bytes; nothing where it has another length.
#[wasm_bindgen(js_name = blake3Keyed)]
pub fn blake3_keyed(key: &[u8], input: &[u8], len: usize) -> Option<Vec<u8>> {
    Some(output(::blake3::Hasher::new_keyed(key.try_into().ok()?).update(input), len))
}

/// A key of a context and key material.
#[wasm_bindgen(js_name = blake3DeriveKey)]
pub fn blake3_derive_key(context: &str, material: &[u8], len: usize) -> Vec<u8> {
    output(::blake3::Hasher::new_derive_key(context).update(material), len)
}

fn output(hasher: &::blake3::Hasher, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

/// `len` bytes of Argon2id 0x13, with `costs` m in KiB, t and p, and `more` the secret and the associated data. Nothing
/// where one of them is none.
#[wasm_bindgen(js_name = argon2idOf)]
pub fn argon2id_of(
    password: &[u8],
    salt: &[u8],
    costs: &[u32],
    more: Vec<js_sys::Uint8Array>,
    len: usize,
) -> Option<Vec<u8>> {
    let &[memory, passes, lanes] = costs else { return None };
    let [secret, data] = <[_; 2]>::try_from(more).ok()?;
    let (secret, data) = (secret.to_vec(), AssociatedData::new(&data.to_vec()).ok()?);
    let mut params = ParamsBuilder::new();
    params.m_cost(memory).t_cost(passes).p_cost(lanes).data(data).output_len(len);
    let params = params.build().ok()?;
    let blocks = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params).ok()?;
    let mut tag = vec![0; len];
    argon2.hash_password_into_with_memory(password, salt, &mut tag, blocks).ok()?;
    Some(tag)
}
