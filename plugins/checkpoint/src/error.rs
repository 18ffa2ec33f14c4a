use std::io;
use std::path::{Path, PathBuf};

/// Reasons that a model folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A required file is missing. Give the path of a model folder, or add the model first.
    #[error("{path} is no model folder: it has no {file}", path = path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
        /// The required file, or the kinds of file that would do.
        file: String,
    },
    /// The operating system refused an operation.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A file's content does not match its name. Replace the file.
    #[error("{path}: {damage}", path = path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The damage found in it.
        damage: Damage,
    },
    /// The weights lack a tensor: they belong to another architecture.
    #[error("{path} has no tensor {name}", path = path.display())]
    NoTensor {
        /// The folder or file that was searched.
        path: PathBuf,
        /// The tensor's full name.
        name: String,
    },
    /// A tensor's shape disagrees with the configuration.
    #[error("{path}: tensor {name} has shape {got:?}, expected {expected:?}", path = path.display())]
    TensorShape {
        /// The file.
        path: PathBuf,
        /// The tensor's full name.
        name: String,
        /// The tensor's shape in the file.
        got: Vec<usize>,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
    },
    /// The weights are stored in a type that this crate does not read.
    #[error("{path}: tensor {name} is stored as {dtype}, expected {expected}", path = path.display())]
    TensorType {
        /// The file.
        path: PathBuf,
        /// The tensor's full name.
        name: String,
        /// The tensor's type in the file.
        dtype: String,
        /// The supported types.
        expected: &'static str,
    },
    /// A file asks for a feature that this crate does not have.
    #[error("{path}: {field} is {got}, supported: {supported}", path = path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The field that asks for the feature.
        field: &'static str,
        /// The field's value.
        got: String,
        /// The supported values.
        supported: &'static str,
    },
    /// No model home can be determined. Set the environment variable.
    #[error("no model home: set POSTIL_MODELS, XDG_DATA_HOME or HOME")]
    NoHome,
    /// The model is not in the model home. Add it, or give its path.
    #[error("no model {name} in {home}", home = home.display())]
    NotInstalled {
        /// The requested name.
        name: String,
        /// The model home.
        home: PathBuf,
    },
    /// Several GGUF files of the repository are installed. Name one.
    #[error("{name} is several models; name one: {names}")]
    Ambiguous {
        /// The requested name.
        name: String,
        /// The names of the models.
        names: String,
    },
}

impl CheckpointError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn corrupt(path: &Path, damage: Damage) -> Self {
        Self::Corrupt { path: path.to_owned(), damage }
    }
}

/// Reasons that a file cannot be read, before its path is known.
pub(crate) enum Failure {
    Io(io::Error),
    Damage(Damage),
}

impl Failure {
    /// The error about the file at `path`.
    pub(crate) fn at(self, path: &Path) -> CheckpointError {
        match self {
            Self::Io(source) => CheckpointError::io(path, source),
            Self::Damage(damage) => CheckpointError::corrupt(path, damage),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}

impl From<Damage> for Failure {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

/// Kinds of damage to a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The file ends before the end that it announces.
    #[error("truncated: {got_bytes} bytes, at least {expected_bytes} expected")]
    Truncated {
        /// Length of the file, in bytes.
        got_bytes: u64,
        /// Smallest length that would hold the announced content, in bytes.
        expected_bytes: u64,
    },
    /// The file continues after the end that it announces.
    #[error("{extra_bytes} bytes after the last tensor")]
    Trailing {
        /// Number of bytes after that end.
        extra_bytes: u64,
    },
    /// The file is larger than a file of its kind may be.
    #[error("{got_bytes} bytes, at most {limit_bytes} allowed here")]
    TooLarge {
        /// Size of the file, or the size it announces, in bytes.
        got_bytes: u64,
        /// The limit, in bytes.
        limit_bytes: u64,
    },
    /// The content is not JSON, or lacks a required field.
    #[error("unreadable: {reason}")]
    Unreadable {
        /// The parser's message.
        reason: String,
    },
    /// A tensor's position, shape and type do not fit together.
    #[error("tensor {name} is inconsistent: {reason}")]
    Tensor {
        /// The tensor's name.
        name: String,
        /// The contradiction.
        reason: &'static str,
    },
    /// A tensor's type has no known size.
    #[error("tensor {name} is stored as {dtype}, which is no known type")]
    TensorType {
        /// The tensor's name.
        name: String,
        /// The tensor's type, as the file spells it.
        dtype: String,
    },
    /// The file is a pickle: reading one means running the program in it.
    #[error("holds pickled weights, which are a program that reading would run; convert them to safetensors")]
    Pickled,
    /// A path inside the file leads out of the folder.
    #[error("names a file outside the folder: {name}")]
    Escape {
        /// The path as written.
        name: String,
    },
}
