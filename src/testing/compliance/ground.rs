//! Where a case runs: its places, and what it opened there.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use super::check::Verdict;
use crate::{
    backing::{Backing, Place},
    env::Clock,
    error::{ErrorKind, Result},
    key::Key,
    name::BlobName,
    store::{Config, Store, connect_store, create_store, open_store},
};

/// Gives the config of a place.
#[cfg(not(target_arch = "wasm32"))]
pub(super) type Make = dyn Fn(&str) -> Config + Send + Sync;
/// Gives the config of a place.
#[cfg(target_arch = "wasm32")]
pub(super) type Make = dyn Fn(&str) -> Config;

/// A place for the case alone, and a second one.
pub struct Ground {
    make: Arc<Make>,
    name: &'static str,
    opened: Mutex<Vec<Opened>>,
    /// The store of this case, open or not: it knows what its blobs are called.
    own: Mutex<Option<Store>>,
}

enum Opened {
    Store(Store),
    Backing(Arc<dyn Backing>),
}

impl Ground {
    pub(super) fn new(make: Arc<Make>, name: &'static str) -> Self {
        Self { make, name, opened: Mutex::default(), own: Mutex::default() }
    }

    /// The place of this case.
    pub(super) fn config(&self) -> Config {
        (self.make)(self.name)
    }

    /// Another place.
    pub(super) fn other_config(&self) -> Config {
        (self.make)(&format!("{}_other", self.name))
    }

    pub(super) async fn open(&self) -> Result<Store> {
        let store = self.open_with(self.config()).await?;
        Ok(self.own(store))
    }

    pub(super) async fn open_with(&self, config: Config) -> Result<Store> {
        Ok(self.keep(open_store(config).await?))
    }

    pub(super) async fn create_with(&self, config: Config) -> Result<Store> {
        Ok(self.keep(create_store(config).await?))
    }

    pub(super) async fn connect_with(&self, config: Config) -> Result<Store> {
        Ok(self.keep(connect_store(config).await?))
    }

    /// Closes whatever is open, and connects again.
    pub(super) async fn reopen(&self) -> Result<Store> {
        self.leave().await?;
        let store = self.connect_with(self.config()).await?;
        Ok(self.own(store))
    }

    /// What the blob of a key is called in the place of this case.
    pub(super) fn name(&self, key: &Key) -> BlobName {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.as_ref().and_then(|store| store.blob_name(key).ok()).unwrap_or_else(|| key.name())
    }

    /// The error of a blob that was changed behind the store's back: an encrypted store says that it did not write it.
    pub(super) fn damage(&self) -> ErrorKind {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.as_ref().is_some_and(Store::is_encrypted) { ErrorKind::Authentication } else { ErrorKind::Corrupt }
    }

    fn own(&self, store: Store) -> Store {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = Some(store.clone());
        store
    }

    /// The place itself.
    pub(super) fn place(&self) -> Arc<dyn Place> {
        self.config().place()
    }

    /// The backing of the place, made if there is none.
    pub(super) async fn backing(&self) -> Result<Arc<dyn Backing>> {
        let backing = self.place().open(true).await?;
        self.opened().push(Opened::Backing(backing.clone()));
        Ok(backing)
    }

    /// Closes whatever is open.
    pub(super) async fn leave(&self) -> Result<()> {
        let opened = std::mem::take(&mut *self.opened());
        for opened in opened {
            match opened {
                Opened::Store(store) => store.close().await?,
                Opened::Backing(backing) => backing.close().await?,
            }
        }
        Ok(())
    }

    /// Closes whatever is open, and deletes both places.
    pub(super) async fn clear(&self) -> Verdict {
        self.leave().await?;
        self.place().destroy().await?;
        self.other_config().place().destroy().await?;
        Ok(())
    }

    fn keep(&self, store: Store) -> Store {
        self.opened().push(Opened::Store(store.clone()));
        store
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, Vec<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock that stands still unless it is set. Clones are the same clock.
#[derive(Clone, Debug)]
pub(super) struct Hands(Arc<AtomicU64>);

impl Hands {
    pub(super) fn at(now: u64) -> Self {
        Self(Arc::new(AtomicU64::new(now)))
    }

    pub(super) fn set(&self, now: u64) {
        self.0.store(now, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}
