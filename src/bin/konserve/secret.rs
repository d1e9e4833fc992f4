//! Keys of encrypted stores, from files: what stands on a command line is seen by others.

use std::{fs, path::Path};

use konserve::Secret;

use crate::{args::KeyFiles, failure::Failure};

/// The key that the files have, if one is named.
pub(crate) fn of(KeyFiles { key, passphrase }: KeyFiles<'_>) -> Result<Option<Secret>, Failure> {
    match (key, passphrase) {
        (Some(file), _) => raw(file).map(Some),
        (None, Some(file)) => text(file).map(Some),
        (None, None) => Ok(None),
    }
}

fn raw(file: &Path) -> Result<Secret, Failure> {
    let bytes = read(file)?;
    let bytes = digits(&bytes).unwrap_or(bytes);
    let shape = || wrong(file, "a key is 32 bytes, or 64 hexadecimal digits");
    let key: [u8; 32] = bytes.try_into().map_err(|_| shape())?;
    Ok(Secret::from(key))
}

/// The bytes that 64 hexadecimal digits stand for, with white space around them.
fn digits(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let pair = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    // A sign would be taken for a digit.
    let is_hex = text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_hex { (0..64).step_by(2).map(pair).collect() } else { None }
}

/// The first line, as it is.
fn text(file: &Path) -> Result<Secret, Failure> {
    let bytes = read(file)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong(file, "a passphrase is text in UTF-8"))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Secret::from(line)),
        _ => Err(wrong(file, "its first line has no passphrase")),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| wrong(file, &error.to_string()))
}

fn wrong(file: &Path, why: &str) -> Failure {
    Failure::Usage(format!("the key in {} cannot be used: {why}", file.display()))
}
