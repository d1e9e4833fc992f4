//! What the files in a store's folder are called. Beside blobs and the record, every name of ours ends in `.new`:
//! konserve passes over those, and takes offence at others.

use crate::{backing::RecordCopy, name::BlobName};

/// The store's record.
pub(super) const RECORD: &str = "konserve.store";
/// Its copy, of an encrypted store.
pub(super) const RECORD_COPY: &str = "konserve.store-copy";
/// The lock of the store.
pub(super) const LOCK: &str = "konserve.lock.new";

/// The temporary file through which this opened store replaces a file.
pub(super) fn temporary(file: &str, token: &str) -> String {
    format!("{file}.{token}.new")
}

/// The temporary file of one file in a batch, or of one that is streamed, of this opened store.
pub(super) fn staged(file: &str, token: &str, number: &str) -> String {
    format!("{file}.{token}.{number}.new")
}

/// What a batch of this opened store does.
pub(super) fn batch(token: &str, number: &str) -> String {
    format!("konserve.batch.{token}.{number}.new")
}

/// The lock of one file, for shared access.
pub(super) fn lock(file: &str) -> String {
    format!("{file}.lock.new")
}

/// The file that says who is about to open the store, and whose content becomes that of locks.
pub(super) fn opening(token: &str) -> String {
    format!("konserve.lock.{token}.new")
}

/// The file that says who has the store open in shared access.
pub(super) fn sharing(token: &str) -> String {
    format!("konserve.shared.{token}.new")
}

/// The right to take over that lock from that owner who is gone.
pub(super) fn heir(lock: &str, owner: &str) -> String {
    format!("{}.{owner}.heir.new", lock.strip_suffix(".new").unwrap_or(lock))
}

/// Where a damaged blob is kept, for whoever wants to see what is left of it.
pub(super) fn damaged(file: &str) -> String {
    format!("{file}.damaged.new")
}

/// A file of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ours<'a> {
    /// A blob.
    Blob(BlobName),
    /// A damaged blob that was set aside.
    Damaged,
    /// The record or its copy.
    Record,
    /// A temporary file of the opened store with this token.
    Temporary(&'a str),
    /// What a batch of the opened store with this token does.
    Batch(&'a str),
    /// Somebody about to open the store.
    Opening,
    /// Somebody who has the store open in shared access, with this token.
    Sharing(&'a str),
    /// The lock of the store, of a file, or the right to take one over.
    Lock,
    /// What Clojure's konserve keeps beside a blob for a while.
    Clojure,
}

/// What a file of this name is; `None` if it is not ours.
pub(super) fn ours(name: &str) -> Option<Ours<'_>> {
    if let Some(blob) = BlobName::from_file_name(name) {
        return Some(Ours::Blob(blob));
    }
    if is_record(name) {
        return Some(Ours::Record);
    }
    if is_clojures(name) {
        return Some(Ours::Clojure);
    }
    let stem = name.strip_suffix(".new")?;
    if stem.strip_suffix(".damaged").and_then(BlobName::from_file_name).is_some() {
        return Some(Ours::Damaged);
    }
    if let Some(token) = stem.strip_prefix("konserve.shared.") {
        return is_token(token).then_some(Ours::Sharing(token));
    }
    if stem.strip_prefix("konserve.lock.").is_some_and(is_token) {
        return Some(Ours::Opening);
    }
    if is_lock(stem) {
        return Some(Ours::Lock);
    }
    if let Some(token) = batch_token(stem) {
        return Some(Ours::Batch(token));
    }
    let (file, token) = tokened(stem)?;
    let (file, token) = tokened(file).unwrap_or((file, token));
    is_replaced(file).then_some(Ours::Temporary(token))
}

/// `<what>.<token>`.
fn tokened(stem: &str) -> Option<(&str, &str)> {
    stem.rsplit_once('.').filter(|(_, token)| is_token(token))
}

/// `konserve.batch.<token>.<number>`.
fn batch_token(stem: &str) -> Option<&str> {
    let (token, number) = stem.strip_prefix("konserve.batch.")?.split_once('.')?;
    (is_token(token) && is_token(number)).then_some(token)
}

/// `<what>.lock`, followed by any number of `.<token>.heir`.
fn is_lock(stem: &str) -> bool {
    let heir = stem.strip_suffix(".heir").and_then(|rest| rest.rsplit_once('.'));
    match heir {
        Some((lock, owner)) => is_token(owner) && is_lock(lock),
        None => stem.strip_suffix(".lock").is_some_and(|file| {
            file == "konserve" || is_replaced(file) || file.strip_suffix(".new").and_then(batch_token).is_some()
        }),
    }
}

/// `<blob>.new`, `<blob>.<uuid>.new` while it is written, and the marks of its other ways to write.
fn is_clojures(name: &str) -> bool {
    let Some((stem, suffix)) = name.rsplit_once('.') else { return false };
    let is_blob = |stem| BlobName::from_file_name(stem).is_some();
    match suffix {
        "backup" | "cas" | "dirty" => is_blob(stem),
        "new" => is_blob(stem) || stem.rsplit_once('.').is_some_and(|(blob, id)| is_blob(blob) && id.len() == 36),
        _ => false,
    }
}

fn is_replaced(file: &str) -> bool {
    is_record(file) || BlobName::from_file_name(file).is_some()
}

/// The file of a copy of the record.
pub(super) const fn record(copy: RecordCopy) -> &'static str {
    match copy {
        RecordCopy::First => RECORD,
        RecordCopy::Second => RECORD_COPY,
    }
}

