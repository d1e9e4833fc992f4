//! Reading: `get`, `get_in`, `exists`, `get_meta`.

use bytes::Bytes;

use super::{Mode, Store, log};
use crate::{
    backing::{Blob, Part},
    cbor,
    env::BoxFut,
    error::Result,
    key::{Key, Path},
    layout::{self, Codecs},
    meta::{Kind, Meta},
    name::BlobName,
};

/// A blob that was found undamaged and has not expired.
pub(super) struct Opened {
    pub(super) name: BlobName,
    pub(super) codecs: Codecs,
    pub(super) meta: Meta,
    /// Still encoded; empty where only the head was read.
    pub(super) section: Bytes,
}

impl Store {
    /// The value at a path as CBOR; `None` wherever the path ends early. A log is `INVALID_PATH`: it has no value.
    pub async fn get_cbor(&self, path: &Path) -> Result<Option<Bytes>> {
        let got = async {
            let Some(opened) = self.load(&path.key, Part::All).await? else { return Ok(None) };
            log::refuse(&opened.meta)?;
            let whole = self.decode(opened)?;
            let steps: Vec<&[u8]> = path.steps.iter().map(Bytes::as_ref).collect();
            Ok(cbor::path::get(&whole, &steps)?.map(|part| whole.slice_ref(part)))
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

    pub(super) fn load(&self, key: &Key, part: Part) -> BoxFut<'_, Result<Option<Opened>>> {
        let (name, key) = (key.name(), key.clone());
        Box::pin(async move {
            let _pass = self.inner.gate.enter()?;
            let held = self.lock(name, Mode::Shared).await;
            let reading = self.inner.backing.read(vec![name], part);
            let _kept = self.keep(held);
            let blob = reading.await?.into_iter().next().flatten();
            blob.map_or(Ok(None), |blob| self.open(name, Some(&key), blob))
        })
    }

    /// Opens the head of a blob; `None` once it has expired.
    pub(super) fn open(&self, name: BlobName, key: Option<&Key>, blob: Blob) -> Result<Option<Opened>> {
        let (codecs, meta) = layout::open(name, key, &blob.head)?;
        if meta.kind == Kind::Log {
            self.inner.logs.learn(name);
        }
        let alive = !meta.is_expired(self.now());
        Ok(alive.then_some(Opened { name, codecs, meta, section: blob.value }))
    }

    /// The value of a blob; `None` once it has expired.
    pub(super) fn value(&self, name: BlobName, key: &Key, blob: Blob) -> Result<Option<Bytes>> {
        let opened = self.open(name, Some(key), blob)?;
        opened.map(|opened| self.decode(opened)).transpose()
    }

    /// Checks a whole blob, expired or not, and decodes its value.
    pub(super) fn check(&self, name: BlobName, blob: Blob) -> Result<(Meta, Bytes)> {
        let (codecs, meta) = layout::open(name, None, &blob.head)?;
        let decoded = self.decode(Opened { name, codecs, meta: meta.clone(), section: blob.value });
        decoded.map_err(|error| error.at_key(meta.key.as_cbor())).map(|value| (meta, value))
    }

    /// Checks what is stored in a whole blob. No serializer of the application's own is called: what these cannot read is
    /// as it was written.
    pub(super) fn check_stored(&self, name: BlobName, blob: Blob) -> Result<()> {
        let (codecs, meta) = layout::open(name, None, &blob.head)?;
        layout::open_value(name, &meta, &blob.value)?;
        self.inner.codec.check(meta.kind, codecs, meta.size, blob.value)
    }

    /// Checks and decodes the value of a blob.
    pub(super) fn decode(&self, opened: Opened) -> Result<Bytes> {
        let Opened { name, codecs, meta, section } = opened;
        layout::open_value(name, &meta, &section)?;
        self.inner.codec.decode(meta.kind, codecs, meta.size, section)
    }
}
