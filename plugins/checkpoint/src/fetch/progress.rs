/// A step of fetching a model, reported to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// A source is being tried.
    Trying {
        /// Path, hub id or package.
        source: String,
    },
    /// A source failed; the next one is tried.
    Failed {
        /// Path, hub id or package.
        source: String,
        /// Reason for the failure.
        reason: String,
    },
    /// A file is complete.
    File {
        /// Path in the model folder.
        name: String,
        /// Length of the file.
        bytes: u64,
    },
    /// All files are complete and are being checked.
    Checking,
}
