//! A store as one stream of bytes: `"konserve-export1" ‖ u32 length ‖ record ‖ (name 16 ‖ u64 length ‖ blob)…,
//! ascending ‖ 16 zero bytes ‖ u64 count ‖ H(all before)`.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    Store,
    blobs::{Blobs, Found, Loaded},
};
use crate::{
    backing::Blob,
    error::{Error, ErrorKind, Result},
    layout,
    name::BlobName,
};

/// The first bytes of every export.
pub(super) const MAGIC: &[u8; 16] = b"konserve-export1";
/// In the place of a name: no entry follows.
pub(super) const END: [u8; 16] = [0; 16];

/// Values of so many bytes are a chunk of their own, and are not copied.
const OWN_CHUNK: usize = 64 * 1024;

/// An export under way, chunk by chunk; see [`Store::export`].
pub struct Export {
    store: Store,
    blobs: Blobs,
    hasher: blake3::Hasher,
    entries: u64,
    last: Option<BlobName>,
    at: At,
    /// Filled, and not yet a chunk.
    open: BytesMut,
    chunks: VecDeque<Bytes>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Entries,
    Over,
}

impl Store {
    /// All that the store holds, in the format's export form, to be kept or [imported](Store::import) elsewhere. Blobs
    /// are as stored, and each is checked: one that is damaged ends the export with an error that names it. What has
    /// expired is left out. Like a listing it is no snapshot: each entry is consistent, what is written meanwhile may
    /// be in it or not.
    pub fn export(&self) -> Result<Export> {
        drop(self.inner.gate.enter()?);
        Ok(Export {
            store: self.clone(),
            blobs: Blobs::of(self),
            hasher: blake3::Hasher::new(),
            entries: 0,
            last: None,
            at: At::Start,
            open: BytesMut::new(),
            chunks: VecDeque::new(),
        })
    }
}

impl Export {
    /// The next bytes, never none; `None` after the last. After an error the export is over.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        while self.chunks.is_empty() && self.at != At::Over {
            let _pass = self.store.inner.gate.enter()?;
            // What fails is not tried again.
            let at = std::mem::replace(&mut self.at, At::Over);
            self.at = match at {
                At::Start => self.start().await?,
                At::Entries | At::Over => match self.blobs.next().await? {
                    Some(group) => self.group(group)?,
                    None => self.end(),
                },
            };
        }
        Ok(self.chunks.pop_front())
    }

    /// How many entries the chunks so far hold.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// About how much of the store the chunks so far hold, from 0 to 1. Names are hashes, so they are spread evenly.
    pub fn fraction(&self) -> f64 {
        match (self.at, self.last.map(|name| *name.as_bytes())) {
            (At::Over, _) => 1.0,
            (_, Some([a, b, ..])) => f64::from(u16::from_be_bytes([a, b])) / f64::from(u16::MAX),
            (_, None) => 0.0,
        }
    }

    async fn start(&mut self) -> Result<At> {
        let record = self.store.inner.backing.record().await?;
        let record = record.and_then(|record| Some((u32::try_from(record.len()).ok()?, record)));
        let (len, record) = record.ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, "exporting: the store's record is lost; restore it from a backup")
        })?;
        self.open.put_slice(MAGIC);
        self.open.put_u32(len);
        self.open.put_slice(&record);
        self.close_chunk();
        Ok(At::Entries)
    }

    fn group(&mut self, group: Vec<Found>) -> Result<At> {
        for (name, found) in group {
            let Loaded::Whole(blob) = found? else { continue };
            let (_, meta) = layout::open(name, None, &blob.head)?;
            layout::open_value(name, &meta, &blob.value).map_err(|error| error.at_key(meta.key.as_cbor()))?;
            if !meta.is_expired(self.store.now()) {
                self.entry(name, blob);
            }
        }
        self.close_chunk();
        Ok(At::Entries)
    }

    fn entry(&mut self, name: BlobName, Blob { head, value }: Blob) {
        self.entries += 1;
        self.last = Some(name);
        self.open.put_slice(name.as_bytes());
        self.open.put_u64((head.len() + value.len()) as u64);
        self.open.put_slice(&head);
        if value.len() < OWN_CHUNK {
            self.open.put_slice(&value);
        } else {
            self.close_chunk();
            self.chunk(value);
        }
    }

    fn end(&mut self) -> At {
        self.open.put_slice(&END);
        self.open.put_u64(self.entries);
        self.hasher.update(&self.open);
        self.open.put_slice(self.hasher.finalize().as_bytes());
        self.close_chunk();
        At::Over
    }

    fn close_chunk(&mut self) {
        let chunk = std::mem::take(&mut self.open).freeze();
        self.chunk(chunk);
    }

    fn chunk(&mut self, chunk: Bytes) {
        self.hasher.update(&chunk);
        self.chunks.extend(Some(chunk).filter(|chunk| !chunk.is_empty()));
    }
}
