//! Reads the export form from chunks of any size.

use bytes::{Bytes, BytesMut};

use super::{
    LayoutName,
    binary_writer::PIECE,
    export::{END, MAGIC},
};
use crate::{
    backing::Blob,
    error::{Error, ErrorKind, Result},
    layout::{HEADER_LEN, MAX_META_LEN},
    name::BlobName,
    record::{Record, Unchecked},
};

/// The length of a name and a number: what an entry begins with, and what stands at the end.
const ENTRY_LEN: usize = 24;
/// Records are far shorter.
const MAX_RECORD_LEN: u32 = 64 * 1024;

/// What was read.
pub(super) enum Entry {
    /// The record of the store that was exported.
    Record(Unchecked),
    /// A blob.
    Whole(BlobName, Blob),
    /// The head of a blob that comes in pieces, and the length of its value section.
    Large(BlobName, Bytes, u64),
    /// The next bytes of its value section, and whether they are the last.
    Piece(Bytes, bool),
}

/// What comes next.
#[derive(Clone, Copy)]
enum At {
    Start,
    Record(usize),
    Entry,
    Blob(BlobName, usize),
    /// The header of a large blob of this length.
    Header(BlobName, u64),
    /// Its head of this length, of a blob of that length.
    Head(BlobName, usize, u64),
    /// So many bytes of its value section.
    Section(BlobName, u64),
    Hash,
    Over,
    Failed,
}

/// Checks the frame of an export; what is inside the blobs is not its concern.
pub(super) struct ExportReader {
    buffer: BytesMut,
    hasher: blake3::Hasher,
    at: At,
    entries: u64,
    last: Option<BlobName>,
    /// Longer blobs, in bytes, come in pieces.
    max_whole: u64,
    /// That of the blobs which are wanted.
    layout: LayoutName,
}

impl ExportReader {
    /// For an export of blobs in this layout. Blobs longer than this, in bytes, come in pieces.
    pub(super) fn new(max_whole: u64, layout: LayoutName) -> Self {
        Self {
            buffer: BytesMut::new(),
            hasher: blake3::Hasher::new(),
            at: At::Start,
            entries: 0,
            last: None,
            max_whole,
            layout,
        }
    }

    /// More bytes.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next entry; `None` if that takes more bytes. After an error there is none.
    pub(super) fn next(&mut self) -> Result<Option<Entry>> {
        let next = self.advance();
        if next.is_err() {
            self.fail();
        }
        next
    }

    /// Reads nothing any more.
    pub(super) fn fail(&mut self) {
        self.at = At::Failed;
    }

    /// That nothing is missing at the end.
    pub(super) fn finish(&self) -> Result<()> {
        match self.at {
            At::Over if self.buffer.is_empty() => Ok(()),
            _ => Err(self.damaged("it is cut short")),
        }
    }

    /// An error of the entry that was read last, with its place.
    pub(super) fn in_entry(&self, name: BlobName, error: &Error) -> Error {
        let place = format!("in entry {} (blob {name})", self.entries);
        let placed = if error.kind() == ErrorKind::Corrupt {
            damaged(&place, "it is not what was written")
        } else {
            Error::new(error.kind(), format!("importing, {place}: {}", error.message()))
        };
        match error.key() {
            Some(key) => placed.at_key(key),
            None => placed,
        }
    }

    /// Where the reader is, in words.
    fn place(&self) -> String {
        match self.at {
            At::Start | At::Record(_) => "before its first entry".to_owned(),
            At::Entry => format!("after entry {}", self.entries),
            At::Blob(name, _) | At::Header(name, _) | At::Head(name, ..) => {
                format!("in entry {} (blob {name})", self.entries + 1)
            }
            At::Section(name, _) => format!("in entry {} (blob {name})", self.entries),
            At::Hash | At::Over => "at its end".to_owned(),
            At::Failed => "before".to_owned(),
        }
    }

    fn advance(&mut self) -> Result<Option<Entry>> {
        loop {
            let len = match self.at {
                At::Start => MAGIC.len() + 4,
                At::Record(len) | At::Blob(_, len) | At::Head(_, len, _) => len,
                At::Header(..) => HEADER_LEN,
                At::Section(name, left) => return Ok(self.piece(name, left)),
                At::Entry => ENTRY_LEN,
                At::Hash => blake3::OUT_LEN,
                At::Over if self.buffer.is_empty() => return Ok(None),
                At::Over => return Err(self.damaged("more follows")),
                At::Failed => return Err(Error::new(ErrorKind::Backend, "this import failed before; begin another")),
            };
            if self.buffer.len() < len {
                return Ok(None);
            }
            if let At::Header(name, whole) = self.at {
                self.at = At::Head(name, self.head_len(whole)?, whole);
                continue;
            }
            let bytes = self.buffer.split_to(len);
            match self.at {
                At::Hash if *bytes != *self.hasher.finalize().as_bytes() => {
                    return Err(self.damaged("its hash is that of other bytes"));
                }
                At::Hash => self.at = At::Over,
                _ => {
                    if let Some(entry) = self.take(&bytes)? {
                        return Ok(Some(entry));
                    }
                    self.hasher.update(&bytes);
                }
            }
        }
    }

