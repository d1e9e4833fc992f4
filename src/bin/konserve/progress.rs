//! How far a long command has come, on stderr, where somebody looks.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// Redrawn this often.
const EVERY: Duration = Duration::from_millis(100);

/// How long a full bar is, in characters.
const BAR: usize = 30;

/// A line that counts up, or a bar.
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
        self.show(|| format!("{count} read"));
    }

    /// So many entries, which are about this part of all, from 0 to 1: a bar.
    pub(crate) fn part(&mut self, entries: u64, part: f64) {
        self.show(|| bar(entries, part));
    }

    /// So many of about so many: a bar.
    pub(crate) fn of(&mut self, count: u64, total: u32) {
        self.part(count, f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / f64::from(total));
    }

    fn show(&mut self, line: impl FnOnce() -> String) {
        let now = Instant::now();
        if self.watched && now >= self.next {
            self.next = now + EVERY;
            self.shown = true;
            // What cannot be shown is not worth an error.
            _ = write!(io::stderr(), "\r{}", line());
        }
    }
}

fn bar(entries: u64, part: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    let percent = (part.clamp(0.0, 1.0) * 100.0) as usize;
    let done = percent * BAR / 100;
    format!("[{}{}] {percent:3} %, {entries} entries", "#".repeat(done), "-".repeat(BAR - done))
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_part_that_is_done_and_never_longer() {
        assert_eq!(bar(0, 0.0), format!("[{}]   0 %, 0 entries", "-".repeat(30)));
        assert_eq!(bar(5, 0.5), format!("[{}{}]  50 %, 5 entries", "#".repeat(15), "-".repeat(15)));
        for over in [1.0, 1.5, f64::INFINITY] {
            assert_eq!(bar(9, over), format!("[{}] 100 %, 9 entries", "#".repeat(30)));
        }
        assert!(bar(0, f64::NAN).starts_with("[-"), "of nothing, nothing is done");
    }
}
