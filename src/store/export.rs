//! A store as one stream of bytes: `"konserve-export1" ‖ u32 length ‖ record ‖ (name 16 ‖ u64 length ‖ blob)…,
//! ascending ‖ 16 zero bytes ‖ u64 count ‖ H(all before)`. In konserve's layout there is no record, and its length is 0.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    LayoutName, Store,
    blobs::{Blobs, Found, Loaded},
    section::Section,
};
use crate::{
    backing::{Blob, RecordCopy},
    error::{Error, ErrorKind, Result},
    layout::Digest,
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
    /// What was loaded and is still to come.
    group: VecDeque<Found>,
    /// The large blob that is under way.
    section: Option<Section>,
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
            blobs: Blobs::but_large(self, self),
            hasher: blake3::Hasher::new(),
            entries: 0,
            last: None,
            at: At::Start,
            group: VecDeque::new(),
            section: None,
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
                At::Entries | At::Over => self.go_on().await?,
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
        self.open.put_slice(MAGIC);
        if self.store.layout() == LayoutName::Sealed {
            self.record().await?;
        } else {
            self.open.put_u32(0);
        }
        self.close_chunk();
        Ok(At::Entries)
    }

    async fn record(&mut self) -> Result<()> {
        let record = self.store.inner.backing.record(RecordCopy::First).await?;
        let record = record.and_then(|record| Some((u32::try_from(record.len()).ok()?, record)));
        let (len, record) = record.ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, "exporting: the store's record is lost; restore it from a backup")
        })?;
        self.open.put_u32(len);
        self.open.put_slice(&record);
        Ok(())
    }

    /// The next piece of a large blob, or what was loaded up to the next of those.
    async fn go_on(&mut self) -> Result<At> {
        if let Some(section) = &mut self.section {
            match section.next().await? {
                Some(piece) => self.chunk(piece),
                None => self.section = None,
            }
        } else if self.group.is_empty() {
            match self.blobs.next().await? {
                Some(group) => self.group = group.into(),
                None => return Ok(self.end()),
            }
        } else {
            self.entries_of_group().await?;
        }
        Ok(At::Entries)
    }

    async fn entries_of_group(&mut self) -> Result<()> {
        while let Some((name, found)) = self.group.pop_front() {
            match found? {
                Loaded::Whole(blob) => self.whole(name, blob)?,
                Loaded::Large => {
                    self.begin(name).await?;
                    break;
                }
                Loaded::Gone => {}
            }
        }
        self.close_chunk();
        Ok(())
    }

    fn whole(&mut self, name: BlobName, blob: Blob) -> Result<()> {
        let (layout, Blob { head, value }) = (&self.store.inner.layout, blob.clone());
        let meta = layout.open_head(name, None, &head)?.meta;
        let checked = if layout.has_digests() {
            layout.check_digest(name, &meta, Digest::of(&value))
        } else {
            self.store.check_stored(name, blob)
        };
        checked.map_err(|error| error.at_key(meta.key.as_cbor()))?;
        if meta.is_expired(self.store.now()) {
            return Ok(());
        }
        self.entry(name, &head, value.len() as u64);
        if value.len() < OWN_CHUNK {
            self.open.put_slice(&value);
        } else {
            self.close_chunk();
            self.chunk(value);
        }
        Ok(())
    }

    async fn begin(&mut self, name: BlobName) -> Result<()> {
        let section = self.store.section(name).await?;
        let now = self.store.now();
        if let Some(section) = section.filter(|section| !section.meta.is_expired(now)) {
            self.entry(name, &section.head(), section.len());
            self.section = Some(section);
        }
        Ok(())
    }

    /// What an entry begins with.
    fn entry(&mut self, name: BlobName, head: &[u8], value_len: u64) {
        self.entries += 1;
        self.last = Some(name);
        self.open.put_slice(name.as_bytes());
        self.open.put_u64(head.len() as u64 + value_len);
        self.open.put_slice(head);
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
