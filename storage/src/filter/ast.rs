//! The tree of a filter, its builders, and its text form.

use super::Value;
use crate::error::{Result, StorageError};
use std::collections::BTreeSet;
use std::fmt;

/// The comparison of a field with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`: exactly "not ==", so true if the field is missing or of another kind.
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operator {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// A condition on a document's metadata.
///
/// A field is named by its path: `author.name` is the name in `author`, the field "author.name",
/// and, if `author` is a list, the name in any of its items; a condition holds if it holds for any
/// of these. Numbers compare exactly, whatever their types.
///
/// ```
/// use postil_storage::{Filter, Metadata};
/// let filter: Filter = r#"year >= 2020 and lang in ["en", "de"]"#.parse().unwrap();
/// assert_eq!(filter, Filter::ge("year", 2020).and(Filter::one_of("lang", ["en", "de"])));
/// let document = Metadata::from([("year".into(), 2021.into()), ("lang".into(), "de".into())]);
/// assert!(filter.matches(&document));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// Compares a field with a value; false if the field is missing or of another kind (but see
    /// [`Operator::NotEqual`]).
    Compare {
        /// The field's name.
        field: String,
        /// The comparison.
        operator: Operator,
        /// The value to compare with.
        value: Value,
    },
    /// The field equals one of the values.
    OneOf {
        /// The field's name.
        field: String,
        /// The values.
        values: Vec<Value>,
    },
    /// The field is a list that has the value, or a text that contains it.
    Contains {
        /// The field's name.
        field: String,
        /// The value: a text, a number, true, false or null.
        value: Value,
    },
    /// The field has a value other than null.
    Exists {
        /// The field is absent, not even null.
        field: String,
    },
    /// The field is not there, not even as null.
    Missing {
        /// The field's name.
        field: String,
    },
    /// Every one of the filters; true if there are none.
    All(Vec<Filter>),
    /// At least one of the filters; false if there are none.
    Any(Vec<Filter>),
    /// The negation of the filter.
    Not(Box<Filter>),
}

macro_rules! comparisons {
    ($($name:ident $operator:ident $doc:literal;)*) => {
        impl Filter {
            $(#[doc = $doc]
            #[must_use]
            pub fn $name(field: impl Into<String>, value: impl Into<Value>) -> Self {
                Self::Compare { field: field.into(), operator: Operator::$operator, value: value.into() }
            })*
        }
    };
}

comparisons! {
    eq Equal "`field == value`";
    ne NotEqual "`field != value`";
    lt Less "`field < value`";
    le LessOrEqual "`field <= value`";
    gt Greater "`field > value`";
    ge GreaterOrEqual "`field >= value`";
}

impl Filter {
    /// `field in [values]`
    #[must_use]
    pub fn one_of<V: Into<Value>>(field: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self::OneOf { field: field.into(), values: values.into_iter().map(Into::into).collect() }
    }

    /// `field contains value`
    #[must_use]
    pub fn contains(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::Contains { field: field.into(), value: value.into() }
    }

    /// `exists(field)`
    #[must_use]
    pub fn exists(field: impl Into<String>) -> Self {
        Self::Exists { field: field.into() }
    }

    /// `missing(field)`
    #[must_use]
    pub fn missing(field: impl Into<String>) -> Self {
        Self::Missing { field: field.into() }
    }

    /// `self and other`
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut parts) if !parts.is_empty() => {
                parts.push(other);
                Self::All(parts)
            }
            first => Self::All(vec![first, other]),
        }
    }

    /// `self or other`
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Any(mut parts) if !parts.is_empty() => {
                parts.push(other);
                Self::Any(parts)
            }
            first => Self::Any(vec![first, other]),
        }
    }
}

impl Filter {
    /// Checks that fields can be compared with every value in the filter.
    ///
    /// # Errors
    /// [`StorageError::FilterValue`] names the first that they cannot be compared with: an object,
    /// or a list with an object or a list in it.
    pub(crate) fn check(&self) -> Result<()> {
        let check = |field: &str, value: &Value, lists: bool| {
            let is_one = |value: &Value| !matches!(value, Value::List(_) | Value::Object(_));
            let compares = match value {
                Value::List(items) => lists && items.iter().all(is_one),
                value => is_one(value),
            };
            let error = || StorageError::FilterValue { field: field.to_owned(), value: value.to_string() };
            if compares { Ok(()) } else { Err(error()) }
        };
        match self {
            Self::Compare { field, value, .. } => check(field, value, true),
            Self::OneOf { field, values } => values.iter().try_for_each(|value| check(field, value, true)),
            Self::Contains { field, value } => check(field, value, false),
            Self::Exists { .. } | Self::Missing { .. } => Ok(()),
            Self::All(parts) | Self::Any(parts) => parts.iter().try_for_each(Self::check),
            Self::Not(inner) => inner.check(),
        }
    }
}

