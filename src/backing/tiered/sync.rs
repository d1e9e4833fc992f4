//! What the front is given when a store is opened.

use std::sync::Arc;

use super::{BlobName, Heads, Mode, Part, Tiers, deletion};
use crate::{
    backing::{Backing, HeadPage, RecordCopy},
    error::{Error, ErrorKind, Result},
};
use bytes::Bytes;

/// Held by who makes the record. No key has this name.
const RECORD: BlobName = BlobName::from_bytes([0; 16]);

const COPIES: [RecordCopy; 2] = [RecordCopy::First, RecordCopy::Second];

/// How the front is made like the back when a store is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TierSync {
    /// Not at all.
    #[default]
    No,
    /// It gets what it does not have.
    Missing,
    /// The same, and what it has otherwise is replaced, or deleted.
    Full,
}

impl Tiers {
    pub(super) async fn sync(self: Arc<Self>, sync: TierSync) -> Result<()> {
        if sync == TierSync::No {
            return Ok(());
        }
        if sync == TierSync::Full {
            self.forget_others().await?;
        }
        let mut heads = self.back.heads();
        while let Some(page) = heads.next().await? {
            self.clone().pull(page.into_iter().map(|(name, _)| name).collect()).await?;
        }
        Ok(())
    }

    /// Deletes in the front what is not the same in the back.
    async fn forget_others(&self) -> Result<()> {
        let mut heads = self.front.heads();
        while let Some(page) = heads.next().await? {
            let names: Vec<BlobName> = page.iter().map(|(name, _)| *name).collect();
            let there = self.back.read(names, Part::Head).await?;
            let is_other = |((_, head), there): &(&(BlobName, Result<Bytes>), Option<crate::backing::Blob>)| !matches!((head, there), (Ok(head), Some(there)) if *head == there.head);
            let others: Vec<_> =
                page.iter().zip(there).filter(is_other).map(|((name, _), _)| deletion(*name)).collect();
            if !others.is_empty() {
                self.front.commit(others).await?;
            }
        }
        Ok(())
    }

    /// A copy of the store's record, which the front is given, too. A front that is the truth has its own.
    pub(super) async fn record(self: Arc<Self>, copy: RecordCopy) -> Result<Option<Bytes>> {
        let there = self.back.record(copy).await?;
        if self.front_is_truth() && !self.front_records().await?.is_empty() {
            if let Some(there) = &there {
                self.agree(there).await?;
            }
            return self.front.record(copy).await;
        }
        if let Some(there) = &there {
            self.give_front(copy, there.clone()).await?;
        }
        Ok(there)
    }

    pub(super) async fn put_record(
        self: Arc<Self>,
        copy: RecordCopy,
        there: Option<Bytes>,
        record: Bytes,
    ) -> Result<bool> {
        let _alone = self.locks.lock(RECORD, Mode::Exclusive).await;
        if self.front_is_truth() {
            return self.front.put_record(copy, there, record).await;
        }
        if self.back.record(copy).await? != there {
            return Ok(false);
        }
        self.agree(&record).await?;
        let put = self.back.put_record(copy, there, record.clone()).await?;
        if put {
            self.give_front(copy, record).await?;
        }
        Ok(put)
    }

    /// Gives the front what the back has, if both are one store.
    async fn give_front(&self, copy: RecordCopy, record: Bytes) -> Result<()> {
        let found = self.front.record(copy).await?;
        if found.as_ref() != Some(&record) {
            self.agree(&record).await?;
            self.front.put_record(copy, found, record).await?;
        }
        Ok(())
    }

    /// Forgets the copies of a time when the back had another record: they may be under a key that is no more.
    pub(super) async fn forget_of_other_record(self: Arc<Self>) -> Result<()> {
        if self.front_is_truth() {
            return Ok(());
        }
        for copy in COPIES {
            let Some((found, there)) = self.front.record(copy).await?.zip(self.back.record(copy).await?) else {
                continue;
            };
            if found != there {
                self.agree(&there).await?;
                return self.invalidate_all().await;
            }
        }
        Ok(())
    }

    async fn front_records(&self) -> Result<Vec<Bytes>> {
        records(&self.front).await
    }

    /// That what the front has is of the store with this record, or with what the back has. One copy of each may be damaged.
    async fn agree(&self, record: &Bytes) -> Result<()> {
        let mut wrong = None;
        let mut there = records(&self.back).await?;
        there.insert(0, record.clone());
        for found in self.front_records().await? {
            for record in &there {
                match (self.same)(&found, record) {
                    Ok(()) => return Ok(()),
                    Err(error) => _ = wrong.get_or_insert(error),
                }
            }
        }
        wrong.map_or(Ok(()), Err)
    }

    /// That the front holds no blobs of which nobody knows the store. Where the back does, its reader says so.
    pub(super) async fn expect_known(&self) -> Result<()> {
        let is_lost = self.back.record(RecordCopy::First).await?.is_none() && !is_empty(self.back.heads()).await?;
        if is_lost || self.front.record(RecordCopy::First).await?.is_some() || is_empty(self.front.heads()).await? {
            return Ok(());
        }
        let message =
            "the front of the tiered store holds values and no record; delete it, it is filled again from the back";
        Err(Error::new(ErrorKind::InvalidConfig, message))
    }
}

/// The copies of the record that are there.
async fn records(tier: &Arc<dyn Backing>) -> Result<Vec<Bytes>> {
    let mut records = Vec::new();
    for copy in COPIES {
        records.extend(tier.record(copy).await?);
    }
    Ok(records)
}

async fn is_empty(mut heads: Box<dyn Heads>) -> Result<bool> {
    let page: Option<HeadPage> = heads.next().await?;
    Ok(page.is_none_or(|page| page.is_empty()))
}
