//! The blobs of a folder.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;

use super::{
    batch::Batch,
    files,
    folder::Folder,
    heads::{AT_ONCE, FileHeads},
    lock::{Access, Locks},
    names::{Held, Names},
    stream::{FileReader, FileWriter},
};
#[cfg(not(target_arch = "wasm32"))]
use crate::env::at_once;
use crate::{
    backing::{
        Backing, Blob, BlobReader, BlobWriter, Capability, Change, Expect, Heads, JudgeFn, Outcome, Part, RecordCopy,
        UpdateFn, Write,
    },
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

/// A folder that is open as store.
#[derive(Clone)]
pub(super) struct FileBacking(Arc<Opened>);

pub(super) struct Opened {
    pub(super) folder: Folder,
    access: Access,
    /// `None` with read access.
    locks: Option<Locks>,
    names: Names,
    /// The number of the next batch or stream.
    number: AtomicU64,
    unfinished: Mutex<Vec<Unfinished>>,
}

/// A batch that failed halfway. Until it is finished, nothing else is done.
#[derive(Clone)]
struct Unfinished {
    batch: Batch,
    /// Whether it is going to happen, or to be undone.
    decided: bool,
}

/// The name that is held while unfinished batches are finished; no file has it.
const FINISHING: &str = "";

impl FileBacking {
    pub(super) fn new(folder: Folder, access: Access, locks: Option<Locks>) -> Self {
        Self(Arc::new(Opened {
            folder,
            access,
            locks,
            names: Names::default(),
            number: AtomicU64::new(0),
            unfinished: Mutex::default(),
        }))
    }
}

impl Backing for FileBacking {
    fn capability(&self) -> Capability {
        Capability {
            ordered: false,
            immediate: self.0.folder.fs.immediate(),
            atomic_batches: true,
            shared: self.0.access != Access::Exclusive,
            persistent: true,
            streams: true,
            copies: false,
        }
    }

    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
        let opened = Arc::clone(&self.0);
        Box::pin(async move {
            opened.finish().await?;
            let mut blobs = Vec::with_capacity(names.len());
            for some in names.chunks(AT_ONCE) {
                let blob = |name: &BlobName| opened.folder.blob(&name.file_name(), part == Part::All);
                let begun: Vec<_> = some.iter().map(blob).collect();
                for blob in begun {
                    blobs.push(blob.await?);
                }
            }
            Ok(blobs)
        })
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn read_now(&self, name: BlobName, part: Part) -> Option<Result<Option<Blob>>> {
        let can = self.0.folder.fs.immediate() && self.0.unfinished().is_empty();
        if can { at_once(self.0.folder.blob(&name.file_name(), part == Part::All)) } else { None }
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        let opened = Arc::clone(&self.0);
        Box::pin(async move {
            let files: BTreeSet<_> = writes.iter().map(|write| write.name.file_name()).collect();
            let held = opened.hold(&files).await?;
            let outcome = opened.commit(&writes).await;
            opened.release(&files, held).await;
            outcome
        })
    }

    fn update(&self, name: BlobName, part: Part, mut f: UpdateFn) -> BoxFut<'static, Result<()>> {
        let opened = Arc::clone(&self.0);
        Box::pin(async move {
            let file = name.file_name();
            let files = BTreeSet::from([file.clone()]);
            let held = opened.hold(&files).await?;
            let updated = opened.update(&file, part, &mut f).await;
            opened.release(&files, held).await;
            updated
        })
    }

    fn set_aside(&self, name: BlobName, mut is_damaged: JudgeFn) -> BoxFut<'static, Result<bool>> {
        let opened = Arc::clone(&self.0);
        Box::pin(async move {
            let file = name.file_name();
            let files = BTreeSet::from([file.clone()]);
            let held = opened.hold(&files).await?;
            let taken = opened.set_aside(&file, &mut is_damaged).await;
            opened.release(&files, held).await;
            taken
        })
    }

    fn heads(&self) -> Box<dyn Heads> {
        Box::new(FileHeads::new(self.0.folder.clone()))
    }

    fn record(&self, copy: RecordCopy) -> BoxFut<'static, Result<Option<Bytes>>> {
        let folder = self.0.folder.clone();
        Box::pin(async move { folder.read(files::record(copy)).await })
    }

    fn put_record(&self, copy: RecordCopy, there: Option<Bytes>, record: Bytes) -> BoxFut<'static, Result<bool>> {
        Box::pin(Arc::clone(&self.0).put_record(files::record(copy), there, record))
    }

    fn write_stream(&self, name: BlobName, head_len: usize) -> BoxFut<'static, Result<Box<dyn BlobWriter>>> {
        let opened = Arc::clone(&self.0);
        Box::pin(async move {
            let writer = FileWriter::begin(opened, name.file_name(), head_len).await?;
            Ok(Box::new(writer) as Box<dyn BlobWriter>)
        })
    }

    fn read_stream(&self, name: BlobName) -> BoxFut<'static, Result<Option<Box<dyn BlobReader>>>> {
        let opened = Arc::clone(&self.0);
        Box::pin(async move {
            opened.finish().await?;
            let reader = FileReader::open(&opened.folder, &name.file_name()).await?;
            Ok(reader.map(|reader| Box::new(reader) as Box<dyn BlobReader>))
        })
    }

    fn close(&self) -> BoxFut<'static, Result<()>> {
        let opened = Arc::clone(&self.0);
        Box::pin(async move {
            opened.names.idle().await;
            // What cannot be finished now is finished by the next who opens the store.
            let finished = opened.finish().await;
            if let Some(locks) = &opened.locks {
                locks.close().await?;
            }
            finished
        })
    }
}

