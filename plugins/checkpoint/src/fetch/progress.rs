/// A step of fetching a model, told to whoever waits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// A source is being tried: a path, a hub id, a package.
    Trying {
        /// Path, hub id or package.
        source: String,
    },
    /// A source did not do; the next one is tried.
    Failed {
        /// Path, hub id or package.
        source: String,
        /// Reason that it did not do.
        reason: String,
    },
    /// A file is there.
    File {
        /// Path in the model folder.
        name: String,
        /// Its length.
        bytes: u64,
    },
    /// All files are there and are being checked.
    Checking,
}
