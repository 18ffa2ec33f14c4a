use std::path::{Path, PathBuf};
#[cfg(feature = "encoder")]
use std::sync::Arc;

use postil_storage::{
    Batch, Damage, Document as StoredDocument, DocumentWrite, Filter, Metadata, Profile, Recall,
    SearchOptions, Stat, Store,
};

use crate::{Error, Options, Watch};

/// A database: documents or bare vectors in one folder, written by one process at a time, read by any
/// ([`Database::open_read_only`]).
///
/// All methods take `&self` and may be called from many threads; reads do not wait for writes.
pub struct Database {
    path: PathBuf,
    store: Store,
    #[cfg(feature = "encoder")]
    max_document_bytes: usize,
    #[cfg(feature = "encoder")]
    pub(crate) max_question_bytes: usize,
    #[cfg(feature = "encoder")]
    chunking: crate::chunk::ChunkOptions,
    /// Documents by their file, once one that was read from a file is ingested by itself.
    #[cfg(feature = "encoder")]
    pub(crate) known: parking_lot::Mutex<Option<crate::ingest::Known>>,
    #[cfg(feature = "encoder")]
    encoder: parking_lot::Mutex<Option<Arc<dyn postil_contract::Encoder>>>,
    #[cfg(feature = "generator")]
    generator: parking_lot::Mutex<Option<Arc<dyn postil_contract::Generator>>>,
    #[cfg(feature = "generator")]
    generator_name: String,
}

/// A bare vector with its key and fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Unique in the database.
    pub key: String,
    /// `[dimension]`; need not be normalized.
    pub vector: Vec<f32>,
    /// Fields that filters can name.
    pub metadata: Metadata,
}

impl Database {
    /// Opens the database at `path`, or creates it for the default encoder (with default features).
    ///
    /// # Errors
    /// As [`Options::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::options().open(path)
    }

    /// Options to open a database with.
    pub fn options() -> Options {
        Options::default()
    }

    pub(crate) fn open_with(path: &Path, options: &Options) -> Result<Self, Error> {
        let store = if options.read_only {
            Store::open_read_only(path, options.store.clone())?
        } else if options.to_read {
            Store::open_to_read(path, options.store.clone())?
        } else if options.must_exist || path.exists() && Store::is_database(path) {
            Store::open(path, options.store.clone())?
        } else {
            Self::create(path, options)?
        };
        let recorded = store.profile().precision;
        if let Some(given) = options.precision.filter(|&given| given != recorded) {
            return Err(Error::Precision { recorded, given });
        }
        let db = Self {
            path: path.to_path_buf(),
            #[cfg(feature = "encoder")]
            max_document_bytes: options.store.max_text_bytes,
            #[cfg(feature = "encoder")]
            max_question_bytes: options
                .max_question_bytes
                .unwrap_or(crate::options::DEFAULT_MAX_QUESTION_BYTES),
            #[cfg(feature = "encoder")]
            chunking: crate::encoding::chunking(store.profile(), options.chunking.clone())?,
            store,
            #[cfg(feature = "encoder")]
            known: parking_lot::Mutex::default(),
            #[cfg(feature = "encoder")]
            encoder: parking_lot::Mutex::default(),
            #[cfg(feature = "generator")]
            generator: parking_lot::Mutex::new(options.generator.clone()),
            #[cfg(feature = "generator")]
            generator_name: options.generator_name.as_deref().unwrap_or(crate::DEFAULT_GENERATOR).to_owned(),
        };
        #[cfg(feature = "encoder")]
        if let (None, Some(model)) = (&options.encoder, &options.model) {
            let encoder = crate::open_model(model)?;
            crate::encoding::check(db.store.profile(), encoder.profile())?;
            *db.encoder.lock() = Some(encoder);
        }
        #[cfg(feature = "encoder")]
        if let Some(encoder) = &options.encoder {
            crate::encoding::check(db.store.profile(), encoder.profile())?;
            *db.encoder.lock() = Some(Arc::clone(encoder));
        }
        Ok(db)
    }

    fn create(path: &Path, options: &Options) -> Result<Store, Error> {
        let mut profile = match (&options.profile, options.bare) {
            (Some(profile), _) => profile.clone(),
            (None, Some((dimension, metric))) => Profile::new(dimension, metric),
            #[cfg(feature = "encoder")]
            (None, None) => crate::encoding::profile(options)?,
            #[cfg(not(feature = "encoder"))]
            (None, None) => return Err(Error::NothingToCreateWith { path: path.into() }),
        };
        profile.precision = options.precision.unwrap_or(profile.precision);
        Ok(Store::create(path, profile, options.store.clone())?)
    }

    /// The folder it lives in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it was made with: dimension, metric, encoder.
    pub fn profile(&self) -> &Profile {
        self.store.profile()
    }

    /// The store beneath, for what has no method here.
    pub fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Adds bare vectors, or replaces those with the same keys; all or none, durable when it returns.
    ///
    /// # Errors
    /// [`Error::Storage`] for a wrong dimension, a component that is not finite, a zero vector under
    /// cosine, or a key that comes twice.
    pub fn upsert(&self, rows: impl IntoIterator<Item = Row>) -> Result<postil_storage::Committed, Error> {
        let mut batch = Batch::new();
        for Row { key, vector, metadata } in rows {
            batch.upsert(DocumentWrite::row(key, vector, metadata));
        }
        Ok(self.store.commit(batch)?)
    }

    /// The document with this key, without its text.
    ///
    /// # Errors
    /// [`Error::Storage`] when it cannot be read.
    pub fn get(&self, key: &str) -> Result<Option<StoredDocument>, Error> {
        Ok(self.store.document(key)?)
    }

    /// The text of the document with this key.
    ///
    /// # Errors
    /// [`Error::Storage`] when it cannot be read.
    pub fn text(&self, key: &str) -> Result<Option<String>, Error> {
        Ok(self.store.text(key)?)
    }

    /// Removes documents; returns how many there were. All or none, durable when it returns.
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

    /// All documents in the order of their keys, without their texts.
    pub fn documents(&self) -> impl Iterator<Item = Result<StoredDocument, Error>> + '_ {
        self.store.documents().map(|document| document.map_err(Error::from))
    }

    /// How many documents pass `filter`; all of them without one.
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
    /// [`Error::Storage`] when the filter compares with what no field compares with.
    pub fn documents_where<'a>(
        &'a self,
        filter: &'a Filter,
    ) -> Result<impl Iterator<Item = Result<StoredDocument, Error>> + 'a, Error> {
        Ok(self.store.documents_where(filter)?.map(|document| document.map_err(Error::from)))
    }

    /// Removes the documents that pass `filter`; returns how many there were. All or none of those that passed when
    /// they were read, durable when it returns.
    ///
    /// # Errors
    /// [`Error::Storage`] when they cannot be read or the commit fails; nothing is removed then.
    pub fn remove_where(&self, filter: &Filter) -> Result<usize, Error> {
        let keys = self.documents_where(filter)?.map(|document| document.map(|document| document.key));
        self.remove(keys.collect::<Result<Vec<_>, _>>()?)
    }

    /// Sizes and counts.
    ///
    /// # Errors
    /// [`Error::Storage`] when the folder cannot be read.
    pub fn stat(&self) -> Result<Stat, Error> {
        Ok(self.store.stat()?)
    }

    /// Writes everything anew without what was removed, and waits for it; see [`Store::compact`].
    ///
    /// # Errors
    /// [`Error::Storage`] when it failed; nothing is lost then. [`Error::Cancelled`] before it has begun; once it has, it
    /// runs to its end.
    pub fn compact(&self, watch: &Watch<'_>) -> Result<(), Error> {
        watch.begin()?;
        Ok(self.store.compact()?)
    }

    /// Verifies every checksum and reference, and lists what does not hold; empty when all does. See [`Store::check`].
    ///
    /// # Errors
    /// [`Error::Storage`] when something cannot be read for another reason than damage. [`Error::Cancelled`] before it has
    /// begun; once it has, it runs to its end.
    pub fn check(&self, watch: &Watch<'_>) -> Result<Vec<Damage>, Error> {
        watch.begin()?;
        Ok(self.store.check()?)
    }

    /// Measures how much searches with these options find of what a look at every row finds; `None` where there are no
    /// rows. See [`Store::measure_recall`].
    ///
    /// # Errors
    /// As [`check`](Self::check), and as [`Database::search_vector`].
    pub fn measure_recall(
        &self,
        options: &SearchOptions,
        watch: &Watch<'_>,
    ) -> Result<Option<Recall>, Error> {
        watch.begin()?;
        Ok(self.store.measure_recall(options)?)
    }

    /// Finishes background work that is due and closes; dropping closes too, but leaves that work for
    /// next time. Nothing committed depends on either.
    ///
    /// # Errors
    /// [`Error::Storage`] when the background work failed.
    pub fn close(self) -> Result<(), Error> {
        Ok(self.store.close()?)
    }
}

