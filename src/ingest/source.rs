//! Files and streams to documents, one at a time.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::walk::{Failure, SourceFile};
use crate::extract::{self, ExtractOptions, FileKind, Kind, Record};
use crate::origin::{FILE_FIELD, Origin, PATH_FIELD, key_of};
use crate::{Document, Error};

/// One step of reading: a document or an error, and the bytes read.
pub(super) struct Item {
    /// Name of the source in errors.
    pub(super) source: String,
    pub(super) document: Result<Document, Error>,
    pub(super) bytes: u64,
    /// True when an empty text means that the document is to be removed; false when it is a
    /// caller's mistake.
    pub(super) may_be_empty: bool,
    /// The file or folder; `None` when the source is no file, or a failure's place is unknown.
    pub(super) place: Option<PathBuf>,
    /// Names of metadata fields dropped from the record.
    pub(super) fields_left_out: Vec<&'static str>,
}

impl Item {
    /// A document that a caller made.
    pub(super) fn document(document: Document) -> Self {
        Self {
            source: document.key.clone(),
            bytes: document.text.len() as u64,
            may_be_empty: document.origin.is_some(),
            place: document.origin.as_ref().map(|origin| origin.place.clone()),
            document: Ok(document),
            fields_left_out: Vec::new(),
        }
    }

    /// A source that could not be read, at an unknown place.
    fn unread(source: String, error: Error) -> Self {
        Self {
            source,
            document: Err(error),
            bytes: 0,
            may_be_empty: false,
            place: None,
            fields_left_out: Vec::new(),
        }
    }

    /// A path that could not be walked.
    pub(super) fn failure(Failure { source, error, place }: Failure) -> Self {
        Self { place, ..Self::unread(source, error) }
    }
}

type Items = Box<dyn Iterator<Item = Item> + Send>;

/// The documents of files, read as they are asked for.
pub(super) fn from_files(
    files: Vec<SourceFile>,
    max_bytes: u64,
    options: ExtractOptions,
) -> impl Iterator<Item = Item> + Send {
    files.into_iter().flat_map(move |file| -> Items {
        match file.kind {
            FileKind::Document(kind) => {
                Box::new(std::iter::once(from_file(&file, kind, max_bytes, &options)))
            }
            FileKind::Records => match file.open() {
                Ok(opened) => {
                    let (name, origin) = (key_of(&file.path), Some(file.origin()));
                    Box::new(from_records(BufReader::new(opened), name, origin, max_bytes))
                }
                Err(error) => Box::new(std::iter::once(Item {
                    bytes: file.bytes,
                    place: Some(file.place.clone()),
                    ..Item::unread(key_of(&file.path), error)
                })),
            },
        }
    })
}

/// The one document of a file.
fn from_file(file: &SourceFile, kind: Kind, max_bytes: u64, options: &ExtractOptions) -> Item {
    let (key, path) = (key_of(&file.path), &file.path);
    let document = if file.bytes > max_bytes {
        Err(Error::FileTooLarge { path: path.clone(), got_bytes: file.bytes, max_bytes })
    } else {
        // Bounded too: it may have grown since it was found, and some files have no size.
        let read = |opened| Document::from_reader(key.clone(), path, opened, kind, max_bytes, options).0;
        file.open().and_then(read).map(|document| Document { origin: Some(file.origin()), ..document })
    };
    Item {
        source: key,
        document,
        bytes: file.bytes,
        may_be_empty: true,
        place: Some(file.place.clone()),
        fields_left_out: Vec::new(),
    }
}

/// The documents of standard input.
pub(super) fn from_stdin(
    key: String,
    kind: FileKind,
    max_bytes: u64,
    options: ExtractOptions,
) -> impl Iterator<Item = Item> + Send {
    let items: Items = match kind {
        // Standard input is read only when the first item is asked for.
        FileKind::Records => Box::new(
            std::iter::once_with(move || {
                from_records(BufReader::new(std::io::stdin()), key, None, max_bytes)
            })
            .flatten(),
        ),
        FileKind::Document(kind) => Box::new(std::iter::once_with(move || {
            let (document, bytes) = Document::from_reader(
                key.clone(),
                Path::new(&key),
                std::io::stdin(),
                kind,
                max_bytes,
                &options,
            );
            let fields_left_out = Vec::new();
            Item { source: key, document, bytes, may_be_empty: true, place: None, fields_left_out }
        })),
    };
    items
}

/// The documents of a JSONL stream, or one failure when there are none; errors name the stream
/// `name`.
fn from_records(
    reader: impl BufRead + Send,
    name: String,
    origin: Option<Origin>,
    max_bytes: u64,
) -> impl Iterator<Item = Item> + Send {
    let max_line_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let place = origin.as_ref().map(|origin| origin.place.clone());
    let failure = {
        let (name, place) = (name.clone(), place.clone());
        move |error| Item { may_be_empty: true, place: place.clone(), ..Item::unread(name.clone(), error) }
    };
    // Progress on a JSONL file counts the text of its records, not their bytes in the file.
    let mut records = extract::jsonl(reader).max_line_bytes(max_line_bytes).peekable();
    let none = records.peek().is_none().then(|| failure(Error::EmptyDocument { key: name.clone() }));
    let items = records.map(move |record| match record {
        Ok(record) => {
            let mut document = Document { origin: origin.clone(), ..from_record(record) };
            let mut fields_left_out = Vec::new();
            for field in [FILE_FIELD, PATH_FIELD].into_iter().filter(|_| origin.is_some()) {
                // The field of a record exported from this very file is no loss.
                let own = document.metadata.remove(field).filter(|own| own.as_str() != Some(&name));
                fields_left_out.extend(own.map(|_| field));
            }
            Item { may_be_empty: true, place: place.clone(), fields_left_out, ..Item::document(document) }
        }
        Err(source) => failure(Error::Record { file: name.clone(), source }),
    });
    none.into_iter().chain(items)
}

fn from_record(record: Record) -> Document {
    let mut document = Document::new(record.id, record.text);
    document.title = record.title.unwrap_or_default();
    document.metadata = record.metadata;
    document
}
