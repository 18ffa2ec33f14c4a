//! Records of documents.

use super::records::{Record, decode, encode, versioned};
use crate::error::{Result, StorageError};
use crate::json;
use crate::value::fields::{Field, Fields};
use crate::value::{Metadata, Value};
use rkyv::rancor::Error;
use rkyv::{Archive, Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// Metadata of a document without fields, as JSON.
const NO_FIELDS: &str = "{}";

/// A document without its text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DocumentRecord {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) content_hash: [u8; 32],
    pub(crate) metadata: Metadata,
    pub(crate) text_bytes: u64,
    pub(crate) source_map: Vec<u8>,
    pub(crate) first_row: u64,
    pub(crate) row_count: u64,
}

/// A document record of version 2: the metadata whole, and once more as filters see it. Nothing in
/// it nests, so that no bytes can overflow the stack of a reader.
#[derive(Archive, Serialize, Deserialize)]
pub(super) struct DocumentRecordV2 {
    key: String,
    title: String,
    content_hash: [u8; 32],
    /// Metadata as JSON.
    metadata: String,
    /// Fields in the order of their paths.
    fields: Vec<Field>,
    text_bytes: u64,
    source_map: Vec<u8>,
    first_row: u64,
    row_count: u64,
}

/// A document record of version 1, when metadata had only texts, numbers, booleans and lists of
/// texts.
#[derive(Archive, Serialize, Deserialize)]
pub(super) struct DocumentRecordV1 {
    key: String,
    title: String,
    content_hash: [u8; 32],
    metadata: BTreeMap<String, ValueV1>,
    text_bytes: u64,
    source_map: Vec<u8>,
    first_row: u64,
    row_count: u64,
}

