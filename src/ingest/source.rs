//! From files and streams to documents, one at a time.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::walk::SourceFile;
use super::{FILE_FIELD, PATH_FIELD};
use crate::document::key_of;
use crate::extract::{self, FileKind, Kind, Record};
use crate::{Document, Error};

/// One step of reading: a document or the reason there is none, and what it cost to read.
pub(super) struct Item {
    /// What to name when it cannot be ingested.
    pub(super) source: String,
    pub(super) document: Result<Document, Error>,
    pub(super) bytes: u64,
    /// Whether it is all there is now under its key: where it has no text, what was there before goes.
    pub(super) is_current: bool,
    /// Names of fields that it had and could not keep.
    pub(super) fields_left_out: Vec<&'static str>,
}

impl Item {
    pub(super) fn document(document: Document) -> Self {
        let bytes = document.text.len() as u64;
        Self {
            source: document.key.clone(),
            document: Ok(document),
            bytes,
            is_current: false,
            fields_left_out: Vec::new(),
        }
    }

    pub(super) fn failure(error: Error) -> Self {
        let source = match &error {
            Error::Read { path, .. } | Error::Replaced { path } | Error::FileTooLarge { path, .. } => {
                key_of(path)
            }
            Error::Walk(error) => path_of(error).map(key_of).unwrap_or_default(),
            _ => String::new(),
        };
        Self { source, document: Err(error), bytes: 0, is_current: false, fields_left_out: Vec::new() }
    }
}

/// Where a walk failed, if it says.
fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

/// Files of records that have no line of text.
pub(super) fn without_records(files: &[SourceFile]) -> Vec<PathBuf> {
    // One that has more than blanks at its start is known not to be one by looking at that.
    const LOOKED_AT: u64 = 4096;
    let is_blank = |file: &&SourceFile| {
        let mut start = Vec::new();
        let read = file.open().ok().map(|opened| opened.take(LOOKED_AT).read_to_end(&mut start));
        let text = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&start);
        file.bytes < LOOKED_AT && matches!(read, Some(Ok(_))) && text.trim_ascii().is_empty()
    };
    let records = files.iter().filter(|file| file.kind == FileKind::Records);
    records.filter(is_blank).map(|file| file.path.clone()).collect()
}

type Items = Box<dyn Iterator<Item = Item> + Send>;

/// The documents of files, read as they are asked for.
pub(super) fn from_files(files: Vec<SourceFile>, max_bytes: u64) -> impl Iterator<Item = Item> + Send {
    files.into_iter().flat_map(move |file| -> Items {
        match file.kind {
            FileKind::Records => match file.open() {
                Ok(opened) => {
                    let name = key_of(&file.path);
                    Box::new(from_records(BufReader::new(opened), name, Some(file.path.clone()), max_bytes))
                }
                Err(error) => Box::new(std::iter::once(Item::failure(error))),
            },
            FileKind::Document(kind) => Box::new(std::iter::once(from_file(&file, kind, max_bytes))),
        }
    })
}

/// The one document of a file.
fn from_file(file: &SourceFile, kind: Kind, max_bytes: u64) -> Item {
    let key = key_of(&file.path);
    if file.bytes > max_bytes {
        let error = Error::FileTooLarge { path: file.path.clone(), got_bytes: file.bytes, max_bytes };
        return Item {
            source: key,
            document: Err(error),
            bytes: file.bytes,
            is_current: false,
            fields_left_out: Vec::new(),
        };
    }
    let opened = match file.open() {
        Ok(opened) => opened,
        Err(error) => {
            return Item {
                source: key,
                document: Err(error),
                bytes: file.bytes,
                is_current: false,
                fields_left_out: Vec::new(),
            };
        }
    };
    // Bounded too: it may have grown since it was found, and some files have no size.
    let mut item = from_stream(opened, key, kind, max_bytes);
    item.document = item.document.map(|document| document.of_file(&file.path));
    Item { bytes: file.bytes, is_current: true, ..item }
}

/// The documents of standard input.
pub(super) fn from_stdin(key: String, kind: FileKind, max_bytes: u64) -> impl Iterator<Item = Item> + Send {
    let items: Items = match kind {
        FileKind::Records => Box::new(from_records(BufReader::new(std::io::stdin()), key, None, max_bytes)),
        FileKind::Document(kind) => {
            let read = move || from_stream(std::io::stdin(), key, kind, max_bytes);
            Box::new(std::iter::once_with(move || Item { is_current: true, ..read() }))
        }
    };
    items
}

fn from_stream(stream: impl Read, key: String, kind: Kind, max_bytes: u64) -> Item {
    let mut bytes = Vec::new();
    let read = stream.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes);
    let got_bytes = bytes.len() as u64;
    let document = match read {
        Err(source) => Err(Error::Read { path: PathBuf::from(&key), source }),
        Ok(_) if got_bytes > max_bytes => {
            Err(Error::FileTooLarge { path: PathBuf::from(&key), got_bytes, max_bytes })
        }
        Ok(_) => Document::from_bytes(key.clone(), &bytes, kind),
    };
    Item { source: key, document, bytes: got_bytes, is_current: false, fields_left_out: Vec::new() }
}

/// The documents of a JSONL stream; `name` is what the stream is called in errors.
fn from_records(
    reader: impl BufRead + Send,
    name: String,
    file: Option<PathBuf>,
    max_bytes: u64,
) -> impl Iterator<Item = Item> + Send {
    let max_line_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    // A record's bytes are not told one by one: progress on a JSONL file counts its text.
    extract::jsonl(reader).max_line_bytes(max_line_bytes).map(move |record| match record {
        Ok(record) => {
            let mut document = from_record(record);
            let mut fields_left_out = Vec::new();
            if let Some(file) = &file {
                for field in [FILE_FIELD, PATH_FIELD] {
                    // A record that was exported from this very file loses nothing.
                    let own = document.metadata.remove(field).filter(|own| own.as_str() != Some(&name));
                    fields_left_out.extend(own.map(|_| field));
                }
                document = document.of_records(file);
            }
            Item { is_current: true, fields_left_out, ..Item::document(document) }
        }
        Err(source) => Item {
            source: name.clone(),
            document: Err(Error::Record { file: name.clone(), source }),
            bytes: 0,
            is_current: false,
            fields_left_out: Vec::new(),
        },
    })
}

fn from_record(record: Record) -> Document {
    let mut document = Document::new(record.id, record.text);
    document.title = record.title.unwrap_or_default();
    document.metadata = record.metadata;
    document
}
