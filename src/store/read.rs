//! Reading: `get`, `get_in`, `exists`, `get_meta`.

use bytes::Bytes;

#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
use super::Inner;
use super::{Mode, Store, log};
use crate::{
    backing::{Blob, Part},
    cbor,
    codec::check_stored,
    env::BoxFut,
    error::Result,
    key::{Key, Path},
    layout::Opened,
    meta::{Kind, Meta},
    name::BlobName,
};

impl Store {
    /// The value at a path as CBOR; `None` wherever the path ends early. A log is `INVALID_PATH`: it has no value.
    pub async fn get_cbor(&self, path: &Path) -> Result<Option<Bytes>> {
        let got = async {
            let Some(mut opened) = self.load(&path.key, Part::All).await? else { return Ok(None) };
            log::refuse(&opened.meta)?;
            self.part(&mut opened, &path.steps).await
        };
        got.await.map_err(|error: crate::Error| error.at_key(path.key.as_cbor()))
    }

    /// Whether the key has a value. Its value is not read.
    pub async fn exists_key(&self, key: &Key) -> Result<bool> {
        Ok(self.meta(key).await?.is_some())
    }

    /// The metadata of a key. Its value is not read.
    pub async fn meta(&self, key: &Key) -> Result<Option<Meta>> {
        let opened = self.load(key, Part::Head).await.map_err(|error| error.at_key(key.as_cbor()))?;
        Ok(opened.map(|opened| opened.meta))
    }

    pub(super) async fn load(&self, key: &Key, part: Part) -> Result<Option<Opened>> {
        let _pass = self.inner.gate.enter()?;
        let name = self.find(key).await?;
        #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
        if let Some(found) = self.read_now(name, part) {
            let Some(blob) = found? else { return Ok(None) };
            return self.open(name, Some(key), blob);
        }
        let Some(blob) = self.read_later(name, part).await? else { return Ok(None) };
        self.open(name, Some(key), blob)
    }

    /// The blob of a name, where nobody is to be waited for: neither the backing nor who holds the name's lock.
    ///
    /// A backing that keeps the order of calls by itself is read without the lock. Whoever called before this and is not
    /// done yet holds the lock, or waits for it: then this waits, too. Who takes it after this look has called at the same
    /// time, so either may come first; and the blob is one that was put whole. On files the lock is held, since a blob is
    /// there before it is synced.
    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    fn read_now(&self, name: BlobName, part: Part) -> Option<Result<Option<Blob>>> {
        let Inner { backing, locks, logs, .. } = &*self.inner;
        logs.groups.end(name);
        if backing.capability().ordered {
            return if locks.is_idle(name) { backing.read_now(name, part) } else { None };
        }
        let _held = locks.try_lock(name, Mode::Shared)?;
        backing.read_now(name, part)
    }

