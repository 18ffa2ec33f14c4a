//! Evaluation of a filter on one document's fields.

use super::{Filter, Metadata, Operator, Value};
use crate::value::fields::{Fields, Scalar, Typed};
use crate::value::{View, compare_lists};
use std::cmp::Ordering;

impl Filter {
    /// True if a document with this metadata passes. An object equals nothing, nor does a list with
    /// lists or objects in it: a search refuses a filter that compares with one.
    #[must_use]
    pub fn matches(&self, metadata: &Metadata) -> bool {
        self.passes(&Fields::of(metadata))
    }

    /// True if a document with these fields passes.
    pub(crate) fn passes(&self, fields: &Fields) -> bool {
        let any = |field: &str, holds: &dyn Fn(Ordering) -> bool, value: &Value| {
            fields.at(field).any(|own| compare(own, value).is_some_and(holds))
        };
        match self {
            Self::Compare { field, operator, value } => match operator {
                Operator::Equal => any(field, &Ordering::is_eq, value),
                Operator::NotEqual => !any(field, &Ordering::is_eq, value),
                Operator::Less => any(field, &Ordering::is_lt, value),
                Operator::LessOrEqual => any(field, &Ordering::is_le, value),
                Operator::Greater => any(field, &Ordering::is_gt, value),
                Operator::GreaterOrEqual => any(field, &Ordering::is_ge, value),
            },
            Self::OneOf { field, values } => values.iter().any(|value| any(field, &Ordering::is_eq, value)),
            Self::Contains { field, value } => fields.at(field).any(|own| contains(own, value)),
            Self::Exists { field } => fields.at(field).any(|own| *own != Typed::One(Scalar::Null)),
            Self::Missing { field } => fields.at(field).next().is_none(),
            Self::All(parts) => parts.iter().all(|part| part.passes(fields)),
            Self::Any(parts) => parts.iter().any(|part| part.passes(fields)),
            Self::Not(inner) => !inner.passes(fields),
        }
    }
}

fn compare(own: &Typed, value: &Value) -> Option<Ordering> {
    match (own, value) {
        (Typed::One(own), value) => View::from(own).compare(value.into()),
        (Typed::Many(own), Value::List(items)) => {
            compare_lists(own.iter().map(View::from), items.iter().map(View::from))
        }
        (Typed::Many(_), _) => None,
    }
}

