//! The record of a store in the sealed layout, and its copy: making, opening, mending.

use bytes::Bytes;

use super::{Config, LayoutName, lifecycle::Found};
use crate::{
    backing::{Backing, RecordCopy},
    error::Result,
    keyring::{Keyring, Slot},
    record::Record,
};

/// Both copies, in the order in which they are written: at any moment one is whole.
pub(super) const TWICE: [RecordCopy; 2] = [RecordCopy::Second, RecordCopy::First];

/// Makes the record of a new store, with keys if the config has one; `None` if there is a record already.
pub(super) async fn create(config: &Config, backing: &dyn Backing, mut record: Record) -> Result<Option<Found>> {
    let keyring = match config.secret()? {
        None => None,
        Some(secret) => {
            let keyring = Keyring::random(record.id, config.rng.as_ref())?;
            record.slots.push(Slot::seal(&keyring, secret, config.rng.as_ref()).await?);
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

/// What the store's record says, or where that is missing or damaged, its copy. Of an encrypted store, the other is mended.
pub(super) async fn open(config: &Config, backing: &dyn Backing) -> Result<Option<Found>> {
    let first = backing.record(RecordCopy::First).await?;
    let opened = match &first {
        Some(bytes) => Some(open_record(config, bytes).await),
        None => None,
    };
    if let Some(Ok(Found { keyring: None, .. })) = opened {
        return opened.transpose();
    }
    let second = backing.record(RecordCopy::Second).await?;
    match (opened, &second) {
        (Some(Ok(found)), _) => {
            mend(backing, RecordCopy::Second, second, first).await;
            Ok(Some(found))
        }
        // One that is the same says the same: a wrong passphrase need not be tried twice.
        (opened, Some(bytes)) if first != second => match (open_record(config, bytes).await, opened) {
            (Ok(found), _) => {
                mend(backing, RecordCopy::First, first, second).await;
                Ok(Some(found))
            }
            // That of the record itself is the one to tell.
            (Err(_), Some(Err(error))) | (Err(error), _) => Err(error),
        },
        (opened, _) => opened.transpose(),
    }
}

async fn open_record(config: &Config, bytes: &[u8]) -> Result<Found> {
    let (record, keyring) = Record::from_bytes(bytes)?.open(config.secret()?).await?;
    Ok(Found { record, layout: LayoutName::Sealed, keyring })
}

/// Puts what was found good in the place of a copy that is something else. Where that fails the store is as it was: the next
/// one who opens it tries again.
async fn mend(backing: &dyn Backing, copy: RecordCopy, there: Option<Bytes>, good: Option<Bytes>) {
    if let Some(good) = good.filter(|good| there.as_ref() != Some(good)) {
        drop(backing.put_record(copy, there, good).await);
    }
}
