//! The order of two values.

use super::number::Number;
use super::{Value, View};
use std::cmp::Ordering;

/// Bound below which whole floats are integers, and their own shortest decimals.
const TWO_53: f64 = 9_007_199_254_740_992.0;

impl View<'_> {
    /// Returns the order of the two; `None` for values of different kinds, and for lists and
    /// objects.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Null, Self::Null) => Some(Ordering::Equal),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(&b)),
            (Self::String(a), Self::String(b)) => Some(a.cmp(b)),
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(&b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (Self::Float(a), b) if !a.is_finite() => b.is_number().then(|| a.partial_cmp(&0.0))?,
            (a, Self::Float(b)) if !b.is_finite() => a.is_number().then(|| 0.0.partial_cmp(&b))?,
            (Self::Integer(a), Self::Float(b)) if b.abs() < TWO_53 => Some(compare_small(a, b)),
            (Self::Float(a), Self::Integer(b)) if a.abs() < TWO_53 => Some(compare_small(b, a).reverse()),
            (a, b) => Some(a.number()?.compare(&b.number()?)),
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Integer(_) | Self::Float(_) | Self::Decimal(_))
    }

    fn number(self) -> Option<Number> {
        match self {
            Self::Integer(number) => Some(Number::of_text(&number.to_string())),
            Self::Float(number) => Some(Number::of_float(number)),
            Self::Decimal(number) => Some(Number::of_text(number)),
            Self::Null | Self::Bool(_) | Self::String(_) | Self::Nested => None,
        }
    }
}

/// Compares without rounding the integer; the float is below 2^53.
fn compare_small(integer: i128, float: f64) -> Ordering {
    let whole = float.trunc();
    let by_part = || 0.0f64.partial_cmp(&(float - whole)).unwrap_or(Ordering::Equal);
    integer.cmp(&(whole as i128)).then_with(by_part)
}

/// Compares two lists: by the first items that differ, else by length.
pub(crate) fn compare_lists<'a>(
    a: impl ExactSizeIterator<Item = View<'a>>,
    b: impl ExactSizeIterator<Item = View<'a>>,
) -> Option<Ordering> {
    let by_length = a.len().cmp(&b.len());
    for (a, b) in a.zip(b) {
        match a.compare(b)? {
            Ordering::Equal => {}
            order => return Some(order),
        }
    }
    Some(by_length)
}

impl Value {
    /// Returns the order of the two values; `None` for values of different kinds, objects, and
    /// lists whose items do not compare. Numbers compare exactly, whatever their types: a float as
    /// the decimal that it is displayed as.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::List(a), Self::List(b)) => {
                compare_lists(a.iter().map(View::from), b.iter().map(View::from))
            }
            (a, b) => View::from(a).compare(b.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value {
        crate::json::read(text).unwrap()
    }

    #[test]
    fn integers_above_two_to_the_53_compare_exactly_with_floats() {
        let big = 9_007_199_254_740_993; // 2^53 + 1, no float
        let compare = |a: i64, b: f64| Value::Integer(a).compare(&Value::Float(b)).unwrap();
        assert_eq!(compare(big, 9_007_199_254_740_992.0), Ordering::Greater);
        assert_eq!(compare(i64::MAX, 9_223_372_036_854_775_807.0), Ordering::Less);
        assert_eq!(compare(i64::MIN, -1e19), Ordering::Greater);
        assert_eq!(compare(2, 2.5), Ordering::Less);
        assert_eq!(compare(-2, -2.5), Ordering::Greater);
        assert_eq!(compare(0, f64::INFINITY), Ordering::Less);
        assert_eq!(compare(0, -0.0), Ordering::Equal);
        assert_eq!(Value::Integer(1).compare(&Value::Float(f64::NAN)), None);
    }

    #[test]
    fn numbers_compare_as_they_are_written_whatever_their_types() {
        let ascending = [
            "-1e400",
            "-18446744073709551616",
            "-9223372036854775808",
            "-2.5",
            "-1e-400",
            "0",
            "1e-400",
            "0.1",
            "0.1000000000000000055511",
            "0.10000000000000002",
            "1",
            "9007199254740992.0",
            "9007199254740993",
            "9007199254740993.5",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551614",
            "18446744073709551615",
            "1.8446744073709552e19",
            "1e23",
            "100000000000000000000001",
            "1e400",
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(read(a).compare(&read(b)), Some(i.cmp(&j)), "{a} and {b}");
            }
        }
        for equal in ["100000000000000000000000", "1e23", "1.0e23", "100000000000000000000000.000"] {
            assert_eq!(read("1e23").compare(&read(equal)), Some(Ordering::Equal), "{equal}");
        }
        assert_eq!(
            read("9223372036854775808.0").compare(&read("9223372036854775808")),
            Some(Ordering::Equal)
        );
    }

    #[test]
    fn different_kinds_do_not_compare() {
        let kinds = ["null", "true", "1", "\"1\"", "[1]", "{\"a\": 1}"];
        for (i, a) in kinds.iter().enumerate() {
            for (j, b) in kinds.iter().enumerate() {
                let expected = (i == j && !a.starts_with('{')).then_some(Ordering::Equal);
                assert_eq!(read(a).compare(&read(b)), expected, "{a} and {b}");
            }
        }
    }

    #[test]
    fn lists_compare_by_their_first_difference() {
        for (a, b, order) in [
            ("[]", "[]", Some(Ordering::Equal)),
            ("[1, \"a\"]", "[1.0, \"a\"]", Some(Ordering::Equal)),
            ("[1, 2]", "[1, 3]", Some(Ordering::Less)),
            ("[1]", "[1, null]", Some(Ordering::Less)),
            ("[2]", "[1, 5]", Some(Ordering::Greater)),
            ("[1]", "[\"1\"]", None),
            ("[[1]]", "[[1]]", None),
        ] {
            assert_eq!(read(a).compare(&read(b)), order, "{a} and {b}");
        }
    }
}
