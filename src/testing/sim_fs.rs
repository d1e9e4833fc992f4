//! A file system in memory, on a machine that may lose its power, whose disk may fail, and whose processes may be killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::sim_fault::SimFault;
use crate::{
    backing::{Blob, Fault, Fs, FsError, FsFile, FsFut, Kind, Process},
    env::MaybeSend,
};

/// A process of the simulated machine, as its file system sees it. Clones are the same process.
///
/// Nothing happens unless asked for: see [`SimFs::cut_power`], [`SimFs::fail`] and [`SimFs::kill`].
#[derive(Clone, Debug)]
pub struct SimFs {
    machine: Arc<Mutex<Machine>>,
    pid: u32,
}

#[derive(Debug, Default)]
struct Machine {
    disk: Disk,
    boot: u32,
    processes: u32,
    /// The running processes, each with the last step that it lives to see.
    living: BTreeMap<u32, u64>,
    steps: u64,
    power_until: Option<u64>,
    fault: Option<(u64, SimFault)>,
}

/// What programs see, and what would be there after a power cut.
#[derive(Clone, Debug, Default)]
struct Disk {
    folders: BTreeSet<PathBuf>,
    files: Vec<File>,
    names: BTreeMap<PathBuf, usize>,
    synced: BTreeMap<PathBuf, usize>,
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Change {
    Add(PathBuf, usize),
    Move(PathBuf, PathBuf, usize),
    Remove(PathBuf),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Write,
    Close,
    Other,
}

impl Default for SimFs {
    fn default() -> Self {
        Self::new()
    }
}

impl SimFs {
    /// The first process of a machine with an empty disk.
    pub fn new() -> Self {
        Self::boot(Disk::default(), 1)
    }

    fn boot(disk: Disk, boot: u32) -> Self {
        let machine =
            Machine { disk, boot, processes: 1, living: BTreeMap::from([(1, u64::MAX)]), ..Machine::default() };
        Self { machine: Arc::new(Mutex::new(machine)), pid: 1 }
    }

    /// Another process of the same machine.
    #[must_use]
    pub fn another_process(&self) -> Self {
        let mut machine = self.machine();
        machine.processes += 1;
        let pid = machine.processes;
        machine.living.insert(pid, u64::MAX);
        Self { machine: Arc::clone(&self.machine), pid }
    }

    /// Ends this process after so many more steps: each later one fails, and what it wrote is there.
    pub fn kill(&self, after: u64) {
        let mut machine = self.machine();
        let last = machine.steps + after;
        machine.living.insert(self.pid, last);
        if after == 0 {
            machine.living.remove(&self.pid);
        }
    }

    /// Whether this process was killed.
    pub fn is_dead(&self) -> bool {
        !self.machine().living.contains_key(&self.pid)
    }

    /// How many steps the machine's processes have asked for.
    pub fn steps(&self) -> u64 {
        self.machine().steps
    }

    /// Cuts the power after so many more steps.
    pub fn cut_power(&self, after: u64) {
        let mut machine = self.machine();
        machine.power_until = Some(machine.steps + after);
    }

    /// Whether the power was cut.
    pub fn is_dark(&self) -> bool {
        self.machine().is_dark()
    }

    /// Lets one step fail: `1` is the next.
    pub fn fail(&self, step: u64, fault: SimFault) {
        let mut machine = self.machine();
        machine.fault = Some((machine.steps + step, fault));
    }

    /// In how many states the disk may be after a power cut now. Of what was not synced, each name may have changed or
    /// not, whatever became of the others, and each file may hold what it held when it was synced, half of its bytes,
    /// zeros, or all of them.
    pub fn survivors(&self) -> u64 {
        let mut states = 1_u64;
        self.machine().disk.after_power_cut(|choices| {
            states = states.saturating_mul(choices);
            0
        });
        states
    }

    /// The first process after a power cut, with the disk in one of its states: `choose` is asked again and again for
    /// a number less than the one it is given. This machine stays as it was.
    #[must_use]
    pub fn restart(&self, choose: impl FnMut(u64) -> u64) -> Self {
        let machine = self.machine();
        Self::boot(machine.disk.after_power_cut(choose), machine.boot + 1)
    }

    /// The names of all files, with their folder.
    pub fn files(&self) -> Vec<PathBuf> {
        self.machine().disk.names.keys().cloned().collect()
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn act<T: MaybeSend + 'static>(&self, act: impl FnOnce(&mut Acting<'_>) -> Result<T, FsError>) -> FsFut<T> {
        let done = act(&mut Acting { machine: &mut self.machine(), pid: self.pid });
        Box::pin(ready(done))
    }
}

impl Machine {
    fn is_dark(&self) -> bool {
        self.power_until.is_some_and(|last| self.steps > last)
    }
}

/// A process while it does something.
struct Acting<'a> {
    machine: &'a mut Machine,
    pid: u32,
}

