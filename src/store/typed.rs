//! The store for Rust programs: keys, paths and values of any type that converts to CBOR.
#![allow(clippy::needless_pass_by_value, reason = "literals, tuples and references are given alike")]

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::{Answer, BatchEntry, Entries, Keys, LeafFn, Query, Span, Store, Sweep, WriteOptions};
use crate::{
    error::{Error, ErrorKind, Result},
    key::{Key, Path},
    meta::Meta,
    value::{FromCbor, ToCbor},
};

impl Key {
    /// The key that a value stands for: text, numbers, `Value`s, and what else can be stored.
    pub fn new(key: impl ToCbor) -> Result<Self> {
        Self::from_cbor(&key.to_cbor()?)
    }

    /// The key as a value.
    pub fn read<T: FromCbor>(&self) -> Result<T> {
        T::from_cbor(self.as_cbor())
    }
}

impl Path {
    /// The path of an array or tuple: a key, then steps, as in `("users", 3, "name")`.
    pub fn new(path: impl ToCbor) -> Result<Self> {
        Self::from_cbor(&path.to_cbor()?)
    }
}

impl WriteOptions {
    /// Entries of the user's own: a map or struct. Updates keep the entries that they do not name.
    pub fn meta(self, entries: impl ToCbor) -> Result<Self> {
        self.meta_cbor(&entries.to_cbor()?)
    }
}

impl BatchEntry {
    /// This value at this key, with nothing beside it.
    pub fn new(key: impl ToCbor, value: impl ToCbor) -> Result<Self> {
        let key = Key::new(key)?;
        let value = value.to_cbor().map_err(|error| error.at_key(key.as_cbor()))?.into();
        Ok(Self { key, value, options: WriteOptions::default() })
    }

    /// With metadata or a time to live.
    #[must_use]
    pub fn with(self, options: WriteOptions) -> Self {
        Self { options, ..self }
    }
}

fn read<T: FromCbor>(found: Option<Bytes>) -> Result<Option<T>> {
    found.map(|item| T::from_cbor(&item)).transpose()
}

/// Key, path and value come as they are; the bytes below are [`get_cbor`](Store::get_cbor) and its like.
impl Store {
    /// The value of a key.
    pub async fn get<T: FromCbor>(&self, key: impl ToCbor) -> Result<Option<T>> {
        read(self.get_cbor(&Key::new(key)?.into()).await?)
    }

    /// The value at a path; `None` wherever it ends early.
    pub async fn get_in<T: FromCbor>(&self, path: impl ToCbor) -> Result<Option<T>> {
        read(self.get_cbor(&Path::new(path)?).await?)
    }

    /// Whether a key has a value. The value is not read.
    pub async fn exists(&self, key: impl ToCbor) -> Result<bool> {
        self.exists_key(&Key::new(key)?).await
    }

    /// The metadata of a key. The value is not read.
    pub async fn get_meta(&self, key: impl ToCbor) -> Result<Option<Meta>> {
        self.meta(&Key::new(key)?).await
    }

    /// Puts a value at a key.
    pub async fn assoc(&self, key: impl ToCbor, value: impl ToCbor) -> Result<()> {
        self.assoc_cbor(Key::new(key)?.into(), value.to_cbor()?.into(), WriteOptions::default()).await
    }

    /// Puts a value at a path. Missing levels become maps; an index of an array replaces, or extends it by one.
    pub async fn assoc_in(&self, path: impl ToCbor, value: impl ToCbor) -> Result<()> {
        self.assoc_with(path, value, WriteOptions::default()).await
    }

    /// [`assoc_in`](Self::assoc_in), with metadata or a time to live.
    pub async fn assoc_with(&self, path: impl ToCbor, value: impl ToCbor, options: WriteOptions) -> Result<()> {
        self.assoc_cbor(Path::new(path)?, value.to_cbor()?.into(), options).await
    }

    /// Replaces the value of a key by what `f` makes of it, and tells the old one and the new one.
    /// No other write comes in between. `f` may be called more than once.
    pub async fn update<T, F>(&self, key: impl ToCbor, f: F) -> Result<(Option<T>, T)>
    where
        T: ToCbor + FromCbor,
        F: FnMut(Option<T>) -> T + Send + 'static,
    {
        self.update_path_with(Key::new(key)?.into(), f).await
    }

    /// [`update`](Self::update), at a path.
    pub async fn update_in<T, F>(&self, path: impl ToCbor, f: F) -> Result<(Option<T>, T)>
    where
        T: ToCbor + FromCbor,
        F: FnMut(Option<T>) -> T + Send + 'static,
    {
        self.update_path_with(Path::new(path)?, f).await
    }

    async fn update_path_with<T, F>(&self, path: Path, mut f: F) -> Result<(Option<T>, T)>
    where
        T: ToCbor + FromCbor,
        F: FnMut(Option<T>) -> T + Send + 'static,
    {
        let seen = Arc::new(Mutex::new(None));
        let seeing = seen.clone();
        let leaf: LeafFn = Box::new(move |old| {
            let new = Bytes::from(f(old.map(T::from_cbor).transpose()?).to_cbor()?);
            let old = old.map(Bytes::copy_from_slice);
            *seeing.lock().unwrap_or_else(PoisonError::into_inner) = Some((old, new.clone()));
            Ok(Answer::Now(new))
        });
        self.update_cbor(path, leaf, WriteOptions::default()).await?;
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (old, new) = seen.ok_or_else(|| Error::new(ErrorKind::Backend, "the backing did not run an update"))?;
        Ok((read(old)?, T::from_cbor(&new)?))
    }

