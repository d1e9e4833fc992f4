//! EDN, Clojure's notation of data: text from and to [`Value`]. What is printed is read as the same value, but that a
//! list of Java's (`java/list`) is read as one of Clojure's.
//!
//! | value | text |
//! |---|---|
//! | `Null`, `Bool`, `Int`, `BigInt` | `nil`, `true`, `12`, `12N` |
//! | `Float` | as Java prints doubles: `1.0`, `1.0E10`, `##NaN`, `##Inf`, `##-Inf` |
//! | `Ratio`, `Decimal` | `1/3`, `1.50M` |
//! | `Text`, `Char` | `"a\n"`, `\a`, `\newline`, `\u0000` |
//! | `Keyword`, `Symbol` | `:ns/name`, `ns/name` |
//! | `Array`, `Set`, `Map` | `[1 2]`, `#{1 2}`, `{"a" 1, "b" 2}` |
//! | records `clojure/list`, `java/list` of an array | `(1 2)` |
//! | `Date`, `Uuid` | `#inst "2024-02-29T12:34:56.789-00:00"`, `#uuid "…"` |
//! | `Bytes` | `#bytes "00ff"` |
//! | `Undefined` | `#js/undefined nil` |
//! | a record, and any value with a name | `#the.Name {:a 1}` |
//! | CBOR tags 32, 35, 259 | `#uri "https://…"`, `#regex "a+"`, `#js/map {…}` |
//! | other tags, and names EDN cannot write | `#cbor/tag [1234 …]`; the keyword `a b` is `#cbor/tag [39 ":a b"]` |
//!
//! Also read: comments, `#_` before what is to be left out, `#:ns{:a 1}`, dates that stop early (`#inst "2024"`), `#"a+"`,
//! octal characters, and metadata: `^{:a 1} []` is `#clojure/with-meta [{:a 1} []]`.

mod dump;
pub(super) mod print;
mod read;

pub use dump::dump;
#[cfg(feature = "cli")]
pub(super) use read::integer;
pub use read::{read, read_first};

use super::Value;
use crate::cbor::tag;

/// The name of a Clojure list among records.
const LIST: &str = "clojure/list";
/// The name of a list of Java's among records.
const JAVA_LIST: &str = "java/list";
/// The name of a value with metadata among records: `[metadata, value]`.
const META: &str = "clojure/with-meta";
/// Tags of CBOR that have a name in EDN.
const NAMED: [(u64, &str); 3] = [(tag::URI, "uri"), (tag::REGEXP, "regex"), (tag::MAP, "js/map")];
/// Names of tags that mean no record.
const TAKEN: [&str; 8] = ["inst", "uuid", "bytes", "js/undefined", "cbor/tag", NAMED[0].1, NAMED[1].1, NAMED[2].1];
/// Characters with a name.
const CHARS: [(char, &str); 6] =
    [('\n', "newline"), ('\r', "return"), (' ', "space"), ('\t', "tab"), ('\u{c}', "formfeed"), ('\u{8}', "backspace")];

/// What may stand in a number, symbol or keyword.
fn is_token(c: char) -> bool {
    !is_blank(c)
        && !c.is_control()
        && !matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | '"' | ';' | '\\' | '^' | '@' | '`' | '~')
}

fn is_blank(c: char) -> bool {
    c == ',' || c.is_whitespace()
}

/// Whether a token is read as a number, right or wrong.
fn is_numeric(token: &str) -> bool {
    token.strip_prefix(['+', '-']).unwrap_or(token).starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a token is read as a symbol of this name.
fn is_symbol(token: &str) -> bool {
    token.chars().all(is_token)
        && !token.is_empty()
        && !token.starts_with([':', '#'])
        && !is_numeric(token)
        && !matches!(token, "nil" | "true" | "false")
}

/// Whether a colon and this are read as a keyword of this name.
fn is_keyword(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(':') && name.chars().all(is_token)
}

/// Whether `#` and this are read as the name of a record.
fn is_record(name: &str) -> bool {
    name.starts_with(char::is_alphabetic) && name.chars().all(is_token) && !TAKEN.contains(&name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::tests::any_value;

    proptest! {
        #[test]
        fn what_is_printed_is_read_as_the_same(value in any_value()) {
            prop_assert_eq!(read(&value.to_string()).unwrap(), value.clone());
            prop_assert_eq!(read(&format!("{value:#}")).unwrap(), value);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+.#:a-fA-FnNM0-9/\\\\\"{}()\\[\\] _;^,\n🌍]{0,40}") {
            if let Ok(value) = read(&text) {
                prop_assert_eq!(read(&value.to_string()).unwrap(), value);
            }
        }

        #[test]
        fn text_has_one_line_and_no_tab(value in any_value()) {
            prop_assert!(!value.to_string().contains(char::is_control));
        }
    }

    #[test]
    fn each_kind_of_value_has_its_text() {
        for text in [
            "nil",
            "[true false]",
            "[12 -12 12N -9223372036854775809]",
            "[1.0 1.0E10 4.9E-324 -0.0 ##NaN ##Inf ##-Inf]",
            "[1/3 -22/7 1.50M 1E+30M]",
            r#"["" "a\n\t\"\\" "Grüße 世界 🌍" "\u0000"]"#,
            r"[\a \λ \newline \space \u0000 \( \\ \u00a0]",
            "[:a :ns/name :a.b/c*?! :+ :1]",
            "[a ns/name + - / .. a#b]",
            r#"[#{1 2} {"a" 1, :b {}} []]"#,
            r#"#inst "2024-02-29T12:34:56.789-00:00""#,
            r#"#inst "-000001-01-01T00:00:00.000-00:00""#,
            r#"#uuid "550e8400-e29b-41d4-a716-446655440000""#,
            r#"[#bytes "00ff" #bytes ""]"#,
            "#js/undefined nil",
            r#"#klib.Person {:name "Ann"}"#,
            r#"[#uri "https://example.com" #regex "a+" #js/map {"a" 1}]"#,
            r#"#cbor/tag [1234 #cbor/tag [39 ":a b"]]"#,
        ] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_stable_form_sorts_by_text() {
        let text = r#"{{:m 1} 7, true 11, sym 5, :k 1, "s" #{3 10 2}, 1.5 1}"#;
        let sorted = r#"{"s" #{10 2 3}, 1.5 1, :k 1, sym 5, true 11, {:m 1} 7}"#;
        assert_eq!(format!("{:#}", read(text).unwrap()), sorted);
        assert_eq!(read(text).unwrap().to_string(), text);
    }
}
