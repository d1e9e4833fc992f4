//! The way from the inner form to konserve's CBOR.

use bytes::Bytes;

use super::{content, shapes::SHAPES, strings};
use crate::{
    cbor::{Flaw, Head, Reader, check, tag},
    codec::check_stored,
    error::{Error, ErrorKind, Result},
};

/// A value that is given in the inner form as konserve reads it: the same bytes, but
/// * lists (`clojure/list`, `java/list`) are arrays: its own writer forgets them too;
/// * JavaScript's `Map` (tag 259) is a map.
///
/// What JavaScript has alone, `undefined` too, konserve keeps as it is and writes again; integers beyond 64 bits with a
/// sign come back as bigints. `INVALID_VALUE` where konserve would misread it: tags 25, 256 and 39649, which mean something
/// else there, tags 40, 1002 and 1004 with other content than theirs, characters beyond 16 bits, dates beyond milliseconds of 64 bits, and members that only as lists or `Map`s were two.
pub fn encode(cbor: &[u8]) -> Result<Bytes> {
    let mut writing = Writing { reader: Reader::new(cbor), cbor, done: 0, out: Vec::new() };
    writing.all().map_err(|_| check_stored(cbor).err().unwrap_or_else(|| refusal("it is no CBOR")))??;
    let Writing { done, mut out, .. } = writing;
    if done == 0 {
        return Ok(Bytes::copy_from_slice(cbor));
    }
    out.extend_from_slice(cbor.get(done..).unwrap_or_default());
    match check(&out) {
        Ok(()) => Ok(out.into()),
        Err(_) => {
            Err(refusal("a list and an array, or a Map and a map, are one to it, so that they cannot both be keys"))
        }
    }
}

struct Writing<'a> {
    reader: Reader<'a>,
    cbor: &'a [u8],
    /// How much of the input was copied or left out.
    done: usize,
    out: Vec<u8>,
}

impl Writing<'_> {
    /// Looks at all heads; the outer error is of bytes that are no CBOR.
    fn all(&mut self) -> Result<Result<()>, Flaw> {
        while !self.reader.rest().is_empty() {
            let start = self.reader.at();
            match self.reader.head()? {
                Head::Bytes(len) | Head::Text(len) => _ = self.reader.take(len)?,
                Head::Tag(tag::MAP) => self.leave_out(start),
                Head::Tag(tag @ (strings::REFERENCE | strings::TABLE | SHAPES)) => {
                    return Ok(Err(refusal(&format!("tag {tag} means something else to it"))));
                }
                Head::Tag(tag::DATE_SECONDS) if !is_java_date(self.reader.clone().head()?) => {
                    return Ok(Err(refusal("a date is so far away that Java has none")));
                }
                Head::Tag(tag) if !content::fits(tag, self.reader.clone()) => {
                    return Ok(Err(refusal(&format!("tag {tag} holds what does not fit it"))));
                }
                Head::Tag(tag::RECORD) => match self.record(start) {
                    Ok(()) => {}
                    refused => return Ok(refused),
                },
                _ => {}
            }
        }
        Ok(Ok(()))
    }

    /// Copies what is before `start`, and leaves out what was read since.
    fn leave_out(&mut self, start: usize) {
        self.out.extend_from_slice(self.cbor.get(self.done..start).unwrap_or_default());
        self.done = self.reader.at();
    }

    /// Looks into a record, whose tag is at `start`. Where there is nothing to do, the reader stays behind the tag.
    fn record(&mut self, start: usize) -> Result<()> {
        let mut inside = self.reader.clone();
        let Ok((Head::Array(2), Ok(name))) = inside.head().map(|head| (head, text(&mut inside))) else { return Ok(()) };
        match (name, inside.clone().head()) {
            (b"clojure/list" | b"java/list", Ok(Head::Array(_))) => {
                self.reader = inside;
                self.leave_out(start);
            }
            (b"clojure/char", Ok(_)) if !is_java_char(text(&mut inside)) => {
                return Err(refusal("a Java character has 16 bits; store the character as text"));
            }
            _ => {}
        }
        Ok(())
    }
}

fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Flaw> {
    match reader.head()? {
        Head::Text(len) => reader.take(len),
        _ => Ok(&[]),
    }
}

/// Whether milliseconds of 64 bits hold these seconds.
fn is_java_date(seconds: Head) -> bool {
    const MOST: u64 = 9_000_000_000_000_000;
    match seconds {
        Head::Positive(n) | Head::Negative(n) => n < MOST,
        Head::Float(n) => n.abs() < 9e15,
        _ => false,
    }
}

fn is_java_char(text: Result<&[u8], Flaw>) -> bool {
    let Ok(Ok(text)) = text.map(std::str::from_utf8) else { return false };
    text.encode_utf16().count() == 1
}

fn refusal(why: &str) -> Error {
    Error::new(ErrorKind::InvalidValue, format!("Clojure's konserve cannot read the value: {why}"))
}
