use std::path::Path;
#[cfg(feature = "encoder")]
use std::sync::Arc;

use postil_storage::{Profile, Store};

use super::Database;
use crate::{Error, Options};

impl Database {
    /// Opens the database at `path`, or creates it for the default encoder (with default features).
    ///
    /// # Errors
    /// As [`Options::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::options().open(path)
    }

    /// Opens the last published state for reading only; see [`Options::open_read_only`].
    ///
    /// # Errors
    /// As [`Options::open_read_only`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::options().open_read_only(path)
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

    /// Finishes background work that is due and closes; dropping closes too, but leaves that work
    /// for next time. Nothing committed depends on either.
    ///
    /// # Errors
    /// [`Error::Storage`] when the background work failed.
    pub fn close(self) -> Result<(), Error> {
        Ok(self.store.close()?)
    }
}

#[cfg(feature = "encoder")]
impl Database {
    /// The options that documents are split with.
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
    /// [`Error::NoEncoder`] for a database of bare vectors, [`Error::EncoderNotFound`] when the
    /// encoder is neither where it was, nor near the database, nor installed.
    pub fn encoder(&self) -> Result<Arc<dyn postil_contract::Encoder>, Error> {
        let mut slot = self.encoder.lock();
        if let Some(encoder) = &*slot {
            return Ok(Arc::clone(encoder));
        }
        let encoder = crate::encoding::open(self.store.profile(), &self.path)?;
        *slot = Some(Arc::clone(&encoder));
        Ok(encoder)
    }

    /// The encoder as [`encoder`](Self::encoder) finds it, or else near `place`.
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
    /// The generator that answers questions, opened at first use.
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
