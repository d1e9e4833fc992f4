//! A place in text that is being read as EDN or JSON, and what both have in common.

use crate::error::{Error, ErrorKind, Result};

/// A place in a text.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    language: Language,
}

/// What the text is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Edn,
    #[cfg(feature = "cli")]
    Json,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, language: Language) -> Self {
        Self { text, at: 0, language }
    }

    /// Where it is, in bytes.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The next character, which is left behind.
    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Whether this text is next; then it is left behind.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let there = self.rest().starts_with(text);
        if there {
            self.at += text.len();
        }
        there
    }

    /// The longest run of such characters.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    /// An error here.
    pub(super) fn error(&self, why: &str) -> Error {
        self.error_at(self.at, why)
    }

    /// An error at an earlier place. Lines and columns count from 1, columns in characters.
    pub(super) fn error_at(&self, at: usize, why: &str) -> Error {
        self.located(ErrorKind::InvalidValue, at, why)
    }

    /// The error of what is nested too deep.
    pub(super) fn too_deep(&self) -> Error {
        self.located(ErrorKind::LimitExceeded, self.at, "nested deeper than 512; make it flatter")
    }

    fn located(&self, kind: ErrorKind, at: usize, why: &str) -> Error {
        let before = self.text.get(..at).unwrap_or_default();
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
        let language = match self.language {
            Language::Edn => "EDN",
            #[cfg(feature = "cli")]
            Language::Json => "JSON",
        };
        Error::new(kind, format!("{language}, line {line}, column {column}: {why}"))
    }

    /// A text, from after its opening quote to after its closing one.
    pub(super) fn quoted(&mut self) -> Result<String> {
        let start = self.at.saturating_sub(1);
        let mut text = String::new();
        // JSON allows no control characters in a text as they are.
        let first_allowed = if self.language == Language::Edn { '\0' } else { ' ' };
        loop {
            text.push_str(self.take_while(|c| !matches!(c, '"' | '\\') && c >= first_allowed));
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                Some(_) => {
                    return Err(self.error_at(self.at - 1, "a control character in a text; write it as an escape"));
                }
                None => return Err(self.error_at(start, "this text does not end; close it with a quote")),
            }
        }
    }

    /// The character of an escape, after its backslash.
    fn escape(&mut self) -> Result<char> {
        let at = self.at - 1;
        Ok(match self.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some(c @ ('"' | '\\')) => c,
            Some('/') if self.language != Language::Edn => '/',
            Some(digit) if is_octal(digit) && self.language == Language::Edn => {
                self.at -= 1;
                self.octal(at)?
            }
            Some('u') => {
                let unit = self.unit(at)?;
                let low = match unit {
                    0xd800..0xdc00 if self.eat("\\u") => self.unit(at)?,
                    _ => return char::from_u32(unit.into()).ok_or_else(|| self.lone(at)),
                };
                let mut pair = char::decode_utf16([unit, low]);
                pair.next().and_then(std::result::Result::ok).ok_or_else(|| self.lone(at))?
            }
            _ => return Err(self.error_at(at, "an unknown escape; use \\\", \\\\, \\n, \\t, \\r, \\b, \\f or \\u0000")),
        })
    }

    fn lone(&self, at: usize) -> Error {
        self.error_at(at, "half of a surrogate pair is no character")
    }

    /// The character of one to three octal digits, which are there; at most 377.
    pub(super) fn octal(&mut self, start: usize) -> Result<char> {
        let len = self.rest().chars().take(3).take_while(|c| is_octal(*c)).count();
        let digits = self.rest().get(..len).unwrap_or_default();
        self.at += len;
        let code = u8::from_str_radix(digits, 8);
        code.map(char::from).map_err(|_| self.error_at(start, "octal digits of a character are at most 377"))
    }

    /// The four hexadecimal digits of a UTF-16 unit.
    pub(super) fn unit(&mut self, start: usize) -> Result<u16> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let digits = digits.ok_or_else(|| self.error_at(start, "\\u needs four hexadecimal digits"))?;
        self.at += 4;
        u16::from_str_radix(digits, 16).map_err(|_| self.error_at(start, "\\u needs four hexadecimal digits"))
    }
}

/// Whether it is a digit from 0 to 7.
pub(super) fn is_octal(c: char) -> bool {
    matches!(c, '0'..='7')
}