fn is_record(name: &str) -> bool {
    matches!(name, RECORD | RECORD_COPY)
}

pub(super) fn is_token(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOB: &str = "30313233-3435-3637-3839-616263646566.ksv";
    const TOKEN: &str = "0123456789abcdef";

    #[test]
    fn our_files_are_known_by_their_names() {
        let name = BlobName::from_file_name(BLOB).unwrap();
        assert_eq!(ours(BLOB), Some(Ours::Blob(name)));
        assert_eq!(ours(&damaged(BLOB)), Some(Ours::Damaged));
        assert_eq!(ours(RECORD), Some(Ours::Record));
        assert_eq!(ours(RECORD_COPY), Some(Ours::Record));
        assert_eq!(ours(LOCK), Some(Ours::Lock));
        assert_eq!(ours(&opening(TOKEN)), Some(Ours::Opening));
        assert_eq!(ours(&sharing(TOKEN)), Some(Ours::Sharing(TOKEN)));
        for file in [BLOB, RECORD, RECORD_COPY] {
            assert_eq!(ours(&temporary(file, TOKEN)), Some(Ours::Temporary(TOKEN)));
            assert_eq!(ours(&staged(file, TOKEN, "0000000000000001")), Some(Ours::Temporary(TOKEN)));
            assert_eq!(ours(&lock(file)), Some(Ours::Lock));
            assert_eq!(ours(&heir(&lock(file), TOKEN)), Some(Ours::Lock));
            assert_eq!(ours(&heir(&heir(&lock(file), TOKEN), TOKEN)), Some(Ours::Lock));
        }
        assert_eq!(ours(&heir(LOCK, TOKEN)), Some(Ours::Lock));
        let batch = batch(TOKEN, "0000000000000001");
        assert_eq!(ours(&batch), Some(Ours::Batch(TOKEN)));
        assert_eq!(ours(&lock(&batch)), Some(Ours::Lock));
    }

    #[test]
    fn what_clojure_keeps_beside_a_blob_is_known() {
        for suffix in ["new", "backup", "cas", "dirty", "30313233-3435-3637-3839-616263646566.new"] {
            assert_eq!(ours(&format!("{BLOB}.{suffix}")), Some(Ours::Clojure), "{suffix}");
        }
    }

    #[test]
    fn foreign_files_are_left_alone() {
        for foreign in [
            "notes.txt",
            "photo.new",
            "photo.damaged.new",
            "konserve.store.damaged.new",
            ".new",
            "konserve.lock",
            "konserve.lock.mine.new",
            "konserve.lock..new",
            "other.lock.new",
            "konserve.shared.new",
            "konserve.store.bak",
            "30313233-3435-3637-3839-616263646566.ksv.0123456789abcdeF.new",
            "document.0123456789abcdef.new",
            "konserve.batch.0123456789abcdef.new",
            "30313233-3435-3637-3839-616263646566.ksv.mine.0123456789abcdef.new",
            "document.lock.0123456789abcdef.heir.new",
        ] {
            assert_eq!(ours(foreign), None, "{foreign}");
        }
    }
}
