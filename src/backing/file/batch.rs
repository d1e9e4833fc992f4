//! Several files changed together: all of them, or none.
//!
//! The new contents are written to temporary files first, then one more file: it says what is to be renamed and
//! deleted, and from the moment it is there the batch is going to happen. Whoever opens the store after a crash, or
//! takes over a lock of the process that began it, goes on with it. Each temporary file has its batch's number, so that
//! a batch which is found again after it was done has nothing to do.
//!
//! The order of the syncs makes it true: the temporary files are durable before the batch is, the batch is before the
//! first rename, and what it did is before it goes. Its own removal is durable with the next write that is acknowledged.

use super::{
    files::{self, Ours},
    folder::Folder,
    lock::Locks,
};
use crate::{
    backing::{Blob, Change},
    error::{Error, Result},
    name::BlobName,
};

/// So many files are written, renamed or removed side by side.
const AT_ONCE: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// The file that says what is to be done.
    file: String,
    /// Each file, and the temporary one that takes its place; none if it is deleted.
    steps: Vec<(String, Option<String>)>,
}

impl Batch {
    /// The batch of this number that an opened store makes of these changes.
    pub(super) fn new<'a>(token: &str, number: u64, changes: impl Iterator<Item = (String, &'a Change)>) -> Self {
        let number = format!("{number:016x}");
        let temporary = |file: &str, change| match change {
            &Change::Put(_) => Some(Some(files::staged(file, token, &number))),
            Change::Delete => Some(None),
            Change::Keep => None,
        };
        let steps = changes.filter_map(|(file, change)| temporary(&file, change).map(|temporary| (file, temporary)));
        Self { steps: steps.collect(), file: files::batch(token, &number) }
    }

    pub(super) fn changes(&self, file: &str) -> bool {
        self.steps.iter().any(|(changed, _)| changed == file)
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|(file, _)| &**file)
    }

    /// Writes the temporary files. What fails leaves nothing but what is swept.
    pub(super) async fn stage(&self, folder: &Folder, blobs: impl Iterator<Item = &Blob>) -> Result<()> {
        let files = self.steps.iter().filter_map(|(file, temporary)| Some((file, temporary.as_deref()?)));
        let (files, contents): (Vec<_>, Vec<_>) =
            files.zip(blobs).map(|((file, temporary), blob)| (file, (temporary, blob))).unzip();
        let mut staged = Ok(());
        // What does not wait has nothing under way but what it does just now.
        let at_once = if folder.fs.immediate() { files.len().max(1) } else { AT_ONCE };
        for (files, contents) in files.chunks(at_once).zip(contents.chunks(at_once)) {
            let mut written = folder.stage_all(contents).await.into_iter().zip(files);
            staged = written.try_for_each(|(written, file)| written.map_err(|error| at_blob(error, file)));
            if staged.is_err() {
                break;
            }
        }
        match staged {
            Ok(()) => folder.sync().await,
            failed => {
                self.unstage(folder).await;
                failed
            }
        }
    }

    /// Decides that the batch happens. If this fails, it may have been decided all the same.
    pub(super) async fn decide(&self, folder: &Folder) -> Result<()> {
        folder.stage(&self.file, &Blob { head: self.to_text().into(), value: bytes::Bytes::new() }).await
    }

    /// Makes sure that the batch does not happen, after it could not be decided. Its file goes durably before the temporary
    /// ones do: it must not come back without them.
    pub(super) async fn abandon(&self, folder: &Folder) -> Result<()> {
        folder.remove(&self.file).await?;
        folder.sync().await?;
        self.unstage(folder).await;
        Ok(())
    }

    /// Does what was decided; says of each file whether it was there. May be done again after it failed halfway.
    pub(super) async fn apply(&self, folder: &Folder) -> Result<Vec<bool>> {
        folder.sync().await?;
        let mut done = Vec::with_capacity(self.steps.len());
        for steps in self.steps.chunks(AT_ONCE) {
            let start = |(file, temporary): &(String, Option<String>)| match temporary {
                Some(temporary) => folder.rename_if_there(temporary, file),
                None => folder.remove(file),
            };
            let begun: Vec<_> = steps.iter().map(start).collect();
            // Each is waited for, also after one failed: none goes on while the batch is tried again.
            let mut found = Vec::with_capacity(begun.len());
            for step in begun {
                found.push(step.await);
            }
            done.extend(found.into_iter().collect::<Result<Vec<_>>>()?);
        }
        folder.sync().await?;
        folder.remove(&self.file).await?;
        Ok(done)
    }

    /// Removes the temporary files. What stays is swept.
    async fn unstage(&self, folder: &Folder) {
        for temporary in self.temporaries() {
            drop(folder.remove(temporary).await);
        }
    }

    fn temporaries(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|(_, temporary)| temporary.as_deref())
    }

    /// One step a line, and the hash of all lines before it last.
    fn to_text(&self) -> String {
        let line = |(file, temporary): &(String, Option<String>)| match temporary {
            Some(temporary) => format!("put {file} {temporary}\n"),
            None => format!("delete {file}\n"),
        };
        let lines: String = std::iter::once("konserve batch\n".to_owned()).chain(self.steps.iter().map(line)).collect();
        let hash = blake3::hash(lines.as_bytes());
        format!("{lines}blake3 {hash}\n")
    }

    /// What was cut short, or names files that are not a batch's, was never decided.
    fn parse(file: &str, text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (lines, hash) = text.strip_suffix('\n')?.rsplit_once("\nblake3 ")?;
        if *blake3::hash(format!("{lines}\n").as_bytes()).to_hex() != *hash {
            return None;
        }
        let step = |line: &str| {
            let (what, rest) = line.split_once(' ')?;
            let (changed, temporary) = match what {
                "put" => rest.split_once(' ').map(|(changed, temporary)| (changed, Some(temporary)))?,
                "delete" => (rest, None),
                _ => return None,
            };
            let blob = matches!(files::ours(changed), Some(Ours::Blob(_)));
            let staged = temporary
                .is_none_or(|name| name.starts_with(changed) && matches!(files::ours(name), Some(Ours::Temporary(_))));
            (blob && staged).then(|| (changed.to_owned(), temporary.map(str::to_owned)))
        };
        let steps = lines.strip_prefix("konserve batch\n")?.split('\n').map(step).collect::<Option<_>>()?;
        Some(Self { file: file.to_owned(), steps })
    }
}

