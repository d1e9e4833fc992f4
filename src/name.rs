//! UUIDs (RFC 9562): the names of blobs, the same in every backing, and the ids of stores.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hasher},
};

/// A UUID, shown in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Its text and what follows. Each operation on a database or a folder needs one: no formatting machinery.
    fn text(&self, suffix: &str) -> String {
        let digit = |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble });
        let mut text = String::with_capacity(36 + suffix.len());
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.extend([digit(byte >> 4), digit(byte & 15)]);
        }
        text + suffix
    }

    /// From the lower-case text of 36 characters, and no other.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        let mut digits = text.bytes().enumerate().filter_map(|(at, digit)| match (at, digit) {
            (8 | 13 | 18 | 23, b'-') => None,
            (8 | 13 | 18 | 23, _) => Some(None),
            (_, b'0'..=b'9') => Some(Some(digit - b'0')),
            (_, b'a'..=b'f') => Some(Some(digit - b'a' + 10)),
            _ => Some(None),
        });
        for byte in &mut bytes {
            *byte = digits.next()?? << 4 | digits.next()??;
        }
        (text.len() == 36).then_some(Self(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(""))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The UUID that names a blob.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobName(Uuid);

impl BlobName {
    /// From the bytes of a UUID. Names of keys come from [`Key::name`](crate::Key::name).
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid(bytes))
    }

    /// The bytes of the UUID.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0.0
    }

    /// `<uuid>.ksv`: the name as file, and as key in a browser's database.
    pub fn file_name(&self) -> String {
        self.0.text(".ksv")
    }

    /// The name that a file of exactly this form has; anything else is not a blob.
    pub fn from_file_name(file: &str) -> Option<Self> {
        Uuid::parse(file.strip_suffix(".ksv")?).map(Self)
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Hashes names by their first bytes, because a name is a hash already.
#[derive(Default)]
pub(crate) struct NameHasher(u64);

/// For tables by name.
pub(crate) type NameHash = BuildHasherDefault<NameHasher>;

/// A table by name with a number for each, where one is needed. Every other kind of table would weigh a KiB in a web app.
pub(crate) type NameTable = HashMap<BlobName, u64, NameHash>;

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// Lengths are all the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_case_uuids_name_blobs() {
        let name = BlobName::from_bytes(*b"0123456789abcdef");
        assert_eq!(BlobName::from_file_name(&name.file_name()), Some(name));
        for foreign in [
            "",
            ".ksv",
            "konserve.store",
            "30313233-3435-3637-3839-616263646566",
            "30313233-3435-3637-3839-61626364656.ksv",
            "30313233-3435-3637-3839-6162636465666.ksv",
            "30313233-3435-3637-3839-61626364656G.ksv",
            "30313233-3435-3637-3839-61626364656F.ksv",
            "303132333435-3637-3839-616263646566-.ksv",
            "30313233-3435-3637-3839-616263646566.ksv.new",
            "30313233-3435-3637-3839-6162636465é.ksv",
        ] {
            assert_eq!(BlobName::from_file_name(foreign), None, "{foreign}");
        }
    }
}
