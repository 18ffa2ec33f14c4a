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
    /// The generator that answers questions, opened at first use.
    ///
    /// # Errors
    /// As [`ReadOnlyDatabase::encoder`] and [`open_generator`](crate::open_generator).
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