fn contains(own: &Typed, value: &Value) -> bool {
    match (own, value) {
        (Typed::Many(items), value) => {
            items.iter().any(|item| View::from(item).compare(value.into()) == Some(Ordering::Equal))
        }
        (Typed::One(Scalar::String(own)), Value::String(part)) => own.contains(part.as_str()),
        (Typed::One(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Metadata {
        crate::json::read_object(
            r#"{
                "year": 2020, "price": 9.5, "lang": "en", "draft": false, "tags": ["a", "b"], "score": null,
                "big": 18446744073709551615, "huge": 12345678901234567890123, "sizes": [1, 2.0, 18446744073709551614],
                "mixed": ["a", 1, null, [7]], "empty": [], "nothing": {}, "matrix": [[1, 2], [3]],
                "author": {"name": "Kim", "age": 33, "born": {"place": "Bonn"}, "died": null},
                "editors": [{"name": "Lee", "age": 40}, {"name": "Ann", "age": null}, {}],
                "a.b": 1, "a": {"b": 2}
            }"#,
        )
        .unwrap()
    }

    #[test]
    fn conditions_hold_where_they_should() {
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
            ("year in [\"2020\", 2020.0]", true),
            ("tags contains \"b\"", true),
            ("tags contains \"ab\"", false),
            ("tags == \"a\"", false),
            ("lang contains \"n\"", true),
            ("year contains \"2\"", false),
            ("year contains 2", false),
            ("exists(tags) and not exists(tag)", true),
            ("price exists", true),
            ("draft == false", true),
            ("draft == true or price gt 9", true),
            ("false or not true", false),
            ("tags == [\"a\", \"b\"]", true),
            ("tags in [[\"a\"], ['a', 'b']]", true),
        ] {
            let parsed: Filter = filter.parse().unwrap();
            assert_eq!(parsed.matches(&document()), expected, "{filter}");
        }
    }

    #[test]
    fn numbers_are_found_by_themselves_alone() {
        for (filter, expected) in [
            ("big == 18446744073709551615", true),
            ("big == 18446744073709551614", false),
            ("big == 18446744073709551615.0", true),
            ("big == 18446744073709551616", false),
            ("big == 1.8446744073709552e19", false),
            ("big > 9223372036854775807 and big < 1e20", true),
            ("huge == 12345678901234567890123", true),
            ("huge == 12345678901234567890124", false),
            ("huge in [12345678901234567890122, 1.2345678901234567890123e22]", true),
            ("huge < 12345678901234567890123.1", true),
            ("sizes contains 18446744073709551614", true),
            ("sizes contains 18446744073709551615", false),
            ("sizes contains 2", true),
            ("sizes == [1.0, 2, 18446744073709551614]", true),
            ("sizes < [1, 2, 18446744073709551615]", true),
        ] {
            let parsed: Filter = filter.parse().unwrap();
            assert_eq!(parsed.matches(&document()), expected, "{filter}");
        }
    }

    #[test]
    fn null_and_missing_and_empty_are_three_things() {
        for (filter, expected) in [
            ("score == null", true),
            ("score != null", false),
            ("exists(score)", false),
            ("missing(score)", false),
            ("missing(nowhere) and not exists(nowhere)", true),
            ("nowhere == null", false),
            ("nowhere != null", true),
            ("year == null or missing(year)", false),
            ("exists(empty) and not missing(empty)", true),
            ("empty == [] and empty != null", true),
            ("exists(nothing) and nothing != null", true),
            ("author.died == null and not exists(author.died)", true),
            ("missing(author.born.when)", true),
            ("mixed contains null", true),
            ("tags contains null", false),
            ("editors.age == null and exists(editors.age)", true),
            ("score in [1, null]", true),
        ] {
            let parsed: Filter = filter.parse().unwrap();
            assert_eq!(parsed.matches(&document()), expected, "{filter}");
        }
    }

    #[test]
    fn a_path_reaches_into_objects_and_every_item_of_lists() {
        for (filter, expected) in [
            ("author.name == \"Kim\"", true),
            ("author.name != \"Kim\"", false),
            ("author.born.place in ['Bonn']", true),
            ("author == \"Kim\"", false),
            ("exists(author) and exists(author.born)", true),
            ("editors.name == \"Ann\" and editors.name == \"Lee\"", true),
            ("editors.name != \"Ann\"", false),
            ("editors.name contains 'e'", true),
            ("editors.age > 39 and not editors.age > 40", true),
            ("exists(editors.title)", false),
            ("a.b == 1 and a.b == 2 and `a.b` == 1", true),
            ("a.b == 3", false),
            ("mixed contains 1 and mixed contains \"a\"", true),
            ("mixed contains 7", false),
            ("matrix == [1, 2]", false),
            ("exists(matrix)", true),
        ] {
            let parsed: Filter = filter.parse().unwrap();
            assert_eq!(parsed.matches(&document()), expected, "{filter}");
        }
    }

    #[test]
    fn a_filter_that_compares_with_an_object_is_refused_by_its_field() {
        let object = Value::Object(Metadata::new());
        let nested = Value::List(vec![Value::List(Vec::new())]);
        for filter in [
            Filter::eq("author", object.clone()),
            !Filter::one_of("author", [Value::Null, nested.clone()]),
            Filter::contains("author", Value::List(Vec::new())),
            Filter::exists("x").and(Filter::ne("author", nested)),
        ] {
            assert!(filter.check().unwrap_err().to_string().contains("author"), "{filter}");
        }
        assert!(Filter::eq("tags", vec!["a"]).and(Filter::contains("n", 1)).check().is_ok());
    }
}
