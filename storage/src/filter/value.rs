//! What a metadata field can hold, and how two values compare.

use rkyv::{Archive, Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A document's fields, by name.
pub type Metadata = BTreeMap<String, Value>;

/// The value of one field.
#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
pub enum Value {
    /// Text.
    String(String),
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// Several texts, for example tags.
    Strings(Vec<String>),
}

impl Value {
    /// How the two compare; `None` between values of different kinds. Numbers compare exactly, whole with float.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::String(a), Self::String(b)) => Some(a.cmp(b)),
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Integer(a), Self::Float(b)) => compare_exactly(*a, *b),
            (Self::Float(a), Self::Integer(b)) => compare_exactly(*b, *a).map(Ordering::reverse),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Strings(a), Self::Strings(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// Compares without rounding the integer: above 2^53 not every integer is a float.
fn compare_exactly(integer: i64, float: f64) -> Option<Ordering> {
    const TWO_63: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= TWO_63 {
        return Some(Ordering::Less);
    }
    if float < -TWO_63 {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    // In range by the two tests above, and whole: the conversion is exact.
    let by_whole = integer.cmp(&(whole as i64));
    Some(by_whole.then_with(|| 0.0f64.partial_cmp(&(float - whole)).expect("neither is NaN")))
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Vec<String>> for Value {
    fn from(value: Vec<String>) -> Self {
        Self::Strings(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_above_two_to_the_53_compare_exactly_with_floats() {
        let big = 9_007_199_254_740_993; // 2^53 + 1, no float
        let compare = |a: i64, b: f64| Value::Integer(a).compare(&Value::Float(b)).unwrap();
        assert_eq!(compare(big, 9_007_199_254_740_992.0), Ordering::Greater);
        assert_eq!(compare(i64::MAX, 9_223_372_036_854_775_807.0), Ordering::Less);
        assert_eq!(compare(i64::MIN, -9_223_372_036_854_775_808.0), Ordering::Equal);
        assert_eq!(compare(2, 2.5), Ordering::Less);
        assert_eq!(compare(-2, -2.5), Ordering::Greater);
        assert_eq!(compare(0, f64::INFINITY), Ordering::Less);
        assert_eq!(Value::Integer(1).compare(&Value::Float(f64::NAN)), None);
    }

    #[test]
    fn different_kinds_do_not_compare() {
        assert_eq!(Value::from("1").compare(&Value::from(1)), None);
        assert_eq!(Value::from(true).compare(&Value::from(1)), None);
    }
}
