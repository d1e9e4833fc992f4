//! Blobs that are written to a temporary file piece by piece, and read the same way.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use bytes::Bytes;

use super::{
    backing::Opened,
    folder::{Folder, HEAD},
    fs::FsFile,
};
use crate::{
    backing::{Blob, BlobReader, BlobWriter},
    env::BoxFut,
    error::{Error, ErrorKind, Result},
};

/// A temporary file with room for the head at its beginning.
pub(super) struct FileWriter {
    opened: Arc<Opened>,
    /// The file whose place it takes.
    file: String,
    temporary: Temporary,
    head_len: usize,
    /// Where the next bytes go.
    at: u64,
}

impl FileWriter {
    pub(super) async fn begin(opened: Arc<Opened>, file: String, head_len: usize) -> Result<Self> {
        let name = opened.temporary(&file)?;
        let temporary = Temporary::begin(opened.folder.clone(), name).await?;
        Ok(Self { opened, file, temporary, head_len, at: head_len as u64 })
    }

    async fn put(&mut self, head: Bytes) -> Result<()> {
        if head.len() != self.head_len {
            let message = "the head of a streamed blob is not as long as was announced; this is a defect of the caller";
            return Err(Error::new(ErrorKind::Backend, message));
        }
        self.temporary.write(0, head).await?;
        self.temporary.close().await?;
        let files = BTreeSet::from([self.file.clone()]);
        let locked = self.opened.hold(&files).await?;
        let put = self.opened.folder.put_in_place(&self.temporary.name, &self.file).await;
        self.opened.release(&files, locked).await;
        put
    }
}

impl BlobWriter for FileWriter {
    fn write(&mut self, bytes: Bytes) -> BoxFut<'_, Result<()>> {
        Box::pin(async move {
            let len = bytes.len() as u64;
            self.temporary.write(self.at, bytes).await?;
            self.at += len;
            Ok(())
        })
    }

    fn sync(&mut self) -> BoxFut<'_, Result<()>> {
        Box::pin(self.temporary.sync())
    }

    fn finish(mut self: Box<Self>, head: Bytes) -> BoxFut<'static, Result<()>> {
        Box::pin(async move {
            let put = self.put(head).await;
            match put {
                Ok(()) => self.temporary.there = false,
                // The first error is the one to tell; what stays behind is swept.
                Err(_) => drop(self.temporary.remove().await),
            }
            put
        })
    }

    fn abort(mut self: Box<Self>) -> BoxFut<'static, Result<()>> {
        Box::pin(async move { self.temporary.remove().await })
    }
}

/// A temporary file, which goes when this does.
struct Temporary {
    folder: Folder,
    name: String,
    path: Box<Path>,
    /// `None` once it was closed.
    file: Option<Box<dyn FsFile>>,
    /// Whether the file is there.
    there: bool,
}

impl Temporary {
    async fn begin(folder: Folder, name: String) -> Result<Self> {
        let path = folder.path.join(&name).into_boxed_path();
        let begun = folder.fs.begin(&path).await.map_err(|error| error.into_error("writing", &path))?;
        Ok(Self { folder, name, path, file: Some(begun), there: true })
    }

    async fn write(&self, at: u64, bytes: Bytes) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        file.write(at, bytes).await.map_err(|error| error.into_error("writing", &self.path))
    }

    async fn sync(&self) -> Result<()> {
        match &self.file {
            Some(file) if self.folder.durable => {
                file.sync().await.map_err(|error| error.into_error("syncing", &self.path))
            }
            _ => Ok(()),
        }
    }

    async fn close(&mut self) -> Result<()> {
        self.sync().await?;
        let Some(file) = self.file.take() else { return Ok(()) };
        file.close().await.map_err(|error| error.into_error("writing", &self.path))
    }

    async fn remove(&mut self) -> Result<()> {
        if let Some(file) = self.file.take() {
            // Of what is given up no error is left to tell.
            drop(file.close().await);
        }
        self.there = false;
        self.folder.remove(&self.name).await.map(drop)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        self.file = None;
        if self.there {
            drop(self.folder.fs.unlink(&self.path));
        }
    }
}

/// An open file, of which the beginning was read.
pub(super) struct FileReader {
    file: Box<dyn FsFile>,
    path: Box<Path>,
    start: Bytes,
    head_len: usize,
    len: u64,
}

impl FileReader {
    /// `None` if there is no such file.
    pub(super) async fn open(folder: &Folder, file: &str) -> Result<Option<Self>> {
        let path = folder.path.join(file).into_boxed_path();
        let opened = folder.fs.open(&path).await.map_err(|error| error.into_error("reading", &path))?;
        let Some(file) = opened else { return Ok(None) };
        let mut reader = Self { file, path, start: Bytes::new(), head_len: 0, len: 0 };
        reader.read_head().await?;
        Ok(Some(reader))
    }

    async fn read_head(&mut self) -> Result<()> {
        self.start = self.read_at(0, HEAD).await?;
        self.len = self.start.len() as u64;
        if self.start.len() == HEAD {
            self.len = self.file.len().await.map_err(|error| error.into_error("reading", &self.path))?;
        }
        self.head_len = match Blob::head_len(&self.start) {
            Some(len) if len as u64 <= self.len => len,
            // It was cut short, and is all head.
            _ => usize::try_from(self.len).unwrap_or(usize::MAX),
        };
        if self.head_len > self.start.len() {
            self.start = self.read_at(0, self.head_len).await?;
        }
        Ok(())
    }

    async fn read_at(&self, at: u64, len: usize) -> Result<Bytes> {
        self.file.read(at, len).await.map_err(|error| error.into_error("reading", &self.path))
    }
}

impl BlobReader for FileReader {
    fn head(&self) -> Bytes {
        self.start.slice(..self.head_len.min(self.start.len()))
    }

    fn value_len(&self) -> u64 {
        self.len - self.head_len as u64
    }

    fn read(&mut self, at: u64, len: usize) -> BoxFut<'_, Result<Bytes>> {
        Box::pin(async move {
            let at = at.saturating_add(self.head_len as u64);
            let left = usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX);
            let len = len.min(left);
            let known = usize::try_from(at).ok().and_then(|at| at.checked_add(len).map(|end| at..end));
            match known.filter(|known| known.end <= self.start.len()) {
                Some(known) => Ok(self.start.slice(known)),
                None => self.read_at(at, len).await,
            }
        })
    }
}
