//! Why a command did not do what it was asked for, and the exit code that says so.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use konserve::{Error, ErrorKind};

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It did what it was asked for, and the answer is no: exit code 1, with this said if it is not empty.
    No(String),
    /// What stands on the command line cannot be used: exit code 2.
    Usage(String),
    /// The store failed: exit code 3, or 2 where it refused what stands on the command line.
    Store(Error),
    /// So many blobs of so many, each of which was told, cannot be read: exit code 3.
    Unread(u64, u64),
    /// What was printed could not be written: exit code 3; if only nobody reads it any more, quietly 0.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    /// Says it on stderr, and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let (message, code) = match self {
            Self::No(message) => (message, 1),
            Self::Usage(message) => (message, 2),
            Self::Store(error) => {
                let hint =
                    if error.kind() == ErrorKind::StoreNotFound { "; konserve put --create makes one" } else { "" };
                (format!("{error}{hint}"), if is_usage(&error) { 2 } else { 3 })
            }
            Self::Unread(count, of) => {
                (format!("{count} of {of} blobs cannot be read, as said above; the rest was printed"), 3)
            }
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => (String::new(), 0),
            Self::Output(error) => (format!("the output could not be written: {error}"), 3),
        };
        if !message.is_empty() {
            tell(&message);
        }
        ExitCode::from(code)
    }
}

/// Says something on stderr.
pub(crate) fn tell(message: &str) {
    // Where stderr is closed there is nobody to tell.
    _ = writeln!(io::stderr(), "konserve: {message}");
}

fn is_usage(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidConfig | ErrorKind::InvalidKey | ErrorKind::InvalidPath | ErrorKind::InvalidValue
    )
}
