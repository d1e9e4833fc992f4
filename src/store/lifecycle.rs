//! Making, opening, finding and deleting stores.

use std::sync::Arc;

use super::{Config, Store, config::LayoutName, sealed_record};
#[cfg(feature = "clojure")]
use crate::layout::{Konserve, Revisions};
use crate::{
    backing::Backing,
    codec::{CBOR, Codec, Compressor},
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    keyring::{Keyring, Vault},
    layout::{Layout, SEALED, Sealed},
    name::Uuid,
    record::Record,
};

/// What is wanted of a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    New,
    Existing,
    Either,
}

/// Makes a store. `STORE_EXISTS` where there is one.
pub async fn create_store(config: Config) -> Result<Store> {
    start(config, Wanted::New).await
}

/// Opens a store that exists. `STORE_NOT_FOUND` where there is none.
pub async fn connect_store(config: Config) -> Result<Store> {
    start(config, Wanted::Existing).await
}

/// Opens the store that is there, or makes one.
pub async fn open_store(config: Config) -> Result<Store> {
    start(config, Wanted::Either).await
}

fn start(config: Config, wanted: Wanted) -> BoxFut<'static, Result<Store>> {
    Box::pin(async move {
        config.check()?;
        if wanted == Wanted::New && config.place().exists().await? {
            return Err(exists());
        }
        let backing = config.place().open(wanted != Wanted::Existing).await?;
        let record = record(&config, backing.as_ref(), wanted).await;
        finish(config, backing, record).await
    })
}

/// What a store says of itself, the layout that it has, and its keys if it is encrypted.
pub(super) struct Found {
    pub(super) record: Record,
    pub(super) layout: LayoutName,
    pub(super) keyring: Option<Keyring>,
}

#[cfg(feature = "clojure")]
impl Found {
    fn plain(record: Record, layout: LayoutName) -> Self {
        Self { record, layout, keyring: None }
    }
}

async fn record(config: &Config, backing: &dyn Backing, wanted: Wanted) -> Result<Found> {
    loop {
        if wanted != Wanted::New
            && let Some(record) = connect(config, backing).await?
        {
            return Ok(record);
        }
        // Where there is no record, the place knows whether there is a store.
        if wanted == Wanted::Existing && config.layout.is_none_or(|layout| layout == LayoutName::Sealed) {
            return Err(not_found());
        }
        match create(config, backing).await {
            // Somebody else made it in between.
            Err(error) if wanted == Wanted::Either && error.kind() == ErrorKind::StoreExists => {}
            made => return made,
        }
    }
}

/// Whether there is a store. Takes no lock and changes nothing.
pub async fn store_exists(config: Config) -> Result<bool> {
    config.check()?;
    config.place().exists().await
}

/// Deletes a store with all it holds. Deleting what is not there succeeds; one that somebody has open is `STORE_LOCKED` or `BLOCKED`.
pub async fn delete_store(config: Config) -> Result<()> {
    config.check()?;
    config.place().destroy().await
}

async fn create(config: &Config, backing: &dyn Backing) -> Result<Found> {
    let id = match config.id {
        Some(id) => id,
        None => random_id(config)?,
    };
    let (serializer, compressor) = (config.serializer.unwrap_or(CBOR), config.compressor.unwrap_or_default().id());
    let record = Record { id, created: config.clock.now(), serializer, compressor, slots: Vec::new() };
    match config.layout.unwrap_or(LayoutName::Sealed) {
        // Whoever shares it would take a record for a blob.
        #[cfg(feature = "clojure")]
        LayoutName::Konserve => {
            // Whoever opens it afterwards finds none to read, either.
            let id = config.id.unwrap_or(Uuid::from_bytes([0; 16]));
            Ok(Found::plain(Record { id, ..record }, LayoutName::Konserve))
        }
        LayoutName::Sealed => sealed_record::create(config, backing, record).await?.ok_or_else(exists),
    }
}

/// The record of the store that is there, where it agrees with the config.
async fn connect(config: &Config, backing: &dyn Backing) -> Result<Option<Found>> {
    let found = match sealed_record::open(config, backing).await? {
        None => without_record(config, backing).await?,
        found => found,
    };
    let Some(found) = found else { return Ok(None) };
    let Found { record, layout, .. } = &found;
    if let Some(wanted) = config.layout.filter(|wanted| wanted != layout) {
        let message = format!("the store has the layout {layout:?}, the config says {wanted:?}; leave the layout out");
        return Err(Error::new(ErrorKind::InvalidConfig, message));
    }
    match config.id {
        Some(id) if id != record.id => Err(Error::new(
            ErrorKind::InvalidConfig,
            format!(
                "the store has the id {}, the config says {id}; leave the id out or open the right store",
                record.id
            ),
        )),
        _ => Ok(Some(found)),
    }
}