/// Each writes files while they are held.
impl Opened {
    /// Holds files against every other writer: those in this process, and with shared access those in others.
    pub(super) async fn hold(&self, files: &BTreeSet<String>) -> Result<Held> {
        let locks = self.locks()?;
        let held = self.names.hold(files.clone()).await;
        self.finish().await?;
        if self.access == Access::Shared {
            for (before, file) in files.iter().enumerate() {
                if let Err(error) = locks.hold(&files::lock(file)).await {
                    self.unlock(files.iter().take(before).map(String::as_str)).await;
                    return Err(error);
                }
            }
        }
        Ok(held)
    }

    pub(super) async fn release(&self, files: &BTreeSet<String>, held: Held) {
        let unfinished: Vec<_> = self.unfinished().clone();
        let finished = |file: &&str| !unfinished.iter().any(|one| one.batch.changes(file));
        self.unlock(files.iter().map(String::as_str).filter(finished)).await;
        drop(held);
    }

    /// What was done under a lock is done, whether or not the lock can be released: so this tells nobody. A lock
    /// that stays is known as ours by the next write to the same file.
    async fn unlock<'a>(&self, files: impl Iterator<Item = &'a str>) {
        if let (Access::Shared, Some(locks)) = (self.access, &self.locks) {
            for file in files {
                drop(locks.release(&files::lock(file)).await);
            }
        }
    }

    async fn commit(&self, writes: &[Write]) -> Result<Outcome> {
        for write in writes {
            if !self.is_as_expected(write).await? {
                return Ok(Outcome::Conflict(write.name));
            }
        }
        let changing = writes.iter().filter(|write| write.change != Change::Keep).count();
        if changing > 1 {
            return self.commit_together(writes).await.map(Outcome::Done);
        }
        let mut done = Vec::with_capacity(writes.len());
        for write in writes {
            done.push(self.apply(&write.name.file_name(), &write.change).await?);
        }
        Ok(Outcome::Done(done))
    }

    async fn is_as_expected(&self, write: &Write) -> Result<bool> {
        let blob = match write.expect {
            Expect::Anything => return Ok(true),
            Expect::Absent | Expect::Check(_) => self.folder.blob(&write.name.file_name(), false).await?,
        };
        Ok(match write.expect {
            Expect::Check(check) => blob.is_some_and(|blob| blob.check() == Some(check)),
            Expect::Absent | Expect::Anything => blob.is_none(),
        })
    }

    async fn commit_together(&self, writes: &[Write]) -> Result<Vec<bool>> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let changes = writes.iter().map(|write| (write.name.file_name(), &write.change));
        let batch = Batch::new(self.locks()?.token(), number, changes);
        let blobs = writes.iter().filter_map(|write| match &write.change {
            Change::Put(blob) => Some(blob),
            Change::Keep | Change::Delete => None,
        });
        batch.stage(&self.folder, blobs).await?;
        if let Err(error) = batch.decide(&self.folder).await {
            self.unfinished().push(Unfinished { batch, decided: false });
            // If it cannot be undone now, the next operation tries again.
            drop(self.finish().await);
            return Err(error);
        }
        let applied = batch.apply(&self.folder).await;
        if applied.is_err() {
            self.unfinished().push(Unfinished { batch, decided: true });
        }
        answers(writes, &applied?)
    }

    /// Goes on with batches that failed halfway.
    async fn finish(&self) -> Result<()> {
        if self.unfinished().is_empty() {
            return Ok(());
        }
        let _held = self.names.hold(BTreeSet::from([FINISHING.to_owned()])).await;
        loop {
            let Some(Unfinished { batch, decided }) = self.unfinished().first().cloned() else { return Ok(()) };
            if decided {
                batch.apply(&self.folder).await?;
            } else {
                batch.abandon(&self.folder).await?;
            }
            self.unlock(batch.files()).await;
            self.unfinished().remove(0);
        }
    }

    fn unfinished(&self) -> MutexGuard<'_, Vec<Unfinished>> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn update(&self, file: &str, part: Part, f: &mut UpdateFn) -> Result<()> {
        let blob = self.folder.blob(file, part == Part::All).await?;
        self.apply(file, &f(blob.as_ref())?).await.map(drop)
    }

    async fn set_aside(&self, file: &str, is_damaged: &mut JudgeFn) -> Result<bool> {
        match self.folder.blob(file, true).await? {
            Some(blob) if is_damaged(&blob) => {
                let taken = self.folder.rename_if_there(file, &files::damaged(file)).await?;
                self.folder.sync().await?;
                Ok(taken)
            }
            _ => Ok(false),
        }
    }

    /// Puts a copy of the record, if what is there is this; says whether it did.
    async fn put_record(self: Arc<Self>, file: &'static str, there: Option<Bytes>, record: Bytes) -> Result<bool> {
        let files = BTreeSet::from([file.to_owned()]);
        let held = self.hold(&files).await?;
        let put = async {
            if self.folder.read(file).await? != there {
                return Ok(false);
            }
            self.apply(file, &Change::Put(Blob { head: record, value: Bytes::new() })).await
        };
        let put = put.await;
        self.release(&files, held).await;
        put
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

    /// A temporary file for a blob that is written piece by piece, of which there may be several.
    pub(super) fn temporary(&self, file: &str) -> Result<String> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        Ok(files::staged(file, self.locks()?.token(), &format!("{number:016x}")))
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

/// For each write what it found, from what was found of each file that was changed.
fn answers(writes: &[Write], found: &[bool]) -> Result<Vec<bool>> {
    let mut found = found.iter().copied();
    let answer = |write: &Write| match write.change {
        Change::Keep => Ok(true),
        Change::Delete => Ok(found.next().unwrap_or_default()),
        Change::Put(_) if found.next().unwrap_or_default() => Ok(true),
        Change::Put(_) => Err(Error::new(
            ErrorKind::Io,
            format!("writing {}: another program deleted its temporary file; write it again", write.name),
        )),
    };
    writes.iter().map(answer).collect()
}
