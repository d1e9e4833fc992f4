//! From serde's types to the CBOR that a store keeps: ciborium serializes, then one walk gives every item our form.

use ciborium_ll::{Decoder, Header};
use serde::Serialize;

use super::cbor::too_deep;
use crate::{
    cbor::{MAX_DEPTH, Writer},
    error::{Error, ErrorKind, Result},
};

/// The CBOR item of a value. `INVALID_VALUE`, `LIMIT_EXCEEDED`.
pub(super) fn to_cbor(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>> {
    let mut written = Vec::new();
    ciborium::into_writer(value, &mut written).map_err(|error| match error {
        ciborium::ser::Error::Value(why) => invalid(&why),
        ciborium::ser::Error::Io(why) => invalid(&why.to_string()),
    })?;
    let mut written = Written(&written);
    let mut out = Writer::new();
    let header = written.pull()?;
    written.item(header, &mut out, 0)?;
    match written.0 {
        [] => Ok(out.finish()),
        _ => Err(wrong_length()),
    }
}

fn invalid(why: &str) -> Error {
    Error::new(ErrorKind::InvalidValue, format!("this value cannot be stored: {why}"))
}

fn wrong_length() -> Error {
    invalid("it serializes more or fewer items than it said")
}

/// What ciborium wrote and has not been copied.
struct Written<'a>(&'a [u8]);

impl<'a> Written<'a> {
    fn pull(&mut self) -> Result<Header> {
        let mut decoder = Decoder::from(self.0);
        let header = decoder.pull().map_err(|_| wrong_length())?;
        self.0 = self.0.get(decoder.offset()..).unwrap_or_default();
        Ok(header)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(wrong_length)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Copies one item: floats in 8 bytes, for ciborium shrinks them, and lengths in front, for ciborium writes none
    /// where serde does not know them. Kept small, for 512 frames must fit into the stack of a thread.
    fn item(&mut self, header: Header, out: &mut Writer, depth: usize) -> Result<()> {
        match header {
            Header::Array(_) | Header::Map(_) | Header::Tag(_) if depth >= MAX_DEPTH => Err(too_deep()),
            Header::Array(Some(len)) => {
                out.array(len);
                self.items(len, out, depth + 1)
            }
            Header::Map(Some(len)) => {
                out.map(len);
                self.items(len.saturating_mul(2), out, depth + 1)
            }
            Header::Tag(tag) => {
                out.tag(tag);
                self.items(1, out, depth + 1)
            }
            Header::Array(None) => self.uncounted(1, Writer::array, out, depth + 1),
            Header::Map(None) => self.uncounted(2, Writer::map, out, depth + 1),
            leaf => self.leaf(leaf, out),
        }
    }

    fn items(&mut self, len: usize, out: &mut Writer, depth: usize) -> Result<()> {
        for _ in 0..len {
            let header = self.pull()?;
            self.item(header, out, depth)?;
        }
        Ok(())
    }

    /// The members of an array, one item `each`, or of a map, two, whose count is known at their end.
    fn uncounted(&mut self, each: usize, head: fn(&mut Writer, usize), out: &mut Writer, depth: usize) -> Result<()> {
        let (mut count, mut inner) = (0, Writer::new());
        loop {
            let header = self.pull()?;
            if header == Header::Break {
                break;
            }
            self.item(header, &mut inner, depth)?;
            count += 1;
        }
        head(out, count / each);
        out.raw(&inner.finish());
        Ok(())
    }

    fn leaf(&mut self, header: Header, out: &mut Writer) -> Result<()> {
        match header {
            Header::Positive(n) => out.positive(n),
            Header::Negative(n) => out.negative(n),
            Header::Float(n) => out.float(n),
            Header::Simple(20) => out.bool(false),
            Header::Simple(21) => out.bool(true),
            Header::Simple(22) => out.null(),
            Header::Bytes(Some(len)) => out.bytes(self.take(len)?),
            Header::Text(Some(len)) => {
                out.text(std::str::from_utf8(self.take(len)?).map_err(|_| invalid("a text is not UTF-8"))?);
            }
            _ => return Err(wrong_length()),
        }
        Ok(())
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
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
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
