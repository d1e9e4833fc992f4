//! A file for each key, with the bare system calls that keep the old content or the new one whatever happens: a temporary
//! file, written and renamed; with `sync`, the file and its folder are synced.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use super::Peer;

pub struct Files {
    folder: PathBuf,
    sync: bool,
    number: AtomicU64,
    /// Whether listing reads the first 4 KiB of each file, where a store has metadata.
    heads: bool,
}

impl Files {
    pub fn new(folder: PathBuf, sync: bool, heads: bool) -> Self {
        Self { folder, sync, heads, number: AtomicU64::new(0) }
    }

    fn write(&self, key: &str, bytes: &[u8]) {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let temporary = self.folder.join(format!("{number}.new"));
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary).unwrap();
        file.write_all(bytes).unwrap();
        if self.sync {
            file.sync_all().unwrap();
        }
        drop(file);
        fs::rename(temporary, self.folder.join(key)).unwrap();
    }

    fn sync_folder(&self) {
        if self.sync {
            File::open(&self.folder).unwrap().sync_all().unwrap();
        }
    }
}

impl Peer for Files {
    fn put(&self, key: &str, bytes: Vec<u8>) {
        self.write(key, &bytes);
        self.sync_folder();
    }

    fn get(&self, key: &str, see: &mut dyn FnMut(&[u8])) {
        see(&fs::read(self.folder.join(key)).unwrap());
    }

    /// Not all or none: a crash leaves some of them.
    fn put_all(&self, entries: Vec<(&str, Vec<u8>)>) {
        for (key, bytes) in &entries {
            self.write(key, bytes);
        }
        self.sync_folder();
    }

    /// Not whole after a crash: the last element may be cut.
    fn append(&self, name: &str, _at: u64, bytes: &[u8]) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.folder.join(name)).unwrap();
        file.write_all(bytes).unwrap();
        if self.sync {
            file.sync_all().unwrap();
        }
    }

    fn count(&self) -> usize {
        let mut head = Vec::with_capacity(4096);
        let look = |entry: std::io::Result<fs::DirEntry>| {
            let entry = entry.unwrap();
            if self.heads {
                head.clear();
                File::open(entry.path()).unwrap().take(4096).read_to_end(&mut head).unwrap();
            }
            entry.file_name()
        };
        fs::read_dir(&self.folder).unwrap().map(look).collect::<Vec<_>>().len()
    }
}
