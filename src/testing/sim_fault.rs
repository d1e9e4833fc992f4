//! What can go wrong with a simulated disk.

use crate::backing::{Fault, FsError};

/// What can go wrong with one step of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimFault {
    /// `EIO`: the device fails. A write leaves half of it behind.
    Io,
    /// `ENOSPC`: the disk is full. A write leaves half of it behind.
    NoSpace,
    /// `EACCES`: access is refused.
    Denied,
    /// `EROFS`: the file system was mounted read-only.
    ReadOnly,
    /// `EMFILE`: there are too many open files.
    TooManyFiles,
    /// `EINTR`: a signal came.
    Interrupted,
    /// Only half is written, and no error is told: what is left takes another step. Other steps go well.
    ShortWrite,
    /// The closing of a file fails. Other steps go well.
    FailedClose,
}

impl SimFault {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Io,
        Self::NoSpace,
        Self::Denied,
        Self::ReadOnly,
        Self::TooManyFiles,
        Self::Interrupted,
        Self::ShortWrite,
        Self::FailedClose,
    ];

    pub(super) fn error(self) -> FsError {
        let (fault, message) = match self {
            Self::Io => (Fault::Other, "EIO"),
            Self::NoSpace => (Fault::NoSpace, "ENOSPC"),
            Self::Denied => (Fault::Denied, "EACCES"),
            Self::ReadOnly => (Fault::Denied, "EROFS"),
            Self::TooManyFiles => (Fault::Other, "EMFILE"),
            Self::Interrupted => (Fault::Other, "EINTR"),
            Self::ShortWrite => (Fault::Other, "short write"),
            Self::FailedClose => (Fault::Other, "failed close"),
        };
        FsError::new(fault, message)
    }
}
