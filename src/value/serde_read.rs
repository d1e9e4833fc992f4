//! From the CBOR of a store to serde's types.
//!
//! Not by ciborium, whose floats refuse whole numbers: JavaScript stores `2.0` as `2`, and a Rust `f64` must read it.

use std::fmt;

use serde::{
    Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
        Visitor, value::SeqDeserializer,
    },
    forward_to_deserialize_any,
};

use super::{BigInt, cbor::flawed};
use crate::{
    cbor::{Flaw, FlawKind, Head, MAX_DEPTH, Reader, tag},
    error::{Error, ErrorKind, Result},
};

/// The value of a CBOR item. `INVALID_VALUE` if it does not fit the type, `CORRUPT`, `LIMIT_EXCEEDED`.
pub(super) fn from_cbor<T: DeserializeOwned>(item: &[u8]) -> Result<T> {
    let mut reader = Reader::new(item);
    let value = T::deserialize(Items { reader: &mut reader, depth: 0 }).map_err(|unfit| match unfit {
        Unfit::Flaw(flaw) => flawed(&flaw),
        Unfit::Type(why) => {
            Error::new(ErrorKind::InvalidValue, format!("the stored value is no {}: {why}", std::any::type_name::<T>()))
        }
    })?;
    match reader.rest() {
        [] => Ok(value),
        _ => Err(flawed(&reader.flaw(FlawKind::Trailing))),
    }
}

/// Why an item is not read.
#[derive(Debug)]
enum Unfit {
    Flaw(Flaw),
    Type(String),
}

impl From<Flaw> for Unfit {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(flaw)
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flaw(flaw) => write!(f, "no CBOR at byte {}", flaw.at),
            Self::Type(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Unfit {}

impl de::Error for Unfit {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self::Type(why.to_string())
    }
}

/// The items that come next.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    /// How many arrays, maps and tags are around.
    depth: usize,
}

impl<'de> Items<'_, 'de> {
    fn again(&mut self) -> Items<'_, 'de> {
        Items { reader: &mut *self.reader, depth: self.depth }
    }

    /// The next head behind tags that mean nothing to serde's types; those of bigints are kept.
    fn head(&mut self) -> Result<Head, Unfit> {
        loop {
            let head = self.reader.head()?;
            if self.depth >= MAX_DEPTH && matches!(head, Head::Array(_) | Head::Map(_) | Head::Tag(_)) {
                return Err(self.reader.flaw(FlawKind::Depth).into());
            }
            match head {
                Head::Tag(tag::BIG_POSITIVE | tag::BIG_NEGATIVE) => return Ok(head),
                Head::Tag(_) => self.depth += 1,
                head => return Ok(head),
            }
        }
    }

    /// The next head, without reading it.
    fn peek(&self) -> Result<Head, Unfit> {
        Items { reader: &mut self.reader.clone(), depth: self.depth }.head()
    }

    fn text(&mut self, len: usize) -> Result<&'de str, Unfit> {
        let at = self.reader.flaw(FlawKind::Utf8);
        std::str::from_utf8(self.reader.take(len)?).map_err(|_| at.into())
    }

    /// The content of tag 2 or 3.
    fn bigint<V: Visitor<'de>>(&mut self, negative: bool, visitor: V) -> Result<V::Value, Unfit> {
        let Head::Bytes(len) = self.reader.head()? else { return Err(self.reader.flaw(FlawKind::Tag).into()) };
        let whole = BigInt::from_tag_content(negative, self.reader.take(len)?);
        match (whole.to_i128(), whole.to_u128()) {
            (Some(n), _) => integer(n, visitor),
            (None, Some(n)) => visitor.visit_u128(n),
            _ => Err(de::Error::custom("an integer of more than 128 bits")),
        }
    }
}

fn integer<'de, V: Visitor<'de>>(n: i128, visitor: V) -> Result<V::Value, Unfit> {
    match (u64::try_from(n), i64::try_from(n)) {
        (Ok(n), _) => visitor.visit_u64(n),
        (_, Ok(n)) => visitor.visit_i64(n),
        _ => visitor.visit_i128(n),
    }
}

