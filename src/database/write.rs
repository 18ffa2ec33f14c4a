#[cfg(feature = "encoder")]
use std::path::Path;

use postil_storage::{Batch, Committed, DocumentWrite, Filter};

use super::{Database, Row};
use crate::Error;
#[cfg(feature = "encoder")]
use crate::exchange::{self, Lines};
#[cfg(feature = "encoder")]
use crate::ingest::{self, IngestOptions, Ingested, Input};
#[cfg(feature = "encoder")]
use crate::{Document, Watch};

impl Database {
    /// Adds bare vectors, or replaces those with the same keys; all or none, durable when it
    /// returns.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let options = postil::Database::options().vectors(2, postil::Metric::Cosine);
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// use postil::{Metadata, Row};
    /// let row = |key: &str, vector| Row { key: key.to_owned(), vector, metadata: Metadata::new() };
    /// let committed = db.upsert([row("east", vec![1.0, 0.0]), row("north", vec![0.0, 1.0])])?;
    /// assert_eq!(committed.added, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Storage`] for a wrong dimension, a component that is not finite, a zero vector
    /// under cosine, or a key that comes twice.
    pub fn upsert(&self, rows: impl IntoIterator<Item = Row>) -> Result<Committed, Error> {
        let mut batch = Batch::new();
        for Row { key, vector, metadata } in rows {
            batch.upsert(DocumentWrite::row(key, vector, metadata));
        }
        Ok(self.store.commit(batch)?)
    }

    /// Removes documents; returns the number removed. All or none, durable when it returns.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let options = postil::Database::options().vectors(2, postil::Metric::Cosine);
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// # let row = |key: &str, vector| postil::Row { key: key.into(), vector, metadata: Default::default() };
    /// db.upsert([row("east", vec![1.0, 0.0])])?;
    /// assert_eq!(db.remove(["east", "west"])?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Storage`] when the commit fails; nothing is removed then.
    pub fn remove<K: Into<String>>(&self, keys: impl IntoIterator<Item = K>) -> Result<usize, Error> {
        let mut batch = Batch::new();
        for key in keys {
            batch.remove(key);
        }
        Ok(self.store.commit(batch)?.removed)
    }

    /// Removes the documents that pass `filter`; returns the number removed. All or none of those
    /// that passed when they were read, durable when it returns.
    ///
    /// # Errors
    /// [`Error::Storage`] when they cannot be read or the commit fails; nothing is removed then.
    pub fn remove_where(&self, filter: &Filter) -> Result<usize, Error> {
        let keys = self.documents_where(filter)?.map(|document| document.map(|document| document.key));
        self.remove(keys.collect::<Result<Vec<_>, _>>()?)
    }
}

#[cfg(feature = "encoder")]
impl Database {
    /// Adds a document, or replaces the one with its key; does nothing when the stored one is the
    /// same. Durable when it returns.
    ///
    /// A file whose text is now empty ([`Document::from_path`]) removes its document, counted in
    /// [`Ingested::removed`]; any other document without text is refused, and the stored one under
    /// its key is kept.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let options = postil::Database::options().encoder(encoder).generator_named("quote");
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// use postil::Document;
    /// let document = Document::new("travel.txt", "Trains are booked by the front desk.");
    /// assert_eq!(db.ingest(document.clone())?.added, 1);
    /// assert_eq!(db.ingest(document)?.unchanged, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::EmptyDocument`], [`Error::NoEncoder`], and any error of the encoder or the store;
    /// the database is unchanged then.
    pub fn ingest(&self, document: Document) -> Result<Ingested, Error> {
        let mut report = self.ingest_all([document], &Watch::default())?;
        // The document of an emptied file was removed: that is success, not a refusal.
        if report.removed > 0 {
            return Ok(report);
        }
        match report.skipped.pop() {
            Some(skipped) => Err(skipped.error),
            None => Ok(report),
        }
    }

    /// Adds or replaces many documents, embedding and committing them in batches. When cancelled,
    /// commits what is embedded and returns.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let options = postil::Database::options().encoder(encoder).generator_named("quote");
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// use postil::{Document, Watch};
    /// let documents = ["one", "two"].map(|key| Document::new(key, format!("Document {key} says hello.")));
    /// assert_eq!(db.ingest_all(documents, &Watch::default())?.added, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Database::ingest`], for errors that stop the whole ingest; a single document that
    /// cannot be ingested is reported in [`Ingested::skipped`].
    pub fn ingest_all<I>(&self, documents: I, watch: &Watch<'_>) -> Result<Ingested, Error>
    where
        I: IntoIterator<Item = Document>,
        I::IntoIter: Send,
    {
        ingest::all(self, documents, watch)
    }

    /// Adds or replaces documents from files, folders or standard input.
    ///
    /// The present content of a file decides: after it was read to its end, documents that it held
    /// before and holds no more are removed. A file that cannot be read keeps its documents.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let options = postil::Database::options().encoder(encoder).generator_named("quote");
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// use postil::Watch;
    /// use postil::ingest::{IngestOptions, Input};
    /// # let docs = home.path().join("docs");
    /// # std::fs::create_dir(&docs)?;
    /// # std::fs::write(docs.join("travel.txt"), "Trains are booked by the front desk.")?;
    /// let input = Input::Paths(vec![docs]);
    /// let ingested = db.ingest_from(&input, &IngestOptions::new().prune(true), &Watch::default())?;
    /// assert_eq!((ingested.added, ingested.skipped.len()), (1, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Database::ingest_all`].
    pub fn ingest_from(
        &self,
        input: &Input,
        options: &IngestOptions,
        watch: &Watch<'_>,
    ) -> Result<Ingested, Error> {
        ingest::from(self, input, options, watch)
    }

    /// Adds the documents of an export, or replaces those of the same keys; unchanged documents are
    /// left alone. Vectors are imported when encoder, dimension and metric are those of this
    /// database; otherwise passages are embedded. A document that cannot be stored is skipped and
    /// named; the others are durable when this returns.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let options = postil::Database::options().encoder(encoder).generator_named("quote");
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// # db.ingest(postil::Document::new("travel.txt", "Trains are booked by the front desk."))?;
    /// use postil::Watch;
    /// use postil::exchange::ExportOptions;
    /// db.export(home.path().join("exported"), &ExportOptions::new(), &Watch::default())?;
    /// let imported = db.import(home.path().join("exported"), &Watch::default())?;
    /// assert_eq!(imported.unchanged, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Exchange`] when `source`, a folder, a Parquet file or one of
    /// lines, is no complete export, [`Error::Storage`], and as
    /// [`encoder`](crate::ReadOnlyDatabase::encoder) when passages have to be embedded.
    pub fn import(&self, source: impl AsRef<Path>, watch: &Watch<'_>) -> Result<Ingested, Error> {
        exchange::import(self, source, watch)
    }

    /// As [`import`](Self::import), of lines as
    /// [`export_lines`](crate::ReadOnlyDatabase::export_lines) writes them. When the first line does
    /// not describe their database, passages are embedded.
    ///
    /// # Errors
    /// As [`import`](Self::import).
    pub fn import_lines(&self, lines: Lines, watch: &Watch<'_>) -> Result<Ingested, Error> {
        exchange::import_lines(self, lines, watch)
    }
}
