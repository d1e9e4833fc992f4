//! JSON, as the command-line program takes and prints it.
//!
//! Reading is exact. Integers are integers, beyond 64 bits they are bigints; numbers with a fraction or an exponent are
//! floats, but for whole ones within ±2^53, which are integers, as JavaScript stores them.
//!
//! What JSON lacks is printed as an object of one entry whose name begins with `$`:
//!
//! | value | JSON |
//! |---|---|
//! | `Undefined` | `{"$undefined": true}` |
//! | NaN, infinities | `{"$float": "NaN"}`, `"Infinity"`, `"-Infinity"` |
//! | `BigInt`, `Ratio`, `Decimal` | `{"$bigint": "12"}`, `{"$ratio": "1/3"}`, `{"$decimal": "1.50"}` |
//! | `Char`, `Keyword`, `Symbol` | `{"$char": "a"}`, `{"$keyword": "ns/name"}`, `{"$symbol": "ns/name"}` |
//! | `Date`, `Uuid` | `{"$date": "2024-02-29T12:34:56.789Z"}`, `{"$uuid": "…"}` |
//! | `Bytes` | `{"$bytes": "00ff"}` |
//! | `Set` | `{"$set": […]}` |
//! | JavaScript's `Map`, any map with keys that are no text | `{"$map": [[key, value], …]}` |
//! | records, other tags | `{"$record": ["name", …]}`, `{"$tag": [1234, …]}` |
//!
//! So that it means one thing, a map whose one key is a text that begins with `$` is printed as `$map` too. Reading gives
//! such objects no meaning; EDN is the text that is the same value both ways.

use std::fmt::{self, Write};

use super::{
    BigInt, Value, date,
    edn::print::text,
    text::{Cursor, Language},
};
use crate::{
    BlobName,
    cbor::{MAX_DEPTH, tag},
    error::{Error, Result},
};

/// The value of a JSON text. `INVALID_VALUE` with line and column if it is no JSON, or an object has a key twice;
/// `LIMIT_EXCEEDED` if it is nested deeper than 512.
pub fn read(text: &str) -> Result<Value> {
    let mut reader = Reader { cursor: Cursor::new(text, Language::Json), depth: 0 };
    let value = reader.next()?;
    match reader.skip() {
        None => Ok(value),
        Some(_) => Err(reader.cursor.error("something follows the value")),
    }
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    /// How many arrays and objects are around.
    depth: usize,
}

impl Reader<'_> {
    /// The next character that is no blank.
    fn skip(&mut self) -> Option<char> {
        self.cursor.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        self.cursor.peek()
    }

    fn next(&mut self) -> Result<Value> {
        match self.skip() {
            Some('[') => self.array(),
            Some('{') => self.object(),
            _ => self.leaf(),
        }
    }

    fn deeper(&mut self) -> Result<()> {
        self.cursor.next();
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(self.cursor.too_deep()) } else { Ok(()) }
    }

    fn array(&mut self) -> Result<Value> {
        self.deeper()?;
        let mut items = Vec::new();
        while self.more(']', items.is_empty())? {
            items.push(self.next()?);
        }
        Ok(Value::Array(items))
    }

    fn object(&mut self) -> Result<Value> {
        let start = self.cursor.at();
        self.deeper()?;
        let mut entries = Vec::new();
        while self.more('}', entries.is_empty())? {
            let key = self.key()?;
            entries.push((key, self.next()?));
        }
        self.no_twins(start, &entries)?;
        Ok(Value::Map(entries))
    }

    /// Whether another member follows; else the closing bracket is left behind, and one level.
    fn more(&mut self, end: char, first: bool) -> Result<bool> {
        match self.skip() {
            Some(c) if c == end => {
                self.cursor.next();
                self.depth -= 1;
                Ok(false)
            }
            Some(_) if first || self.cursor.eat(",") => Ok(true),
            _ => Err(self.cursor.error(&format!(", or {end} is missing"))),
        }
    }

    fn key(&mut self) -> Result<Value> {
        if self.skip() != Some('"') {
            return Err(self.cursor.error("a key is missing; keys are texts in double quotes"));
        }
        let key = self.leaf()?;
        self.skip();
        if self.cursor.eat(":") { Ok(key) } else { Err(self.cursor.error(": is missing after a key")) }
    }

    fn no_twins(&self, start: usize, entries: &[(Value, Value)]) -> Result<()> {
        let mut keys: Vec<&Value> = entries.iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        match keys.iter().zip(keys.iter().skip(1)).find(|(a, b)| a == b) {
            Some((twin, _)) => Err(self.cursor.error_at(start, &format!("{twin} is in here twice"))),
            None => Ok(()),
        }
    }

    fn leaf(&mut self) -> Result<Value> {
        if self.cursor.eat("\"") {
            return Ok(Value::Text(self.cursor.quoted()?));
        }
        let start = self.cursor.at();
        let word = self.cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '+' | '-' | '.' | '_'));
        match word {
            "null" => Ok(Value::Null),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "" => Err(self.out_of_place()),
            word => number(word).ok_or_else(|| {
                self.cursor.error_at(start, &format!("{word} is no value; texts stand in double quotes"))
            }),
        }
    }

    fn out_of_place(&self) -> Error {
        match self.cursor.peek() {
            Some(c) => self.cursor.error(&format!("{c:?} is out of place")),
            None => self.cursor.error("a value is missing"),
        }
    }
}

