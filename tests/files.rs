//! A file store in a real folder, among other files and in the wrong places.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "in a test, that is a failure")]

use std::{fs, path::Path, sync::Arc};

use konserve::{
    BlobName, Error, ErrorKind,
    backing::{
        Access, Backing, Blob, Change, Expect, FilePlace, HeadPage, OffThread, Part, Place, RecordCopy, StdFs, Write,
    },
    blocking::wait,
};

fn place(folder: &Path) -> FilePlace {
    FilePlace::new(Arc::new(StdFs), folder).sync_blob(false)
}

fn open(folder: &Path) -> Result<Arc<dyn Backing>, Error> {
    wait(place(folder).open(true))
}

fn name(number: u16) -> BlobName {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    BlobName::from_bytes(bytes)
}

/// A blob whose meta section has this length.
fn blob(meta: u32, value: &str) -> Blob {
    let mut head = vec![0x81, 3, 0, 0];
    head.extend_from_slice(&meta.to_be_bytes());
    head.resize(20 + usize::try_from(meta).unwrap(), 7);
    Blob { head: head.into(), value: value.to_owned().into() }
}

fn put(store: &dyn Backing, number: u16, blob: Blob) -> Result<(), Error> {
    let write = Write { name: name(number), change: Change::Put(blob), expect: Expect::Anything };
    wait(store.commit(vec![write])).map(drop)
}

fn files(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> =
        folder.read_dir().unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    files
}

fn heads(store: &dyn Backing) -> Vec<HeadPage> {
    let mut heads = store.heads();
    std::iter::from_fn(|| wait(heads.next()).unwrap()).collect()
}

#[test]
fn heads_of_any_length_are_read_without_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    for (number, meta) in [(1, 0), (2, 4075), (3, 4076), (4, 4077), (5, 100_000)] {
        let whole = blob(meta, "the value");
        put(&*store, number, whole.clone()).unwrap();
        let head = wait(store.read(vec![name(number)], Part::Head)).unwrap();
        assert_eq!(head, [Some(Blob { value: "".into(), ..whole.clone() })], "{meta}");
        assert_eq!(wait(store.read(vec![name(number)], Part::All)).unwrap(), [Some(whole)], "{meta}");
    }
    let listed: Vec<_> = heads(&*store).concat().into_iter().map(|(_, head)| head.unwrap().len()).collect();
    assert_eq!(listed, [20, 4095, 4096, 4097, 100_020]);
}

#[test]
fn a_head_that_declares_more_than_the_file_holds_is_all_head() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    for (number, len) in [(1, 0), (2, 19), (3, 20), (4, 4096), (5, 9000)] {
        let mut bytes = vec![0xff; len];
        bytes.iter_mut().take(1).for_each(|first| *first = 0x81);
        fs::write(folder.path().join(name(number).file_name()), &bytes).unwrap();
        for part in [Part::Head, Part::All] {
            let found = wait(store.read(vec![name(number)], part)).unwrap();
            assert_eq!(found, [Some(Blob { head: bytes.clone().into(), value: "".into() })], "{len}");
        }
    }
}

#[test]
fn many_blobs_come_in_pages_by_ascending_name_and_many_reads_in_the_order_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    for number in 0..600 {
        put(&*store, number * 77 % 600, blob(0, "")).unwrap();
    }
    let pages = heads(&*store);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [256, 256, 88]);
    let names: Vec<_> = pages.concat().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, (0..600).map(name).collect::<Vec<_>>());
    let asked = vec![name(700), name(3), name(701), name(1)];
    let found = wait(store.read(asked, Part::All)).unwrap();
    assert_eq!(found, [None, Some(blob(0, "")), None, Some(blob(0, ""))]);
}

#[test]
fn what_is_deleted_while_the_heads_are_paged_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    for number in 0..300 {
        put(&*store, number, blob(0, "")).unwrap();
    }
    let mut heads = store.heads();
    assert_eq!(wait(heads.next()).unwrap().unwrap().len(), 256);
    for number in 256..299 {
        fs::remove_file(folder.path().join(name(number).file_name())).unwrap();
    }
    assert_eq!(wait(heads.next()).unwrap().unwrap().len(), 1);
    assert!(wait(heads.next()).unwrap().is_none());
}

