//! All blobs of a store as they lie there, for tools that show or compare them.

use bytes::Bytes;

use super::{
    Store,
    blobs::{Blobs, Loaded},
    gate::Pass,
};
use crate::{backing::Blob, codec::too_long, error::Result, meta::Meta, name::BlobName};

/// All blobs of a store by ascending name, page by page: also elements of logs, and what has expired. It is no snapshot.
pub struct Dump {
    store: Store,
    blobs: Blobs,
    _pass: Pass,
}

/// What a blob holds.
#[derive(Clone, Debug)]
pub struct Dumped {
    /// Its metadata.
    pub meta: Meta,
    /// Its metadata as a map of Clojure's, as CBOR: in konserve's layout as it is stored, in the sealed layout as konserve
    /// would have it.
    pub map: Bytes,
    /// Its value as CBOR: a binary is a byte string, the head of a log and an element are what the layout makes of them.
    pub value: Bytes,
}

/// Blobs, and what they hold, or why that cannot be read.
pub type DumpPage = Vec<(BlobName, Result<Dumped>)>;

impl Store {
    /// Lists all blobs with what they hold. One that cannot be read is an error in its place.
    pub fn dump(&self) -> Result<Dump> {
        let pass = self.inner.gate.enter()?;
        Ok(Dump { store: self.clone(), blobs: Blobs::but_large(self, self), _pass: pass })
    }

    fn dumped(&self, name: BlobName, blob: Blob) -> Result<Dumped> {
        let head = blob.head.clone();
        let (meta, value) = self.check(name, blob)?;
        let map = self.inner.layout.clojure_meta(name, &meta, &head)?;
        Ok(Dumped { meta, map, value })
    }

    /// A binary, unless it is longer than what is held in memory.
    async fn dumped_large(&self, name: BlobName) -> Result<Option<Dumped>> {
        let Some((meta, content)) = self.find_binary(name, None).await? else { return Ok(None) };
        let (len, limit) = (content.len(), self.inner.layout.max_len());
        if len > limit {
            return Err(too_long(len, limit).at_key(meta.key.as_cbor()));
        }
        drop(content);
        self.blob(name).await?.map(|blob| self.dumped(name, blob)).transpose()
    }
}

impl Dump {
    /// The next blobs; `None` after the last.
    pub async fn next_page(&mut self) -> Result<Option<DumpPage>> {
        let Some(group) = self.blobs.next().await? else { return Ok(None) };
        let mut page = Vec::with_capacity(group.len());
        for (name, found) in group {
            let dumped = match found {
                Ok(Loaded::Whole(blob)) => self.store.dumped(name, blob).map(Some),
                Ok(Loaded::Large) => self.store.dumped_large(name).await,
                Ok(Loaded::Gone) => Ok(None),
                Err(error) => Err(error),
            };
            page.extend(dumped.transpose().map(|dumped| (name, dumped)));
        }
        Ok(Some(page))
    }
}