/// With the blob of which this is the file.
fn at_blob(error: Error, file: &str) -> Error {
    match BlobName::from_file_name(file) {
        Some(name) => error.at_blob(*name.as_bytes()),
        None => error,
    }
}

/// Goes on with the batches that this owner decided, who is gone.
pub(super) async fn recover(locks: &Locks, folder: &Folder, owner: &str) -> Result<()> {
    for file in folder.list().await?.unwrap_or_default() {
        if files::ours(&file) == Some(Ours::Batch(owner)) {
            let lock = files::lock(&file);
            locks.hold(&lock).await?;
            let recovered = replay(folder, &file).await;
            locks.release(&lock).await?;
            recovered?;
        }
    }
    Ok(())
}

async fn replay(folder: &Folder, file: &str) -> Result<()> {
    match folder.read(file).await?.map(|text| Batch::parse(file, &text)) {
        Some(Some(batch)) => batch.apply(folder).await.map(drop),
        Some(None) => folder.remove(file).await.map(drop),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "30313233-3435-3637-3839-616263646566.ksv";
    const B: &str = "40313233-3435-3637-3839-616263646566.ksv";

    #[test]
    fn the_text_of_a_batch_is_read_back_and_nothing_cut_short_or_changed_is() {
        let put = Change::Put(Blob::default());
        let changes = [(A, &put), ("kept", &Change::Keep), (B, &Change::Delete)];
        let changes = changes.map(|(file, change)| (file.to_owned(), change));
        let batch = Batch::new("0123456789abcdef", 7, changes.into_iter());
        assert_eq!(batch.files().collect::<Vec<_>>(), [A, B]);
        let text = batch.to_text().into_bytes();
        assert_eq!(Batch::parse(&batch.file, &text), Some(batch.clone()));
        for at in 0..text.len() {
            assert_eq!(Batch::parse(&batch.file, &text[..at]), None, "cut at {at}");
            let mut flipped = text.clone();
            flipped[at] ^= 1;
            assert_eq!(Batch::parse(&batch.file, &flipped), None, "changed at {at}");
        }
    }

    #[test]
    fn a_batch_changes_only_blobs() {
        let other = format!("put {A} {}", files::staged(B, "0123456789abcdef", "0123456789abcdef"));
        for line in
            ["delete ../secret", "delete konserve.store", "put notes.txt notes.txt", &format!("put {A} {B}"), &other]
        {
            let lines = format!("konserve batch\n{line}\n");
            let text = format!("{lines}blake3 {}\n", blake3::hash(lines.as_bytes()));
            assert_eq!(Batch::parse("file", text.as_bytes()), None, "{line}");
        }
    }
}
