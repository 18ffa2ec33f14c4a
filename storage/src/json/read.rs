//! Text to values: recursive descent with bounded depth.

use crate::value::number::Written;
use crate::value::{MAX_METADATA_DEPTH, Metadata, Value, WORDS};
use std::collections::btree_map::Entry;

/// Deepest nesting of lists and objects that is read: that of metadata, and some around it.
const MAX_DEPTH: usize = MAX_METADATA_DEPTH + 8;

/// The reason that a text is not JSON that can be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}{}: {what}", field.as_ref().map(|field| format!(", in field {field:?}")).unwrap_or_default())]
pub struct JsonError {
    /// Byte position in the text, from 0.
    pub at: usize,
    /// Name of the field of the outermost object that the error is in; `None` outside of any field.
    pub field: Option<String>,
    /// Description of the error.
    pub what: String,
}

/// A field of an object, with the text of its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Member<'a> {
    /// The field's name.
    pub name: String,
    /// Text of the value as written.
    pub text: &'a str,
    /// The value.
    pub value: Value,
}

/// Reads a value.
///
/// # Errors
/// [`JsonError`] if `text` is not one value, has a field twice in one object, nests too deep, or
/// has a text or a number that cannot be kept.
pub fn read(text: &str) -> Result<Value, JsonError> {
    Reader::whole(text, |reader| reader.value(0))
}

/// Reads an object.
///
/// # Errors
/// As [`read`], and if `text` is not an object.
pub fn read_object(text: &str) -> Result<Metadata, JsonError> {
    let members = members(text)?;
    Ok(members.into_iter().map(|member| (member.name, member.value)).collect())
}

/// Reads an object into its members, in the order of the text, each with its value as written.
///
/// # Errors
/// As [`read_object`].
pub fn members(text: &str) -> Result<Vec<Member<'_>>, JsonError> {
    Reader::whole(text, |reader| {
        reader.space();
        if reader.peek() != Some(b'{') {
            return Err(reader.wrong("expected an object"));
        }
        let mut members: Vec<Member<'_>> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        reader.each(b'}', |reader| {
            let (at, name) = reader.name()?;
            if !seen.insert(name.clone()) {
                return Err(reader.twice(at, &name));
            }
            let start = reader.at;
            let value = reader.value(1).map_err(|error| JsonError { field: Some(name.clone()), ..error })?;
            members.push(Member { name, text: &reader.text[start..reader.at], value });
            Ok(())
        })?;
        Ok(members)
    })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn whole<T>(text: &'a str, read: impl FnOnce(&mut Self) -> Result<T, JsonError>) -> Result<T, JsonError> {
        let mut reader = Reader { text, at: 0 };
        let value = read(&mut reader)?;
        reader.space();
        if reader.at < text.len() {
            return Err(reader.wrong("expected the end"));
        }
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Skips white space and takes the byte if it comes next; true if it did.
    fn symbol(&mut self, symbol: u8) -> bool {
        self.space();
        let found = self.peek() == Some(symbol);
        self.at += usize::from(found);
        found
    }

    fn wrong(&self, what: impl Into<String>) -> JsonError {
        JsonError { at: self.at, field: None, what: what.into() }
    }

    fn twice(&self, at: usize, name: &str) -> JsonError {
        JsonError { at, ..self.wrong(format!("field {name:?} comes twice in one object")) }
    }

    /// Takes the opening byte of a list or an object, its parts, and `end`.
    fn each(
        &mut self,
        end: u8,
        mut part: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.at += 1;
        if self.symbol(end) {
            return Ok(());
        }
        loop {
            part(self)?;
            if self.symbol(end) {
                return Ok(());
            }
            if !self.symbol(b',') {
                return Err(self.wrong(format!("expected `,` or `{}`", char::from(end))));
            }
        }
    }

    /// Reads the name of a field, and takes its colon and the white space after it; returns the
    /// place of the name too.
    fn name(&mut self) -> Result<(usize, String), JsonError> {
        self.space();
        let at = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.wrong("expected the name of a field"));
        }
        let name = self.string()?;
        if !self.symbol(b':') {
            return Err(self.wrong("expected `:`"));
        }
        self.space();
        Ok((at, name))
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.space();
        match self.peek() {
            Some(b'{' | b'[') if depth == MAX_DEPTH => {
                Err(self.wrong(format!("lists and objects nest deeper than {MAX_DEPTH} levels")))
            }
            Some(b'{') => {
                let mut fields = Metadata::new();
                self.each(b'}', |reader| {
                    let (at, name) = reader.name()?;
                    let value = reader.value(depth + 1)?;
                    match fields.entry(name) {
                        Entry::Vacant(new) => new.insert(value),
                        Entry::Occupied(known) => return Err(reader.twice(at, known.key())),
                    };
                    Ok(())
                })?;
                Ok(fields.into())
            }
            Some(b'[') => {
                let mut items = Vec::new();
                self.each(b']', |reader| {
                    items.push(reader.value(depth + 1)?);
                    Ok(())
                })?;
                Ok(Value::List(items))
            }
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let rest = &self.text[self.at..];
                match WORDS.into_iter().find(|(word, _)| rest.starts_with(word)) {
                    Some((word, value)) => {
                        self.at += word.len();
                        Ok(value)
                    }
                    None => Err(self.wrong("expected a value")),
                }
            }
        }
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let rest = &self.text[self.at..];
        let number =
            Written::read(rest).and_then(|written| Some((written.end, Value::number(&rest[..written.end])?)));
        let (end, value) = number.ok_or_else(|| {
            self.wrong("this number cannot be kept: it is written as none, or its exponent is too long")
        })?;
        self.at += end;
        Ok(value)
    }

    /// Reads a string whose opening quote comes next.
    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            let plain = plain.unwrap_or(rest.len());
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.wrong("a control character in a string has to be escaped")),
                None => return Err(self.wrong("expected `\"`")),
            }
        }
    }

    /// Reads the character of an escape whose backslash comes next.
    fn escape(&mut self) -> Result<char, JsonError> {
        let c = match self.text.as_bytes().get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.wrong("there is no such escape")),
        };
        self.at += 2;
        Ok(c)
    }

    /// Reads the character of `\uXXXX`, or of two of these that are a surrogate pair.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let unit = |at: usize| {
            let escape = self.text.get(at..at + 6)?;
            let digits = escape.strip_prefix("\\u").filter(|d| d.bytes().all(|d| d.is_ascii_hexdigit()))?;
            u16::from_str_radix(digits, 16).ok()
        };
        let first = unit(self.at).ok_or_else(|| self.wrong("expected four hexadecimal digits after \\u"))?;
        let units = [Some(first), unit(self.at + 6)];
        match char::decode_utf16(units.into_iter().flatten()).next() {
            Some(Ok(c)) => {
                self.at += 6 * c.len_utf16();
                Ok(c)
            }
            _ => Err(self.wrong(format!("\\u{first:04x} is half of a character: text has whole ones only"))),
        }
    }
}
