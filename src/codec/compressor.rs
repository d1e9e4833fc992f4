//! Compressors of value sections: exactly one frame, of exactly the size that the metadata says.

use bytes::Bytes;

use super::lz4;
use crate::error::{Error, ErrorKind, Result};

/// Which compressor a value goes through, header byte 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compressor {
    /// None.
    #[default]
    None,
    /// LZ4 frame format.
    Lz4,
    /// Zstandard (RFC 8878), window at most 8 MiB; read only.
    #[cfg(feature = "zstd")]
    Zstd,
}

impl Compressor {
    /// Header byte 2.
    pub const fn id(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Lz4 => 1,
            #[cfg(feature = "zstd")]
            Self::Zstd => 2,
        }
    }

    /// The compressor of header byte 2, where this build has it.
    pub const fn from_id(id: u8) -> Option<Self> {
        match id {
            0 => Some(Self::None),
            1 => Some(Self::Lz4),
            #[cfg(feature = "zstd")]
            2 => Some(Self::Zstd),
            _ => None,
        }
    }

    /// `UNSUPPORTED` in the lean module, which reads lz4 and does not write it: the full one takes over.
    pub fn check_writes(self) -> Result<()> {
        if self == Self::Lz4 { lz4_compress(&[]).map(drop) } else { Ok(()) }
    }

    /// The compressed bytes, or `None` where they would not be fewer.
    pub fn compress(self, bytes: &[u8]) -> Result<Option<Bytes>> {
        let compressed = match self {
            Self::None => return Ok(None),
            Self::Lz4 => lz4_compress(bytes)?,
            #[cfg(feature = "zstd")]
            Self::Zstd => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "this version reads zstd and does not write it; use lz4",
                ));
            }
        };
        Ok((compressed.len() < bytes.len()).then(|| compressed.into()))
    }

    /// The bytes before compression, which must be exactly `size`. Never holds more than that.
    pub fn decompress(self, bytes: Bytes, size: u64) -> Result<Bytes> {
        let decompressed = match self {
            Self::None => Some(bytes),
            Self::Lz4 => usize::try_from(size).ok().and_then(|size| lz4::decompress(&bytes, size)).map(Bytes::from),
            #[cfg(feature = "zstd")]
            Self::Zstd => zstd_decompress(&bytes, size).map(Bytes::from),
        };
        decompressed
            .filter(|bytes| bytes.len() as u64 == size)
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "a stored value does not decompress to what was written"))
    }
}

#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
#[allow(clippy::unnecessary_wraps, reason = "the lean module has no other answer")]
fn lz4_compress(bytes: &[u8]) -> Result<Vec<u8>> {
    Ok(lz4::compress(bytes))
}

#[cfg(all(target_arch = "wasm32", not(feature = "full")))]
fn lz4_compress(_: &[u8]) -> Result<Vec<u8>> {
    Err(Error::new(ErrorKind::Unsupported, "writing lz4 needs the full module"))
}

#[cfg(feature = "zstd")]
fn zstd_decompress(frame: &[u8], size: u64) -> Option<Vec<u8>> {
    use std::io::Read;

    const MAX_WINDOW_LEN: u64 = 8 * 1024 * 1024;
    let mut left = frame;
    let mut decoder = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(&mut left, MAX_WINDOW_LEN).ok()?;
    let mut out = Vec::new();
    // One byte more than is allowed, to notice it.
    (&mut decoder).take(size.saturating_add(1)).read_to_end(&mut out).ok()?;
    let finished = decoder.decoder.is_finished();
    (finished && left.is_empty()).then_some(out)
}
