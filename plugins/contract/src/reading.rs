use std::ops::ControlFlow;
use std::path::Path;

use crate::{GenerateError, Passage};

/// Receives the number of tokens read so far, and of all that are to be read. `Break` ends the
/// reading with [`GenerateError::Cancelled`].
pub type ReadWatch<'a> = &'a (dyn Fn(usize, usize) -> ControlFlow<()> + Sync);

/// A file with what a generator computed of a passage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFile {
    /// Its name; another model, prompt or passage has another.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// Reading of passages before a question about them is asked, by a generator whose computation of a
/// passage does not depend on the question, and keeps the result in files.
///
/// Files are only a store of what can be computed again: one that is damaged, or that another model
/// made, is taken for one that is not there.
pub trait ReadAhead: Send + Sync {
    /// From here on, takes what is kept in `folder` instead of computing it; the folder need not be
    /// there.
    ///
    /// # Errors
    /// [`GenerateError::Model`] when the model fails.
    fn use_folder(&self, folder: &Path) -> Result<(), GenerateError>;

    /// The files of `passages`: first that of the beginning which all prompts have in common, then one
    /// for each passage.
    ///
    /// # Errors
    /// As [`Generator::start`](crate::Generator::start).
    fn files(&self, passages: &[Passage<'_>]) -> Result<Vec<KeptFile>, GenerateError>;

    /// Reads those of `passages` that are not kept yet and writes their files into the folder in use,
    /// which must be there. Returns how many were read.
    ///
    /// # Errors
    /// As [`Generator::start`](crate::Generator::start); [`GenerateError::Keep`] when a file cannot be
    /// written; [`GenerateError::Cancelled`].
    fn read_ahead(&self, passages: &[Passage<'_>], watch: ReadWatch<'_>) -> Result<usize, GenerateError>;
}
