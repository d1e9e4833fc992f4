//! From serde's types to the CBOR that a store keeps.
//!
//! Not by ciborium, which shrinks floats and leaves out lengths that serde does not know: a second walk would have to put
//! that right. Its tags are known here, too.

use std::fmt;

use serde::{Serialize, Serializer, ser};

use super::{cbor::too_deep, serde_members::Members};
use crate::{
    cbor::{MAX_DEPTH, Writer, tag},
    error::{Error, ErrorKind, Result},
};

/// Room that most small values fit into.
const ROOM: usize = 128;

/// The CBOR item of a value. `INVALID_VALUE`, `LIMIT_EXCEEDED`.
pub(super) fn to_cbor(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>> {
    let mut out = Writer::with_capacity(ROOM);
    value.serialize(Item { out: &mut out, depth: 0 }).map_err(|Refused(error)| error)?;
    Ok(out.finish())
}

/// Why a value is not written.
#[derive(Debug)]
pub(super) struct Refused(Error);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.message())
    }
}

impl std::error::Error for Refused {}

impl ser::Error for Refused {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self(Error::new(ErrorKind::InvalidValue, format!("this value cannot be stored: {why}")))
    }
}

/// The place of one item.
pub(super) struct Item<'w> {
    pub(super) out: &'w mut Writer,
    /// How many arrays, maps and tags are around.
    pub(super) depth: usize,
}

impl<'w> Item<'w> {
    /// What is inside of a container or tag that is written here.
    fn inside(self) -> Result<Self, Refused> {
        if self.depth < MAX_DEPTH { Ok(Self { depth: self.depth + 1, ..self }) } else { Err(Refused(too_deep())) }
    }

    /// A container; `each` of its members is one item, or a key and a value.
    fn members(self, each: usize, len: Option<usize>) -> Result<Members<'w>, Refused> {
        Ok(Members::new(self.inside()?, each, len))
    }

    /// The content of a variant: the one entry of a map.
    fn variant(self, name: &str) -> Result<Self, Refused> {
        let inside = self.inside()?;
        inside.out.map(1);
        inside.out.text(name);
        Ok(inside)
    }

    /// An integer beyond 64 bits.
    fn big(self, tag: u64, magnitude: u128) -> Result<(), Refused> {
        let inside = self.inside()?;
        let digits = magnitude.to_be_bytes();
        let zeros = digits.iter().take_while(|byte| **byte == 0).count();
        inside.out.tag(tag);
        inside.out.bytes(digits.get(zeros..).unwrap_or_default());
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps, reason = "as serde wants it of every item")]
    fn done(self, write: impl FnOnce(&mut Writer)) -> Result<(), Refused> {
        write(self.out);
        Ok(())
    }
}