/// A value of a version 1 record. The order of the variants is that of their numbers on disk.
#[derive(Archive, Serialize, Deserialize)]
pub(super) enum ValueV1 {
    String(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    Strings(Vec<String>),
}

impl From<ValueV1> for Value {
    fn from(value: ValueV1) -> Self {
        match value {
            ValueV1::String(text) => Self::String(text),
            ValueV1::Integer(number) => Self::Integer(number),
            ValueV1::Float(number) => Self::Float(number),
            ValueV1::Bool(truth) => Self::Bool(truth),
            ValueV1::Strings(texts) => texts.into(),
        }
    }
}

impl Record for DocumentRecordV2 {
    const VERSION: u8 = 2;
    const WHAT: &'static str = "document";
}

impl Record for DocumentRecordV1 {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "document";
}

pub(super) fn encode_document(record: &DocumentRecord) -> Vec<u8> {
    let DocumentRecord { key, title, content_hash, metadata, text_bytes, source_map, first_row, row_count } =
        record.clone();
    encode(&DocumentRecordV2 {
        key,
        title,
        content_hash,
        fields: Fields::of(&metadata).into_inner(),
        metadata: json::object_text(&metadata),
        text_bytes,
        source_map,
        first_row,
        row_count,
    })
}

/// Decodes a document record of any version.
pub(super) fn decode_document(bytes: &[u8], path: &Path) -> Result<DocumentRecord> {
    if bytes.first() == Some(&DocumentRecordV1::VERSION) {
        let record: DocumentRecordV1 = decode(bytes, path)?;
        let DocumentRecordV1 { key, title, content_hash, metadata, text_bytes, source_map, .. } = record;
        let (first_row, row_count) = (record.first_row, record.row_count);
        let metadata = of_v1(metadata);
        return Ok(DocumentRecord {
            key,
            title,
            content_hash,
            metadata,
            text_bytes,
            source_map,
            first_row,
            row_count,
        });
    }
    let archive = versioned::<DocumentRecordV2>(bytes, path)?;
    // Reads only what is needed: fields, of which there may be many, repeat the metadata.
    let record = rkyv::access::<ArchivedDocumentRecordV2, Error>(&archive)
        .map_err(|error| StorageError::corrupt(path, format!("document record: {error}")))?;
    let key = record.key.as_str();
    let metadata = match record.metadata.as_str() {
        NO_FIELDS => Metadata::new(),
        fields => json::read_object(fields).map_err(|error| {
            StorageError::corrupt(path, format!("document record: metadata of {key:?}: {error}"))
        })?,
    };
    Ok(DocumentRecord {
        key: key.to_owned(),
        title: record.title.as_str().to_owned(),
        content_hash: record.content_hash,
        metadata,
        text_bytes: record.text_bytes.into(),
        source_map: record.source_map.to_vec(),
        first_row: record.first_row.into(),
        row_count: record.row_count.into(),
    })
}

/// Decodes only what a filter needs of a document: its fields and rows.
pub(super) fn decode_filtered(bytes: &[u8], path: &Path) -> Result<(Fields, Range<u64>)> {
    let corrupt = |error: Error| StorageError::corrupt(path, format!("document record: {error}"));
    let rows = |first: u64, count: u64| first..first.saturating_add(count);
    if bytes.first() == Some(&DocumentRecordV1::VERSION) {
        let archive = versioned::<DocumentRecordV1>(bytes, path)?;
        let record = rkyv::access::<ArchivedDocumentRecordV1, Error>(&archive).map_err(corrupt)?;
        let metadata = rkyv::deserialize::<_, Error>(&record.metadata).map_err(corrupt)?;
        let fields = Fields::of(&of_v1(metadata));
        return Ok((fields, rows(record.first_row.into(), record.row_count.into())));
    }
    let archive = versioned::<DocumentRecordV2>(bytes, path)?;
    let record = rkyv::access::<ArchivedDocumentRecordV2, Error>(&archive).map_err(corrupt)?;
    let fields: Vec<Field> = rkyv::deserialize::<_, Error>(&record.fields).map_err(corrupt)?;
    Ok((Fields::new(fields), rows(record.first_row.into(), record.row_count.into())))
}

/// Converts metadata of version 1.
fn of_v1(fields: BTreeMap<String, ValueV1>) -> Metadata {
    fields.into_iter().map(|(name, value)| (name, value.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::targets::document;
    use super::*;

    fn path() -> &'static Path {
        Path::new("x")
    }

    #[test]
    fn a_document_comes_back_with_every_value_it_had() {
        let bytes = encode_document(&document());
        assert_eq!(decode_document(&bytes, path()).unwrap(), document());
        let (fields, rows) = decode_filtered(&bytes, path()).unwrap();
        assert_eq!((fields, rows), (Fields::of(&document().metadata), 40..49));
    }

    #[test]
    fn a_document_of_version_1_is_read_as_it_was() {
        let metadata = BTreeMap::from([
            ("year".to_owned(), ValueV1::Integer(2024)),
            ("tags".to_owned(), ValueV1::Strings(vec!["a".to_owned()])),
            ("draft".to_owned(), ValueV1::Bool(false)),
            ("weight".to_owned(), ValueV1::Float(0.5)),
            ("lang".to_owned(), ValueV1::String("en".to_owned())),
        ]);
        let DocumentRecord { key, title, content_hash, text_bytes, source_map, first_row, row_count, .. } =
            document();
        let old = DocumentRecordV1 {
            key,
            title,
            content_hash,
            metadata,
            text_bytes,
            source_map,
            first_row,
            row_count,
        };
        let bytes = encode(&old);
        let metadata =
            json::read_object(r#"{"draft":false,"lang":"en","tags":["a"],"weight":0.5,"year":2024}"#)
                .unwrap();
        assert_eq!(
            decode_document(&bytes, path()).unwrap(),
            DocumentRecord { metadata: metadata.clone(), ..document() }
        );
        let (fields, rows) = decode_filtered(&bytes, path()).unwrap();
        assert_eq!((fields, rows), (Fields::of(&metadata), 40..49));
    }

    /// A reader of archives that knows only what FORMAT.md says of them.
    struct Bytes<'a>(&'a [u8]);

    impl<'a> Bytes<'a> {
        fn word(&self, at: usize) -> u32 {
            u32::from_le_bytes(self.0[at..at + 4].try_into().unwrap())
        }

        fn long(&self, at: usize) -> u64 {
            u64::from_le_bytes(self.0[at..at + 8].try_into().unwrap())
        }

        fn from(&self, at: usize, offset: u32) -> usize {
            at.checked_add_signed(offset as i32 as isize).unwrap()
        }

        fn string(&self, at: usize) -> &'a str {
            let bytes = match self.0[at] & 0xc0 == 0x80 {
                true => {
                    let length = self.word(at);
                    let length = (length & 0x3f | (length >> 8) << 6) as usize;
                    let start = self.from(at, self.word(at + 4));
                    &self.0[start..start + length]
                }
                false => self.0[at..at + 8].split(|&byte| byte == 0xff).next().unwrap(),
            };
            std::str::from_utf8(bytes).unwrap()
        }

        /// Returns the offset of a Vec's items and their number.
        fn items(&self, at: usize) -> (usize, usize) {
            (self.from(at, self.word(at)), self.word(at + 4) as usize)
        }

        /// Returns a scalar as JSON.
        fn scalar(&self, at: usize) -> String {
            match self.0[at] {
                0 => "null".to_owned(),
                1 => (self.0[at + 1] == 1).to_string(),
                2 => (self.long(at + 8) as i64).to_string(),
                3 => self.long(at + 8).to_string(),
                4 => format!("{:?}", f64::from_bits(self.long(at + 8))),
                5 => self.string(at + 4).to_owned(),
                6 => format!("{:?}", self.string(at + 4)),
                7 => "nested".to_owned(),
                other => panic!("there is no scalar {other}"),
            }
        }
    }

    #[test]
    fn a_document_is_written_as_format_md_describes_it() {
        let key = "k".repeat(300);
        let bytes = encode_document(&DocumentRecord { key: key.clone(), ..document() });
        assert_eq!(bytes[0], 2);
        let archive = Bytes(&bytes[1..]);
        let root = bytes.len() - 1 - 96;
        assert_eq!((archive.string(root), archive.string(root + 8)), (key.as_str(), "Leave"));
        assert_eq!(bytes[1 + root + 16..][..32], [7; 32]);
        assert_eq!(archive.string(root + 48), json::object_text(&document().metadata));
        assert_eq!(
            (archive.long(root + 64), archive.long(root + 80), archive.long(root + 88)),
            (70_000, 40, 9)
        );
        let (map, map_bytes) = archive.items(root + 72);
        assert_eq!(archive.0[map..map + map_bytes], [1, 2, 3, 200]);
        let (start, count) = archive.items(root + 56);
        let fields = (0..count).map(|i| start + 32 * i).map(|at| {
            let value = match archive.0[at + 8] {
                0 => archive.scalar(at + 16),
                1 => {
                    let (start, count) = archive.items(at + 12);
                    (0..count).map(|i| archive.scalar(start + 16 * i)).collect::<Vec<_>>().join(" ")
                }
                other => panic!("there is no value {other}"),
            };
            (archive.string(at), value)
        });
        let fields: Vec<_> = fields.collect();
        let expected = [
            ("author", "nested"),
            ("author.names", "\"Kim\""),
            ("big", "18446744073709551615"),
            ("draft", "false"),
            ("huge", "12345678901234567890123"),
            ("tags", "\"a\" \"leave\""),
            ("until", "null"),
            ("weight", "0.5"),
            ("year", "2024"),
        ];
        assert_eq!(fields, expected.map(|(path, value)| (path, value.to_owned())));
    }

    #[test]
    fn metadata_that_is_no_json_is_damage() {
        let mut bytes = encode_document(&document());
        let at = bytes.windows(7).position(|bytes| bytes == b"\"draft\"").unwrap();
        bytes[at] = b'x';
        let error = decode_document(&bytes, path()).unwrap_err().to_string();
        assert!(error.contains("metadata of \"handbook/leave.md\""), "{error}");
    }
}
