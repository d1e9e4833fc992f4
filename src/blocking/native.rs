//! A store whose methods return their results, for programs that are not asynchronous.

use std::{
    io::{self, Read, Write},
    sync::Arc,
    vec,
};

use bytes::Bytes;

pub use crate::env::wait;
use crate::{
    error::{Error, ErrorKind, Result},
    key::Key,
    meta::Meta,
    store::{
        self, BatchEntry, Config, Event, Existing, Imported, Query, Report, Span, Sweep, Tier, Unreferenced,
        WriteOptions,
    },
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

    pub fn bassoc(&self, key: impl ToCbor, bytes: impl Into<Bytes>) -> Result<()> {
        wait(self.0.bassoc(key, bytes))
    }

    pub fn bget(&self, key: impl ToCbor) -> Result<Option<Bytes>> {
        wait(self.0.bget(key))
    }

    pub fn put_binary(&self, key: &Key, bytes: impl Into<Bytes>, options: WriteOptions) -> Result<()> {
        wait(self.0.put_binary(key, bytes.into(), options))
    }

    pub fn binary(&self, key: &Key, span: Span) -> Result<Option<Bytes>> {
        wait(self.0.binary(key, span))
    }

    pub fn multi_get<T: FromCbor>(&self, keys: impl IntoIterator<Item = impl ToCbor>) -> Result<Vec<Option<T>>> {
        wait(self.0.multi_get(keys))
    }

    pub fn multi_assoc(&self, entries: impl IntoIterator<Item = (impl ToCbor, impl ToCbor)>) -> Result<Vec<bool>> {
        wait(self.0.multi_assoc(entries))
    }

    pub fn multi_assoc_with(&self, entries: Vec<BatchEntry>, common: WriteOptions) -> Result<Vec<bool>> {
        wait(self.0.multi_assoc_cbor(entries, common))
    }

    pub fn multi_dissoc(&self, keys: impl IntoIterator<Item = impl ToCbor>) -> Result<Vec<bool>> {
        wait(self.0.multi_dissoc(keys))
    }

    pub fn add_write_hook(&self, id: &str, hook: impl Fn(&Event) + Send + Sync + 'static) -> Result<()> {
        self.0.add_write_hook(id, hook)
    }

    pub fn remove_write_hook(&self, id: &str) {
        self.0.remove_write_hook(id);
    }

    pub fn write_binary(&self, key: &Key, options: WriteOptions) -> Result<BinaryWriter> {
        wait(self.0.write_binary(key, options)).map(BinaryWriter)
    }

    pub fn read_binary(&self, key: &Key) -> Result<Option<BinaryReader>> {
        let reader = wait(self.0.read_binary(key))?;
        Ok(reader.map(|reader| BinaryReader { reader, piece: Bytes::new() }))
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
                    let value: Bytes = value;
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

    pub fn repair(&self, progress: impl FnMut(u64)) -> Result<Report> {
        wait(self.0.repair(progress))
    }

    /// Writes an [export](crate::Store::export); how many entries it has. `progress` is told how many were written so
    /// far, and about which part of all that is, from 0 to 1. The writer is flushed.
    pub fn export_to(&self, to: &mut impl Write, mut progress: impl FnMut(u64, f64)) -> Result<u64> {
        let mut export = self.0.export()?;
        while let Some(chunk) = wait(export.next_chunk())? {
            to.write_all(&chunk).map_err(|error| io_error("writing an export", error))?;
            progress(export.entries(), export.fraction());
        }
        to.flush().map_err(|error| io_error("writing an export", error))?;
        Ok(export.entries())
    }

    /// [Imports](crate::Store::import) what there is to read. `progress` is told how many entries and bytes were read so
    /// far.
    pub fn import_from(
        &self,
        from: &mut impl Read,
        existing: Existing,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Imported> {
        let (mut import, mut buffer, mut bytes) = (self.0.import(existing)?, vec![0; READ_AT_ONCE], 0_u64);
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return wait(import.finish()),
                Ok(len) => {
                    wait(import.push(buffer.get(..len).unwrap_or(&buffer)))?;
                    bytes += len as u64;
                    progress(import.entries(), bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(wait(import.stop(io_error("reading an export", error)))),
            }
        }
    }

    pub fn copy_to(&self, other: &Self, existing: Existing, progress: impl FnMut(u64)) -> Result<Imported> {
        wait(self.0.copy_to(&other.0, existing, progress))
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
                    let element: Bytes = element;
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

    pub fn flush(&self) -> Result<()> {
        wait(self.0.flush())
    }

    pub fn invalidate(&self, keys: Option<&[Key]>) {
        wait(self.0.invalidate(keys));
    }

    pub fn close(&self) -> Result<()> {
        wait(self.0.close())
    }

    /// The asynchronous store below.
    pub fn inner(&self) -> &store::Store {
        &self.0
    }
}

impl From<&Store> for Tier {
    fn from(store: &Store) -> Self {
        Self::from(&store.0)
    }
}

/// A binary on its way into a store; see [`store::BinaryWriter`]. Dropped without `finish`, nothing of it is left.
pub struct BinaryWriter(store::BinaryWriter);

impl BinaryWriter {
    /// Puts the binary at its key.
    pub fn finish(self) -> Result<()> {
        wait(self.0.finish())
    }

    /// Gives the binary up.
    pub fn abort(self) -> Result<()> {
        wait(self.0.abort())
    }
}

impl Write for BinaryWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        wait(self.0.write(bytes)).map(|()| bytes.len()).map_err(io::Error::other)
    }

    /// Does nothing: only `finish` makes the binary be there.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A binary that is read piece by piece; see [`store::BinaryReader`].
pub struct BinaryReader {
    reader: store::BinaryReader,
    /// What is left of the last piece.
    piece: Bytes,
}

impl BinaryReader {
    /// The metadata of the binary.
    pub fn meta(&self) -> &Meta {
        self.reader.meta()
    }
}

impl Read for BinaryReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            self.piece = wait(self.reader.next()).map_err(io::Error::other)?.unwrap_or_default();
        }
        let piece = self.piece.split_to(into.len().min(self.piece.len()));
        into.iter_mut().zip(&piece).for_each(|(to, from)| *to = *from);
        Ok(piece.len())
    }
}

/// So many bytes of an export are read at a time.
const READ_AT_ONCE: usize = 64 * 1024;

fn io_error(doing: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("{doing}: {error}")).caused_by(Arc::new(error))
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
