//! Values from the usual types of Rust.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{BigInt, Decimal, Ratio, Value};

macro_rules! from {
    ($($type:ty => |$it:ident| $value:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($it: $type) -> Self {
                $value
            }
        }
    )*};
}

from! {
    () => |_nothing| Self::Null;
    bool => |it| Self::Bool(it);
    i8 => |it| Self::Int(it.into());
    i16 => |it| Self::Int(it.into());
    i32 => |it| Self::Int(it.into());
    i64 => |it| Self::Int(it.into());
    i128 => |it| Self::Int(it);
    u8 => |it| Self::Int(it.into());
    u16 => |it| Self::Int(it.into());
    u32 => |it| Self::Int(it.into());
    u64 => |it| Self::Int(it.into());
    f32 => |it| Self::Float(it.into());
    f64 => |it| Self::Float(it);
    &str => |it| Self::Text(it.into());
    String => |it| Self::Text(it);
    &[u8] => |it| Self::Bytes(it.into());
    Vec<u8> => |it| Self::Bytes(it);
    Vec<Value> => |it| Self::Array(it);
    Vec<(Value, Value)> => |it| Self::Map(it);
    BigInt => |it| Self::BigInt(it);
    Ratio => |it| Self::Ratio(Box::new(it));
    Decimal => |it| Self::Decimal(Box::new(it));
    SystemTime => |it| Self::Date(milliseconds(it));
}

/// Whole milliseconds since 1970, finer digits cut; beyond what a date may be at the ends of `i64`.
fn milliseconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1_000_000)).map_or(i64::MIN, |ms| -ms),
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    /// Nothing is `null`.
    fn from(it: Option<T>) -> Self {
        it.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    /// An array.
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}

impl<K: Into<Value>, V: Into<Value>> FromIterator<(K, V)> for Value {
    /// A map.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_before_1970_are_cut_as_those_after_are() {
        assert_eq!(Value::from(UNIX_EPOCH + Duration::from_micros(1500)), Value::Date(1));
        assert_eq!(Value::from(UNIX_EPOCH - Duration::from_micros(1500)), Value::Date(-2));
    }

    #[test]
    fn iterators_become_arrays_and_maps() {
        assert_eq!([1, 2].into_iter().collect::<Value>(), Value::Array(vec![1.into(), 2.into()]));
        assert_eq!([("a", 1)].into_iter().collect::<Value>(), Value::Map(vec![("a".into(), 1.into())]));
        assert_eq!(Value::from(None::<bool>), Value::Null);
    }
}
