//! A filter against one document's metadata.

use super::{Filter, Metadata, Operator, Value};
use std::cmp::Ordering;

impl Filter {
    /// Whether a document with this metadata passes.
    #[must_use]
    pub fn matches(&self, metadata: &Metadata) -> bool {
        match self {
            Self::Compare { field, operator, value } => {
                let order = metadata.get(field).and_then(|own| own.compare(value));
                match operator {
                    Operator::Equal => order == Some(Ordering::Equal),
                    Operator::NotEqual => order != Some(Ordering::Equal),
                    Operator::Less => order == Some(Ordering::Less),
                    Operator::LessOrEqual => order.is_some_and(Ordering::is_le),
                    Operator::Greater => order == Some(Ordering::Greater),
                    Operator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
                }
            }
            Self::OneOf { field, values } => metadata
                .get(field)
                .is_some_and(|own| values.iter().any(|value| own.compare(value) == Some(Ordering::Equal))),
            Self::Contains { field, text } => match metadata.get(field) {
                Some(Value::Strings(texts)) => texts.contains(text),
                Some(Value::String(own)) => own.contains(text.as_str()),
                _ => false,
            },
            Self::Exists { field } => metadata.contains_key(field),
            Self::All(parts) => parts.iter().all(|part| part.matches(metadata)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(metadata)),
            Self::Not(inner) => !inner.matches(metadata),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_where_they_should() {
        let document = Metadata::from([
            ("year".to_owned(), Value::Integer(2020)),
            ("price".to_owned(), Value::Float(9.5)),
            ("lang".to_owned(), Value::from("en")),
            ("draft".to_owned(), Value::Bool(false)),
            ("tags".to_owned(), Value::Strings(vec!["a".into(), "b".into()])),
        ]);
        for (filter, expected) in [
            ("year == 2020", true),
            ("year >= 2020.0 and year < 2020.5", true),
            ("year != 2020", false),
            ("missing != 1", true),
            ("missing == 1", false),
            ("missing < 1", false),
            ("lang < 5", false),
            ("lang != 5", true),
            ("lang in [\"de\", \"en\"]", true),
            ("year in []", false),
            ("tags contains \"b\"", true),
            ("tags contains \"ab\"", false),
            ("lang contains \"n\"", true),
            ("year contains \"2\"", false),
            ("exists(tags) and not exists(tag)", true),
            ("price exists", true),
            ("draft == false", true),
            ("draft == true or price gt 9", true),
            ("false or not true", false),
            ("tags == [\"a\", \"b\"]", true),
        ] {
            let parsed: Filter = filter.parse().unwrap();
            assert_eq!(parsed.matches(&document), expected, "{filter}");
        }
    }
}
