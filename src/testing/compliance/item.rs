//! CBOR items in few words.

use bytes::Bytes;

use crate::{
    cbor::{Writer, tag},
    error::Result,
    key::{Key, Path},
};

fn written(write: impl FnOnce(&mut Writer)) -> Bytes {
    let mut writer = Writer::new();
    write(&mut writer);
    writer.finish().into()
}

pub(super) fn text(text: &str) -> Bytes {
    written(|out| out.text(text))
}

pub(super) fn int(n: i64) -> Bytes {
    written(|out| out.int(n))
}

pub(super) fn positive(n: u64) -> Bytes {
    written(|out| out.positive(n))
}

pub(super) fn float(n: f64) -> Bytes {
    written(|out| out.float(n))
}

pub(super) fn boolean(b: bool) -> Bytes {
    written(|out| out.bool(b))
}

pub(super) fn null() -> Bytes {
    written(Writer::null)
}

pub(super) fn undefined() -> Bytes {
    written(Writer::undefined)
}

pub(super) fn bytes(bytes: &[u8]) -> Bytes {
    written(|out| out.bytes(bytes))
}

/// A byte string of so many bytes, whose head comes on top; no two lengths begin alike.
pub(super) fn filled(len: usize) -> Bytes {
    let content: Vec<u8> = (0..len).map(|at| (at.wrapping_mul(31) ^ at >> 8 ^ len).to_le_bytes()[0]).collect();
    bytes(&content)
}

pub(super) fn array(items: &[Bytes]) -> Bytes {
    written(|out| {
        out.array(items.len());
        items.iter().for_each(|item| out.raw(item));
    })
}

pub(super) fn map(entries: &[(Bytes, Bytes)]) -> Bytes {
    written(|out| {
        out.map(entries.len());
        for (key, value) in entries {
            out.raw(key);
            out.raw(value);
        }
    })
}

/// A map whose keys are texts.
pub(super) fn object(entries: &[(&str, Bytes)]) -> Bytes {
    let entries: Vec<_> = entries.iter().map(|(name, value)| (text(name), value.clone())).collect();
    map(&entries)
}

pub(super) fn tagged(tag: u64, item: &[u8]) -> Bytes {
    written(|out| {
        out.tag(tag);
        out.raw(item);
    })
}

pub(super) fn set(members: &[Bytes]) -> Bytes {
    tagged(tag::SET, &array(members))
}

/// A big integer of these digits in base 256.
pub(super) fn big(digits: &[u8]) -> Bytes {
    tagged(tag::BIG_POSITIVE, &bytes(digits))
}

/// So many arrays, one in another, around nothing.
pub(super) fn nested(depth: usize) -> Bytes {
    let mut item = vec![0x81; depth.saturating_sub(1)];
    item.push(0x80);
    item.into()
}

/// A key and steps.
pub(super) fn path(items: &[Bytes]) -> Result<Path> {
    Path::from_cbor(&array(items))
}

/// A key and steps that are all texts.
pub(super) fn names(items: &[&str]) -> Result<Path> {
    let items: Vec<_> = items.iter().map(|item| text(item)).collect();
    path(&items)
}

/// A text as key.
pub(super) fn key(name: &str) -> Path {
    Key::from(name).into()
}
