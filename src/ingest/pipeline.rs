//! Read and chunk, embed, commit: a thread for each stage, with bounded queues between them.
//!
//! A stage that ends, for whatever reason, closes its queues, and its neighbours end in turn: the
//! stages stop each other in no other way.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use postil_contract::{Encoder, Passage};
use postil_storage::{Batch, DocumentWrite};

use super::mend::{Moved, remove, write_moved};
use super::prepare::{Prepared, content_hash};
use super::settle::{Files, Settled};
use super::source::Item;
use super::{Ingested, Merged, Skipped, Unread};
use crate::origin::PATH_FIELD;
use crate::{Database, Document, Error, Progress, Watch};

/// Passages handed to the encoder at once: enough to sort by length and fill every core.
const ENCODE_PASSAGES: usize = 256;
/// Longest time that embedded documents wait for a commit while more arrive.
const COMMIT_AFTER: Duration = Duration::from_secs(2);
/// Capacity of the queue from reading to embedding, in documents.
const PREPARED_QUEUE: usize = 64;
/// Capacity of the queue from embedding to committing, in batches.
const EMBEDDED_QUEUE: usize = 4;

/// Progress shared by the stages.
struct Meter<'a> {
    progress: Mutex<Progress>,
    watch: &'a Watch<'a>,
}

impl Meter<'_> {
    fn update(&self, change: impl FnOnce(&mut Progress)) {
        let mut progress = self.progress.lock();
        change(&mut progress);
        self.watch.report(&progress);
    }
}

/// Results of the reading stage.
#[derive(Default)]
pub(super) struct Read {
    /// Keys of all documents read, including unchanged ones and those without text.
    pub(super) seen: HashSet<String>,
    /// Sources that could not be read: index in `skipped`, and place; `None` when that is unknown.
    pub(super) unread: Vec<(usize, Option<PathBuf>)>,
    unchanged: u64,
    skipped: Vec<Skipped>,
    /// Parts of documents that could not be read.
    parts: Vec<Unread>,
    fields_left_out: BTreeMap<String, u64>,
    removals: Vec<String>,
    merged: Vec<Merged>,
    moved: Vec<Moved>,
}

