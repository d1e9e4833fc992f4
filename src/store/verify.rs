//! Reading everything, to find out what is damaged.

use super::{Store, heads::next_page, orphans::Met, read::Opened};
use crate::{
    error::{Error, Result},
    layout,
    meta::Meta,
    name::BlobName,
};

/// What [`Store::verify`] found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many blobs were read.
    pub checked: u64,
    /// Those that are damaged, each with its error.
    pub corrupt: Vec<(BlobName, Error)>,
    /// Elements of logs that have no head: harmless, and deleted by `sweep`. None are told where something is damaged.
    pub orphans: Vec<BlobName>,
}

impl Store {
    /// Reads every blob whole and checks it, expired ones too. `progress` is told how many were read so far.
    pub async fn verify(&self, mut progress: impl FnMut(u64)) -> Result<Report> {
        let _pass = self.inner.gate.enter()?;
        let began = self.settled().await;
        let (mut report, mut met) = (Report::default(), Met::default());
        let mut heads = self.inner.backing.heads();
        while let Some(page) = heads.next().await? {
            for (name, head) in page {
                let checked = match head {
                    Ok(_) => self.verify_blob(name).await,
                    Err(error) => Err(error),
                };
                report.checked += 1;
                match checked {
                    Ok(Some(meta)) => met.meet(&meta),
                    Ok(None) => {}
                    Err(error) => report.corrupt.push((name, error)),
                }
            }
            progress(report.checked);
        }
        let headless = self.headless(met).await?;
        let mut heads = self.inner.backing.heads();
        while !headless.is_empty()
            && let Some((page, _)) = next_page(heads.as_mut()).await?
        {
            let orphans = page.into_iter().filter(|seen| headless.has(&seen.meta, began));
            report.orphans.extend(orphans.map(|seen| seen.name));
        }
        Ok(report)
    }

    /// The metadata of a blob that is undamaged. One that was deleted in the meantime is not damaged.
    async fn verify_blob(&self, name: BlobName) -> Result<Option<Meta>> {
        let Some(blob) = self.blob(name).await? else { return Ok(None) };
        let (codecs, meta) = layout::open(name, None, &blob.head)?;
        self.decode(Opened { name, codecs, meta: meta.clone(), section: blob.value }).map(|_| Some(meta))
    }
}
