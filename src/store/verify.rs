//! Reading everything, to find out what is damaged.

use super::{Store, read::Opened};
use crate::{
    backing::Part,
    error::{Error, Result},
    layout,
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
                    Ok(_) => self.verify_blob(name).await,
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
    async fn verify_blob(&self, name: BlobName) -> Result<()> {
        let Some(blob) = self.inner.backing.read(vec![name], Part::All).await?.into_iter().next().flatten() else {
            return Ok(());
        };
        let (codecs, meta) = layout::open(name, None, &blob.head)?;
        self.decode(Opened { name, codecs, meta, section: blob.value }).map(|_| ())
    }
}
