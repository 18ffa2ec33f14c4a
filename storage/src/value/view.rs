//! Values without parts: the one table of what each kind is called and how it is written.
//!
//! A new kind of value is a variant here and of [`Value`], [`Scalar`] and the order in
//! `compare.rs`; `FORMAT.md` has its number on disk. Everything else goes through this table.

use super::Value;
use super::fields::Scalar;
use std::fmt;

/// Values that are written as a word, in JSON and in filters.
pub(crate) const WORDS: [(&str, Value); 3] =
    [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))];

/// A borrowed value without parts.
#[derive(Clone, Copy)]
pub(crate) enum View<'a> {
    Null,
    Bool(bool),
    /// Integers of 64 bits, with and without a sign.
    Integer(i128),
    Float(f64),
    Decimal(&'a str),
    String(&'a str),
    /// A list or an object, which does not compare with anything.
    Nested,
}

impl<'a> From<&'a Value> for View<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Integer(number) => Self::Integer((*number).into()),
            Value::Unsigned(number) => Self::Integer((*number).into()),
            Value::Float(number) => Self::Float(*number),
            Value::Decimal(number) => Self::Decimal(number.as_str()),
            Value::String(text) => Self::String(text),
            Value::List(_) | Value::Object(_) => Self::Nested,
        }
    }
}

impl<'a> From<&'a Scalar> for View<'a> {
    fn from(scalar: &'a Scalar) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Bool(truth) => Self::Bool(*truth),
            Scalar::Integer(number) => Self::Integer((*number).into()),
            Scalar::Unsigned(number) => Self::Integer((*number).into()),
            Scalar::Float(number) => Self::Float(*number),
            Scalar::Decimal(number) => Self::Decimal(number),
            Scalar::String(text) => Self::String(text),
            Scalar::Nested => Self::Nested,
        }
    }
}

impl View<'_> {
    /// Writes the value as JSON; a text with `write_text`. A float that is not finite, which no
    /// database has, is `null`, as is a value with parts, which has a writer of its own.
    pub(crate) fn write_json<W: fmt::Write>(
        self,
        out: &mut W,
        write_text: impl FnOnce(&mut W, &str) -> fmt::Result,
    ) -> fmt::Result {
        match self {
            Self::Bool(truth) => write!(out, "{truth}"),
            Self::Integer(number) => write!(out, "{number}"),
            Self::Float(number) if number.is_finite() => write!(out, "{number:?}"),
            Self::Decimal(number) => out.write_str(number),
            Self::String(text) => write_text(out, text),
            Self::Null | Self::Float(_) | Self::Nested => out.write_str("null"),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for View<'_> {
    /// Serializes as [`write_json`](View::write_json) writes; all digits of a decimal as a number
    /// if `serde_json` writes text, whose `Value` cannot hold them.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Bool(truth) => serializer.serialize_bool(truth),
            Self::Integer(number) => match i64::try_from(number) {
                Ok(number) => serializer.serialize_i64(number),
                // No integer of a value is larger.
                Err(_) => serializer.serialize_u64(u64::try_from(number).unwrap_or(u64::MAX)),
            },
            Self::Float(number) if number.is_finite() => serializer.serialize_f64(number),
            Self::Decimal(number) => serde_json::value::RawValue::from_string(number.to_owned())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Null | Self::Float(_) | Self::Nested => serializer.serialize_unit(),
        }
    }
}

impl Value {
    /// Reads a value that is written without quotes in a filter: a word, or a number as JSON writes
    /// it; `None` if `text` is neither.
    pub(crate) fn unquoted(text: &str) -> Option<Self> {
        let word = WORDS.into_iter().find(|(word, _)| *word == text);
        word.map(|(_, value)| value).or_else(|| Self::number(text))
    }
}
