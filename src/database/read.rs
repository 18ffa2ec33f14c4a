#[cfg(feature = "encoder")]
use std::io::Write;
#[cfg(feature = "encoder")]
use std::path::Path;

use std::ops::Range;

use postil_contract::{Places, Spot};
use postil_storage::{
    Document as StoredDocument, DocumentWrite, Filter, Hit, Passage as StoredPassage, SearchOptions,
};

use super::ReadOnlyDatabase;
use crate::Error;
#[cfg(feature = "encoder")]
use crate::exchange::{self, ExportOptions, Exported};
#[cfg(feature = "encoder")]
use crate::{RetrieveOptions, Retrieved, Watch, retrieve};

impl ReadOnlyDatabase {
    /// The document with this key, without its text.
    ///
    /// # Errors
    /// [`Error::Storage`] when it cannot be read.
    pub fn get(&self, key: &str) -> Result<Option<StoredDocument>, Error> {
        Ok(self.state().document(key)?)
    }

    /// The text of the document with this key.
    ///
    /// # Errors
    /// [`Error::Storage`] when it cannot be read.
    pub fn text(&self, key: &str) -> Result<Option<String>, Error> {
        Ok(self.state().text(key)?)
    }

    /// The passages of the document with this key, in order; `None` when there is no such document.
    ///
    /// # Errors
    /// [`Error::Storage`] when they cannot be read.
    pub fn passages(&self, key: &str) -> Result<Option<Vec<StoredPassage>>, Error> {
        Ok(self.state().passages(key)?)
    }

    /// The document with this key as it was written, with its text, passages and stored vectors (of
    /// unit length under cosine), ready for another commit; `None` when there is no such document.
    ///
    /// # Errors
    /// [`Error::Storage`] when it cannot be read.
    pub fn written(&self, key: &str) -> Result<Option<DocumentWrite>, Error> {
        Ok(self.state().written(key)?)
    }

    /// The text of one page, from 1, or of one slide; `None` when there is no such document, or no
    /// text on that page.
    ///
    /// # Errors
    /// [`Error::Storage`] when it cannot be read.
    pub fn page(&self, key: &str, page: u32) -> Result<Option<String>, Error> {
        let (Some(passages), Some(text)) = (self.passages(key)?, self.text(key)?) else { return Ok(None) };
        let mut parts: Vec<Range<usize>> = Vec::new();
        for passage in passages {
            let (start, end) = (passage.range.start as usize, passage.range.end as usize);
            // Places that only a newer build can read are as none.
            let places = Places::from_bytes(&passage.places).unwrap_or_default();
            for (index, (at, spot)) in places.spots().iter().enumerate() {
                let is_on = match spot {
                    Spot::Line { page: on, .. } | Spot::Slide(on) => *on == page,
                    _ => false,
                };
                let stop = places.spots().get(index + 1).map_or(end, |(next, _)| start + next);
                if is_on && start + at < stop.min(end) {
                    parts.push(start + at..stop.min(end));
                }
            }
        }
        parts.sort_by_key(|part| part.start);
        let (mut shown, mut last) = (String::new(), None);
        for part in parts {
            // Passages overlap by a sentence, and text between two of them is blank.
            let from = last.map_or(part.start, |end: usize| {
                let between = text.get(end..part.start).unwrap_or_default();
                if between.trim().is_empty() { end } else { end.max(part.start) }
            });
            if from < part.end {
                shown.push_str(text.get(from..part.end).unwrap_or_default());
                last = Some(part.end);
            }
        }
        Ok((!shown.is_empty()).then_some(shown))
    }

    /// All documents in the order of their keys, without their texts.
    pub fn documents(&self) -> impl Iterator<Item = Result<StoredDocument, Error>> + '_ {
        self.state().documents().map(|document| document.map_err(Error::from))
    }

    /// Number of documents that pass `filter`; of all documents when it is `None`.
    ///
    /// # Errors
    /// [`Error::Storage`] when the documents cannot be read.
    pub fn count(&self, filter: Option<&Filter>) -> Result<u64, Error> {
        let Some(filter) = filter else { return Ok(self.stat()?.documents) };
        self.documents_where(filter)?.try_fold(0, |count, document| document.map(|_| count + 1))
    }

    /// Documents that pass `filter`, in the order of their keys, without their texts.
    ///
    /// # Errors
    /// [`Error::Storage`] when the filter compares with a value that no field can be compared with.
    pub fn documents_where<'a>(
        &'a self,
        filter: &'a Filter,
    ) -> Result<impl Iterator<Item = Result<StoredDocument, Error>> + 'a, Error> {
        Ok(self.state().documents_where(filter)?.map(|document| document.map_err(Error::from)))
    }

    /// The rows nearest to `query`, `[dimension]`, best first, with exact scores.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let options = postil::Database::options().vectors(2, postil::Metric::Cosine);
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// # let row = |key: &str, vector| postil::Row { key: key.into(), vector, metadata: Default::default() };
    /// use postil::SearchOptions;
    /// db.upsert([row("east", vec![1.0, 0.0]), row("north", vec![0.0, 1.0])])?;
    /// let hits = db.search_vector(&[0.9, 0.1], &SearchOptions::new(1))?;
    /// assert_eq!(hits[0].key, "east");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Storage`] for a wrong dimension, a component that is not finite, k = 0, or a zero
    /// vector under cosine.
    pub fn search_vector(&self, query: &[f32], options: &SearchOptions) -> Result<Vec<Hit>, Error> {
        Ok(self.state().search(query, options)?)
    }

    /// Searches for each of many queries, `[queries, dimension]` row-major, on all cores; returns the
    /// results in their order, each as [`search_vector`](Self::search_vector) gives it.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let options = postil::Database::options().vectors(2, postil::Metric::Cosine);
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// # let row = |key: &str, vector| postil::Row { key: key.into(), vector, metadata: Default::default() };
    /// use postil::SearchOptions;
    /// db.upsert([row("east", vec![1.0, 0.0]), row("north", vec![0.0, 1.0])])?;
    /// let found = db.search_vectors(&[0.1, 0.9, 0.9, 0.1], &SearchOptions::new(1))?;
    /// assert_eq!((&*found[0][0].key, &*found[1][0].key), ("north", "east"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`search_vector`](Self::search_vector), for the first query that fails; [`Error::Storage`]
    /// for a length that is no multiple of the dimension.
    pub fn search_vectors(&self, queries: &[f32], options: &SearchOptions) -> Result<Vec<Vec<Hit>>, Error> {
        Ok(self.state().search_all(queries, options)?)
    }
}

