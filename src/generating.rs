//! Which generator answers: the one place that knows them all by name.

use std::sync::Arc;

use postil_contract::{Encoder, Generator};
use postil_generator::QuoteGenerator;

use crate::Error;

/// The generator that answers when none is named.
pub const DEFAULT_GENERATOR: &str = "quote";

/// Names of the generators that need no path.
pub const GENERATORS: [&str; 1] = [DEFAULT_GENERATOR];

/// Opens a generator by name or path. `encoder` is the database's, for generators that work with it.
///
/// # Errors
/// [`Error::UnknownGenerator`], which lists what there is.
pub fn open_generator(name: &str, encoder: &Arc<dyn Encoder>) -> Result<Arc<dyn Generator>, Error> {
    // New generators come in here: names first, then what a path leads to.
    match name {
        "quote" => Ok(Arc::new(QuoteGenerator::new(Arc::clone(encoder)))),
        _ => Err(Error::UnknownGenerator { name: name.to_owned(), known: GENERATORS.join(", ") }),
    }
}
