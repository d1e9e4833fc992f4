//! Where blobs are kept.
//!
//! A backing stores whole blobs under 16-byte names. It is stateless towards its caller, knows nothing of
//! values, keys or codecs, and makes each of its operations atomic.

mod file;
#[cfg(all(target_arch = "wasm32", feature = "web"))]
mod indexeddb;
mod memory;
#[cfg(all(target_arch = "wasm32", feature = "node"))]
mod node_fs;
#[cfg(target_arch = "wasm32")]
mod object;
#[cfg(not(target_arch = "wasm32"))]
mod off_thread;
mod stream;
#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
mod tiered;

use bytes::Bytes;

#[cfg(not(target_arch = "wasm32"))]
pub use file::StdFs;
pub use file::{Access, Fault, FilePlace, Fs, FsError, FsFile, FsFut, Kind, Process};
#[cfg(all(target_arch = "wasm32", feature = "web"))]
pub use indexeddb::{Durability, IndexedDbPlace, OBJECT};
pub use memory::{MemoryBacking, MemoryPlace};
#[cfg(all(target_arch = "wasm32", feature = "node"))]
pub use node_fs::{NodeFiles, NodeFs};
#[cfg(target_arch = "wasm32")]
pub use object::ObjectPlace;
#[cfg(not(target_arch = "wasm32"))]
pub use off_thread::OffThread;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use off_thread::off_thread;
pub use stream::{BlobReader, BlobWriter};
#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
pub(crate) use tiered::{CachePlace, OnError, TierOptions, TierSync, TieredPlace};
#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
pub use tiered::{ReadPolicy, WritePolicy};

use crate::{
    env::{BoxFut, MaybeSend, MaybeSync},
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

/// One stored blob: `head ‖ value`, where the head is the header and the meta section.
///
/// A blob that was cut short may be all head: the layout finds out, a backing does not look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob {
    /// Header and meta section.
    pub head: Bytes,
    /// Value section; empty where only the head was asked for.
    pub value: Bytes,
}

impl Blob {
    /// Splits a whole blob by the length of the meta section that its header declares.
    /// What is too short for its own declaration is all head.
    pub fn split(mut whole: Bytes) -> Self {
        let value = match Self::head_len(&whole) {
            Some(len) if len <= whole.len() => whole.split_off(len),
            _ => Bytes::new(),
        };
        Self { head: whole, value }
    }

    /// How long the head is that these first bytes begin, from bytes 4–7; `None` with fewer than 20 bytes. In konserve's
    /// layout (byte 0 is 1) there are older headers, too: of 8 bytes, and with the length in byte 4 alone.
    pub fn head_len(start: &[u8]) -> Option<usize> {
        let header = start.first_chunk::<20>()?;
        let [version, _, _, _, a, b, c, d, rest @ ..] = header;
        let (header_len, len) = match (version, [*a, *b, *c, *d]) {
            (1, _) if rest.iter().any(|byte| *byte != 0) => (8, u32::from_be_bytes([*a, *b, *c, *d])),
            (1, [len, 0, 0, 0]) if len != 0 => (20, len.into()),
            (_, len) => (20, u32::from_be_bytes(len)),
        };
        usize::try_from(len).ok()?.checked_add(header_len)
    }

    /// The check of the head, that tells one state of a name from another.
    pub fn check(&self) -> Option<Check> {
        Self::check_of(&self.head)
    }

    /// The check of this head: bytes 8–19, or where these are zero, as in konserve's layout, a hash of all of it.
    pub fn check_of(head: &[u8]) -> Option<Check> {
        let check: Check = head.get(8..20)?.try_into().ok()?;
        if check == Check::default() { blake3::hash(head).as_bytes().first_chunk().copied() } else { Some(check) }
    }
}

/// See [`Blob::check_of`].
pub type Check = [u8; 12];

/// Which of the two places of the store's record. A store that could not be read without it has it in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordCopy {
    /// `konserve.store`.
    First,
    /// `konserve.store-copy`.
    Second,
}

/// How much of a blob is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Header and meta only: the value is not loaded.
    Head,
    /// Everything.
    All,
}

/// What is to become of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// As it was.
    Keep,
    /// This blob, whether or not there was one.
    Put(Blob),
    /// Nothing; deleting what is not there succeeds.
    Delete,
}

