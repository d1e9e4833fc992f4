//! Structs with a meaning, as they are read.

use super::{
    codes::{self, Known},
    input::Input,
    integer,
    reader::{Reader, deeper},
};
use crate::{
    cbor::{self, Head, Writer, tag},
    error::Result,
    value::Value,
};

/// Typed arrays of CBOR, least significant byte first (RFC 8746).
pub(super) const INTS: u64 = 78;
pub(super) const LONGS: u64 = 79;
pub(super) const FLOATS: u64 = 85;
pub(super) const DOUBLES: u64 = 86;

impl Reader<'_> {
    /// A struct, after its name; `depth` counts it.
    pub(super) fn known(&mut self, known: Known, depth: usize) -> Result<()> {
        match known {
            Known::Map => self.collection(depth, map),
            Known::Set => self.collection(depth, set),
            Known::Keyword | Known::Symbol => self.name(known == Known::Keyword, depth),
            Known::Vector => {
                let count = self.input.count()?;
                self.out.array(count);
                self.items(count, depth)
            }
            Known::List => {
                let count = self.input.count()?;
                self.named("clojure/list");
                self.out.array(count);
                self.items(count, depth)
            }
            Known::Record => {
                let count = self.input.count()?;
                self.record(count, depth)
            }
            Known::ClassRecord => self.class_record(depth),
            Known::Objects => {
                let count = self.input.count()?;
                self.named("java/object-array");
                self.out.array(count);
                self.items(count, depth)
            }
            Known::Ints | Known::Longs | Known::Floats | Known::Doubles | Known::Booleans => self.array(known),
            Known::JsMap => {
                self.out.tag(tag::MAP);
                self.item(depth)
            }
            Known::Undefined => {
                self.out.undefined();
                Ok(())
            }
            Known::Tag => self.tag(depth),
            leaf => self.leaf(leaf, depth),
        }
    }

    fn leaf(&mut self, known: Known, depth: usize) -> Result<()> {
        match known {
            Known::Uuid => {
                let bytes = self.bytes(depth)?;
                self.out.tag(tag::UUID);
                self.out.bytes(&bytes);
            }
            Known::Regexp | Known::Uri => {
                let text = self.text(depth)?;
                let text = text.ok_or_else(|| self.input.corrupt("a URI or a regular expression is null"))?;
                self.out.tag(if known == Known::Uri { tag::URI } else { tag::REGEXP });
                self.out.text(&text);
            }
            Known::BigInt => {
                let bytes = self.bytes(depth)?;
                bigint(&bytes, &mut self.out);
            }
            Known::Decimal => {
                let unscaled = self.bytes(depth)?;
                let scale = i32::try_from(self.int(depth)?);
                let scale = scale.map_err(|_| self.input.corrupt("a decimal has a scale of more than 32 bits"))?;
                self.out.tag(tag::DECIMAL);
                self.out.array(2);
                self.out.int(-i64::from(scale));
                compact(&unscaled, &mut self.out);
            }
            Known::Ratio => {
                let parts = [self.whole(depth)?, self.whole(depth)?];
                self.out.tag(tag::RATIO);
                self.out.array(2);
                for part in parts {
                    compact(&part, &mut self.out);
                }
            }
            Known::Char => {
                let code = self.int(depth)?;
                self.char(code)?;
            }
            Known::Byte => {
                let n = self.int(depth)?;
                self.out.int(n);
            }
            _ => {
                let ms = self.int(depth)?;
                match Value::Date(ms).to_cbor() {
                    Ok(date) => self.out.raw(&date),
                    Err(_) => self.other_int("inst", ms),
                }
            }
        }
        Ok(())
    }

    /// A value of one number that has no CBOR of its own: what an unknown struct would be.
    fn other_int(&mut self, name: &str, n: i64) {
        self.named(name);
        self.out.array(1);
        self.out.int(n);
    }

    fn char(&mut self, code: i64) -> Result<()> {
        match u32::try_from(code).ok().map(char::from_u32) {
            Some(Some(c)) => {
                self.named("clojure/char");
                self.out.text(c.encode_utf8(&mut [0; 4]));
            }
            // Half of a surrogate pair, which is a character in Java.
            Some(None) if code < 0x1_0000 => self.other_int("char", code),
            _ => return Err(self.input.corrupt("a character has a number that none has")),
        }
        Ok(())
    }

    /// The list that a map or set is stored as.
    fn collection(&mut self, depth: usize, head: fn(usize, &mut Writer) -> Option<()>) -> Result<()> {
        let code = self.code(depth)?;
        self.list(code, depth, head)
    }

    /// A keyword or symbol.
    fn name(&mut self, keyword: bool, depth: usize) -> Result<()> {
        let namespace = self.joined(if keyword { b":" } else { b"" }, depth)?;
        if !keyword && self.name.starts_with(b":") {
            self.colon_symbol(namespace);
        } else {
            self.out.tag(tag::SYMBOL);
            self.out.text_bytes(&self.name);
        }
        Ok(())
    }

    /// A symbol that would be a keyword in CBOR.
    fn colon_symbol(&mut self, namespace: Option<usize>) {
        self.named("sym");
        self.out.array(2);
        let name = self.name.split_off(namespace.map_or(0, |len| len + 1));
        match namespace.and_then(|len| self.name.get(..len)) {
            Some(namespace) => self.out.text_bytes(namespace),
            None => self.out.null(),
        }
        self.out.text_bytes(&name);
    }

    /// Puts `namespace/name` together after this; how long all is before the slash, if there is one.
    fn joined(&mut self, before: &[u8], depth: usize) -> Result<Option<usize>> {
        self.name.clear();
        self.name.extend(before);
        let mut namespace = None;
        if self.part(depth)? {
            namespace = Some(self.name.len());
            self.name.push(b'/');
        }
        if !self.part(depth)? {
            return Err(self.input.corrupt("a name is null"));
        }
        self.allow(self.name.len())?;
        Ok(namespace)
    }

    /// Adds a string to the name, as a rule from the cache; false if it is null.
    fn part(&mut self, depth: usize) -> Result<bool> {
        let code = self.code(depth)?;
        match code {
            codes::NULL => return Ok(false),
            codes::STRING_PACKED..=codes::STRING => self.name.extend(self.input.text(code)?.as_bytes()),
            codes::CACHED..codes::STRUCTS => {
                let text = self.seen.text((code - codes::CACHED).into());
                self.name.extend(text.ok_or_else(|| self.input.corrupt(NO_PART))?);
            }
            _ => {
                // What it holds may be a name, too.
                let before = std::mem::take(&mut self.name);
                let item = self.apart(code, depth)?;
                self.name = before;
                let mut reader = cbor::Reader::new(&item);
                let Ok(Head::Text(_)) = reader.head() else { return Err(self.input.corrupt(NO_PART)) };
                self.name.extend(reader.rest());
            }
        }
        Ok(true)
    }

    /// A record, after the number of its fields.
    fn record(&mut self, count: usize, depth: usize) -> Result<()> {
        let code = self.code(depth)?;
        let name = self.record_name(code, depth)?;
        self.named(&name);
        self.out.map(count);
        (0..count).try_for_each(|_| {
            let code = self.code(depth)?;
            self.list(code, depth, pair)
        })
    }

    /// A record as data.fressian has it, a name and a map. Incognito in ClojureScript uses the same struct: some versions as
    /// `irecord`, some with a map of `:tag` and `:value`.
    fn class_record(&mut self, depth: usize) -> Result<()> {
        let code = self.code(depth)?;
        if Input::is_int(code) {
            let count = usize::try_from(self.input.int(code)?);
            let count = count.map_err(|_| self.input.corrupt("a length is below zero"))?;
            let count = self.input.within(count)?;
            return self.record(count, depth);
        }
        let name = self.record_name(code, depth)?;
        self.named(&name);
        let start = self.out.len();
        self.item(depth)?;
        let fields = self.out.split_off(start);
        self.out.raw(wrapped(&name, &fields).unwrap_or(&fields));
        Ok(())
    }

    /// The symbol that is a record's name, which begins with this code.
    fn record_name(&mut self, code: u8, depth: usize) -> Result<String> {
        if Known::of_code(code) == Some(Known::Symbol) {
            self.joined(b"", deeper(depth)?)?;
            return Ok(String::from_utf8_lossy(&self.name).into_owned());
        }
        let item = self.apart(code, depth)?;
        let mut reader = cbor::Reader::new(&item);
        match (reader.head(), reader.head()) {
            (Ok(Head::Tag(tag::SYMBOL)), Ok(Head::Text(_))) => Ok(String::from_utf8_lossy(reader.rest()).into_owned()),
            _ => Err(self.input.corrupt("the name of a record is no symbol")),
        }
    }

    /// An array of numbers or of truth values.
    fn array(&mut self, known: Known) -> Result<()> {
        let count = self.input.count()?;
        if known == Known::Booleans {
            self.named("java/boolean-array");
            self.out.array(count);
            for _ in 0..count {
                match self.input.byte()? {
                    codes::TRUE => self.out.bool(true),
                    codes::FALSE => self.out.bool(false),
                    _ => return Err(self.input.corrupt("an array of truth values holds something else")),
                }
            }
            return Ok(());
        }
        let mut bytes = Vec::new();
        for _ in 0..count {
            self.element(known, &mut bytes)?;
        }
        self.out.tag(match known {
            Known::Ints => INTS,
            Known::Longs => LONGS,
            Known::Floats => FLOATS,
            _ => DOUBLES,
        });
        self.out.bytes(&bytes);
        Ok(())
    }

    fn element(&mut self, known: Known, bytes: &mut Vec<u8>) -> Result<()> {
        let code = self.input.byte()?;
        match known {
            Known::Longs => bytes.extend(self.input.int(code)?.to_le_bytes()),
            Known::Ints => {
                let n = i32::try_from(self.input.int(code)?);
                bytes.extend(n.map_err(|_| self.input.corrupt("an int has more than 32 bits"))?.to_le_bytes());
            }
            Known::Floats if code == codes::FLOAT => bytes.extend(self.input.array::<4>()?.iter().rev()),
            Known::Floats => return Err(self.input.corrupt("there is no float where one must be")),
            _ => bytes.extend(self.double(code)?.to_le_bytes()),
        }
        Ok(())
    }

    /// A tag of CBOR, and its content.
    fn tag(&mut self, depth: usize) -> Result<()> {
        let code = self.code(depth)?;
        let number = self.apart(code, depth)?;
        let mut reader = cbor::Reader::new(&number);
        let number = match reader.head() {
            Ok(Head::Positive(n)) => Some(n),
            Ok(Head::Tag(tag::BIG_POSITIVE)) if matches!(reader.head(), Ok(Head::Bytes(8))) => {
                reader.rest().first_chunk().copied().map(u64::from_be_bytes)
            }
            _ => None,
        };
        let number = number.ok_or_else(|| self.input.corrupt("a tag of CBOR has no number"))?;
        self.out.tag(number);
        self.item(depth)
    }

    fn bytes(&mut self, depth: usize) -> Result<Vec<u8>> {
        let code = self.code(depth)?;
        if let codes::BYTES_PACKED..=codes::BYTES = code {
            return self.input.bytes(code).map(Into::into);
        }
        let item = self.apart(code, depth)?;
        let mut reader = cbor::Reader::new(&item);
        match reader.head() {
            Ok(Head::Bytes(_)) => Ok(reader.rest().to_vec()),
            _ => Err(self.input.corrupt("there are no bytes where some must be")),
        }
    }

    fn int(&mut self, depth: usize) -> Result<i64> {
        let code = self.code(depth)?;
        if Input::is_int(code) {
            return self.input.int(code);
        }
        let item = self.apart(code, depth)?;
        let n = match cbor::Reader::new(&item).head() {
            Ok(Head::Positive(n)) => i64::try_from(n).ok(),
            Ok(Head::Negative(n)) => i64::try_from(n).ok().map(|n| !n),
            _ => None,
        };
        n.ok_or_else(|| self.input.corrupt("there is no number where one must be"))
    }

    /// A whole number of any kind, in two's complement.
    fn whole(&mut self, depth: usize) -> Result<Vec<u8>> {
        let code = self.code(depth)?;
        if Known::of_code(code) == Some(Known::BigInt) {
            return self.bytes(deeper(depth)?);
        }
        let item = self.apart(code, depth)?;
        let mut reader = cbor::Reader::new(&item);
        match reader.head() {
            Ok(Head::Positive(n)) => Ok(integer::twos_complement(false, &n.to_be_bytes())),
            Ok(Head::Negative(n)) => Ok(integer::twos_complement(true, &n.to_be_bytes())),
            Ok(Head::Tag(tag @ (tag::BIG_POSITIVE | tag::BIG_NEGATIVE))) if reader.head().is_ok() => {
                Ok(integer::twos_complement(tag == tag::BIG_NEGATIVE, reader.rest()))
            }
            _ => Err(self.input.corrupt("a part of a ratio is no whole number")),
        }
    }
}

