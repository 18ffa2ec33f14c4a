use crate::LanguageModel;
use crate::prompt::{Form, Vocabulary};

/// Longest prompt with its answer unless told otherwise, in tokens, for models with longer windows: reading
/// costs time and memory for each of k passages.
pub(super) const MAX_WINDOW: usize = 4096;

/// A model as it was opened, from either layout.
pub(super) struct Opened {
    pub(super) model: LanguageModel,
    pub(super) vocabulary: Vocabulary,
    pub(super) form: Form,
    pub(super) window: usize,
    pub(super) stop_strings: Vec<String>,
}
