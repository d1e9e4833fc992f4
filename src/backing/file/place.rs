//! Where a file store is or may be.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    backing::FileBacking,
    batch,
    files::{self, Ours},
    folder::Folder,
    fs::{Fs, Kind},
    lock::{Access, Locks},
};
use crate::{
    backing::{Backing, Place},
    env::BoxFut,
    error::{Error, ErrorKind, Result},
};

/// A folder that is or may become a store.
#[derive(Clone)]
pub struct FilePlace {
    folder: Folder,
    access: Access,
    /// Whether a folder alone is a store.
    bare: bool,
}

impl FilePlace {
    /// The store in this folder, synced and with exclusive access unless said otherwise.
    pub fn new(fs: Arc<dyn Fs>, path: impl Into<PathBuf>) -> Self {
        let path: PathBuf = path.into();
        Self { folder: Folder::new(fs, path.into()), access: Access::Exclusive, bare: false }
    }

    /// Whether each write is synced to the disk before it is acknowledged: `true` unless said otherwise. Without, a power
    /// cut may cost the last writes.
    #[must_use]
    pub fn sync_blob(mut self, sync: bool) -> Self {
        self.folder.durable = sync;
        self
    }

    /// Who may open the store beside this one.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    fn path(&self) -> &Path {
        &self.folder.path
    }

    /// Whether there is a folder of this path; a file is an error.
    async fn is_folder(&self) -> Result<bool> {
        let invalid = |what| Error::new(ErrorKind::InvalidConfig, format!("opening {}: {what}", self.path().display()));
        if self.path().as_os_str().is_empty() {
            return Err(invalid("the path is empty; give that of a folder"));
        }
        let kind = self.folder.fs.kind(self.path()).await;
        match kind.map_err(|error| error.into_error("opening", self.path()))? {
            None => Ok(false),
            Some(Kind::Folder) => Ok(true),
            Some(Kind::File | Kind::Other) => Err(invalid("the path is a file, not a folder; choose another")),
        }
    }

    /// Whether a store is there: a record, or blobs without one; where stores have none, a folder.
    async fn is_store(&self) -> Result<bool> {
        let is_folder = self.is_folder().await?;
        if !is_folder || self.bare {
            return Ok(is_folder);
        }
        let files = self.folder.list().await?.unwrap_or_default();
        Ok(files.iter().any(|file| matches!(files::ours(file), Some(Ours::Record | Ours::Blob(_)))))
    }

    async fn make_folder(&self) -> Result<()> {
        if self.is_folder().await? {
            return Ok(());
        }
        self.folder.fs.mkdir(self.path()).await.map_err(|error| error.into_error("making the folder", self.path()))
    }

    async fn open_backing(&self, create: bool) -> Result<FileBacking> {
        if create && self.access != Access::Read {
            self.make_folder().await?;
        } else if !self.is_store().await? {
            return Err(Error::new(
                ErrorKind::StoreNotFound,
                format!(
                    "opening {}: there is no store; create one, or see whether the path is right",
                    self.path().display()
                ),
            ));
        }
        let locks = match self.access {
            Access::Read => None,
            Access::Exclusive | Access::Shared => Some(self.lock().await?),
        };
        Ok(FileBacking::new(self.folder.clone(), self.access, locks))
    }

    /// Takes the store's lock, and clears away what those left behind who are gone.
    async fn lock(&self) -> Result<Locks> {
        let mut locks = Locks::open(self.folder.clone(), self.access).await?;
        match self.settle(&mut locks).await {
            Ok(()) => Ok(locks),
            Err(error) => {
                // The first error is the one to tell.
                drop(locks.close().await);
                Err(error)
            }
        }
    }

    async fn settle(&self, locks: &mut Locks) -> Result<()> {
        let files = self.folder.list().await?.unwrap_or_default();
        let sharing = self.sharing(locks, &files).await?;
        for owner in owners_of_batches(&files) {
            if !sharing.contains(owner) {
                batch::recover(locks, &self.folder, owner).await?;
            }
        }
        self.sweep(locks, &files, &sharing).await?;
        if self.access == Access::Shared { locks.share().await } else { Ok(()) }
    }

    /// The tokens of those who have the store open in shared access. With exclusive access there must be none.
    async fn sharing(&self, locks: &Locks, files: &[String]) -> Result<HashSet<String>> {
        let mut tokens = HashSet::new();
        for file in files.iter().filter(|file| matches!(files::ours(file), Some(Ours::Sharing(_)))) {
            match locks.living_owner(file).await? {
                Some(owner) if self.access == Access::Exclusive => return Err(locks.locked_by(&owner, file)),
                Some(owner) => tokens.extend([owner.token]),
                None => {}
            }
        }
        Ok(tokens)
    }

    /// Removes what those left behind who are gone: everything that is not of one who shares the store now.
    /// Somebody who is just opening it may lose a file that is half written, and writes it again. Locks of files stay
    /// where others share the store: the next to want one takes it over.
    async fn sweep(&self, locks: &Locks, files: &[String], sharing: &HashSet<String>) -> Result<()> {
        for file in files {
            let gone = match files::ours(file) {
                Some(Ours::Temporary(token) | Ours::Sharing(token)) => !sharing.contains(token),
                Some(Ours::Opening) => locks.living_owner(file).await?.is_none(),
                Some(Ours::Lock) => file != files::LOCK && self.access == Access::Exclusive,
                Some(Ours::Blob(_) | Ours::Damaged | Ours::Record | Ours::Batch(_) | Ours::Clojure) | None => false,
            };
            if gone {
                self.folder.remove(file).await?;
            }
        }
        Ok(())
    }

    async fn destroy_store(&self) -> Result<()> {
        if !self.is_folder().await? {
            return Ok(());
        }
        let exclusive = self.clone().access(Access::Exclusive);
        let locks = exclusive.lock().await?;
        let removed = self.remove_blobs().await;
        locks.close().await?;
        removed?;
        let gone = self.folder.fs.rmdir(self.path()).await;
        gone.map(drop).map_err(|error| error.into_error("deleting", self.path()))
    }

    /// The record goes last: until then the rest is still a store.
    async fn remove_blobs(&self) -> Result<()> {
        let files = self.folder.list().await?.unwrap_or_default();
        for file in
            files.iter().filter(|file| matches!(files::ours(file), Some(Ours::Blob(_) | Ours::Damaged | Ours::Clojure)))
        {
            self.folder.remove(file).await?;
        }
        for file in [files::RECORD_COPY, files::RECORD] {
            self.folder.remove(file).await?;
        }
        self.folder.sync().await
    }
}

fn owners_of_batches(files: &[String]) -> HashSet<&str> {
    let owner = |file| match files::ours(file) {
        Some(Ours::Batch(owner)) => Some(owner),
        _ => None,
    };
    files.iter().filter_map(|file| owner(file)).collect()
}

impl Place for FilePlace {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        let place = self.clone();
        Box::pin(async move { place.is_store().await })
    }

    fn open(&self, create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        let place = self.clone();
        Box::pin(async move { Ok(Arc::new(place.open_backing(create).await?) as Arc<dyn Backing>) })
    }

    fn without_record(&self) -> Option<Arc<dyn Place>> {
        Some(Arc::new(Self { bare: true, ..self.clone() }))
    }

    fn blocks(&self) -> bool {
        self.folder.fs.immediate()
    }

    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        let place = self.clone();
        Box::pin(async move { place.destroy_store().await })
    }
}
