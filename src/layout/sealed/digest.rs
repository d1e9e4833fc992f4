//! The digest of a value section.

/// The digest of a value section that comes in pieces.
#[derive(Clone, Debug, Default)]
pub struct Digest(blake3::Hasher);

impl Digest {
    /// Of a section that is at hand.
    pub fn of(section: &[u8]) -> [u8; 32] {
        *blake3::hash(section).as_bytes()
    }

    /// Adds a piece.
    pub fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of what was added.
    pub fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}
