//! Reads EDN text.

use super::{CHARS, LIST, META, NAMED, Value, is_blank, is_keyword, is_numeric, is_record, is_symbol, is_token};
use crate::{
    cbor::{MAX_DEPTH, tag},
    error::{Error, Result},
    value::{
        BigInt, Decimal, Ratio, date,
        text::{Cursor, Language, is_octal},
    },
};

/// The one value that a text holds. `INVALID_VALUE` with line and column if it holds none, more than one, or is no EDN;
/// `LIMIT_EXCEEDED` if it is nested deeper than 512.
pub fn read(text: &str) -> Result<Value> {
    let mut reader = Reader::new(text);
    let value = reader.next()?;
    match reader.skip()? {
        None => Ok(value),
        Some(_) => Err(reader.cursor.error("a second value; give one, or put them into [ ]")),
    }
}

/// The first value that a text holds, whatever follows it, and where it ends, in bytes. Errors as those of [`read`].
pub fn read_first(text: &str) -> Result<(Value, usize)> {
    let mut reader = Reader::new(text);
    let value = reader.next()?;
    Ok((value, reader.cursor.at()))
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    /// How many lists, maps and tags are around.
    depth: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { cursor: Cursor::new(text, Language::Edn), depth: 0 }
    }
    /// Goes to the next thing that means something; its first character, `None` at the end.
    fn skip(&mut self) -> Result<Option<char>> {
        loop {
            self.cursor.take_while(is_blank);
            if self.cursor.peek() == Some(';') || self.cursor.rest().starts_with("#!") {
                self.cursor.take_while(|c| c != '\n');
            } else if self.cursor.eat("#_") {
                self.deeper()?;
                self.next()?;
                self.depth -= 1;
            } else {
                return Ok(self.cursor.peek());
            }
        }
    }

    /// One level deeper. After an error nothing is read any more, so only who succeeds comes back up.
    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(self.cursor.too_deep()) } else { Ok(()) }
    }

    /// Kept small, as are those that call it again: 512 of their frames must fit into the stack of a thread.
    fn next(&mut self) -> Result<Value> {
        match self.skip()? {
            Some('(') => self.list(')').map(|items| Value::record(LIST, items)),
            Some('[') => self.list(']').map(Value::Array),
            Some('{') => self.map(),
            Some('#') => self.dispatch(),
            Some('^') => self.with_meta(),
            _ => self.leaf(),
        }
    }

    /// The values up to a bracket, from the opening one.
    fn list(&mut self, end: char) -> Result<Vec<Value>> {
        let start = self.cursor.at();
        self.cursor.next();
        self.deeper()?;
        let mut items = Vec::new();
        loop {
            let next = self.skip()?;
            if next == Some(end) {
                self.cursor.next();
                self.depth -= 1;
                return Ok(items);
            }
            if next.is_none() {
                return Err(self.not_closed(start, end));
            }
            items.push(self.next()?);
        }
    }

    fn not_closed(&self, start: usize, end: char) -> Error {
        self.cursor.error_at(start, &format!("this is not closed; {end} is missing"))
    }

    fn map(&mut self) -> Result<Value> {
        let start = self.cursor.at();
        let items = self.list('}')?;
        self.entries(start, items).map(Value::Map)
    }

    fn set(&mut self) -> Result<Value> {
        let start = self.cursor.at() - 1;
        let members = self.list('}')?;
        self.no_twins(start, members.iter())?;
        Ok(Value::Set(members))
    }

    fn entries(&self, start: usize, items: Vec<Value>) -> Result<Vec<(Value, Value)>> {
        let mut items = items.into_iter();
        let mut entries = Vec::with_capacity(items.len() / 2);
        while let Some(key) = items.next() {
            let missing = || self.cursor.error_at(start, "the last key of this map has no value");
            entries.push((key, items.next().ok_or_else(missing)?));
        }
        self.no_twins(start, entries.iter().map(|(key, _)| key))?;
        Ok(entries)
    }

    fn no_twins<'v>(&self, start: usize, keys: impl Iterator<Item = &'v Value>) -> Result<()> {
        let mut keys: Vec<&Value> = keys.collect();
        keys.sort_unstable();
        match keys.iter().zip(keys.iter().skip(1)).find(|(a, b)| a == b) {
            Some((twin, _)) => Err(self.cursor.error_at(start, &format!("{twin} is in here twice"))),
            None => Ok(()),
        }
    }

    /// A value that has no other values in it.
    fn leaf(&mut self) -> Result<Value> {
        match self.cursor.peek() {
            None => Err(self.cursor.error("a value is missing")),
            Some('"') => {
                self.cursor.next();
                Ok(Value::Text(self.cursor.quoted()?))
            }
            Some('\\') => self.char(),
            Some(c) if is_token(c) => self.token(),
            Some(c) => Err(self.cursor.error(&format!("{c:?} is out of place"))),
        }
    }

    fn char(&mut self) -> Result<Value> {
        let start = self.cursor.at();
        self.cursor.next();
        let Some(first) = self.cursor.next() else { return Err(self.cursor.error("a character is missing after \\")) };
        let rest = self.cursor.rest();
        if first == 'o' && rest.starts_with(is_octal) {
            return self.cursor.octal(start).map(Value::Char);
        }
        if first == 'u' && rest.starts_with(|c: char| c.is_ascii_hexdigit()) {
            let unit = self.cursor.unit(start)?;
            let half = || self.cursor.error_at(start, "half of a surrogate pair is no character");
            return Ok(Value::Char(char::from_u32(unit.into()).ok_or_else(half)?));
        }
        let name = format!("{first}{}", if is_token(first) { self.cursor.take_while(is_token) } else { "" });
        match CHARS.iter().find(|(_, named)| *named == name) {
            Some((c, _)) => Ok(Value::Char(*c)),
            None if name.len() == first.len_utf8() => Ok(Value::Char(first)),
            None => {
                Err(self.cursor.error_at(start, "no character has this name; use the character, \\newline or \\u0000"))
            }
        }
    }

    /// What begins with `#`, but for what [`skip`](Self::skip) leaves out.
    fn dispatch(&mut self) -> Result<Value> {
        self.cursor.next();
        match self.cursor.peek() {
            Some('{') => self.set(),
            Some('#') => self.symbolic(),
            Some(':') => self.namespaced(),
            Some('"') => self.regex(),
            Some('^') => self.with_meta(),
            _ => self.literal(),
        }
    }

    /// `##NaN` and its like.
    fn symbolic(&mut self) -> Result<Value> {
        let start = self.cursor.at() - 1;
        self.cursor.next();
        match self.cursor.take_while(is_token) {
            "NaN" => Ok(Value::Float(f64::NAN)),
            "Inf" => Ok(Value::Float(f64::INFINITY)),
            "-Inf" => Ok(Value::Float(f64::NEG_INFINITY)),
            _ => Err(self.cursor.error_at(start, "only ##NaN, ##Inf and ##-Inf begin with ##")),
        }
    }

    /// `#"a+"`, in which a backslash only keeps a quote from ending it.
    fn regex(&mut self) -> Result<Value> {
        let start = self.cursor.at() - 1;
        self.cursor.next();
        let mut source = String::new();
        loop {
            source.push_str(self.cursor.take_while(|c| !matches!(c, '"' | '\\')));
            match self.cursor.next() {
                Some('"') => return Ok(Value::tagged(tag::REGEXP, Value::Text(source))),
                Some(backslash) => {
                    source.push(backslash);
                    source.extend(self.cursor.next());
                }
                None => return Err(self.not_closed(start, '"')),
            }
        }
    }

    /// `^{:a 1} value`, or `^:a value`, `^Type value`, `^"Type" value`, `^[Type] value`. What stands further left wins.
    fn with_meta(&mut self) -> Result<Value> {
        let start = self.cursor.at();
        self.cursor.next();
        self.deeper()?;
        let meta = self.next()?;
        let value = self.next()?;
        self.depth -= 1;
        self.described(start, meta, value)
    }

    fn described(&self, start: usize, meta: Value, value: Value) -> Result<Value> {
        let of = |key: &str, value| vec![(Value::Keyword(key.into()), value)];
        let mut entries = match meta {
            Value::Map(entries) => entries,
            Value::Keyword(_) => vec![(meta, Value::Bool(true))],
            Value::Symbol(_) | Value::Text(_) => of("tag", meta),
            Value::Array(_) => of("param-tags", meta),
            _ => {
                return Err(self
                    .cursor
                    .error_at(start, "metadata is a map, a keyword, a symbol or a text: ^{:a 1} []"));
            }
        };
        let Some((META, Value::Array(parts))) = value.as_record() else { return Ok(with_meta(entries, value)) };
        let [Value::Map(others), value] = parts.as_slice() else { return Ok(with_meta(entries, value)) };
        let others: Vec<_> = others.iter().filter(|(key, _)| entries.iter().all(|(own, _)| own != key)).collect();
        entries.extend(others.into_iter().cloned());
        Ok(with_meta(entries, value.clone()))
    }

    /// `#:ns{:a 1}`: a namespace for the keys that have none; `:_/a` stays without.
    fn namespaced(&mut self) -> Result<Value> {
        let start = self.cursor.at() - 1;
        self.cursor.next();
        let namespace = self.cursor.take_while(is_token);
        if !is_keyword(namespace) || namespace.contains('/') || self.skip()? != Some('{') {
            return Err(self.cursor.error_at(start, "a map is missing, such as #:ns{:a 1}"));
        }
        let items = self.list('}')?;
        self.qualified(start, namespace, items)
    }

    fn qualified(&self, start: usize, namespace: &str, mut items: Vec<Value>) -> Result<Value> {
        for key in items.iter_mut().step_by(2) {
            if let Value::Keyword(name) | Value::Symbol(name) = key {
                *name = match name.strip_prefix("_/") {
                    Some(bare) => bare.to_owned(),
                    None if name.contains('/') => continue,
                    None => format!("{namespace}/{name}"),
                };
            }
        }
        self.entries(start, items).map(Value::Map)
    }

    /// A value behind the name of its tag.
    fn literal(&mut self) -> Result<Value> {
        let start = self.cursor.at() - 1;
        let name = self.cursor.take_while(is_token);
        self.deeper()?;
        let value = self.next()?;
        self.depth -= 1;
        self.tagged(start, name, value)
    }

    fn tagged(&self, start: usize, name: &str, value: Value) -> Result<Value> {
        let wrong = |why: &str| Err(self.cursor.error_at(start, why));
        if let Some((tag, _)) = NAMED.iter().find(|(_, named)| *named == name) {
            return Ok(Value::tagged(*tag, value));
        }
        match (name, &value) {
            ("inst", Value::Text(text)) => match date::parse_partial(text) {
                Some(ms) => Ok(Value::Date(ms)),
                None => wrong("this is no date; write it as #inst \"2024-02-29T12:34:56.789Z\""),
            },
            ("uuid", Value::Text(text)) => match uuid(text) {
                Some(bytes) => Ok(Value::Uuid(bytes)),
                None => wrong("this is no UUID; write it as #uuid \"550e8400-e29b-41d4-a716-446655440000\""),
            },
            ("bytes", Value::Text(text)) => match hex(text) {
                Some(bytes) => Ok(Value::Bytes(bytes)),
                None => wrong("bytes are written as pairs of hexadecimal digits: #bytes \"00ff\""),
            },
            ("js/undefined", Value::Null) => Ok(Value::Undefined),
            ("cbor/tag", Value::Array(parts)) => match parts.as_slice() {
                [Value::Int(number), content] if u64::try_from(*number).is_ok() => {
                    Ok(Value::tagged(u64::try_from(*number).unwrap_or_default(), content.clone()))
                }
                _ => wrong("#cbor/tag needs a number and a value: #cbor/tag [1234 \"…\"]"),
            },
            (name, _) if is_record(name) => Ok(Value::record(name, value)),
            ("inst" | "uuid" | "bytes", _) => wrong(&format!("#{name} needs a text")),
            _ => wrong("no tag is called so"),
        }
    }

    fn token(&mut self) -> Result<Value> {
        let start = self.cursor.at();
        let token = self.cursor.take_while(is_token);
        let wrong = |why: &str| self.cursor.error_at(start, &format!("{token}: {why}"));
        match token {
            "nil" => Ok(Value::Null),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ if is_numeric(token) => number(token).ok_or_else(|| wrong("this is no number")),
            _ => match token.strip_prefix(':') {
                Some(name) if is_keyword(name) => Ok(Value::Keyword(name.into())),
                Some(_) => Err(wrong("this is no keyword")),
                None if is_symbol(token) => Ok(Value::Symbol(token.into())),
                None => Err(wrong("this is no symbol")),
            },
        }
    }
}

