//! Lines of JSON objects with their numbers, each of a limited length.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use postil_storage::{Metadata, json};

use super::invalid::Invalid;
use super::{failed, wrong};
use crate::Error;

/// A line that was read.
pub(super) struct Numbered {
    /// Name of the line in errors: its number.
    pub(super) place: String,
    pub(super) bytes: u64,
    /// The line's object, or the reason why it has none.
    pub(super) object: Result<Metadata, Invalid>,
}

/// The lines of a reader, blank ones left out.
pub(super) struct Lines<R> {
    path: PathBuf,
    reader: R,
    /// Lines read.
    number: u64,
    /// Most bytes of a line.
    max_bytes: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(path: &Path, reader: R, max_bytes: u64) -> Self {
        Self { path: path.to_owned(), reader, number: 0, max_bytes }
    }

    /// The next line; `None` at the end. After an error nothing more is read.
    pub(super) fn next(&mut self) -> Result<Option<Numbered>, Error> {
        loop {
            self.number += 1;
            let (number, limit) = (self.number, self.max_bytes);
            let mut bytes = Vec::new();
            let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut bytes);
            let read = read.map_err(failed(&self.path))?;
            if read == 0 {
                return Ok(None);
            }
            if read as u64 == limit && bytes.last() != Some(&b'\n') {
                return Err(wrong(&self.path, format!("line {number} has more than {limit} bytes")));
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let text = std::str::from_utf8(&bytes).map_err(Invalid::from);
            let object = text.and_then(|text| Ok(json::read_object(text)?));
            return Ok(Some(Numbered { place: format!("line {number}"), bytes: read as u64, object }));
        }
    }
}