    fn read_later(&self, name: BlobName, part: Part) -> BoxFut<'_, Result<Option<Blob>>> {
        Box::pin(async move {
            let held = self.lock(name, Mode::Shared).await;
            let reading = self.inner.backing.read(vec![name], part);
            let _kept = self.keep(held);
            Ok(reading.await?.into_iter().next().flatten())
        })
    }

    /// Opens the head of a blob; `None` once it has expired.
    pub(super) fn open(&self, name: BlobName, key: Option<&Key>, blob: Blob) -> Result<Option<Opened>> {
        let opened = self.inner.layout.open(name, key, blob)?;
        if opened.meta.kind == Kind::Log {
            self.inner.logs.learn(name);
        }
        if opened.meta.expires.is_some_and(|expires| expires <= self.now()) {
            return Ok(None);
        }
        Ok(Some(opened))
    }

    /// The value of a blob; `None` once it has expired.
    pub(super) fn value(&self, name: BlobName, key: &Key, blob: Blob) -> Result<Option<Bytes>> {
        let opened = self.open(name, Some(key), blob)?;
        opened.map(|opened| self.decode(opened)).transpose()
    }

    /// Checks a whole blob, expired or not, and decodes its value.
    pub(super) fn check(&self, name: BlobName, blob: Blob) -> Result<(Meta, Bytes)> {
        let opened = self.inner.layout.open(name, None, blob)?;
        let meta = opened.meta.clone();
        self.decode(opened).map_err(|error| error.at_key(meta.key.as_cbor())).map(|value| (meta, value))
    }

    /// Checks what is stored in a whole blob. No serializer of the application's own is called: what these cannot read is
    /// as it was written.
    pub(super) fn check_stored(&self, name: BlobName, blob: Blob) -> Result<()> {
        self.inner.layout.check(self.inner.layout.open(name, None, blob)?)
    }

    /// Checks and decodes the value of a blob.
    pub(super) fn decode(&self, opened: Opened) -> Result<Bytes> {
        self.inner.layout.decode(opened)
    }

    /// What is at a path inside a value. What is beside the path is neither built nor looked at.
    async fn part(&self, opened: &mut Opened, steps: &[Bytes]) -> Result<Option<Bytes>> {
        let layout = &self.inner.layout;
        let content = if opened.waits() { layout.content_later(opened).await? } else { layout.content(opened)? };
        if steps.is_empty() {
            return layout.decode_content(opened, content).map(Some);
        }
        let whole = layout.item_of_content(opened, content)?;
        let steps: Vec<&[u8]> = steps.iter().map(Bytes::as_ref).collect();
        let Some(part) = cbor::path::get(&whole, &steps)? else { return Ok(None) };
        check_stored(part)?;
        Ok(Some(whole.slice_ref(part)))
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::{
        backing::{Change, Expect, Write},
        codec::{CBOR, Codecs, Encoded},
        env::wait,
        error::ErrorKind,
        store::{Config, WriteOptions, open_store},
    };

    #[test]
    fn of_a_value_that_is_no_cbor_only_what_a_path_leads_to_is_looked_at() {
        let store = wait(open_store(Config::memory())).unwrap();
        let key = Key::from_cbor(b"\x61k").unwrap();
        // {"a": 1, "b": a text that is no UTF-8, "c": 2}
        let section = Bytes::from_static(b"\xa3\x61a\x01\x61b\x61\xff\x61c\x02");
        let codecs = Codecs { serializer: CBOR, compressor: 0, encryptor: 0 };
        let encoded = Encoded { codecs, size: section.len() as u64, section };
        let name = store.inner.layout.name(&key).unwrap();
        let blob = store.inner.layout.seal(name, Meta::new(key.clone(), Kind::Value, 0), encoded).unwrap();
        let write = Write { name, change: Change::Put(blob), expect: Expect::Anything };
        wait(store.inner.backing.commit(vec![write])).unwrap();
        let get = |steps: &[&'static [u8]]| {
            let steps = steps.iter().map(|step| Bytes::from_static(step)).collect();
            wait(store.get_cbor(&Path { key: key.clone(), steps })).map_err(|error| error.kind())
        };
        assert_eq!(get(&[b"\x61a"]), Ok(Some(Bytes::from_static(b"\x01"))));
        assert_eq!(get(&[b"\x61c"]), Ok(Some(Bytes::from_static(b"\x02"))));
        assert_eq!(get(&[b"\x61b"]), Err(ErrorKind::Corrupt));
        assert_eq!(get(&[]), Err(ErrorKind::Corrupt));
        let put = |step: &'static [u8], value: &'static [u8]| {
            let path = Path { key: key.clone(), steps: vec![Bytes::from_static(step)] };
            wait(store.assoc_cbor(path, Bytes::from_static(value), WriteOptions::default()))
                .map_err(|error| error.kind())
        };
        assert_eq!(put(b"\x61b", b"\x03"), Err(ErrorKind::Corrupt), "what is there is looked at");
        assert_eq!(put(b"\x61a", b"\x03"), Ok(()));
        assert_eq!(get(&[b"\x61a"]), Ok(Some(Bytes::from_static(b"\x03"))));
        assert_eq!(get(&[]), Err(ErrorKind::Corrupt), "and what is beside it stays as it is");
    }

    /// Reads a key that somebody called for before, and is not done with.
    fn waits_for_its_turn(store: &Store) {
        let key = Key::from("k");
        let name = store.inner.layout.name(&key).unwrap();
        wait(store.assoc("k", 1)).unwrap();
        for mode in [Mode::Exclusive, Mode::Shared] {
            let held = wait(store.lock(name, mode));
            let path = Path::from(key.clone());
            let mut reading = Box::pin(store.get_cbor(&path));
            let mut poll = || match reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(read) => Some(read.unwrap().unwrap()),
                Poll::Pending => None,
            };
            let early = poll();
            assert_eq!(early.is_some(), mode == Mode::Shared, "readers are together, and none overtakes a writer");
            drop(held);
            assert_eq!(early.or_else(poll).unwrap(), b"\x01"[..]);
        }
        assert!(store.inner.locks.is_idle(name));
        wait(store.close()).unwrap();
        assert_eq!(wait(store.get::<u8>("k")).unwrap_err().kind(), ErrorKind::Closed);
    }

    #[test]
    fn a_read_waits_for_who_called_before_it() {
        waits_for_its_turn(&wait(open_store(Config::memory())).unwrap());
        let folder = tempfile::tempdir().unwrap();
        waits_for_its_turn(crate::blocking::open_store(Config::file(folder.path())).unwrap().inner());
    }
}
