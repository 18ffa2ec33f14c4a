//! Metadata as flat fields: every value by its path, as filters see it.
//!
//! The path of a value is the names that lead to it, joined by dots: `author.name`. Lists add
//! nothing to a path: `authors.name` is the path of the name of each author in the list `authors`.
//! A name with dots in it has the same path as nested names.

use super::{Metadata, Value};
use rkyv::{Archive, Deserialize, Serialize};

/// Fields in order of their paths.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields(Vec<Field>);

/// The value at a path.
#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
pub(crate) struct Field {
    pub(crate) path: String,
    pub(crate) value: Typed,
}

/// A value as it is compared. The order of the variants is that of their numbers on disk, here and
/// in [`Scalar`].
#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
pub(crate) enum Typed {
    One(Scalar),
    Many(Vec<Scalar>),
}

/// A value without parts, or a mark in place of one with parts.
#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Decimal(String),
    String(String),
    /// An object, or a list within a list.
    Nested,
}

impl From<&Value> for Scalar {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Integer(number) => Self::Integer(*number),
            Value::Unsigned(number) => Self::Unsigned(*number),
            Value::Float(number) => Self::Float(*number),
            Value::Decimal(number) => Self::Decimal(number.as_str().to_owned()),
            Value::String(text) => Self::String(text.clone()),
            Value::List(_) | Value::Object(_) => Self::Nested,
        }
    }
}

impl Fields {
    /// Makes the fields of metadata that is no deeper than
    /// [`MAX_METADATA_DEPTH`](super::MAX_METADATA_DEPTH).
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let mut fields = Vec::new();
        for (name, value) in metadata {
            add(&mut fields, name.clone(), value);
        }
        Self::new(fields)
    }

    /// Makes fields from any order, as they are on disk.
    pub(crate) fn new(mut fields: Vec<Field>) -> Self {
        if !fields.is_sorted_by(|a, b| a.path <= b.path) {
            fields.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Self(fields)
    }

    /// Returns the values at a path.
    pub(crate) fn at(&self, path: &str) -> impl Iterator<Item = &Typed> {
        let start = self.0.partition_point(|field| field.path.as_str() < path);
        self.0[start..].iter().take_while(move |field| field.path == path).map(|field| &field.value)
    }

    pub(crate) fn into_inner(self) -> Vec<Field> {
        self.0
    }

    /// Returns the bytes of paths and values; an item of a list counts 8 bytes more, for its place.
    pub(crate) fn bytes(&self) -> usize {
        let scalar = |scalar: &Scalar| match scalar {
            Scalar::String(text) | Scalar::Decimal(text) => text.len(),
            Scalar::Integer(_) | Scalar::Unsigned(_) | Scalar::Float(_) => size_of::<u64>(),
            Scalar::Null | Scalar::Bool(_) | Scalar::Nested => size_of::<u64>(),
        };
        let value = |value: &Typed| match value {
            Typed::One(only) => scalar(only),
            Typed::Many(items) => items.iter().map(|item| scalar(item) + size_of::<u64>()).sum(),
        };
        self.0.iter().map(|field| field.path.len() + value(&field.value)).sum()
    }
}

fn add(fields: &mut Vec<Field>, path: String, value: &Value) {
    match value {
        Value::List(items) => {
            below_items(fields, &path, items);
            let items = items.iter().map(Scalar::from).collect();
            fields.push(Field { path, value: Typed::Many(items) });
        }
        value => {
            if let Value::Object(object) = value {
                below(fields, &path, object);
            }
            fields.push(Field { path, value: Typed::One(value.into()) });
        }
    }
}

fn below(fields: &mut Vec<Field>, path: &str, object: &Metadata) {
    for (name, value) in object {
        add(fields, format!("{path}.{name}"), value);
    }
}

/// Items of nested lists get the path of the outer list too.
fn below_items(fields: &mut Vec<Field>, path: &str, items: &[Value]) {
    for item in items {
        match item {
            Value::Object(object) => below(fields, path, object),
            Value::List(items) => below_items(fields, path, items),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_found_by_its_path() {
        let metadata = crate::json::read_object(
            r#"{"a": {"b": 1, "c": [1, {"d": 2}, [{"d": 3}]]}, "a.b": "two", "e": {}, "f": null}"#,
        )
        .unwrap();
        let fields = Fields::of(&metadata);
        let at = |path| fields.at(path).cloned().collect::<Vec<_>>();
        let one = |scalar| Typed::One(scalar);
        assert_eq!(at("a"), [one(Scalar::Nested)]);
        assert_eq!(at("a.b"), [one(Scalar::Integer(1)), one(Scalar::String("two".into()))]);
        assert_eq!(at("a.c"), [Typed::Many(vec![Scalar::Integer(1), Scalar::Nested, Scalar::Nested])]);
        assert_eq!(at("a.c.d"), [one(Scalar::Integer(2)), one(Scalar::Integer(3))]);
        assert_eq!((at("e"), at("f")), (vec![one(Scalar::Nested)], vec![one(Scalar::Null)]));
        for missing in ["", "b", "a.", "a.b.c", "f.g"] {
            assert_eq!(at(missing), [], "{missing}");
        }
    }
}