/// A number in the grammar of RFC 8259 §6 that a double or a bigint holds.
#[allow(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
fn number(word: &str) -> Option<Value> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let (mantissa, power) =
        word.split_once(['e', 'E']).map_or((word, None), |(mantissa, power)| (mantissa, Some(power)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, behind)| (whole, Some(behind)));
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    let right = digits(unsigned)
        && (unsigned == "0" || !unsigned.starts_with('0'))
        && fraction.is_none_or(digits)
        && power.is_none_or(|power| digits(power.strip_prefix(['+', '-']).unwrap_or(power)));
    if !right {
        return None;
    }
    if fraction.is_none() && power.is_none() && whole != "-0" {
        return Some(super::edn::integer(whole.parse::<BigInt>().ok()?));
    }
    let float: f64 = word.parse().ok().filter(|float: &f64| float.is_finite())?;
    let is_integer =
        float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0 && !(float == 0.0 && float.is_sign_negative());
    Some(if is_integer { (float as i64).into() } else { Value::Float(float) })
}

/// The JSON text of a value, in one line.
pub fn print(value: &Value) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    _ = write(value, 0, &mut out);
    out
}

/// A value that no store would take, for it is nested too deep, ends in `"…"`.
fn write(value: &Value, depth: usize, out: &mut String) -> fmt::Result {
    match value {
        _ if depth > MAX_DEPTH => out.write_str("\"…\""),
        Value::Array(items) => list(items, depth, out),
        Value::Set(members) => {
            out.push_str("{\"$set\":");
            list(members, depth, out)?;
            out.write_char('}')
        }
        Value::Map(entries) if is_object(entries) => object(entries, depth, out),
        Value::Map(entries) => pairs(entries, depth, out),
        Value::Tagged(tag, content) => tagged(*tag, content, depth, out),
        leaf => write_leaf(leaf, out),
    }
}

/// Whether all the keys are texts, and it cannot be taken for a value that JSON lacks.
fn is_object(entries: &[(Value, Value)]) -> bool {
    let looks_tagged = matches!(entries, [(Value::Text(key), _)] if key.starts_with('$'));
    !looks_tagged && entries.iter().all(|(key, _)| matches!(key, Value::Text(_)))
}

fn list(items: &[Value], depth: usize, out: &mut String) -> fmt::Result {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        write(item, depth + 1, out)?;
    }
    out.write_char(']')
}

fn object(entries: &[(Value, Value)], depth: usize, out: &mut String) -> fmt::Result {
    out.push('{');
    for (at, (key, value)) in entries.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        write_leaf(key, out)?;
        out.push(':');
        write(value, depth + 1, out)?;
    }
    out.write_char('}')
}

