//! Generators by name: the only file that knows them all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use postil_contract::{Encoder, Generator};
use postil_generator::{QuoteGenerator, ReaderGenerator};

use crate::Error;

/// The generator that answers when none is named.
pub const DEFAULT_GENERATOR: &str = "reader";

/// Names of the generators that need no path.
pub const GENERATORS: [&str; 2] = [DEFAULT_GENERATOR, "quote"];

/// Opens a generator by name, by the path of a model (a folder in the Hugging Face layout, or one
/// GGUF file), or by the name of an installed one. `encoder` is the database's, for generators that
/// work with it.
///
/// # Errors
/// [`Error::UnknownGenerator`], which lists the known names; [`Error::Generator`] when the model
/// cannot be used.
pub fn open_generator(name: &str, encoder: &Arc<dyn Encoder>) -> Result<Arc<dyn Generator>, Error> {
    match name {
        "reader" => Ok(Arc::new(ReaderGenerator::built_in()?)),
        "quote" => Ok(Arc::new(QuoteGenerator::new(Arc::clone(encoder)))),
        _ => match model_path(name) {
            Some(path) => Ok(postil_generator::open(&path)?),
            None => Err(Error::UnknownGenerator { name: name.to_owned(), known: GENERATORS.join(", ") }),
        },
    }
}

/// The path of the model `name`: that path itself, or the model installed under that name; `None`
/// when there is neither.
fn model_path(name: &str) -> Option<PathBuf> {
    if Path::new(name).exists() {
        return Some(PathBuf::from(name));
    }
    postil_checkpoint::model_home().and_then(|home| postil_checkpoint::locate(name, &home)).ok()
}
