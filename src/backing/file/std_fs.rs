//! The operating system's files, through the standard library.

use std::{
    fs::{self, File, OpenOptions},
    future::ready,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use bytes::Bytes;

use super::{
    fs::{Fault, Fs, FsError, FsFile, FsFut, Kind, Process},
    process,
};
use crate::backing::Blob;

/// So many threads write files at once.
const THREADS: usize = 16;
/// So many files are not worth a thread of their own.
const FEW: usize = 4;
/// So many bytes of a file are read before it is asked how long it is.
const SMALL: usize = 16 * 1024;

/// The operating system's files. Every call is done when it returns.
#[derive(Clone, Copy, Debug, Default)]
pub struct StdFs;

impl Fs for StdFs {
    fn immediate(&self) -> bool {
        true
    }

    fn read(&self, path: &Path, first: Option<usize>) -> FsFut<Option<Bytes>> {
        done(present(read(path, first)))
    }

    fn create(&self, path: &Path, content: &Blob, durable: bool) -> FsFut<()> {
        done(create(path, content, durable))
    }

    fn create_all(&self, files: &[(PathBuf, &Blob)], durable: bool) -> Vec<FsFut<()>> {
        create_all(files, durable).into_iter().map(done).collect()
    }

    fn open(&self, path: &Path) -> FsFut<Option<Box<dyn FsFile>>> {
        done(present(plain_file().read(true).open(path)).map(|file| file.map(opened)))
    }

    fn begin(&self, path: &Path) -> FsFut<Box<dyn FsFile>> {
        done(OpenOptions::new().write(true).create_new(true).open(path).map(opened))
    }

    fn rename(&self, from: &Path, to: &Path) -> FsFut<()> {
        done(rename(from, to))
    }

    fn link(&self, from: &Path, to: &Path) -> FsFut<bool> {
        done(match fs::hard_link(from, to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            other => other.map(|()| true),
        })
    }

    fn unlink(&self, path: &Path) -> FsFut<bool> {
        done(present(fs::remove_file(path)).map(|done| done.is_some()))
    }

    fn list(&self, folder: &Path) -> FsFut<Option<Vec<String>>> {
        done(present(fs::read_dir(folder).and_then(|entries| {
            let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
            names.filter_map(Result::transpose).collect()
        })))
    }

    fn mkdir(&self, folder: &Path) -> FsFut<()> {
        done(make_folder(folder))
    }

    fn rmdir(&self, folder: &Path) -> FsFut<bool> {
        done(match fs::remove_dir(folder) {
            Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound) => {
                Ok(false)
            }
            other => other.map(|()| true),
        })
    }

    fn sync_dir(&self, folder: &Path) -> FsFut<()> {
        done(sync_dir(folder))
    }

    fn kind(&self, path: &Path) -> FsFut<Option<Kind>> {
        done(present(fs::metadata(path)).map(|found| {
            found.map(|found| match found.file_type() {
                kind if kind.is_dir() => Kind::Folder,
                kind if kind.is_file() => Kind::File,
                _ => Kind::Other,
            })
        }))
    }

    fn process(&self) -> FsFut<Process> {
        done(Ok(process::this()))
    }

    fn alive(&self, pid: u32, started: &str) -> FsFut<bool> {
        done(Ok(process::alive(pid, started)))
    }

    fn pause(&self, milliseconds: u32) -> FsFut<()> {
        thread::sleep(Duration::from_millis(milliseconds.into()));
        done(Ok(()))
    }
}

struct StdFile(File);

fn opened(file: File) -> Box<dyn FsFile> {
    Box::new(StdFile(file))
}

impl FsFile for StdFile {
    fn len(&self) -> FsFut<u64> {
        done(self.0.metadata().map(|found| found.len()))
    }

    fn read(&self, at: u64, len: usize) -> FsFut<Bytes> {
        done(read_at(&self.0, at, len))
    }

    fn write(&self, at: u64, bytes: Bytes) -> FsFut<()> {
        done(write_at(&self.0, at, &bytes))
    }

    fn sync(&self) -> FsFut<()> {
        done(self.0.sync_all())
    }

    fn close(self: Box<Self>) -> FsFut<()> {
        done(Ok(()))
    }
}

fn read_at(mut file: &File, at: u64, len: usize) -> io::Result<Bytes> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::with_capacity(len);
    file.take(len as u64).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

fn write_at(mut file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

fn done<T: Send + 'static>(result: io::Result<T>) -> FsFut<T> {
    Box::pin(ready(result.map_err(FsError::from)))
}

fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn read(path: &Path, first: Option<usize>) -> io::Result<Bytes> {
    let file = plain_file().read(true).open(path)?;
    match first {
        Some(first) => read_start(&file, first).map(Bytes::from),
        None => read_all(&file),
    }
}

/// What a damaged header declares allocates no more than the file holds.
fn read_start(file: &File, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(len.min(64 * 1024));
    file.take(u64::try_from(len).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Most files are small: the system is not asked how long they are.
fn read_all(mut file: &File) -> io::Result<Bytes> {
    let mut bytes = read_start(file, SMALL)?;
    if bytes.len() < SMALL {
        return Ok(Bytes::copy_from_slice(&bytes));
    }
    file.read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

/// Links are not followed, and a named pipe does not make the opening wait.
#[cfg(unix)]
fn plain_file() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.custom_flags(flags.bits().cast_signed());
    options
}

#[cfg(not(unix))]
fn plain_file() -> OpenOptions {
    OpenOptions::new()
}

fn create(path: &Path, content: &Blob, durable: bool) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = write(file, content, durable);
    if written.is_err() {
        // The first error is the one to tell; what stays behind is a temporary file, and swept.
        drop(fs::remove_file(path));
    }
    written
}

/// Each file is synced by itself, and disks sync many in little more time than one: so threads share the work.
fn create_all(files: &[(PathBuf, &Blob)], durable: bool) -> Vec<io::Result<()>> {
    let all = move |files: &[(PathBuf, &Blob)]| -> Vec<_> {
        files.iter().map(|(path, content)| create(path, content, durable)).collect()
    };
    let share = if durable { files.len().div_ceil(THREADS).max(FEW) } else { files.len().max(1) };
    let mut shares = files.chunks(share);
    let mine = shares.next().unwrap_or_default();
    thread::scope(|scope| {
        let begin = |some| (some, thread::Builder::new().spawn_scoped(scope, move || all(some)));
        let threads: Vec<_> = shares.map(begin).collect();
        let mut done = all(mine);
        for (some, thread) in threads {
            done.extend(match thread.map(thread::ScopedJoinHandle::join) {
                Ok(Ok(done)) => done,
                Ok(Err(_)) => some.iter().map(|_| Err(io::Error::other("the thread that wrote it panicked"))).collect(),
                // There are no more threads to be had.
                Err(_) => all(some),
            });
        }
        done
    })
}

fn write(mut file: File, content: &Blob, durable: bool) -> io::Result<()> {
    if content.head.len() + content.value.len() <= SMALL {
        // Putting them together costs less than a second call of the system.
        file.write_all(&[&*content.head, &content.value].concat())?;
    } else {
        file.write_all(&content.head)?;
        file.write_all(&content.value)?;
    }
    if durable {
        file.sync_all()?;
    }
    // The standard library does not tell of a failed close; what was synced before cannot be lost by it.
    Ok(())
}

#[cfg(not(windows))]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// A virus scanner or a reader that has the file open makes Windows refuse for a moment.
#[cfg(windows)]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    for pause in [1, 5, 20, 50, 100, 200, 400] {
        match fs::rename(from, to) {
            Err(error)
                if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ResourceBusy)
                    || error.raw_os_error() == Some(32) =>
            {
                thread::sleep(Duration::from_millis(pause));
            }
            other => return other,
        }
    }
    fs::rename(from, to)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<_> = folder.ancestors().take_while(|above| !above.exists()).collect();
    fs::create_dir_all(folder)?;
    for made in missing {
        match made.parent() {
            Some(above) if above.as_os_str().is_empty() => sync_dir(Path::new("."))?,
            Some(above) => sync_dir(above)?,
            None => {}
        }
    }
    Ok(())
}

#[cfg(not(windows))]
fn sync_dir(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows has no such thing: NTFS keeps names in its journal.
#[cfg(windows)]
#[allow(clippy::unnecessary_wraps, reason = "elsewhere it may fail")]
fn sync_dir(_folder: &Path) -> io::Result<()> {
    Ok(())
}

impl From<io::Error> for FsError {
    fn from(error: io::Error) -> Self {
        let fault = match error.kind() {
            io::ErrorKind::AlreadyExists => Fault::Exists,
            io::ErrorKind::NotFound => Fault::NotFound,
            io::ErrorKind::NotADirectory => Fault::NotAFolder,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::NoSpace,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Fault::Denied,
            _ if is_link(&error) => Fault::Link,
            _ => Fault::Other,
        };
        Self { fault, source: Arc::new(error) }
    }
}

#[cfg(unix)]
fn is_link(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP)
}

#[cfg(not(unix))]
fn is_link(_error: &io::Error) -> bool {
    false
}
