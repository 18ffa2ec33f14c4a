use std::path::Path;
use std::sync::Arc;

use postil_checkpoint::ModelFolder;
use postil_contract::Generator;

use crate::{LanguageGenerator, LoadError, ReaderGenerator};

/// The generator at `path`: a reader's folder as training exports it, or whatever [`LanguageGenerator::open`] reads.
///
/// # Errors
/// As [`ReaderGenerator::open`] and [`LanguageGenerator::open`].
pub fn open(path: &Path) -> Result<Arc<dyn Generator>, LoadError> {
    match path.is_dir() && ReaderGenerator::is_at(&ModelFolder::open(path)?) {
        true => Ok(Arc::new(ReaderGenerator::open(path)?)),
        false => Ok(Arc::new(LanguageGenerator::open(path)?)),
    }
}