/// What a name must hold for a commit to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Anything.
    Anything,
    /// Nothing.
    Absent,
    /// A blob with this check.
    Check(Check),
}

/// One part of a commit.
#[derive(Clone, Debug)]
pub struct Write {
    /// Which blob.
    pub name: BlobName,
    /// What becomes of it.
    pub change: Change,
    /// What it must be before.
    pub expect: Expect,
}

/// How a commit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it happened; for each write in order, `false` if it was a delete of nothing.
    Done(Vec<bool>),
    /// Nothing happened: this name did not hold what was expected.
    Conflict(BlobName),
}

/// What a backing can do. The compliance suite skips by this alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "a list of facts, each on its own")]
pub struct Capability {
    /// Operations on one name happen in the order of the calls, before the futures are polled.
    pub ordered: bool,
    /// Every future is ready at its first poll, so the synchronous view works.
    pub immediate: bool,
    /// A commit of several writes is all or nothing, also in a crash.
    pub atomic_batches: bool,
    /// Other processes, tabs or connections may write at the same time.
    pub shared: bool,
    /// What was acknowledged is still there after the process ended.
    pub persistent: bool,
    /// Blobs are written and read piece by piece; without, whoever has more than fits into memory cannot keep it here.
    pub streams: bool,
    /// Reads may be answered by copies: what others write is seen once they are [invalidated](Backing::invalidate).
    pub copies: bool,
}

impl Capability {
    /// Nothing beyond the contract of the trait.
    pub const NONE: Self = Self {
        ordered: false,
        immediate: false,
        atomic_batches: false,
        shared: false,
        persistent: false,
        streams: false,
        copies: false,
    };
}

/// The function of an [`update`](Backing::update): sees the blob as it is, says what becomes of it.
#[cfg(not(target_arch = "wasm32"))]
pub type UpdateFn = Box<dyn FnMut(Option<&Blob>) -> Result<Change> + Send>;
/// The function of an [`update`](Backing::update): sees the blob as it is, says what becomes of it.
#[cfg(target_arch = "wasm32")]
pub type UpdateFn = Box<dyn FnMut(Option<&Blob>) -> Result<Change>>;

/// Says of a blob whether it is damaged, for [`set_aside`](Backing::set_aside).
#[cfg(not(target_arch = "wasm32"))]
pub type JudgeFn = Box<dyn FnMut(&Blob) -> bool + Send>;
/// Says of a blob whether it is damaged, for [`set_aside`](Backing::set_aside).
#[cfg(target_arch = "wasm32")]
pub type JudgeFn = Box<dyn FnMut(&Blob) -> bool>;

