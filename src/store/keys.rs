//! The keys of the user's that open an encrypted store: each has a slot in the record.

use bytes::Bytes;

use super::{Mode, Store, sealed_record::TWICE, write::MAX_TRIES};
use crate::{
    backing::RecordCopy,
    error::{Error, ErrorKind, Result},
    keyring::{Keyring, Secret, Slot, Vault},
    name::BlobName,
    record::{MAX_SLOTS, Record},
};

/// The lock of who changes keys. No blob has this name.
pub(super) const KEYS: BlobName = BlobName::from_bytes([0xff; 16]);

impl Store {
    /// Lets another key open the store in the place of one that does; the others stay as they are. What is stored is not
    /// written anew: who has an older record and its key can still read it, see [`rekey`](Self::rekey). `WRONG_KEY` if the
    /// first does not open the store.
    pub async fn change_key(&self, from: &Secret, to: &Secret) -> Result<()> {
        self.change_slots(async |slots, keyring| {
            let at = position(slots, keyring, from).await?.ok_or_else(no_slot)?;
            let slot = Slot::seal(keyring, to, self.rng()?).await?;
            slots.iter_mut().skip(at).take(1).for_each(|place| *place = slot.clone());
            Ok(())
        })
        .await
    }

    /// Lets one more key open the store, of at most 8 (`LIMIT_EXCEEDED`). One that does already stays as it is.
    pub async fn add_key(&self, key: &Secret) -> Result<()> {
        self.change_slots(async |slots, keyring| {
            if position(slots, keyring, key).await?.is_some() {
                return Ok(());
            }
            if slots.len() == MAX_SLOTS {
                let message = "a store has at most 8 keys; remove one first, or change one to this";
                return Err(Error::new(ErrorKind::LimitExceeded, message));
            }
            slots.push(Slot::seal(keyring, key, self.rng()?).await?);
            Ok(())
        })
        .await
    }

    /// Lets a key open the store no more; `WRONG_KEY` if it does not, `INVALID_CONFIG` if it is the only one.
    pub async fn remove_key(&self, key: &Secret) -> Result<()> {
        self.change_slots(async |slots, keyring| {
            let at = position(slots, keyring, key).await?.ok_or_else(no_slot)?;
            if slots.len() == 1 {
                let message = "this is the only key of the store, which nobody could open without; add another first";
                return Err(Error::new(ErrorKind::InvalidConfig, message));
            }
            slots.remove(at);
            Ok(())
        })
        .await
    }

    async fn change_slots(&self, change: impl AsyncFn(&mut Vec<Slot>, &Keyring) -> Result<()>) -> Result<()> {
        let _pass = self.inner.gate.enter()?;
        let vault = self.inner.layout.vault().ok_or_else(not_encrypted)?;
        let _one = self.lock(KEYS, Mode::Exclusive).await;
        for _ in 0..MAX_TRIES {
            let (there, mut record, keyring) = self.own_record(vault).await?;
            change(&mut record.slots, &keyring).await?;
            if self.put_records(&there, &record.to_bytes(Some(&keyring))).await? {
                vault.replace(keyring);
                return Ok(());
            }
        }
        Err(Error::new(ErrorKind::Conflict, "others change the keys of the store all the time; try again"))
    }

    /// The record as it is, and the keys it was written with, if these are this store's.
    pub(super) async fn own_record(&self, vault: &Vault) -> Result<(Bytes, Record, Keyring)> {
        let bytes = self.inner.backing.record(RecordCopy::First).await?.ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                "the store's record konserve.store is lost; open the store again, which mends it",
            )
        })?;
        let record = Record::from_bytes(&bytes)?;
        let keyring = vault.candidates().into_iter().find(|keyring| record.is_of(Some(keyring)));
        let keyring = keyring.unwrap_or_else(|| Keyring::clone(&vault.keyring()));
        Ok((bytes, record.written_with(&keyring)?, keyring))
    }

    /// Puts both copies of the record in the place of this one; `false` if somebody else put another in between.
    pub(super) async fn put_records(&self, there: &Bytes, record: &Bytes) -> Result<bool> {
        for copy in TWICE {
            let found = self.inner.backing.record(copy).await?;
            // A copy that lags behind is that of a change which was interrupted.
            let expected = if copy == RecordCopy::First { Some(there.clone()) } else { found };
            if !self.inner.backing.put_record(copy, expected, record.clone()).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Which slot a key opens.
async fn position(slots: &[Slot], keyring: &Keyring, key: &Secret) -> Result<Option<usize>> {
    key.check()?;
    for (at, slot) in slots.iter().enumerate() {
        if slot.open(keyring.id(), key).await?.is_some() {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn no_slot() -> Error {
    Error::new(ErrorKind::WrongKey, "the key does not open this store, so it is not one to change or to remove")
}

pub(super) fn not_encrypted() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the store is not encrypted, so it has no keys; copy it to one that was made with the encryptor aes-blake3",
    )
}
