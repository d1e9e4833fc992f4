//! Blobs that are larger than memory: written and read piece by piece.

use bytes::Bytes;

use crate::{
    env::{BoxFut, MaybeSend},
    error::Result,
};

/// A blob on its way into a backing. Nobody sees anything of it before [`finish`](Self::finish), and nothing stays of one
/// that is dropped before.
pub trait BlobWriter: MaybeSend {
    /// Adds bytes to the value section. After an error the blob can only be given up.
    fn write(&mut self, bytes: Bytes) -> BoxFut<'_, Result<()>>;

    /// Makes durable what was written so far, as far as the backing was asked to: then `finish` has little left to do.
    fn sync(&mut self) -> BoxFut<'_, Result<()>>;

    /// Puts the blob with this head, of the length that was announced, in place of what its name holds.
    /// Acknowledged means durable, as with a commit. After an error the name holds what it held before, or this blob,
    /// and nothing else is left behind.
    fn finish(self: Box<Self>, head: Bytes) -> BoxFut<'static, Result<()>>;

    /// Gives the blob up, and clears it away.
    fn abort(self: Box<Self>) -> BoxFut<'static, Result<()>>;
}

/// One state of a blob, which stays readable when the blob is replaced or deleted meanwhile.
pub trait BlobReader: MaybeSend {
    /// Header and meta section. Of a blob that was cut short, all there is.
    fn head(&self) -> Bytes;

    /// The length of the value section.
    fn value_len(&self) -> u64;

    /// So many bytes of the value section from this one on; fewer only where it ends.
    fn read(&mut self, at: u64, len: usize) -> BoxFut<'_, Result<Bytes>>;

    /// The value section as an object from which JavaScript reads by itself, and which never changes.
    #[cfg(target_arch = "wasm32")]
    fn object(&self) -> Option<wasm_bindgen::JsValue> {
        None
    }
}
