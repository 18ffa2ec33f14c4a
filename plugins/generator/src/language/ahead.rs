use std::path::Path;

use postil_contract::{GenerateError, KeptFile, Passage, ReadAhead, ReadWatch};

use super::LanguageGenerator;

/// A question in place of those that are not asked yet: what is kept of a prompt ends before it.
const ANY_QUESTION: &str = "?";

impl ReadAhead for LanguageGenerator {
    fn use_folder(&self, folder: &Path) -> Result<(), GenerateError> {
        self.model.use_folder(folder)
    }

    fn files(&self, passages: &[Passage<'_>]) -> Result<Vec<KeptFile>, GenerateError> {
        self.model.files(&self.fitted(ANY_QUESTION, passages)?.prompts)
    }

    fn read_ahead(&self, passages: &[Passage<'_>], watch: ReadWatch<'_>) -> Result<usize, GenerateError> {
        self.model.read_ahead(&self.fitted(ANY_QUESTION, passages)?.prompts, watch)
    }
}
