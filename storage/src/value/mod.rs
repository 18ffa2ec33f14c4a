//! Values of metadata: everything that JSON can express, with exact numbers.
//!
//! | file | responsibility |
//! |---|---|
//! | number | numbers as they are written: which type keeps one exactly, and decimals of any length |
//! | view | values without parts: the table of how each kind is written |
//! | compare | the order of two values, exact between all types of numbers |
//! | fields | metadata as flat fields by path, for filters |

mod compare;
pub(crate) mod fields;
pub(crate) mod number;
mod view;

pub(crate) use compare::compare_lists;
pub use number::Decimal;
pub(crate) use view::{View, WORDS};

use number::{Number, Written};
use std::collections::BTreeMap;

/// A document's fields, by name.
pub type Metadata = BTreeMap<String, Value>;

/// Deepest nesting of lists and objects in a document's metadata, its own object included.
pub const MAX_METADATA_DEPTH: usize = 128;

/// The value of a field. It displays as JSON, and [`json`](crate::json) reads it back.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// An explicit null: not the same as an absent field.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number from 2^63 on; `From<u64>` takes [`Integer`](Self::Integer) for smaller ones.
    Unsigned(u64),
    /// A finite number. It stands for the shortest decimal that reads back as the same float, which
    /// is how it is displayed.
    Float(f64),
    /// A number that none of the three types above keeps exactly; [`Value::number`] makes one.
    Decimal(Decimal),
    /// Text.
    String(String),
    /// An ordered list of values.
    List(Vec<Value>),
    /// Fields by name.
    Object(Metadata),
}

impl Value {
    /// Reads a number as JSON writes it; `None` if `text` is not a number, or its exponent has more
    /// than 15 digits.
    ///
    /// ```
    /// use postil_storage::Value;
    /// assert_eq!(Value::number("18446744073709551615"), Some(Value::Unsigned(u64::MAX)));
    /// assert_eq!(Value::number("12345678901234567890123").unwrap().to_string(), "12345678901234567890123");
    /// ```
    #[must_use]
    pub fn number(text: &str) -> Option<Self> {
        let Written { number, end, is_whole } = Written::read(text)?;
        if end != text.len() {
            return None;
        }
        if is_whole && text != "-0" {
            if let Ok(integer) = text.parse() {
                return Some(Self::Integer(integer));
            }
            if let Ok(unsigned) = text.parse() {
                return Some(Self::Unsigned(unsigned));
            }
            return Some(Self::Decimal(Decimal::written(text)));
        }
        let float: f64 = text.parse().ok()?;
        // "-0" has no integer, and its float is exact.
        match float.is_finite() && Number::of_float(float).compare(&number).is_eq() {
            true => Some(Self::Float(float)),
            false => Some(Self::Decimal(Decimal::written(text))),
        }
    }

    /// Returns the text; `None` for another kind of value.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// Returns the number, if it is a whole one from 0 to 2^64 - 1; otherwise `None`.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::Integer(number) => u64::try_from(number).ok(),
            Self::Unsigned(number) => Some(number),
            _ => None,
        }
    }

    /// Returns the nearest float, infinite beyond the largest; `None` if the value is not a number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Unsigned(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Decimal(number) => number.as_str().parse().ok(),
            _ => None,
        }
    }

    /// Returns the items; `None` if the value is not a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// Returns the fields; `None` if the value is not an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Metadata> {
        if let Self::Object(fields) = self { Some(fields) } else { None }
    }

    /// Returns the field of that name; `None` if there is none or the value is not an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// Returns the levels of lists and objects, counted up to one more than `most`.
    pub(crate) fn depth(&self, most: usize) -> usize {
        let below = |values: &mut dyn Iterator<Item = &Self>| match most {
            0 => 1,
            _ => 1 + values.map(|value| value.depth(most - 1)).max().unwrap_or(0),
        };
        match self {
            Self::List(items) => below(&mut items.iter()),
            Self::Object(fields) => below(&mut fields.values()),
            _ => 0,
        }
    }
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

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::Unsigned(value), Self::Integer)
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

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(items: Vec<V>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl From<Metadata> for Value {
    fn from(fields: Metadata) -> Self {
        Self::Object(fields)
    }
}

/// Converts `None` to [`Value::Null`].
impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
