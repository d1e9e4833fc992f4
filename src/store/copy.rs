//! Copying into another store, whatever its layout, codecs or names.

use bytes::Bytes;

use super::{
    Store,
    blobs::{Blobs, Loaded},
    intake::{Existing, Imported, Intake},
};
use crate::{
    backing::Blob,
    cbor::{Head, Reader},
    error::Result,
    layout,
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
        let mut blobs = Blobs::of(self);
        while let Some(group) = blobs.next().await? {
            for (name, found) in group {
                let Loaded::Whole(blob) = found? else { continue };
                let (meta, value) = self.check(name, blob)?;
                if meta.is_expired(self.now()) {
                    intake.skip();
                } else {
                    let (name, blob) = intake.store.encoded(meta, value)?;
                    intake.add(name, blob).await?;
                }
            }
            progress(intake.entries())?;
        }
        Ok(())
    }

    /// A value as this store writes it, under the metadata it has.
    fn encoded(&self, meta: Meta, value: Bytes) -> Result<(BlobName, Blob)> {
        let name = meta.key.name();
        let value = if meta.kind == Kind::Binary { content(&value) } else { value };
        let encoded = self.inner.codec.encode(meta.kind, value).map_err(|error| error.at_key(meta.key.as_cbor()))?;
        let meta = Meta { size: encoded.size, digest: layout::digest(&encoded.section), ..meta };
        Ok((name, layout::seal(name, encoded.codecs, &meta, encoded.section)?))
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
