//! Serializer 1: Fressian (org.fressian 0.6) as Clojure's konserve writes it, with the handlers of data.fressian and incognito.
//!
//! Read is all of Fressian: both caches, lists with a length or an end, chunks, footers. Bytes after the first item are
//! ignored. What the inner form has no word for becomes what an unknown struct is, so that nothing is lost: half of a
//! surrogate pair as a character `["char", [n]]`, a date beyond JavaScript's `["inst", [ms]]`, a symbol that begins with a
//! colon `["sym", [namespace, name]]`. Half of a pair in a string has no form at all: `CORRUPT`.
//!
//! What is written is what konserve writes for the same value, byte for byte, and it is read as the same, with these
//! differences:
//!
//! | inner form | Fressian | read again as |
//! |---|---|---|
//! | integer beyond 64 bits with a sign | bigint | tag 2 or 3 |
//! | big integer with leading zeros, or in a ratio or decimal that needs none | the same number | its shortest form |
//! | tag 1, or tag 0 in another form | inst | tag 0 in UTC, or tag 1 where that cannot be |
//! | float of two bytes | float | float of four bytes |
//! | `clojure/sorted-map`, `clojure/sorted-set` | map, set, as konserve does | map, set |
//! | `clojure/with-meta` | the value alone, as konserve does | the value |
//! | -0.0 | `fa` and its 8 bytes: konserve writes 0.0, but reads the sign | the same |
//! | `undefined` | struct `js/undefined`, no parts | the same |
//! | tag 259, JavaScript's `Map` with texts as keys | struct `js/map`, a map | the same |
//! | a name (tag 27) with a map | struct `irecord`, a record for Clojure | the same |
//! | a name with an array | a struct of this name and so many parts | the same |
//! | typed arrays that Java has not, unknown tags, `js/array-buffer` and other names with other contents, decimals and characters beyond Java's, names of structs that have a meaning | struct `cbor/tag`: the number, the content | the same |
//! | keywords, symbols and names of structs over 2 KiB | without the cache | the same |
//!
//! Clojure reads the structs `js/…`, `cbor/tag` and those of other names as tagged objects, and writes them back as they
//! are. `INVALID_VALUE` is what konserve cannot write either and a value of JavaScript never is: `Duration` (tag 1002),
//! `LocalDate` (tag 1004), `java/period`, `clojure/queue`, a date finer than a millisecond. So are keys of one map, or
//! members of one set, that the table makes one.

mod caches;
mod codes;
mod input;
mod integer;
mod named;
mod reader;
mod structs;
mod tagged;
mod text;
mod writer;

use bytes::Bytes;

use super::DEFAULT_MAX_VALUE_LEN;
use crate::error::Result;

/// The inner form of a value section, at most 256 MiB. `CORRUPT` if it is none, `LIMIT_EXCEEDED` if it is nested deeper than
/// 512 or longer.
pub fn decode(stored: &[u8]) -> Result<Bytes> {
    decode_within(stored, DEFAULT_MAX_VALUE_LEN)
}

/// The same with another limit. References to the cache make much of few bytes, but never more than 4096 times as much (or
/// 1 MiB).
pub fn decode_within(stored: &[u8], max_len: u64) -> Result<Bytes> {
    reader::read(stored, max_len)
}

/// The stored form of a value that is given in the inner form. `INVALID_VALUE`: see above.
pub fn encode(cbor: &[u8]) -> Result<Bytes> {
    writer::write(cbor)
}
