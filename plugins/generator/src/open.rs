use std::path::Path;
use std::sync::Arc;

use postil_checkpoint::ModelFolder;
use postil_contract::Generator;

use crate::{LanguageGenerator, LoadError, ReaderGenerator};

/// Opens the generator at `path`: a reader's folder as training exports it, or any model that
/// [`LanguageGenerator::open`] reads.
///
/// # Errors
/// As [`ReaderGenerator::open`] and [`LanguageGenerator::open`], inside [`LoadError::At`] when they
/// do not name the file or folder.
pub fn open(path: &Path) -> Result<Arc<dyn Generator>, LoadError> {
    let is_reader = path.is_dir() && ReaderGenerator::is_at(&ModelFolder::open(path)?);
    let opened: Result<Arc<dyn Generator>, LoadError> = match is_reader {
        true => ReaderGenerator::open(path).map(|reader| Arc::new(reader) as _),
        false => LanguageGenerator::open(path).map(|model| Arc::new(model) as _),
    };
    opened.map_err(|error| error.at(path))
}
