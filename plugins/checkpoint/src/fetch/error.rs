use crate::{CheckpointError, Mismatch};

/// Reasons that a model was not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The name is not known. Give a folder, a GGUF file, a known name, or a name on the hub.
    #[error(
        "{name} is no folder, no GGUF file, no known model ({known}) and no name on the hub (organization/name \
         or organization/name:FILE.gguf)"
    )]
    Unknown {
        /// The requested name.
        name: String,
        /// The known names.
        known: String,
    },
    /// No source provided the model.
    #[error(
        "{name} could not be fetched: {}",
        attempts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    Sources {
        /// The requested name.
        name: String,
        /// Each source that was tried, with the reason that it failed.
        attempts: Vec<Attempt>,
    },
    /// The hub did not provide the model.
    #[error("{name} could not be fetched from the hub: {reason}{}", reason.advice())]
    Hub {
        /// The requested name.
        name: String,
        /// The reason for the failure.
        reason: Reason,
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
    /// The repository holds no model that can be read.
    #[error("it has neither config.json with safetensors weights nor a GGUF file in one piece")]
    NoModel,
    /// The repository has no such file.
    #[error("it has no {file}; its GGUF files: {}", if files.is_empty() { "none" } else { files })]
    NoFile {
        /// Path of the requested file.
        file: String,
        /// The GGUF files in one piece that it has.
        files: String,
    },
    /// The repository has several GGUF files. Name one.
    #[error("it has several GGUF files; name one, as in {name}:{first} ({files})")]
    Choose {
        /// Id of the repository.
        name: String,
        /// The first file.
        first: String,
        /// All of the files.
        files: String,
    },
    /// A GGUF file is one part of several.
    #[error("{file} is one of several parts, which are not read; name a file in one piece")]
    Split {
        /// Path of the file.
        file: String,
    },
    /// A file differs from the digest that the hub announced. Try again.
    #[error(
        "{file} has sha256 {got}, the hub announced {announced}: delete it from the hub's cache and try again"
    )]
    Damaged {
        /// Path of the file.
        file: String,
        /// Digest of the file that came.
        got: String,
        /// Digest that the hub announced.
        announced: String,
    },
    /// The fetched files differ from the pinned or recorded ones.
    #[error("the files are not the pinned or recorded ones: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Mismatch(Vec<Mismatch>),
    /// The archive lacks a file, holds one that is too large, or has a path that leads out of it.
    #[error("bad archive: {0}")]
    Archive(String),
    /// The fetched files cannot be read or stored.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl Reason {
    /// A way out where there is no hub; empty for other reasons.
    fn advice(&self) -> &'static str {
        match self {
            Self::Offline | Self::Unreachable(_) => {
                "; files that were fetched elsewhere are added by the path of their folder or GGUF file"
            }
            Self::Mismatch(_) => "; remove its folder to take what the hub has now",
            _ => "",
        }
    }
}
