use std::path::PathBuf;

use postil_checkpoint::CheckpointError;

/// Why a model folder gives no encoder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// The folder or one of its files is missing or damaged.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The model is of a kind this encoder does not compute.
    #[error("{path}: {field} is {got}, supported: {supported}", path = path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What decides it: `model_type`, a module's type.
        field: &'static str,
        /// Its value.
        got: String,
        /// The values that would do.
        supported: &'static str,
    },
    /// The configuration contradicts itself or is out of all proportion.
    #[error("{path}: {reason}", path = path.display())]
    Config {
        /// The file, or the folder where several do not fit together.
        path: PathBuf,
        /// What does not fit.
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
    /// Token ids given to the model directly do not fit it.
    #[error("{what}: got {got}, must be below {limit}")]
    Input {
        /// Which quantity.
        what: &'static str,
        /// Its value.
        got: usize,
        /// Its limit.
        limit: usize,
    },
}
