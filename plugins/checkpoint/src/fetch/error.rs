use crate::{CheckpointError, Mismatch};

/// Reasons that a model was not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The name is not known. Give a folder, a known name, or a hub id.
    #[error("{name} is no folder, no known model ({known}) and no hub id (organization/name)")]
    Unknown {
        /// The requested name.
        name: String,
        /// The known names.
        known: String,
    },
    /// No source provided the model.
    #[error("{name} could not be fetched: {}", attempts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Sources {
        /// The requested name.
        name: String,
        /// Each source that was tried, with the reason that it failed.
        attempts: Vec<Attempt>,
    },
    /// The folder is not a model.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// A source that failed.
#[derive(Debug, thiserror::Error)]
#[error("{source_name}: {reason}")]
pub struct Attempt {
    /// The source: a hub id or a package.
    pub source_name: String,
    /// The reason for the failure.
    pub reason: Reason,
}

/// Reasons that a source failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The variable `HF_HUB_OFFLINE` forbids access to the hub.
    #[error("HF_HUB_OFFLINE is set")]
    Offline,
    /// The source did not answer.
    #[error("not reachable: {0}")]
    Unreachable(String),
    /// The source answered with an error.
    #[error("{0}")]
    Refused(String),
    /// The fetched files differ from the pinned ones.
    #[error("the files are not the pinned ones: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Mismatch(Vec<Mismatch>),
    /// The archive lacks a file, holds one that is too large, or has a path that leads out of it.
    #[error("bad archive: {0}")]
    Archive(String),
    /// The fetched files cannot be read or stored.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}