/// Runs the three stages until `items` end.
pub(super) fn run(
    db: &Database,
    items: impl Iterator<Item = Item> + Send,
    files: &Files<'_>,
    total_bytes: Option<u64>,
    watch: &Watch<'_>,
) -> Result<(Ingested, Read), Error> {
    let encoder = db.encoder()?;
    let encoder = &*encoder;
    let meter = Meter { progress: Mutex::new(Progress { total_bytes, ..Progress::default() }), watch };
    let meter = &meter;

    let (read, report) = std::thread::scope(|scope| {
        let (to_encode, prepared) = bounded(PREPARED_QUEUE);
        let (to_commit, embedded) = bounded(EMBEDDED_QUEUE);
        let reader = scope.spawn(move || read(db, encoder, items, files, meter, &to_encode));
        scope.spawn(move || embed(encoder, &prepared, meter, &to_commit));
        let report = commit(db, &embedded, meter);
        drop(embedded);
        (reader.join(), report)
    });
    let mut read = match read {
        Ok(read) => read?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let mut report = report?;
    report.unchanged = read.unchanged;
    report.skipped = std::mem::take(&mut read.skipped);
    report.unread = std::mem::take(&mut read.parts);
    report.fields_left_out = std::mem::take(&mut read.fields_left_out);
    report.interrupted = watch.is_cancelled();
    report.merged = std::mem::take(&mut read.merged);
    // A record may have reused the key.
    report.merged.retain(|merged| !read.seen.contains(&merged.removed));
    read.removals.extend(report.merged.iter().map(|merged| merged.removed.clone()));
    report.removed = remove(db, std::mem::take(&mut read.removals))?;
    write_moved(db, &read.moved)?;
    Ok((report, read))
}

fn read(
    db: &Database,
    encoder: &dyn Encoder,
    items: impl Iterator<Item = Item>,
    files: &Files<'_>,
    meter: &Meter<'_>,
    to_encode: &Sender<Prepared>,
) -> Result<Read, Error> {
    let mut report = Read::default();
    for Item { source, document, bytes, may_be_empty, place, fields_left_out } in items {
        if meter.watch.is_cancelled() {
            break;
        }
        for field in fields_left_out {
            *report.fields_left_out.entry(field.to_owned()).or_default() += 1;
        }
        if let Ok(document) = &document
            && !document.unread.is_empty()
        {
            report.parts.push(Unread { source: source.clone(), parts: document.unread.clone() });
        }
        let was_read = document.is_ok();
        let mut is_stored = false;
        let step =
            document.and_then(|document| prepare(db, encoder, document, files, &mut report, &mut is_stored));
        let unchanged = matches!(step, Ok(None));
        meter.update(|progress| {
            progress.read_bytes += bytes;
            progress.documents_read += 1;
            progress.documents_unchanged += u64::from(unchanged);
        });
        match step {
            Ok(None) => report.unchanged += 1,
            Ok(Some(prepared)) => {
                if to_encode.send(prepared).is_err() {
                    break;
                }
            }
            Err(Error::EmptyDocument { key }) if may_be_empty => {
                if is_stored {
                    report.removals.push(key.clone());
                }
                let error = Error::EmptyDocument { key };
                report.skipped.push(Skipped { source, error, kept: false });
            }
            Err(error @ Error::Storage(_)) if !is_about_one_document(&error) => return Err(error),
            Err(error) => {
                if !was_read {
                    report.unread.push((report.skipped.len(), place));
                }
                let kept = is_stored && !matches!(error, Error::RepeatedKey { .. });
                report.skipped.push(Skipped { source, error, kept });
            }
        }
    }
    Ok(report)
}

/// Prepares a document to be embedded; `None` when it is stored unchanged. Sets `is_stored` when it
/// is stored at all.
fn prepare(
    db: &Database,
    encoder: &dyn Encoder,
    mut document: Document,
    files: &Files<'_>,
    report: &mut Read,
    is_stored: &mut bool,
) -> Result<Option<Prepared>, Error> {
    let max_bytes = db.max_document_bytes();
    if let Some(origin) =
        document.origin.as_ref().filter(|origin| origin.is_whole && origin.bytes > max_bytes)
    {
        let (path, got_bytes) = (origin.place.clone(), origin.bytes);
        return Err(Error::FileTooLarge { path, got_bytes, max_bytes });
    }
    let Settled { stored, duplicates } = files.settle(&mut document, &report.seen)?;
    *is_stored = stored.is_some();
    if !report.seen.insert(document.key.clone()) {
        return Err(Error::RepeatedKey { key: document.key });
    }
    report.merged.extend(duplicates);
    let hash = content_hash(&document, db.chunking());
    if let Some(stored) = &stored {
        if stored.content_hash == hash && stored.metadata.get(PATH_FIELD) == document.metadata.get(PATH_FIELD)
        {
            return Ok(None);
        }
        if let Some(moved) = Moved::of(&mut document, stored, hash, db.chunking()) {
            report.moved.push(moved);
            return Ok(None);
        }
    }
    let prepared = Prepared::new(document, hash, encoder, db.chunking())?;
    // A document that the store would refuse must not fail the whole batch.
    db.store().admits(&prepared.extent())?;
    Ok(Some(prepared))
}

/// True when the store refused this document rather than failed.
fn is_about_one_document(error: &Error) -> bool {
    use postil_storage::StorageError as Cause;
    matches!(
        error,
        Error::Storage(
            Cause::Key { .. } | Cause::TextTooLong { .. } | Cause::TooMuch { .. } | Cause::Metadata { .. }
        )
    )
}

/// Writes ready to commit, or the error that ended embedding.
type Embedded = Result<Vec<DocumentWrite>, Error>;

fn embed(
    encoder: &dyn Encoder,
    prepared: &Receiver<Prepared>,
    meter: &Meter<'_>,
    to_commit: &Sender<Embedded>,
) {
    let mut pending: Vec<Prepared> = Vec::new();
    let mut passages = 0;
    loop {
        let next = prepared.recv();
        let ended = next.is_err();
        if let Ok(document) = next {
            passages += document.len();
            pending.push(document);
        }
        if meter.watch.is_cancelled() {
            return;
        }
        if passages >= ENCODE_PASSAGES || (ended && passages > 0) {
            let result = embed_documents(encoder, std::mem::take(&mut pending), meter);
            passages = 0;
            let failed = result.is_err();
            if to_commit.send(result).is_err() || failed {
                return;
            }
        }
        if ended {
            return;
        }
    }
}

fn embed_documents(encoder: &dyn Encoder, documents: Vec<Prepared>, meter: &Meter<'_>) -> Embedded {
    let dimension = encoder.profile().dimension;
    let passages: Vec<Passage<'_>> = documents.iter().flat_map(Prepared::passages).collect();
    let mut vectors: Vec<Vec<f32>> = Vec::with_capacity(passages.len());
    for batch in passages.chunks(ENCODE_PASSAGES) {
        let embeddings = encoder.encode_passages(batch)?;
        if embeddings.len() != batch.len() || embeddings.dimension() != dimension {
            return Err(Error::VectorCount { got: embeddings.len(), expected: batch.len() });
        }
        vectors.extend(embeddings.rows().map(<[f32]>::to_vec));
        meter.update(|progress| {
            progress.passages_embedded += batch.len() as u64;
            progress.embedded_bytes += batch.iter().map(|passage| passage.text.len() as u64).sum::<u64>();
        });
    }
    drop(passages);
    let mut vectors = vectors.into_iter();
    Ok(documents.into_iter().map(|document| document.into_write(&mut vectors)).collect())
}

fn commit(db: &Database, embedded: &Receiver<Embedded>, meter: &Meter<'_>) -> Result<Ingested, Error> {
    let mut report = Ingested::default();
    let mut waiting = Batch::new();
    let mut since = Instant::now();
    let mut flush = |waiting: &mut Batch| -> Result<(), Error> {
        if waiting.is_empty() {
            return Ok(());
        }
        let committed = db.store().commit(std::mem::take(waiting))?;
        report.added += committed.added as u64;
        report.replaced += committed.replaced as u64;
        report.passages += committed.passages as u64;
        meter.update(|progress| {
            progress.documents_committed += (committed.added + committed.replaced) as u64;
            progress.passages_committed += committed.passages as u64;
        });
        Ok(())
    };
    for writes in embedded {
        match writes {
            Ok(writes) => writes.into_iter().for_each(|write| waiting.upsert(write)),
            Err(error) => {
                // Documents embedded before the failure are complete: keep them.
                flush(&mut waiting)?;
                return Err(error);
            }
        }
        if waiting.is_full() || since.elapsed() >= COMMIT_AFTER {
            flush(&mut waiting)?;
            since = Instant::now();
        }
    }
    flush(&mut waiting)?;
    Ok(report)
}