/// What there is without a record: nothing, a store in konserve's layout, or one that lost its record.
async fn without_record(config: &Config, backing: &dyn Backing) -> Result<Option<Found>> {
    let mut heads = backing.heads();
    while let Some(page) = heads.next().await? {
        for (name, head) in page {
            let Ok(head) = head else { continue };
            match head.first_chunk::<4>() {
                Some([SEALED, ..]) => {
                    return Err(Error::new(
                        ErrorKind::Corrupt,
                        format!(
                            "the store's record konserve.store is lost, its values are there ({name}); restore the record from a backup"
                        ),
                    ));
                }
                #[cfg(feature = "clojure")]
                Some([crate::layout::VERSION, serializer, compressor, _]) => {
                    // What is there tells what whoever shares it can read.
                    let id = config.id.unwrap_or(Uuid::from_bytes([0; 16]));
                    let (created, slots) = (0, Vec::new());
                    let (serializer, compressor) = (*serializer, *compressor);
                    let record = Record { id, created, serializer, compressor, slots };
                    return Ok(Some(Found::plain(record, LayoutName::Konserve)));
                }
                #[cfg(not(feature = "clojure"))]
                Some([1, ..]) => {
                    return Err(Error::new(ErrorKind::Unsupported, "this build does not have the layout of the store"));
                }
                _ => {}
            }
        }
    }
    Ok(None)
}

async fn finish(config: Config, backing: Arc<dyn Backing>, found: Result<Found>) -> Result<Store> {
    let opened = match found {
        Ok(found) => lay_out(&config, backing.as_ref(), &found).await.map(|layout| (found.record, layout)),
        Err(error) => Err(error),
    };
    match opened {
        Ok((record, layout)) => Ok(Store::new(backing, record, layout, config.clock)),
        Err(error) => {
            // The first error is the one to tell.
            _ = backing.close().await;
            Err(error)
        }
    }
}

/// The layout with all that the config and the record say of it.
async fn lay_out(config: &Config, backing: &dyn Backing, Found { record, layout, keyring }: &Found) -> Result<Layout> {
    let compressor = match config.compressor {
        Some(compressor) => compressor,
        None => Compressor::from_id(record.compressor).ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "the store was made with a compressor that this build does not have")
        })?,
    };
    compressor.check_writes()?;
    let (serializers, max_len) = (config.serializers.clone(), config.max_value_len);
    match layout {
        LayoutName::Sealed => {
            // What most values were written with must be there, also where something else is written from now on.
            let usual = serializers.writer(record.serializer)?;
            let serializer = config.serializer.map_or(Ok(usual), |id| serializers.writer(id))?;
            let vault =
                keyring.clone().map(|keyring| Vault::new(keyring, config.rng.clone(), config.platform_aes.clone()));
            let codec = Codec { serializer, serializers, compressor, max_len };
            Ok(Layout::Sealed(Sealed { codec, vault }))
        }
        #[cfg(feature = "clojure")]
        LayoutName::Konserve => {
            if backing.capability().copies {
                return Err(Error::new(
                    ErrorKind::InvalidConfig,
                    "a store in konserve's layout has no record that would tell its copies from another's, so it cannot be tiered or cached; open it by itself",
                ));
            }
            let serializer = config.serializer.unwrap_or(record.serializer);
            let encryptor = config.for_konserve()?;
            let revisions = Revisions::new(backing.capability().shared)?;
            let konserve = Konserve { serializer, serializers, compressor, encryptor, max_len, revisions };
            try_key(&konserve, backing).await?;
            Ok(Layout::Konserve(konserve))
        }
    }
}

/// That some blob of the first that are listed can be opened with the key there is, if any is encrypted; else `WRONG_KEY`.
#[cfg(feature = "clojure")]
async fn try_key(konserve: &Konserve, backing: &dyn Backing) -> Result<()> {
    let Some(page) = backing.heads().next().await? else { return Ok(()) };
    let mut wrong = None;
    for (name, head) in page {
        let Ok(head) = head else { continue };
        match konserve.open_head(name, &head) {
            Ok(_) => return Ok(()),
            // Another key may well give something, which makes no sense.
            Err(error) if head.get(3).is_some_and(|encryptor| *encryptor != 0) => _ = wrong.get_or_insert(error),
            Err(_) => {}
        }
    }
    let Some(wrong) = wrong else { return Ok(()) };
    let message = "no blob of the store can be opened with this key, or without one; open the store with the encryptor that it was written with";
    Err(Error::new(ErrorKind::WrongKey, message).caused_by(Arc::new(wrong)))
}

fn random_id(config: &Config) -> Result<Uuid> {
    let mut id = [0; 16];
    config.rng.fill(&mut id)?;
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    Ok(Uuid::from_bytes(id))
}

fn exists() -> Error {
    Error::new(ErrorKind::StoreExists, "there is a store already; connect to it, or delete it first")
}

fn not_found() -> Error {
    Error::new(
        ErrorKind::StoreNotFound,
        "there is no store; create it first, or open it with openStore (open_store), which does both",
    )
}