#[test]
fn foreign_files_are_neither_listed_nor_touched_also_when_the_store_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = [
        "notes.txt",
        "photo.new",
        "30313233-3435-3637-3839-616263646566.ksv.old",
        "30313233-3435-3637-3839-61626364656A.ksv",
        "konserve.lock",
    ];
    for file in foreign {
        fs::write(folder.path().join(file), file).unwrap();
    }
    fs::create_dir(folder.path().join("below")).unwrap();
    assert!(!wait(place(folder.path()).exists()).unwrap());
    let store = open(folder.path()).unwrap();
    put(&*store, 1, blob(0, "")).unwrap();
    assert_eq!(heads(&*store).concat().len(), 1);
    wait(store.close()).unwrap();
    wait(place(folder.path()).destroy()).unwrap();
    let mut left: Vec<_> = foreign.map(str::to_owned).to_vec();
    left.push("below".to_owned());
    left.sort();
    assert_eq!(files(folder.path()), left);
    assert!(foreign.iter().all(|file| fs::read_to_string(folder.path().join(file)).unwrap() == *file));
}

#[test]
fn a_deleted_store_takes_its_folder_with_it() {
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("deep").join("store");
    let store = open(&folder).unwrap();
    put(&*store, 1, blob(0, "")).unwrap();
    assert!(wait(store.put_record(RecordCopy::First, None, "record".into())).unwrap());
    let locked = wait(place(&folder).destroy()).unwrap_err();
    assert_eq!(locked.kind(), ErrorKind::StoreLocked);
    wait(store.close()).unwrap();
    wait(place(&folder).destroy()).unwrap();
    assert!(!folder.exists());
    wait(place(&folder).destroy()).unwrap();
}

#[test]
fn the_record_is_created_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    assert_eq!(wait(store.record(RecordCopy::First)).unwrap(), None);
    assert!(wait(store.put_record(RecordCopy::First, None, "first".into())).unwrap());
    assert!(!wait(store.put_record(RecordCopy::First, None, "second".into())).unwrap());
    assert_eq!(wait(store.record(RecordCopy::First)).unwrap().unwrap(), "first");
    assert!(wait(place(folder.path()).exists()).unwrap());
}

#[test]
fn what_was_left_over_is_swept_when_the_store_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (blob_file, token) = (name(1).file_name(), "0123456789abcdef");
    for file in [
        format!("{blob_file}.{token}.new"),
        format!("konserve.store.{token}.new"),
        format!("konserve.lock.{token}.new"),
        format!("konserve.shared.{token}.new"),
        format!("{blob_file}.lock.new"),
        format!("{blob_file}.lock.{token}.heir.new"),
    ] {
        fs::write(folder.path().join(file), "half").unwrap();
    }
    wait(open(folder.path()).unwrap().close()).unwrap();
    assert_eq!(files(folder.path()), [""; 0]);
}

#[test]
fn read_access_creates_nothing_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let read = place(folder.path()).access(Access::Read);
    for create in [true, false] {
        assert_eq!(wait(read.open(create)).err().unwrap().kind(), ErrorKind::StoreNotFound);
    }
    fs::write(folder.path().join(name(1).file_name()), blob(0, "value").head).unwrap();
    fs::write(folder.path().join("konserve.store.0123456789abcdef.new"), "left over").unwrap();
    let before = files(folder.path());
    let store = wait(read.open(false)).unwrap();
    assert_eq!(heads(&*store).concat().len(), 1);
    let writes =
        [put(&*store, 1, blob(0, "")).err(), wait(store.put_record(RecordCopy::First, None, "record".into())).err()];
    assert!(writes.iter().all(|error| error.as_ref().unwrap().kind() == ErrorKind::PermissionDenied));
    wait(store.close()).unwrap();
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_folder_that_is_a_file_and_one_that_is_not_there_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        for result in [wait(place(&path).open(true)), wait(place(&path).open(false))] {
            let error = result.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{error}");
            assert!(error.message().contains("is a file, not a folder"), "{error}");
        }
        assert_eq!(wait(place(&path).exists()).unwrap_err().kind(), ErrorKind::InvalidConfig);
        assert_eq!(wait(place(&path).destroy()).unwrap_err().kind(), ErrorKind::InvalidConfig);
    }
    let error = wait(place(Path::new("")).open(true)).err().unwrap();
    assert_eq!((error.kind(), error.message().contains("path is empty")), (ErrorKind::InvalidConfig, true));
    let missing = folder.path().join("missing");
    assert_eq!(wait(place(&missing).open(false)).err().unwrap().kind(), ErrorKind::StoreNotFound);
    assert!(!wait(place(&missing).exists()).unwrap());
    assert!(!missing.exists());
}

