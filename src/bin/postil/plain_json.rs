//! JSON that a terminal can be shown: what serde_json leaves as it is and a terminal obeys (DEL, C1, changes of
//! direction) is escaped too. Parsers read the same text.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::render::drives_terminal;

/// Writes a value and a line feed.
pub(crate) fn line(mut out: impl Write, value: &Value) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut out, Plain(CompactFormatter)))?;
    out.write_all(b"\n")
}

/// As compact as serde_json's own; only text differs.
struct Plain(CompactFormatter);

impl Formatter for Plain {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(drives_terminal) {
            out.write_all(&rest.as_bytes()[..at])?;
            let mut after = rest[at..].chars();
            // All of them are in the basic plane: four digits do.
            if let Some(c) = after.next() {
                write!(out, "\\u{:04x}", u32::from(c))?;
            }
            rest = after.as_str();
        }
        self.0.write_string_fragment(out, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_reads_back() {
        let value = serde_json::json!({ "a\u{9b}": "\u{1b}[31m \u{7f}é\u{85}\u{202e}\u{2069} plain\n" });
        let mut out = Vec::new();
        line(&mut out, &value).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.trim_end().chars().any(drives_terminal), "{text:?}");
        assert!(text.contains('é') && text.contains("\\u009b"));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
