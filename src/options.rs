use std::path::Path;
#[cfg(feature = "encoder")]
use std::sync::Arc;

use postil_storage::{Metric, Precision, Profile, Store, StoreOptions};

use crate::{Database, Error, ReadOnlyDatabase};

/// Default limit of a question: 64 KiB, more than any encoder reads at once.
#[cfg(feature = "encoder")]
pub const DEFAULT_MAX_QUESTION_BYTES: usize = 64 * 1024;

/// Options of opening a database, made by [`Database::options`].
#[derive(Clone, Default)]
#[must_use]
pub struct Options {
    pub(crate) bare: Option<(usize, Metric)>,
    pub(crate) precision: Option<Precision>,
    pub(crate) must_exist: bool,
    /// The profile of a new database; `None` when the other options decide it.
    pub(crate) profile: Option<Profile>,
    pub(crate) store: StoreOptions,
    #[cfg(feature = "encoder")]
    pub(crate) encoder: Option<Arc<dyn postil_contract::Encoder>>,
    #[cfg(feature = "encoder")]
    pub(crate) model: Option<String>,
    #[cfg(feature = "encoder")]
    pub(crate) max_question_bytes: Option<usize>,
    #[cfg(feature = "encoder")]
    pub(crate) chunking: Option<crate::chunk::ChunkOptions>,
    #[cfg(feature = "generator")]
    pub(crate) generator: Option<Arc<dyn postil_contract::Generator>>,
    #[cfg(feature = "generator")]
    pub(crate) generator_name: Option<String>,
}

impl Options {
    /// Creates a database of bare vectors, `(key, vector, metadata)`, if it does not exist.
    pub fn vectors(mut self, dimension: usize, metric: Metric) -> Self {
        self.bare = Some((dimension, metric));
        self
    }

    /// Sets the precision in which a new database keeps vectors; an existing one with another is
    /// refused. Default [`Precision::Full`].
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = Some(precision);
        self
    }

    /// Refuses to create a database where there is none. The default is to create it.
    pub fn must_exist(mut self, must_exist: bool) -> Self {
        self.must_exist = must_exist;
        self
    }

    /// Sets the options of the store: sizes, limits, graph.
    pub fn store(mut self, options: StoreOptions) -> Self {
        self.store = options;
        self
    }

    /// Sets the encoder; by default the one the database was made with is opened from the model
    /// folder.
    #[cfg(feature = "encoder")]
    pub fn encoder(mut self, encoder: Arc<dyn postil_contract::Encoder>) -> Self {
        self.encoder = Some(encoder);
        self
    }

    /// Sets the name or folder of the model that a new database is made with, as
    /// [`open_model`](crate::open_model) takes it; [`DEFAULT_MODEL`](crate::DEFAULT_MODEL) if not
    /// given. An existing database made with another is refused.
    #[cfg(feature = "encoder")]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// Sets the longest question or query, in bytes: a longer one is refused before its tokens are
    /// counted. [`DEFAULT_MAX_QUESTION_BYTES`] if not given.
    #[cfg(feature = "encoder")]
    pub fn max_question_bytes(mut self, bytes: usize) -> Self {
        self.max_question_bytes = Some(bytes);
        self
    }

    /// Sets how a new database splits documents; an existing one with other options is refused.
    #[cfg(feature = "encoder")]
    pub fn chunking(mut self, options: crate::chunk::ChunkOptions) -> Self {
        self.chunking = Some(options);
        self
    }

    /// Sets the generator that answers questions; by default the named one is opened.
    ///
    /// ```no_run
    /// use postil::{Database, LanguageGenerator};
    /// let model = LanguageGenerator::open("models/qwen2".as_ref())?
    ///     .with_instruction("Answer in one word, from this passage.\n{passage}\n{question}")?
    ///     .with_window(2_048)
    ///     .with_answer_room(16)
    ///     .with_stop_strings(["\n".to_owned()]);
    /// let options = Database::options().generator(std::sync::Arc::new(model));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "generator")]
    pub fn generator(mut self, generator: Arc<dyn postil_contract::Generator>) -> Self {
        self.generator = Some(generator);
        self
    }

    /// Sets the name or path of the generator, opened at first use by
    /// [`open_generator`](crate::open_generator); [`DEFAULT_GENERATOR`](crate::DEFAULT_GENERATOR)
    /// if not given.
    #[cfg(feature = "generator")]
    pub fn generator_named(mut self, name: impl Into<String>) -> Self {
        self.generator_name = Some(name.into());
        self
    }

    /// Opens the database at `path`, a folder; creates it unless [`Options::must_exist`].
    ///
    /// # Errors
    /// [`Error::Storage`] when the path is something else, in use, damaged, or its folder is not
    /// writable; [`Error::EncoderMismatch`] when it was made with another encoder,
    /// [`Error::Chunking`] when it splits documents with other options, [`Error::Precision`] when
    /// it keeps vectors in another precision; [`Error::NothingToCreateWith`] when a new one gets
    /// neither an encoder nor a dimension.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Database, Error> {
        Database::open_with(path.as_ref(), &self)
    }

    /// Opens the existing database at `path` for reading only, in its present state. Like
    /// [`open`](Self::open), it keeps other openers out. In a folder where nothing may be written,
    /// not a byte is changed.
    ///
    /// # Errors
    /// As [`Options::open`]; [`Error::Storage`] also when reading is not permitted, or there is no
    /// room for a temporary copy of changed documents.
    pub fn open_read_only(self, path: impl AsRef<Path>) -> Result<ReadOnlyDatabase, Error> {
        let path = path.as_ref();
        ReadOnlyDatabase::over(Store::open_read_only(path, self.store.clone())?, path, &self)
    }

    /// Opens the last [published](Database::publish) state of the database at `path` for reading
    /// only, whether or not it is open elsewhere. It shows that state until
    /// [`ReadOnlyDatabase::refresh`].
    ///
    /// # Errors
    /// [`Error::Storage`] when nothing was published yet; otherwise as [`Options::open`].
    pub fn open_published(self, path: impl AsRef<Path>) -> Result<ReadOnlyDatabase, Error> {
        let path = path.as_ref();
        ReadOnlyDatabase::over(Store::open_published(path, self.store.clone())?, path, &self)
    }
}