impl Filter {
    /// Paths of the fields that it names.
    ///
    /// ```
    /// use postil_storage::Filter;
    /// let filter: Filter = "year >= 2020 and not exists(author.name)".parse().unwrap();
    /// assert_eq!(filter.fields().into_iter().collect::<Vec<_>>(), ["author.name", "year"]);
    /// ```
    #[must_use]
    pub fn fields(&self) -> BTreeSet<&str> {
        match self {
            Self::Compare { field, .. }
            | Self::OneOf { field, .. }
            | Self::Contains { field, .. }
            | Self::Exists { field }
            | Self::Missing { field } => BTreeSet::from([field.as_str()]),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::fields).collect(),
            Self::Not(inner) => inner.fields(),
        }
    }

    /// The filter with another path for a field.
    #[must_use]
    pub fn renamed(mut self, from: &str, to: &str) -> Self {
        self.rename(from, to);
        self
    }

    fn rename(&mut self, from: &str, to: &str) {
        match self {
            Self::Compare { field, .. }
            | Self::OneOf { field, .. }
            | Self::Contains { field, .. }
            | Self::Exists { field }
            | Self::Missing { field } => {
                if field == from {
                    to.clone_into(field);
                }
            }
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().for_each(|part| part.rename(from, to)),
            Self::Not(inner) => inner.rename(from, to),
        }
    }
}

impl std::ops::Not for Filter {
    type Output = Self;

    /// `not self`
    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// Reserved words; a field of such a name is written in backticks.
pub(super) const KEYWORDS: [&str; 14] =
    ["and", "or", "not", "in", "contains", "exists", "true", "false", "eq", "ne", "lt", "le", "gt", "ge"];

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare { field, operator, value } => {
                write!(f, "{} {} {}", Field(field), operator.symbol(), Literal(value))
            }
            Self::OneOf { field, values } => {
                write!(f, "{} in [", Field(field))?;
                for (i, value) in values.iter().enumerate() {
                    write!(f, "{}{}", if i == 0 { "" } else { ", " }, Literal(value))?;
                }
                f.write_str("]")
            }
            Self::Contains { field, value } => write!(f, "{} contains {}", Field(field), Literal(value)),
            Self::Exists { field } => write!(f, "exists({})", Field(field)),
            Self::Missing { field } => write!(f, "missing({})", Field(field)),
            Self::All(parts) => joined(f, parts, "and", "true", Self::is_joined),
            // `and` binds first: a conjunction needs no parentheses.
            Self::Any(parts) => joined(f, parts, "or", "false", Self::is_alternatives),
            Self::Not(inner) if inner.is_joined() => write!(f, "not ({inner})"),
            Self::Not(inner) => write!(f, "not {inner}"),
        }
    }
}

/// Displays no needless parentheses: a parsed filter must not nest deeper when displayed, or it
/// might not parse again.
impl Filter {
    fn is_alternatives(&self) -> bool {
        matches!(self, Self::Any(parts) if !parts.is_empty())
    }

    fn is_joined(&self) -> bool {
        matches!(self, Self::All(parts) | Self::Any(parts) if !parts.is_empty())
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Filter],
    word: &str,
    empty: &str,
    needs_parentheses: impl Fn(&Filter) -> bool,
) -> fmt::Result {
    if parts.is_empty() {
        return f.write_str(empty);
    }
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            write!(f, " {word} ")?;
        }
        if needs_parentheses(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

struct Field<'a>(&'a str);

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.0.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && self.0.chars().all(is_word)
            && !KEYWORDS.contains(&self.0);
        if plain { f.write_str(self.0) } else { write!(f, "{}", Quoted(self.0, '`')) }
    }
}

/// True for a character that may follow the first in a bare field name.
pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

struct Literal<'a>(&'a Value);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text) => write!(f, "{}", Quoted(text, '"')),
            Value::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if i == 0 { "" } else { ", " }, Literal(item))?;
                }
                f.write_str("]")
            }
            value => write!(f, "{value}"),
        }
    }
}

struct Quoted<'a>(&'a str, char);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, quote) = *self;
        write!(f, "{quote}")?;
        for c in text.chars() {
            match c {
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '\r' => f.write_str("\\r")?,
                c if c == quote || c == '\\' => write!(f, "\\{c}")?,
                c => write!(f, "{c}")?,
            }
        }
        write!(f, "{quote}")
    }
}
