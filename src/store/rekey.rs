//! Everything under a new data key: what was read once with an older one is of no use for what is written now.

use super::{
    Mode, Store,
    blobs::{Blobs, Loaded},
    keys::{KEYS, not_encrypted},
    stored::{Pieces, Stored},
};
use crate::{
    backing::{Change, Expect, Outcome, Write},
    error::{Error, ErrorKind, Result},
    keyring::{Keyring, Secret, Slot, Vault},
    name::BlobName,
    record::MAX_SLOTS,
};

impl Store {
    /// Writes everything anew under a new data key, and lets these keys, and no others, open the store. Names stay as they
    /// are: they are made with another key, which only a copy into a new store changes.
    ///
    /// Each blob is readable at any moment, with its metadata and time of writing as it was. What was interrupted is resumed
    /// by the next `rekey`; until that is done, older keys of the data are kept. `progress` is told how many blobs were seen.
    /// Nobody else may have the store open (`STORE_LOCKED`), because they would not know the new key.
    pub async fn rekey(&self, keys: &[Secret], progress: impl FnMut(u64) -> Result<()>) -> Result<u64> {
        self.rekey_if(false, keys, progress).await
    }

    /// The same for one who may know that no other process or tab has the store open, nor opens it meanwhile.
    pub(crate) async fn rekey_if(
        &self,
        alone: bool,
        keys: &[Secret],
        mut progress: impl FnMut(u64) -> Result<()>,
    ) -> Result<u64> {
        let _pass = self.inner.gate.enter()?;
        let vault = self.inner.layout.vault().ok_or_else(not_encrypted)?;
        self.expect_alone(alone)?;
        let _one = self.lock(KEYS, Mode::Exclusive).await;
        let (_, _, keyring) = self.own_record(vault).await?;
        // More than one says that a rekey was interrupted.
        let both = if keyring.is_single() { keyring.with_new(vault.rng())? } else { keyring };
        self.put_keys(vault, &both, keys).await?;
        // Whoever opens it from now on knows both keys of the data; whoever did before does not.
        self.expect_alone(alone)?;
        let written = self.reseal_all(&mut progress).await?;
        self.put_keys(vault, &both.only_active(), keys).await?;
        Ok(written)
    }

    fn expect_alone(&self, alone: bool) -> Result<()> {
        let backing = &self.inner.backing;
        let shared = backing.capability().shared && !alone;
        if shared || !backing.is_alone() || self.inner.borrowers.count() > 0 { Err(others()) } else { Ok(()) }
    }

    /// The record with these data keys, in slots for these keys of the user's; they are used from then on.
    async fn put_keys(&self, vault: &Vault, after: &Keyring, keys: &[Secret]) -> Result<()> {
        if keys.is_empty() || keys.len() > MAX_SLOTS {
            let message = format!("a store has 1 to {MAX_SLOTS} keys; these are {}", keys.len());
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        let (there, mut record, _) = self.own_record(vault).await?;
        record.slots.clear();
        for key in keys {
            key.check()?;
            record.slots.push(Slot::seal(after, key, self.rng()?).await?);
        }
        vault.begin(after.clone());
        if self.put_records(&there, &record.to_bytes(Some(after))).await? {
            vault.replace(after.clone());
            return Ok(());
        }
        Err(Error::new(ErrorKind::StoreLocked, "somebody else changed the keys of the store meanwhile; try again"))
    }

    /// Writes every blob anew that is under an older key; how many these were. What cannot be read stays as it is, and is
    /// the error, after the rest was written.
    async fn reseal_all(&self, progress: &mut impl FnMut(u64) -> Result<()>) -> Result<u64> {
        let (mut blobs, mut seen, mut written, mut first_error) = (Blobs::stored(self), 0, 0, None);
        while let Some(group) = blobs.next().await? {
            for (name, found) in group {
                seen += 1;
                let resealed = match found {
                    Ok(Loaded::Gone) => Ok(false),
                    Ok(Loaded::Whole(_)) => self.reseal(name).await,
                    Ok(Loaded::Large) => self.reseal_large(name).await,
                    Err(error) => Err(error),
                };
                match resealed {
                    Ok(anew) => written += u64::from(anew),
                    Err(error) => _ = first_error.get_or_insert(error),
                }
            }
            progress(seen)?;
        }
        match first_error {
            None => Ok(written),
            Some(error) => Err(error.noting(
                "the rest is under the new key; delete what is damaged or set it aside with verify, and rekey again",
            )),
        }
    }

    async fn reseal(&self, name: BlobName) -> Result<bool> {
        let _held = self.lock(name, Mode::Exclusive).await;
        loop {
            let Some(blob) = self.blob(name).await? else { return Ok(false) };
            let check = blob.check().map_or(Expect::Anything, Expect::Check);
            let Some(anew) = self.inner.layout.reseal(name, blob)? else { return Ok(false) };
            let write = Write { name, change: Change::Put(anew), expect: check };
            if let Outcome::Done(_) = self.inner.backing.commit(vec![write]).await? {
                return Ok(true);
            }
        }
    }

    /// The same, of a binary that is larger than what is loaded.
    async fn reseal_large(&self, name: BlobName) -> Result<bool> {
        let _held = self.lock(name, Mode::Exclusive).await;
        let Some(reader) = self.inner.backing.read_stream(name).await? else { return Ok(false) };
        let opened = self.inner.layout.open_head(name, None, &reader.head())?;
        if self.inner.layout.is_under_active_key(&reader.head()) {
            return Ok(false);
        }
        let meta = opened.meta;
        let mut stored = Stored::new(reader, &meta, opened.cipher);
        self.read_through(name, &meta, &mut stored).await?;
        let mut outflow = self.inner.layout.outflow()?;
        let head = outflow.expected_head(name, &meta)?;
        let mut writer = self.inner.backing.write_stream(name, head.len()).await?;
        let mut pieces = Pieces::default();
        while let Some(piece) = pieces.next(&mut stored).await? {
            let anew = outflow.add(stored.open(piece).await?).await;
            writer.write(anew).await?;
        }
        self.check_binary(name, &meta, &stored, &pieces)?;
        writer.write(outflow.end()).await?;
        writer.sync().await?;
        writer.finish(outflow.head(name, &meta)?).await?;
        Ok(true)
    }
}

fn others() -> Error {
    let message = "rekey needs the store for itself, and others may have it open; close it everywhere else, also stores that it is a tier of, or open it with access \"exclusive\"";
    Error::new(ErrorKind::StoreLocked, message)
}