#[cfg(feature = "encoder")]
impl Database {
    /// How documents are split.
    pub fn chunking(&self) -> &crate::chunk::ChunkOptions {
        &self.chunking
    }

    /// Largest document, in bytes of text.
    pub(crate) fn max_document_bytes(&self) -> u64 {
        self.max_document_bytes as u64
    }

    /// The encoder, opened at first use.
    ///
    /// # Errors
    /// [`Error::NoEncoder`] for a database of bare vectors, [`Error::EncoderNotFound`] when the encoder is neither where it
    /// was, nor near the database, nor installed.
    pub fn encoder(&self) -> Result<Arc<dyn postil_contract::Encoder>, Error> {
        let mut slot = self.encoder.lock();
        if let Some(encoder) = &*slot {
            return Ok(Arc::clone(encoder));
        }
        let encoder = crate::encoding::open(self.store.profile(), &self.path)?;
        *slot = Some(Arc::clone(&encoder));
        Ok(encoder)
    }

    /// The same, looked for near `place` too.
    pub(crate) fn encoder_or_near(&self, place: &Path) -> Result<Arc<dyn postil_contract::Encoder>, Error> {
        self.encoder().or_else(|error| match error {
            Error::EncoderNotFound { .. } => {
                let found = crate::encoding::open(self.store.profile(), place).map_err(|_| error)?;
                *self.encoder.lock() = Some(Arc::clone(&found));
                Ok(found)
            }
            error => Err(error),
        })
    }
}

#[cfg(feature = "generator")]
impl Database {
    /// What answers questions, opened at first use.
    ///
    /// # Errors
    /// As [`Database::encoder`] and [`open_generator`](crate::open_generator).
    pub fn generator(&self) -> Result<Arc<dyn postil_contract::Generator>, Error> {
        let encoder = self.encoder()?;
        let mut slot = self.generator.lock();
        if let Some(generator) = &*slot {
            return Ok(Arc::clone(generator));
        }
        let generator = crate::open_generator(&self.generator_name, &encoder)?;
        *slot = Some(Arc::clone(&generator));
        Ok(generator)
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("path", &self.path)
            .field("profile", self.profile())
            .finish_non_exhaustive()
    }
}
