//! Reading: `get`, `get_in`, `exists`, `get_meta`.

use bytes::Bytes;

use super::{Mode, Store, log};
use crate::{
    backing::{Blob, Part},
    cbor,
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
            let Some(opened) = self.load(&path.key, Part::All).await? else { return Ok(None) };
            log::refuse(&opened.meta)?;
            let whole = self.decode_later(opened).await?;
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
        let key = key.clone();
        Box::pin(async move {
            let _pass = self.inner.gate.enter()?;
            let name = self.find(&key).await?;
            let held = self.lock(name, Mode::Shared).await;
            let reading = self.inner.backing.read(vec![name], part);
            let _kept = self.keep(held);
            let blob = reading.await?.into_iter().next().flatten();
            blob.map_or(Ok(None), |blob| self.open(name, Some(&key), blob))
        })
    }

    /// Opens the head of a blob; `None` once it has expired.
    pub(super) fn open(&self, name: BlobName, key: Option<&Key>, blob: Blob) -> Result<Option<Opened>> {
        let opened = self.inner.layout.open(name, key, blob)?;
        if opened.meta.kind == Kind::Log {
            self.inner.logs.learn(name);
        }
        let alive = !opened.meta.is_expired(self.now());
        Ok(alive.then_some(opened))
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

    /// The same where the platform may be waited for.
    async fn decode_later(&self, mut opened: Opened) -> Result<Bytes> {
        if !opened.waits() {
            return self.decode(opened);
        }
        let content = self.inner.layout.content_later(&mut opened).await?;
        self.inner.layout.decode_content(opened, content)
    }
}
