//! From the inner form to Fressian.

use bytes::Bytes;

use super::{
    caches::{LONGEST, Written},
    codes::{self, Known},
    integer, text,
};
use crate::{
    cbor::{self, Flaw, FlawKind, Head, MAX_DEPTH},
    error::{Error, ErrorKind, Result},
};

/// See [`encode`](super::encode).
pub(super) fn write(item: &[u8]) -> Result<Bytes> {
    let mut writer = Writer {
        reader: cbor::Reader::new(item),
        out: Vec::with_capacity(item.len()),
        written: Written::new(),
        folded: false,
    };
    writer.item(0)?;
    if !writer.reader.rest().is_empty() {
        return Err(flawed(writer.reader.flaw(FlawKind::Trailing)));
    }
    if writer.folded {
        unfold(&writer.out)?;
    }
    Ok(writer.out.into())
}

/// That what was written of several forms as one can be read: two keys of a map may have become the same.
fn unfold(stored: &[u8]) -> Result<()> {
    match super::decode_within(stored, u64::MAX) {
        Err(error) if error.kind() == ErrorKind::Corrupt => Err(unsayable(
            "two keys of a map, or two members of a set, that are the same there, such as a sorted map and a plain one",
        )),
        other => other.map(drop),
    }
}

/// A value, and what was written of it. `depth` is how many containers are around an item.
pub(super) struct Writer<'a> {
    pub(super) reader: cbor::Reader<'a>,
    pub(super) out: Vec<u8>,
    written: Written<'a>,
    /// Whether something was written as something else is, too.
    pub(super) folded: bool,
}

impl<'a> Writer<'a> {
    /// One item.
    pub(super) fn item(&mut self, depth: usize) -> Result<()> {
        let first = self.reader.rest().first().copied();
        match self.head()? {
            Head::Positive(n) => self.whole(false, n),
            Head::Negative(n) => self.whole(true, n),
            Head::Float(n) if first != Some(0xfb) => {
                self.folded |= first == Some(0xf9);
                self.out.push(codes::FLOAT);
                self.out.extend(float_bits(n).to_be_bytes());
            }
            Head::Float(n) => self.double(n),
            Head::Simple(20) => self.out.push(codes::FALSE),
            Head::Simple(21) => self.out.push(codes::TRUE),
            Head::Simple(22) => self.out.push(codes::NULL),
            Head::Simple(_) => self.structure("js/undefined", 0),
            Head::Bytes(len) => {
                let bytes = self.take(len)?;
                self.bytes(bytes);
            }
            Head::Text(len) => {
                let text = self.text(len)?;
                text::write(text, &mut self.out);
            }
            Head::Array(len) => {
                self.structure("pvec", 2);
                integer::write_len(len, &mut self.out);
                self.items(len, depth)?;
            }
            Head::Map(len) => self.map(len, depth)?,
            Head::Tag(tag) => self.tagged(tag, deeper(depth)?)?,
        }
        Ok(())
    }

    /// So many items, in one container.
    pub(super) fn items(&mut self, count: usize, depth: usize) -> Result<()> {
        let depth = deeper(depth)?;
        (0..count).try_for_each(|_| self.item(depth))
    }

    /// A map, after its head.
    pub(super) fn map(&mut self, len: usize, depth: usize) -> Result<()> {
        self.known(Known::Map);
        self.list(2 * len, depth)
    }

    /// The members of a list of Fressian's own.
    pub(super) fn list(&mut self, len: usize, depth: usize) -> Result<()> {
        integer::write_head(codes::LIST_PACKED, codes::LIST, len, &mut self.out);
        self.items(len, depth)
    }

    /// A whole number: `n`, or `-1 - n`.
    fn whole(&mut self, negative: bool, n: u64) {
        if let Ok(n) = i64::try_from(n) {
            integer::write(if negative { !n } else { n }, &mut self.out);
        } else {
            self.folded = true;
            self.bigint(negative, &n.to_be_bytes());
        }
    }

    /// A whole number of any size, from the content of CBOR's tag 2 or 3.
    pub(super) fn bigint(&mut self, negative: bool, content: &[u8]) {
        self.known(Known::BigInt);
        self.bytes(&integer::twos_complement(negative, content));
    }

