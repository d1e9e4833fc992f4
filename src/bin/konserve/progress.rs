//! How far a long command has come, on stderr, where somebody looks.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// Redrawn this often.
const EVERY: Duration = Duration::from_millis(100);

/// A line that counts up.
pub(crate) struct Progress {
    shown: bool,
    watched: bool,
    next: Instant,
}

impl Progress {
    /// Silent unless stderr is a terminal, and for what takes no longer than a moment. A command that `prints` as it
    /// goes shows its progress on its own where that is a terminal too.
    pub(crate) fn new(prints: bool) -> Self {
        let watched = io::stderr().is_terminal() && !(prints && io::stdout().is_terminal());
        Self { shown: false, watched, next: Instant::now() + 5 * EVERY }
    }

    /// So many were read.
    pub(crate) fn at(&mut self, count: u64) {
        let now = Instant::now();
        if self.watched && now >= self.next {
            self.next = now + EVERY;
            self.shown = true;
            // What cannot be shown is not worth an error.
            _ = write!(io::stderr(), "\r{count} read");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
