//! How a case says that a promise was broken.

use std::fmt;

use crate::{
    cbor,
    error::{Error, ErrorKind, Result},
};

/// So much of a value is shown, in characters.
const SHOWN: usize = 200;

/// How a promise was broken: in words, and with the error that did it, if one did.
#[derive(Clone, Debug)]
pub struct Failure {
    message: String,
    error: Option<Error>,
}

/// What a case returns.
pub(super) type Verdict<T = ()> = Result<T, Failure>;

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), error: None }
    }

    fn by(message: String, error: Error) -> Self {
        Self { message, error: Some(error) }
    }

    /// The error that the call gave where another answer was promised.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.error.as_ref().and_then(std::error::Error::source) {
            Some(cause) => write!(f, "; caused by: {cause}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error().map(|error| error as _)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::by(format!("an error that was not expected: {error}"), error)
    }
}

/// That this is so.
pub(super) fn ensure(holds: bool, promise: &str) -> Verdict {
    if holds { Ok(()) } else { Err(Failure::new(format!("this does not hold: {promise}"))) }
}

/// That two values are the same.
pub(super) fn same<T: fmt::Debug + PartialEq>(what: &str, found: T, expected: T) -> Verdict {
    if found == expected {
        return Ok(());
    }
    let shown = |value: T| cut(format!("{value:?}"));
    Err(Failure::new(format!("{what}: found {}, expected {}", shown(found), shown(expected))))
}

/// That two CBOR items, or nothings, are the same byte for byte.
pub(super) fn same_item(what: &str, found: Option<&[u8]>, expected: Option<&[u8]>) -> Verdict {
    if found == expected {
        return Ok(());
    }
    let shown = |item: Option<&[u8]>| match item {
        Some(item) => format!("{} ({} bytes)", cut(cbor::diagnose(item)), item.len()),
        None => "nothing".to_owned(),
    };
    Err(Failure::new(format!("{what}: found {}, expected {}", shown(found), shown(expected))))
}

/// That a call was refused with an error of this kind.
pub(super) fn refused<T>(what: &str, result: Result<T>, kind: ErrorKind) -> Verdict<Error> {
    match result {
        Err(error) if error.kind() == kind => Ok(error),
        Err(error) => Err(Failure::by(format!("{what}: refused with {error}, expected {kind}"), error)),
        Ok(_) => Err(Failure::new(format!("{what}: succeeded, expected {kind}"))),
    }
}

fn cut(text: String) -> String {
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain("…".chars()).collect()
}
