//! The heads of all blobs of a folder, page by page.

use super::{
    files::{self, Ours},
    folder::Folder,
};
use crate::{
    backing::{HeadPage, Heads},
    env::BoxFut,
    error::Result,
    name::BlobName,
};

/// How many heads a page has.
const PAGE: usize = 256;
/// How many files are read side by side.
pub(super) const AT_ONCE: usize = 32;

pub(super) struct FileHeads {
    folder: Folder,
    /// What is still to come, descending; `None` before the folder was listed.
    names: Option<Vec<BlobName>>,
}

impl FileHeads {
    pub(super) fn new(folder: Folder) -> Self {
        Self { folder, names: None }
    }

    async fn list(&self) -> Result<Vec<BlobName>> {
        let files = self.folder.list().await?.unwrap_or_default();
        let mut names: Vec<_> = files.iter().filter_map(|file| blob(file)).collect();
        names.sort_unstable_by(|a, b| b.cmp(a));
        Ok(names)
    }

    async fn page(&mut self) -> Result<Option<HeadPage>> {
        let mut names = match self.names.take() {
            Some(names) => names,
            None => self.list().await?,
        };
        let mut page = HeadPage::new();
        while page.len() < PAGE && !names.is_empty() {
            let some = names.split_off(names.len().saturating_sub(AT_ONCE));
            let begun: Vec<_> =
                some.into_iter().rev().map(|name| (name, self.folder.blob(&name.file_name(), false))).collect();
            for (name, head) in begun {
                match head.await {
                    Ok(Some(blob)) => page.push((name, Ok(blob.head))),
                    // It was deleted meanwhile.
                    Ok(None) => {}
                    Err(error) => page.push((name, Err(error))),
                }
            }
        }
        self.names = Some(names);
        Ok(Some(page).filter(|page| !page.is_empty()))
    }
}

impl Heads for FileHeads {
    fn next(&mut self) -> BoxFut<'_, Result<Option<HeadPage>>> {
        Box::pin(self.page())
    }
}

fn blob(file: &str) -> Option<BlobName> {
    match files::ours(file) {
        Some(Ours::Blob(name)) => Some(name),
        _ => None,
    }
}
