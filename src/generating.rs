//! Generators by name: the only file that knows them all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use postil_checkpoint::ModelKind;
use postil_contract::{Encoder, Generator};
use postil_generator::{QuoteGenerator, ReaderGenerator};

use crate::Error;

/// The generator that answers when none is named.
pub const DEFAULT_GENERATOR: &str = "reader";

/// Name under which a database asks two generators: [`DEFAULT_GENERATOR`], and the installed language
/// model where the question wants sentences or the first withholds its answer. `auto:NAME` names the
/// model.
pub const AUTO: &str = "auto";

/// Names of the generators that need no path.
pub const GENERATORS: [&str; 3] = [DEFAULT_GENERATOR, "quote", AUTO];

/// The name of the language model in `auto:NAME`; `Some(None)` in `auto`, `None` in any other name.
pub(crate) fn second(name: &str) -> Option<Option<&str>> {
    let rest = name.strip_prefix(AUTO)?;
    if rest.is_empty() { Some(None) } else { rest.strip_prefix(':').map(Some) }
}

/// Opens the installed language model, the first by name.
pub(crate) fn open_installed() -> Result<Arc<dyn Generator>, Error> {
    let installed = postil_checkpoint::model_home().and_then(|home| postil_checkpoint::list(&home));
    let generator = |model: &postil_checkpoint::Installed| model.describe().kind == ModelKind::Generator;
    match installed.unwrap_or_default().into_iter().find(generator) {
        Some(model) => Ok(postil_generator::open(&model_path(&model.name)?)?),
        None => Err(Error::NoLanguageModel),
    }
}

/// Opens a generator by name, by the path of a model (a folder in the Hugging Face layout, or one
/// GGUF file), or by the name of an installed one (`smollm2-135m-instruct`, `organization/name`,
/// `organization/name:FILE.gguf`). `encoder` is the database's, for generators that
/// work with it.
///
/// # Errors
/// [`Error::UnknownGenerator`], which lists the known names; [`Error::GeneratorMissing`] for a model
/// that is not installed and [`Error::Generator`] for one that cannot be used. [`AUTO`] is no
/// generator, but two: it is [`Error::UnknownGenerator`] here.
pub fn open_generator(name: &str, encoder: &Arc<dyn Encoder>) -> Result<Arc<dyn Generator>, Error> {
    match name {
        "reader" => Ok(Arc::new(ReaderGenerator::built_in()?)),
        "quote" => Ok(Arc::new(QuoteGenerator::new(Arc::clone(encoder)))),
        _ => Ok(postil_generator::open(&model_path(name)?)?),
    }
}

/// The path of the model `name`: that path itself, or the model installed under that name.
fn model_path(name: &str) -> Result<PathBuf, Error> {
    if Path::new(name).exists() {
        return Ok(PathBuf::from(name));
    }
    // A known model may be asked for by its hub id, and is installed under its name.
    let known = postil_checkpoint::known_model(name).filter(|known| known.kind == ModelKind::Generator);
    let installed = known.map_or(name, |known| known.name);
    match postil_checkpoint::model_home().and_then(|home| postil_checkpoint::locate(installed, &home)) {
        Ok(path) => Ok(path),
        Err(source) if known.is_some() || postil_checkpoint::is_hub_name(name) => {
            Err(Error::GeneratorMissing { name: name.to_owned(), source: Box::new(source) })
        }
        Err(_) => Err(Error::UnknownGenerator { name: name.to_owned(), known: GENERATORS.join(", ") }),
    }
}
