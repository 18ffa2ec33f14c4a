use std::path::PathBuf;

use postil_checkpoint::CheckpointError;
use postil_encoder::EncoderError;

/// Errors of training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A tensor operation failed.
    #[error("training: {0}")]
    Tensor(#[from] candle_core::Error),
    /// The model to start from cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The encoder to start from, or the one that was made, cannot be opened.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// A file of the run cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The state of an interrupted run does not fit: remove it, or run with the options it was
    /// begun with.
    #[error("{path}: the state of another run, {reason}; remove it to begin anew", path = path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// The difference.
        reason: String,
    },
    /// A loss or gradient is no number, ten times in a row: try a lower learning rate.
    #[error("step {step}: the loss is {loss} again; try a lower learning rate")]
    Diverged {
        /// Number of the step, from 0.
        step: u64,
        /// The loss.
        loss: f64,
    },
    /// There is too little text to learn from.
    #[error("{got} examples to train on, at least {least} are needed")]
    TooFew {
        /// Number of examples there are.
        got: usize,
        /// Least number.
        least: usize,
    },
    /// A model folder has what this crate cannot train.
    #[error("{path}: {reason}", path = path.display())]
    Unsupported {
        /// The folder.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The caller cancelled. The state is kept, and the same run goes on from it.
    #[error("cancelled; the same command goes on from here")]
    Cancelled,
}

impl TrainError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
