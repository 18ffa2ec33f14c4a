//! What can go wrong, by what the caller can do about it.

use std::io;
use std::path::{Path, PathBuf};

/// The result of every fallible call of this crate.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

/// Everything that can go wrong between a caller and a database folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Nothing is at the path.
    #[error("{path}: there is no database", path = path.display())]
    NotFound {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Creating found a database already there.
    #[error("{path}: a database is already there", path = path.display())]
    Exists {
        /// The database.
        path: PathBuf,
    },
    /// Something else is at the path; it was not touched.
    #[error("{path}: not a database: {what}", path = path.display())]
    NotADatabase {
        /// What was asked for.
        path: PathBuf,
        /// What is there instead.
        what: String,
    },
    /// Another opener holds the database.
    #[error(
        "{path}: in use by {who}; meanwhile what was published of it can be read (--published, after a \
         postil publish {path})",
        path = path.display(), who = holder(*pid)
    )]
    Locked {
        /// The database.
        path: PathBuf,
        /// The holder's process id; 0 when it had not written it yet.
        pid: u32,
    },
    /// The folder, or its medium, may only be read: open it to be read, or write a copy of it elsewhere.
    #[error(
        "{path}: nothing may be written in this folder ({source}); it can be searched as it is, and a copy of it \
         (postil backup {path} NEW) be changed",
        path = path.display()
    )]
    NotWritable {
        /// The database.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Not even what has to be read may be: have it published by someone who may.
    #[error(
        "{place}: {source}; someone who may write it can publish it for readers (postil publish {path}), who open \
         what was published (--published)",
        place = place.display(), path = path.display()
    )]
    NotReadable {
        /// The database.
        path: PathBuf,
        /// The file or folder that may not be read.
        place: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What is only read has a copy of its documents: set `TMPDIR` to a folder that may be written.
    #[error(
        "{path}: no folder for temporary files can be made here ({source}); name another one with TMPDIR",
        path = path.display()
    )]
    NoTemporary {
        /// The system's folder for temporary files.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Opened to be read: write where the database is open to be written.
    #[error("{path}: opened read-only", path = path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// The writer has yet to publish something that others can read beside it.
    #[error(
        "{path}: nothing was published for readers; publish it where it may be written: postil publish {path}",
        path = path.display()
    )]
    NotPublished {
        /// The database.
        path: PathBuf,
    },
    /// Bytes on disk are not what was written.
    #[error("{path}: damaged: {what}", path = path.display())]
    Corrupt {
        /// The damaged file or folder.
        path: PathBuf,
        /// What disagrees.
        what: String,
    },
    /// Written by a version of the format that this build does not know.
    #[error("{path}: {what} has format version {got}, this build reads {supported}", path = path.display())]
    Version {
        /// The file or folder.
        path: PathBuf,
        /// Which record.
        what: &'static str,
        /// The version found.
        got: u32,
        /// The version this build reads.
        supported: u32,
    },
    /// The operating system refused.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// Free some space, then do it again; nothing was changed.
    #[error("{path}: {free_bytes} bytes are free on the disk, {needed_bytes} are needed", path = path.display())]
    NoSpace {
        /// The database.
        path: PathBuf,
        /// Free bytes.
        free_bytes: u64,
        /// Bytes needed.
        needed_bytes: u64,
    },
    /// The document store refused.
    #[error("{path}: {source}", path = path.display())]
    Documents {
        /// The folder of the document store.
        path: PathBuf,
        /// Its reason.
        #[source]
        source: sled::Error,
    },
    /// An earlier commit failed half way: the database must be reopened before it is written again.
    #[error("{path}: an earlier write failed ({what}); reopen the database to write again", path = path.display())]
    Poisoned {
        /// The database.
        path: PathBuf,
        /// The earlier failure.
        what: String,
    },
    /// Sealing in the background keeps failing and too many rows are waiting for it.
    #[error("{path}: sealing fails: {what}", path = path.display())]
    Sealing {
        /// The database.
        path: PathBuf,
        /// Why it fails.
        what: String,
    },
    /// A vector has the wrong length.
    #[error("vector has {got} components, the database has {expected}")]
    Dimension {
        /// Components given.
        got: usize,
        /// Components of the database.
        expected: usize,
    },
    /// A component is NaN, infinite, or so large that products of it would be.
    #[error("component {index} of the vector is {value}, which is not a usable number")]
    Component {
        /// Its index.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// Scale the vectors, or keep them in full precision.
    #[error("component {index} of the vector is {value}; 16 bits hold up to {} either way", half::f16::MAX)]
    BeyondHalf {
        /// Its index.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// A zero vector has no direction, so no cosine.
    #[error("the vector is zero, and cosine needs a direction")]
    ZeroVector,
    /// A search for no rows.
    #[error("k is 0: ask for at least one row")]
    NoneAsked,

    /// A search wants a share of the nearest rows that is none.
    #[error("a recall of {got} was asked for, which is not from 0 to 1")]
    Recall {
        /// What was asked for.
        got: f32,
    },
    /// Options or a profile outside their range.
    #[error("{name} is {got}; it must be {expected}")]
    Option {
        /// Which one.
        name: &'static str,
        /// Its value.
        got: usize,
        /// The range it must be in.
        expected: String,
    },
    /// One batch names a key twice.
    #[error("key {key:?} appears twice in one batch")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A key is empty or too long.
    #[error("a key has {got} bytes; it must have 1 to {limit}")]
    Key {
        /// Bytes of the key.
        got: usize,
        /// The most it may have.
        limit: usize,
    },
    /// A document's text is too long.
    #[error("document {key:?} has {got} bytes of text, the limit is {limit}")]
    TextTooLong {
        /// The document's key.
        key: String,
        /// Bytes of its text.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// Something else of a document is too much.
    #[error("document {key:?} has {got} {what}, the limit is {limit}")]
    TooMuch {
        /// The document's key.
        key: String,
        /// Of what: bytes of metadata or of a title, passages.
        what: &'static str,
        /// How much of it.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// A passage's range is not a range of its document's text.
    #[error("passage {start}..{end} of document {key:?} is not a range of its {text_bytes} bytes of text")]
    Range {
        /// The document's key.
        key: String,
        /// First byte.
        start: u64,
        /// One past the last byte.
        end: u64,
        /// Bytes of the text.
        text_bytes: u64,
    },
    /// A metadata value cannot be stored.
    #[error("field {field:?} of document {key:?} is {value}, which is not a number to compare with")]
    Metadata {
        /// The document's key.
        key: String,
        /// The field.
        field: String,
        /// Its value.
        value: f64,
    },
    /// A filter compares with a value that fields do not compare with; name the fields of an object instead.
    #[error(
        "the filter compares {field:?} with {value}; it can with text, a number, true, false, null and lists of these \
         (of an object name a field: {field}.NAME)"
    )]
    FilterValue {
        /// The field.
        field: String,
        /// The value.
        value: String,
    },
    /// A filter could not be read.
    #[error("filter, byte {position}: expected {expected}")]
    Filter {
        /// Byte position in the filter's text.
        position: usize,
        /// What would have been right there.
        expected: String,
    },
}

impl StorageError {
    pub(crate) fn corrupt(path: &Path, what: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), what: what.into() }
    }
}

fn holder(pid: u32) -> String {
    // It had not written it yet.
    if pid == 0 { "another process".to_owned() } else { format!("process {pid}") }
}

/// Tells whether an operation failed since the place may only be read, or only by others.
pub(crate) fn may_not_be_written(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Names the path an I/O error happened at.
pub(crate) trait AtPath<T> {
    fn at(self, path: &Path) -> Result<T>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|source| StorageError::Io { path: path.to_owned(), source })
    }
}

impl<T> AtPath<T> for sled::Result<T> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|source| match source {
            sled::Error::Io(source) => StorageError::Io { path: path.to_owned(), source },
            sled::Error::Corruption { .. } => StorageError::corrupt(
                path,
                "a part of sled's files does not match its checksum or is missing",
            ),
            source => StorageError::Documents { path: path.to_owned(), source },
        })
    }
}
