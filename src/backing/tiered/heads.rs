//! Listings: of the back once all is there, or of both.

use std::{collections::VecDeque, sync::Arc};

use super::{Heads, ReadPolicy, Tiers, WritePolicy, near::is_deleted};
use crate::{backing::HeadPage, env::BoxFut, error::Result};

/// How many heads a page has that is made of two listings.
const PAGE: usize = 256;

/// The listing that goes with the policies.
pub(super) fn of(tiers: &Arc<Tiers>) -> Box<dyn Heads> {
    match (tiers.read, tiers.write) {
        (ReadPolicy::FrontOnly, _) => tiers.front.heads(),
        (_, WritePolicy::Through | WritePolicy::Around) => tiers.back.heads(),
        (_, WritePolicy::Behind) => Box::new(Flushed { tiers: tiers.clone(), heads: None }),
        (_, WritePolicy::FrontOnly) => Box::new(Merged {
            front: Source { heads: tiers.front.heads(), page: VecDeque::new(), ended: false },
            back: Source { heads: tiers.back.heads(), page: VecDeque::new(), ended: false },
        }),
    }
}

/// The back, after what waited is there.
struct Flushed {
    tiers: Arc<Tiers>,
    heads: Option<Box<dyn Heads>>,
}

impl Heads for Flushed {
    fn next(&mut self) -> BoxFut<'_, Result<Option<HeadPage>>> {
        Box::pin(async move {
            if self.heads.is_none() {
                self.tiers.clone().drain().await?;
            }
            self.heads.get_or_insert_with(|| self.tiers.back.heads()).next().await
        })
    }
}

/// Both, the front over the back, without what the front says is deleted.
struct Merged {
    front: Source,
    back: Source,
}

struct Source {
    heads: Box<dyn Heads>,
    page: VecDeque<Head>,
    ended: bool,
}

type Head = (crate::name::BlobName, Result<bytes::Bytes>);

impl Source {
    async fn fill(&mut self) -> Result<()> {
        while self.page.is_empty() && !self.ended {
            match self.heads.next().await? {
                Some(page) => self.page = page.into(),
                None => self.ended = true,
            }
        }
        Ok(())
    }

    fn first(&self) -> Option<crate::name::BlobName> {
        self.page.front().map(|(name, _)| *name)
    }
}

impl Heads for Merged {
    fn next(&mut self) -> BoxFut<'_, Result<Option<HeadPage>>> {
        Box::pin(async move {
            let mut page = HeadPage::new();
            while page.len() < PAGE {
                self.front.fill().await?;
                self.back.fill().await?;
                let head = match (self.front.first(), self.back.first()) {
                    (None, None) => break,
                    (Some(front), Some(back)) if front == back => {
                        self.back.page.pop_front();
                        self.front.page.pop_front()
                    }
                    (Some(front), Some(back)) if front > back => self.back.page.pop_front(),
                    (Some(_), _) => self.front.page.pop_front(),
                    (None, Some(_)) => self.back.page.pop_front(),
                };
                page.extend(head.filter(|(_, head)| !head.as_ref().is_ok_and(|head| is_deleted(head))));
            }
            Ok(Some(page).filter(|page| !page.is_empty()))
        })
    }
}
