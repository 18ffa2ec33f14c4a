//! Documents to a folder of JSON lines and an array, and back.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use postil_storage::{DocumentWrite, Value};

use super::description::Description;
use super::line::{self, Parts};
use super::numbered::{Lines, Numbered};
use super::source::{Entry, Source};
use super::{DOCUMENTS, VECTORS, failed, npy, wrong};
use crate::Error;

/// Writer of an export folder, which is incomplete until it is finished.
pub(super) struct Writer {
    folder: PathBuf,
    path: PathBuf,
    lines: BufWriter<File>,
    vectors: Option<npy::Writer>,
    passages: u64,
}

impl Writer {
    /// Makes the folder, which must not exist; `dimension` is `None` for an export without vectors.
    pub(super) fn create(folder: &Path, dimension: Option<usize>) -> Result<Self, Error> {
        std::fs::create_dir(folder).map_err(failed(folder))?;
        let path = folder.join(DOCUMENTS);
        let lines = BufWriter::new(File::create_new(&path).map_err(failed(&path))?);
        let vectors = dimension.map(|dimension| npy::Writer::create(&folder.join(VECTORS), dimension));
        Ok(Self { folder: folder.to_owned(), path, lines, vectors: vectors.transpose()?, passages: 0 })
    }

    pub(super) fn push(&mut self, document: &DocumentWrite) -> Result<(), Error> {
        let parts = if self.vectors.is_some() { Parts::Row(self.passages) } else { Parts::Nothing };
        let line = line::to_json(document, parts).map_err(|what| wrong(&self.path, what))?;
        writeln!(self.lines, "{}", Value::Object(line)).map_err(failed(&self.path))?;
        if let Some(vectors) = &mut self.vectors {
            document.passages.iter().try_for_each(|passage| vectors.push(&passage.vector))?;
        }
        self.passages += document.passages.len() as u64;
        Ok(())
    }

    /// Completes the export; everything is on the disk when this returns.
    pub(super) fn finish(self, description: &Description) -> Result<(), Error> {
        let lines = self.lines.into_inner().map_err(|error| failed(&self.path)(error.into_error()))?;
        lines.sync_all().map_err(failed(&self.path))?;
        if let Some(vectors) = self.vectors {
            vectors.finish()?;
        }
        description.write(&self.folder)
    }
}

/// The documents of a folder, one after the other.
pub(super) struct Reader {
    lines: Lines<BufReader<File>>,
    total_bytes: u64,
    vectors: Option<npy::Reader>,
    /// Rows in the array of the last document's vectors, one for each passage; `None` for a passage
    /// without one.
    rows: Vec<Option<u64>>,
}

impl Reader {
    /// Opens a folder whose documents have at most `max_bytes` in their line; `dimension` is `None`
    /// when its vectors are not to be read.
    pub(super) fn open(folder: &Path, max_bytes: u64, dimension: Option<usize>) -> Result<Self, Error> {
        let vectors = dimension.map(|dimension| npy::Reader::open(&folder.join(VECTORS), dimension));
        let vectors = vectors.transpose()?;
        let path = folder.join(DOCUMENTS);
        let file = File::open(&path).map_err(failed(&path))?;
        let total_bytes = file.metadata().map_err(failed(&path))?.len();
        let lines = Lines::new(&path, BufReader::new(file), max_bytes);
        Ok(Self { lines, total_bytes, vectors, rows: Vec::new() })
    }
}

impl Source for Reader {
    fn total_bytes(&self) -> Option<u64> {
        Some(self.total_bytes)
    }

    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let Some(Numbered { place, bytes, object }) = self.lines.next()? else { return Ok(None) };
        let document = object.and_then(line::from_json).map(|(document, rows)| {
            self.rows = rows;
            document
        });
        Ok(Some(Entry { place, bytes, document }))
    }

    fn vectors(&mut self, document: &mut DocumentWrite) -> Result<bool, Error> {
        let rows = self.rows.iter().copied().collect::<Option<Vec<u64>>>();
        let (Some(vectors), Some(rows)) = (&mut self.vectors, rows) else { return Ok(false) };
        for (passage, row) in document.passages.iter_mut().zip(rows) {
            passage.vector = vectors.row(row)?;
        }
        Ok(true)
    }
}
