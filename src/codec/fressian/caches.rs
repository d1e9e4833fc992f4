//! What a stream says once and refers to after that: items of its priority cache, and structs.

use std::{collections::HashMap, ops::Range};

use super::codes::Known;

/// The caches of who reads.
#[derive(Default)]
pub(super) struct Seen {
    /// The bytes of all items and names below.
    kept: Vec<u8>,
    /// CBOR of items; `None` while the item is being read.
    items: Vec<Option<Range<usize>>>,
    structs: Vec<Struct>,
}

/// A struct as a stream defines it.
#[derive(Clone)]
pub(super) enum Struct {
    /// One that means something.
    Known(Known),
    /// Any other: where its name is kept, and how many parts it has.
    Other(Range<usize>, usize),
}

impl Seen {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.items.clear();
        self.structs.clear();
    }

    /// How many bytes are kept.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Gives the next index to an item that is about to be read.
    pub(super) fn begin_item(&mut self) -> usize {
        self.items.push(None);
        self.items.len() - 1
    }

    /// The item from `begin` is read; so many indexes refer to it. `None` if they are gone.
    pub(super) fn end_item(&mut self, begin: usize, indexes: usize, item: &[u8]) -> Option<()> {
        let range = self.keep(item);
        self.items.get_mut(begin..begin + indexes)?.fill(Some(range));
        Some(())
    }

    /// The CBOR of an item that was read to its end.
    pub(super) fn item(&self, index: usize) -> Option<&[u8]> {
        self.kept.get(self.items.get(index)?.clone()?)
    }

    /// Gives the next index to a struct.
    pub(super) fn define(&mut self, name: &str, parts: usize) -> Struct {
        let it = match Known::of_name(name) {
            Some(known) => Struct::Known(known),
            None => Struct::Other(self.keep(name.as_bytes()), parts),
        };
        self.structs.push(it.clone());
        it
    }

    /// The struct of an index.
    pub(super) fn structure(&self, index: usize) -> Option<Struct> {
        self.structs.get(index).cloned()
    }

    /// What is kept there.
    pub(super) fn get(&self, range: Range<usize>) -> &[u8] {
        self.kept.get(range).unwrap_or_default()
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.kept.len();
        self.kept.extend(bytes);
        start..self.kept.len()
    }
}

/// Longer texts and names are written anew each time, so that no reader has to take a value for a bomb.
pub(super) const LONGEST: usize = 2048;

/// The caches of who writes: the indexes of what was written.
#[derive(Default)]
pub(super) struct Written<'a> {
    texts: HashMap<&'a str, usize>,
    /// By name and number of parts, which unknown structs of one name may have different.
    structs: HashMap<(&'a str, usize), usize>,
    /// How many structs were defined; some of them twice.
    defined: usize,
}

impl<'a> Written<'a> {
    /// The index of a text that was written before.
    pub(super) fn text(&mut self, text: &'a str) -> Option<usize> {
        let next = self.texts.len();
        let index = *self.texts.entry(text).or_insert(next);
        (index < next).then_some(index)
    }

    /// The index of a struct that was defined before; else this defines it.
    pub(super) fn structure(&mut self, name: &'a str, parts: usize) -> Option<usize> {
        let next = self.defined;
        let index = if name.len() > LONGEST { next } else { *self.structs.entry((name, parts)).or_insert(next) };
        self.defined += usize::from(index == next);
        (index < next).then_some(index)
    }
}
