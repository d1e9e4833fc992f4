//! What a store is opened with.

use std::sync::Arc;

use crate::{
    backing::{MemoryPlace, Place},
    codec::{CBOR, Compressor, DEFAULT_MAX_VALUE_LEN, Serializers},
    encryptor::{Encryptor, Method},
    env::{Clock, Rng, System},
    error::{Error, ErrorKind, Result},
    keyring::{PlatformAes, Secret},
    name::Uuid,
};

#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
use crate::codec::Translate;
#[cfg(feature = "clojure")]
use crate::codec::{EDN, FRESSIAN, encryptor::KonserveEncryptor};
#[cfg(not(target_arch = "wasm32"))]
use crate::{
    backing::{FilePlace, StdFs, off_thread},
    codec::{OfValues, Serializer},
};

pub(super) const OTHER_ID: &str =
    "the tiers of a tiered store are one store and have one id; say the same id for both, or leave ids out";

/// How the blobs of a store are framed and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutName {
    /// Every byte is checked.
    Sealed,
    /// That of Clojure's konserve, to share the store with it.
    #[cfg(feature = "clojure")]
    Konserve,
}

/// Where a store is and how it is written. Every option has a default.
#[derive(Clone)]
pub struct Config {
    place: Arc<dyn Place>,
    pub(super) id: Option<Uuid>,
    pub(super) layout: Option<LayoutName>,
    /// The id of what values are written with.
    pub(super) serializer: Option<u8>,
    pub(super) serializers: Serializers,
    pub(super) compressor: Option<Compressor>,
    pub(super) encryptor: Option<Encryptor>,
    pub(super) rng: Arc<dyn Rng>,
    pub(super) platform_aes: Option<Arc<dyn PlatformAes>>,
    pub(super) max_value_len: u64,
    pub(super) clock: Arc<dyn Clock>,
    /// What is wrong with it, told by whatever is done with it first.
    pub(super) wrong: Option<Error>,
    /// The id that the tiers of a tiered store have, where they say one.
    pub(super) expected: Option<Uuid>,
    #[cfg(not(target_arch = "wasm32"))]
    on_this_thread: bool,
}

#[cfg(not(target_arch = "wasm32"))]
impl Config {
    /// A store in this folder: synced, and with exclusive access. [`FilePlace`] has the other ways.
    pub fn file(path: impl Into<std::path::PathBuf>) -> Self {
        Self::at(FilePlace::new(Arc::new(StdFs), path))
    }

    /// A serializer of your own, which values are written with from now on. What was written with others stays as it is:
    /// give these to [`serializers`](Self::serializers). Default: what the store was made with, CBOR for a new one.
    #[must_use]
    pub fn serializer(self, serializer: impl Serializer) -> Self {
        self.writing(Arc::new(OfValues(serializer)))
    }

    /// Serializers of your own that can be read as well, and written with where the store was made with one of them.
    #[must_use]
    pub fn serializers(self, serializers: impl IntoIterator<Item = Arc<dyn Serializer>>) -> Self {
        serializers.into_iter().fold(self, |config, serializer| config.reading(Arc::new(OfValues(serializer))))
    }

    /// Whatever makes a thread wait is done on the caller's.
    pub(crate) fn on_this_thread(self) -> Self {
        Self { on_this_thread: true, ..self }
    }
}

impl Config {
    /// A store in this place.
    pub fn at(place: impl Place) -> Self {
        Self {
            place: Arc::new(place),
            id: None,
            layout: None,
            serializer: None,
            serializers: Serializers::default(),
            compressor: None,
            encryptor: None,
            rng: Arc::new(System),
            platform_aes: None,
            max_value_len: DEFAULT_MAX_VALUE_LEN,
            clock: Arc::new(System),
            wrong: None,
            expected: None,
            #[cfg(not(target_arch = "wasm32"))]
            on_this_thread: false,
        }
    }

    /// The place, with other threads waiting for a disk unless the caller's is to.
    pub(crate) fn place(&self) -> Arc<dyn Place> {
        let place = self.place.clone();
        #[cfg(feature = "clojure")]
        let place = match self.layout {
            Some(LayoutName::Konserve) => place.without_record().unwrap_or(place),
            Some(LayoutName::Sealed) | None => place,
        };
        #[cfg(not(target_arch = "wasm32"))]
        if !self.on_this_thread {
            return off_thread(&place);
        }
        place
    }

    /// What is wrong with it, as an error.
    pub(super) fn check(&self) -> Result<()> {
        self.wrong.clone().map_or(Ok(()), Err)?;
        self.serializers.check()
    }

