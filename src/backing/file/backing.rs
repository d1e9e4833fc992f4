//! The blobs of a folder.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;

use super::{
    files,
    folder::Folder,
    heads::{AT_ONCE, FileHeads},
    lock::{Access, Locks},
    names::{Held, Names},
};
use crate::{
    backing::{Backing, Blob, Capability, Change, Expect, Heads, Outcome, Part, UpdateFn, Write},
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

/// A folder that is open as store.
#[derive(Clone)]
pub(super) struct FileBacking(Arc<Opened>);

struct Opened {
    folder: Folder,
    access: Access,
    /// `None` with read access.
    locks: Option<Locks>,
    names: Names,
}

impl FileBacking {
    pub(super) fn new(folder: Folder, access: Access, locks: Option<Locks>) -> Self {
        Self(Arc::new(Opened { folder, access, locks, names: Names::default() }))
    }
}

impl Backing for FileBacking {
    fn capability(&self) -> Capability {
        Capability {
            ordered: false,
            immediate: self.0.folder.fs.immediate(),
            atomic_batches: false,
            shared: self.0.access != Access::Exclusive,
            persistent: true,
        }
    }

    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
        let folder = self.0.folder.clone();
        Box::pin(async move {
            let mut blobs = Vec::with_capacity(names.len());
            for some in names.chunks(AT_ONCE) {
                let begun: Vec<_> = some.iter().map(|name| folder.blob(&name.file_name(), part == Part::All)).collect();
                for blob in begun {
                    blobs.push(blob.await?);
                }
            }
            Ok(blobs)
        })
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        let opened = Arc::clone(&self.0);
        Box::pin(async move {
            match <[Write; 1]>::try_from(writes) {
                Ok([write]) => {
                    let file = write.name.file_name();
                    let held = opened.hold(&file).await?;
                    let outcome = opened.commit(&file, write).await;
                    opened.release(&file, held).await;
                    outcome
                }
                Err(none) if none.is_empty() => Ok(Outcome::Done(Vec::new())),
                Err(_) => Err(Error::new(
                    ErrorKind::Unsupported,
                    "committing several writes: files do not do so in one step yet; commit one at a time",
                )),
            }
        })
    }

    fn update(&self, name: BlobName, part: Part, mut f: UpdateFn) -> BoxFut<'static, Result<()>> {
        let opened = Arc::clone(&self.0);
        Box::pin(async move {
            let file = name.file_name();
            let held = opened.hold(&file).await?;
            let updated = opened.update(&file, part, &mut f).await;
            opened.release(&file, held).await;
            updated
        })
    }

    fn heads(&self) -> Box<dyn Heads> {
        Box::new(FileHeads::new(self.0.folder.clone()))
    }

    fn record(&self) -> BoxFut<'static, Result<Option<Bytes>>> {
        let folder = self.0.folder.clone();
        Box::pin(async move { folder.read(files::RECORD).await })
    }

    fn create_record(&self, record: Bytes) -> BoxFut<'static, Result<bool>> {
        let opened = Arc::clone(&self.0);
        Box::pin(async move {
            let held = opened.hold(files::RECORD).await?;
            let created = opened.create_record(record).await;
            opened.release(files::RECORD, held).await;
            created
        })
    }

    fn close(&self) -> BoxFut<'static, Result<()>> {
        let opened = Arc::clone(&self.0);
        Box::pin(async move {
            opened.names.idle().await;
            match &opened.locks {
                Some(locks) => locks.close().await,
                None => Ok(()),
            }
        })
    }
}

/// Each writes one file while it is held.
impl Opened {
    /// Holds a file against every other writer: those in this process, and with shared access those in others.
    async fn hold(&self, file: &str) -> Result<Held> {
        let locks = self.locks()?;
        let held = self.names.hold(BTreeSet::from([file.to_owned()])).await;
        if self.access == Access::Shared {
            locks.hold(&files::lock(file)).await?;
        }
        Ok(held)
    }

    /// What was done under the lock is done, whether or not the lock can be released: so this tells nobody. A lock
    /// that stays is known as ours by the next write to the same file.
    async fn release(&self, file: &str, held: Held) {
        if let (Access::Shared, Some(locks)) = (self.access, &self.locks) {
            drop(locks.release(&files::lock(file)).await);
        }
        drop(held);
    }

    async fn commit(&self, file: &str, write: Write) -> Result<Outcome> {
        let as_expected = match write.expect {
            Expect::Anything => true,
            Expect::Absent => self.folder.blob(file, false).await?.is_none(),
            Expect::Check(check) => {
                self.folder.blob(file, false).await?.is_some_and(|blob| blob.check() == Some(check))
            }
        };
        if !as_expected {
            return Ok(Outcome::Conflict(write.name));
        }
        Ok(Outcome::Done(vec![self.apply(file, &write.change).await?]))
    }

    async fn update(&self, file: &str, part: Part, f: &mut UpdateFn) -> Result<()> {
        let blob = self.folder.blob(file, part == Part::All).await?;
        self.apply(file, &f(blob.as_ref())?).await.map(drop)
    }

    async fn create_record(&self, record: Bytes) -> Result<bool> {
        if self.folder.read(files::RECORD).await?.is_some() {
            return Ok(false);
        }
        let record = Change::Put(Blob { head: record, value: Bytes::new() });
        self.apply(files::RECORD, &record).await
    }

    /// Says `false` if it was a delete of nothing.
    async fn apply(&self, file: &str, change: &Change) -> Result<bool> {
        match change {
            Change::Keep => Ok(true),
            Change::Put(blob) => {
                self.folder.replace(file, &files::temporary(file, self.locks()?.token()), blob).await.map(|()| true)
            }
            Change::Delete => {
                let there = self.folder.remove(file).await?;
                // What is not there may have been removed by a delete that could not be synced.
                self.folder.sync().await?;
                Ok(there)
            }
        }
    }

    fn locks(&self) -> Result<&Locks> {
        self.locks.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::PermissionDenied,
                "writing to a store that was opened with access \"read\"; open it with \"exclusive\" or \"shared\"",
            )
        })
    }
}
