//! The columns, and their positions in a file.

use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, Type};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnDescriptor, TypePtr};

use super::super::wrong;
use crate::Error;

/// Columns of strings and bytes, in the order of [`TEXTS`].
#[derive(Clone, Copy)]
pub(super) enum Strings {
    Id,
    Heading,
    Text,
    Metadata,
    DocumentTitle,
    DocumentText,
    ContentHash,
    SourceMap,
}

pub(super) const TEXTS: [&str; 8] =
    ["id", "heading", "text", "metadata", "document_title", "document_text", "content_hash", "source_map"];

/// Columns of whole numbers, in the order of [`NUMBERS`].
#[derive(Clone, Copy)]
pub(super) enum Number {
    Passage,
    Passages,
    Start,
    End,
    TextStart,
    TextEnd,
    LeadStart,
    LeadEnd,
}

pub(super) const NUMBERS: [&str; 8] =
    ["passage", "passages", "start", "end", "text_start", "text_end", "lead_start", "lead_end"];

/// Name of the column of headings in files older than 0.2.
const OLD_HEADING: &str = "title";

/// Columns that files older than 0.2 lack: their passages have no lead.
const OPTIONAL: [Number; 2] = [Number::LeadStart, Number::LeadEnd];

/// The column of vectors.
pub(super) const EMBEDDING: &str = "embedding";

const SCHEMA: &str = "message postil {
    required binary id (STRING);
    optional int64 passage;
    optional int64 passages;
    optional binary heading (STRING);
    optional binary text (STRING);
    optional group embedding (LIST) { repeated group list { required float element; } }
    optional int64 start;
    optional int64 end;
    optional int64 text_start;
    optional int64 text_end;
    optional int64 lead_start;
    optional int64 lead_end;
    optional binary metadata (JSON);
    optional binary document_title (STRING);
    optional binary document_text (STRING);
    optional binary content_hash;
    optional binary source_map;
}";

/// The schema of files that are written.
pub(super) fn schema() -> TypePtr {
    Arc::new(parse_message_type(SCHEMA).expect("the schema above is one"))
}

/// Positions of our columns in a file; other columns are ignored.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) texts: [usize; TEXTS.len()],
    /// `None` for an optional column that the file lacks.
    pub(super) numbers: [Option<usize>; NUMBERS.len()],
    /// `None` when the file has no vectors: its passages are to be embedded.
    pub(super) embedding: Option<usize>,
}

impl Places {
    /// Finds every column and checks its type and compression.
    pub(super) fn of(path: &Path, metadata: &ParquetMetaData) -> Result<Self, Error> {
        let columns = metadata.file_metadata().schema_descr().columns();
        let place = |name: &str, of_type: Type, nesting: i16| -> Result<Option<usize>, Error> {
            let root = |column: &ColumnDescriptor| column.path().parts().first().cloned();
            let named = |column: &ColumnDescriptor| root(column).is_some_and(|root| root == name);
            let mut all = (0..columns.len()).filter(|&at| named(&columns[at]));
            let (Some(at), None) = (all.next(), all.next()) else {
                return match columns.iter().any(|column| named(column)) {
                    true => Err(wrong(path, format!("column {name:?} is of more than one part"))),
                    false => Ok(None),
                };
            };
            let column = &columns[at];
            if column.physical_type() != of_type || column.max_rep_level() != nesting {
                let list = if nesting == 0 { "" } else { "a list of " };
                let what = format!("column {name:?} is not {list}{of_type}");
                return Err(wrong(path, what));
            }
            for group in metadata.row_groups() {
                let compression = group.columns().get(at).map(ColumnChunkMetaData::compression);
                if !matches!(compression, Some(Compression::UNCOMPRESSED | Compression::SNAPPY)) {
                    let compression = compression.map_or("nothing".into(), |codec| codec.to_string());
                    let what = format!(
                        "column {name:?} is compressed with {compression}; write it with Snappy or \
                         uncompressed"
                    );
                    return Err(wrong(path, what));
                }
            }
            Ok(Some(at))
        };
        let present = |name: &str, of_type: Type| {
            place(name, of_type, 0)?.ok_or_else(|| wrong(path, format!("it has no column {name:?}")))
        };
        let mut texts = [0; TEXTS.len()];
        for (at, mut name) in texts.iter_mut().zip(TEXTS) {
            if name == TEXTS[Strings::Heading as usize] && place(name, Type::BYTE_ARRAY, 0)?.is_none() {
                name = OLD_HEADING;
            }
            *at = present(name, Type::BYTE_ARRAY)?;
        }
        let mut numbers = [None; NUMBERS.len()];
        for (at, (place_of, name)) in numbers.iter_mut().zip(NUMBERS).enumerate() {
            *place_of = match OPTIONAL.iter().any(|optional| *optional as usize == at) {
                true => place(name, Type::INT64, 0)?,
                false => Some(present(name, Type::INT64)?),
            };
        }
        Ok(Self { texts, numbers, embedding: place(EMBEDDING, Type::FLOAT, 1)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_place_in_the_schema() {
        let schema = schema();
        let names: Vec<&str> = schema.get_fields().iter().map(|field| field.name()).collect();
        assert_eq!(names.len(), TEXTS.len() + NUMBERS.len() + 1);
        for name in TEXTS.iter().chain(&NUMBERS).chain(&[EMBEDDING]) {
            assert!(names.contains(name), "{name}");
        }
        assert_eq!(TEXTS[Strings::SourceMap as usize], "source_map");
        assert_eq!(TEXTS[Strings::Metadata as usize], "metadata");
        assert_eq!(NUMBERS[Number::TextEnd as usize], "text_end");
    }
}
