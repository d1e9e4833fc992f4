//! From Fressian to the inner form, in one walk and without a tree of values.

use bytes::Bytes;

use super::{
    caches::{Seen, Struct},
    codes::{self, Known},
    input::Input,
};
use crate::{
    cbor::{self, Head, MAX_DEPTH, Writer, tag},
    codec::{check_stored, too_long},
    error::{Error, ErrorKind, Result},
};

/// What a short stored form may become at least.
const ALWAYS: u64 = 1024 * 1024;
/// How many times as long as its stored form a value may be: references to the cache make much of few bytes.
const MAX_RATIO: u64 = 4096;

/// See [`decode_within`](super::decode_within).
pub(super) fn read(stored: &[u8], max_len: u64) -> Result<Bytes> {
    let limit = max_len.min((stored.len() as u64).saturating_mul(MAX_RATIO).saturating_add(ALWAYS));
    let mut reader = Reader {
        input: Input::new(stored),
        out: Writer::with_capacity(2 * stored.len()),
        seen: Seen::default(),
        name: Vec::new(),
        limit,
    };
    reader.item(0)?;
    reader.allow(0)?;
    let cbor = reader.out.finish();
    check_stored(&cbor)?;
    Ok(cbor.into())
}

/// A stored form, and the CBOR of what was read of it. `depth` is how many containers are around an item, at least.
pub(super) struct Reader<'a> {
    pub(super) input: Input<'a>,
    pub(super) out: Writer,
    pub(super) seen: Seen,
    /// The keyword, symbol or name of a record that is being put together.
    pub(super) name: Vec<u8>,
    limit: u64,
}

