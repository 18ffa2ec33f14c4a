use std::path::PathBuf;

use postil_checkpoint::CheckpointError;

/// Reasons that a model folder gives no encoder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// The folder or one of its files is missing or damaged.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// This encoder does not support a feature of the model.
    #[error("{path}: {field} is {got}, supported: {supported}", path = path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The field that states the feature: `model_type`, a module's type.
        field: &'static str,
        /// The field's value.
        got: String,
        /// The supported values.
        supported: &'static str,
    },
    /// The configuration contradicts itself or is implausible.
    #[error("{path}: {reason}", path = path.display())]
    Config {
        /// The file, or the folder when several files do not fit together.
        path: PathBuf,
        /// Description of the contradiction.
        reason: String,
    },
    /// The two folders of a pair do not belong together.
    #[error("question vectors have {question} components, passage vectors {passage}")]
    Pair {
        /// Dimension of the question side.
        question: usize,
        /// Dimension of the passage side.
        passage: usize,
    },
    /// Token ids passed directly to the model do not fit it.
    #[error("{what}: got {got}, must be below {limit}")]
    Input {
        /// The quantity that does not fit.
        what: &'static str,
        /// The quantity's value.
        got: usize,
        /// The quantity's limit.
        limit: usize,
    },
}
