//! Paths into a value, on its bytes: a get is a slice, a put or remove a splice. Nothing is built, and what is not
//! touched is copied as it is.
//!
//! A path is a row of steps, each an encoded item:
//! * In a map a step is a key, matched by [canonical](super::canonical()) value: `1` finds `1.0`. Tag 259 is no step.
//! * In an array it is a whole number from 0.
//! * Nothing else has members: not texts, sets or records.
//!
//! A map whose keys are all texts is a plain object in JavaScript, unless tag 259 makes it a `Map`; a map with any
//! other key is a `Map` and has no tag. Splices keep what a map is: the tag goes when a `Map` gets a key that is no
//! text, and comes when it loses the last one. A plain object takes texts only, unless it is empty.
//!
//! Values are taken to be [checked](super::check()). What is found not to be CBOR nevertheless is `CORRUPT` in a value and
//! `INVALID_PATH` in a step.

use std::fmt::Write;

use super::{
    Flaw, FlawKind, Head, MAX_DEPTH, Reader, Writer, check,
    check::check_inside,
    diagnose, locate,
    step::{Container, Next, Step, enter, is_text},
    tag,
};
use crate::error::{Error, ErrorKind, Result};

/// What the path leads to. `None` wherever it ends early: a member that is missing, an index out of range, a step
/// into what has no members. No steps lead to the value itself.
pub fn get<'v>(value: &'v [u8], steps: &[&[u8]]) -> Result<Option<&'v [u8]>> {
    Ok(Slot::find(Some(value), steps)?.old())
}

/// The value with `new` at the end of the path, as [`Slot::put`] has it.
pub fn put(value: Option<&[u8]>, steps: &[&[u8]], new: &[u8]) -> Result<Vec<u8>> {
    Slot::find(value, steps)?.put(new)
}

/// The value without what the path leads to, as [`Slot::remove`] has it.
pub fn remove(value: &[u8], steps: &[&[u8]]) -> Result<Option<Vec<u8>>> {
    Slot::find(Some(value), steps)?.remove()
}

/// The place in a value that a path leads to, found in one walk: to look, and then to put.
#[derive(Debug)]
pub struct Slot<'v, 's> {
    value: &'v [u8],
    steps: &'s [&'s [u8]],
    /// How many levels are around the place.
    level: usize,
    end: End,
}

/// How a walk along a path ended.
#[derive(Debug)]
enum End {
    /// At an item, after the last step. It begins with its key at `member`, if it is in a container.
    Item { start: usize, end: usize, member: Option<(Container, usize)> },
    /// At a container that has no such member; the steps after that one are left.
    Absent { container: Container, end: usize, step: usize },
    /// At nothing, `null` or `undefined`; this step is left.
    Nothing { start: usize, end: usize, step: usize },
    /// At something that has no members; this step is left.
    Blocked { start: usize, step: usize },
}

impl<'v, 's> Slot<'v, 's> {
    /// Walks along the path as far as it goes.
    pub fn find(value: Option<&'v [u8]>, steps: &'s [&'s [u8]]) -> Result<Self> {
        let mut slot =
            Self { value: value.unwrap_or_default(), steps, level: 0, end: End::Nothing { start: 0, end: 0, step: 0 } };
        if value.is_some() {
            slot.end = slot.walk()?;
        }
        Ok(slot)
    }

    /// What is there; `None` if the path ends early.
    pub fn old(&self) -> Option<&'v [u8]> {
        match self.end {
            End::Item { start, end, .. } => self.value.get(start..end),
            _ => None,
        }
    }

    /// The value with `new` here; with no steps, `new` itself.
    ///
    /// A level that is missing, `null` or `undefined` becomes a map of the next step: a plain object for a text, a
    /// `Map` for anything else. An array index replaces, or extends by one. Anything else in the way is
    /// `INVALID_PATH`: what has no members, an index further out, a step that is no index, `undefined` as a new key, a
    /// new key that is no text for a plain object.
    ///
    /// `new` is [checked](super::check()) here, where its depth is known, and need not be before: `INVALID_VALUE`,
    /// naming the path inside of it, or `LIMIT_EXCEEDED`.
    pub fn put(&self, new: &[u8]) -> Result<Vec<u8>> {
        let keys: usize = self.steps.iter().map(|step| step.len() + 9).sum();
        let mut out = Writer::with_capacity(self.value.len() + keys + new.len() + 9);
        let after = match self.end {
            End::Item { start, end, .. } => {
                self.copy(0, start, &mut out);
                self.nest(self.steps.len(), self.level, new, &mut out)?;
                end
            }
            End::Nothing { start, end, step } => {
                self.copy(0, start, &mut out);
                self.nest(step, self.level, new, &mut out)?;
                end
            }
            End::Absent { container, end, step } => {
                self.extend(container, end, step, new, &mut out)?;
                end
            }
            End::Blocked { start, step } => {
                return Err(self.wrong(step, &format!("is {} and has no members", self.kind(start))));
            }
        };
        self.copy(after, self.value.len(), &mut out);
        Ok(out.finish())
    }

    /// The value without what is here; `None` if the path ends early. What follows in an array moves up, as with
    /// JavaScript's `splice`. With no steps there is nothing to remove from: `INVALID_PATH`. A `Map` that needs its
    /// tag now may be one level too deep: `LIMIT_EXCEEDED`.
    pub fn remove(&self) -> Result<Option<Vec<u8>>> {
        let End::Item { end, member, .. } = self.end else { return Ok(None) };
        let Some((container, start)) = member else {
            return Err(Error::new(ErrorKind::InvalidPath, "the path is empty; name the member to remove"));
        };
        let becomes_tagged =
            container.map && !container.tagged && self.is_last_of_map(container, start).map_err(damaged)?;
        let mut out = Writer::with_capacity(self.value.len());
        self.copy(0, container.start, &mut out);
        Container { tagged: container.tagged || becomes_tagged, len: container.len - 1, ..container }.head(&mut out);
        self.copy(container.body, start, &mut out);
        self.copy(end, self.value.len(), &mut out);
        let out = out.finish();
        if becomes_tagged {
            // The tag is one level more.
            check(&out).map_err(|flaw| refused(&out, flaw))?;
        }
        Ok(Some(out))
    }

