//! The record of a store: what it is, kept beside its blobs. `body ‖ H(body)`.

use bytes::Bytes;

use crate::{
    cbor::{self, Head, Reader, Writer},
    error::{Error, ErrorKind, Result},
    name::Uuid,
};

const FORMAT: u64 = 1;
const LAYOUT: &[u8] = b"sealed";

/// What a store says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The store's own id.
    pub id: Uuid,
    /// When it was made, in milliseconds since 1970.
    pub created: u64,
    /// The serializer for writing.
    pub serializer: u8,
    /// The compressor for writing.
    pub compressor: u8,
}

impl Record {
    /// The bytes of the record.
    pub fn to_bytes(self) -> Bytes {
        let mut body = Writer::new();
        body.map(7);
        body.text("id");
        body.bytes(self.id.as_bytes());
        body.text("format");
        body.positive(FORMAT);
        body.text("layout");
        body.text("sealed");
        body.text("created");
        body.positive(self.created);
        body.text("encryptor");
        body.positive(0);
        body.text("compressor");
        body.positive(self.compressor.into());
        body.text("serializer");
        body.positive(self.serializer.into());
        let mut bytes = body.finish();
        bytes.extend(blake3::hash(&bytes).as_bytes());
        bytes.into()
    }

    /// Reads a record: damage is `CORRUPT`, a format of later versions `UNSUPPORTED_FORMAT`, an encrypted store `WRONG_KEY`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let corrupt = || {
            Error::new(
                ErrorKind::Corrupt,
                "the store's record konserve.store is damaged; restore it from a backup, the values need it",
            )
        };
        let (body, hash) = bytes.split_last_chunk::<32>().ok_or_else(corrupt)?;
        if blake3::hash(body) != *hash {
            return Err(corrupt());
        }
        let entries = entries(body).ok_or_else(corrupt)?;
        if entries.format != FORMAT {
            let message =
                format!("the store is of format {}, this version reads {FORMAT}; use a newer version", entries.format);
            return Err(Error::new(ErrorKind::UnsupportedFormat, message));
        }
        if entries.encryptor != 0 {
            return Err(Error::new(ErrorKind::WrongKey, "the store is encrypted, and no key was given"));
        }
        entries.record.ok_or_else(corrupt)
    }
}

struct Entries {
    format: u64,
    encryptor: u64,
    /// Where every entry of a plain record is there and right.
    record: Option<Record>,
}

fn entries(body: &[u8]) -> Option<Entries> {
    // An encrypted record is followed by a mac: only the first item is the body.
    let mut reader = Reader::new(body);
    let body = reader.item().ok()?;
    cbor::check(body).ok()?;
    let encrypted = !reader.rest().is_empty();
    let (mut id, mut sealed, mut numbers) = (None, false, [None; 5]);
    for (name, value) in crate::meta::pairs(body) {
        let mut value = Reader::new(value);
        let at = match name {
            b"\x62id" => {
                let Ok(Head::Bytes(16)) = value.head() else { return None };
                id = value.take(16).ok()?.try_into().ok().map(Uuid::from_bytes);
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
        (Some(id), Some(created), Some(serializer), Some(compressor)) if sealed && !encrypted => {
            Some(Record { id, created, serializer, compressor })
        }
        _ => None,
    };
    Some(Entries { format: format?, encryptor: encryptor?, record })
}
