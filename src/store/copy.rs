//! Copying into another store, whatever its layout, codecs or names.

use bytes::Bytes;

use super::{
    Store,
    binary_reader::Content,
    blobs::{Blobs, Loaded, MAX_LOADED},
    intake::{Existing, Imported, Intake},
    stored::Pieces,
};
use crate::{
    backing::{Blob, Capability},
    cbor::{Head, Reader},
    codec::too_long,
    error::{Error, ErrorKind, Result},
    meta::{Kind, Meta},
    name::BlobName,
};

impl Store {
    /// Copies everything into another store: keys, values, metadata, times of expiry and of the last write. Values are
    /// decoded and written as that store writes; logs are kept as that store keeps them. `progress` is told how many entries
    /// were copied so far. What failed half way can be done again: what is there already is passed over.
    ///
    /// What cannot be read, or cannot be written in the layout of the other store, is left out; the error then comes after
    /// the rest was copied, and names the first.
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
            Ok(()) => intake.finished(),
            Err(error) => Err(intake.stop(error).await),
        }
    }

    async fn copy_into(&self, intake: &mut Intake, mut progress: impl FnMut(u64) -> Result<()>) -> Result<()> {
        let mut blobs = Blobs::but_large(self, &intake.store);
        while let Some(group) = blobs.next().await? {
            for (name, found) in group {
                let copied = match found {
                    Ok(Loaded::Whole(blob)) => self.copy_blob(name, blob, intake, &mut progress).await,
                    Ok(Loaded::Large) => self.copy_large(name, intake, &mut progress).await,
                    Ok(Loaded::Gone) => Ok(()),
                    Err(error) => Err(error),
                };
                match copied {
                    Err(error) if is_of_entry(&error) => intake.refuse(name, error),
                    copied => copied?,
                }
            }
            progress(intake.entries())?;
        }
        Ok(())
    }

    async fn copy_blob(
        &self,
        name: BlobName,
        blob: Blob,
        intake: &mut Intake,
        progress: &mut impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let (meta, value) = self.check(name, blob)?;
        if meta.is_expired(self.now()) {
            intake.skip();
            return Ok(());
        }
        let key = meta.key.clone();
        let at_key = |error: Error| error.at_key(key.as_cbor());
        #[cfg(feature = "clojure")]
        if !self.inner.layout.is_like(&intake.store.inner.layout) {
            match meta.kind {
                Kind::Log => {
                    let name = self.name_in(intake, name, &meta).await.map_err(at_key)?;
                    return self.copy_log(name, meta, &value, intake, progress).await.map_err(at_key);
                }
                // It comes with its log.
                Kind::LogElement => return Ok(()),
                Kind::Value | Kind::Binary => {}
            }
        }
        #[cfg(not(feature = "clojure"))]
        let _ = progress;
        let encoded = self.encoded(name, meta, value, intake).await;
        let (name, blob) = encoded.map_err(at_key)?;
        intake.add(name, blob).await
    }

    /// Copies a binary piece by piece, where it is stored as it is and the other store takes pieces.
    async fn copy_large(
        &self,
        name: BlobName,
        intake: &mut Intake,
        progress: &mut impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let Some((mut meta, content)) = self.find_binary(name, None).await? else { return Ok(()) };
        let Content::Stream(mut stored, _) = content else { return self.copy_whole(name, intake, progress).await };
        let at_key = |error: Error, meta: &Meta| error.at_key(meta.key.as_cbor());
        let digest = self.read_through(name, &meta, &mut stored).await.map_err(|error| at_key(error, &meta))?;
        let (Capability { streams, .. }, to) = (intake.store.inner.backing.capability(), intake.store.clone());
        let (size, limit) = (stored.size(), to.inner.layout.max_len());
        if size <= MAX_LOADED.min(limit) || !streams {
            return if size > limit {
                Err(at_key(too_long(size, limit), &meta))
            } else {
                self.copy_whole(name, intake, progress).await
            };
        }
        meta.size = Some(size);
        meta.digest = Some(digest);
        let name = self.name_in(intake, name, &meta).await.map_err(|error| at_key(error, &meta))?;
        let Some(mut inflow) = intake.begin_binary(name, meta.clone()).await? else { return Ok(()) };
        let mut pieces = Pieces::default();
        while let Some(piece) = pieces.next(&mut stored).await? {
            inflow.add(stored.open(piece).await?).await?;
        }
        self.check_binary(name, &meta, &stored, &pieces)?;
        intake.finish(inflow).await
    }

    async fn copy_whole(
        &self,
        name: BlobName,
        intake: &mut Intake,
        progress: &mut impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        match self.blob(name).await? {
            Some(blob) => self.copy_blob(name, blob, intake, progress).await,
            None => Ok(()),
        }
    }

    /// A value of this store as the other writes it, under the metadata it has.
    async fn encoded(&self, name: BlobName, meta: Meta, value: Bytes, intake: &mut Intake) -> Result<(BlobName, Blob)> {
        let (name, layout) = (self.name_in(intake, name, &meta).await?, &intake.store.inner.layout);
        let value = if meta.kind == Kind::Binary { content(&value) } else { value };
        let encoded = layout.encode(meta.kind, value)?;
        Ok((name, layout.seal(name, meta, encoded)?))
    }

    /// The name in the other store of what this one has under a name. In konserve's layout that is the same: an element of a
    /// log does not say which name it has. `INVALID_KEY` where another entry of the copy has it.
    async fn name_in(&self, intake: &mut Intake, name: BlobName, meta: &Meta) -> Result<BlobName> {
        let (layout, others) = (&self.inner.layout, &intake.store.inner.layout);
        if layout.is_like(others) {
            return if layout.has_digests() { others.name(&meta.key) } else { Ok(name) };
        }
        let name = intake.store.find(&meta.key).await?;
        if intake.claim(name) {
            return Ok(name);
        }
        let message = "copying: the layout of the other store takes this key and another for the same, as 1.0 and 1 or [] and [nil]; copy its value by hand, under another key";
        Err(Error::new(ErrorKind::InvalidKey, message))
    }
}

/// Whether the error is that of one entry, beside which others can be copied.
fn is_of_entry(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Corrupt
            | ErrorKind::InvalidKey
            | ErrorKind::InvalidValue
            | ErrorKind::LimitExceeded
            | ErrorKind::Unsupported
            | ErrorKind::WrongKey
    )
}

/// The bytes of a byte string.
fn content(item: &Bytes) -> Bytes {
    let mut reader = Reader::new(item);
    match reader.head().and_then(|head| if let Head::Bytes(len) = head { reader.take(len) } else { Ok(&[]) }) {
        Ok(bytes) => item.slice_ref(bytes),
        Err(_) => Bytes::new(),
    }
}
