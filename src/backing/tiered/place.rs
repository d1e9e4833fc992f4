//! Two places as one.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Backing, Locks, Marks, OnError, Place, Queue, ReadPolicy, RecordCopy, TierSync, Tiered, Tiers, WritePolicy,
};
use crate::{
    env::BoxFut,
    error::{Error, ErrorKind, Result},
};

/// Whether two records are of the same store; an error that says what to do if not.
pub(crate) type SameFn = fn(&Bytes, &Bytes) -> Result<()>;

/// How two places are one.
#[derive(Clone)]
pub(crate) struct TierOptions {
    pub(crate) write: WritePolicy,
    pub(crate) read: ReadPolicy,
    pub(crate) sync: TierSync,
    /// How many blobs may wait for the back.
    pub(crate) queue: usize,
    pub(crate) on_error: Option<OnError>,
    pub(crate) same: SameFn,
    /// The front must know of all writes: nobody else may write, or must tell.
    pub(crate) coherent: bool,
    /// Others who write do tell.
    pub(crate) told: bool,
}

/// Where a store is that is kept in two places.
#[derive(Clone)]
pub(crate) struct TieredPlace {
    pub(crate) front: Arc<dyn Place>,
    pub(crate) back: Arc<dyn Place>,
    pub(crate) options: TierOptions,
}

impl TieredPlace {
    /// Whether the back is not even opened.
    fn is_front_alone(&self) -> bool {
        let TierOptions { write, read, sync, .. } = self.options;
        write == WritePolicy::FrontOnly && read == ReadPolicy::FrontOnly && sync == TierSync::No
    }

    async fn open_tiers(self, create: bool) -> Result<Arc<dyn Backing>> {
        let back = match self.back.open(create && self.options.write != WritePolicy::FrontOnly).await {
            // What is only read, and not there, is empty.
            Err(error) if self.options.write == WritePolicy::FrontOnly && error.kind() == ErrorKind::StoreNotFound => {
                return self.front.open(create).await;
            }
            opened => opened?,
        };
        let front = match self.front.open(true).await {
            Ok(front) => front,
            Err(error) => {
                // The first error is the one to tell.
                drop(back.close().await);
                return Err(error);
            }
        };
        let tiers = Arc::new(self.tiers(front, back));
        match self.begin(&tiers).await {
            Ok(()) => Ok(Arc::new(Tiered(tiers))),
            Err(error) => {
                // The first error is the one to tell.
                drop(tiers.close().await);
                Err(error)
            }
        }
    }

    fn tiers(&self, front: Arc<dyn Backing>, back: Arc<dyn Backing>) -> Tiers {
        let TierOptions { write, read, queue, same, .. } = self.options;
        let (on_error, locks, marks) = (self.options.on_error.clone(), Locks::default(), Marks::default());
        Tiers { front, back, write, read, same, on_error, locks, marks, queue: Queue::new(queue) }
    }

    async fn begin(&self, tiers: &Arc<Tiers>) -> Result<()> {
        if self.options.coherent && !self.options.told && tiers.back.capability().shared {
            return Err(Error::new(
                ErrorKind::InvalidConfig,
                "a store that others may write, unseen by this one, cannot have a cache, which would give old values; \
                 leave cache out, or open the store with access \"exclusive\"",
            ));
        }
        tiers.expect_known().await?;
        tiers.clone().forget_of_other_record().await?;
        if tiers.clone().record(RecordCopy::First).await?.is_some() {
            tiers.clone().sync(self.options.sync).await?;
        }
        Ok(())
    }
}

impl Place for TieredPlace {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        let place = self.clone();
        Box::pin(async move {
            if place.options.write == WritePolicy::FrontOnly && place.front.exists().await? {
                return Ok(true);
            }
            Ok(!place.is_front_alone() && place.back.exists().await?)
        })
    }

    fn open(&self, create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        if self.is_front_alone() { self.front.open(create) } else { Box::pin(self.clone().open_tiers(create)) }
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn off_thread(&self) -> Option<Arc<dyn Place>> {
        let (front, back) = (crate::backing::off_thread(&self.front), crate::backing::off_thread(&self.back));
        Some(Arc::new(Self { front, back, options: self.options.clone() }))
    }

    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        let place = self.clone();
        Box::pin(async move {
            place.front.destroy().await?;
            if place.options.write == WritePolicy::FrontOnly { Ok(()) } else { place.back.destroy().await }
        })
    }
}
