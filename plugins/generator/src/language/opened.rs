use crate::LanguageModel;
use crate::prompt::{Form, Vocabulary};

/// Default length of the longest prompt with its answer, in tokens, for models with longer windows:
/// reading costs time and memory for each of the k passages.
pub(super) const MAX_WINDOW: usize = 4096;

/// An opened model, from either layout.
pub(super) struct Opened {
    pub(super) model: LanguageModel,
    pub(super) vocabulary: Vocabulary,
    pub(super) form: Form,
    pub(super) window: usize,
    pub(super) stop_strings: Vec<String>,
}
