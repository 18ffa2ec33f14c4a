//! The values of a column within a row group, some rows at a time.

use std::sync::Arc;

use parquet::column::reader::{ColumnReaderImpl, get_column_reader, get_typed_column_reader};
use parquet::data_type::{DataType, FloatType};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;

use super::pages::{Pages, Source};

/// A column that is read from its start.
pub(super) struct Chunk<T: DataType> {
    reader: ColumnReaderImpl<T>,
    /// Definition level of a value that is not null.
    present: i16,
    /// Definition level of a list, empty or not.
    listed: i16,
}

impl<T: DataType> Chunk<T> {
    /// Opens a column, which must be of type `T`.
    pub(super) fn open(source: &Arc<Source>, chunk: &ColumnChunkMetaData, rows: u64) -> Result<Self> {
        let column = chunk.column_descr_ptr();
        // Levels count what is optional or repeated from the root on: above the list's one, at most
        // its elements.
        let listed = column.max_def_level() - 1 - i16::from(column.self_type().is_optional());
        let present = column.max_def_level();
        let pages = Pages::new(source, chunk, rows)?;
        let reader = get_typed_column_reader(get_column_reader(column, Box::new(pages)));
        Ok(Self { reader, present, listed })
    }

    /// The values of the next `rows` rows; an error when there are fewer.
    pub(super) fn values(&mut self, rows: usize) -> Result<Vec<Option<T::T>>> {
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let (read, _, _) = self.reader.read_records(rows, Some(&mut levels), None, &mut values)?;
        if read != rows {
            return Err(too_few(read, rows));
        }
        if self.present == 0 {
            return Ok(values.into_iter().map(Some).collect());
        }
        let mut values = values.into_iter();
        let mut value = |level: i16| if level == self.present { values.next() } else { None };
        Ok(levels.into_iter().map(&mut value).collect())
    }
}

impl Chunk<FloatType> {
    /// The lists of the next `rows` rows; an error when there are fewer, or an element is null.
    pub(super) fn lists(&mut self, rows: usize) -> Result<Vec<Option<Vec<f32>>>> {
        let (mut values, mut levels, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        let (read, _, _) =
            self.reader.read_records(rows, Some(&mut levels), Some(&mut starts), &mut values)?;
        if read != rows {
            return Err(too_few(read, rows));
        }
        let mut lists: Vec<Option<Vec<f32>>> = Vec::with_capacity(rows);
        let mut values = values.into_iter();
        for (level, start) in levels.into_iter().zip(starts) {
            if start == 0 {
                lists.push((level >= self.listed).then(Vec::new));
            }
            let list = lists.last_mut().and_then(Option::as_mut);
            match (list, level == self.present) {
                (Some(list), true) => list.extend(values.next()),
                (Some(_), false) if level > self.listed => {
                    return Err(ParquetError::General("a vector has a component that is null".into()));
                }
                _ => {}
            }
        }
        Ok(lists)
    }
}

fn too_few(read: usize, rows: usize) -> ParquetError {
    ParquetError::EOF(format!("a column ends {} rows before its row group", rows - read))
}
