//! The record of a store: what it is, kept beside its blobs. `body ‖ mac 32 (encrypted only) ‖ H(body ‖ mac)`.

use bytes::Bytes;

use crate::{
    cbor::{self, Head, Reader, Writer},
    error::{Error, ErrorKind, Result},
    keyring::{Keyring, Secret, Slot},
    layout::AES_BLAKE3,
    name::Uuid,
};

const FORMAT: u64 = 1;
const LAYOUT: &[u8] = b"sealed";
/// The keys of an encrypted store are sealed at most so often.
pub const MAX_SLOTS: usize = 8;

/// What a store says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The store's own id.
    pub id: Uuid,
    /// When it was made, in milliseconds since 1970.
    pub created: u64,
    /// The serializer for writing.
    pub serializer: u8,
    /// The compressor for writing.
    pub compressor: u8,
    /// The keys of an encrypted store, sealed; none of a plain one.
    pub slots: Vec<Slot>,
}

/// A record that is undamaged; whether the store's own key wrote it is not known yet.
pub struct Unchecked {
    record: Record,
    body: Bytes,
    mac: Option<[u8; 32]>,
}

impl Record {
    /// The bytes of the record, with the keys of an encrypted store.
    pub fn to_bytes(&self, keyring: Option<&Keyring>) -> Bytes {
        let mut body = Writer::new();
        body.map(if self.slots.is_empty() { 7 } else { 8 });
        body.text("id");
        body.bytes(self.id.as_bytes());
        if !self.slots.is_empty() {
            body.text("slots");
            body.array(self.slots.len());
            self.slots.iter().for_each(|slot| body.bytes(&slot.0));
        }
        body.text("format");
        body.positive(FORMAT);
        body.text("layout");
        body.text("sealed");
        body.text("created");
        body.positive(self.created);
        body.text("encryptor");
        body.positive(keyring.map_or(0, |_| AES_BLAKE3.into()));
        body.text("compressor");
        body.positive(self.compressor.into());
        body.text("serializer");
        body.positive(self.serializer.into());
        let mut bytes = body.finish();
        if let Some(keyring) = keyring {
            let mac = keyring.record_mac(&bytes);
            bytes.extend(mac.as_bytes());
        }
        bytes.extend(blake3::hash(&bytes).as_bytes());
        bytes.into()
    }

    /// Reads a record: damage is `CORRUPT`, a format of later versions `UNSUPPORTED_FORMAT`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Unchecked> {
        let (checked, hash) = bytes.split_last_chunk::<32>().ok_or_else(corrupt)?;
        if blake3::hash(checked) != *hash {
            return Err(corrupt());
        }
        let mut reader = Reader::new(checked);
        let body = reader.item().ok().filter(|body| cbor::check(body).is_ok()).ok_or_else(corrupt)?;
        let entries = entries(body).ok_or_else(corrupt)?;
        if entries.format != FORMAT {
            let message =
                format!("the store is of format {}, this version reads {FORMAT}; use a newer version", entries.format);
            return Err(Error::new(ErrorKind::UnsupportedFormat, message));
        }
        let record = entries.record.ok_or_else(corrupt)?;
        let mac = match (entries.encryptor, reader.rest()) {
            (0, []) if record.slots.is_empty() => None,
            (id, mac) if id == u64::from(AES_BLAKE3) && (1..=MAX_SLOTS).contains(&record.slots.len()) => {
                Some(mac.try_into().map_err(|_| corrupt())?)
            }
            (0, _) => return Err(corrupt()),
            (id, _) if id != u64::from(AES_BLAKE3) => {
                let message = format!("the store was written with encryptor {id}, which this version does not have");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
            _ => return Err(corrupt()),
        };
        Ok(Unchecked { record, body: Bytes::copy_from_slice(body), mac })
    }
}

impl Unchecked {
    /// Whether the blobs of its store can be read with these keys as they are, where there are any.
    pub fn is_of(&self, keyring: Option<&Keyring>) -> bool {
        match (self.mac, keyring) {
            (None, None) => true,
            (Some(mac), Some(keyring)) => self.record.id == keyring.id() && keyring.record_mac(&self.body) == mac,
            _ => false,
        }
    }

