//! What a program would take instead. Each keeps encoded bytes by key.

mod files;
mod fjall;
mod map;
mod redb;

pub use self::{files::Files, fjall::Fjall, map::Map, redb::Redb};

/// A place for encoded bytes.
pub trait Peer: Send + Sync {
    fn put(&self, key: &str, bytes: Vec<u8>);
    /// Gives the bytes of a key to `see`.
    fn get(&self, key: &str, see: &mut dyn FnMut(&[u8]));
    /// Puts all of them; where the peer can, all or none.
    fn put_all(&self, entries: Vec<(&str, Vec<u8>)>);
    /// Adds to the end of what is kept under a name.
    fn append(&self, name: &str, at: u64, bytes: &[u8]);
    /// How many keys there are, from going through them.
    fn count(&self) -> usize;
}
