//! LZ4 frames (LZ4 Frame Format Description 1.6) around the blocks of `lz4_flex`, whose own frames bring four times the code.

use lz4_flex::block::{self, DecompressError};
use twox_hash::XxHash32;

const MAGIC: u32 = 0x184d_2204;
/// In the length of a block that is stored as it is.
const STORED: u32 = 1 << 31;
/// How far matches reach back, where blocks are linked also into those before.
const WINDOW: usize = 64 * 1024;
/// No block becomes more than so many times as long.
const MAX_RATIO: usize = 255;

/// One frame: independent blocks, no checksums, since a blob has its own.
#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
pub(super) fn compress(bytes: &[u8]) -> Vec<u8> {
    let block_size = if bytes.len() <= block_len(4) { 4 } else { 7 };
    let descriptor = [1 << 6 | 1 << 5, block_size << 4];
    let mut out = Vec::from(MAGIC.to_le_bytes());
    out.extend(descriptor);
    out.push(descriptor_check(&descriptor));
    for plain in bytes.chunks(block_len(block_size)) {
        let smaller = block::compress(plain);
        let (block, stored) = if smaller.len() < plain.len() { (&*smaller, 0) } else { (plain, STORED) };
        #[allow(clippy::cast_possible_truncation, reason = "a block has at most 4 MiB")]
        out.extend((block.len() as u32 | stored).to_le_bytes());
        out.extend(block);
    }
    out.extend([0; 4]);
    out
}

/// What one frame, and nothing after it, holds, if that is exactly so many bytes. Any frame is read: blocks linked or
/// not, with checksums or without, but no dictionary.
pub(super) fn decompress(frame: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut rest = frame;
    let descriptor = Descriptor::read(&mut rest)?;
    // The second keeps a wrong size from allocating more than the frame could hold.
    if descriptor.size.is_some_and(|declared| declared != size as u64) || size / MAX_RATIO > frame.len() {
        return None;
    }
    let mut out = vec![0; size];
    let mut len = 0;
    while let Some(block) = Block::read(&descriptor, &mut rest)? {
        let (before, space) = out.split_at_mut_checked(len)?;
        len += block.decompress(&descriptor, before, space).ok()?;
    }
    (len == size && descriptor.after(rest, &out)?.is_empty()).then_some(out)
}

/// Why a frame of unknown size is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    Damaged,
    TooLong,
}

/// What the first frame holds, at most so many bytes, whatever follows it. A frame without checksums may also end after any
/// of its blocks: writers that did not close their frames left it so.
pub(super) fn decompress_unsized(frame: &[u8], max_len: usize) -> Result<Vec<u8>, Unread> {
    let mut rest = frame;
    let descriptor = Descriptor::read(&mut rest).ok_or(Unread::Damaged)?;
    let mut out = Vec::new();
    let unclosed = |rest: &[u8]| rest.is_empty() && !descriptor.content_checksum;
    while !unclosed(rest) {
        let Some(block) = Block::read(&descriptor, &mut rest).ok_or(Unread::Damaged)? else {
            return descriptor.after(rest, &out).map(|_| out).ok_or(Unread::Damaged);
        };
        block.append(&descriptor, &mut out, max_len)?;
    }
    if descriptor.size.is_none_or(|declared| declared == out.len() as u64) { Ok(out) } else { Err(Unread::Damaged) }
}

/// What the beginning of a frame says.
struct Descriptor {
    linked: bool,
    block_checksums: bool,
    content_checksum: bool,
    block_len: usize,
    size: Option<u64>,
}

impl Descriptor {
    fn read(rest: &mut &[u8]) -> Option<Self> {
        if take_u32(rest)? != MAGIC {
            return None;
        }
        let start = *rest;
        let &[flags, block_size] = take(rest, 2)?.first_chunk()?;
        let flag = |bit: u8| flags >> bit & 1 == 1;
        // Version 1, no reserved bit, no dictionary.
        if flags >> 6 != 1 || flag(1) || flag(0) || block_size & 0x8f != 0 || block_size >> 4 < 4 {
            return None;
        }
        let size = if flag(3) { Some(u64::from_le_bytes(*take(rest, 8)?.first_chunk()?)) } else { None };
        let read = start.get(..start.len().checked_sub(rest.len())?)?;
        if *take(rest, 1)? != [descriptor_check(read)] {
            return None;
        }
        Some(Self {
            linked: !flag(5),
            block_checksums: flag(4),
            content_checksum: flag(2),
            block_len: block_len(block_size >> 4),
            size,
        })
    }

    /// What follows the frame, of which this is the rest after its end mark, if that is right for what it held.
    fn after<'a>(&self, mut rest: &'a [u8], content: &[u8]) -> Option<&'a [u8]> {
        let sound = !self.content_checksum || take_u32(&mut rest)? == XxHash32::oneshot(0, content);
        (sound && self.size.is_none_or(|size| size == content.len() as u64)).then_some(rest)
    }
}

struct Block<'a> {
    bytes: &'a [u8],
    stored: bool,
}

