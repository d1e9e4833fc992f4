//! The folder of a store: its files by name, and errors that say what was being done to which.

use std::{path::Path, sync::Arc};

use bytes::Bytes;

use super::{
    fs::{Fault, Fs, FsError},
    syncs::Syncs,
};
use crate::{backing::Blob, env::BoxFut, error::Result};

/// How much of a blob is read first when only its head is wanted: most heads are shorter.
pub(super) const HEAD: usize = 4096;

#[derive(Clone)]
pub(super) struct Folder {
    pub(super) fs: Arc<dyn Fs>,
    pub(super) path: Arc<Path>,
    /// Whether what is written is synced before it is acknowledged.
    pub(super) durable: bool,
    syncs: Syncs,
}

impl Folder {
    /// This folder, synced unless said otherwise.
    pub(super) fn new(fs: Arc<dyn Fs>, path: Arc<Path>) -> Self {
        Self { fs, path, durable: true, syncs: Syncs::default() }
    }

    pub(super) async fn read(&self, file: &str) -> Result<Option<Bytes>> {
        let path = self.path.join(file);
        self.fs.read(&path, None).await.map_err(|error| error.into_error("reading", &path))
    }

    /// The whole blob, or its head without the value. The reading begins at once.
    pub(super) fn blob(&self, file: &str, whole: bool) -> impl Future<Output = Result<Option<Blob>>> + use<> {
        let path = self.path.join(file);
        let fs = Arc::clone(&self.fs);
        let begun = fs.read(&path, (!whole).then_some(HEAD));
        async move {
            let found = match begun.await {
                Ok(Some(start)) if !whole => head(&*fs, &path, start).await,
                other => other.map(|found| found.map(Blob::split)),
            };
            found.map_err(|error| error.into_error("reading", &path))
        }
    }

    /// Makes a new file that need not survive a crash; `false` if there is one of that name.
    pub(super) async fn create(&self, file: &str, content: Bytes) -> Result<bool> {
        let path = self.path.join(file);
        match self.fs.create(&path, &Blob { head: content, value: Bytes::new() }, false).await {
            Err(FsError { fault: Fault::Exists, .. }) => Ok(false),
            other => other.map(|()| true).map_err(|error| error.into_error("writing", &path)),
        }
    }

    /// Puts a file in the place of the one of that name, if any, by way of a temporary one.
    /// Whatever fails, the file is the old one or the new one.
    pub(super) async fn replace(&self, file: &str, temporary: &str, content: &Blob) -> Result<()> {
        self.stage(temporary, content).await?;
        self.put_in_place(temporary, file).await
    }

    /// Gives a temporary file the place of the file of that name, if any. If that fails, it is removed.
    pub(super) async fn put_in_place(&self, temporary: &str, file: &str) -> Result<()> {
        let (from, to) = (self.path.join(temporary), self.path.join(file));
        if let Err(error) = self.fs.rename(&from, &to).await {
            // The first error is the one to tell; what stays behind is swept.
            drop(self.fs.unlink(&from).await);
            return Err(error.into_error("writing", &to));
        }
        self.sync().await
    }

    /// Writes temporary files, side by side; the answer of each.
    pub(super) async fn stage_all(&self, files: &[(&str, &Blob)]) -> Vec<Result<()>> {
        let paths: Vec<_> = files.iter().map(|(temporary, content)| (self.path.join(temporary), *content)).collect();
        let mut all = Vec::with_capacity(files.len());
        for (begun, (temporary, content)) in self.fs.create_all(&paths, self.durable).into_iter().zip(files) {
            all.push(self.staged(begun.await, temporary, content).await);
        }
        all
    }

    /// Writes a temporary file, in the place of one that could not be removed after an earlier failure.
    pub(super) async fn stage(&self, temporary: &str, content: &Blob) -> Result<()> {
        let written = self.fs.create(&self.path.join(temporary), content, self.durable).await;
        self.staged(written, temporary, content).await
    }

    async fn staged(&self, mut written: Result<(), FsError>, temporary: &str, content: &Blob) -> Result<()> {
        let path = self.path.join(temporary);
        if matches!(written, Err(FsError { fault: Fault::Exists, .. })) {
            self.remove(temporary).await?;
            written = self.fs.create(&path, content, self.durable).await;
        }
        written.map_err(|error| error.into_error("writing", &path))
    }

    /// Renames a file; what has the new name is replaced.
    pub(super) async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let (from, to) = (self.path.join(from), self.path.join(to));
        self.fs.rename(&from, &to).await.map_err(|error| error.into_error("writing", &to))
    }

    /// Renames a file, if it is there; says whether it was. The work begins at once.
    pub(super) fn rename_if_there(&self, from: &str, to: &str) -> BoxFut<'static, Result<bool>> {
        let (from, to) = (self.path.join(from), self.path.join(to));
        let begun = self.fs.rename(&from, &to);
        Box::pin(async move {
            match begun.await {
                Err(FsError { fault: Fault::NotFound, .. }) => Ok(false),
                other => other.map(|()| true).map_err(|error| error.into_error("writing", &to)),
            }
        })
    }

    /// Removes a file; says whether there was one. The work begins at once.
    pub(super) fn remove(&self, file: &str) -> BoxFut<'static, Result<bool>> {
        let path = self.path.join(file);
        let begun = self.fs.unlink(&path);
        Box::pin(async move { begun.await.map_err(|error| error.into_error("deleting", &path)) })
    }

    /// The names of all files; `None` if there is no such folder.
    pub(super) async fn list(&self) -> Result<Option<Vec<String>>> {
        self.fs.list(&self.path).await.map_err(|error| error.into_error("listing", &self.path))
    }

    /// Makes the names of the files durable, where that was asked for.
    pub(super) async fn sync(&self) -> Result<()> {
        if !self.durable {
            return Ok(());
        }
        let synced = self.syncs.share(async || self.fs.sync_dir(&self.path).await).await;
        synced.map_err(|error| error.into_error("syncing", &self.path))
    }

    pub(super) async fn pause(&self, milliseconds: u32) -> Result<()> {
        self.fs.pause(milliseconds).await.map_err(|error| error.into_error("waiting in", &self.path))
    }
}

/// Reads on where the head is longer than what was read. Another blob may have come under the name meanwhile, with a
/// longer head still.
async fn head(fs: &dyn Fs, path: &Path, mut start: Bytes) -> Result<Option<Blob>, FsError> {
    let mut asked = HEAD;
    while let Some(len) = Blob::head_len(&start).filter(|len| *len > asked && start.len() == asked) {
        asked = len;
        match fs.read(path, Some(asked)).await? {
            Some(longer) => start = longer,
            None => return Ok(None),
        }
    }
    let head = Blob::split(start).head;
    Ok(Some(Blob { head, value: Bytes::new() }))
}