impl Acting<'_> {
    /// Takes a step, if it is not the one to fail.
    fn step(&mut self, step: Step) -> Result<(), FsError> {
        self.machine.steps += 1;
        if self.machine.is_dark() {
            return Err(FsError::new(Fault::Other, "the power is gone"));
        }
        if self.machine.living.get(&self.pid).is_none_or(|last| self.machine.steps > *last) {
            self.machine.living.remove(&self.pid);
            return Err(FsError::new(Fault::Other, "the process was killed"));
        }
        match self.machine.fault {
            Some((at, fault)) if at == self.machine.steps => match fault {
                SimFault::ShortWrite if step != Step::Write => Ok(()),
                SimFault::FailedClose if step != Step::Close => Ok(()),
                _ => Err(fault.error()),
            },
            _ => Ok(()),
        }
    }

    /// Takes a step that nothing more can be said of, and then has the disk.
    fn disk(&mut self) -> Result<&mut Disk, FsError> {
        self.step(Step::Other)?;
        Ok(&mut self.machine.disk)
    }

    fn create(&mut self, path: &Path, content: &Blob, durable: bool) -> Result<(), FsError> {
        let file = self.disk()?.add(path)?;
        let written = self.fill(file, content, durable);
        if written.is_err() {
            drop(self.disk().map(|disk| disk.remove(path)));
        }
        written
    }

    fn fill(&mut self, file: usize, content: &Blob, durable: bool) -> Result<(), FsError> {
        let mut written = self.write(file, 0, &[&content.head[..], &content.value[..]].concat());
        if durable {
            written = written.and_then(|()| self.sync(file));
        }
        let closed = self.step(Step::Close);
        written.and(closed)
    }

    fn write(&mut self, file: usize, mut at: usize, mut bytes: &[u8]) -> Result<(), FsError> {
        while !bytes.is_empty() {
            let fault = self.machine.fault.filter(|(at, _)| *at == self.machine.steps + 1);
            let stepped = self.step(Step::Write);
            let alive = !self.machine.is_dark() && self.machine.living.contains_key(&self.pid);
            let (now, later) = if stepped.is_ok() { (bytes, &[][..]) } else { bytes.split_at(bytes.len() / 2) };
            if alive && let Some(file) = self.machine.disk.files.get_mut(file) {
                file.put(at, now);
            }
            at += now.len();
            if !matches!(fault, Some((_, SimFault::ShortWrite))) {
                stepped?;
            }
            bytes = later;
        }
        Ok(())
    }

    fn sync(&mut self, file: usize) -> Result<(), FsError> {
        if let Some(file) = self.disk()?.files.get_mut(file) {
            file.synced = file.bytes.clone();
        }
        Ok(())
    }
}

impl File {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        if let Some(place) = self.bytes.get_mut(at..end) {
            place.copy_from_slice(bytes);
        }
    }
}

impl Disk {
    fn find(&self, path: &Path) -> Result<usize, FsError> {
        self.names.get(path).copied().ok_or_else(|| FsError::new(Fault::NotFound, "ENOENT"))
    }

    fn add(&mut self, path: &Path) -> Result<usize, FsError> {
        if !path.parent().is_some_and(|folder| self.folders.contains(folder)) {
            return Err(FsError::new(Fault::NotFound, "ENOENT"));
        }
        if self.names.contains_key(path) {
            return Err(FsError::new(Fault::Exists, "EEXIST"));
        }
        self.files.push(File::default());
        self.apply(Change::Add(path.to_owned(), self.files.len() - 1));
        Ok(self.files.len() - 1)
    }

    fn remove(&mut self, path: &Path) -> bool {
        let there = self.names.contains_key(path);
        if there {
            self.apply(Change::Remove(path.to_owned()));
        }
        there
    }

    fn apply(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.unsynced.push(change);
    }

    fn sync_names(&mut self) {
        self.unsynced.drain(..).for_each(|change| change.apply(&mut self.synced));
    }

    fn list(&self, folder: &Path) -> Option<Vec<String>> {
        let inside = self.names.keys().filter(|path| path.parent() == Some(folder));
        let names = inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        self.folders.contains(folder).then(|| names.collect())
    }

    fn after_power_cut(&self, mut choose: impl FnMut(u64) -> u64) -> Self {
        let mut names = self.synced.clone();
        for change in &self.unsynced {
            if choose(2) == 1 {
                change.apply(&mut names);
            }
        }
        let mut files = self.files.clone();
        for file in self.reachable() {
            if let Some(File { bytes, synced }) = files.get_mut(file)
                && bytes != synced
            {
                match choose(4) {
                    0 => bytes.clone_from(synced),
                    1 => bytes.truncate(bytes.len() / 2),
                    2 => bytes.fill(0),
                    _ => {}
                }
                synced.clone_from(bytes);
            }
        }
        Self { folders: self.folders.clone(), files, synced: names.clone(), names, unsynced: Vec::new() }
    }

    /// The files that may have a name after a power cut.
    fn reachable(&self) -> BTreeSet<usize> {
        let changed = self.unsynced.iter().filter_map(Change::file);
        self.synced.values().copied().chain(changed).collect()
    }
}

