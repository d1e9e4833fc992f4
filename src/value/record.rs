//! Records for serde: structs of one's own under a name, as every program reads and writes them.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, IgnoredAny, SeqAccess, Visitor},
};

/// A type with the name that its values have in a store: tag 27, `[name, fields]`.
///
/// JavaScript reads them as objects of the class that its option `records` has under this name, Clojure as records.
pub trait Record {
    /// The name, such as `geo/Point`. Those that begin with `konserve/` or `js/` have a meaning already.
    const NAME: &'static str;
}

/// A value that is stored as a [`Record`], and read if it is one of the same name.
///
/// For a field that holds one, `#[serde(with = "konserve::as_record")]` does the same.
///
/// ```
/// use konserve::{AsRecord, Config, Record, blocking};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Point {
///     x: f64,
///     y: f64,
/// }
///
/// impl Record for Point {
///     const NAME: &'static str = "geo/Point";
/// }
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct City {
///     name: String,
///     #[serde(with = "konserve::as_record")]
///     place: Point,
/// }
///
/// let store = blocking::open_store(Config::memory())?;
/// store.assoc("home", AsRecord(Point { x: 1.0, y: 2.5 }))?;
/// assert_eq!(store.get("home")?, Some(AsRecord(Point { x: 1.0, y: 2.5 })));
///
/// let city = City { name: "Ulm".into(), place: Point { x: 10.0, y: 48.4 } };
/// store.assoc("city", &city)?;
/// assert_eq!(store.get_in(("city", "place"))?, Some(AsRecord(city.place)));
/// # Ok::<(), konserve::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AsRecord<T>(pub T);

impl<T: Record + Serialize> Serialize for AsRecord<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_record::serialize(&self.0, serializer)
    }
}

impl<'de, T: Record + Deserialize<'de>> Deserialize<'de> for AsRecord<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_record::deserialize(deserializer).map(Self)
    }
}

/// For `#[serde(with = "konserve::as_record")]`, on fields whose type is a [`Record`].
pub mod as_record {
    use super::{Deserialize, Deserializer, Parts, PhantomData, Record, Serialize, Serializer};
    use crate::cbor::tag::RECORD;

    /// Writes the name and the fields.
    pub fn serialize<T: Record + Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        ciborium::tag::Required::<_, RECORD>((T::NAME, value)).serialize(serializer)
    }

    /// Reads the fields, if the name is the type's.
    pub fn deserialize<'de, T: Record + Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        deserializer.deserialize_seq(Parts(PhantomData))
    }
}

/// The name and the fields of a record.
struct Parts<T>(PhantomData<T>);

impl<'de, T: Record + Deserialize<'de>> Visitor<'de> for Parts<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a record {}", T::NAME)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<T, A::Error> {
        let none = || A::Error::custom(format_args!("it is no record {}", T::NAME));
        let name: Cow<'de, str> = parts.next_element()?.ok_or_else(none)?;
        if name != T::NAME {
            return Err(A::Error::custom(format_args!("it is a record {name}, not {}", T::NAME)));
        }
        let fields = parts.next_element()?.ok_or_else(none)?;
        match parts.next_element::<IgnoredAny>()? {
            None => Ok(fields),
            Some(_) => Err(none()),
        }
    }
}
