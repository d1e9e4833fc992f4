//! The members of what serde's types put together, as CBOR.

use serde::{
    Serialize,
    ser::{
        self, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

use super::serde_write::{Item, Refused};
use crate::cbor::{Head, Reader, Writer};

/// The members of an array or a map, or a tag's number and its content.
pub(super) struct Members<'w> {
    out: &'w mut Writer,
    depth: usize,
    /// How many items a member is.
    each: usize,
    /// How many members there are, where that was said.
    len: Option<usize>,
    /// Where it begins.
    at: usize,
    /// How many items there were.
    written: usize,
    tagged: bool,
}

impl<'w> Members<'w> {
    /// Of a container, inside of which they are; `each` is one item, or a key and a value.
    pub(super) fn new(Item { out, depth }: Item<'w>, each: usize, len: Option<usize>) -> Self {
        let mut members = Self { at: out.len(), out, depth, each, len, written: 0, tagged: false };
        if let Some(len) = len {
            members.head(len);
        }
        members
    }

    /// The number of a tag, inside of which they are, and its content.
    pub(super) fn tagged(Item { out, depth }: Item<'w>) -> Self {
        Self { at: out.len(), out, depth, each: 1, len: Some(2), written: 0, tagged: true }
    }

    fn head(&mut self, len: usize) {
        if self.each == 1 { self.out.array(len) } else { self.out.map(len) }
    }

    fn add<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Refused> {
        self.written += 1;
        item.serialize(Item { out: self.out, depth: self.depth })
    }

    fn entry<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Refused> {
        self.written += 2;
        self.out.text(name);
        value.serialize(Item { out: self.out, depth: self.depth })
    }

    /// Makes a tag of the number that was written.
    fn tag(&mut self) -> Result<(), Refused> {
        let number = self.out.split_off(self.at);
        let Ok(Head::Positive(n)) = Reader::new(&number).head() else {
            return Err(ser::Error::custom("a tag is a whole number from 0"));
        };
        self.out.tag(n);
        Ok(())
    }

    /// The head of what did not say how long it is comes here.
    fn finish(mut self) -> Result<(), Refused> {
        let len = self.written / self.each;
        if self.len.unwrap_or(len).checked_mul(self.each) != Some(self.written) {
            return Err(ser::Error::custom("it serializes more or fewer items than it said"));
        }
        if self.len.is_none() {
            let items = self.out.split_off(self.at);
            self.head(len);
            self.out.raw(&items);
        }
        Ok(())
    }
}

impl SerializeSeq for Members<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.add(value)
    }

    fn end(self) -> Result<(), Refused> {
        self.finish()
    }
}

impl SerializeTuple for Members<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.add(value)
    }

    fn end(self) -> Result<(), Refused> {
        self.finish()
    }
}

impl SerializeTupleStruct for Members<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.add(value)
    }

    fn end(self) -> Result<(), Refused> {
        self.finish()
    }
}

impl SerializeTupleVariant for Members<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.add(value)?;
        if self.tagged && self.written == 1 { self.tag() } else { Ok(()) }
    }

    fn end(self) -> Result<(), Refused> {
        self.finish()
    }
}

impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        self.add(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.add(value)
    }

    fn end(self) -> Result<(), Refused> {
        self.finish()
    }
}

impl SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Refused> {
        self.entry(name, value)
    }

    fn end(self) -> Result<(), Refused> {
        self.finish()
    }
}

impl SerializeStructVariant for Members<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Refused> {
        self.entry(name, value)
    }

    fn end(self) -> Result<(), Refused> {
        self.finish()
    }
}
