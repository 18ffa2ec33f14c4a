//! A file to documents, some rows at a time: memory holds one page of each column, and
//! [`BATCH_ROWS`] rows beside those of the current document.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, FloatType, Int64Type};
use parquet::errors::Result as CrateResult;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use postil_storage::DocumentWrite;

use super::super::source::{Entry, Source as Documents};
use super::super::{failed, wrong};
use super::chunk::Chunk;
use super::column::Places;
use super::pages::Source;
use super::row::{self, Row};
use super::{contained, footer};
use crate::Error;

/// Rows read at once from each column.
const BATCH_ROWS: u64 = 32;

/// The documents of a file, one after the other.
pub(in super::super) struct Reader {
    path: PathBuf,
    source: Arc<Source>,
    metadata: ParquetMetaData,
    places: Places,
    /// The next row group.
    next_group: usize,
    group: Option<Group>,
    /// Rows that were read and not yet assembled into a document.
    waiting: VecDeque<Row>,
    /// Number of the first waiting row, from 0.
    row: u64,
    /// Most bytes of a document's rows.
    max_bytes: u64,
    /// Vectors of the last document; `None` when it has none.
    vectors: Option<Vec<Vec<f32>>>,
}

/// A row group being read.
struct Group {
    texts: Vec<Chunk<ByteArrayType>>,
    numbers: Vec<Option<Chunk<Int64Type>>>,
    embedding: Option<Chunk<FloatType>>,
    rows: u64,
}

impl Group {
    fn open(source: &Arc<Source>, places: &Places, group: &RowGroupMetaData) -> CrateResult<Self> {
        let rows = group.num_rows() as u64;
        let texts = places.texts.iter().map(|&at| Chunk::open(source, group.column(at), rows));
        let numbers = places
            .numbers
            .iter()
            .map(|at| at.map(|at| Chunk::open(source, group.column(at), rows)).transpose());
        let embedding = places.embedding.map(|at| Chunk::open(source, group.column(at), rows));
        Ok(Self {
            texts: texts.collect::<CrateResult<_>>()?,
            numbers: numbers.collect::<CrateResult<_>>()?,
            embedding: embedding.transpose()?,
            rows,
        })
    }

    /// The next rows, [`BATCH_ROWS`] of them at most.
    fn rows(&mut self) -> CrateResult<Vec<Row>> {
        let count = self.rows.min(BATCH_ROWS);
        self.rows -= count;
        let count = count as usize;
        let mut rows = vec![Row::default(); count];
        for (at, column) in self.texts.iter_mut().enumerate() {
            for (row, value) in rows.iter_mut().zip(column.values(count)?) {
                // A value borrows its page and would keep it in memory.
                row.texts[at] = value.as_ref().map(|value: &ByteArray| value.data().to_vec());
            }
        }
        for (at, column) in self.numbers.iter_mut().enumerate() {
            let Some(column) = column else { continue };
            for (row, value) in rows.iter_mut().zip(column.values(count)?) {
                row.numbers[at] = value;
            }
        }
        if let Some(column) = &mut self.embedding {
            for (row, vector) in rows.iter_mut().zip(column.lists(count)?) {
                row.embedding = vector;
            }
        }
        Ok(rows)
    }
}

impl Reader {
    /// Opens a file whose documents have at most `max_bytes` in their rows, and checks its columns.
    pub(in super::super) fn open(path: &Path, max_bytes: u64) -> Result<Self, Error> {
        let mut file = File::open(path).map_err(failed(path))?;
        let metadata = footer::read(path, &mut file)?;
        let places = Places::of(path, &metadata)?;
        let source = Arc::new(Source::new(file).map_err(failed(path))?);
        Ok(Self {
            path: path.to_owned(),
            source,
            metadata,
            places,
            next_group: 0,
            group: None,
            waiting: VecDeque::new(),
            row: 0,
            max_bytes,
            vectors: None,
        })
    }

    /// Reads on until a row is waiting; returns `false` at the end of the file.
    fn fill(&mut self) -> Result<bool, Error> {
        while self.waiting.is_empty() {
            let Some(group) = self.group.as_mut().filter(|group| group.rows > 0) else {
                if self.next_group >= self.metadata.num_row_groups() {
                    return Ok(false);
                }
                let metadata = self.metadata.row_group(self.next_group);
                self.next_group += 1;
                let opened = contained(&self.path, || Group::open(&self.source, &self.places, metadata))?;
                self.group = Some(opened);
                continue;
            };
            let rows = contained(&self.path, || group.rows()).map_err(|error| match error {
                Error::Exchange { path, what } => {
                    let what = format!("rows {} to {}: {what}", self.row, self.row + BATCH_ROWS - 1);
                    Error::Exchange { path, what }
                }
                error => error,
            })?;
            self.waiting.extend(rows);
        }
        Ok(true)
    }
}

impl Documents for Reader {
    fn total_bytes(&self) -> Option<u64> {
        let groups = self.metadata.row_groups().iter();
        Some(groups.map(|group| u64::try_from(group.total_byte_size()).unwrap_or(0)).sum())
    }

    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let place = format!("row {}", self.row);
        let (mut rows, mut bytes): (Vec<Row>, u64) = (Vec::new(), 0);
        while self.fill()? {
            let of_this = |row: &Row| rows.last().is_none_or(|last| row.follows(last));
            let Some(row) = self.waiting.pop_front_if(|row| of_this(row)) else { break };
            self.row += 1;
            bytes += row.bytes() as u64;
            if bytes > self.max_bytes {
                let what = format!(
                    "{place}: its document has {bytes} bytes or more, at most {} are read",
                    self.max_bytes
                );
                return Err(wrong(&self.path, what));
            }
            rows.push(row);
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let document = row::to_document(rows).map(|(document, vectors)| {
            self.vectors = vectors;
            document
        });
        Ok(Some(Entry { place, bytes, document }))
    }

    fn vectors(&mut self, document: &mut DocumentWrite) -> Result<bool, Error> {
        let Some(vectors) = self.vectors.take() else { return Ok(false) };
        for (passage, vector) in document.passages.iter_mut().zip(vectors) {
            passage.vector = vector;
        }
        Ok(true)
    }
}
