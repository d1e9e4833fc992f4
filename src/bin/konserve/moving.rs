//! The commands that move whole stores.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Read, Write},
    path::Path,
};

use konserve::{Error, Imported, Value, blocking::Store};

use crate::{args::Existing, failure::Failure, output::Output, progress::Progress};

/// Whether standard input or output is meant.
fn is_standard(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn usage(doing: &str, file: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("{doing} {}: {error}", file.display()))
}

pub(crate) fn export(store: &Store, file: &Path, out: &mut Output) -> Result<(), Failure> {
    if is_standard(file) {
        if io::stdout().is_terminal() {
            return Err(Failure::Usage("an export is not for a terminal; name a file, or redirect it".into()));
        }
        return write(store, out.writer()).map(drop);
    }
    let mut to = File::create_new(file).map_err(|error| usage("making", file, &error))?;
    let written = write(store, &mut to).and_then(|entries| Ok(to.sync_all().map(|()| entries)?));
    if written.is_err() {
        // Half an export is of no use. The first error is the one to tell.
        _ = fs::remove_file(file);
    }
    let entries = written?;
    done(out, &[("exported", entries)])
}

fn write(store: &Store, to: &mut impl Write) -> Result<u64, Failure> {
    let mut progress = Progress::new(false);
    Ok(store.export_to(to, |entries, part| progress.part(entries, part))?)
}

pub(crate) fn import(store: &Store, file: &Path, existing: Existing, out: &mut Output) -> Result<(), Failure> {
    let Imported { imported, skipped } = if is_standard(file) {
        read(store, io::stdin().lock(), None, existing)?
    } else {
        let from = File::open(file).map_err(|error| usage("opening", file, &error))?;
        let len = from.metadata().map(|metadata| metadata.len()).ok();
        read(store, from, len, existing)?
    };
    done(out, &[("imported", imported), ("skipped", skipped)])
}

fn read(store: &Store, mut from: impl Read, len: Option<u64>, existing: Existing) -> Result<Imported, Error> {
    let existing = match existing {
        Existing::Error => konserve::Existing::Error,
        Existing::Keep => konserve::Existing::Keep,
        Existing::Replace => konserve::Existing::Replace,
    };
    let mut progress = Progress::new(false);
    store.import_from(&mut from, existing, |entries, bytes| match len {
        #[allow(clippy::cast_precision_loss, reason = "a bar of 30 characters")]
        Some(len) => progress.part(entries, bytes as f64 / len.max(1) as f64),
        None => progress.at(entries),
    })
}

/// Copies a store of about so many blobs into a new one.
pub(crate) fn convert(from: &Store, to: &Store, total: u32, out: &mut Output) -> Result<(), Failure> {
    let mut progress = Progress::new(false);
    let copied = from.copy_to(to, konserve::Existing::Error, |entries| progress.of(entries, total));
    drop(progress);
    done(out, &[("converted", copied?.imported)])
}

/// What was done.
fn done(out: &mut Output, counts: &[(&str, u64)]) -> Result<(), Failure> {
    if out.is_json() {
        return out.value(&counts.iter().map(|(what, count)| (*what, Value::from(*count))).collect());
    }
    let counts: Vec<_> = counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    out.line(&[&counts.join(", ")])
}