    /// The next bytes of a large blob.
    fn piece(&mut self, name: BlobName, left: u64) -> Option<Entry> {
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len()).min(PIECE);
        if len == 0 && left > 0 {
            return None;
        }
        let piece = self.buffer.split_to(len).freeze();
        self.hasher.update(&piece);
        let left = left - len as u64;
        self.at = if left == 0 { At::Entry } else { At::Section(name, left) };
        Some(Entry::Piece(piece, left == 0))
    }

    /// How long the head of a large blob is, of which the header waits.
    fn head_len(&self, whole: u64) -> Result<usize> {
        let len = Blob::head_len(&self.buffer).filter(|len| *len <= HEADER_LEN + MAX_META_LEN && *len as u64 <= whole);
        len.ok_or_else(|| self.damaged("its lengths do not add up"))
    }

    fn take(&mut self, bytes: &[u8]) -> Result<Option<Entry>> {
        match self.at {
            At::Start => self.at = self.start(bytes)?,
            At::Record(_) => {
                let record = self.record(bytes)?;
                self.hasher.update(bytes);
                self.at = At::Entry;
                return Ok(Some(Entry::Record(record)));
            }
            At::Blob(name, _) => {
                self.hasher.update(bytes);
                self.entries += 1;
                self.at = At::Entry;
                return Ok(Some(Entry::Whole(name, Blob::split(Bytes::copy_from_slice(bytes)))));
            }
            At::Head(name, len, whole) => {
                self.hasher.update(bytes);
                self.entries += 1;
                let rest = whole - len as u64;
                self.at = At::Section(name, rest);
                return Ok(Some(Entry::Large(name, Bytes::copy_from_slice(bytes), rest)));
            }
            _ => self.entry(bytes)?,
        }
        Ok(None)
    }

    /// What comes after the first bytes.
    fn start(&self, bytes: &[u8]) -> Result<At> {
        let (magic, len) = bytes.split_last_chunk().unwrap_or((bytes, &[0; 4]));
        if magic != MAGIC {
            return Err(if magic.starts_with(MAGIC.strip_suffix(b"1").unwrap_or(MAGIC)) {
                Error::new(ErrorKind::UnsupportedFormat, "the export is of another version; use a newer konserve")
            } else {
                Error::new(ErrorKind::Corrupt, "this is no export of konserve, or its first bytes are damaged")
            });
        }
        let len = u32::from_be_bytes(*len);
        if (len > 0) != (self.layout == LayoutName::Sealed) {
            let message = "the export is of a store in the other layout, and the blobs of Clojure's konserve are not those of the sealed one; import it into a store in its own layout, and copy that with copyTo (copy_to) or konserve convert";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        match len {
            0 => Ok(At::Entry),
            len if len > MAX_RECORD_LEN => Err(self.damaged("its record is too long")),
            len => Ok(At::Record(len as usize)),
        }
    }

    fn record(&self, bytes: &[u8]) -> Result<Unchecked> {
        Record::from_bytes(bytes).map_err(|error| match error.kind() {
            ErrorKind::Corrupt => self.damaged("its record is not what was written"),
            _ => error,
        })
    }

    /// What an entry begins with, or the end.
    fn entry(&mut self, bytes: &[u8]) -> Result<()> {
        let (name, len) = bytes.split_last_chunk().unwrap_or((bytes, &[0; 8]));
        let (name, len) = (name.first_chunk().copied().unwrap_or(END), u64::from_be_bytes(*len));
        if name == END {
            self.at = At::Hash;
            return if len == self.entries { Ok(()) } else { Err(self.damaged("entries are missing")) };
        }
        let name = BlobName::from_bytes(name);
        self.at = match usize::try_from(len) {
            Ok(whole) if len <= self.max_whole => At::Blob(name, whole),
            _ => At::Header(name, len),
        };
        if self.last.replace(name).is_some_and(|last| last >= name) {
            return Err(self.damaged("its name is not above the one before"));
        }
        Ok(())
    }

    fn damaged(&self, what: &str) -> Error {
        damaged(&self.place(), what)
    }
}

fn damaged(place: &str, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the export is damaged {place}: {what}; import another copy of it"))
}
