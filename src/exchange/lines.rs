//! Documents to self-contained lines of JSON and back, for pipes and files.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use postil_storage::{DocumentWrite, Value, json};

use super::description::Description;
use super::invalid::Invalid;
use super::line::{self, Parts};
use super::numbered::{self, Numbered};
use super::source::{BYTES, BYTES_PER_TEXT_BYTE, Entry, Source};
use super::staged::Staged;
use super::{failed, wrong};
use crate::Error;

/// Field of the first line that describes the database.
const DATABASE: &str = "database";
/// Most bytes of a line. Lines include their vectors: as much again for each passage, and more
/// where passages are short.
const LINE_BYTES: u64 = (postil_storage::DEFAULT_MAX_TEXT_BYTES as u64) * 4 * BYTES_PER_TEXT_BYTE + BYTES;

/// Writes documents, one on each line.
pub(super) struct Writer<W: Write> {
    path: PathBuf,
    out: BufWriter<W>,
    parts: Parts,
    /// The description; `None` once the first line has it.
    description: Option<Value>,
}

impl<W: Write> Writer<W> {
    /// Writes to `out`; errors name it `path`.
    pub(super) fn new(path: &Path, out: W, description: &Description) -> Result<Self, Error> {
        let parts = if description.vectors { Parts::TextAndVector } else { Parts::Text };
        let description = json::read(&description.to_json().to_string());
        let description = description.map_err(|error| wrong(path, error.to_string()))?;
        Ok(Self { path: path.to_owned(), out: BufWriter::new(out), parts, description: Some(description) })
    }

    pub(super) fn push(&mut self, document: &DocumentWrite) -> Result<(), Error> {
        let mut line = line::to_json(document, self.parts).map_err(|what| wrong(&self.path, what))?;
        if let Some(description) = self.description.take() {
            line.insert(DATABASE.to_owned(), description);
        }
        writeln!(self.out, "{}", Value::Object(line)).map_err(failed(&self.path))
    }

    /// Flushes, and returns what was written to.
    pub(super) fn finish(self) -> Result<W, Error> {
        self.out.into_inner().map_err(|error| failed(&self.path)(error.into_error()))
    }
}

/// First bytes of a file of ours: the fields of a line are in the order of their names.
const MARK: &[u8] = b"{\"content_hash\":\"";

/// Writer of a file of lines, which is at its place once it is finished.
pub(super) struct FileWriter {
    lines: Writer<File>,
    staged: Staged,
}

impl FileWriter {
    /// Begins a file that will be at `to`, which must not exist.
    pub(super) fn create(to: &Path, description: &Description) -> Result<Self, Error> {
        let (staged, file) = Staged::create(to, MARK)?;
        Ok(Self { lines: Writer::new(staged.path(), file, description)?, staged })
    }

    pub(super) fn push(&mut self, document: &DocumentWrite) -> Result<(), Error> {
        self.lines.push(document)
    }

    pub(super) fn finish(self) -> Result<(), Error> {
        let file = self.lines.finish()?;
        self.staged.finish(&file)
    }
}

/// An export as [`Database::export_lines`](crate::ReadOnlyDatabase::export_lines) writes it, to be
/// imported.
pub struct Lines {
    path: PathBuf,
    lines: numbered::Lines<Box<dyn BufRead>>,
    total_bytes: u64,
    /// The first line, read early because it describes the database; `None` once it was returned.
    first: Option<Numbered>,
    description: Option<Description>,
    /// True when the last document has a vector for each passage.
    has_vectors: bool,
}

impl Lines {
    /// The lines of a file.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`Error::Read`] when there is no such file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let file = File::open(path).map_err(failed(path))?;
        let total_bytes = file.metadata().map_err(failed(path))?.len();
        Ok(Self { total_bytes, ..Self::new(path, BufReader::new(file))? })
    }

    /// The lines of `reader`, which errors name `path`; the first is read at once.
    ///
    /// # Errors
    /// [`Error::Read`] when it cannot be read, [`Error::Exchange`] when it is no line of an export.
    pub fn new(path: impl AsRef<Path>, reader: impl BufRead + 'static) -> Result<Self, Error> {
        let path = path.as_ref();
        let mut lines = numbered::Lines::new(path, Box::new(reader) as Box<dyn BufRead>, LINE_BYTES);
        let mut first = lines.next()?;
        let mut description = None;
        if let Some(Numbered { place, object, .. }) = &mut first {
            let not_ours = |what: Invalid| {
                wrong(
                    path,
                    format!(
                        "{place} is no line of an export ({what}); records of other programs \
                         are for `postil ingest`"
                    ),
                )
            };
            let object = object.as_mut().map_err(|what| not_ours(what.clone()))?;
            if let Some(database) = object.remove(DATABASE) {
                description = Some(Description::parse(path, database.to_string().as_bytes())?);
            }
            line::from_json(object.clone()).map_err(not_ours)?;
        }
        Ok(Self { path: path.to_owned(), lines, total_bytes: 0, first, description, has_vectors: false })
    }

    /// The description of the database; `None` when the first line has none, as in a part of an
    /// export.
    pub(super) fn description(&self) -> Option<&Description> {
        self.description.as_ref()
    }

    pub(super) fn into_description(self) -> Option<Description> {
        self.description
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Source for Lines {
    fn total_bytes(&self) -> Option<u64> {
        (self.total_bytes > 0).then_some(self.total_bytes)
    }

    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let next = match self.first.take() {
            Some(first) => Some(first),
            None => self.lines.next()?,
        };
        let Some(Numbered { place, bytes, object }) = next else { return Ok(None) };
        let document = object.and_then(line::from_json).map(|(document, _)| {
            self.has_vectors = document.passages.iter().all(|passage| !passage.vector.is_empty());
            document
        });
        Ok(Some(Entry { place, bytes, document }))
    }

    fn vectors(&mut self, _: &mut DocumentWrite) -> Result<bool, Error> {
        Ok(self.has_vectors)
    }
}
