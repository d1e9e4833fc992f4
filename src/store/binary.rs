//! Binaries: bytes as they are, without a serializer.

use bytes::Bytes;

use super::{Event, Op, Store, WriteOptions};
use crate::{
    backing::Part,
    error::{Error, ErrorKind, Result},
    key::Key,
    layout::Opened,
    meta::Kind,
};

/// Which part of a binary is wanted, in bytes, as the `slice` of JavaScript has it: what is negative counts from the
/// end, and what lies beyond is left out. The default is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: i64,
    /// The first byte that is not wanted any more; without it, up to the end.
    pub end: Option<i64>,
}

impl Span {
    /// From where to where it reaches in so many bytes.
    pub(super) fn within(self, size: u64) -> (u64, u64) {
        let place = |at: i64| match u64::try_from(at) {
            Ok(at) => at.min(size),
            Err(_) => size.saturating_sub(at.unsigned_abs()),
        };
        let start = place(self.start);
        (start, self.end.map_or(size, place).max(start))
    }
}

impl Store {
    /// Puts bytes at a key, as they are.
    pub async fn put_binary(&self, key: &Key, bytes: Bytes, options: WriteOptions) -> Result<()> {
        let put = async {
            let _pass = self.inner.gate.enter()?;
            #[cfg(all(target_arch = "wasm32", feature = "web"))]
            if options.compressor.is_none() && self.leaves_memory(bytes.len() as u64) {
                return self.stream_bytes(key, &bytes, options).await;
            }
            self.put_bytes(key, bytes, &options).await
        };
        put.await.map_err(|error: Error| error.at_key(key.as_cbor()))
    }

    /// Whether a binary of so many bytes is streamed into a browser's database, which keeps it outside of this memory then.
    /// What is compressed is not streamed.
    #[cfg(all(target_arch = "wasm32", feature = "web"))]
    fn leaves_memory(&self, len: u64) -> bool {
        let layout = &self.inner.layout;
        let large = (crate::backing::OBJECT..=layout.max_len()).contains(&len);
        large && layout.keeps_binaries() && self.inner.backing.capability().streams
    }

    pub(super) async fn put_bytes(&self, key: &Key, bytes: Bytes, options: &WriteOptions) -> Result<()> {
        let name = self.find(key).await?;
        self.put_content(name, key, Kind::Binary, bytes, options, self.binary_event(key, options)).await
    }

    /// What is told of a binary: not its bytes, which may be more than memory holds.
    pub(super) fn binary_event(&self, key: &Key, options: &WriteOptions) -> Option<Box<Event>> {
        let mut event = self.event(Op::Bassoc, std::slice::from_ref(key))?;
        if self.tells_values() {
            event.meta = options.user.clone();
        }
        Some(event)
    }

    /// The bytes at a key, or a part of them; `NOT_BINARY` where there is something else. All of them are read and
    /// checked, also for a part.
    pub async fn binary(&self, key: &Key, span: Span) -> Result<Option<Bytes>> {
        let got = async {
            if self.inner.backing.capability().streams {
                let Some(mut reader) = self.unchecked_binary(key).await? else { return Ok(None) };
                return reader.part(span).await.map(Some);
            }
            let Some(opened) = self.load(key, Part::All).await? else { return Ok(None) };
            let bytes = self.bytes_later(opened).await?;
            let (start, end) = span.within(bytes.len() as u64);
            Ok(Some(cut(&bytes, start, end)))
        };
        got.await.map_err(|error: Error| error.at_key(key.as_cbor()))
    }

    /// Checks and decompresses a binary.
    pub(super) fn bytes(&self, opened: Opened) -> Result<Bytes> {
        if opened.meta.kind != Kind::Binary {
            return Err(not_binary());
        }
        self.inner.layout.bytes(opened)
    }

    /// The same where the platform may be waited for.
    async fn bytes_later(&self, mut opened: Opened) -> Result<Bytes> {
        if opened.meta.kind != Kind::Binary || !opened.waits() {
            return self.bytes(opened);
        }
        let content = self.inner.layout.content_later(&mut opened).await?;
        self.inner.layout.bytes_of_content(&opened, content)
    }
}

/// The bytes from `start` to `end`, which are in this order and no more than there are.
pub(super) fn cut(bytes: &Bytes, start: u64, end: u64) -> Bytes {
    match (usize::try_from(start), usize::try_from(end)) {
        (Ok(start), Ok(end)) => bytes.slice(start..end),
        _ => Bytes::new(),
    }
}

pub(super) fn not_binary() -> Error {
    Error::new(ErrorKind::NotBinary, "reading a binary where something else is stored; use get")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reaches_as_far_as_a_slice_does() {
        let bytes = Bytes::from_static(b"0123456789");
        for (start, end, expected) in [
            (0, None, "0123456789"),
            (3, None, "3456789"),
            (3, Some(5), "34"),
            (-3, None, "789"),
            (-3, Some(-1), "78"),
            (5, Some(3), ""),
            (7, Some(99), "789"),
            (99, None, ""),
            (-99, Some(2), "01"),
            (0, Some(0), ""),
            (i64::MIN, Some(i64::MAX), "0123456789"),
        ] {
            let (from, to) = Span { start, end }.within(10);
            assert_eq!(cut(&bytes, from, to), expected, "{start} {end:?}");
        }
    }
}