impl<'a> Block<'a> {
    /// `Some(None)` at the end mark.
    #[allow(clippy::option_option, reason = "damage, or the end, or a block")]
    fn read(descriptor: &Descriptor, rest: &mut &'a [u8]) -> Option<Option<Self>> {
        let len = take_u32(rest)?;
        if len == 0 {
            return Some(None);
        }
        let bytes = take(rest, usize::try_from(len & !STORED).ok()?)?;
        let sound = !descriptor.block_checksums || take_u32(rest)? == XxHash32::oneshot(0, bytes);
        (sound && bytes.len() <= descriptor.block_len).then_some(Some(Self { bytes, stored: len & STORED != 0 }))
    }

    /// Decompresses into the beginning of `space`; how far.
    fn decompress(&self, descriptor: &Descriptor, before: &[u8], space: &mut [u8]) -> Result<usize, Unread> {
        let most = space.len().min(descriptor.block_len);
        let space = space.get_mut(..most).unwrap_or_default();
        if self.stored {
            space.get_mut(..self.bytes.len()).ok_or(Unread::TooLong)?.copy_from_slice(self.bytes);
            return Ok(self.bytes.len());
        }
        let window = before.get(before.len().saturating_sub(WINDOW)..).filter(|_| descriptor.linked);
        block::decompress_into_with_dict(self.bytes, space, window.unwrap_or_default()).map_err(|error| match error {
            DecompressError::OutputTooSmall { .. } => Unread::TooLong,
            _ => Unread::Damaged,
        })
    }

    /// Decompresses to the end of `out`, which becomes no longer than `max_len`.
    fn append(&self, descriptor: &Descriptor, out: &mut Vec<u8>, max_len: usize) -> Result<(), Unread> {
        let len = out.len();
        let possible = self.bytes.len().saturating_mul(MAX_RATIO).min(descriptor.block_len);
        let space = possible.min(max_len.saturating_sub(len));
        out.resize(len + space, 0);
        let (before, after) = out.split_at_mut_checked(len).ok_or(Unread::Damaged)?;
        let added = self.decompress(descriptor, before, after).map_err(|why| match why {
            // With all the space that a block may need.
            Unread::TooLong if space == possible => Unread::Damaged,
            why => why,
        })?;
        out.truncate(len + added);
        Ok(())
    }
}

/// The longest block, before compression and after, of a block size from 4 to 7: 64 KiB to 4 MiB.
const fn block_len(block_size: u8) -> usize {
    1 << (8 + 2 * block_size)
}

