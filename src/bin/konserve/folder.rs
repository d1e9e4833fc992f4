//! How the folders on the command line are opened.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use konserve::{
    Compressor, Config, Encryptor, LayoutName,
    backing::{Access, FilePlace, StdFs},
};

use crate::{
    args::{self, Layout, Serializer, StoreKey, Target},
    failure::Failure,
    input, secret,
};

/// The number of `aes-gcm` in the header of a blob.
const AES_GCM: u8 = 2;

/// A store that is there, in either layout.
pub(crate) fn config(folder: &Path, key: &StoreKey, access: Access) -> Result<Config, Failure> {
    let config = at(folder, access);
    if let Some(secret) = secret::of(key.files())? {
        return Ok(config.encryptor(Encryptor::aes_blake3(secret)));
    }
    let Some(key) = &key.key_edn else { return Ok(config) };
    let kind = if encryptor_of(folder) == Some(AES_GCM) { args::Encryptor::AesGcm } else { args::Encryptor::Aes };
    Ok(config.encryptor(encryptor("--key-edn", key, kind)?))
}

impl Layout {
    pub(crate) fn name(self) -> LayoutName {
        match self {
            Self::Sealed => LayoutName::Sealed,
            Self::Konserve => LayoutName::Konserve,
        }
    }
}

/// A store that is to be made.
pub(crate) fn target(folder: &Path, target: &Target) -> Result<Config, Failure> {
    let config = at(folder, Access::Exclusive).layout(target.layout.name());
    let config = match target.serializer {
        Serializer::Cbor => config.cbor(),
        Serializer::Fressian => config.fressian(),
        Serializer::Edn => config.edn(),
    };
    let config = config.compressor(match target.compressor {
        args::Compressor::None => Compressor::None,
        args::Compressor::Lz4 => Compressor::Lz4,
        args::Compressor::Zstd => Compressor::Zstd,
    });
    if let Some(secret) = secret::of(target.key.files())? {
        return Ok(config.encryptor(Encryptor::aes_blake3(secret)));
    }
    match &target.to_key_edn {
        Some(key) => Ok(config.encryptor(encryptor("--to-key-edn", key, target.encryptor)?)),
        None => Ok(config),
    }
}

fn at(folder: &Path, access: Access) -> Config {
    Config::at(FilePlace::new(Arc::new(StdFs), folder).access(access))
}

fn encryptor(option: &str, key: &str, kind: args::Encryptor) -> Result<Encryptor, Failure> {
    let key = input::edn(option, key)?;
    Ok(match kind {
        args::Encryptor::Aes => Encryptor::aes(key),
        args::Encryptor::AesGcm => Encryptor::aes_gcm(key),
    }?)
}

fn blob_files(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
    files.filter(|file| file.extension().is_some_and(|end| end == "ksv"))
}

/// About how many blobs there are, for a bar.
pub(crate) fn blobs(folder: &Path) -> u32 {
    u32::try_from(blob_files(folder).count()).unwrap_or(u32::MAX)
}

/// The number of what the blobs of a store in konserve's layout are encrypted with, by the first that is.
fn encryptor_of(folder: &Path) -> Option<u8> {
    blob_files(folder).find_map(|file| {
        let mut start = [0; 4];
        File::open(file).ok()?.read_exact(&mut start).ok()?;
        let [version, _, _, encryptor] = start;
        (version == 1 && encryptor != 0).then_some(encryptor)
    })
}
