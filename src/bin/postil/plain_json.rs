//! JSON that is safe for a terminal and keeps metadata exact: the library's writer, which escapes
//! control characters and keeps every number.

use std::io::{self, Write};

use serde::Serialize;

/// Writes a value and a line feed.
pub(crate) fn line(mut out: impl Write, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(value)?;
    writeln!(out, "{}", postil::json::read(&text).map_err(io::Error::other)?)
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
        line(&mut out, &made).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.trim_end().chars().any(drives_terminal), "{text:?}");
        assert!(text.contains('é') && text.contains("\\u009b"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), made);
    }

    #[test]
    fn metadata_is_shown_as_it_was_given() {
        let text = r#"{"huge":12345678901234567890123,"none":null}"#;
        let mut out = Vec::new();
        line(&mut out, &[postil::json::read_object(text).unwrap()]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("[{text}]\n"));
    }
}