const NO_PART: &str = "a part of a name is no string";

/// The value in `{:tag name, :value …}`.
fn wrapped<'a>(name: &str, map: &'a [u8]) -> Option<&'a [u8]> {
    let mut reader = cbor::Reader::new(map);
    let Head::Map(2) = reader.head().ok()? else { return None };
    let (mut symbol, mut named, mut value) = (Writer::new(), false, None);
    symbol.tag(tag::SYMBOL);
    symbol.text(name);
    let symbol = symbol.finish();
    for _ in 0..2 {
        match (reader.item().ok()?, reader.item().ok()?) {
            (b"\xd8\x27\x64:tag", tag) => named = tag == symbol,
            (b"\xd8\x27\x66:value", it) => value = Some(it),
            _ => {}
        }
    }
    value.filter(|_| named)
}

fn map(items: usize, out: &mut Writer) -> Option<()> {
    items.is_multiple_of(2).then(|| out.map(items / 2))
}

#[allow(clippy::unnecessary_wraps, reason = "as maps have it, whose length may be odd")]
fn set(items: usize, out: &mut Writer) -> Option<()> {
    out.tag(tag::SET);
    out.array(items);
    Some(())
}

/// A key and its value stand in a list of two, which leaves nothing behind but the two.
fn pair(items: usize, _: &mut Writer) -> Option<()> {
    (items == 2).then_some(())
}

/// A whole number that is a bigint whatever its size.
fn bigint(bytes: &[u8], out: &mut Writer) {
    let (negative, content) = integer::tag_content(bytes);
    out.tag(if negative { tag::BIG_NEGATIVE } else { tag::BIG_POSITIVE });
    out.bytes(&content);
}

/// A whole number that is a bigint only if 64 bits with a sign do not hold it.
fn compact(bytes: &[u8], out: &mut Writer) {
    let (negative, content) = integer::tag_content(bytes);
    let n = content.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
    match (content.len() <= 8).then(|| i64::try_from(n)) {
        Some(Ok(n)) => out.int(if negative { !n } else { n }),
        _ => bigint(bytes, out),
    }
}
