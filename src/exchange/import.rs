//! Import: documents as they were written, with their vectors if these are of the same encoder.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use postil_contract::Passage;
use postil_storage::{Batch, DocumentWrite};

use super::description::Description;
use super::source::{BYTES, BYTES_PER_TEXT_BYTE, Entry, Source};
use super::{Found, Lines, folder, wrong};
use crate::ingest::{Ingested, Skipped};
use crate::{Database, Error, Options, Progress, Watch};

/// The description of the database that the export at `path` is from; `None` when the export has
/// none.
fn describe(path: &Path) -> Result<Option<Description>, Error> {
    match Found::at(path) {
        Found::Folder => Description::read(path).map(Some),
        Found::Lines => Ok(Lines::open(path)?.into_description()),
        #[cfg(feature = "parquet")]
        Found::Parquet => super::parquet::description(path).map(Some),
        #[cfg(not(feature = "parquet"))]
        Found::Parquet => Err(Error::NoParquet { path: path.to_owned() }),
    }
}

impl Options {
    /// Creates a new database with the encoder, dimension and metric of the exported one. Lines
    /// without a description change nothing.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Exchange`] when `source` is no complete export.
    pub fn exported(self, source: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(self.described(describe(source.as_ref())?.as_ref()))
    }

    /// As [`exported`](Self::exported), for lines that are not read twice.
    pub fn exported_lines(self, lines: &Lines) -> Self {
        self.described(lines.description())
    }

    fn described(mut self, description: Option<&Description>) -> Self {
        if let Some(description) = description {
            self.profile = Some(description.profile.clone());
        }
        self
    }
}

/// Reads an export; see [`Database::import`].
pub(crate) fn import(db: &Database, source: impl AsRef<Path>, watch: &Watch<'_>) -> Result<Ingested, Error> {
    let path = source.as_ref();
    let found = Found::at(path);
    if matches!(found, Found::Lines) {
        return import_lines(db, Lines::open(path)?, watch);
    }
    let takes_vectors = takes_vectors(db, path, describe(path)?.as_ref())?;
    let max_bytes = db.max_document_bytes().saturating_mul(BYTES_PER_TEXT_BYTE).saturating_add(BYTES);
    #[cfg(feature = "parquet")]
    if matches!(found, Found::Parquet) {
        let source = Box::new(super::parquet::Reader::open(path, max_bytes)?);
        return import_from(db, path, source, takes_vectors, watch);
    }
    let dimension = takes_vectors.then_some(db.profile().dimension);
    let source = Box::new(folder::Reader::open(path, max_bytes, dimension)?);
    import_from(db, path, source, takes_vectors, watch)
}

/// Reads lines; see [`Database::import_lines`].
pub(crate) fn import_lines(db: &Database, lines: Lines, watch: &Watch<'_>) -> Result<Ingested, Error> {
    let path = lines.path().to_owned();
    let takes_vectors = takes_vectors(db, &path, lines.description())?;
    import_from(db, &path, Box::new(lines), takes_vectors, watch)
}

/// True when vectors of the described database fit this one. Otherwise opens the encoder, so that a
/// missing one fails now and not midway.
fn takes_vectors(db: &Database, path: &Path, description: Option<&Description>) -> Result<bool, Error> {
    let ours = db.profile();
    let same = description.is_some_and(|Description { profile: theirs, vectors, .. }| {
        let of = |profile: &postil_storage::Profile| (profile.dimension, profile.metric);
        *vectors && of(theirs) == of(ours) && theirs.fingerprint == ours.fingerprint
    });
    if !same {
        db.encoder_or_near(path)?;
    }
    Ok(same)
}

fn import_from(
    db: &Database,
    path: &Path,
    source: Box<dyn Source>,
    takes_vectors: bool,
    watch: &Watch<'_>,
) -> Result<Ingested, Error> {
    let progress = Progress { total_bytes: source.total_bytes(), ..Progress::default() };
    let mut import = Import {
        db,
        path: path.to_owned(),
        source,
        takes_vectors,
        seen: HashSet::new(),
        batch: Batch::new(),
        progress,
        watch: *watch,
        report: Ingested::default(),
    };
    import.documents()?;
    import.commit()?;
    let report = import.report;
    // The import may have added documents of files.
    *db.known.lock() = None;
    Ok(report)
}

