//! Compressors of value sections: exactly one frame, of exactly the size that the metadata says.

use bytes::Bytes;

use super::{
    lz4::{self, Unread},
    too_long,
};
use crate::error::{Error, ErrorKind, Result};

/// Which compressor a value goes through, header byte 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compressor {
    /// None.
    #[default]
    None,
    /// LZ4 frame format.
    Lz4,
    /// Zstandard (RFC 8878), window at most 8 MiB; written quickly, as zstd's level 1 does.
    #[cfg(feature = "zstd")]
    Zstd,
}

/// Less is not compressed, in bytes: a frame and its header cost as much as there is to gain.
const LEAST: usize = 64;
/// From here on a sample is tried first, in bytes.
const LARGE: usize = 64 * 1024;
/// That sample, in bytes.
const SAMPLE: usize = 4096;

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

    /// The bytes as one frame, whether or not that is smaller.
    #[cfg(feature = "clojure")]
    pub fn frame(self, bytes: Bytes) -> Result<Bytes> {
        Ok(match self {
            Self::None => bytes,
            Self::Lz4 => lz4_compress(&bytes)?.into(),
            #[cfg(feature = "zstd")]
            Self::Zstd => zstd_compress(&bytes).into(),
        })
    }

    /// The compressed bytes, or `None` where it does not pay: of less than 64 bytes; where 4 KiB from the middle of 64 KiB or
    /// more do not lose a sixteenth; and where all together is not fewer.
    pub fn compress(self, bytes: &[u8]) -> Result<Option<Bytes>> {
        if self == Self::None || bytes.len() < LEAST {
            return Ok(None);
        }
        if bytes.len() >= LARGE {
            let middle = bytes.get(bytes.len() / 2..).and_then(|rest| rest.get(..SAMPLE)).unwrap_or(bytes);
            if self.write(middle)?.len() > SAMPLE - SAMPLE / 16 {
                return Ok(None);
            }
        }
        let compressed = self.write(bytes)?;
        Ok((compressed.len() < bytes.len()).then(|| compressed.into()))
    }

    /// One frame.
    fn write(self, bytes: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::None => Ok(bytes.to_vec()),
            Self::Lz4 => lz4_compress(bytes),
            #[cfg(feature = "zstd")]
            Self::Zstd => Ok(zstd_compress(bytes)),
        }
    }

    /// The bytes before compression, which must be exactly `size`. Never holds more than that.
    pub fn decompress(self, bytes: Bytes, size: u64) -> Result<Bytes> {
        let decompressed = match self {
            Self::None => Some(bytes),
            Self::Lz4 => usize::try_from(size).ok().and_then(|size| lz4::decompress(&bytes, size)).map(Bytes::from),
            #[cfg(feature = "zstd")]
            Self::Zstd => match zstd_decompress(&bytes, size) {
                Ok((read, [])) => Some(read.into()),
                Err(ZstdUnread::Window) => return Err(too_wide()),
                _ => None,
            },
        };
        decompressed
            .filter(|bytes| bytes.len() as u64 == size)
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "a stored value does not decompress to what was written"))
    }

    /// The bytes before compression, where nobody knows how many they are. More than `max_len` is `LIMIT_EXCEEDED`, and never
    /// held. What follows the first frame, such as the rest of a longer value that was there before, is ignored. An LZ4
    /// frame may lack its end mark.
    pub fn decompress_unsized(self, bytes: Bytes, max_len: u64) -> Result<Bytes> {
        let max = usize::try_from(max_len).unwrap_or(usize::MAX);
        let decompressed = match self {
            Self::None if bytes.len() > max => Err(Unread::TooLong),
            Self::None => Ok(bytes),
            Self::Lz4 => lz4::decompress_unsized(&bytes, max).map(Bytes::from),
            #[cfg(feature = "zstd")]
            Self::Zstd => match zstd_decompress(&bytes, max_len) {
                Ok((read, _)) => Ok(read.into()),
                Err(ZstdUnread::Window) => return Err(too_wide()),
                Err(ZstdUnread::Other(why)) => Err(why),
            },
        };
        decompressed.map_err(|why| match why {
            Unread::TooLong => too_long(max_len.saturating_add(1), max_len),
            Unread::Damaged => Error::new(ErrorKind::Corrupt, "a stored value does not decompress"),
        })
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
fn zstd_compress(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Why a frame is not read.
#[cfg(feature = "zstd")]
enum ZstdUnread {
    /// It needs a window of more than 8 MiB.
    Window,
    Other(Unread),
}

#[cfg(feature = "zstd")]
fn too_wide() -> Error {
    Error::new(ErrorKind::LimitExceeded, "a stored value needs a zstd window of more than 8 MiB; compress it with less")
}

/// What the first frame holds, at most so many bytes, and what follows it.
#[cfg(feature = "zstd")]
fn zstd_decompress(frame: &[u8], max_len: u64) -> Result<(Vec<u8>, &[u8]), ZstdUnread> {
    use std::io::Read;

    const DAMAGED: ZstdUnread = ZstdUnread::Other(Unread::Damaged);
    const MAX_WINDOW_LEN: u64 = 8 * 1024 * 1024;
    let mut left = frame;
    let mut decoder = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(&mut left, MAX_WINDOW_LEN)
        .map_err(|error| if is_window(&error) { ZstdUnread::Window } else { DAMAGED })?;
    let mut out = Vec::new();
    // One byte more than is allowed, to notice it.
    (&mut decoder).take(max_len.saturating_add(1)).read_to_end(&mut out).map_err(|_| DAMAGED)?;
    if out.len() as u64 > max_len {
        return Err(ZstdUnread::Other(Unread::TooLong));
    }
    let finished = decoder.decoder.is_finished();
    if finished { Ok((out, left)) } else { Err(DAMAGED) }
}

#[cfg(feature = "zstd")]
fn is_window(error: &ruzstd::decoding::errors::FrameDecoderError) -> bool {
    use ruzstd::decoding::errors::{FrameDecoderError, FrameHeaderError};
    matches!(
        error,
        FrameDecoderError::WindowSizeTooBig { .. }
            | FrameDecoderError::FrameHeaderError(FrameHeaderError::WindowTooBig { .. })
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts that repeat themselves, and noise.
    fn content() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            (proptest::collection::vec(any::<u8>(), 0..200), 1_usize..2000)
                .prop_map(|(part, times)| part.repeat(times)),
            proptest::collection::vec(0_u8..4, 0..300_000),
            proptest::collection::vec(any::<u8>(), 0..300_000),
        ]
    }

    fn all() -> Vec<Compressor> {
        let ids = 0..=u8::MAX;
        ids.filter_map(Compressor::from_id).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_compressed_is_read_with_its_size_and_without(bytes in content()) {
            let len = bytes.len() as u64;
            for compressor in all() {
                let Some(smaller) = compressor.compress(&bytes).unwrap() else { continue };
                prop_assert_eq!(&compressor.decompress(smaller.clone(), len).unwrap(), &bytes);
                prop_assert_eq!(&compressor.decompress_unsized(smaller.clone(), len).unwrap(), &bytes);
                prop_assert_eq!(&compressor.decompress_unsized(smaller.clone(), u64::MAX).unwrap(), &bytes);
                let error = compressor.decompress_unsized(smaller, len - 1).unwrap_err();
                prop_assert_eq!(error.kind(), ErrorKind::LimitExceeded);
            }
        }

        #[test]
        fn any_bytes_are_decompressed_or_refused(bytes: Vec<u8>) {
            for compressor in all() {
                if let Ok(read) = compressor.decompress_unsized(bytes.clone().into(), 1000) {
                    prop_assert!(read.len() <= 1000);
                }
            }
        }
    }

    #[test]
    fn what_is_not_one_whole_frame_is_corrupt_and_a_tail_is_so_only_where_the_size_is_known() {
        for compressor in all().into_iter().filter(|compressor| *compressor != Compressor::None) {
            let frame = compressor.compress(&[7; 10_000]).unwrap().unwrap();
            for bytes in [&frame[..frame.len() - 1], &frame[..3], &[]] {
                let error = compressor.decompress_unsized(Bytes::copy_from_slice(bytes), 1 << 20).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{compressor:?}");
            }
            for bytes in [[&*frame, &[0]].concat(), frame.repeat(2)] {
                let bytes = Bytes::from(bytes);
                assert_eq!(compressor.decompress_unsized(bytes.clone(), 10_000).unwrap(), [7; 10_000][..]);
                let error = compressor.decompress(bytes, 10_000).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{compressor:?}");
            }
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_bursts() {
        for compressor in all().into_iter().filter(|compressor| *compressor != Compressor::None) {
            let bomb = compressor.compress(&vec![0; 50 << 20]).unwrap().unwrap();
            assert!(bomb.len() < 1 << 20);
            let error = compressor.decompress_unsized(bomb, 1 << 20).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{compressor:?}");
        }
    }
}
