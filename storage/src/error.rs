//! Errors of the crate, by what the caller can do about them.

use std::io;
use std::path::{Path, PathBuf};

/// The result of every fallible call of this crate.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

/// Any failure between a caller and a database folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Returned when nothing is at the path.
    #[error("{path}: there is no database", path = path.display())]
    NotFound {
        /// The path that was tried.
        path: PathBuf,
    },
    /// Returned when a database is already at the path of a new one.
    #[error("{path}: a database is already there", path = path.display())]
    Exists {
        /// Folder of the database.
        path: PathBuf,
    },
    /// Returned when something else is at the path; it was not changed.
    #[error("{path}: not a database: {what}", path = path.display())]
    NotADatabase {
        /// The path that was given.
        path: PathBuf,
        /// Description of what is there instead.
        what: String,
    },
    /// Returned when another opener holds the database.
    #[error(
        "{path}: in use by {who}; meanwhile what was published of it can be read (--published, after a \
         postil publish {path})",
        path = path.display(), who = holder(*pid)
    )]
    Locked {
        /// Folder of the database.
        path: PathBuf,
        /// The holder's process id; 0 if it was not written yet.
        pid: u32,
    },
    /// Returned when the folder, or its medium, is read-only. Open it to be read, or write a copy
    /// of it elsewhere.
    #[error(
        "{path}: nothing may be written in this folder ({source}); it can be searched as it is, and a copy of it \
         (postil backup {path} NEW) be changed",
        path = path.display()
    )]
    NotWritable {
        /// Folder of the database.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Returned when a file that must be read is not readable. Someone who may write the database
    /// can publish it for readers.
    #[error(
        "{place}: {source}; someone who may write it can publish it for readers (postil publish {path}), who open \
         what was published (--published)",
        place = place.display(), path = path.display()
    )]
    NotReadable {
        /// Folder of the database.
        path: PathBuf,
        /// The file or folder that is not readable.
        place: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Returned when a read-only opener finds no place for its copy of the documents. Set `TMPDIR`
    /// to a writable folder.
    #[error(
        "{path}: no folder for temporary files can be made here ({source}); name another one with TMPDIR",
        path = path.display()
    )]
    NoTemporary {
        /// The system's folder for temporary files.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Returned when writing to a store that is open to be read. Write where the database is open
    /// to be written.
    #[error("{path}: opened read-only", path = path.display())]
    ReadOnly {
        /// Folder of the database.
        path: PathBuf,
    },
    /// Returned when the writer has not published anything yet for readers beside it.
    #[error(
        "{path}: nothing was published for readers; publish it where it may be written: postil publish {path}",
        path = path.display()
    )]
    NotPublished {
        /// Folder of the database.
        path: PathBuf,
    },
    /// Returned when bytes on disk are not those that were written.
    #[error("{path}: damaged: {what}", path = path.display())]
    Corrupt {
        /// The damaged file or folder.
        path: PathBuf,
        /// Description of the damage.
        what: String,
    },
    /// Returned for a version of the format that this build does not know.
    #[error("{path}: {what} has format version {got}, this build reads {supported}", path = path.display())]
    Version {
        /// The file or folder.
        path: PathBuf,
        /// Name of the record.
        what: &'static str,
        /// The version found.
        got: u32,
        /// The version this build reads.
        supported: u32,
    },
    /// Returned when the operating system refuses a call.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Returned when the disk has too little space; nothing was changed. Free some space, then try
    /// again.
    #[error("{path}: {free_bytes} bytes are free on the disk, {needed_bytes} are needed", path = path.display())]
    NoSpace {
        /// Folder of the database.
        path: PathBuf,
        /// Free bytes on the disk.
        free_bytes: u64,
        /// Bytes needed on the disk.
        needed_bytes: u64,
    },
    /// Returned when the document store refuses a call.
    #[error("{path}: {source}", path = path.display())]
    Documents {
        /// The folder of the document store.
        path: PathBuf,
        /// The document store's error.
        #[source]
        source: sled::Error,
    },
    /// Returned after an earlier commit failed half way. Reopen the database to write again.
    #[error("{path}: an earlier write failed ({what}); reopen the database to write again", path = path.display())]
    Poisoned {
        /// Folder of the database.
        path: PathBuf,
        /// Message of the earlier failure.
        what: String,
    },
    /// Returned when sealing in the background keeps failing and too many rows wait for it.
    #[error("{path}: sealing fails: {what}", path = path.display())]
    Sealing {
        /// Folder of the database.
        path: PathBuf,
        /// Message of the last failure to seal.
        what: String,
    },
    /// Returned when the caller cancelled work before its end; nothing is lost.
    #[error("cancelled; nothing is lost")]
    Cancelled,
    /// Returned when a vector has the wrong length.
    #[error("vector has {got} components, the database has {expected}")]
    Dimension {
        /// Number of components given.
        got: usize,
        /// Number of components in the database.
        expected: usize,
    },
    /// Returned when a component is NaN, infinite, or so large that a product of it would be.
    #[error("component {index} of the vector is {value}, which is not a usable number")]
    Component {
        /// Index of the component.
        index: usize,
        /// Value of the component.
        value: f32,
    },
    /// Returned when a component is beyond 16 bits. Scale the vectors, or keep them in full
    /// precision.
    #[error("component {index} of the vector is {value}; 16 bits hold up to {} either way", half::f16::MAX)]
    BeyondHalf {
        /// Index of the component.
        index: usize,
        /// Value of the component.
        value: f32,
    },
    /// Returned for a zero vector under cosine: it has no direction.
    #[error("the vector is zero, and cosine needs a direction")]
    ZeroVector,
    /// Returned when a search asks for no rows.
    #[error("k is 0: ask for at least one row")]
    NoneAsked,

    /// Returned when a search wants a recall that is not from 0 to 1.
    #[error("a recall of {got} was asked for, which is not from 0 to 1")]
    Recall {
        /// The recall that was given.
        got: f32,
    },
    /// Returned when an option or a part of the profile is outside its range.
    #[error("{name} is {got}; it must be {expected}")]
    Option {
        /// Name of the option.
        name: &'static str,
        /// Value of the option.
        got: usize,
        /// The allowed range.
        expected: String,
    },
    /// Returned when one batch names a key twice.
    #[error("key {key:?} appears twice in one batch")]
    DuplicateKey {
        /// The repeated key.
        key: String,
    },
    /// Returned when a key is empty or too long.
    #[error("a key has {got} bytes; it must have 1 to {limit}")]
    Key {
        /// Bytes of the key.
        got: usize,
        /// The most bytes a key may have.
        limit: usize,
    },
    /// Returned when a document's text is too long.
    #[error("document {key:?} has {got} bytes of text, the limit is {limit}")]
    TextTooLong {
        /// The document's key.
        key: String,
        /// Bytes of its text.
        got: usize,
        /// The most bytes a text may have.
        limit: usize,
    },
    /// Returned when another part of a document is too large.
    #[error("document {key:?} has {got} {what}, the limit is {limit}")]
    TooMuch {
        /// The document's key.
        key: String,
        /// Name of the part: bytes of metadata or of a title, passages.
        what: &'static str,
        /// Size of the part.
        got: usize,
        /// The largest size of the part.
        limit: usize,
    },
    /// Returned when a passage's range is not a range of its document's text.
    #[error("passage {start}..{end} of document {key:?} is not a range of its {text_bytes} bytes of text")]
    Range {
        /// The document's key.
        key: String,
        /// First byte of the range.
        start: u64,
        /// One past the last byte of the range.
        end: u64,
        /// Bytes of the text.
        text_bytes: u64,
    },
    /// Returned when a metadata value cannot be stored.
    #[error("field {field:?} of document {key:?} is {value}, which is not a number to compare with")]
    Metadata {
        /// The document's key.
        key: String,
        /// Name of the field.
        field: String,
        /// Value of the field.
        value: f64,
    },
    /// Returned when a filter compares with a value that no field compares with. Name the fields of
    /// an object instead.
    #[error(
        "the filter compares {field:?} with {value}; it can with text, a number, true, false, null and lists of these \
         (of an object name a field: {field}.NAME)"
    )]
    FilterValue {
        /// Name of the field.
        field: String,
        /// The value in the filter.
        value: String,
    },
    /// Returned when a filter does not parse.
    #[error("filter, byte {position}: expected {expected}")]
    Filter {
        /// Byte position in the filter's text.
        position: usize,
        /// Description of what would be valid there.
        expected: String,
    },
}

impl StorageError {
    pub(crate) fn corrupt(path: &Path, what: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), what: what.into() }
    }
}

fn holder(pid: u32) -> String {
    // The holder had not written its id yet.
    if pid == 0 { "another process".to_owned() } else { format!("process {pid}") }
}

/// True if an operation failed because the place is read-only, or not accessible to this user.
pub(crate) fn may_not_be_written(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Adds the path to an I/O error.
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
