use std::path::Path;
use std::sync::Arc;

use super::ReadOnlyDatabase;
use crate::Error;

impl ReadOnlyDatabase {
    /// The options that documents are split with.
    pub fn chunking(&self) -> &crate::chunk::ChunkOptions {
        &self.chunking
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
        let encoder = crate::encoding::open(&self.profile, &self.path)?;
        *slot = Some(Arc::clone(&encoder));
        Ok(encoder)
    }

    /// The encoder as [`encoder`](Self::encoder) finds it, or else near `place`.
    pub(crate) fn encoder_or_near(&self, place: &Path) -> Result<Arc<dyn postil_contract::Encoder>, Error> {
        self.encoder().or_else(|error| match error {
            Error::EncoderNotFound { .. } => {
                let found = crate::encoding::open(&self.profile, place).map_err(|_| error)?;
                *self.encoder.lock() = Some(Arc::clone(&found));
                Ok(found)
            }
            error => Err(error),
        })
    }
}

#[cfg(feature = "generator")]
impl ReadOnlyDatabase {
    /// The generator that answers questions, opened at first use; for [`AUTO`](crate::AUTO) the one
    /// that is asked first.
    ///
    /// # Errors
    /// As [`ReadOnlyDatabase::encoder`] and [`open_generator`](crate::open_generator).
    pub fn generator(&self) -> Result<Arc<dyn postil_contract::Generator>, Error> {
        let encoder = self.encoder()?;
        let mut slot = self.generator.lock();
        if let Some(generator) = &*slot {
            return Ok(Arc::clone(generator));
        }
        let name = if self.has_second() { crate::DEFAULT_GENERATOR } else { self.generator_name.as_str() };
        let generator = crate::open_generator(name, &encoder)?;
        crate::warm::use_kept(&self.path, &*generator)?;
        *slot = Some(Arc::clone(&generator));
        Ok(generator)
    }

    /// Name of the generator that is asked first, opened or not.
    pub(crate) fn first_name(&self) -> String {
        match &*self.generator.lock() {
            Some(generator) => generator.name().to_owned(),
            None if self.has_second() => crate::DEFAULT_GENERATOR.to_owned(),
            None => self.generator_name.clone(),
        }
    }

    /// True when a language model answers where the generator does not: see
    /// [`AUTO`](crate::AUTO).
    pub(crate) fn has_second(&self) -> bool {
        crate::generating::second(&self.generator_name).is_some()
    }

    /// That language model, opened at first use.
    pub(crate) fn second_generator(&self) -> Result<Arc<dyn postil_contract::Generator>, Error> {
        let encoder = self.encoder()?;
        let mut slot = self.second.lock();
        if let Some(generator) = &*slot {
            return Ok(Arc::clone(generator));
        }
        let generator = match crate::generating::second(&self.generator_name).flatten() {
            Some(name) => crate::open_generator(name, &encoder)?,
            None => crate::generating::open_installed()?,
        };
        crate::warm::use_kept(&self.path, &*generator)?;
        *slot = Some(Arc::clone(&generator));
        Ok(generator)
    }
}