impl<'de> Deserializer<'de> for Items<'_, 'de> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Unfit> {
        match self.head()? {
            Head::Positive(n) => visitor.visit_u64(n),
            Head::Negative(n) => integer(-1 - i128::from(n), visitor),
            Head::Float(n) => visitor.visit_f64(n),
            Head::Simple(20) => visitor.visit_bool(false),
            Head::Simple(21) => visitor.visit_bool(true),
            Head::Simple(22 | 23) => visitor.visit_unit(),
            Head::Simple(_) => Err(self.reader.flaw(FlawKind::Head).into()),
            Head::Bytes(len) => visitor.visit_borrowed_bytes(self.reader.take(len)?),
            Head::Text(len) => visitor.visit_borrowed_str(self.text(len)?),
            Head::Tag(tag) => self.bigint(tag == tag::BIG_NEGATIVE, visitor),
            Head::Array(len) => Members::new(self, len).visit(|members| visitor.visit_seq(members)),
            Head::Map(len) => Members::new(self, len).visit(|members| visitor.visit_map(members)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Unfit> {
        match self.peek()? {
            Head::Simple(22 | 23) => {
                self.head()?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    /// Bytes are a list of numbers too.
    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Unfit> {
        match self.peek()? {
            Head::Bytes(len) => {
                self.head()?;
                let mut bytes = SeqDeserializer::<_, Unfit>::new(self.reader.take(len)?.iter().copied());
                let value = visitor.visit_seq(&mut bytes)?;
                bytes.end()?;
                Ok(value)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_seq(visitor)
    }

    /// A variant without content is its name, others are a map of name to content.
    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match self.peek()? {
            Head::Text(_) => {
                let Head::Text(len) = self.head()? else { return Err(self.reader.flaw(FlawKind::Head).into()) };
                visitor.visit_enum(self.text(len)?.into_deserializer())
            }
            Head::Map(1) => {
                self.head()?;
                visitor.visit_enum(Members::new(self, 1))
            }
            _ => Err(de::Error::custom("a variant is a text, or a map of one entry")),
        }
    }

    /// Steps over the item, whatever it is.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.reader.item()?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct map struct
        identifier
    }
}

/// The members of an array or map, whose head was read.
struct Members<'r, 'de> {
    items: Items<'r, 'de>,
    left: usize,
}

impl<'r, 'de> Members<'r, 'de> {
    fn new(items: Items<'r, 'de>, left: usize) -> Self {
        Self { items: Items { depth: items.depth + 1, ..items }, left }
    }

    /// All of them must be wanted.
    fn visit<T>(mut self, visit: impl FnOnce(&mut Self) -> Result<T, Unfit>) -> Result<T, Unfit> {
        let value = visit(&mut self)?;
        match self.left {
            0 => Ok(value),
            left => Err(de::Error::custom(format_args!("{left} items more than wanted"))),
        }
    }

    fn next<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                seed.deserialize(self.items.again()).map(Some)
            }
            None => Ok(None),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Members<'_, 'de> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        self.next(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for &mut Members<'_, 'de> {
    type Error = Unfit;

    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        self.next(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Unfit> {
        seed.deserialize(self.items.again())
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'r, 'de> EnumAccess<'de> for Members<'r, 'de> {
    type Error = Unfit;
    type Variant = Items<'r, 'de>;

    fn variant_seed<T: DeserializeSeed<'de>>(mut self, seed: T) -> Result<(T::Value, Items<'r, 'de>), Unfit> {
        Ok((seed.deserialize(self.items.again())?, self.items))
    }
}

impl<'de> VariantAccess<'de> for Items<'_, 'de> {
    type Error = Unfit;

    fn unit_variant(self) -> Result<(), Unfit> {
        de::Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Unfit> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_any(visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, HashMap, HashSet},
        fmt::Debug,
    };

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::{FromCbor, ToCbor, Value, edn};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Person {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        age: Option<u8>,
        likes: Vec<Thing>,
        at: (f32, f64),
        nothing: (),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Thing {
        Tea,
        Number(i64),
        Pair(char, bool),
        Named { unit: Unit, inner: Option<Box<Thing>> },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Inside {
        A { n: f64 },
        B,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(f64),
        Text(String),
        List(Vec<Either>),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Flat {
        id: u64,
        #[serde(flatten)]
        others: BTreeMap<String, Either>,
    }

    fn survives<T: ToCbor + FromCbor + PartialEq + Debug>(it: &T) {
        let bytes = it.to_cbor().unwrap();
        assert_eq!(Value::from_cbor(&bytes).unwrap().to_cbor().unwrap(), bytes, "{it:?}");
        assert_eq!(&T::from_cbor(&bytes).unwrap(), it);
    }

    fn read<T: FromCbor>(text: &str) -> Result<T> {
        T::from_cbor(&edn::read(text).unwrap().to_cbor().unwrap())
    }

    #[test]
    fn usual_types_survive() {
        survives(&Person {
            name: "Ada".into(),
            age: Some(36),
            likes: vec![
                Thing::Tea,
                Thing::Number(i64::MIN),
                Thing::Pair('λ', true),
                Thing::Named { unit: Unit, inner: Some(Box::new(Thing::Tea)) },
                Thing::Named { unit: Unit, inner: None },
            ],
            at: (1.5, 2.0),
            nothing: (),
        });
        survives(&(u64::MAX, i64::MIN, u8::MAX, i8::MIN));
        survives(&(i128::MAX, i128::MIN, u128::MAX, 0_u128, i128::from(i64::MIN) - 1));
        survives(&(f32::MIN_POSITIVE, f64::MAX, -0.0_f64, f64::INFINITY));
        survives(&(None::<u8>, Some("x".to_owned()), (), 'x', "x".repeat(10_000)));
        survives(&HashMap::from([(1_u32, vec![1_u8, 2]), (2, vec![])]));
        survives(&HashSet::from(["a".to_owned(), "b".to_owned()]));
        survives(&[Inside::A { n: 1.0 }, Inside::B]);
        survives(&[Either::Number(1.5), Either::Text("x".into()), Either::List(vec![Either::Number(-1.0)])]);
        survives(&Flat { id: 1, others: [("a".to_owned(), Either::Text("b".into()))].into() });
        survives(&bytes::Bytes::from_static(b"\x00\xff").to_vec());
        survives(&std::time::Duration::from_millis(1500));
        survives(&Value::Keyword("a".into()));
    }

    #[test]
    fn what_others_wrote_is_read() {
        assert_eq!(read::<(f64, f32)>("[2 -3]").unwrap(), (2.0, -3.0), "JavaScript writes 2.0 as 2");
        assert_eq!(read::<Inside>(r#"{"kind" "A", "n" 1}"#).unwrap(), Inside::A { n: 1.0 });
        assert_eq!(read::<HashSet<String>>(r#"#{"a" :b}"#).unwrap(), HashSet::from(["a".to_owned(), ":b".to_owned()]));
        assert_eq!(read::<HashMap<String, u8>>(r#"#js/map {"a" 1}"#).unwrap(), HashMap::from([("a".to_owned(), 1)]));
        assert_eq!(read::<String>(r#"#inst "2024""#).unwrap(), "2024-01-01T00:00:00Z");
        assert_eq!(read::<[u8; 16]>(r#"#uuid "00010203-0405-0607-0809-0a0b0c0d0e0f""#).unwrap()[15], 15);
        assert_eq!(read::<Vec<u8>>(r#"#bytes "0102""#).unwrap(), [1, 2]);
        assert_eq!(read::<(u64, i8, i128)>("[5N -5N 5N]").unwrap(), (5, -5, 5));
        assert_eq!(read::<(i64, i64)>("1.50M").unwrap(), (-2, 150));
        assert_eq!(read::<Vec<Option<bool>>>("[#js/undefined nil nil true]").unwrap(), [None, None, Some(true)]);
        assert_eq!(read::<Flat>(r#"{"id" 1}"#).unwrap().id, 1);
        let many = format!(r#"{{"name" "x", "likes" [], "at" [0 0], "nothing" nil, "more" [{}N :x]}}"#, "9".repeat(99));
        assert_eq!(read::<Person>(&many).unwrap().age, None);
    }

    #[test]
    fn what_does_not_fit_names_the_type() {
        for (error, wanted) in [
            (read::<u8>("256").unwrap_err(), "no u8: invalid value: integer `256`"),
            (read::<bool>("1").unwrap_err(), "no bool: invalid type: integer `1`"),
            (read::<String>("[1]").unwrap_err(), "no alloc::string::String: invalid type: sequence"),
            (read::<(u8, u8)>("[1]").unwrap_err(), "no (u8, u8): invalid length 1"),
            (read::<(u8, u8)>("[1 2 3]").unwrap_err(), "no (u8, u8): 1 items more than wanted"),
            (read::<[u8; 1]>(r#"#bytes "0102""#).unwrap_err(), "no [u8; 1]: invalid length 2"),
            (read::<Thing>(r#""Coffee""#).unwrap_err(), "unknown variant `Coffee`"),
            (read::<Thing>("5").unwrap_err(), "a variant is a text, or a map of one entry"),
            (read::<Person>("{}").unwrap_err(), "missing field `name`"),
            (read::<u64>("99999999999999999999999999999999999999999999N").unwrap_err(), "more than 128 bits"),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            assert!(error.message().contains(wanted), "{error}");
        }
    }

    #[test]
    fn bytes_that_are_no_value_are_corrupt() {
        for damaged in [&b""[..], b"\x61", b"\x61\x80", b"\x60\x00", b"\x9f", b"\xc2\x00"] {
            assert_eq!(String::from_cbor(damaged).unwrap_err().kind(), ErrorKind::Corrupt, "{damaged:?}");
        }
        let deep = [&[0x81; 511][..], &[0x80]].concat();
        assert!(serde_json::Value::from_cbor(&deep).is_ok());
        let bomb = [&[0x81; 600][..], &[0]].concat();
        assert_eq!(serde_json::Value::from_cbor(&bomb).unwrap_err().kind(), ErrorKind::LimitExceeded);
        assert_eq!(u8::from_cbor(&[0xc6; 600]).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            _ = serde_json::Value::from_cbor(&bytes);
            _ = Vec::<Thing>::from_cbor(&bytes);
        }

        #[test]
        fn numbers_survive(a: i128, b: u128, c: f64, d: f32) {
            prop_assert_eq!(<(i128, u128, f64, f32)>::from_cbor(&(a, b, c, d).to_cbor().unwrap()).unwrap(), (a, b, c, d));
        }
    }
}
