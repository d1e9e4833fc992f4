//! What a file store asks of a file system.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    backing::Blob,
    env::{BoxFut, MaybeSend, MaybeSync},
    error::{Error, ErrorKind, Source},
};

/// The answer of a file system.
pub type FsFut<T> = BoxFut<'static, Result<T, FsError>>;

/// A file system: the operating system's, Node's, or a simulated one.
///
/// The work of a method begins when it is called; the future is only its end. So several reads may be begun
/// before the first is awaited.
pub trait Fs: MaybeSend + MaybeSync + 'static {
    /// Whether every future is ready at its first poll.
    fn immediate(&self) -> bool;

    /// The bytes of a file, or only its `first` ones; `None` if there is no such file.
    /// A symbolic link is not followed but refused, with [`Fault::Link`].
    fn read(&self, path: &Path, first: Option<usize>) -> FsFut<Option<Bytes>>;

    /// Makes a new file of this content, written in full, synced if `durable`, and closed. [`Fault::Exists`] if there is
    /// something of that name. When it fails, what was made is removed again.
    fn create(&self, path: &Path, content: &Blob, durable: bool) -> FsFut<()>;

    /// Makes several new files, as [`create`](Self::create); the answer of each. One after another, where nothing is better.
    fn create_all(&self, files: &[(PathBuf, &Blob)], durable: bool) -> Vec<FsFut<()>> {
        files.iter().map(|(path, content)| self.create(path, content, durable)).collect()
    }

    /// Opens a file to read it piece by piece; `None` if there is no such file. A symbolic link is refused, with
    /// [`Fault::Link`].
    fn open(&self, path: &Path) -> FsFut<Option<Box<dyn FsFile>>>;

    /// Makes a new file to be written piece by piece. [`Fault::Exists`] if there is something of that name.
    fn begin(&self, path: &Path) -> FsFut<Box<dyn FsFile>>;

    /// Renames a file, in one step; what has the new name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> FsFut<()>;

    /// Gives a file a second name; `false` if something has that name already.
    fn link(&self, from: &Path, to: &Path) -> FsFut<bool>;

    /// Removes a file; `false` if there is none.
    fn unlink(&self, path: &Path) -> FsFut<bool>;

    /// The names in a folder, in any order; `None` if there is no such folder.
    /// Names that are not Unicode are left out: none of ours is like that.
    fn list(&self, folder: &Path) -> FsFut<Option<Vec<String>>>;

    /// Makes a folder and those above it, durably; one that is there is no error.
    fn mkdir(&self, folder: &Path) -> FsFut<()>;

    /// Removes an empty folder; `false` if it is not empty, or not there.
    fn rmdir(&self, folder: &Path) -> FsFut<bool>;

    /// Makes the names in this folder durable.
    fn sync_dir(&self, folder: &Path) -> FsFut<()>;

    /// What is there. The path itself may be a link to a folder.
    fn kind(&self, path: &Path) -> FsFut<Option<Kind>>;

    /// This process, as [`Fs::alive`] knows it.
    fn process(&self) -> FsFut<Process>;

    /// Whether this process of this machine is still running. What cannot be found out is `true`.
    fn alive(&self, pid: u32, started: &str) -> FsFut<bool>;

    /// Waits this long.
    fn pause(&self, milliseconds: u32) -> FsFut<()>;
}

/// An open file, for one operation at a time. It stays the same file when another gets its name. Dropped, it is closed.
#[allow(clippy::len_without_is_empty, reason = "a length that a disk is asked for")]
pub trait FsFile: MaybeSend + MaybeSync + 'static {
    /// How long it is, in bytes.
    fn len(&self) -> FsFut<u64>;

    /// So many bytes from this one on; fewer only where the file ends.
    fn read(&self, at: u64, len: usize) -> FsFut<Bytes>;

    /// Writes all these bytes there. What lies between the end and them becomes zeros.
    fn write(&self, at: u64, bytes: Bytes) -> FsFut<()>;

    /// Makes what was written durable.
    fn sync(&self) -> FsFut<()>;

    /// Closes the file, and tells what only then comes out.
    fn close(self: Box<Self>) -> FsFut<()>;
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Something else.
    Other,
}

/// A process of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// The name of its machine.
    pub host: String,
    /// Which boot and when in it, in the system's own terms, to tell it from later processes of the same number;
    /// empty where the system does not say.
    pub started: String,
}

/// The failure of a file system.
#[derive(Clone, Debug)]
pub struct FsError {
    /// What went wrong, as far as it makes a difference.
    pub fault: Fault,
    /// The error of the system.
    pub source: Source,
}

/// What went wrong in a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Something of that name is there.
    Exists,
    /// Nothing of that name is there.
    NotFound,
    /// The path, or a part of it, is a file.
    NotAFolder,
    /// The path is a symbolic link.
    Link,
    /// The file is longer than what can be read at once.
    TooLong,
    /// The disk or the quota is full.
    NoSpace,
    /// Access is refused.
    Denied,
    /// Anything else.
    Other,
}

impl FsError {
    /// An error that was made here, not by a system.
    pub fn new(fault: Fault, message: &str) -> Self {
        Self { fault, source: Arc::new(std::io::Error::other(message.to_owned())) }
    }

    /// As the error of a store that was doing this to that path.
    pub(super) fn into_error(self, doing: &str, path: &Path) -> Error {
        let (kind, advice) = match self.fault {
            Fault::TooLong => (ErrorKind::LimitExceeded, "read it as a stream: bget takes a function"),
            Fault::NoSpace => (ErrorKind::NoSpace, "free some space and try again; what was stored before is intact"),
            Fault::Denied => (ErrorKind::PermissionDenied, "give this user the right to do that"),
            Fault::NotAFolder => (ErrorKind::InvalidConfig, "the path is a file, not a folder; choose another"),
            Fault::Link => (ErrorKind::Corrupt, "it is a symbolic link, and a store holds only plain files; remove it"),
            Fault::Exists | Fault::NotFound | Fault::Other => {
                (ErrorKind::Io, "nothing was acknowledged; see whether the disk is well, then try again")
            }
        };
        Error::new(kind, format!("{doing} {} failed: {}; {advice}", path.display(), self.source)).caused_by(self.source)
    }
}