    /// The record, if these keys wrote it; `AUTHENTICATION` if not.
    pub fn written_with(self, keyring: &Keyring) -> Result<Record> {
        if self.is_of(Some(keyring)) { Ok(self.record) } else { Err(forged()) }
    }

    /// Whether its store is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.mac.is_some()
    }

    /// The id that it says.
    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    pub fn id(&self) -> Uuid {
        self.record.id
    }

    /// The record of a plain store, for one who has no key; `WRONG_KEY` if the store is encrypted.
    pub fn plain(self) -> Result<Record> {
        match self.mac {
            None => Ok(self.record),
            Some(_) => Err(Error::new(ErrorKind::WrongKey, "the store is encrypted, and no key was given")),
        }
    }

    /// The record and its keys, if this key opens one of its slots; `WRONG_KEY` if not. A record that the store's own key did
    /// not write, and a plain one, are `AUTHENTICATION`.
    pub async fn open(self, secret: &Secret) -> Result<(Record, Keyring)> {
        let mac = self.mac.ok_or_else(|| {
            Error::new(
                ErrorKind::Authentication,
                "a key was given, and the store is not encrypted, or somebody put the record of another in its place; leave the key out if it never was encrypted",
            )
        })?;
        for slot in &self.record.slots {
            let Some(keyring) = slot.open(self.record.id, secret).await? else { continue };
            // Hashes are compared in constant time.
            if keyring.record_mac(&self.body) != mac {
                return Err(forged());
            }
            return Ok((self.record, keyring));
        }
        Err(Error::new(ErrorKind::WrongKey, "the key does not open this store; it has another, or is another store's"))
    }
}

fn forged() -> Error {
    let message = "the store's record is not what the store wrote; restore konserve.store from a backup";
    Error::new(ErrorKind::Authentication, message)
}

fn corrupt() -> Error {
    Error::new(
        ErrorKind::Corrupt,
        "the store's record konserve.store is damaged; restore it from a backup, the values need it",
    )
}

struct Entries {
    format: u64,
    encryptor: u64,
    /// Where every entry is there and right.
    record: Option<Record>,
}

fn entries(body: &[u8]) -> Option<Entries> {
    let (mut id, mut sealed, mut numbers, mut slots) = (None, false, [None; 5], Vec::new());
    for (name, value) in crate::meta::pairs(body) {
        let mut value = Reader::new(value);
        let at = match name {
            b"\x62id" => {
                id = byte_string(&mut value)?.try_into().ok().map(Uuid::from_bytes);
                continue;
            }
            b"\x65slots" => {
                let Ok(Head::Array(len)) = value.head() else { return None };
                for _ in 0..len {
                    slots.push(Slot(Bytes::copy_from_slice(byte_string(&mut value)?)));
                }
                continue;
            }
            b"\x66layout" => {
                let Ok(Head::Text(len)) = value.head() else { return None };
                sealed = value.take(len).ok()? == LAYOUT;
                continue;
            }
            b"\x66format" => 0,
            b"\x69encryptor" => 1,
            b"\x67created" => 2,
            b"\x6aserializer" => 3,
            b"\x6acompressor" => 4,
            _ => continue,
        };
        let Ok(Head::Positive(n)) = value.head() else { return None };
        *numbers.get_mut(at)? = Some(n);
    }
    let [format, encryptor, created, serializer, compressor] = numbers;
    let byte = |n: Option<u64>| n.and_then(|n| u8::try_from(n).ok());
    let record = match (id, created, byte(serializer), byte(compressor)) {
        (Some(id), Some(created), Some(serializer), Some(compressor)) if sealed => {
            Some(Record { id, created, serializer, compressor, slots })
        }
        _ => None,
    };
    Some(Entries { format: format?, encryptor: encryptor?, record })
}

fn byte_string<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    match reader.head() {
        Ok(Head::Bytes(len)) => reader.take(len).ok(),
        _ => None,
    }
}