    fn walk(&mut self) -> Result<End> {
        if self.steps.is_empty() {
            return Ok(End::Item { start: 0, end: self.value.len(), member: None });
        }
        let mut reader = Reader::new(self.value);
        let mut member = None;
        for (step, bytes) in self.steps.iter().enumerate() {
            let start = reader.at();
            let key = Step::new(bytes)?;
            let container = match enter(&mut reader, &key).map_err(damaged)? {
                Next::Member { container, start } => member.insert((container, start)).0,
                Next::Absent(container) => {
                    self.level += container.levels();
                    return Ok(End::Absent { container, end: reader.at(), step });
                }
                Next::Nothing => return Ok(End::Nothing { start, end: reader.at(), step }),
                Next::Blocked => return Ok(End::Blocked { start, step }),
            };
            self.level += container.levels();
        }
        let start = reader.at();
        reader.item().map_err(damaged)?;
        Ok(End::Item { start, end: reader.at(), member })
    }

    /// Whether the member that begins at `start` has the only key of its map that is no text.
    fn is_last_of_map(&self, container: Container, start: usize) -> Result<bool, Flaw> {
        let mut reader = Reader::new(self.value);
        reader.take(container.body)?;
        for _ in 0..container.len {
            let here = reader.at() == start;
            if is_text(reader.item()?) == here {
                return Ok(false);
            }
            reader.item()?;
        }
        Ok(true)
    }

    /// Writes all up to the end of this container, with one member more.
    fn extend(&self, container: Container, end: usize, step: usize, new: &[u8], out: &mut Writer) -> Result<()> {
        let key = Step::new(self.steps.get(step).copied().unwrap_or_default())?;
        let tagged = container.tagged && (key.is_text() || !container.texts);
        // The tag was one level.
        let level = self.level - usize::from(container.tagged && !tagged);
        self.copy(0, container.start, out);
        Container { tagged, len: container.len + 1, ..container }.head(out);
        self.copy(container.body, end, out);
        if container.map {
            let plain_object = container.texts && container.len > 0 && !container.tagged;
            if plain_object && !key.is_text() {
                return Err(self.wrong(step, "has texts as keys and takes no others; use a text, or store a Map"));
            }
            self.key(&key, step, level, out)?;
        } else if key.index() != Some(container.len) {
            let len = container.len;
            return Err(self.wrong(step, &format!("is an array of {len}: an index up to {len} replaces or appends")));
        }
        self.nest(step + 1, level, new, out)
    }

    /// Writes `new`, inside of a map for each step that is left from this one.
    fn nest(&self, step: usize, mut level: usize, new: &[u8], out: &mut Writer) -> Result<()> {
        for (n, step) in self.steps.iter().enumerate().skip(step) {
            if level >= MAX_DEPTH {
                return Err(refused(new, Flaw { kind: FlawKind::Depth, at: 0 }));
            }
            level += 1;
            out.map(1);
            self.key(&Step::new(step)?, n, level, out)?;
        }
        check_inside(level, new).map_err(|flaw| refused(new, flaw))?;
        out.raw(new);
        Ok(())
    }

    /// Writes a new key.
    fn key(&self, key: &Step<'_>, n: usize, level: usize, out: &mut Writer) -> Result<()> {
        if key.is_undefined() {
            return Err(self.wrong(n, "takes no key that is undefined"));
        }
        let start = out.len();
        key.write(out);
        let written = out.since(start);
        check_inside(level, written).map_err(|flaw| refused(written, flaw))
    }

    fn copy(&self, from: usize, to: usize, out: &mut Writer) {
        out.raw(self.value.get(from..to).unwrap_or_default());
    }

    /// The error of a step that cannot be taken, where the value is as said.
    fn wrong(&self, step: usize, what: &str) -> Error {
        let before = self.steps.get(..step).unwrap_or_default();
        let mut message = String::from("the value");
        for step in before {
            _ = write!(message, "[{}]", diagnose(step));
        }
        let step = self.steps.get(step).copied().unwrap_or_default();
        _ = write!(message, " {what} (step {})", diagnose(step));
        Error::new(ErrorKind::InvalidPath, message)
    }

    /// What the item is that begins here.
    fn kind(&self, start: usize) -> &'static str {
        match Reader::new(self.value.get(start..).unwrap_or_default()).head() {
            Ok(Head::Positive(_) | Head::Negative(_) | Head::Float(_)) => "a number",
            Ok(Head::Simple(_)) => "a boolean",
            Ok(Head::Text(_)) => "a text",
            Ok(Head::Bytes(_)) => "bytes",
            Ok(Head::Tag(tag::SET)) => "a set",
            Ok(Head::Tag(_)) => "a tagged value",
            _ => "a value",
        }
    }
}

/// A stored value that cannot be walked.
fn damaged(flaw: Flaw) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the stored value is damaged: {flaw}"))
}

/// A new value that cannot be stored.
fn refused(new: &[u8], flaw: Flaw) -> Error {
    let kind = if flaw.kind == FlawKind::Depth { ErrorKind::LimitExceeded } else { ErrorKind::InvalidValue };
    Error::new(kind, format!("the value{} cannot be stored: {}", locate(new, flaw.at), flaw.kind))
}