fn pairs(entries: &[(Value, Value)], depth: usize, out: &mut String) -> fmt::Result {
    out.push_str("{\"$map\":[");
    for (at, (key, value)) in entries.iter().enumerate() {
        out.push_str(if at > 0 { ",[" } else { "[" });
        write(key, depth + 1, out)?;
        out.push(',');
        write(value, depth + 1, out)?;
        out.push(']');
    }
    out.write_str("]}")
}

fn tagged(tag: u64, content: &Value, depth: usize, out: &mut String) -> fmt::Result {
    match (tag, content) {
        (tag::MAP, Value::Map(entries)) => return pairs(entries, depth, out),
        (tag::RECORD, Value::Array(parts)) if matches!(parts.as_slice(), [Value::Text(_), _]) => {
            out.push_str("{\"$record\":");
            list(parts, depth, out)?;
            return out.write_char('}');
        }
        _ => write!(out, "{{\"$tag\":[{tag},")?,
    }
    write(content, depth + 1, out)?;
    out.write_str("]}")
}

/// A value that has no other values in it.
fn write_leaf(value: &Value, out: &mut String) -> fmt::Result {
    let (name, content) = match value {
        Value::Null => return out.write_str("null"),
        Value::Bool(it) => return write!(out, "{it}"),
        Value::Int(n) => return write!(out, "{n}"),
        Value::Float(n) if n.is_finite() => return write!(out, "{n:?}"),
        Value::Text(it) => return text(it, out),
        Value::Undefined => return out.write_str("{\"$undefined\":true}"),
        Value::Float(n) if n.is_nan() => ("float", "NaN".to_owned()),
        Value::Float(n) => ("float", format!("{}Infinity", if *n < 0.0 { "-" } else { "" })),
        Value::BigInt(n) => ("bigint", n.to_string()),
        Value::Ratio(it) => ("ratio", it.to_string()),
        Value::Decimal(it) => ("decimal", it.to_string()),
        Value::Char(it) => ("char", it.to_string()),
        Value::Bytes(bytes) => ("bytes", hex(bytes)?),
        Value::Date(ms) => ("date", date::format(*ms, true) + "Z"),
        Value::Uuid(bytes) => ("uuid", BlobName::from_bytes(*bytes).to_string()),
        Value::Keyword(name) => ("keyword", name.clone()),
        Value::Symbol(name) => ("symbol", name.clone()),
        Value::Array(_) | Value::Set(_) | Value::Map(_) | Value::Tagged(..) => return write(value, 0, out),
    };
    write!(out, "{{\"${name}\":")?;
    text(&content, out)?;
    out.write_char('}')
}

