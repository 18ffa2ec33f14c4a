//! Rows to a file that gets its name when it is complete and on the disk.

use std::fs::File;
use std::mem::take;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FloatType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;
use postil_storage::DocumentWrite;

use super::super::description::Description;
use super::super::staged::Staged;
use super::super::{failed, wrong};
use super::DESCRIPTION_KEY;
use super::column::{EMBEDDING, NUMBERS, Strings, TEXTS, schema};
use super::row::{self, Row};
use crate::Error;

/// Bytes of values in a row group, after which the next begins; a larger document has a group of
/// its own. A writer holds one group and its pages in memory: about twice this.
pub(super) const GROUP_BYTES: usize = 16 << 20;
/// First bytes of a file of ours.
const MAGIC: &[u8; 4] = b"PAR1";

/// Writer of a file, which is at its place once it is finished.
pub(in super::super) struct Writer {
    file: SerializedFileWriter<File>,
    staged: Staged,
    to: PathBuf,
    with_vectors: bool,
    group: Group,
}

/// Rows that are not written yet, column by column.
#[derive(Default)]
struct Group {
    texts: [Column<ByteArray>; TEXTS.len()],
    numbers: [Column<i64>; NUMBERS.len()],
    embedding: Column<f32>,
    bytes: usize,
}

#[derive(Default)]
struct Column<V> {
    values: Vec<V>,
    /// Definition levels: 0 for null, 1 for a value; in a list, 1 for an empty list and 2 for each
    /// element.
    levels: Vec<i16>,
    /// Repetition levels, for lists only: 0 where a list begins.
    starts: Vec<i16>,
}

impl<V> Column<V> {
    fn push(&mut self, value: Option<V>) {
        self.levels.push(i16::from(value.is_some()));
        self.values.extend(value);
    }

    fn write<T: DataType<T = V>>(
        self,
        group: &mut SerializedRowGroupWriter<'_, File>,
    ) -> Result<(), ParquetError> {
        let column = group.next_column()?;
        let mut column =
            column.ok_or_else(|| ParquetError::General("the schema has no more columns".into()))?;
        let column_writer = column.typed::<T>();
        // Levels given for a column without any would be taken for its values.
        let descriptor = column_writer.get_descriptor();
        let levels = (descriptor.max_def_level() > 0).then_some(self.levels.as_slice());
        let starts = (descriptor.max_rep_level() > 0).then_some(self.starts.as_slice());
        column_writer.write_batch(&self.values, levels, starts)?;
        column.close()
    }
}

impl Column<f32> {
    fn push_list(&mut self, list: Option<Vec<f32>>) {
        self.starts.push(0);
        match list {
            None => self.levels.push(0),
            Some(list) if list.is_empty() => self.levels.push(1),
            Some(list) => {
                self.levels.resize(self.levels.len() + list.len(), 2);
                self.starts.resize(self.levels.len(), 1);
                self.values.extend(list);
            }
        }
    }
}

impl Group {
    fn push(&mut self, row: Row) {
        self.bytes += row.bytes();
        let Row { texts, numbers, embedding } = row;
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.push(text.map(ByteArray::from));
        }
        for (column, number) in self.numbers.iter_mut().zip(numbers) {
            column.push(number);
        }
        self.embedding.push_list(embedding);
    }

    fn write(self, group: &mut SerializedRowGroupWriter<'_, File>) -> Result<(), ParquetError> {
        let Self { mut texts, mut numbers, mut embedding, .. } = self;
        for field in schema().get_fields() {
            let at = |names: &[&str]| names.iter().position(|name| *name == field.name());
            match (at(&TEXTS), at(&NUMBERS)) {
                (Some(text), _) => take(&mut texts[text]).write::<ByteArrayType>(group)?,
                (_, Some(number)) => take(&mut numbers[number]).write::<Int64Type>(group)?,
                _ => take(&mut embedding).write::<FloatType>(group)?,
            }
        }
        Ok(())
    }
}

impl Writer {
    /// Begins a file that will be at `to`, which must not exist.
    pub(in super::super) fn create(to: &Path, with_vectors: bool) -> Result<Self, Error> {
        let (staged, file) = Staged::create(to, MAGIC)?;
        let file = SerializedFileWriter::new(file, schema(), Arc::new(properties()));
        let file = file.map_err(of_crate(staged.path()))?;
        Ok(Self { file, staged, to: to.to_owned(), with_vectors, group: Group::default() })
    }

    pub(in super::super) fn push(&mut self, document: DocumentWrite) -> Result<(), Error> {
        for row in row::from_document(document, self.with_vectors).map_err(|what| wrong(&self.to, what))? {
            self.group.push(row);
        }
        if self.group.bytes >= GROUP_BYTES { self.end_group() } else { Ok(()) }
    }

    fn end_group(&mut self) -> Result<(), Error> {
        let rows = take(&mut self.group);
        let write = || {
            let mut group = self.file.next_row_group()?;
            rows.write(&mut group)?;
            group.close().map(drop)
        };
        write().map_err(of_crate(self.staged.path()))
    }

    /// Completes the file; it has its name durably when this returns.
    pub(in super::super) fn finish(mut self, description: &Description) -> Result<(), Error> {
        if self.group.bytes > 0 {
            self.end_group()?;
        }
        let description = KeyValue::new(DESCRIPTION_KEY.to_owned(), description.to_json().to_string());
        self.file.append_key_value_metadata(description);
        self.file.finish().map_err(of_crate(self.staged.path()))?;
        self.staged.finish(self.file.inner())
    }
}

fn properties() -> WriterProperties {
    let plain = |properties: parquet::file::properties::WriterPropertiesBuilder, column: ColumnPath| {
        properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_statistics_enabled(column, EnabledStatistics::None)
    };
    let vectors = ColumnPath::from(vec![EMBEDDING.to_owned(), "list".to_owned(), "element".to_owned()]);
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("postil ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // Vectors have little in common, and compressing them makes them larger.
        .set_column_compression(vectors.clone(), Compression::UNCOMPRESSED);
    for text in [Strings::Text, Strings::DocumentText, Strings::ContentHash, Strings::SourceMap] {
        properties = plain(properties, ColumnPath::from(TEXTS[text as usize]));
    }
    plain(properties, vectors).build()
}

/// An error of the crate about a file that is written; an error of the system below is returned as
/// such.
fn of_crate(path: &Path) -> impl Fn(ParquetError) -> Error + '_ {
    move |error| match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => failed(path)(*source),
            Err(source) => wrong(path, source.to_string()),
        },
        error => wrong(path, error.to_string()),
    }
}