fn with_meta(entries: Vec<(Value, Value)>, value: Value) -> Value {
    Value::record(META, vec![Value::Map(entries), value])
}

/// Numbers that begin with a needless 0 are refused: they are octal in some readers.
fn number(token: &str) -> Option<Value> {
    let digits = token.trim_start_matches(['+', '-']);
    if digits.starts_with('0') && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    if let Some(token) = token.strip_suffix('N') {
        return Some(token.parse::<BigInt>().ok()?.into());
    }
    if let Some(token) = token.strip_suffix('M') {
        return Some(token.parse::<Decimal>().ok()?.into());
    }
    if token.contains('/') {
        return Some(token.parse::<Ratio>().ok()?.into());
    }
    match token.parse::<BigInt>() {
        Ok(whole) => Some(integer(whole)),
        Err(_) if token.bytes().all(|c| matches!(c, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) => {
            token.parse::<f64>().ok().filter(|float| float.is_finite()).map(Value::Float)
        }
        Err(_) => None,
    }
}

/// An integer of CBOR if there is one, else a bigint.
pub(in crate::value) fn integer(whole: BigInt) -> Value {
    match whole.to_i128() {
        Some(n) if u64::try_from(n).is_ok() || u64::try_from(!n).is_ok() => Value::Int(n),
        _ => Value::BigInt(whole),
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let dashes = |(at, c): (usize, char)| matches!(at, 8 | 13 | 18 | 23) == (c == '-');
    if text.len() != 36 || !text.char_indices().all(dashes) {
        return None;
    }
    hex(&text.replace('-', ""))?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn all_the_notation_is_read() {
        for (text, same) in [
            ("(1 (2) [])", "(1 (2) [])"),
            ("#clojure/list [1]", "(1)"),
            ("#java/list [1]", "(1)"),
            ("#clojure/list 1", "#clojure/list 1"),
            ("^:a ^{:b 1, :a 2} [1]", "#clojure/with-meta [{:a true, :b 1} [1]]"),
            ("#^Long x", "#clojure/with-meta [{:tag Long} x]"),
            (
                "[^\"a\" {} ^[long _] f]",
                "[#clojure/with-meta [{:tag \"a\"} {}] #clojure/with-meta [{:param-tags [long _]} f]]",
            ),
            (r#"[#"a\"\d+\\" #""]"#, r#"[#regex "a\\\"\\d+\\\\" #regex ""]"#),
            (r"[\o101 \o \o7 \o377]", r"[\A \o \u0007 \ÿ]"),
            (r#""\101\0\3777""#, r#""A\u0000ÿ7""#),
            ("[1 #_ #_ 2 3 4]", "[1 4]"),
            ("; first\n[1 ; one\n,2]#_x", "[1 2]"),
            ("#:p{:a 1, b 2, :q/c 3, :_/d 4, \"e\" 5}", "{:p/a 1, p/b 2, :q/c 3, :d 4, \"e\" 5}"),
            ("+5", "5"),
            ("1.", "1.0"),
            ("1e3", "1000.0"),
            ("18446744073709551616", "18446744073709551616N"),
            ("18446744073709551615", "18446744073709551615"),
            ("-18446744073709551616", "-18446744073709551616"),
            ("0.5M", "0.5M"),
            (r#""\u03bb\ud83c\udf0d""#, "\"λ🌍\""),
            ("\"a\nb\"", r#""a\nb""#),
            (r#"#inst "2024""#, r#"#inst "2024-01-01T00:00:00.000-00:00""#),
            (r#"#inst "2024-02-29T12:34:56+01:00""#, r#"#inst "2024-02-29T11:34:56.000-00:00""#),
            (r#"#uuid "550E8400-E29B-41D4-A716-446655440000""#, r#"#uuid "550e8400-e29b-41d4-a716-446655440000""#),
            ("#x.Y #z.W nil", "#x.Y #z.W nil"),
            (r"[\u \o \n \u03bb]", r"[\u \o \n \λ]"),
        ] {
            assert_eq!(read(text).unwrap().to_string(), same);
        }
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, place) in [
            ("", "line 1, column 1: a value is missing"),
            ("[1\n  2", "line 1, column 1: this is not closed"),
            ("\n[\"é\" \"abc", "line 2, column 6: this text does not end"),
            ("{:a}", "line 1, column 1: the last key"),
            ("{:a 1 :a 2}", "line 1, column 1: :a is in here twice"),
            ("#{1 1}", "line 1, column 1: 1 is in here twice"),
            ("#:p{:a 1 :p/a 2}", "line 1, column 1: :p/a is in here twice"),
            ("1 2", "line 1, column 3: a second value"),
            ("]", "line 1, column 1: ']' is out of place"),
            ("[)]", "line 1, column 2: ')' is out of place"),
            ("^1 []", "line 1, column 1: metadata is"),
            ("^:a", "line 1, column 4: a value is missing"),
            (r"\o400", "line 1, column 1: octal digits"),
            (r#""\400""#, "line 1, column 2: octal digits"),
            ("#\"a", "line 1, column 1: this is not closed"),
            ("017", "line 1, column 1: 017: this is no number"),
            ("1x", "line 1, column 1: 1x: this is no number"),
            ("1e400", "line 1, column 1: 1e400: this is no number"),
            ("::a", "line 1, column 1: ::a: this is no keyword"),
            (":", "line 1, column 1: :: this is no keyword"),
            (r"\word", "line 1, column 1: no character has this name"),
            (r#""\x""#, "line 1, column 2: an unknown escape"),
            (r#""\ud800""#, "line 1, column 2: half of a surrogate pair"),
            ("#inst 5", "line 1, column 1: #inst needs a text"),
            ("#inst \"x\"", "line 1, column 1: this is no date"),
            ("#bytes \"0\"", "line 1, column 1: bytes are written"),
            ("#uuid \"0\"", "line 1, column 1: this is no UUID"),
            ("#cbor/tag 5", "line 1, column 1: no tag is called so"),
            ("#js/undefined 1", "line 1, column 1: no tag is called so"),
            ("#1 2", "line 1, column 1: no tag is called so"),
            ("##x", "line 1, column 1: only ##NaN"),
            ("#_", "line 1, column 3: a value is missing"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            assert!(error.message().starts_with(&format!("EDN, {place}")), "{text}: {error}");
        }
    }

    #[test]
    fn depth_has_a_limit() {
        for (open, close) in
            [("(", ")"), ("[", "]"), ("{0 ", "}"), ("{", " 0}"), ("#{", "}"), ("#a ", ""), ("#:a{b ", "}")]
        {
            let nested = |depth: usize| open.repeat(depth) + "[]" + &close.repeat(depth);
            let value = read(&nested(511)).unwrap();
            assert_eq!(read(&format!("{value:#}")).unwrap(), value);
            assert_eq!(read(&nested(512)).unwrap_err().kind(), ErrorKind::LimitExceeded);
        }
        for bomb in ["[".repeat(1_000_000), "#_".repeat(1_000_000), "#a ".repeat(1_000_000)] {
            assert_eq!(read(&bomb).unwrap_err().kind(), ErrorKind::LimitExceeded);
        }
    }
}
