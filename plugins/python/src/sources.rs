//! Documents to ingest, from Python: paths, texts, dictionaries, tuples, and many of these.

use std::path::Path;

use postil::extract::{FileKind, Kind};
use postil::{Document, Metadata};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMapping, PyString, PyTuple};

use crate::arguments::{metadata as metadata_of, path as path_of};
use crate::errors::{exception, input, input_type, library, type_name};
use crate::texts::text;

/// Longest text that is looked for as a path.
const LONGEST_PATH_BYTES: usize = 4_096;
/// Digits of the hash of a text that is its key where none is given.
const KEY_DIGITS: usize = 16;

/// A source as it was given.
pub(crate) enum Source<'py> {
    /// A file or folder that is there.
    Path(std::path::PathBuf),
    /// A document, boxed as it is large.
    Document(Box<Document>),
    /// Many sources.
    Many(Bound<'py, PyAny>),
}

/// Reads what `ingest` was given. A string is a path when something is there, or it has the look of one;
/// otherwise it is a text.
pub(crate) fn source<'py>(value: &Bound<'py, PyAny>, key: Option<&str>) -> PyResult<Source<'py>> {
    let py = value.py();
    if value.is_instance_of::<PyString>() {
        let string = text(value, "a text")?;
        if is_there(&string) {
            return Ok(Source::Path(string.into()));
        }
        if key.is_none() && looks_like_a_path(&string) {
            let message = format!("there is no file at {string}; give a text a key, if it is one");
            return Err(exception(py, "NotFound", message));
        }
        return Ok(Source::Document(Box::new(of_text(string, key))));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        let Some(key) = key else {
            return Err(input(
                py,
                "bytes need a key; its ending says what they are, as in key=\"page.html\"",
            ));
        };
        return Ok(Source::Document(Box::new(of_bytes(py, key, bytes.as_bytes())?)));
    }
    if value.hasattr("__fspath__")? {
        let path = path_of(value)?;
        if !path.exists() {
            return Err(exception(py, "NotFound", format!("there is no file at {}", path.display())));
        }
        return Ok(Source::Path(path));
    }
    if is_record(value) {
        return Ok(Source::Document(Box::new(record(value)?)));
    }
    if value.try_iter().is_ok() {
        return Ok(Source::Many(value.clone()));
    }
    let message = format!("cannot ingest {}; give a path, a text, or many of them", type_name(value));
    Err(input_type(py, message))
}

/// Reads an item of many: a path to one file, a text, or a record.
pub(crate) fn item(value: &Bound<'_, PyAny>, metadata: &Metadata) -> PyResult<Document> {
    let py = value.py();
    let document = if value.is_instance_of::<PyTuple>() {
        pair(value)?
    } else {
        match source(value, None)? {
            Source::Document(document) => *document,
            Source::Path(path) => file(py, &path, None)?,
            Source::Many(_) => {
                let name = type_name(value);
                return Err(input_type(py, format!("cannot ingest {name} as one of many documents")));
            }
        }
    };
    Ok(with_metadata(document, metadata))
}

/// The document of a file, under another key if one is given.
pub(crate) fn file(py: Python<'_>, path: &Path, key: Option<&str>) -> PyResult<Document> {
    let mut read = Document::from_path(path).map_err(|error| library(py, &error))?;
    if let Some(key) = key {
        read.key = key.to_owned();
    }
    Ok(read)
}

/// The same document with these fields too, but for those that it has.
pub(crate) fn with_metadata(mut document: Document, metadata: &Metadata) -> Document {
    for (field, value) in metadata {
        document.metadata.entry(field.clone()).or_insert_with(|| value.clone());
    }
    document
}

fn of_text(string: String, key: Option<&str>) -> Document {
    let key = key.map_or_else(
        || {
            let hash = blake3::hash(string.as_bytes()).to_hex();
            format!("text-{}", &hash[..KEY_DIGITS])
        },
        str::to_owned,
    );
    match FileKind::of(Path::new(&key)) {
        Some(FileKind::Document(Kind::Markdown)) => Document::markdown(key, string),
        _ => Document::new(key, string),
    }
}

fn of_bytes(py: Python<'_>, key: &str, bytes: &[u8]) -> PyResult<Document> {
    let kind = match FileKind::of(Path::new(key)) {
        Some(FileKind::Document(kind)) => kind,
        _ => Kind::Plain,
    };
    Document::from_bytes(key, bytes, kind).map_err(|error| library(py, &error))
}

fn is_there(string: &str) -> bool {
    let may_be = !string.is_empty() && string.len() <= LONGEST_PATH_BYTES && !string.contains(['\n', '\0']);
    may_be && Path::new(string).exists()
}

/// True for one word with an ending that is known, or with a separator of folders.
fn looks_like_a_path(string: &str) -> bool {
    let is_word =
        !string.is_empty() && string.len() <= LONGEST_PATH_BYTES && !string.contains(char::is_whitespace);
    is_word && (string.contains(std::path::MAIN_SEPARATOR) || FileKind::of(Path::new(string)).is_some())
}

fn is_record(value: &Bound<'_, PyAny>) -> bool {
    value.cast::<PyMapping>().is_ok()
}

/// A dictionary with `text`, `key` or `id`, and, if it has them, `title` and `metadata`.
fn record(value: &Bound<'_, PyAny>) -> PyResult<Document> {
    let py = value.py();
    let fields = PyDict::new(py);
    fields.update(value.cast::<PyMapping>()?)?;
    let take = |name: &str| -> PyResult<Option<String>> {
        let found = fields.get_item(name)?.filter(|value| !value.is_none());
        found.map(|value| text(&value, &format!("\"{name}\" of a document"))).transpose()
    };
    let known = ["key", "id", "text", "title", "metadata"];
    for name in fields.keys() {
        let name = text(&name, "a field of a document")?;
        if !known.contains(&name.as_str()) {
            let message = format!("a document has the field \"{name}\"; put it into \"metadata\"");
            return Err(input(py, message));
        }
    }
    let Some(body) = take("text")? else {
        return Err(input(py, "a document has no \"text\""));
    };
    let key = match take("key")? {
        Some(key) => Some(key),
        None => take("id")?,
    };
    let document = of_text(body, key.as_deref());
    let document = match take("title")? {
        Some(title) => document.with_title(title),
        None => document,
    };
    let metadata = metadata_of(fields.get_item("metadata")?.as_ref())?;
    Ok(with_metadata(document, &metadata))
}

/// A tuple of key and text, or of key, text and metadata.
fn pair(value: &Bound<'_, PyAny>) -> PyResult<Document> {
    let tuple = value.cast::<PyTuple>()?;
    if !(2..=3).contains(&tuple.len()) {
        let message = format!(
            "a tuple of {} values is no document; give (key, text) or (key, text, metadata)",
            tuple.len()
        );
        return Err(input(value.py(), message));
    }
    let key = text(&tuple.get_item(0)?, "a key")?;
    let document = of_text(text(&tuple.get_item(1)?, "a text")?, Some(&key));
    let metadata = metadata_of(tuple.get_item(2).ok().as_ref())?;
    Ok(with_metadata(document, &metadata))
}