impl Reader<'_> {
    /// One item.
    pub(super) fn item(&mut self, depth: usize) -> Result<()> {
        let code = self.code(depth)?;
        self.coded(code, depth)
    }

    /// The code of an item, behind what stands before items.
    pub(super) fn code(&mut self, depth: usize) -> Result<u8> {
        loop {
            match self.input.byte()? {
                codes::RESET_CACHES => self.seen.clear(),
                codes::FOOTER => self.footer()?,
                codes::PRECACHE => self.precached(deeper(depth)?)?,
                code => return Ok(code),
            }
        }
    }

    /// The rest of a footer; its checksum is of what was read before.
    fn footer(&mut self) -> Result<()> {
        if self.input.take(3)? != [codes::FOOTER; 3] {
            return Err(self.input.corrupt("a footer begins and does not go on"));
        }
        self.input.take(8)?;
        self.seen.clear();
        Ok(())
    }

    /// The item that begins with this code.
    pub(super) fn coded(&mut self, code: u8, depth: usize) -> Result<()> {
        match code {
            code if Input::is_int(code) => {
                let n = self.input.int(code)?;
                self.out.int(n);
            }
            codes::CACHED..codes::STRUCTS => self.cached((code - codes::CACHED).into())?,
            codes::GET_CACHED => {
                let index = self.input.len()?;
                self.cached(index)?;
            }
            codes::PUT_CACHED => self.keep(depth)?,
            codes::STRING_PACKED..=codes::STRING => {
                let text = self.input.text(code)?;
                self.out.text(&text);
            }
            codes::BYTES_PACKED..=codes::BYTES => {
                let bytes = self.input.bytes(code)?;
                self.out.bytes(&bytes);
            }
            codes::TRUE => self.out.bool(true),
            codes::FALSE => self.out.bool(false),
            codes::NULL => self.out.null(),
            codes::FLOAT..=codes::DOUBLE_1 => self.float(code)?,
            codes::LIST_PACKED..=codes::OPEN_LIST => self.list(code, deeper(depth)?, java_list)?,
            _ => self.branch(code, deeper(depth)?)?,
        }
        Ok(())
    }

    fn float(&mut self, code: u8) -> Result<()> {
        match code {
            codes::FLOAT => {
                let n = f32::from_be_bytes(self.input.array()?);
                let bits = if n.is_nan() { 0x7fc0_0000 } else { n.to_bits() };
                self.out.raw(&[0xfa]);
                self.out.raw(&bits.to_be_bytes());
            }
            code => {
                let n = self.double(code)?;
                self.out.float(n);
            }
        }
        Ok(())
    }

    /// The double that begins with this code.
    pub(super) fn double(&mut self, code: u8) -> Result<f64> {
        match code {
            codes::DOUBLE => self.input.array().map(f64::from_be_bytes),
            codes::DOUBLE_0 => Ok(0.0),
            codes::DOUBLE_1 => Ok(1.0),
            _ => Err(self.input.corrupt("there is no double where one must be")),
        }
    }

    /// Structs.
    fn branch(&mut self, code: u8, depth: usize) -> Result<()> {
        let index = match code {
            codes::STRUCT_TYPE => {
                let it = self.define(depth)?;
                return self.structure(it, depth);
            }
            codes::STRUCTS..=0xaf => usize::from(code - codes::STRUCTS),
            codes::STRUCT => self.input.len()?,
            // Codes that the library reserves and does not write.
            codes::META => return self.other("meta", 2, depth),
            codes::ANY => return self.other("any", 1, depth),
            code => {
                return match Known::of_code(code) {
                    Some(known) => self.known(known, depth),
                    None => Err(self.input.corrupt("a byte means nothing where it stands")),
                };
            }
        };
        let it = self.seen.structure(index);
        let it = it.ok_or_else(|| self.input.corrupt("a struct is referred to that was not defined"))?;
        self.structure(it, depth)
    }

    fn define(&mut self, depth: usize) -> Result<Struct> {
        let name = self.text(depth)?;
        let name = name.ok_or_else(|| self.input.corrupt("a struct has no name"))?;
        let parts = self.input.len()?;
        self.allow(name.len())?;
        Ok(self.seen.define(&name, parts))
    }

    fn structure(&mut self, it: Struct, depth: usize) -> Result<()> {
        match it {
            Struct::Known(known) => self.known(known, depth),
            Struct::Other(name, parts) => {
                self.allow(name.len())?;
                let name = String::from_utf8_lossy(self.seen.get(name)).into_owned();
                self.other(&name, parts, depth)
            }
        }
    }

    /// A struct without a meaning here.
    fn other(&mut self, name: &str, parts: usize, depth: usize) -> Result<()> {
        self.named(name);
        self.input.within(parts)?;
        self.out.array(parts);
        self.items(parts, depth)
    }

    /// The beginning of a value with a name; its content must follow.
    pub(super) fn named(&mut self, name: &str) {
        named(name, &mut self.out);
    }

    pub(super) fn items(&mut self, count: usize, depth: usize) -> Result<()> {
        (0..count).try_for_each(|_| self.item(depth))
    }

    /// The list that begins with this code, after the head that `head` writes of its length; `None` if it cannot have it.
    pub(super) fn list(&mut self, code: u8, depth: usize, head: fn(usize, &mut Writer) -> Option<()>) -> Result<()> {
        let count = match code {
            codes::LIST_PACKED..codes::LIST => self.input.within((code - codes::LIST_PACKED).into())?,
            codes::LIST => self.input.count()?,
            _ => return self.unmeasured(code, depth, head),
        };
        head(count, &mut self.out).ok_or_else(|| self.input.corrupt(NO_VALUE))?;
        self.items(count, depth)
    }

    /// A list that has an end in the place of a length, or anything else that is read as a list.
    fn unmeasured(&mut self, code: u8, depth: usize, head: fn(usize, &mut Writer) -> Option<()>) -> Result<()> {
        let start = self.out.len();
        let (count, items) = match code {
            codes::CLOSED_LIST | codes::OPEN_LIST => {
                let count = self.until_end(code == codes::OPEN_LIST, depth)?;
                (count, self.out.split_off(start))
            }
            code => {
                self.coded(code, deeper(depth)?)?;
                let list = self.out.split_off(start);
                let (count, at) = members(&list).ok_or_else(|| self.input.corrupt("there is no list"))?;
                (count, list.get(at..).unwrap_or_default().to_vec())
            }
        };
        head(count, &mut self.out).ok_or_else(|| self.input.corrupt(NO_VALUE))?;
        self.out.raw(&items);
        Ok(())
    }

    /// Items up to the mark of their end, or the end of all where that may be; how many.
    fn until_end(&mut self, open: bool, depth: usize) -> Result<usize> {
        let mut count = 0;
        loop {
            match self.input.peek() {
                None if open => return Ok(count),
                Some(codes::END) => {
                    self.input.byte()?;
                    return Ok(count);
                }
                _ => self.item(depth)?,
            }
            count += 1;
        }
    }

    /// An item that also goes into the cache; under several indexes if it is told so.
    fn keep(&mut self, depth: usize) -> Result<()> {
        let begin = self.seen.begin_item();
        let mut indexes = 1;
        let mut code = self.code(depth)?;
        while code == codes::PUT_CACHED {
            self.seen.begin_item();
            indexes += 1;
            code = self.code(depth)?;
        }
        let start = self.out.len();
        self.coded(code, depth)?;
        self.allow(self.out.len() - start)?;
        self.seen
            .end_item(begin, indexes, self.out.since(start))
            .ok_or_else(|| self.input.corrupt("the cache is emptied while an item goes into it"))
    }

    /// An item that goes into the cache and nowhere else.
    fn precached(&mut self, depth: usize) -> Result<()> {
        let start = self.out.len();
        self.keep(depth)?;
        self.out.split_off(start);
        Ok(())
    }

    /// An item from the cache.
    fn cached(&mut self, index: usize) -> Result<()> {
        let item = self.seen.item(index);
        let item = item.ok_or_else(|| self.input.corrupt("an item is referred to that is not in the cache"))?;
        self.out.raw(item);
        self.allow(0)
    }

    /// That the value, with so many bytes more, is not longer than it may be.
    pub(super) fn allow(&self, more: usize) -> Result<()> {
        let len = (self.out.len() + self.seen.len() + more) as u64;
        if len <= self.limit { Ok(()) } else { Err(too_long(len, self.limit)) }
    }

    /// An item as CBOR by itself.
    pub(super) fn apart(&mut self, code: u8, depth: usize) -> Result<Vec<u8>> {
        let start = self.out.len();
        self.coded(code, deeper(depth)?)?;
        Ok(self.out.split_off(start))
    }

    /// A string, wherever it stands; `None` is null.
    pub(super) fn text(&mut self, depth: usize) -> Result<Option<String>> {
        let code = self.code(depth)?;
        if code == codes::NULL {
            return Ok(None);
        }
        let item = self.apart(code, depth)?;
        let mut reader = cbor::Reader::new(&item);
        match reader.head() {
            Ok(Head::Text(_)) => Ok(Some(String::from_utf8_lossy(reader.rest()).into_owned())),
            _ => Err(self.input.corrupt("there is no string where one must be")),
        }
    }
}

