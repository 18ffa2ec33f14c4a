use std::io;
use std::path::{Path, PathBuf};

/// Why a model folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Give the path of a model folder, or add the model first.
    #[error("{path} is no model folder: it has no {file}", path = path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
        /// The file, or the kinds of file, that should be in it.
        file: String,
    },
    /// The operating system refused.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// Replace the file: it is not what its name says.
    #[error("{path}: {damage}", path = path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        damage: Damage,
    },
    /// The weights belong to another architecture.
    #[error("{path} has no tensor {name}", path = path.display())]
    NoTensor {
        /// The folder or file looked in.
        path: PathBuf,
        /// The tensor's full name.
        name: String,
    },
    /// The weights disagree with the configuration.
    #[error("{path}: tensor {name} has shape {got:?}, expected {expected:?}", path = path.display())]
    TensorShape {
        /// The file.
        path: PathBuf,
        /// The tensor's full name.
        name: String,
        /// Its shape in the file.
        got: Vec<usize>,
        /// The shape the configuration asks for.
        expected: Vec<usize>,
    },
    /// The weights are stored in a way this crate does not read.
    #[error("{path}: tensor {name} is stored as {dtype}, expected {expected}", path = path.display())]
    TensorType {
        /// The file.
        path: PathBuf,
        /// The tensor's full name.
        name: String,
        /// Its type in the file.
        dtype: String,
        /// The types that would do.
        expected: &'static str,
    },
    /// A file asks for what this crate does not do.
    #[error("{path}: {field} is {got}, supported: {supported}", path = path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The field that asks for it.
        field: &'static str,
        /// Its value.
        got: String,
        /// The values that would do.
        supported: &'static str,
    },
    /// There is no place for models: set the variable.
    #[error("no model home: set POSTIL_MODELS, XDG_DATA_HOME or HOME")]
    NoHome,
    /// Add the model, or give its path.
    #[error("no model {name} in {home}", home = home.display())]
    NotInstalled {
        /// What was asked for.
        name: String,
        /// The model home.
        home: PathBuf,
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

/// Why a file cannot be read, before its path is known.
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

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The file ends before what it announces.
    #[error("truncated: {got_bytes} bytes, at least {expected_bytes} expected")]
    Truncated {
        /// Its length.
        got_bytes: u64,
        /// The least length that would hold what it announces.
        expected_bytes: u64,
    },
    /// The file goes on after what it announces.
    #[error("{extra_bytes} bytes after the last tensor")]
    Trailing {
        /// How many.
        extra_bytes: u64,
    },
    /// Larger than a file of its kind may be.
    #[error("{got_bytes} bytes, at most {limit_bytes} allowed here")]
    TooLarge {
        /// Its size, or the size it announces.
        got_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// Not JSON, or JSON without what is needed.
    #[error("unreadable: {reason}")]
    Unreadable {
        /// What the parser said.
        reason: String,
    },
    /// A tensor's place, shape and type do not fit together.
    #[error("tensor {name} is inconsistent: {reason}")]
    Tensor {
        /// The tensor's name.
        name: String,
        /// What does not fit.
        reason: &'static str,
    },
    /// A tensor's type has no known size.
    #[error("tensor {name} is stored as {dtype}, which is no known type")]
    TensorType {
        /// The tensor's name.
        name: String,
        /// Its type as the file spells it.
        dtype: String,
    },
    /// A pickle: reading one means running the program in it.
    #[error("holds pickled weights, which are a program that reading would run; convert them to safetensors")]
    Pickled,
    /// A path inside the file leads out of the folder.
    #[error("names a file outside the folder: {name}")]
    Escape {
        /// The path as written.
        name: String,
    },
}
