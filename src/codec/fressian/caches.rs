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

    /// The bytes of a text that was read to its end.
    pub(super) fn text(&self, index: usize) -> Option<&[u8]> {
        let (first, rest) = self.item(index)?.split_first()?;
        // As long as the head of its length says, which stands in one, two, three, five or nine bytes.
        match first {
            0x60..=0x77 => Some(rest),
            0x78..=0x7b => rest.get(1 << (first - 0x78)..),
            _ => None,
        }
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
pub(super) struct Written<'a> {
    texts: Indexes<'a>,
    structs: Indexes<'a>,
}

impl<'a> Written<'a> {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self { texts: Indexes::new(), structs: Indexes::new() }
    }

    /// The index of a text that was written before.
    pub(super) fn text(&mut self, text: &'a str) -> Option<usize> {
        self.texts.find((text, 0))
    }

    /// The index of a struct that was defined before; else this defines it.
    pub(super) fn structure(&mut self, name: &'a str, parts: usize) -> Option<usize> {
        if name.len() > LONGEST {
            self.structs.next += 1;
            return None;
        }
        self.structs.find((name, parts))
    }
}

/// A text, or the name of a struct and its number of parts, which unknown structs of one name may have different.
type Entry<'a> = (&'a str, usize);

struct Indexes<'a> {
    all: HashMap<Entry<'a>, usize>,
    /// Those found last, each in a place that its letters say: most lookups end here.
    near: [Option<(Entry<'a>, usize)>; NEAR],
    next: usize,
}

const NEAR: usize = 64;

impl<'a> Indexes<'a> {
    fn new() -> Self {
        Self { all: HashMap::new(), near: [None; NEAR], next: 0 }
    }

    /// The index that an entry has; `None` if it gets one now.
    fn find(&mut self, entry: Entry<'a>) -> Option<usize> {
        let bytes = entry.0.as_bytes();
        let letter = |byte: Option<&u8>| byte.copied().map_or(0, usize::from);
        let place = bytes.len() + 5 * letter(bytes.first()) + 11 * letter(bytes.last());
        let near = self.near.get_mut(place % NEAR)?;
        if let Some((known, index)) = near
            && *known == entry
        {
            return Some(*index);
        }
        let index = *self.all.entry(entry).or_insert(self.next);
        *near = Some((entry, index));
        if index < self.next {
            return Some(index);
        }
        self.next += 1;
        None
    }
}
