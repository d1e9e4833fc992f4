//! Locks as files.
//!
//! A lock is a file whose content says who holds it. It comes into being with its content, as a hard link to a file
//! that its owner wrote before; where the file system has no links, it is created exclusively and then written.
//!
//! The lock of a process that is gone is taken over by its heir: the one who creates the file `heir(lock, owner)`.
//! The heir looks once more, and if the lock is still that owner's, renames its file over it. Nobody else can have
//! done so meanwhile, for that takes the same heir's file; and an owner who is gone never comes back. The heir's
//! file is itself a lock, so an heir who dies has heirs.

use bytes::Bytes;

use super::{batch, files, folder::Folder, fs::Process};
use crate::{
    env::{BoxFut, Clock, System, chance},
    error::{Error, ErrorKind, Result},
};

/// How often, 10 ms apart, a lock without an owner is looked at before it counts as left over from a power cut.
const UNREADABLE: u32 = 20;
/// How long the lock of one file is waited for, and that of the store while others are opening it.
const PATIENCE_MS: u32 = 10_000;

/// Who may open the store beside this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Nobody else writes; readers may come.
    #[default]
    Exclusive,
    /// Other processes may write too, if they open with shared access as well.
    Shared,
    /// This one only reads, takes no lock, and minds nobody.
    Read,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    process: Process,
    /// When it opened the store, in milliseconds since 1970.
    since: u64,
    /// Random, new for each opening of a store.
    pub(super) token: String,
    shared: bool,
}

impl Owner {
    fn new(process: Process, access: Access) -> Result<Self> {
        let since = System.now();
        // Whoever else may be given the same number is another process, or opens at another time.
        let token = format!("{:016x}", chance()? ^ u64::from(process.pid).rotate_left(32) ^ since);
        Ok(Self { process, since, token, shared: access == Access::Shared })
    }

    /// One fact a line, the token last: what has no token was cut short.
    fn to_text(&self) -> Bytes {
        let Process { pid, host, started } = &self.process;
        let access = if self.shared { "shared" } else { "exclusive" };
        let (since, token) = (self.since, &self.token);
        format!(
            "konserve lock\npid {pid}\nhost {host}\nstarted {started}\nsince {since}\naccess {access}\ntoken {token}\n"
        )
        .into()
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(text).ok()?.strip_suffix('\n')?.split('\n');
        let mut fact = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        fact("konserve")?;
        Some(Self {
            process: Process {
                pid: fact("pid")?.parse().ok()?,
                host: fact("host")?.to_owned(),
                started: fact("started")?.to_owned(),
            },
            since: fact("since")?.parse().ok()?,
            shared: fact("access")? == "shared",
            token: fact("token").filter(|token| files::is_token(token))?.to_owned(),
        })
    }

    fn locked(&self, folder: &Folder, lock: &str) -> Error {
        let Process { pid, host, .. } = &self.process;
        let (path, lock, since) = (folder.path.display(), folder.path.join(lock), utc(self.since));
        let access = if self.shared { "shared access" } else { "writing" };
        Error::new(
            ErrorKind::StoreLocked,
            format!(
                "{path} is open for {access} in process {pid} on host {host}, since {since}; close it there, or open it \
                 with access \"read\", or in both with access \"shared\"; if that process is known to be gone, delete {}",
                lock.display()
            ),
        )
    }
}

/// How an attempt to take a lock ended.
enum Taken {
    Mine,
    By(Owner),
}

/// The locks that one opened store takes.
pub(super) struct Locks {
    folder: Folder,
    owner: Owner,
    text: Bytes,
    /// The file that locks are links to.
    file: String,
}

impl Locks {
    /// Takes the lock of the store, for as long as it is open or, with shared access, until [`Locks::share`].
    pub(super) async fn open(folder: Folder, access: Access) -> Result<Self> {
        let process = folder.fs.process().await.map_err(|error| error.into_error("opening", &folder.path))?;
        let owner = Owner::new(process, access)?;
        let locks = Self { text: owner.to_text(), file: files::opening(&owner.token), owner, folder };
        let taken = locks.wait(files::LOCK, |owner| owner.shared).await;
        if taken.is_err() || access == Access::Exclusive {
            // It has done its work; if it stays behind, it is swept.
            drop(locks.folder.remove(&locks.file).await);
        }
        taken.map(|()| locks)
    }

    /// Says that the store is open in shared access, for as long as it is, and lets others open it too.
    pub(super) async fn share(&mut self) -> Result<()> {
        let sharing = files::sharing(&self.owner.token);
        // Who opened the store just before may have swept it, half written. While the lock is ours nobody sweeps.
        if !self.folder.rename_if_there(&self.file, &sharing).await? {
            self.folder.create(&sharing, self.text.clone()).await?;
        }
        self.file = sharing;
        self.release(files::LOCK).await
    }

    pub(super) fn token(&self) -> &str {
        &self.owner.token
    }

    /// Gives the lock of the store back, or the share in it.
    pub(super) async fn close(&self) -> Result<()> {
        let released = self.release(files::LOCK).await;
        self.folder.remove(&self.file).await?;
        released
    }

    /// Waits for the lock of one file, which other processes hold for moments only.
    pub(super) async fn hold(&self, lock: &str) -> Result<()> {
        self.wait(lock, |_| true).await
    }

