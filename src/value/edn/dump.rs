//! The text of a value for who compares or reads what Clojure wrote. It need not be read as the same value.

use super::{META, Value, print};

/// The tags of Java's arrays of numbers (RFC 8746), with the bytes of a number.
const ARRAYS: [(u64, &str, usize); 5] = [
    (77, "array-short", 2),
    (78, "array-int", 4),
    (79, "array-long", 8),
    (85, "array-float", 4),
    (86, "array-double", 8),
];
/// Names of host types, and what they are called here.
const HOST: [(&str, &str); 9] = [
    (META, "with-meta"),
    ("clojure/sorted-map", "sorted-map"),
    ("clojure/sorted-set", "sorted-set"),
    ("clojure/queue", "queue"),
    ("java/boolean-array", "array-boolean"),
    ("java/char-array", "array-char"),
    ("java/string-array", "array-String"),
    ("java/object-array", "array-Object"),
    ("java/period", "period"),
];
/// Namespaces of names that are no records of Clojure.
const NO_RECORDS: [&str; 5] = ["boring", "clojure", "java", "js", "konserve"];
/// The record of incognito's around the tag and the value of what it does not know.
const INCOGNITO: &str = "incognito.base/IncognitoTaggedLiteral";
/// What Clojure's reader says of a list.
const PLACES: [&str; 4] = ["line", "column", "end-line", "end-column"];
const DURATION: u64 = 1002;
const FULL_DATE: u64 = 1004;

/// A value as `konserve dump` prints it, in one line: maps and sets in the order of their texts, records by the name of
/// their class (`#my_ns.core.Rec {…}`), the types of Clojure and Java by short names (`#sorted-map {…}`, `#queue […]`,
/// `#array-long […]`, `#duration "PT1H"`, `#local-date "2024-02-29"`), keywords and symbols with any name as Clojure
/// prints them. The line and column where Clojure's reader found a list are left out, and the name of the class in which
/// incognito keeps what it does not know.
pub fn dump(value: &Value) -> String {
    print::dump(&readable(value))
}

/// The value with names in place of what only a program knows.
fn readable(value: &Value) -> Value {
    let all = |items: &[Value]| items.iter().map(readable).collect::<Vec<_>>();
    match value {
        Value::Array(items) => Value::Array(all(items)),
        Value::Set(members) => Value::Set(all(members)),
        Value::Map(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (readable(key), readable(value))).collect())
        }
        Value::Tagged(tag, content) => match value.as_record() {
            Some((name, content)) => record(name, readable(content)),
            None => tagged(*tag, content),
        },
        leaf => leaf.clone(),
    }
}

fn record(name: &str, content: Value) -> Value {
    if name == INCOGNITO {
        return content;
    }
    if let (META, Some([Value::Map(meta), value])) = (name, content.as_array())
        && meta.iter().all(|(name, _)| matches!(name, Value::Keyword(name) if PLACES.contains(&name.as_str())))
    {
        return value.clone();
    }
    if let Some((_, short)) = HOST.iter().find(|(host, _)| *host == name) {
        return Value::record(*short, content);
    }
    let class = match name.split_once('/') {
        Some((namespace, record)) if matches!(content, Value::Map(_)) && !NO_RECORDS.contains(&namespace) => {
            format!("{}.{record}", namespace.replace('-', "_"))
        }
        _ => name.to_owned(),
    };
    Value::record(class, content)
}

fn tagged(tag: u64, content: &Value) -> Value {
    let named = match tag {
        DURATION => duration(content).map(|text| ("duration", Value::Text(text))),
        FULL_DATE => content.as_str().map(|text| ("local-date", Value::from(text))),
        _ => ARRAYS.iter().find(|(array, ..)| *array == tag).and_then(|(_, name, size)| {
            let numbers = content.as_bytes()?.chunks(*size).map(|number| element(tag, number));
            Some((*name, Value::Array(numbers.collect::<Option<_>>()?)))
        }),
    };
    match named {
        Some((name, content)) => Value::record(name, content),
        None => Value::tagged(tag, readable(content)),
    }
}

/// A number of an array, whose bytes are little-endian.
fn element(tag: u64, bytes: &[u8]) -> Option<Value> {
    Some(match tag {
        77 => i64::from(i16::from_le_bytes(bytes.try_into().ok()?)).into(),
        78 => i64::from(i32::from_le_bytes(bytes.try_into().ok()?)).into(),
        79 => i64::from_le_bytes(bytes.try_into().ok()?).into(),
        85 => Value::Float(f32::from_le_bytes(bytes.try_into().ok()?).into()),
        _ => Value::Float(f64::from_le_bytes(bytes.try_into().ok()?)),
    })
}