impl Change {
    fn file(&self) -> Option<usize> {
        match self {
            Self::Add(_, file) | Self::Move(_, _, file) => Some(*file),
            Self::Remove(_) => None,
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Add(path, file) => {
                names.insert(path.clone(), *file);
            }
            Self::Move(from, to, file) => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
            Self::Remove(path) => {
                names.remove(path);
            }
        }
    }
}

struct SimFile {
    fs: SimFs,
    file: usize,
}

impl SimFs {
    fn opened(&self, file: usize) -> Box<dyn FsFile> {
        Box::new(SimFile { fs: self.clone(), file })
    }
}

impl FsFile for SimFile {
    fn len(&self) -> FsFut<u64> {
        self.fs.act(|acting| Ok(acting.disk()?.files.get(self.file).map_or(0, |file| file.bytes.len() as u64)))
    }

    fn read(&self, at: u64, len: usize) -> FsFut<Bytes> {
        self.fs.act(|acting| {
            let bytes = acting.disk()?.files.get(self.file).map(|file| file.bytes.iter().copied());
            Ok(bytes.into_iter().flatten().skip(position(at)).take(len).collect())
        })
    }

    fn write(&self, at: u64, bytes: Bytes) -> FsFut<()> {
        self.fs.act(|acting| acting.write(self.file, position(at), &bytes))
    }

    fn sync(&self) -> FsFut<()> {
        self.fs.act(|acting| acting.sync(self.file))
    }

    fn close(self: Box<Self>) -> FsFut<()> {
        self.fs.act(|acting| acting.step(Step::Close))
    }
}

fn position(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

impl Fs for SimFs {
    fn immediate(&self) -> bool {
        true
    }

    fn read(&self, path: &Path, first: Option<usize>) -> FsFut<Option<Bytes>> {
        self.act(|acting| {
            let disk = acting.disk()?;
            let bytes = disk.find(path).ok().and_then(|file| disk.files.get(file)).map(|file| &file.bytes);
            Ok(bytes.map(|bytes| bytes.iter().copied().take(first.unwrap_or(usize::MAX)).collect()))
        })
    }

    fn create(&self, path: &Path, content: &Blob, durable: bool) -> FsFut<()> {
        self.act(|acting| acting.create(path, content, durable))
    }

    fn open(&self, path: &Path) -> FsFut<Option<Box<dyn FsFile>>> {
        self.act(|acting| Ok(acting.disk()?.find(path).ok().map(|file| self.opened(file))))
    }

    fn begin(&self, path: &Path) -> FsFut<Box<dyn FsFile>> {
        self.act(|acting| Ok(self.opened(acting.disk()?.add(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> FsFut<()> {
        self.act(|acting| {
            let disk = acting.disk()?;
            let file = disk.find(from)?;
            disk.apply(Change::Move(from.to_owned(), to.to_owned(), file));
            Ok(())
        })
    }

    fn link(&self, from: &Path, to: &Path) -> FsFut<bool> {
        self.act(|acting| {
            let disk = acting.disk()?;
            let file = disk.find(from)?;
            let free = !disk.names.contains_key(to);
            if free {
                disk.apply(Change::Add(to.to_owned(), file));
            }
            Ok(free)
        })
    }

    fn unlink(&self, path: &Path) -> FsFut<bool> {
        self.act(|acting| Ok(acting.disk()?.remove(path)))
    }

    fn list(&self, folder: &Path) -> FsFut<Option<Vec<String>>> {
        self.act(|acting| Ok(acting.disk()?.list(folder)))
    }

    fn mkdir(&self, folder: &Path) -> FsFut<()> {
        self.act(|acting| {
            acting.disk()?.folders.insert(folder.to_owned());
            Ok(())
        })
    }

    fn rmdir(&self, folder: &Path) -> FsFut<bool> {
        self.act(|acting| {
            let disk = acting.disk()?;
            let empty = disk.list(folder).is_some_and(|files| files.is_empty());
            Ok(empty && disk.folders.remove(folder))
        })
    }

    fn sync_dir(&self, _folder: &Path) -> FsFut<()> {
        self.act(|acting| {
            acting.disk()?.sync_names();
            Ok(())
        })
    }

    fn kind(&self, path: &Path) -> FsFut<Option<Kind>> {
        self.act(|acting| {
            let disk = acting.disk()?;
            let file = disk.find(path).is_ok().then_some(Kind::File);
            Ok(file.or(disk.folders.contains(path).then_some(Kind::Folder)))
        })
    }

    fn process(&self) -> FsFut<Process> {
        let started = self.machine().boot.to_string();
        Box::pin(ready(Ok(Process { pid: self.pid, host: "simulated".to_owned(), started })))
    }

    fn alive(&self, pid: u32, started: &str) -> FsFut<bool> {
        let machine = self.machine();
        Box::pin(ready(Ok(started == machine.boot.to_string() && machine.living.contains_key(&pid))))
    }

    fn pause(&self, _milliseconds: u32) -> FsFut<()> {
        Box::pin(ready(Ok(())))
    }
}
