//! Records, one on each line.

use std::io::BufRead;

use postil_storage::json::{self, JsonError};
use postil_storage::{Metadata, Value};

use super::jsonl_error::JsonlError;

/// Bytes of a line, when nothing else is asked for.
pub const DEFAULT_MAX_LINE_BYTES: usize = 64 << 20;

/// The byte order mark, which some editors put before UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Names of the id, the first one present counts: those of BEIR and Pyserini follow `id`.
const ID_FIELDS: [&str; 5] = ["id", "pid", "_id", "key", "docid"];

/// A document that is a line of JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The line it is on, from 1.
    pub line: u64,
    /// The field `id`, or else `pid`, `_id`, `key` or `docid`: a string, or a number as it is
    /// written, digit by digit.
    pub id: String,
    /// The field `text`.
    pub text: String,
    /// The field `title`, unless it is empty or null.
    pub title: Option<String>,
    /// All other fields, whatever they are.
    pub metadata: Metadata,
}

/// Reads records until the end; a line that is none is an error, and the next follows.
#[derive(Debug)]
pub struct Jsonl<R> {
    reader: R,
    line: u64,
    max_line_bytes: usize,
    buffer: Vec<u8>,
    is_done: bool,
}

/// The records of `reader`, one for each line that is not blank.
pub fn jsonl<R: BufRead>(reader: R) -> Jsonl<R> {
    let max_line_bytes = DEFAULT_MAX_LINE_BYTES;
    Jsonl { reader, line: 0, max_line_bytes, buffer: Vec::new(), is_done: false }
}

impl<R: BufRead> Jsonl<R> {
    /// Sets the longest line, its end not counted; default [`DEFAULT_MAX_LINE_BYTES`]. Longer ones
    /// are skipped with an error and take no memory.
    #[must_use]
    pub fn max_line_bytes(mut self, bytes: usize) -> Self {
        self.max_line_bytes = bytes;
        self
    }

    /// Reads the next line into the buffer, unless it is too long; its bytes; `None` at the end.
    fn read_line(&mut self) -> std::io::Result<Option<usize>> {
        self.buffer.clear();
        let mut bytes = 0;
        let mut any = false;
        loop {
            let available = match self.reader.fill_buf() {
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if available.is_empty() {
                return Ok(any.then_some(bytes));
            }
            any = true;
            let end = available.iter().position(|&byte| byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            bytes += part.len();
            if bytes <= self.max_line_bytes {
                self.buffer.extend_from_slice(part);
            }
            let used = end.map_or(part.len(), |end| end + 1);
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(bytes));
            }
        }
    }

    fn record(&self) -> Result<Option<Record>, JsonlError> {
        let line = self.line;
        let mut bytes = self.buffer.as_slice();
        if line == 1 {
            bytes = bytes.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(bytes);
        }
        if bytes.trim_ascii().is_empty() {
            return Ok(None);
        }
        let wrong = |source| JsonlError::Json { line, source };
        let text = std::str::from_utf8(bytes).map_err(|error| {
            wrong(JsonError { at: error.valid_up_to(), field: None, what: "this is not UTF-8".to_owned() })
        })?;
        let members = json::members(text).map_err(wrong)?;
        let has_value =
            |name: &&str| members.iter().any(|member| member.name == *name && member.value != Value::Null);
        let id_field = ID_FIELDS.into_iter().find(has_value);
        let (mut id, mut text, mut title, mut metadata) = (None, None, None, Metadata::new());
        for json::Member { name, text: written, value } in members {
            match name.as_str() {
                name if Some(name) == id_field => id = Some((written, value)),
                "text" => text = Some(value),
                "title" => title = Some(value),
                _ => {
                    metadata.insert(name, value);
                }
            }
        }
        let field = |field, expected| JsonlError::Field { line, field, expected };
        let id = match id {
            None => return Err(JsonlError::Missing { line, field: "id" }),
            Some((_, Value::String(id))) if !id.is_empty() => id,
            Some((written, Value::Integer(_) | Value::Unsigned(_) | Value::Float(_) | Value::Decimal(_))) => {
                written.to_owned()
            }
            Some(_) => {
                return Err(field(id_field.unwrap_or("id"), "a number or a string with text"));
            }
        };
        let text = match text {
            None | Some(Value::Null) => return Err(JsonlError::Missing { line, field: "text" }),
            Some(Value::String(text)) => text,
            Some(_) => return Err(field("text", "a string")),
        };
        let title = match title {
            None | Some(Value::Null) => None,
            Some(Value::String(title)) => Some(title).filter(|title| !title.is_empty()),
            Some(_) => return Err(field("title", "a string")),
        };
        Ok(Some(Record { line, id, text, title, metadata }))
    }
}

impl<R: BufRead> Iterator for Jsonl<R> {
    type Item = Result<Record, JsonlError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_done {
            self.line += 1;
            let line = self.line;
            match self.read_line() {
                Err(source) => {
                    self.is_done = true;
                    return Some(Err(JsonlError::Read { line, source }));
                }
                Ok(None) => self.is_done = true,
                Ok(Some(got_bytes)) if got_bytes > self.max_line_bytes => {
                    let max_bytes = self.max_line_bytes;
                    return Some(Err(JsonlError::TooLong { line, got_bytes, max_bytes }));
                }
                Ok(Some(_)) => match self.record() {
                    Ok(None) => {}
                    Ok(Some(record)) => return Some(Ok(record)),
                    Err(error) => return Some(Err(error)),
                },
            }
        }
        None
    }
}