/// The second byte of a descriptor's hash.
fn descriptor_check(descriptor: &[u8]) -> u8 {
    let [_, check, ..] = XxHash32::oneshot(0, descriptor).to_le_bytes();
    check
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(taken)
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    take(rest, 4)?.first_chunk().copied().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
    use proptest::prelude::*;
    use std::io::{Read, Write};

    /// A frame as the reference writes it.
    fn reference(info: FrameInfo, bytes: &[u8]) -> Vec<u8> {
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Frames with everything that a frame may have.
    fn infos(size: usize) -> impl Strategy<Value = FrameInfo> {
        let blocks = prop_oneof![
            Just(BlockSize::Max64KB),
            Just(BlockSize::Max256KB),
            Just(BlockSize::Max1MB),
            Just(BlockSize::Max4MB)
        ];
        (any::<[bool; 4]>(), blocks).prop_map(move |([linked, block_checksums, content_checksum, sized], blocks)| {
            FrameInfo::new()
                .block_mode(if linked { BlockMode::Linked } else { BlockMode::Independent })
                .block_size(blocks)
                .block_checksums(block_checksums)
                .content_checksum(content_checksum)
                .content_size(sized.then_some(size as u64))
        })
    }

    /// Bytes with repetitions near and far, and without, up to several blocks.
    fn content() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            (any::<u8>(), 0_usize..100_000).prop_map(|(byte, len)| vec![byte; len]),
            (proptest::collection::vec(any::<u8>(), 0..2000), 1_usize..60).prop_map(|(part, times)| part.repeat(times)),
        ];
        proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_reference_reads_what_is_written(bytes in content()) {
            let mut read = Vec::new();
            FrameDecoder::new(&*compress(&bytes)).read_to_end(&mut read).unwrap();
            prop_assert!(read == bytes);
            prop_assert!(decompress(&compress(&bytes), bytes.len()) == Some(bytes));
        }

        #[test]
        fn every_frame_of_the_reference_is_read((bytes, info) in content().prop_flat_map(|bytes| {
            let info = infos(bytes.len());
            (Just(bytes), info)
        })) {
            let frame = reference(info, &bytes);
            prop_assert!(decompress(&frame, bytes.len()).as_ref() == Some(&bytes));
            prop_assert_eq!(decompress(&frame, bytes.len() + 1), None);
            prop_assert!(bytes.is_empty() || decompress(&frame, bytes.len() - 1).is_none());
        }

        #[test]
        fn frames_are_read_also_where_nobody_knows_their_size((bytes, info) in content().prop_flat_map(|bytes| {
            let info = infos(bytes.len());
            (Just(bytes), info)
        })) {
            for frame in [compress(&bytes), reference(info.clone(), &bytes)] {
                prop_assert!(decompress_unsized(&frame, bytes.len()).as_ref() == Ok(&bytes));
                prop_assert!(decompress_unsized(&frame, bytes.len() + 9).as_ref() == Ok(&bytes));
                prop_assert!(bytes.is_empty() || decompress_unsized(&frame, bytes.len() - 1) == Err(Unread::TooLong));
                prop_assert!(decompress_unsized(&[&*frame, b"tail"].concat(), bytes.len()).as_ref() == Ok(&bytes));
            }
        }

        #[test]
        fn damage_is_never_taken_for_another_value(
            bytes in proptest::collection::vec(0_u8..4, 1..3000), at in any::<prop::sample::Index>(), flip in 1_u8..,
        ) {
            let info = FrameInfo::new().block_checksums(true).content_checksum(true);
            let sound = reference(info, &bytes);
            let mut frame = sound.clone();
            frame[at.index(sound.len())] ^= flip;
            prop_assert!(decompress(&frame, bytes.len()).is_none_or(|read| read == bytes));
            prop_assert_eq!(decompress(&sound[..at.index(sound.len())], bytes.len()), None);
            prop_assert_eq!(decompress(&[&*sound, &[0]].concat(), bytes.len()), None);
        }

        #[test]
        fn garbage_is_refused(garbage in proptest::collection::vec(any::<u8>(), 0..300), size in 0_usize..1000) {
            prop_assert_eq!(decompress(&garbage, size), None);
            let frame = [&MAGIC.to_le_bytes()[..], &[0x60, 0x40, 0x82], &garbage, &[0; 4]].concat();
            // It may mean something by chance, then of the size that was asked for.
            prop_assert!(decompress(&frame, size).is_none_or(|read| read.len() == size));
        }
    }

    #[test]
    fn a_frame_that_was_not_closed_is_read_between_its_blocks() {
        let bytes: Vec<u8> = (0..5_000_000_u32).flat_map(|n| (n / 3).to_le_bytes()).take(5_000_000).collect();
        let frame = compress(&bytes);
        let open = &frame[..frame.len() - 4];
        assert_eq!(decompress_unsized(open, 5_000_000).unwrap(), bytes);
        assert_eq!(decompress_unsized(open, 4_999_999), Err(Unread::TooLong));
        let first = 4 + usize::try_from(u32::from_le_bytes(*frame[7..].first_chunk().unwrap())).unwrap();
        assert_eq!(decompress_unsized(&frame[..7 + first], 5_000_000).unwrap(), bytes[..4 << 20]);
        assert_eq!(decompress_unsized(&frame[..7], 0), Ok(Vec::new()));
        for cut in [0, 3, 6, 8, 10, 12, 6 + first, 8 + first, open.len() - 1, open.len() + 1, open.len() + 3] {
            assert_eq!(decompress_unsized(&frame[..cut], 5_000_000), Err(Unread::Damaged), "{cut}");
        }
    }

    #[test]
    fn a_frame_that_promises_a_checksum_or_a_size_keeps_it() {
        let text = [7; 1000];
        let summed = reference(FrameInfo::new().content_checksum(true), &text);
        assert_eq!(decompress_unsized(&summed, 1000).unwrap(), text);
        assert_eq!(decompress_unsized(&summed[..summed.len() - 8], 1000), Err(Unread::Damaged));
        let sized = reference(FrameInfo::new().content_size(Some(1000)), &text);
        assert_eq!(decompress_unsized(&sized[..sized.len() - 4], 1000).unwrap(), text);
        let head = 4 + 2 + 8 + 1;
        assert_eq!(decompress_unsized(&sized[..head], 1000), Err(Unread::Damaged));
    }

    #[test]
    fn a_wrong_size_allocates_nothing() {
        assert_eq!(decompress(&compress(b"abc"), usize::MAX / 2), None);
    }

    #[test]
    fn other_kinds_of_frames_are_refused() {
        let sound = compress(&[7; 1000]);
        assert_eq!(decompress(&sound, 1000), Some(vec![7; 1000]));
        // Legacy, skippable.
        for magic in [0x184c_2102_u32, 0x184d_2a50] {
            assert_eq!(decompress(&[&magic.to_le_bytes()[..], &sound[4..]].concat(), 1000), None);
        }
        // Another version, a reserved bit, a dictionary, block sizes that do not exist.
        for (flags, block_size) in [(0x20, 0x40), (0xa0, 0x40), (0x62, 0x40), (0x61, 0x40), (0x60, 0x30), (0x60, 0xc0)]
        {
            let descriptor = [flags, block_size];
            let head = [&MAGIC.to_le_bytes()[..], &descriptor, &[descriptor_check(&descriptor)]].concat();
            assert_eq!(decompress(&[&*head, &sound[7..]].concat(), 1000), None, "{flags:x} {block_size:x}");
        }
        // Two frames.
        assert_eq!(decompress(&sound.repeat(2), 2000), None);
        // Without its end mark.
        assert_eq!(decompress(&sound[..sound.len() - 4], 1000), None);
    }
}
