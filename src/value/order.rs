//! When values are equal, and an order that agrees with it.

use std::cmp::Ordering;

use super::Value;

impl Value {
    /// Where values of this kind stand among the others.
    fn rank(&self) -> u8 {
        match self {
            Self::Undefined => 0,
            Self::Null => 1,
            Self::Bool(_) => 2,
            Self::Int(_) => 3,
            Self::BigInt(_) => 4,
            Self::Float(_) => 5,
            Self::Ratio(_) => 6,
            Self::Decimal(_) => 7,
            Self::Text(_) => 8,
            Self::Char(_) => 9,
            Self::Bytes(_) => 10,
            Self::Date(_) => 11,
            Self::Uuid(_) => 12,
            Self::Keyword(_) => 13,
            Self::Symbol(_) => 14,
            Self::Array(_) => 15,
            Self::Set(_) => 16,
            Self::Map(_) => 17,
            Self::Tagged(..) => 18,
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::BigInt(a), Self::BigInt(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => one_nan(*a).total_cmp(&one_nan(*b)),
            (Self::Ratio(a), Self::Ratio(b)) => (a.numerator(), a.denominator()).cmp(&(b.numerator(), b.denominator())),
            (Self::Decimal(a), Self::Decimal(b)) => (a.exponent, &a.mantissa).cmp(&(b.exponent, &b.mantissa)),
            (Self::Char(a), Self::Char(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Uuid(a), Self::Uuid(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b))
            | (Self::Keyword(a), Self::Keyword(b))
            | (Self::Symbol(a), Self::Symbol(b)) => a.cmp(b),
            (Self::Array(a), Self::Array(b)) => a.cmp(b),
            (Self::Set(a), Self::Set(b)) => sorted(a).cmp(&sorted(b)),
            (Self::Map(a), Self::Map(b)) => sorted(a).cmp(&sorted(b)),
            (Self::Tagged(tag, a), Self::Tagged(other_tag, b)) => (tag, a).cmp(&(other_tag, b)),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}

fn one_nan(n: f64) -> f64 {
    if n.is_nan() { f64::NAN } else { n }
}

fn sorted<T: Ord>(items: &[T]) -> Vec<&T> {
    let mut sorted: Vec<&T> = items.iter().collect();
    sorted.sort();
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_equal_when_they_are_stored_as_the_same() {
        assert_eq!(Value::Float(f64::NAN), Value::Float(-f64::NAN));
        assert_ne!(Value::Float(-0.0), Value::Float(0.0));
        assert_ne!(Value::Int(1), Value::Float(1.0));
        assert_ne!(Value::Int(1), Value::BigInt(1.into()));
        assert_ne!(Value::Text("a".into()), Value::Keyword("a".into()));
    }

    #[test]
    fn the_order_of_maps_and_sets_does_not_count_and_that_of_arrays_does() {
        let (one, two) = (Value::Int(1), Value::Int(2));
        let both = || vec![one.clone(), two.clone()];
        let turned = || vec![two.clone(), one.clone()];
        assert_eq!(Value::Set(both()), Value::Set(turned()));
        assert_ne!(Value::Array(both()), Value::Array(turned()));
        let pairs = |keys: Vec<Value>| Value::Map(keys.into_iter().map(|key| (key.clone(), key)).collect());
        assert_eq!(pairs(both()), pairs(turned()));
        assert_ne!(pairs(both()), pairs(vec![one.clone()]));
    }
}
