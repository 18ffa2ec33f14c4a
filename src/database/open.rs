use std::path::Path;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use postil_storage::{Profile, Store};

use super::{Database, ReadOnlyDatabase};
use crate::{Error, Options};

impl Database {
    /// Opens the database at `path`, or creates it for the default encoder (with default features).
    ///
    /// # Errors
    /// As [`Options::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::options().open(path)
    }

    /// Opens the present state for reading only; see [`Options::open_read_only`].
    ///
    /// # Errors
    /// As [`Options::open_read_only`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<ReadOnlyDatabase, Error> {
        Self::options().open_read_only(path)
    }

    /// Opens the last published state for reading only; see [`Options::open_published`].
    ///
    /// # Errors
    /// As [`Options::open_published`].
    pub fn open_published(path: impl AsRef<Path>) -> Result<ReadOnlyDatabase, Error> {
        Self::options().open_published(path)
    }

    /// Options to open a database with.
    pub fn options() -> Options {
        Options::default()
    }

    pub(crate) fn open_with(path: &Path, options: &Options) -> Result<Self, Error> {
        let store = if options.must_exist || path.exists() && Store::is_database(path) {
            Store::open(path, options.store.clone())?
        } else {
            create(path, options)?
        };
        let readable = ReadOnlyDatabase::over(store, path, options)?;
        Ok(Self {
            store: readable.state(),
            readable,
            #[cfg(feature = "encoder")]
            max_document_bytes: options.store.max_text_bytes,
            #[cfg(feature = "encoder")]
            known: Mutex::default(),
        })
    }

    /// Finishes background work that is due and closes; dropping closes too, but leaves that work
    /// for next time. Nothing committed depends on either.
    ///
    /// # Errors
    /// [`Error::Storage`] when the background work failed.
    pub fn close(self) -> Result<(), Error> {
        self.finish()
    }

    /// Finishes background work that is due: what [`close`](Self::close) does, for a database that
    /// is shared and closes when the last owner drops it.
    ///
    /// # Errors
    /// As [`close`](Self::close).
    pub fn finish(&self) -> Result<(), Error> {
        Ok(self.store.finish()?)
    }

    /// Largest document, in bytes of text.
    #[cfg(feature = "encoder")]
    pub(crate) fn max_document_bytes(&self) -> u64 {
        self.max_document_bytes as u64
    }
}

impl ReadOnlyDatabase {
    /// Makes a database of an open store, once the options are found to agree with what it records.
    pub(crate) fn over(store: Store, path: &Path, options: &Options) -> Result<Self, Error> {
        let profile = store.profile().clone();
        let recorded = profile.precision;
        if let Some(given) = options.precision.filter(|&given| given != recorded) {
            return Err(Error::Precision { recorded, given });
        }
        Ok(Self {
            path: path.to_path_buf(),
            #[cfg(feature = "encoder")]
            max_question_bytes: options
                .max_question_bytes
                .unwrap_or(crate::options::DEFAULT_MAX_QUESTION_BYTES),
            #[cfg(feature = "encoder")]
            chunking: crate::encoding::chunking(&profile, options.chunking.clone())?,
            #[cfg(feature = "encoder")]
            encoder: Mutex::new(given_encoder(&profile, options)?),
            #[cfg(feature = "generator")]
            generator: Mutex::new(options.generator.clone()),
            #[cfg(feature = "generator")]
            generator_name: options.generator_name.as_deref().unwrap_or(crate::DEFAULT_GENERATOR).to_owned(),
            #[cfg(feature = "generator")]
            second: Mutex::default(),
            profile,
            store: RwLock::new(Arc::new(store)),
            refreshing: Mutex::default(),
        })
    }
}

/// The encoder that the options give; `None` when they give none. Another one than the recorded one
/// is refused.
#[cfg(feature = "encoder")]
fn given_encoder(
    recorded: &Profile,
    options: &Options,
) -> Result<Option<Arc<dyn postil_contract::Encoder>>, Error> {
    let given = match (&options.encoder, &options.model) {
        (Some(encoder), _) => Arc::clone(encoder),
        (None, Some(model)) => crate::open_model(model)?,
        (None, None) => return Ok(None),
    };
    crate::encoding::check(recorded, given.profile())?;
    Ok(Some(given))
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
