//! JSON that a terminal can be shown, and that has metadata as it was given: the library's, which escapes what a terminal
//! obeys and keeps every number.

use std::io::{self, Write};

use postil::{Metadata, Value};
use serde_json::Value as Made;

/// Writes a value and a line feed.
pub(crate) fn line(mut out: impl Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{value}")
}

/// A value that the command made.
pub(crate) fn value(made: &Made) -> Value {
    match made {
        Made::Null => Value::Null,
        Made::Bool(truth) => (*truth).into(),
        Made::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => integer.into(),
            (None, Some(integer)) => integer.into(),
            (None, None) => number.as_f64().into(),
        },
        Made::String(text) => text.as_str().into(),
        Made::Array(items) => Value::List(items.iter().map(value).collect()),
        Made::Object(fields) => object(fields).into(),
    }
}

fn object(fields: &serde_json::Map<String, Made>) -> Metadata {
    fields.iter().map(|(name, made)| (name.clone(), value(made))).collect()
}

/// An object that the command made, with a document's `metadata` in it.
pub(crate) fn with_metadata(made: &Made, metadata: &Metadata) -> Value {
    let mut fields = made.as_object().map(object).unwrap_or_default();
    fields.insert("metadata".to_owned(), metadata.clone().into());
    fields.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::drives_terminal;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_reads_back() {
        let made = serde_json::json!({
            "a\u{9b}": "\u{1b}[31m \u{7f}é\u{85}\u{202e}\u{2069} plain\n",
            "numbers": [0, -1, u64::MAX, 0.1f32, 1e300, null, true],
        });
        let mut out = Vec::new();
        line(&mut out, &value(&made)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.trim_end().chars().any(drives_terminal), "{text:?}");
        assert!(text.contains('é') && text.contains("\\u009b"));
        assert_eq!(serde_json::from_str::<Made>(&text).unwrap(), made);
    }

    #[test]
    fn metadata_is_shown_as_it_was_given() {
        let text = r#"{"huge":12345678901234567890123,"none":null}"#;
        let shown = with_metadata(&serde_json::json!({"id": "a"}), &postil::json::read_object(text).unwrap());
        assert_eq!(shown.to_string(), format!("{{\"id\":\"a\",\"metadata\":{text}}}"));
    }
}
