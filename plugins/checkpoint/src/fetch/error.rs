use crate::{CheckpointError, Mismatch};

/// Why a model was not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Give a folder, a known name, or a hub id.
    #[error("{name} is no folder, no known model ({known}) and no hub id (organization/name)")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names that would do.
        known: String,
    },
    /// No source had it.
    #[error("{name} could not be fetched: {}", attempts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Sources {
        /// The name that was asked for.
        name: String,
        /// Each source tried, and why it did not do.
        attempts: Vec<Attempt>,
    },
    /// The folder is no model.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// A source that did not do.
#[derive(Debug, thiserror::Error)]
#[error("{source_name}: {reason}")]
pub struct Attempt {
    /// A hub id, a package.
    pub source_name: String,
    /// Why.
    pub reason: Reason,
}

/// Why a source did not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The variable `HF_HUB_OFFLINE` says so.
    #[error("HF_HUB_OFFLINE is set")]
    Offline,
    /// Nothing answered.
    #[error("not reachable: {0}")]
    Unreachable(String),
    /// It answered, with an error.
    #[error("{0}")]
    Refused(String),
    /// The files that came are not the pinned ones.
    #[error("the files are not the pinned ones: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Mismatch(Vec<Mismatch>),
    /// The archive lacks a file, or holds one that is too large or has a path that leads out of it.
    #[error("bad archive: {0}")]
    Archive(String),
    /// The files that came cannot be read or stored.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}
