use std::path::Path;
#[cfg(feature = "encoder")]
use std::sync::Arc;

use postil_storage::{Metric, Precision, Profile, StoreOptions};

use crate::{Database, Error};

/// 64 KiB: no encoder reads as much in one question.
#[cfg(feature = "encoder")]
pub const DEFAULT_MAX_QUESTION_BYTES: usize = 64 * 1024;

/// How a database is opened; [`Database::options`] starts one.
#[derive(Clone, Default)]
#[must_use]
pub struct Options {
    pub(crate) bare: Option<(usize, Metric)>,
    pub(crate) precision: Option<Precision>,
    pub(crate) must_exist: bool,
    pub(crate) read_only: bool,
    pub(crate) to_read: bool,
    /// What a new database records, where that is known.
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
    /// Creates a database of bare vectors, `(key, vector, metadata)`, if there is none yet.
    pub fn vectors(mut self, dimension: usize, metric: Metric) -> Self {
        self.bare = Some((dimension, metric));
        self
    }

    /// How exactly a new database keeps vectors; an existing one is refused if it was made otherwise.
    /// [`Precision::Full`] if not given.
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = Some(precision);
        self
    }

    /// Refuses to create a database where there is none. The default is to create it.
    pub fn must_exist(mut self, must_exist: bool) -> Self {
        self.must_exist = must_exist;
        self
    }

    /// Tuning of the store: sizes, limits, graph.
    pub fn store(mut self, options: StoreOptions) -> Self {
        self.store = options;
        self
    }

    /// The encoder to use; by default the one the database was made with, from the model folder.
    #[cfg(feature = "encoder")]
    pub fn encoder(mut self, encoder: Arc<dyn postil_contract::Encoder>) -> Self {
        self.encoder = Some(encoder);
        self
    }

    /// Name or folder of the model a new database is made with; [`DEFAULT_MODEL`](crate::DEFAULT_MODEL) if not
    /// given. An existing one is refused if it was made with another.
    #[cfg(feature = "encoder")]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// The longest question or query, in bytes: a longer one is refused before its tokens are counted.
    /// [`DEFAULT_MAX_QUESTION_BYTES`] if not given.
    #[cfg(feature = "encoder")]
    pub fn max_question_bytes(mut self, bytes: usize) -> Self {
        self.max_question_bytes = Some(bytes);
        self
    }

    /// How documents are split, for a new database; an existing one is refused if it was made otherwise.
    #[cfg(feature = "encoder")]
    pub fn chunking(mut self, options: crate::chunk::ChunkOptions) -> Self {
        self.chunking = Some(options);
        self
    }

    /// What answers questions; by default the one named.
    #[cfg(feature = "generator")]
    pub fn generator(mut self, generator: Arc<dyn postil_contract::Generator>) -> Self {
        self.generator = Some(generator);
        self
    }

    /// Name or path of what answers questions, opened at first use by
    /// [`open_generator`](crate::open_generator); [`DEFAULT_GENERATOR`](crate::DEFAULT_GENERATOR) if not given.
    #[cfg(feature = "generator")]
    pub fn generator_named(mut self, name: impl Into<String>) -> Self {
        self.generator_name = Some(name.into());
        self
    }

    /// Opens the database at `path`, which must exist, to be read: as [`open`](Self::open) where it may be written. In a
    /// place that may only be read it shows what is there now, without changing a byte in its folder, and writing gives
    /// [`StorageError::ReadOnly`](crate::StorageError::ReadOnly).
    ///
    /// # Errors
    /// As [`Options::open`]; [`Error::Storage`] also when not even reading is permitted, or there is no place for a
    /// temporary copy of what changed of the documents.
    pub fn open_to_read(mut self, path: impl AsRef<Path>) -> Result<Database, Error> {
        self.to_read = true;
        self.open(path)
    }

    /// Opens the database at `path`, a folder; creates it unless [`Options::must_exist`].
    ///
    /// # Errors
    /// [`Error::Storage`] when the path is something else, in use, damaged, or in a place that may not be written;
    /// [`Error::EncoderMismatch`] when it was made with another encoder than the one given, [`Error::Chunking`]
    /// when it splits documents in another way, [`Error::Precision`] when it keeps vectors in another way;
    /// [`Error::NothingToCreateWith`] when a new one is to be bare but has no dimension.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Database, Error> {
        Database::open_with(path.as_ref(), &self)
    }

    /// Opens what was last [published](Database::publish) of the database at `path`, to be read only, whether it is open
    /// elsewhere or not. It stays as it was published until [`Database::refresh`]; writing gives
    /// [`StorageError::ReadOnly`](crate::StorageError::ReadOnly).
    ///
    /// # Errors
    /// [`Error::Storage`] when nothing was published yet; otherwise as [`Options::open`].
    pub fn open_read_only(mut self, path: impl AsRef<Path>) -> Result<Database, Error> {
        self.read_only = true;
        self.open(path)
    }
}