    /// [`update_in`](Self::update_in) with a function that takes its time: it is awaited outside of any lock or
    /// transaction, and called again if the value was changed meanwhile; `CONFLICT` after 32 tries.
    pub async fn update_in_async<T, F, U>(&self, path: impl ToCbor, mut f: F) -> Result<()>
    where
        T: ToCbor + FromCbor,
        F: FnMut(Option<T>) -> U + Send + 'static,
        U: Future<Output = Result<T>> + Send + 'static,
    {
        let leaf: LeafFn = Box::new(move |old| {
            let new = f(old.map(T::from_cbor).transpose()?);
            Ok(Answer::Later(Box::pin(async move { Ok(new.await?.to_cbor()?.into()) })))
        });
        self.update_cbor(Path::new(path)?, leaf, WriteOptions::default()).await
    }

    /// Deletes a key; whether it was there.
    pub async fn dissoc(&self, key: impl ToCbor) -> Result<bool> {
        self.dissoc_cbor(Key::new(key)?.into()).await
    }

    /// Deletes what is at a path; whether it was there.
    pub async fn dissoc_in(&self, path: impl ToCbor) -> Result<bool> {
        self.dissoc_cbor(Path::new(path)?).await
    }

    /// Puts bytes at a key, as they are: a binary.
    pub async fn bassoc(&self, key: impl ToCbor, bytes: impl Into<Bytes>) -> Result<()> {
        self.put_binary(&Key::new(key)?, bytes.into(), WriteOptions::default()).await
    }

    /// The bytes of a binary; `NOT_BINARY` where there is something else.
    pub async fn bget(&self, key: impl ToCbor) -> Result<Option<Bytes>> {
        self.binary(&Key::new(key)?, Span::default()).await
    }

    /// The metadata of all keys, page by page. Values are not read.
    pub fn keys(&self) -> Result<Keys> {
        self.list_keys(Query::default())
    }

    /// The metadata and values, as CBOR, of all keys, page by page.
    pub fn entries(&self) -> Result<Entries> {
        self.list_entries(Query::default())
    }

    /// The values of several keys, read together: for each key, in the order given, its value if it has one.
    pub async fn multi_get<T: FromCbor>(&self, keys: impl IntoIterator<Item = impl ToCbor>) -> Result<Vec<Option<T>>> {
        self.multi_get_cbor(&many(keys)?).await?.into_iter().map(read).collect()
    }

    /// Puts several values: all of them, or none. Tells for each, in the order given, whether its key was there before.
    /// Of a key that is given more than once the last value counts.
    pub async fn multi_assoc(
        &self,
        entries: impl IntoIterator<Item = (impl ToCbor, impl ToCbor)>,
    ) -> Result<Vec<bool>> {
        let entries = entries.into_iter().map(|(key, value)| BatchEntry::new(key, value)).collect::<Result<_>>()?;
        self.multi_assoc_cbor(entries, WriteOptions::default()).await
    }

    /// Deletes several keys: all of them, or none. Tells for each, in the order given, whether it was there.
    pub async fn multi_dissoc(&self, keys: impl IntoIterator<Item = impl ToCbor>) -> Result<Vec<bool>> {
        self.multi_dissoc_cbor(&many(keys)?).await
    }
}

fn many(keys: impl IntoIterator<Item = impl ToCbor>) -> Result<Vec<Key>> {
    keys.into_iter().map(Key::new).collect()
}

/// Logs.
impl Store {
    /// Adds an element to the end of a log, which begins with its first element. It costs the same however long the log
    /// is. `NOT_A_LOG` where the key holds something else.
    pub async fn append(&self, key: impl ToCbor, element: impl ToCbor) -> Result<()> {
        self.append_with(key, element, WriteOptions::default()).await
    }

    /// [`append`](Self::append), with metadata or a time to live of the log.
    pub async fn append_with(&self, key: impl ToCbor, element: impl ToCbor, options: WriteOptions) -> Result<()> {
        self.append_cbor(Key::new(key)?, element.to_cbor()?.into(), options).await
    }

    /// All elements of a log in the order of their appends; none where there is no log.
    /// [`list_log`](Self::list_log) reads them page by page.
    pub async fn log<T: FromCbor>(&self, key: impl ToCbor) -> Result<Vec<T>> {
        let add = |mut all: Vec<T>, element| {
            all.push(element);
            all
        };
        self.reduce_log(key, Vec::new(), add).await
    }

    /// What `f` makes of `init` and the first element, of that and the second, and so on. A page is in memory at a time.
    pub async fn reduce_log<T: FromCbor, A>(
        &self,
        key: impl ToCbor,
        init: A,
        mut f: impl FnMut(A, T) -> A,
    ) -> Result<A> {
        let (mut elements, mut all) = (self.list_log(Key::new(key)?), init);
        while let Some(page) = elements.next_page().await? {
            for element in page {
                all = f(all, T::from_cbor(&element)?);
            }
        }
        Ok(all)
    }
}

impl Sweep {
    /// This key stays; [`keep`](Self::keep) takes many.
    pub fn keep_key(self, key: impl ToCbor) -> Result<Self> {
        Ok(self.keep([Key::new(key)?]))
    }
}