impl<'w> Serializer for Item<'w> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Members<'w>;
    type SerializeTuple = Members<'w>;
    type SerializeTupleStruct = Members<'w>;
    type SerializeTupleVariant = Members<'w>;
    type SerializeMap = Members<'w>;
    type SerializeStruct = Members<'w>;
    type SerializeStructVariant = Members<'w>;

    fn serialize_bool(self, b: bool) -> Result<(), Refused> {
        self.done(|out| out.bool(b))
    }

    fn serialize_i8(self, n: i8) -> Result<(), Refused> {
        self.serialize_i64(n.into())
    }

    fn serialize_i16(self, n: i16) -> Result<(), Refused> {
        self.serialize_i64(n.into())
    }

    fn serialize_i32(self, n: i32) -> Result<(), Refused> {
        self.serialize_i64(n.into())
    }

    fn serialize_i64(self, n: i64) -> Result<(), Refused> {
        self.done(|out| out.int(n))
    }

    fn serialize_i128(self, n: i128) -> Result<(), Refused> {
        match (u128::try_from(n), u64::try_from(!n)) {
            (Ok(n), _) => self.serialize_u128(n),
            (_, Ok(n)) => self.done(|out| out.negative(n)),
            _ => self.big(tag::BIG_NEGATIVE, !n.cast_unsigned()),
        }
    }

    fn serialize_u8(self, n: u8) -> Result<(), Refused> {
        self.serialize_u64(n.into())
    }

    fn serialize_u16(self, n: u16) -> Result<(), Refused> {
        self.serialize_u64(n.into())
    }

    fn serialize_u32(self, n: u32) -> Result<(), Refused> {
        self.serialize_u64(n.into())
    }

    fn serialize_u64(self, n: u64) -> Result<(), Refused> {
        self.done(|out| out.positive(n))
    }

    fn serialize_u128(self, n: u128) -> Result<(), Refused> {
        match u64::try_from(n) {
            Ok(n) => self.serialize_u64(n),
            Err(_) => self.big(tag::BIG_POSITIVE, n),
        }
    }

    fn serialize_f32(self, n: f32) -> Result<(), Refused> {
        self.serialize_f64(n.into())
    }

    fn serialize_f64(self, n: f64) -> Result<(), Refused> {
        self.done(|out| out.float(n))
    }

    fn serialize_char(self, c: char) -> Result<(), Refused> {
        self.serialize_str(c.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<(), Refused> {
        self.done(|out| out.text(text))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Refused> {
        self.done(|out| out.bytes(bytes))
    }

    fn serialize_none(self) -> Result<(), Refused> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Refused> {
        self.done(Writer::null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refused> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Refused> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        // What ciborium calls a value that may have a tag, and has none.
        let untagged = name == "@@TAG@@" && variant == "@@UNTAGGED@@";
        value.serialize(if untagged { self } else { self.variant(variant)? })
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Members<'w>, Refused> {
        self.members(1, len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Members<'w>, Refused> {
        self.members(1, Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Members<'w>, Refused> {
        self.members(1, Some(len))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Members<'w>, Refused> {
        // What ciborium calls a tag and its content.
        if name == "@@TAG@@" && variant == "@@TAGGED@@" {
            return Ok(Members::tagged(self.inside()?));
        }
        self.variant(variant)?.members(1, Some(len))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Members<'w>, Refused> {
        self.members(2, len)
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Members<'w>, Refused> {
        self.members(2, Some(len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Members<'w>, Refused> {
        self.variant(variant)?.members(2, Some(len))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use serde::ser::SerializeSeq;

    use super::*;
    use crate::Value;

    /// Serializes so many items and says how many in advance, or not.
    struct Items(Option<usize>, usize);

    impl Serialize for Items {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut items = serializer.serialize_seq(self.0)?;
            (0..self.1).try_for_each(|at| items.serialize_element(&at))?;
            items.end()
        }
    }

    #[test]
    fn floats_have_8_bytes_and_lists_their_length() {
        assert_eq!(to_cbor(&1.5_f32).unwrap(), [0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]);
        assert_eq!(to_cbor(&Items(None, 3)).unwrap(), [0x83, 0, 1, 2]);
        let flat: std::collections::BTreeMap<&str, Items> = [("a", Items(None, 0))].into();
        assert_eq!(to_cbor(&flat).unwrap(), [0xa1, 0x61, b'a', 0x80]);
    }

    #[test]
    fn the_bytes_are_those_of_the_same_value() {
        let text = "x".repeat(300);
        for (bytes, value) in [
            (to_cbor(&(u64::MAX, i64::MIN, -1_i8)), Value::Array(vec![u64::MAX.into(), i64::MIN.into(), (-1).into()])),
            (to_cbor(&i128::MIN), Value::BigInt(i128::MIN.into())),
            (to_cbor(&Some(&text)), Value::Text(text.clone())),
            (
                to_cbor(&((), None::<u8>, 'λ', true)),
                Value::Array(vec![Value::Null, Value::Null, "λ".into(), true.into()]),
            ),
        ] {
            assert_eq!(bytes.unwrap(), value.to_cbor().unwrap());
        }
    }

    /// What ciborium writes, with its floats in 8 bytes.
    fn as_ciborium(value: &impl Serialize) -> Vec<u8> {
        let mut written = Vec::new();
        ciborium::into_writer(value, &mut written).unwrap();
        Value::from_cbor(&written).unwrap().to_cbor().unwrap()
    }

    #[test]
    fn every_kind_of_type_is_written_as_ciborium_does() {
        #[derive(Serialize)]
        enum Kind {
            Unit,
            New(u8),
            Tuple(i8, char),
            Struct { a: Option<bool>, b: () },
        }
        #[derive(Serialize)]
        struct Pair(u64, i128);
        #[derive(Serialize)]
        struct Unit;
        let kinds = [Kind::Unit, Kind::New(1), Kind::Tuple(-1, 'x'), Kind::Struct { a: None, b: () }];
        let numbers =
            (Pair(u64::MAX, -1), i128::MIN, u128::MAX, i128::from(i64::MIN) - 1, -(1_i128 << 64), 1_i128 << 64);
        assert_eq!(to_cbor(&kinds).unwrap(), as_ciborium(&kinds));
        assert_eq!(to_cbor(&numbers).unwrap(), as_ciborium(&numbers));
        assert_eq!(to_cbor(&Unit).unwrap(), [0xf6]);
        let tagged = (ciborium::tag::Accepted::<_, 32>("https://a.example"), ciborium::tag::Captured(None, 1));
        assert_eq!(to_cbor(&tagged).unwrap(), as_ciborium(&tagged));
    }

    #[test]
    fn what_cannot_be_stored_is_refused() {
        for wrong in [Items(Some(1), 2), Items(Some(2), 1)] {
            assert_eq!(to_cbor(&wrong).unwrap_err().kind(), ErrorKind::InvalidValue);
        }
        let poisoned = std::time::UNIX_EPOCH - std::time::Duration::from_secs(1);
        assert_eq!(to_cbor(&poisoned).unwrap_err().kind(), ErrorKind::InvalidValue, "serde refuses times before 1970");
        let deep = (0..513).fold(serde_json::Value::Null, |inner, _| vec![inner].into());
        assert_eq!(to_cbor(&deep).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }
}
