//! What the first byte of an item means (org.fressian.impl.Codes), and the structs that have a meaning by their name.

/// Items of the cache of priority, by their index.
pub(super) const CACHED: u8 = 0x80;
/// How many of them have a code of their own.
pub(super) const CACHED_LEN: usize = 0x20;
/// Structs that were defined before, by their index.
pub(super) const STRUCTS: u8 = 0xa0;
/// How many of them have a code of their own.
pub(super) const STRUCTS_LEN: usize = 0x10;
pub(super) const GET_CACHED: u8 = 0xcc;
pub(super) const PUT_CACHED: u8 = 0xcd;
pub(super) const PRECACHE: u8 = 0xce;
/// A footer is this byte four times, then a length and a checksum of four bytes each.
pub(super) const FOOTER: u8 = 0xcf;
/// What has fewer parts than this has its length in its code: bytes, strings, lists.
pub(super) const PACKED: usize = 8;
pub(super) const BYTES_PACKED: u8 = 0xd0;
pub(super) const BYTES_CHUNK: u8 = 0xd8;
pub(super) const BYTES: u8 = 0xd9;
pub(super) const STRING_PACKED: u8 = 0xda;
pub(super) const STRING_CHUNK: u8 = 0xe2;
pub(super) const STRING: u8 = 0xe3;
pub(super) const LIST_PACKED: u8 = 0xe4;
pub(super) const LIST: u8 = 0xec;
pub(super) const CLOSED_LIST: u8 = 0xed;
pub(super) const OPEN_LIST: u8 = 0xee;
pub(super) const STRUCT_TYPE: u8 = 0xef;
pub(super) const STRUCT: u8 = 0xf0;
pub(super) const META: u8 = 0xf1;
pub(super) const ANY: u8 = 0xf4;
pub(super) const TRUE: u8 = 0xf5;
pub(super) const FALSE: u8 = 0xf6;
pub(super) const NULL: u8 = 0xf7;
pub(super) const INT: u8 = 0xf8;
pub(super) const FLOAT: u8 = 0xf9;
pub(super) const DOUBLE: u8 = 0xfa;
pub(super) const DOUBLE_0: u8 = 0xfb;
pub(super) const DOUBLE_1: u8 = 0xfc;
pub(super) const END: u8 = 0xfd;
pub(super) const RESET_CACHES: u8 = 0xfe;

/// A struct that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Longs,
    Doubles,
    Booleans,
    Ints,
    Floats,
    Objects,
    Map,
    Set,
    Uuid,
    Regexp,
    Uri,
    BigInt,
    Decimal,
    Date,
    Symbol,
    Keyword,
    Vector,
    List,
    Record,
    ClassRecord,
    Char,
    Ratio,
    Byte,
    Undefined,
    JsMap,
    Tag,
}

use Known::{
    BigInt, Booleans, Byte, Char, ClassRecord, Date, Decimal, Doubles, Floats, Ints, JsMap, Keyword, List, Longs, Map,
    Objects, Ratio, Record, Regexp, Set, Symbol, Tag, Undefined, Uri, Uuid, Vector,
};

/// Those with a code of their own, which stands in the place of name and number of parts.
const CODED: [(u8, Known); 16] = [
    (0xb0, Longs),
    (0xb1, Doubles),
    (0xb2, Booleans),
    (0xb3, Ints),
    (0xb4, Floats),
    (0xb5, Objects),
    (0xc0, Map),
    (0xc1, Set),
    (0xc3, Uuid),
    (0xc4, Regexp),
    (0xc5, Uri),
    (0xc6, BigInt),
    (0xc7, Decimal),
    (0xc8, Date),
    (0xc9, Symbol),
    (0xca, Keyword),
];

/// All of them.
const NAMED: [(&str, Known); 26] = [
    ("long[]", Longs),
    ("double[]", Doubles),
    ("boolean[]", Booleans),
    ("int[]", Ints),
    ("float[]", Floats),
    ("Object[]", Objects),
    ("map", Map),
    ("set", Set),
    ("uuid", Uuid),
    ("regex", Regexp),
    ("uri", Uri),
    ("bigint", BigInt),
    ("bigdec", Decimal),
    ("inst", Date),
    ("sym", Symbol),
    ("key", Keyword),
    // Of incognito.
    ("pvec", Vector),
    ("plist", List),
    ("irecord", Record),
    // Of data.fressian.
    ("record", ClassRecord),
    ("char", Char),
    ("ratio", Ratio),
    ("byte", Byte),
    // Our own.
    ("js/undefined", Undefined),
    ("js/map", JsMap),
    ("cbor/tag", Tag),
];

impl Known {
    /// The one that has this code.
    pub(super) fn of_code(code: u8) -> Option<Self> {
        CODED.iter().find(|(known, _)| *known == code).map(|(_, known)| *known)
    }

    /// The one that has this name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        NAMED.iter().find(|(known, _)| *known == name).map(|(_, known)| *known)
    }

    /// Its code, if it has one.
    pub(super) fn code(self) -> Option<u8> {
        CODED.iter().find(|(_, known)| *known == self).map(|(code, _)| *code)
    }
}
