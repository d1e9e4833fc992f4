//! Values with a name, CBOR's tag 27, as they are written.

use super::{
    codes::{self, Known},
    integer,
    writer::{Writer, deeper, unsayable},
};
use crate::{
    cbor::{self, Head, tag},
    error::Result,
    value::Value,
};

impl<'a> Writer<'a> {
    /// What follows the tag; `depth` counts it.
    pub(super) fn named(&mut self, depth: usize) -> Result<()> {
        let whole = self.reader.clone();
        let inside = deeper(depth)?;
        let (Head::Array(2), Head::Text(len)) = (self.head()?, self.head()?) else { return Err(self.unfit()) };
        let name = self.text(len)?;
        let content = self.reader.clone();
        match (name, self.head()?) {
            ("clojure/sorted-map", Head::Map(len)) => {
                self.folded = true;
                self.map(len, inside)
            }
            (name, Head::Map(len)) => self.record(name, len, inside),
            ("clojure/queue", _) => Err(unsayable("a queue")),
            ("java/period", _) => Err(unsayable("a Period")),
            ("clojure/char", Head::Text(len)) => match one_unit(self.text(len)?) {
                Some(c) => {
                    self.structure("char", 1);
                    integer::write(u32::from(c).into(), &mut self.out);
                    Ok(())
                }
                None => self.escaped(tag::RECORD, whole, depth),
            },
            (name, Head::Array(len)) => self.members(name, len, [whole, content], depth),
            _ => self.escaped(tag::RECORD, whole, depth),
        }
    }

    fn record(&mut self, name: &'a str, len: usize, depth: usize) -> Result<()> {
        let depth = deeper(depth)?;
        self.structure("irecord", 2);
        integer::write_len(len, &mut self.out);
        self.name(Known::Symbol, name);
        (0..len).try_for_each(|_| {
            integer::write_head(codes::LIST_PACKED, codes::LIST, 2, &mut self.out);
            self.item(depth)?;
            self.item(depth)
        })
    }

    /// A name whose content is an array of so many members, which are next. `whole` is from the array around both on.
    fn members(
        &mut self,
        name: &'a str,
        len: usize,
        [whole, content]: [cbor::Reader<'a>; 2],
        depth: usize,
    ) -> Result<()> {
        let inside = deeper(depth)?;
        match name {
            "clojure/list" => {
                self.structure("plist", 2);
                integer::write_len(len, &mut self.out);
            }
            "java/list" => return self.list(len, inside),
            "java/object-array" => {
                self.known(Known::Objects);
                integer::write_len(len, &mut self.out);
            }
            "java/boolean-array" if are_bools(self.reader.clone(), len) => {
                self.known(Known::Booleans);
                integer::write_len(len, &mut self.out);
            }
            "clojure/sorted-set" if is_set(content.clone()) => {
                self.folded = true;
                self.known(Known::Set);
                return self.list(len, inside);
            }
            "clojure/with-meta" if len == 2 => {
                self.folded = true;
                self.reader.item().map_err(super::writer::flawed)?;
                return self.item(deeper(inside)?);
            }
            name if is_free(name, len, content) => self.structure(name, len),
            _ => return self.escaped(tag::RECORD, whole, depth),
        }
        self.items(len, inside)
    }
}

/// The character of a text that has one, which is one in Java.
fn one_unit(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|c| chars.next().is_none() && c.len_utf16() == 1)
}

fn are_bools(mut members: cbor::Reader<'_>, len: usize) -> bool {
    (0..len).all(|_| matches!(members.head(), Ok(Head::Simple(20 | 21))))
}

/// Whether no member of an array is there twice.
fn is_set(mut array: cbor::Reader<'_>) -> bool {
    let mut set = cbor::Writer::new();
    set.tag(tag::SET);
    set.raw(array.item().unwrap_or_default());
    cbor::check(&set.finish()).is_ok()
}

/// Whether a struct of this name comes back as what it is: it means nothing, or has a content that makes it mean nothing.
fn is_free(name: &str, len: usize, mut content: cbor::Reader<'_>) -> bool {
    let Some(known) = Known::of_name(name) else { return true };
    let (Ok(_), Ok(first)) = (content.head(), content.head()) else { return false };
    match (known, len, first) {
        (Known::Char, 1, Head::Positive(code)) => (0xd800..0xe000).contains(&code),
        (Known::Date, 1, Head::Positive(n)) => is_no_date(n, false),
        (Known::Date, 1, Head::Negative(n)) => is_no_date(n, true),
        (Known::Symbol, 2, Head::Simple(22)) => colon_text(content.head().ok(), &mut content),
        (Known::Symbol, 2, first) => {
            colon_text(Some(first), &mut content) && matches!(content.head(), Ok(Head::Text(_)))
        }
        _ => false,
    }
}

fn is_no_date(n: u64, negative: bool) -> bool {
    i64::try_from(n).is_ok_and(|n| Value::Date(if negative { !n } else { n }).to_cbor().is_err())
}

/// Whether this is the head of a text that begins with a colon; then it is read.
fn colon_text(head: Option<Head>, content: &mut cbor::Reader<'_>) -> bool {
    match head {
        Some(Head::Text(len)) => content.take(len).is_ok_and(|text| text.starts_with(b":")),
        _ => false,
    }
}