#[cfg(unix)]
#[test]
fn links_named_like_blobs_are_refused_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::NamedTempFile::new().unwrap();
    fs::write(outside.path(), blob(0, "secret").head).unwrap();
    let store = open(folder.path()).unwrap();
    for (number, target) in [(1, outside.path()), (2, Path::new("/nowhere"))] {
        let link = folder.path().join(name(number).file_name());
        std::os::unix::fs::symlink(target, &link).unwrap();
        for part in [Part::Head, Part::All] {
            let error = wait(store.read(vec![name(number)], part)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.message().contains("symbolic link"), "{error}");
        }
        let listed = heads(&*store).concat().pop().unwrap();
        assert_eq!((listed.0, listed.1.unwrap_err().kind()), (name(number), ErrorKind::Corrupt));
        put(&*store, number, blob(0, "mine")).unwrap();
        assert!(!link.is_symlink(), "a write replaces the link");
    }
    assert_eq!(fs::read(outside.path()).unwrap(), blob(0, "secret").head, "and not what it leads to");
}

#[cfg(unix)]
#[test]
fn a_folder_named_like_a_blob_is_an_error_among_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    put(&*store, 1, blob(0, "")).unwrap();
    put(&*store, 3, blob(0, "")).unwrap();
    fs::create_dir(folder.path().join(name(2).file_name())).unwrap();
    let listed: Vec<_> = heads(&*store).concat().into_iter().map(|(_, head)| head.is_ok()).collect();
    assert_eq!(listed, [true, false, true]);
}

#[test]
fn an_error_of_the_updating_function_changes_nothing_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    put(&*store, 1, blob(0, "old")).unwrap();
    let fails = |_: Option<&Blob>| Err(Error::new(ErrorKind::InvalidValue, "mine"));
    let error = wait(store.update(name(1), Part::All, Box::new(fails))).unwrap_err();
    assert_eq!(error.message(), "mine");
    assert_eq!(wait(store.read(vec![name(1)], Part::All)).unwrap(), [Some(blob(0, "old"))]);
    let keeps = |old: Option<&Blob>| {
        assert_eq!(old.unwrap().value, "", "only the head was asked for");
        Ok(Change::Keep)
    };
    wait(store.update(name(1), Part::Head, Box::new(keeps))).unwrap();
    assert_eq!(wait(store.read(vec![name(1)], Part::All)).unwrap(), [Some(blob(0, "old"))]);
}

#[tokio::test(flavor = "current_thread")]
async fn off_thread_the_same_things_happen_while_the_program_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let place = OffThread::new(Arc::new(place(folder.path())));
    assert!(!place.exists().await.unwrap());
    let store = place.open(true).await.unwrap();
    assert!(!store.capability().immediate);
    assert!(store.put_record(RecordCopy::First, None, "record".into()).await.unwrap());
    let (begun, release) = std::sync::mpsc::channel::<()>();
    let f = move |_: Option<&Blob>| {
        release.recv().unwrap();
        Ok(Change::Put(blob(0, "updated")))
    };
    let update = tokio::spawn(store.update(name(1), Part::All, Box::new(f)));
    tokio::task::yield_now().await;
    begun.send(()).unwrap();
    update.await.unwrap().unwrap();
    assert_eq!(store.read(vec![name(1)], Part::All).await.unwrap(), [Some(blob(0, "updated"))]);
    let mut heads = store.heads();
    assert_eq!(heads.next().await.unwrap().unwrap().len(), 1);
    assert!(heads.next().await.unwrap().is_none());
    store.close().await.unwrap();
    place.destroy().await.unwrap();
    assert!(!folder.path().exists());
}
