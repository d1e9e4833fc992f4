//! Serializer 0: EDN text.

use std::str::{self, Utf8Error};

use bytes::Bytes;

use super::check_stored;
use crate::{
    error::{Error, ErrorKind, Result},
    value::{Value, edn},
};

/// The inner form of the first value of a text; what follows it is ignored. `CORRUPT` if there is none, `LIMIT_EXCEEDED` if
/// it is nested deeper than 512.
pub fn decode(stored: &[u8]) -> Result<Bytes> {
    // A stale tail may begin inside of a character.
    let whole = str::from_utf8(stored);
    let sound = stored.get(..whole.as_ref().map_or_else(Utf8Error::valid_up_to, |text| text.len()));
    let text = str::from_utf8(sound.unwrap_or_default()).unwrap_or_default();
    let (value, end) = edn::read_first(text).map_err(corrupt)?;
    // A name or a number may be part of a longer one.
    if whole.is_err() && end == text.len() && !text.ends_with([')', ']', '}', '"']) {
        return Err(Error::new(ErrorKind::Corrupt, format!("a stored EDN text is not UTF-8 at byte {end}")));
    }
    let cbor = value.to_cbor().map_err(corrupt)?;
    check_stored(&cbor)?;
    Ok(cbor.into())
}

/// The text of a value that is given in the inner form.
pub fn encode(cbor: &[u8]) -> Result<Bytes> {
    Ok(Value::from_cbor(cbor)?.to_string().into_bytes().into())
}

fn corrupt(error: Error) -> Error {
    match error.kind() {
        ErrorKind::LimitExceeded => error,
        _ => Error::new(ErrorKind::Corrupt, format!("a stored text is no EDN: {}", error.message())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{cbor, value::tests::any_value};

    fn cbor(text: &str) -> Vec<u8> {
        edn::read(text).unwrap().to_cbor().unwrap()
    }

    proptest! {
        #[test]
        fn a_value_survives(value in any_value(), tail in "( .*)?") {
            let inner = value.to_cbor().unwrap();
            prop_assume!(cbor::check(&inner).is_ok());
            let text = encode(&inner).unwrap();
            let again = decode(&[&text, tail.as_bytes()].concat()).unwrap();
            prop_assert_eq!(Value::from_cbor(&again).unwrap(), value);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+.#:a-fA-FnNM0-9/\\\\\"{}()\\[\\] _;^,\n🌍]{0,40}") {
            if let Ok(inner) = decode(text.as_bytes()) {
                cbor::check(&inner).unwrap();
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(stored: Vec<u8>) {
            if let Ok(inner) = decode(&stored) {
                cbor::check(&inner).unwrap();
            }
        }
    }

    #[test]
    fn what_clojure_prints_is_read() {
        for (text, value) in [
            ("{:a (1 2), :b #{x}}", "{:a #clojure/list [1 2], :b #{x}}"),
            ("#my_ns.core.Rec{:a 1}", "#my_ns.core.Rec {:a 1}"),
            ("#:db{:id 1, :ident :a/b}", "{:db/id 1, :db/ident :a/b}"),
            (
                "^{:line 1} [#\"a\\.b\" \\newline 1/2 3N 1.50M ##Inf]",
                "#clojure/with-meta [{:line 1} [#regex \"a\\\\.b\" \\newline 1/2 3N 1.50M ##Inf]]",
            ),
            ("#inst \"2024-02-29T12:34:56.789-00:00\" tail [", "#inst \"2024-02-29T12:34:56.789Z\""),
            ("\"a\nb\u{1}\"", "\"a\\nb\\u0001\""),
        ] {
            assert_eq!(decode(text.as_bytes()).unwrap(), cbor(value), "{text}");
        }
    }

    #[test]
    fn a_stale_tail_may_begin_inside_of_a_character() {
        assert_eq!(decode(b"[1]\xbc \xff").unwrap(), cbor("[1]"));
        assert_eq!(decode(b"12 \xbc").unwrap(), cbor("12"));
        for text in
            [&b"12\xbc"[..], b"\xff", b"\"a\xff\"", b"", b"; only a comment", b"{1 1 1 2}", b"#cbor/tag [0 \"x\"]"]
        {
            assert_eq!(decode(text).unwrap_err().kind(), ErrorKind::Corrupt, "{text:?}");
        }
        assert_eq!(decode("[".repeat(600).as_bytes()).unwrap_err().kind(), ErrorKind::LimitExceeded);
        assert_eq!(decode("(".repeat(400).as_bytes()).unwrap_err().kind(), ErrorKind::Corrupt);
        let lists = "(".repeat(400) + &")".repeat(400);
        assert_eq!(decode(lists.as_bytes()).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }
}
