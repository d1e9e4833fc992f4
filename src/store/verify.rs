//! Reading everything, to find out what is damaged and, if wanted, to set it aside.

use bytes::Bytes;

use super::{
    Mode, Op, Store,
    blobs::{Blobs, Loaded},
    log::is_element,
    orphans::Met,
};
use crate::{
    backing::{Blob, Part},
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    key::Key,
    name::BlobName,
};

/// What [`Store::verify`] or [`Store::repair`] found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many blobs were read.
    pub checked: u64,
    /// Those that are damaged, or cannot be read for another reason.
    pub corrupt: Vec<Damaged>,
    /// Elements of logs that have no head: harmless, and deleted by `sweep`. None are told where something is damaged.
    pub orphans: Vec<BlobName>,
    /// How many blobs of an encrypted store are under an older key of the data: a `rekey` did not end, and is to be done
    /// again.
    pub older: u64,
}

/// A blob that cannot be read.
#[derive(Clone, Debug)]
pub struct Damaged {
    /// Which blob.
    pub name: BlobName,
    /// Why.
    pub error: Error,
    /// Whether it was set aside: then its key has no value any more.
    pub set_aside: bool,
}

impl Store {
    /// Reads every blob whole and checks it, expired ones too. `progress` is told how many were read so far.
    pub async fn verify(&self, mut progress: impl FnMut(u64)) -> Result<Report> {
        self.check_all(false, |checked| {
            progress(checked);
            Ok(())
        })
        .await
    }

    /// [`verify`](Self::verify), and takes what is damaged out of the way: on files `<uuid>.ksv` is renamed to
    /// `<uuid>.ksv.damaged.new`, in a database its row to `konserve.damaged.<uuid>.ksv`. Only what is `CORRUPT` or
    /// `AUTHENTICATION` is moved, and only if it still is at that moment. What this build cannot read for another reason
    /// stays.
    pub async fn repair(&self, mut progress: impl FnMut(u64)) -> Result<Report> {
        self.check_all(true, |checked| {
            progress(checked);
            Ok(())
        })
        .await
    }

    /// An error of `progress` ends it.
    pub(crate) async fn check_all(&self, repair: bool, mut progress: impl FnMut(u64) -> Result<()>) -> Result<Report> {
        let _pass = self.inner.gate.enter()?;
        let began = self.settled().await;
        let (mut report, mut met) = (Report::default(), Met::default());
        let mut blobs = Blobs::stored(self);
        while let Some(group) = blobs.next().await? {
            for (name, found) in group {
                report.checked += 1;
                let checked = match found {
                    Ok(Loaded::Whole(blob)) => {
                        let older = self.is_older(&blob.head);
                        self.check(name, blob).map(|(meta, _)| met.meet(self, &meta)).map(|()| older)
                    }
                    Ok(Loaded::Large) => self.check_large(name).await,
                    // What was deleted in the meantime is not damaged.
                    Ok(Loaded::Gone) => Ok(false),
                    Err(error) => Err(error),
                };
                match checked {
                    Ok(older) => report.older += u64::from(older),
                    Err(error) => {
                        let set_aside = repair && is_damage(&error) && self.set_aside(name, &error).await?;
                        report.corrupt.push(Damaged { name, error, set_aside });
                    }
                }
            }
            progress(report.checked)?;
        }
        report.orphans = self.find_orphans(met, began).await?;
        Ok(report)
    }

    /// Takes a blob out of its name that is damaged in this way, and tells of it.
    fn set_aside(&self, name: BlobName, damage: &Error) -> BoxFut<'_, Result<bool>> {
        let (store, key) = (self.clone(), damage.key().map(Bytes::copy_from_slice).map(Key::from_canonical));
        let judge = move |blob: &Blob| store.check_stored(name, blob.clone()).is_err_and(|error| is_damage(&error));
        Box::pin(async move {
            let held = self.lock(name, Mode::Exclusive).await;
            let taking = self.inner.backing.set_aside(name, Box::new(judge));
            let kept = self.keep(held);
            let taken = match taking.await {
                // What is there is no blob at all, such as a link: whoever made it knows what it is.
                Err(error) if is_damage(&error) => false,
                taken => taken?,
            };
            let keys: Vec<_> = key.filter(|key| !is_element(key)).into_iter().collect();
            if let Some(event) = self.event(Op::Repair, &keys).filter(|_| taken) {
                self.inner.hooks.tell(*event, kept);
            }
            Ok(taken)
        })
    }

    /// Binaries may be larger than memory. Whether it is under an older key.
    async fn check_large(&self, name: BlobName) -> Result<bool> {
        let Some((meta, mut content)) = self.find_binary(name, None).await? else { return Ok(false) };
        content.part(self, name, &meta, (0, 0)).await.map_err(|error| error.at_key(meta.key.as_cbor()))?;
        let found = self.inner.backing.read(vec![name], Part::Head).await?;
        Ok(found.iter().flatten().any(|blob| self.is_older(&blob.head)))
    }

    /// Whether a blob with this head, if it is one of an encrypted store, is under an older key.
    fn is_older(&self, head: &[u8]) -> bool {
        let layout = &self.inner.layout;
        layout.vault().is_some() && !layout.is_under_active_key(head)
    }
}

/// In an encrypted store, what was changed is `AUTHENTICATION`.
fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Authentication)
}
