//! Copying into another store, whatever its layout, codecs or names.

use bytes::Bytes;

use super::{
    Store,
    blobs::{Blobs, Loaded},
    intake::{Existing, Imported, Intake},
};
use crate::{
    backing::{Blob, Capability},
    cbor::{Head, Reader},
    codec::{STREAMED, too_long},
    error::Result,
    meta::{Kind, Meta},
    name::BlobName,
};

impl Store {
    /// Copies everything into another store: keys, values, metadata, times of expiry and of the last write. Values are
    /// decoded and written as that store writes. `progress` is told how many entries were copied so far. What failed
    /// half way can be done again: what is there already is passed over.
    pub async fn copy_to(&self, other: &Self, existing: Existing, mut progress: impl FnMut(u64)) -> Result<Imported> {
        self.copy_all(other, existing, |copied| {
            progress(copied);
            Ok(())
        })
        .await
    }

    /// An error of `progress` ends it.
    pub(crate) async fn copy_all(
        &self,
        other: &Self,
        existing: Existing,
        progress: impl FnMut(u64) -> Result<()>,
    ) -> Result<Imported> {
        let (_from, _to) = (self.inner.gate.enter()?, other.inner.gate.enter()?);
        let mut intake = Intake::new(other, existing);
        let copied = match self.copy_into(&mut intake, progress).await {
            Ok(()) => intake.flush().await,
            failed => failed,
        };
        match copied {
            Ok(()) => Ok(intake.done),
            Err(error) => Err(intake.stop(error).await),
        }
    }

    async fn copy_into(&self, intake: &mut Intake, mut progress: impl FnMut(u64) -> Result<()>) -> Result<()> {
        let mut blobs = Blobs::but_large(self, &intake.store);
        while let Some(group) = blobs.next().await? {
            for (name, found) in group {
                match found? {
                    Loaded::Whole(blob) => self.copy_blob(name, blob, intake).await?,
                    Loaded::Large => self.copy_large(name, intake).await?,
                    Loaded::Gone => {}
                }
            }
            progress(intake.entries())?;
        }
        Ok(())
    }

    async fn copy_blob(&self, name: BlobName, blob: Blob, intake: &mut Intake) -> Result<()> {
        let (meta, value) = self.check(name, blob)?;
        if meta.is_expired(self.now()) {
            intake.skip();
            return Ok(());
        }
        let key = meta.key.clone();
        #[cfg(feature = "clojure")]
        match meta.kind {
            Kind::LogElement | Kind::Log if self.keeps_logs_otherwise(&intake.store) => {
                return self.copy_log(meta, intake).await.map_err(|error| error.at_key(key.as_cbor()));
            }
            // Where logs are chains, the name of an element is not its key's.
            Kind::LogElement => {
                let name = intake.store.element_name(name, &key)?;
                return intake.add(name, intake.store.encoded(name, meta, value)?).await;
            }
            _ => {}
        }
        let encoded =
            intake.store.find(&key).await.and_then(|name| Ok((name, intake.store.encoded(name, meta, value)?)));
        let (name, blob) = encoded.map_err(|error| error.at_key(key.as_cbor()))?;
        intake.add(name, blob).await
    }

    /// Copies a binary piece by piece, where it is not compressed and the other store takes pieces.
    async fn copy_large(&self, name: BlobName, intake: &mut Intake) -> Result<()> {
        let Some(mut section) = self.section(name).await? else { return Ok(()) };
        let Capability { streams, .. } = intake.store.inner.backing.capability();
        if !streams || section.codecs.compressor != STREAMED.compressor {
            let (size, limit) = (section.meta.size.unwrap_or_default(), intake.store.inner.layout.max_len());
            if size > limit {
                return Err(too_long(size, limit).at_key(section.meta.key.as_cbor()));
            }
            drop(section);
            return match self.blob(name).await? {
                Some(blob) => self.copy_blob(name, blob, intake).await,
                None => Ok(()),
            };
        }
        let meta = section.meta.clone();
        let name = intake.store.find(&meta.key).await?;
        let head = intake.store.inner.layout.stream_head(name, &meta)?;
        let Some(mut inflow) = intake.begin(name, head, meta).await? else { return Ok(()) };
        while let Some(piece) = section.next().await? {
            inflow.add(piece).await?;
        }
        intake.finish(inflow).await
    }

    /// A value as this store writes it, under the metadata it has.
    pub(super) fn encoded(&self, name: BlobName, meta: Meta, value: Bytes) -> Result<Blob> {
        let value = if meta.kind == Kind::Binary { content(&value) } else { value };
        let encoded = self.inner.layout.encode(meta.kind, value).map_err(|error| error.at_key(meta.key.as_cbor()))?;
        self.inner.layout.seal(name, meta, encoded)
    }
}

/// The bytes of a byte string.
fn content(item: &Bytes) -> Bytes {
    let mut reader = Reader::new(item);
    match reader.head().and_then(|head| if let Head::Bytes(len) = head { reader.take(len) } else { Ok(&[]) }) {
        Ok(bytes) => item.slice_ref(bytes),
        Err(_) => Bytes::new(),
    }
}
