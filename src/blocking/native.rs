//! A store whose methods return their results, for programs that are not asynchronous.

use std::vec;

pub use crate::env::wait;
use crate::{
    error::Result,
    key::Key,
    meta::Meta,
    store::{self, Config, Query, Report, Sweep, Unreferenced, WriteOptions},
    value::{FromCbor, ToCbor},
};

/// Makes a store. See [`create_store`](crate::create_store).
pub fn create_store(config: Config) -> Result<Store> {
    wait(store::create_store(config.on_this_thread())).map(Store)
}

/// Opens a store that exists. See [`connect_store`](crate::connect_store).
pub fn connect_store(config: Config) -> Result<Store> {
    wait(store::connect_store(config.on_this_thread())).map(Store)
}

/// Opens the store that is there, or makes one.
pub fn open_store(config: Config) -> Result<Store> {
    wait(store::open_store(config.on_this_thread())).map(Store)
}

/// Whether there is a store.
pub fn store_exists(config: Config) -> Result<bool> {
    wait(store::store_exists(config.on_this_thread()))
}

/// Deletes a store with all it holds. See [`delete_store`](crate::delete_store).
pub fn delete_store(config: Config) -> Result<()> {
    wait(store::delete_store(config.on_this_thread()))
}

/// An open store; its methods are those of [`crate::Store`], and wait.
#[derive(Clone, Debug)]
pub struct Store(store::Store);

#[allow(missing_docs, reason = "each method is that of `crate::Store`, to its end")]
impl Store {
    pub fn get<T: FromCbor>(&self, key: impl ToCbor) -> Result<Option<T>> {
        wait(self.0.get(key))
    }

    pub fn get_in<T: FromCbor>(&self, path: impl ToCbor) -> Result<Option<T>> {
        wait(self.0.get_in(path))
    }

    pub fn exists(&self, key: impl ToCbor) -> Result<bool> {
        wait(self.0.exists(key))
    }

    pub fn get_meta(&self, key: impl ToCbor) -> Result<Option<Meta>> {
        wait(self.0.get_meta(key))
    }

    pub fn assoc(&self, key: impl ToCbor, value: impl ToCbor) -> Result<()> {
        wait(self.0.assoc(key, value))
    }

    pub fn assoc_in(&self, path: impl ToCbor, value: impl ToCbor) -> Result<()> {
        wait(self.0.assoc_in(path, value))
    }

    pub fn assoc_with(&self, path: impl ToCbor, value: impl ToCbor, options: WriteOptions) -> Result<()> {
        wait(self.0.assoc_with(path, value, options))
    }

    pub fn update<T, F>(&self, key: impl ToCbor, f: F) -> Result<(Option<T>, T)>
    where
        T: ToCbor + FromCbor,
        F: FnMut(Option<T>) -> T + Send + 'static,
    {
        wait(self.0.update(key, f))
    }

    pub fn update_in<T, F>(&self, path: impl ToCbor, f: F) -> Result<(Option<T>, T)>
    where
        T: ToCbor + FromCbor,
        F: FnMut(Option<T>) -> T + Send + 'static,
    {
        wait(self.0.update_in(path, f))
    }

    pub fn dissoc(&self, key: impl ToCbor) -> Result<bool> {
        wait(self.0.dissoc(key))
    }

    pub fn dissoc_in(&self, path: impl ToCbor) -> Result<bool> {
        wait(self.0.dissoc_in(path))
    }

    pub fn keys(&self) -> Result<Keys> {
        self.list_keys(Query::default())
    }

    pub fn list_keys(&self, query: Query) -> Result<Keys> {
        Ok(Keys { pages: self.0.list_keys(query)?, page: Vec::new().into_iter() })
    }

    pub fn entries<T: FromCbor>(&self) -> Result<impl Iterator<Item = Result<(Meta, T)>> + use<T>> {
        self.list_entries(Query::default())
    }

    pub fn list_entries<T: FromCbor>(&self, query: Query) -> Result<impl Iterator<Item = Result<(Meta, T)>> + use<T>> {
        let mut pages = self.0.list_entries(query)?;
        let mut page = Vec::new().into_iter();
        Ok(std::iter::from_fn(move || {
            loop {
                if let Some((meta, value)) = page.next() {
                    let value: bytes::Bytes = value;
                    return Some(T::from_cbor(&value).map(|value| (meta, value)));
                }
                match wait(pages.next_page()).transpose()? {
                    Ok(next) => page = next.into_iter(),
                    Err(error) => return Some(Err(error)),
                }
            }
        }))
    }

    pub fn verify(&self, progress: impl FnMut(u64)) -> Result<Report> {
        wait(self.0.verify(progress))
    }

    pub fn append(&self, key: impl ToCbor, element: impl ToCbor) -> Result<()> {
        wait(self.0.append(key, element))
    }

    pub fn append_with(&self, key: impl ToCbor, element: impl ToCbor, options: WriteOptions) -> Result<()> {
        wait(self.0.append_with(key, element, options))
    }

    pub fn log<T: FromCbor>(&self, key: impl ToCbor) -> Result<Vec<T>> {
        wait(self.0.log(key))
    }

    pub fn reduce_log<T: FromCbor, A>(&self, key: impl ToCbor, init: A, f: impl FnMut(A, T) -> A) -> Result<A> {
        wait(self.0.reduce_log(key, init, f))
    }

    /// The elements of a log, one after another, read page by page.
    pub fn list_log<T: FromCbor>(&self, key: Key) -> impl Iterator<Item = Result<T>> + use<T> {
        let (mut pages, mut page) = (self.0.list_log(key), Vec::new().into_iter());
        std::iter::from_fn(move || {
            loop {
                if let Some(element) = page.next() {
                    let element: bytes::Bytes = element;
                    return Some(T::from_cbor(&element));
                }
                match wait(pages.next_page()).transpose()? {
                    Ok(next) => page = next.into_iter(),
                    Err(error) => return Some(Err(error)),
                }
            }
        })
    }

    pub fn sweep(&self, sweep: Sweep) -> Result<Vec<Key>> {
        wait(self.0.sweep(sweep))
    }

    pub fn unreferenced_writes(&self) -> Unreferenced {
        self.0.unreferenced_writes()
    }

    pub fn cutoff(&self) -> u64 {
        self.0.cutoff()
    }

    pub fn close(&self) -> Result<()> {
        wait(self.0.close())
    }

    /// The asynchronous store below.
    pub fn inner(&self) -> &store::Store {
        &self.0
    }
}

/// The metadata of keys. After the last, an error for those that could not be read.
pub struct Keys {
    pages: store::Keys,
    page: vec::IntoIter<Meta>,
}

impl Iterator for Keys {
    type Item = Result<Meta>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(meta) = self.page.next() {
                return Some(Ok(meta));
            }
            match wait(self.pages.next_page()).transpose()? {
                Ok(page) => self.page = page.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
