//! Values to text, in the most compact form.
//!
//! Characters that a terminal obeys (control characters, changes of direction) are always escaped:
//! the text is safe to display.

use crate::value::{Metadata, Value, View};
use std::fmt::{self, Write};

impl fmt::Display for Value {
    /// Writes JSON. A float that is not finite, which no database has, is `null`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(items) => {
                f.write_char('[')?;
                for (i, item) in items.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { "," })?;
                    write!(f, "{item}")?;
                }
                f.write_char(']')
            }
            Self::Object(fields) => object(f, fields),
            one => View::from(one).write_json(f, write_text),
        }
    }
}

/// Returns the JSON text of an object.
#[must_use]
pub fn object_text(fields: &Metadata) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = object(&mut text, fields);
    text
}

fn object(out: &mut impl Write, fields: &Metadata) -> fmt::Result {
    out.write_char('{')?;
    for (i, (name, value)) in fields.iter().enumerate() {
        out.write_str(if i == 0 { "" } else { "," })?;
        write_text(out, name)?;
        write!(out, ":{value}")?;
    }
    out.write_char('}')
}

/// Writes a string in quotes.
fn write_text(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut rest = text;
    while let Some(at) = rest.find(is_escaped) {
        out.write_str(&rest[..at])?;
        let mut after = rest[at..].chars();
        match after.next() {
            Some('\n') => out.write_str("\\n")?,
            Some('\r') => out.write_str("\\r")?,
            Some('\t') => out.write_str("\\t")?,
            Some(c @ ('"' | '\\')) => write!(out, "\\{c}")?,
            // All other escaped characters are in the basic plane: four digits suffice.
            Some(c) => write!(out, "\\u{:04x}", u32::from(c))?,
            None => {}
        }
        rest = after.as_str();
    }
    out.write_str(rest)?;
    out.write_char('"')
}

/// True for quotes, backslashes, control characters (C0, DEL, C1), and those that change the
/// direction of the text after them.
fn is_escaped(c: char) -> bool {
    c.is_control() || matches!(c, '"' | '\\' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