    /// Gives a lock back, if it is still ours.
    pub(super) async fn release(&self, lock: &str) -> Result<()> {
        if self.folder.read(lock).await?.as_ref() == Some(&self.text) {
            self.folder.remove(lock).await?;
        }
        Ok(())
    }

    /// The owner that this file names, if it is still running. What names nobody is nobody's.
    pub(super) async fn living_owner(&self, file: &str) -> Result<Option<Owner>> {
        let owner = self.folder.read(file).await?.as_deref().and_then(Owner::parse);
        match owner {
            Some(owner) if self.lives(&owner).await? => Ok(Some(owner)),
            _ => Ok(None),
        }
    }

    /// That the store is locked by that owner, whose file that is.
    pub(super) fn locked_by(&self, owner: &Owner, file: &str) -> Error {
        owner.locked(&self.folder, file)
    }

    /// Takes a lock, trying again for some time while it is held by one who is worth waiting for.
    async fn wait(&self, lock: &str, worth: impl Fn(&Owner) -> bool) -> Result<()> {
        let (mut waited, mut pause) = (0, 1);
        loop {
            match self.take(lock).await? {
                Taken::Mine => return Ok(()),
                Taken::By(owner) if waited >= PATIENCE_MS || !worth(&owner) => {
                    return Err(owner.locked(&self.folder, lock));
                }
                Taken::By(_) => {}
            }
            self.folder.pause(pause).await?;
            waited += pause;
            pause = (pause + 1).min(10);
        }
    }

    /// Takes a lock if it is nobody's, or its owner is gone.
    fn take<'a>(&'a self, lock: &'a str) -> BoxFut<'a, Result<Taken>> {
        Box::pin(async move {
            let mut unreadable = 0;
            loop {
                if self.claim(lock).await? {
                    return Ok(Taken::Mine);
                }
                let Some(text) = self.folder.read(lock).await? else { continue };
                if text == self.text {
                    // It could not be released the last time.
                    return Ok(Taken::Mine);
                }
                match Owner::parse(&text) {
                    Some(owner) if self.lives(&owner).await? => return Ok(Taken::By(owner)),
                    None if unreadable < UNREADABLE => {
                        unreadable += 1;
                        self.folder.pause(10).await?;
                    }
                    _ => {
                        if let Some(taken) = self.inherit(lock, &text).await? {
                            return Ok(taken);
                        }
                    }
                }
            }
        })
    }

    /// Takes the lock that has this content over from its owner, who is gone. `None` if it changed meanwhile.
    async fn inherit(&self, lock: &str, text: &[u8]) -> Result<Option<Taken>> {
        let heir = files::heir(lock, &id(text));
        if let Taken::By(other) = self.take(&heir).await? {
            return Ok(Some(Taken::By(other)));
        }
        if self.folder.read(lock).await?.is_some_and(|now| now == text) {
            if let Some(owner) = Owner::parse(text) {
                batch::recover(self, &self.folder, &owner.token).await?;
            }
            self.folder.rename(&heir, lock).await?;
            Ok(Some(Taken::Mine))
        } else {
            self.folder.remove(&heir).await?;
            Ok(None)
        }
    }

    /// Makes the file of a lock, if there is none.
    async fn claim(&self, lock: &str) -> Result<bool> {
        let Folder { fs, path, .. } = &self.folder;
        let (file, lock_path) = (path.join(&self.file), path.join(lock));
        if let Ok(made) = fs.link(&file, &lock_path).await {
            return Ok(made);
        }
        // It is not there yet, or somebody who opened the store found it half written and swept it.
        if self.folder.create(&self.file, self.text.clone()).await?
            && let Ok(made) = fs.link(&file, &lock_path).await
        {
            return Ok(made);
        }
        // There are no links on this file system.
        self.folder.create(lock, self.text.clone()).await
    }

    async fn lives(&self, owner: &Owner) -> Result<bool> {
        let Process { pid, host, started } = &owner.process;
        if *host != self.owner.process.host {
            return Ok(true);
        }
        let alive = self.folder.fs.alive(*pid, started).await;
        alive.map_err(|error| error.into_error("looking for the owner of", &self.folder.path))
    }
}

/// Tells the contents of locks apart, also those that have no token.
fn id(text: &[u8]) -> String {
    blake3::hash(text).to_hex().chars().take(16).collect()
}

/// Milliseconds since 1970 as `YYYY-MM-DDThh:mm:ssZ`.
fn utc(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (time, mut days, mut year) = (seconds % 86_400, seconds / 86_400, 1970_u64);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while year < 9999 && days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        let process = Process { pid: 7, host: "a host".into(), started: String::new() };
        Owner { process, since: 5, token: "0123456789abcdef".into(), shared: true }
    }

    #[test]
    fn the_text_of_a_lock_is_read_back_and_nothing_cut_short_is() {
        let text = owner().to_text();
        assert_eq!(Owner::parse(&text), Some(owner()));
        for cut in 0..text.len() {
            assert_eq!(Owner::parse(&text[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn times_are_told_in_utc() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_827_696_789), "2000-02-29T12:34:56Z");
        assert_eq!(utc(1_798_761_599_000), "2026-12-31T23:59:59Z");
        assert_eq!(utc(1_798_761_600_000), "2027-01-01T00:00:00Z");
    }
}