    /// The key of a store in the sealed layout. Not lent: a build that cannot have one shall know it.
    pub(super) fn secret(&self) -> Result<Option<Secret>> {
        match &self.encryptor {
            None => Ok(None),
            Some(Encryptor(Method::AesBlake3(secret))) => secret.check().map(|()| Some(secret.clone())),
            #[cfg(feature = "clojure")]
            Some(Encryptor(Method::Konserve(_))) => Err(Error::new(
                ErrorKind::InvalidConfig,
                "the encryptors aes and aes-gcm are for stores shared with Clojure (layout \"konserve\"); use aes-blake3, or leave the encryptor out",
            )),
        }
    }

    /// What a store in konserve's layout is encrypted with.
    #[cfg(feature = "clojure")]
    pub(super) fn for_konserve(&self) -> Result<Option<KonserveEncryptor>> {
        match &self.encryptor {
            None => Ok(None),
            Some(Encryptor(Method::Konserve(encryptor))) => Ok(Some(encryptor.clone())),
            Some(Encryptor(Method::AesBlake3(_))) => Err(Error::new(
                ErrorKind::InvalidConfig,
                "the encryptor aes-blake3 is that of the sealed layout; a store shared with Clojure has aes, or none",
            )),
        }
    }

    /// The place as it was given.
    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    pub(super) fn plain_place(&self) -> Arc<dyn Place> {
        self.place.clone()
    }

    /// The same store, in this place.
    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    pub(super) fn with_place(self, place: impl Place) -> Self {
        Self { place: Arc::new(place), ..self }
    }

    /// A store in memory that nobody else sees.
    pub fn memory() -> Self {
        Self::at(MemoryPlace::private())
    }

    /// A store in memory that every part of this process finds by its name.
    pub fn memory_named(name: impl Into<String>) -> Self {
        Self::at(MemoryPlace::named(name))
    }

    /// The id that a new store gets, and that an existing one must have (`INVALID_CONFIG`). Default: random.
    #[must_use]
    pub fn id(mut self, id: Uuid) -> Self {
        if self.wrong.is_none() && self.expected.is_some_and(|expected| expected != id) {
            self.wrong = Some(Error::new(ErrorKind::InvalidConfig, OTHER_ID));
        }
        self.id = Some(id);
        self
    }

    /// The layout that a new store gets, and that an existing one must have (`INVALID_CONFIG`). Default: what the store
    /// has, sealed for a new one.
    #[must_use]
    pub fn layout(mut self, layout: LayoutName) -> Self {
        self.layout = Some(layout);
        self
    }

    /// Values are written as CBOR from now on, also where the store was made with a serializer of your own.
    #[must_use]
    pub fn cbor(mut self) -> Self {
        self.serializer = Some(CBOR);
        self
    }

    /// With one more serializer, to write with.
    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    pub(crate) fn writing(self, serializer: Arc<dyn Translate>) -> Self {
        Self { serializer: Some(serializer.id()), ..self.reading(serializer) }
    }

    /// With one more serializer.
    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    pub(crate) fn reading(mut self, serializer: Arc<dyn Translate>) -> Self {
        self.serializers.add(serializer);
        self
    }

    /// What values are compressed with from now on. Default: what the store was made with, none for a new one.
    #[must_use]
    pub fn compressor(mut self, compressor: Compressor) -> Self {
        self.compressor = Some(compressor);
        self
    }

    /// What the store is encrypted with, and the key to what is encrypted there. Default: nothing is encrypted.
    #[must_use]
    pub fn encryptor(mut self, encryptor: Encryptor) -> Self {
        self.encryptor = Some(encryptor);
        self
    }

    /// AES that the platform lends, and is the same as that of this program.
    #[cfg(all(feature = "encryption", target_arch = "wasm32"))]
    pub(crate) fn platform_aes(mut self, aes: Arc<dyn PlatformAes>) -> Self {
        self.platform_aes = Some(aes);
        self
    }

    /// Values are written as Fressian from now on, as Clojure's konserve does unless told otherwise.
    #[cfg(feature = "clojure")]
    #[must_use]
    pub fn fressian(mut self) -> Self {
        self.serializer = Some(FRESSIAN);
        self
    }

    /// Values are written as EDN text from now on.
    #[cfg(feature = "clojure")]
    #[must_use]
    pub fn edn(mut self) -> Self {
        self.serializer = Some(EDN);
        self
    }

    /// The longest value in bytes, read or written. Default: 256 MiB.
    #[must_use]
    pub fn max_value_len(mut self, len: u64) -> Self {
        self.max_value_len = len;
        self
    }

    /// The source of ids, keys and salts. Default: the system's, which is the one to use but in tests.
    #[must_use]
    pub fn rng(mut self, rng: impl Rng + 'static) -> Self {
        self.rng = Arc::new(rng);
        self
    }

    /// The clock that stamps writes and decides what has expired. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}