const NO_VALUE: &str = "the last key of a map has no value";

/// The beginning of tag 27, to the name.
pub(super) fn named(name: &str, out: &mut Writer) {
    out.tag(tag::RECORD);
    out.array(2);
    out.text(name);
}

/// A list that is no Clojure list.
#[allow(clippy::unnecessary_wraps, reason = "as maps have it, whose length may be odd")]
fn java_list(count: usize, out: &mut Writer) -> Option<()> {
    named("java/list", out);
    out.array(count);
    Some(())
}

/// How many members a list of any kind has, and where they begin.
fn members(list: &[u8]) -> Option<(usize, usize)> {
    let mut reader = cbor::Reader::new(list);
    let mut head = reader.head().ok()?;
    if head == Head::Tag(tag::RECORD) {
        let (Ok(Head::Array(2)), Ok(Head::Text(len))) = (reader.head(), reader.head()) else { return None };
        if !matches!(reader.take(len), Ok(b"java/list" | b"clojure/list" | b"java/object-array")) {
            return None;
        }
        head = reader.head().ok()?;
    }
    match head {
        Head::Array(count) => Some((count, reader.at())),
        _ => None,
    }
}

/// One level deeper. This bounds recursion, with a little room for the parts of what is no container; the levels of what was
/// read are counted at the end.
pub(super) fn deeper(depth: usize) -> Result<usize> {
    if depth < MAX_DEPTH + 4 {
        Ok(depth + 1)
    } else {
        Err(Error::new(ErrorKind::LimitExceeded, format!("a stored value is nested deeper than {MAX_DEPTH}")))
    }
}
