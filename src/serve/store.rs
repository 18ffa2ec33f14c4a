use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use postil_server::{Failure, Form, Incoming, Json, Progress as Counts, Removed};
use serde::Serialize;

use super::form::{failed, json};
use crate::extract::{FileKind, Kind, Record, jsonl};
use crate::ingest::{Ingested, Skipped};
use crate::{Cancel, Database, Document, Error, Progress, ReadOnlyDatabase, Watch};

#[derive(Serialize)]
struct Compacted {
    bytes_before: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Published {
    generation: u64,
}

/// Counts progress where the server reads it, and cancels when it says so.
fn watched<T>(counts: &Arc<Counts>, work: impl FnOnce(&Watch<'_>) -> Result<T, Error>) -> Result<T, Failure> {
    let cancel = Cancel::default();
    let show = |progress: &Progress| {
        counts.documents_read.store(progress.documents_read, Ordering::Relaxed);
        counts.documents_committed.store(progress.documents_committed, Ordering::Relaxed);
        counts.passages_embedded.store(progress.passages_embedded, Ordering::Relaxed);
        if counts.is_cancelled.load(Ordering::Relaxed) {
            cancel.cancel();
        }
    };
    work(&Watch::new().progress(&show).cancel(&cancel)).map_err(failed)
}

pub(super) fn ingest(db: &Database, incoming: Vec<Incoming>, counts: &Arc<Counts>) -> Result<Json, Failure> {
    let (mut documents, mut refused) = (Vec::new(), Vec::new());
    for incoming in incoming {
        let key = incoming.key.clone();
        if let Err(error) = read(incoming, &mut documents, &mut refused) {
            refused.push(Skipped { source: key, error, kept: false });
        }
    }
    let mut report: Ingested = watched(counts, |watch| db.ingest_all(documents, watch))?;
    for mut skipped in refused {
        skipped.kept = db.get(&skipped.source).map_err(failed)?.is_some();
        report.skipped.push(skipped);
    }
    json(&report)
}

/// The documents of a file that came in.
fn read(incoming: Incoming, documents: &mut Vec<Document>, refused: &mut Vec<Skipped>) -> Result<(), Error> {
    let Incoming { key, bytes, form, title, metadata } = incoming;
    let kind = match form {
        Some(Form::Plain) => FileKind::Document(Kind::Plain),
        Some(Form::Markdown) => FileKind::Document(Kind::Markdown),
        Some(Form::Html) => FileKind::Document(Kind::Html),
        Some(Form::Records) => FileKind::Records,
        None => FileKind::of(Path::new(&key)).unwrap_or(FileKind::Document(Kind::Plain)),
    };
    let kind = match kind {
        FileKind::Document(kind) => kind,
        FileKind::Records => {
            for record in jsonl(bytes.as_slice()) {
                match record {
                    Ok(Record { id, text, title, metadata, .. }) => {
                        let mut document = Document::new(id, text).with_title(title.unwrap_or_default());
                        document.metadata = metadata;
                        documents.push(document);
                    }
                    Err(source) => {
                        let error = Error::Record { file: key.clone(), source };
                        refused.push(Skipped { source: key.clone(), error, kept: false });
                    }
                }
            }
            return Ok(());
        }
    };
    let mut document = Document::from_bytes(key, &bytes, kind)?;
    if let Some(title) = title {
        document.title = title;
    }
    if let Some(metadata) = metadata {
        let key = &document.key;
        document.metadata = crate::json::read_object(metadata.get())
            .map_err(|error| Error::Metadata { key: key.clone(), what: error.to_string() })?;
    }
    documents.push(document);
    Ok(())
}

pub(super) fn remove(db: &Database, keys: &[String]) -> Result<Removed, Failure> {
    let mut absent = Vec::new();
    for key in keys {
        if db.get(key).map_err(failed)?.is_none() {
            absent.push(key.clone());
        }
    }
    let removed = db.remove(keys.iter().cloned()).map_err(failed)?;
    Ok(Removed { removed, absent })
}

pub(super) fn compact(db: &Database, counts: &Arc<Counts>) -> Result<Json, Failure> {
    let bytes_before = db.stat().map_err(failed)?.disk_bytes;
    watched(counts, |watch| db.compact(watch))?;
    json(&Compacted { bytes_before, bytes: db.stat().map_err(failed)?.disk_bytes })
}

pub(super) fn publish(db: &Database) -> Result<Json, Failure> {
    db.publish().map_err(failed)?;
    json(&Published { generation: db.stat().map_err(failed)?.generation })
}

pub(super) fn backup(db: &ReadOnlyDatabase, to: &Path, counts: &Arc<Counts>) -> Result<Json, Failure> {
    json(&watched(counts, |watch| db.backup(to, watch))?)
}
