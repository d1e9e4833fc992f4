//! Streams: they go to the back and come from there. What is small is copied to the front on its way.

use std::sync::Arc;

use bytes::Bytes;

use super::task::finishing;
use super::{Blob, BlobName, BlobReader, BlobWriter, Mode, Part, Tiers};
use crate::{env::BoxFut, error::Result};

/// What is streamed is copied to the front up to this length, in bytes.
const SMALL: u64 = 1024 * 1024;

impl Tiers {
    pub(super) async fn write_stream(self: Arc<Self>, name: BlobName, head_len: usize) -> Result<Box<dyn BlobWriter>> {
        let inner = self.back.write_stream(name, head_len).await?;
        Ok(Box::new(Writer { tiers: self, name, inner }))
    }

    pub(super) async fn read_stream(self: Arc<Self>, name: BlobName) -> Result<Option<Box<dyn BlobReader>>> {
        let whole = |blob| Ok(Some(Box::new(Whole(blob)) as Box<dyn BlobReader>));
        let (found, _) = self.look(&[name], Part::All).await?;
        if let Some(blob) = found.into_iter().next().flatten() {
            return whole(blob);
        }
        match self.back.read_stream(name).await? {
            Some(reader) if reader.value_len() > SMALL => Ok(Some(reader)),
            Some(_) => match self.read(vec![name], Part::All).await?.into_iter().next().flatten() {
                Some(blob) => whole(blob),
                None => Ok(None),
            },
            None => Ok(None),
        }
    }
}

struct Writer {
    tiers: Arc<Tiers>,
    name: BlobName,
    inner: Box<dyn BlobWriter>,
}

impl BlobWriter for Writer {
    fn write(&mut self, bytes: Bytes) -> BoxFut<'_, Result<()>> {
        self.inner.write(bytes)
    }

    fn sync(&mut self) -> BoxFut<'_, Result<()>> {
        self.inner.sync()
    }

    fn finish(self: Box<Self>, head: Bytes) -> BoxFut<'static, Result<()>> {
        Box::pin(async move {
            let Self { tiers, name, inner } = *self;
            let alone = tiers.locks.lock(name, Mode::Exclusive).await;
            finishing(async move {
                let _alone = alone;
                let begun = tiers.begin(vec![name]).await;
                let finished = inner.finish(head).await;
                tiers.end(begun, None).await;
                finished
            })
            .await
        })
    }

    fn abort(self: Box<Self>) -> BoxFut<'static, Result<()>> {
        self.inner.abort()
    }
}

/// A blob that is in memory.
struct Whole(Blob);

impl BlobReader for Whole {
    fn head(&self) -> Bytes {
        self.0.head.clone()
    }

    fn value_len(&self) -> u64 {
        self.0.value.len() as u64
    }

    fn read(&mut self, at: u64, len: usize) -> BoxFut<'_, Result<Bytes>> {
        let all = self.0.value.len();
        let from = usize::try_from(at).unwrap_or(all).min(all);
        let piece = self.0.value.slice(from..from.saturating_add(len).min(all));
        Box::pin(std::future::ready(Ok(piece)))
    }
}
