//! One step of a path, and what it finds in a container.

use std::borrow::Cow;

use super::{Flaw, Head, Reader, Writer, canonical, canonical::is_plain, check, tag};
use crate::error::{Error, ErrorKind, Result};

/// A step, ready to be compared.
pub(super) struct Step<'s> {
    bytes: &'s [u8],
    canonical: Cow<'s, [u8]>,
}

impl<'s> Step<'s> {
    /// `INVALID_PATH` unless it is one item that a value may hold.
    pub(super) fn new(bytes: &'s [u8]) -> Result<Self> {
        let canonical = if is_plain(bytes) {
            check(bytes).map(|()| Cow::Borrowed(bytes))
        } else {
            canonical(bytes).map(Cow::Owned)
        };
        let canonical = canonical.map_err(|flaw| {
            Error::new(ErrorKind::InvalidPath, format!("a step of the path cannot be a key: {}", flaw.kind))
        })?;
        Ok(Self { bytes, canonical })
    }

    pub(super) fn is_text(&self) -> bool {
        is_text(self.bytes)
    }

    pub(super) fn is_undefined(&self) -> bool {
        self.bytes == [0xf7]
    }

    /// The index of an array that it is.
    pub(super) fn index(&self) -> Option<usize> {
        match Reader::new(&self.canonical).head() {
            Ok(Head::Positive(n)) => usize::try_from(n).ok(),
            _ => None,
        }
    }

    /// Whether a map's key is this one, by canonical value.
    fn is(&self, key: &[u8]) -> bool {
        key == &*self.canonical
            || !is_plain(key) && !self.is_text() && canonical(key).is_ok_and(|key| key == *self.canonical)
    }

    /// Writes it as a key of a value: a float as values have it, unless it is a whole number.
    pub(super) fn write(&self, out: &mut Writer) {
        match (Reader::new(self.bytes).head(), Reader::new(&self.canonical).head()) {
            (Ok(Head::Float(n)), Ok(Head::Float(_))) => out.float(n),
            (Ok(Head::Float(_)), _) => out.raw(&self.canonical),
            _ => out.raw(self.bytes),
        }
    }
}

/// Whether an item is a text.
pub(super) fn is_text(item: &[u8]) -> bool {
    matches!(item.first(), Some(0x60..=0x7f))
}

/// A map or an array that a walk went into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Container {
    /// Where it begins, with the tag of a `Map`.
    pub(super) start: usize,
    /// Where its members begin.
    pub(super) body: usize,
    pub(super) len: usize,
    pub(super) map: bool,
    pub(super) tagged: bool,
    /// Whether all keys before the one looked for are texts.
    pub(super) texts: bool,
}

impl Container {
    /// How many levels it counts.
    pub(super) fn levels(self) -> usize {
        1 + usize::from(self.tagged)
    }

    /// Writes what comes before the members.
    pub(super) fn head(self, out: &mut Writer) {
        if self.tagged {
            out.tag(tag::MAP);
        }
        if self.map {
            out.map(self.len);
        } else {
            out.array(self.len);
        }
    }
}

/// Where one step leads. The reader is at the member, or behind what was looked at.
pub(super) enum Next {
    /// To a member that begins at `start`, with its key.
    Member { container: Container, start: usize },
    /// Into a container that has no such member.
    Absent(Container),
    /// Into `null` or `undefined`.
    Nothing,
    /// Into what has no members.
    Blocked,
}

/// Takes one step into the item that follows.
pub(super) fn enter(reader: &mut Reader<'_>, step: &Step<'_>) -> Result<Next, Flaw> {
    let start = reader.at();
    let mut head = reader.head()?;
    let tagged = head == Head::Tag(tag::MAP);
    if tagged {
        head = reader.head()?;
    }
    let body = reader.at();
    match head {
        Head::Map(len) => by_key(reader, step, Container { start, body, len, map: true, tagged, texts: true }),
        Head::Array(len) if !tagged => {
            by_index(reader, step, Container { start, body, len, map: false, tagged, texts: false })
        }
        Head::Simple(22 | 23) if !tagged => Ok(Next::Nothing),
        _ => Ok(Next::Blocked),
    }
}

fn by_key(reader: &mut Reader<'_>, step: &Step<'_>, mut container: Container) -> Result<Next, Flaw> {
    for _ in 0..container.len {
        let start = reader.at();
        let key = reader.item()?;
        if step.is(key) {
            return Ok(Next::Member { container, start });
        }
        container.texts &= is_text(key);
        reader.item()?;
    }
    Ok(Next::Absent(container))
}

fn by_index(reader: &mut Reader<'_>, step: &Step<'_>, container: Container) -> Result<Next, Flaw> {
    let index = step.index().filter(|index| *index < container.len);
    for _ in 0..index.unwrap_or(container.len) {
        reader.item()?;
    }
    let start = reader.at();
    Ok(if index.is_some() { Next::Member { container, start } } else { Next::Absent(container) })
}