/// An import in progress.
struct Import<'a> {
    db: &'a Database,
    path: PathBuf,
    source: Box<dyn Source>,
    /// True when its vectors are of this database's encoder.
    takes_vectors: bool,
    /// Keys that were imported already.
    seen: HashSet<String>,
    batch: Batch,
    progress: Progress,
    watch: Watch<'a>,
    report: Ingested,
}

impl Import<'_> {
    fn documents(&mut self) -> Result<(), Error> {
        loop {
            if self.watch.is_cancelled() {
                self.report.interrupted = true;
                return Ok(());
            }
            let Some(Entry { place, bytes, document }) = self.source.next()? else { return Ok(()) };
            self.progress.read_bytes += bytes;
            self.progress.documents_read += 1;
            let document = document.map_err(|what| wrong(&self.path, format!("{place}: {what}")));
            match document.and_then(|document| self.document(document, &place)) {
                Ok(Some(document)) => self.add(document)?,
                Ok(None) => {
                    self.report.unchanged += 1;
                    self.progress.documents_unchanged += 1;
                }
                Err(error @ Error::Storage(_)) => return Err(error),
                Err(error) => {
                    let source = format!("{}, {place}", self.path.display());
                    self.report.skipped.push(Skipped { source, error, kept: false });
                }
            }
            self.watch.report(&self.progress);
        }
    }

    /// The document as it will be stored; `None` when the database has it already.
    fn document(&mut self, mut document: DocumentWrite, place: &str) -> Result<Option<DocumentWrite>, Error> {
        if !self.seen.insert(document.key.clone()) {
            return Err(Error::RepeatedKey { key: document.key });
        }
        // Bare vectors have no hash: only their writer knows whether they changed.
        let has_hash = document.content_hash != [0; 32];
        let stored = self.db.store().document(&document.key)?;
        if has_hash && stored.is_some_and(|stored| stored.content_hash == document.content_hash) {
            return Ok(None);
        }
        if !(self.takes_vectors && self.source.vectors(&mut document)?) {
            self.embed(&mut document, place)?;
        }
        let prepared = self.db.store().prepared(document);
        prepared.map(Some).map_err(|error| wrong(&self.path, format!("{place}: {error}")))
    }

    fn embed(&mut self, document: &mut DocumentWrite, place: &str) -> Result<(), Error> {
        let mut passages = Vec::with_capacity(document.passages.len());
        for passage in &document.passages {
            let text = passage.text(&document.text);
            let text =
                text.ok_or_else(|| wrong(&self.path, format!("{place}: a passage is no range of the text")))?;
            passages.push((&passage.heading, text));
        }
        let passages: Vec<_> =
            passages.iter().map(|(heading, text)| Passage { title: heading, text }).collect();
        let embeddings = self.db.encoder()?.encode_passages(&passages)?;
        if embeddings.len() != passages.len() {
            return Err(Error::VectorCount { got: embeddings.len(), expected: passages.len() });
        }
        self.progress.passages_embedded += passages.len() as u64;
        for (passage, vector) in document.passages.iter_mut().zip(embeddings.rows()) {
            passage.vector = vector.to_vec();
        }
        Ok(())
    }

    fn add(&mut self, document: DocumentWrite) -> Result<(), Error> {
        self.batch.upsert(document);
        if self.batch.is_full() { self.commit() } else { Ok(()) }
    }

    fn commit(&mut self) -> Result<(), Error> {
        let committed = self.db.store().commit(std::mem::take(&mut self.batch))?;
        self.report.added += committed.added as u64;
        self.report.replaced += committed.replaced as u64;
        self.report.passages += committed.passages as u64;
        self.progress.documents_committed += (committed.added + committed.replaced) as u64;
        self.progress.passages_committed += committed.passages as u64;
        Ok(())
    }
}
