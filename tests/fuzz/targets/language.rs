//! Filters: what parses prints as text that parses to the same filter, and can be asked.

use super::target;
use postil::{Filter, Metadata, Value};
use postil_hostile::Target;

const VALID: [&str; 9] = [
    "year >= 2020 and not (draft = true or tags contains 'old')",
    "title = \"it's \\\"quoted\\\"\" and weight < -1.5e-3",
    "kind in ['a', 'b', \"c\"] or exists(author)",
    "a = 1 and b = 2 and c = 3 or d != 4 and e <= 5",
    "not not not (((x > 9223372036854775807)))",
    "`odd name` = 'é\u{202e}' and y in [1, 2.5, false]",
    "file contains '/handbook/'",
    "n == 18446744073709551615 and missing(a.b) or x != null and tags contains -1e400",
    "author.name == \"Kim\" and sizes in [[1, null], [], [+.5, 007., true]]",
];
pub(crate) const WORDS: [&str; 20] = [
    " and ", " or ", "not ", "(", ")", " in ", "exists", "contains", "'", "\"", "\\", ">=", "!=", "true",
    ",", "1e999", "null", "missing(", "[", ".5e-",
];

/// A filter that parses prints as text that parses to the same filter.
pub(crate) fn filter() -> Target<'static> {
    let metadata = Metadata::from([
        ("year".to_owned(), Value::Integer(2024)),
        ("weight".to_owned(), Value::Float(-0.0)),
        ("tags".to_owned(), vec!["old"].into()),
        ("draft".to_owned(), Value::Bool(false)),
        ("kind".to_owned(), Value::String("b".to_owned())),
    ]);
    target("filter", &VALID, move |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let Ok(filter) = text.parse::<Filter>() else { return };
        let said = filter.to_string();
        let again: Filter = said.parse().unwrap_or_else(|error| panic!("{said:?}: {error}"));
        assert_eq!(said, again.to_string());
        assert_eq!(filter.matches(&metadata), again.matches(&metadata), "{said}");
    })
    .words(&WORDS)
}