    /// A double. Clojure writes -0.0 as 0.0; its own code keeps the sign, and Clojure reads that.
    pub(super) fn double(&mut self, n: f64) {
        match n.to_bits() {
            0 => self.out.push(codes::DOUBLE_0),
            0x3ff0_0000_0000_0000 => self.out.push(codes::DOUBLE_1),
            bits => {
                self.out.push(codes::DOUBLE);
                self.out.extend(bits.to_be_bytes());
            }
        }
    }

    /// A byte string, in chunks if it is long.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        const CHUNK: usize = 65_535;
        let mut rest = bytes;
        while let Some((chunk, after)) = rest.split_at_checked(CHUNK).filter(|(_, after)| !after.is_empty()) {
            self.out.push(codes::BYTES_CHUNK);
            integer::write_len(CHUNK, &mut self.out);
            self.out.extend(chunk);
            rest = after;
        }
        if bytes.len() < codes::PACKED {
            integer::write_head(codes::BYTES_PACKED, codes::BYTES, rest.len(), &mut self.out);
        } else {
            // What is left of chunks never has its length in its code.
            self.out.push(codes::BYTES);
            integer::write_len(rest.len(), &mut self.out);
        }
        self.out.extend(rest);
    }

    /// The beginning of a struct that has a code.
    pub(super) fn known(&mut self, known: Known) {
        self.out.extend(known.code());
    }

    /// The beginning of any other struct.
    #[allow(clippy::cast_possible_truncation, reason = "below 16")]
    pub(super) fn structure(&mut self, name: &'a str, parts: usize) {
        match self.written.structure(name, parts) {
            None => {
                self.out.push(codes::STRUCT_TYPE);
                text::write(name, &mut self.out);
                integer::write_len(parts, &mut self.out);
            }
            Some(index @ 0..codes::STRUCTS_LEN) => self.out.push(codes::STRUCTS + index as u8),
            Some(index) => {
                self.out.push(codes::STRUCT);
                integer::write_len(index, &mut self.out);
            }
        }
    }

    /// A keyword or symbol, without its colon.
    pub(super) fn name(&mut self, known: Known, name: &'a str) {
        self.known(known);
        // As Clojure splits names: at the first slash, but for the symbol / itself.
        if let Some((namespace, name)) = name.split_once('/').filter(|_| name != "/") {
            self.cached(namespace);
            self.cached(name);
        } else {
            self.out.push(codes::NULL);
            self.cached(name);
        }
    }

    /// A text that goes through the cache, if it is worth it.
    #[allow(clippy::cast_possible_truncation, reason = "below 32")]
    fn cached(&mut self, text: &'a str) {
        if text.is_empty() || text.len() > LONGEST {
            return text::write(text, &mut self.out);
        }
        match self.written.text(text) {
            None => {
                self.out.push(codes::PUT_CACHED);
                text::write(text, &mut self.out);
            }
            Some(index @ 0..codes::CACHED_LEN) => self.out.push(codes::CACHED + index as u8),
            Some(index) => {
                self.out.push(codes::GET_CACHED);
                integer::write_len(index, &mut self.out);
            }
        }
    }

    pub(super) fn head(&mut self) -> Result<Head> {
        self.reader.head().map_err(flawed)
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        self.reader.take(len).map_err(flawed)
    }

    pub(super) fn text(&mut self, len: usize) -> Result<&'a str> {
        let flaw = self.reader.flaw(FlawKind::Utf8);
        std::str::from_utf8(self.take(len)?).map_err(|_| flawed(flaw))
    }
}

/// The bits of a float; every NaN has the same.
#[allow(clippy::cast_possible_truncation, reason = "it was one before")]
fn float_bits(n: f64) -> u32 {
    if n.is_nan() { 0x7fc0_0000 } else { (n as f32).to_bits() }
}

/// One level deeper, if the limit allows it.
pub(super) fn deeper(depth: usize) -> Result<usize> {
    if depth < MAX_DEPTH {
        Ok(depth + 1)
    } else {
        Err(Error::new(ErrorKind::LimitExceeded, format!("a value is nested deeper than {MAX_DEPTH}; make it flatter")))
    }
}

/// The error of a value that is no item of CBOR.
#[cold]
pub(super) fn flawed(flaw: Flaw) -> Error {
    Error::new(ErrorKind::InvalidValue, format!("the value cannot be stored: {flaw}"))
}

/// The error of what Fressian, as Clojure konserve writes it, has no form for.
#[cold]
pub(super) fn unsayable(what: &str) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format!("Fressian cannot store {what}; store something else, or let the store write CBOR"),
    )
}
