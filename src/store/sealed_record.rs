//! The record of a store in the sealed layout, and its copy: making, opening, mending.

use bytes::Bytes;

use super::{Config, LayoutName, lifecycle::Found};
use crate::{
    backing::{Backing, RecordCopy},
    env::{BoxFut, Rng},
    error::{ErrorKind, Result},
    keyring::{Keyring, Secret, Slot},
    name::Uuid,
    record::{Record, Unchecked},
};

/// Both copies, in the order in which they are written: at any moment one is whole.
pub(super) const TWICE: [RecordCopy; 2] = [RecordCopy::Second, RecordCopy::First];

/// Makes the record of a new store, with keys if the config has one; `None` if there is a record already.
pub(super) async fn create(config: &Config, backing: &dyn Backing, mut record: Record) -> Result<Option<Found>> {
    let keyring = match config.secret()? {
        None => None,
        Some(secret) => {
            let (keyring, slot) = new_keys(record.id, secret, config.rng.as_ref()).await?;
            record.slots.push(slot);
            Some(keyring)
        }
    };
    let bytes = record.to_bytes(keyring.as_ref());
    // Where there are two copies, the second one comes first: a crash in between leaves a store.
    let is_new = keyring.is_none() || backing.put_record(RecordCopy::Second, None, bytes.clone()).await?;
    if is_new && backing.put_record(RecordCopy::First, None, bytes).await? {
        return Ok(Some(Found { record, layout: LayoutName::Sealed, keyring }));
    }
    Ok(None)
}

fn new_keys(id: Uuid, secret: Secret, rng: &dyn Rng) -> BoxFut<'_, Result<(Keyring, Slot)>> {
    // By itself: a build without encryption then has nothing of it.
    Box::pin(async move {
        let keyring = Keyring::random(id, rng)?;
        let slot = Slot::seal(&keyring, &secret, rng).await?;
        Ok((keyring, slot))
    })
}

/// What the store's record says, or where that is missing or damaged, its copy. Of an encrypted store, the other is mended.
pub(super) async fn open(config: &Config, backing: &dyn Backing) -> Result<Option<Found>> {
    let first = backing.record(RecordCopy::First).await?;
    let checked = first.as_deref().map(Record::from_bytes);
    // A plain store has no other.
    if config.encryptor.is_none() && matches!(&checked, Some(Ok(record)) if !record.is_encrypted()) {
        return without_key([checked, None]);
    }
    let second = backing.record(RecordCopy::Second).await?;
    let both = [checked, second.as_deref().map(Record::from_bytes)];
    let undamaged = both.iter().flatten().any(Result::is_ok);
    match if undamaged { config.secret()? } else { None } {
        None => without_key(both),
        Some(secret) => with_key(backing, first, second, secret).await,
    }
}

/// What the first undamaged copy says to one who has no key.
fn without_key([first, second]: [Option<Result<Unchecked>>; 2]) -> Result<Option<Found>> {
    let told = match first {
        Some(Err(damaged)) => second.unwrap_or(Err(damaged)),
        Some(undamaged) => undamaged,
        None => match second {
            Some(copy) => copy,
            None => return Ok(None),
        },
    };
    Ok(Some(Found { record: told?.plain()?, layout: LayoutName::Sealed, keyring: None }))
}

/// What the first copy says that this key opens. The other one is mended.
fn with_key(
    backing: &dyn Backing,
    first: Option<Bytes>,
    second: Option<Bytes>,
    secret: Secret,
) -> BoxFut<'_, Result<Option<Found>>> {
    // By itself: a build without encryption then has nothing of it.
    Box::pin(async move {
        let opened = open_copy(first.as_deref(), &secret).await;
        if let Ok(Some(_)) = opened {
            mend(backing, RecordCopy::Second, second, first).await;
            return opened;
        }
        // One that is the same says the same: a wrong passphrase need not be tried twice.
        if first == second {
            return opened;
        }
        match (open_copy(second.as_deref(), &secret).await, opened) {
            (Ok(Some(found)), _) => {
                mend(backing, RecordCopy::First, first, second).await;
                Ok(Some(found))
            }
            // What an undamaged copy says is more than that the other one is damaged.
            (Err(error), Err(damaged)) if damaged.kind() == ErrorKind::Corrupt => Err(error),
            (_, Err(error)) => Err(error),
            (copied, Ok(_)) => copied,
        }
    })
}

async fn open_copy(bytes: Option<&[u8]>, secret: &Secret) -> Result<Option<Found>> {
    let Some(bytes) = bytes else { return Ok(None) };
    let (record, keyring) = Record::from_bytes(bytes)?.open(secret).await?;
    Ok(Some(Found { record, layout: LayoutName::Sealed, keyring: Some(keyring) }))
}

/// Puts what was found good in the place of a copy that is something else. Where that fails the store is as it was: the next
/// one who opens it tries again.
async fn mend(backing: &dyn Backing, copy: RecordCopy, there: Option<Bytes>, good: Option<Bytes>) {
    if let Some(good) = good.filter(|good| there.as_ref() != Some(good)) {
        drop(backing.put_record(copy, there, good).await);
    }
}