#[cfg(feature = "encoder")]
impl ReadOnlyDatabase {
    /// The passages nearest in meaning to `query`, best first, with exact scores. Rows with equal
    /// text are separate hits; [`retrieve`](Self::retrieve) merges them.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let options = postil::Database::options().encoder(encoder).generator_named("quote");
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// # db.ingest(postil::Document::new("travel.txt", "Trains are booked by the front desk."))?;
    /// use postil::SearchOptions;
    /// let hits = db.search("Who books trains?", &SearchOptions::new(10))?;
    /// assert_eq!(hits[0].key, "travel.txt");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::EmptyQuestion`], [`Error::QuestionTooLong`]; [`Error::Encode`] when the question is
    /// longer than the model reads; otherwise as [`search_vector`](Self::search_vector) and
    /// [`encoder`](Self::encoder).
    pub fn search(&self, query: &str, options: &SearchOptions) -> Result<Vec<Hit>, Error> {
        self.search_vector(&retrieve::question_vector(self, query)?, options)
    }

    /// The passages that answer a question best, best first: of those nearest in meaning, each with
    /// its exact similarity, the ones that also have its words. Equal passages are merged into one
    /// hit that lists all their places.
    ///
    /// Returns fewer than `k` where there are no more, or where the nearest 32,768 rows hold fewer
    /// different passages.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let options = postil::Database::options().encoder(encoder).generator_named("quote");
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// # db.ingest(postil::Document::new("travel.txt", "Trains are booked by the front desk."))?;
    /// use postil::RetrieveOptions;
    /// let found = db.retrieve("Who books trains?", &RetrieveOptions::new(10))?;
    /// assert!(found[0].relevance > found[0].hit.score);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`RetrieveOptions::check`] and [`search`](Self::search).
    pub fn retrieve(&self, question: &str, options: &RetrieveOptions) -> Result<Vec<Retrieved>, Error> {
        retrieve::retrieve(self, question, options)
    }

    /// Writes all documents, with their vectors, to `target`, which must not exist, in a format
    /// that other programs read: see [`exchange`](crate::exchange). The same content gives the same
    /// bytes. Each document is complete and of one version; documents written or removed meanwhile
    /// may be included or not.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let options = postil::Database::options().encoder(encoder).generator_named("quote");
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// # db.ingest(postil::Document::new("travel.txt", "Trains are booked by the front desk."))?;
    /// use postil::Watch;
    /// use postil::exchange::ExportOptions;
    /// let exported = db.export(home.path().join("exported"), &ExportOptions::new(), &Watch::default())?;
    /// assert_eq!(exported.documents, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Read`] when a file cannot be written, [`Error::Exchange`] when the format cannot be
    /// written, [`Error::Storage`] when a document cannot be read.
    pub fn export(
        &self,
        target: impl AsRef<Path>,
        options: &ExportOptions,
        watch: &Watch<'_>,
    ) -> Result<Exported, Error> {
        exchange::export(self, target, options, watch)
    }

    /// Writes all documents, with their vectors, to `out`: one self-contained line for each, which
    /// [`import_lines`](crate::Database::import_lines) reads back; see [`exchange`](crate::exchange).
    /// Otherwise as [`export`](Self::export); [`ExportOptions::format`] is ignored. The lines have
    /// no end mark, so a truncated copy goes unnoticed: to keep an export, a folder or a Parquet
    /// file is safer.
    ///
    /// # Errors
    /// [`Error::Read`] when `out` cannot be written, [`Error::Storage`] when a document cannot be
    /// read.
    pub fn export_lines(
        &self,
        out: impl Write,
        options: &ExportOptions,
        watch: &Watch<'_>,
    ) -> Result<Exported, Error> {
        exchange::export_lines(self, out, options, watch)
    }
}
