//! Reading everything, to find out what is damaged.

use super::{Store, read::Opened};
use crate::{
    backing::Part,
    error::{Error, Result},
    layout,
    meta::Kind,
    name::BlobName,
};

/// What [`Store::verify`] found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many blobs were read.
    pub checked: u64,
    /// Those that are damaged, each with its error.
    pub corrupt: Vec<(BlobName, Error)>,
}

impl Store {
    /// Reads every blob whole and checks it, expired ones too. `progress` is told how many were read so far.
    pub async fn verify(&self, mut progress: impl FnMut(u64)) -> Result<Report> {
        let _pass = self.inner.gate.enter()?;
        let mut report = Report::default();
        let mut heads = self.inner.backing.heads();
        while let Some(page) = heads.next().await? {
            for (name, head) in page {
                let checked = match head {
                    Ok(head) => self.verify_blob(name, &head).await,
                    Err(error) => Err(error),
                };
                report.checked += 1;
                report.corrupt.extend(checked.err().map(|error| (name, error)));
            }
            progress(report.checked);
        }
        Ok(report)
    }

    /// A blob that was deleted in the meantime is not damaged.
    async fn verify_blob(&self, name: BlobName, head: &[u8]) -> Result<()> {
        let (_, meta) = layout::open(name, None, head)?;
        if meta.kind == Kind::Binary {
            return self.verify_binary(name).await;
        }
        let Some(blob) = self.inner.backing.read(vec![name], Part::All).await?.into_iter().next().flatten() else {
            return Ok(());
        };
        let (codecs, meta) = layout::open(name, None, &blob.head)?;
        self.decode(Opened { name, codecs, meta, section: blob.value }).map(|_| ())
    }

    /// Binaries may be larger than memory.
    async fn verify_binary(&self, name: BlobName) -> Result<()> {
        let Some((meta, mut content)) = self.find_binary(name, None).await? else { return Ok(()) };
        content.part(name, &meta, 0, 0).await.map(drop)
    }
}
