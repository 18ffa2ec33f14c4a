//! Ingesting what Python gives.

use std::path::PathBuf;

use parking_lot::Mutex;
use postil::ingest::{IngestOptions, Input};
use postil::{Cancel, Database, Document, Metadata};
use pyo3::prelude::*;

use crate::call::long;
use crate::errors::{Failure, input};
use crate::progress::Told;
use crate::reports::Ingested;
use crate::sources::{Source, file, item, source, with_metadata};

/// Ingests `value`; see [`crate::database::Database`].
pub(crate) fn ingest(
    py: Python<'_>,
    database: &Database,
    value: &Bound<'_, PyAny>,
    key: Option<&str>,
    metadata: &Metadata,
    told: &Told,
) -> Result<Ingested, Failure> {
    match source(value, key)? {
        Source::Path(path) if path.is_dir() || is_records(&path) => {
            if key.is_some() || !metadata.is_empty() {
                let what = "a folder or a file of records has documents with keys and metadata of their own";
                return Err(input(py, format!("{what}: ingest it without key and metadata")).into());
            }
            paths(py, database, path, told)
        }
        Source::Path(path) if key.is_none() && metadata.is_empty() => paths(py, database, path, told),
        Source::Path(path) => one(py, database, with_metadata(file(py, &path, key)?, metadata), told),
        Source::Document(document) => one(py, database, with_metadata(*document, metadata), told),
        Source::Many(_) if key.is_some() => {
            Err(input(py, "one key for many documents: give each its own, as in (key, text)").into())
        }
        Source::Many(items) => many(py, database, &items, metadata, told),
    }
}

fn is_records(path: &std::path::Path) -> bool {
    matches!(postil::extract::FileKind::of(path), Some(postil::extract::FileKind::Records))
}

fn paths(py: Python<'_>, database: &Database, path: PathBuf, told: &Told) -> Result<Ingested, Failure> {
    let input = Input::Paths(vec![path]);
    long(py, |cancel| {
        told.watch(cancel, |watch| {
            Ok(Ingested(database.ingest_from(&input, &IngestOptions::new(), watch)?))
        })
    })
}

/// Ingests one document; the error of one that is refused is raised.
fn one(py: Python<'_>, database: &Database, document: Document, told: &Told) -> Result<Ingested, Failure> {
    long(py, |cancel| {
        told.watch(cancel, |watch| {
            let mut report = database.ingest_all([document], watch)?;
            match report.skipped.pop() {
                Some(skipped) if report.removed == 0 => Err(skipped.error.into()),
                _ => Ok(Ingested(report)),
            }
        })
    })
}

fn many(
    py: Python<'_>,
    database: &Database,
    items: &Bound<'_, PyAny>,
    metadata: &Metadata,
    told: &Told,
) -> Result<Ingested, Failure> {
    let iterator = items.try_iter()?.into_any().unbind();
    let raised = Mutex::new(None);
    let result = long(py, |cancel| {
        let documents = Given { iterator, metadata, raised: &raised, cancel };
        told.watch(cancel, |watch| Ok(Ingested(database.ingest_all(documents, watch)?)))
    });
    match raised.into_inner() {
        Some(raised) => Err(Failure::Python(raised)),
        None => result,
    }
}

/// The documents that a Python iterator gives, until it raises.
struct Given<'a> {
    iterator: Py<PyAny>,
    metadata: &'a Metadata,
    raised: &'a Mutex<Option<PyErr>>,
    cancel: &'a Cancel,
}

impl Iterator for Given<'_> {
    type Item = Document;

    fn next(&mut self) -> Option<Document> {
        if self.cancel.is_cancelled() {
            return None;
        }
        let next = Python::attach(|py| {
            let mut iterator = self.iterator.bind(py).try_iter()?;
            iterator.next().map(|value| item(&value?, self.metadata)).transpose()
        });
        next.unwrap_or_else(|error| {
            self.cancel.cancel();
            *self.raised.lock() = Some(error);
            None
        })
    }
}
