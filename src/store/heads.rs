//! The heads of all blobs, opened.

use super::Store;
use crate::{
    backing::{Blob, Check, Heads},
    env::BoxFut,
    error::{ErrorKind, Result},
    meta::Meta,
    name::BlobName,
};

/// A blob of which the head was seen.
pub(super) struct Seen {
    pub(super) name: BlobName,
    pub(super) check: Check,
    pub(super) meta: Meta,
}

/// Heads that were seen, and whether others are damaged.
type Page = (Vec<Seen>, bool);

/// The next page; `None` after the last.
pub(super) fn next_page<'a>(store: &'a Store, heads: &'a mut dyn Heads) -> BoxFut<'a, Result<Option<Page>>> {
    Box::pin(async move {
        let Some(page) = heads.next().await? else { return Ok(None) };
        let (mut seen, mut damaged) = (Vec::with_capacity(page.len()), false);
        for (name, head) in page {
            match head {
                Err(error) if error.kind() != ErrorKind::Corrupt => return Err(error),
                head => match head.and_then(|head| store.see(name, head)) {
                    Ok(one) => seen.push(one),
                    Err(_) => damaged = true,
                },
            }
        }
        Ok(Some((seen, damaged)))
    })
}

impl Store {
    fn see(&self, name: BlobName, head: bytes::Bytes) -> Result<Seen> {
        let meta = self.inner.layout.open_head(name, None, &head)?.meta;
        let check = Blob { head, ..Blob::default() }.check().unwrap_or_default();
        Ok(Seen { name, check, meta })
    }

    /// The whole blob of a name.
    pub(super) fn blob(&self, name: BlobName) -> BoxFut<'_, Result<Option<Blob>>> {
        let reading = self.inner.backing.read(vec![name], crate::backing::Part::All);
        Box::pin(async move { Ok(reading.await?.into_iter().next().flatten()) })
    }
}