/// A place for blobs. See the module's documentation; each method says what absence, repetition and concurrency mean.
pub trait Backing: MaybeSend + MaybeSync + 'static {
    /// What this backing can do; the same at every call.
    fn capability(&self) -> Capability;

    /// The blobs of these names, in the order asked for. Absent is `None`, and creates nothing.
    /// Each blob is one that was put whole, never a mixture of two.
    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>>;

    /// The blob of one name, as [`read`](Self::read), where this thread can have it without waiting for anybody; `None` where
    /// it cannot, or not now.
    #[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
    fn read_now(&self, _name: BlobName, _part: Part) -> Option<Result<Option<Blob>>> {
        None
    }

    /// All of these writes, or none. Names are distinct. Acknowledged means durable, as far as the backing was asked to be.
    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>>;

    /// Reads, asks `f`, writes, with nobody else's write to that name in between. `f` may be called again if the
    /// backing has to try again; only the last answer counts. An error of `f` changes nothing and is returned.
    /// With [`Part::Head`] the blob that `f` sees has no value.
    fn update(&self, name: BlobName, part: Part, f: UpdateFn) -> BoxFut<'static, Result<()>>;

    /// Takes a blob out of its name, if it is there and `is_damaged` says so of its bytes; says whether it was. It is kept
    /// where a user can find it, in the place of an earlier one of that name. Nobody else's write to that name comes in
    /// between. `is_damaged` may be asked again; only the last answer counts. A backing that keeps no such place is
    /// `UNSUPPORTED`: the store works, but cannot be repaired, and the compliance suite says so.
    fn set_aside(&self, _name: BlobName, _is_damaged: JudgeFn) -> BoxFut<'static, Result<bool>> {
        Box::pin(std::future::ready(Err(Error::new(
            ErrorKind::Unsupported,
            "this backing cannot set damaged blobs aside; delete their keys instead",
        ))))
    }

    /// The heads of all blobs, by ascending name, in pages. What is written or deleted meanwhile may or may not show.
    fn heads(&self) -> Box<dyn Heads>;

    /// A copy of the store's record, if it is there.
    fn record(&self, copy: RecordCopy) -> BoxFut<'static, Result<Option<Bytes>>>;

    /// Puts a copy of the store's record if what is there is this, or nothing; says whether it did.
    fn put_record(&self, copy: RecordCopy, there: Option<Bytes>, record: Bytes) -> BoxFut<'static, Result<bool>>;

    /// Begins a blob that is written piece by piece, with a head of this length. Called only with
    /// [`Capability::streams`]. Several may be under way for one name: the last to be finished stays.
    fn write_stream(&self, _name: BlobName, _head_len: usize) -> BoxFut<'static, Result<Box<dyn BlobWriter>>> {
        Box::pin(std::future::ready(Err(no_streams())))
    }

    /// Opens a blob that is read piece by piece; `None` if there is none. Called only with [`Capability::streams`].
    fn read_stream(&self, _name: BlobName) -> BoxFut<'static, Result<Option<Box<dyn BlobReader>>>> {
        Box::pin(std::future::ready(Err(no_streams())))
    }

    /// Waits until all that was acknowledged is where it belongs. Nothing to do but where writes wait in a queue.
    fn flush(&self) -> BoxFut<'static, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Forgets the copies of these blobs, or of all, since they may not be what is stored any more. From this call on none
    /// of them is read. Nothing to do but where there are copies.
    fn invalidate(&self, _names: Option<Vec<BlobName>>) -> BoxFut<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Copies these blobs, as far as they are missing there, to where reads look first. Nothing to do but where there are
    /// copies.
    fn pull(&self, _names: Vec<BlobName>) -> BoxFut<'static, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Whether nobody else in this process has the same open: what [`Capability::shared`] does not tell.
    fn is_alone(&self) -> bool {
        true
    }

    /// Finishes what is under way and gives locks and handles back. Called once, last.
    fn close(&self) -> BoxFut<'static, Result<()>>;
}

fn no_streams() -> Error {
    Error::new(ErrorKind::Unsupported, "this backing takes only whole blobs; see its capability")
}

/// The pages of [`Backing::heads`].
pub trait Heads: MaybeSend {
    /// The next heads; `None` after the last. A name whose head cannot be read is an error of its own in the page.
    fn next(&mut self) -> BoxFut<'_, Result<Option<HeadPage>>>;
}

/// Names and heads, ascending.
pub type HeadPage = Vec<(BlobName, Result<Bytes>)>;

/// Where a store is or may be: a folder, a database, a name in memory.
pub trait Place: MaybeSend + MaybeSync + 'static {
    /// Whether a store is there: a record, or blobs whose record was lost. Takes no lock and changes nothing.
    fn exists(&self) -> BoxFut<'static, Result<bool>>;

    /// Opens the backing. With `create` what is needed is made (folders, a database); without it `STORE_NOT_FOUND`
    /// is the answer to an empty place. Whether the record is there is the caller's question.
    fn open(&self, create: bool) -> BoxFut<'static, Result<std::sync::Arc<dyn Backing>>>;

    /// The same place for stores that have no record, as those of Clojure's konserve: where there is a folder, there is a
    /// store. `None` where there is nothing like a folder, and an empty store is none.
    fn without_record(&self) -> Option<std::sync::Arc<dyn Place>> {
        None
    }

    /// Whether what is done there makes the thread wait for a disk: then an asynchronous store has it done by others.
    fn blocks(&self) -> bool {
        false
    }

    /// The same place with those of its parts that [block](Self::blocks) run by others, where it has parts.
    #[cfg(not(target_arch = "wasm32"))]
    fn off_thread(&self) -> Option<std::sync::Arc<dyn Place>> {
        None
    }

    /// Deletes the store and everything of ours in its place; nothing there is no error, and foreign files stay.
    fn destroy(&self) -> BoxFut<'static, Result<()>>;
}