/// Whole seconds and nanoseconds (RFC 9581) as Java's `Duration` prints them: `PT1H2M3.5S`.
fn duration(content: &Value) -> Option<String> {
    let entries = content.as_map()?;
    let at = |key: i128| entries.iter().find(|(it, _)| *it == Value::Int(key)).map(|(_, value)| value);
    let seconds = i128::from(at(1)?.as_i64()?);
    let nanoseconds = at(-9).map_or(Some(0), Value::as_i64).filter(|n| (0..1_000_000_000).contains(n))?;
    if entries.len() != 1 + usize::from(at(-9).is_some()) {
        return None;
    }
    let total = seconds * 1_000_000_000 + i128::from(nanoseconds);
    // Each part has the sign of the whole.
    let (sign, size) = (if total < 0 { "-" } else { "" }, total.unsigned_abs());
    let (whole, fraction) = (size / 1_000_000_000, size % 1_000_000_000);
    let part = |n: u128, unit: &str| if n == 0 { String::new() } else { format!("{sign}{n}{unit}") };
    let fraction = format!("{fraction:09}");
    let fraction = fraction.trim_end_matches('0');
    let seconds = match (whole % 60, fraction) {
        (0, "") if whole > 0 => String::new(),
        (n, "") => part(n, "S") + if n == 0 { "0S" } else { "" },
        (n, fraction) => format!("{sign}{n}.{fraction}S"),
    };
    Some(format!("PT{}{}{seconds}", part(whole / 3600, "H"), part(whole / 60 % 60, "M")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::{edn::read, tests::any_value};

    proptest! {
        #[test]
        fn a_dump_has_one_line_and_no_tab(value in any_value()) {
            prop_assert!(!dump(&value).contains(char::is_control));
        }
    }

    #[test]
    fn what_clojure_and_java_have_reads_well() {
        for (value, text) in [
            ("#my-ns.core/Rec {:b 1, :a #a/B {}}", "#my_ns.core.Rec {:a #a.B {}, :b 1}"),
            ("#klib.Person {:a 1}", "#klib.Person {:a 1}"),
            (
                "[#js/error {} #a/B [1] #clojure/ex-info [\"m\" {} nil]]",
                "[#js/error {} #a/B [1] #clojure/ex-info [\"m\" {} nil]]",
            ),
            ("#clojure/sorted-map {:b 1 :a #clojure/queue [1 2]}", "#sorted-map {:a #queue [1 2], :b 1}"),
            ("(1 #java/list [2])", "(1 (2))"),
            ("^{:a 1} #{3 1}", "#with-meta [{:a 1} #{1 3}]"),
            ("^{:line 1, :column 2} [[] ^{:a 1, :line 1} []]", "[[] #with-meta [{:a 1, :line 1} []]]"),
            ("#incognito.base/IncognitoTaggedLiteral {:tag my.ns.Foo, :value 1}", "{:tag my.ns.Foo, :value 1}"),
            (r#"#cbor/tag [77 #bytes "0100feff"]"#, "#array-short [1 -2]"),
            (r#"#cbor/tag [85 #bytes "0000c03fcdcccc3d"]"#, "#array-float [1.5 0.10000000149011612]"),
            (r#"#cbor/tag [86 #bytes "000000000000f87f"]"#, "#array-double [##NaN]"),
            (r#"#cbor/tag [79 #bytes "00"]"#, r#"#cbor/tag [79 #bytes "00"]"#),
            (r#"#cbor/tag [40 [[1 1] #cbor/tag [78 #bytes "ffffffff"]]]"#, "#cbor/tag [40 [[1 1] #array-int [-1]]]"),
            (r#"#cbor/tag [1004 "2024-02-29"]"#, r#"#local-date "2024-02-29""#),
            ("#cbor/tag [1002 {1 0}]", r#"#duration "PT0S""#),
            ("#cbor/tag [1002 {1 60}]", r#"#duration "PT1M""#),
            ("#cbor/tag [1002 {1 3723 -9 500000000}]", r#"#duration "PT1H2M3.5S""#),
            ("#cbor/tag [1002 {1 -1 -9 1}]", r#"#duration "PT-0.999999999S""#),
            ("#cbor/tag [1002 {1 -3661}]", r#"#duration "PT-1H-1M-1S""#),
            ("#cbor/tag [1002 {1 1 -3 5}]", "#cbor/tag [1002 {-3 5, 1 1}]"),
            (r#"[#cbor/tag [39 ":a b"] #cbor/tag [39 ""] #cbor/tag [39 ":\n"]]"#, r#"[:a b  #cbor/tag [39 ":\n"]]"#),
            ("\"a\\tb\\n\u{2028}\\u0000\\\"\"", "\"a\\tb\\n\u{2028}\\u0000\\\"\""),
        ] {
            assert_eq!(dump(&read(value).unwrap()), text);
        }
    }
}