fn hex(bytes: &[u8]) -> Result<String, fmt::Error> {
    let mut digits = String::with_capacity(2 * bytes.len());
    bytes.iter().try_for_each(|byte| write!(digits, "{byte:02x}"))?;
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ErrorKind, edn, value::tests::any_value};

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<u64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(5, 50, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map("[^$].{0,3}", inner, 0..6)
                    .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_is_read_and_printed_as_serde_json_does(json in any_json()) {
            let value = read(&json.to_string()).unwrap();
            prop_assert_eq!(&read(&serde_json::to_string_pretty(&json).unwrap()).unwrap(), &value);
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&print(&value)).unwrap(), json);
        }

        #[test]
        fn every_value_prints_as_json(value in any_value()) {
            let text = print(&value);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
            prop_assert!(read(&text).is_ok());
            prop_assert!(!text.contains(char::is_control));
        }

        #[test]
        fn text_is_read_or_refused_as_by_serde_json(text in "[-+.0-9eE\\[\\]{}:,\"\\\\ntrufalsb \n\t]{0,12}") {
            match (read(&text), serde_json::from_str::<serde_json::Value>(&text)) {
                (Ok(_), Ok(_)) | (Err(_), Err(_)) => {}
                // serde_json takes the last of two, and has no integers beyond a double's range.
                (Err(error), Ok(_)) => prop_assert!(error.message().contains("twice")),
                (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{}", error),
            }
        }

        #[test]
        fn numbers_survive(float in any::<f64>()) {
            prop_assume!(float.is_finite());
            let value = read(&print(&Value::Float(float))).unwrap();
            prop_assert_eq!(value.as_f64().map(f64::to_bits), Some(float.to_bits()));
        }
    }

    #[test]
    fn numbers_are_exact() {
        for (json, edn) in [
            ("1.0", "1"),
            ("-0", "-0.0"),
            ("-0.0", "-0.0"),
            ("1e3", "1000"),
            ("9007199254740992.0", "9007199254740992"),
            ("9007199254740994.0", "9.007199254740994E15"),
            ("9007199254740993", "9007199254740993"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "18446744073709551616N"),
            ("-18446744073709551617", "-18446744073709551617N"),
            ("0.1", "0.1"),
            ("1e-400", "0"),
        ] {
            assert_eq!(read(json).unwrap().to_string(), edn, "{json}");
        }
    }

    #[test]
    fn what_json_lacks_is_an_object_with_a_dollar() {
        for (edn, json) in [
            ("#js/undefined nil", r#"{"$undefined":true}"#),
            ("[##NaN ##-Inf -0.0 1.0]", r#"[{"$float":"NaN"},{"$float":"-Infinity"},-0.0,1.0]"#),
            ("[1N 1/3 1.50M]", r#"[{"$bigint":"1"},{"$ratio":"1/3"},{"$decimal":"1.50"}]"#),
            (r"[\a :a/b c]", r#"[{"$char":"a"},{"$keyword":"a/b"},{"$symbol":"c"}]"#),
            ("#inst \"2024\"", r#"{"$date":"2024-01-01T00:00:00.000Z"}"#),
            ("[#bytes \"00ff\" #{1}]", r#"[{"$bytes":"00ff"},{"$set":[1]}]"#),
            ("{:a 1}", r#"{"$map":[[{"$keyword":"a"},1]]}"#),
            ("#js/map {\"a\" 1}", r#"{"$map":[["a",1]]}"#),
            ("{\"$date\" 1}", r#"{"$map":[["$date",1]]}"#),
            ("{\"$date\" 1, \"b\" 2}", r#"{"$date":1,"b":2}"#),
            ("[#a.B 1 #cbor/tag [1234 nil]]", r#"[{"$record":["a.B",1]},{"$tag":[1234,null]}]"#),
        ] {
            assert_eq!(print(&edn::read(edn).unwrap()), json, "{edn}");
        }
        let uuid = print(&Value::Uuid([0xab; 16]));
        assert_eq!(uuid, r#"{"$uuid":"abababab-abab-abab-abab-abababababab"}"#);
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, place) in [
            ("", "line 1, column 1: a value is missing"),
            ("{\n \"a\": hello}", "line 2, column 7: hello is no value; texts stand in double quotes"),
            ("[1 2]", "line 1, column 4: , or ] is missing"),
            ("[1,]", "line 1, column 4: ']' is out of place"),
            ("{a: 1}", "line 1, column 2: a key is missing"),
            ("{\"a\" 1}", "line 1, column 6: : is missing"),
            ("{\"a\": 1, \"a\": 2}", "line 1, column 1: \"a\" is in here twice"),
            ("1 2", "line 1, column 3: something follows"),
            ("01", "line 1, column 1: 01 is no value"),
            ("1e400", "line 1, column 1: 1e400 is no value"),
            ("\"a\nb\"", "line 1, column 3: a control character"),
            ("\"\\ud800x\"", "line 1, column 2: half of a surrogate pair"),
            ("\"a", "line 1, column 1: this text does not end"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            assert!(error.message().starts_with(&format!("JSON, {place}")), "{text}: {error}");
        }
    }

    #[test]
    fn depth_has_a_limit() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = |depth: usize| open.repeat(depth) + "[]" + &close.repeat(depth);
            assert_eq!(print(&read(&nested(511)).unwrap()), nested(511));
            assert_eq!(read(&nested(512)).unwrap_err().kind(), ErrorKind::LimitExceeded);
            assert_eq!(read(&open.repeat(1_000_000)).unwrap_err().kind(), ErrorKind::LimitExceeded);
        }
    }
}
