//! The kind of each error.

use std::io;

use postil_storage::ErrorKind;

use crate::Error;

impl Error {
    /// The kind of the error, by what a caller can do about it.
    ///
    /// ```
    /// use postil::{Database, ErrorKind};
    /// let error = Database::open_read_only("nothing.postil").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::NotFound);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Storage(error) => error.kind(),
            Self::Cancelled => ErrorKind::Cancelled,
            Self::AnotherDatabase { .. } | Self::NothingToCreateWith { .. } => ErrorKind::NotFound,
            Self::NoEncoder { .. }
            | Self::EncoderMismatch { .. }
            | Self::Precision { .. }
            | Self::EmptyDocument { .. }
            | Self::RepeatedKey { .. }
            | Self::FileTooLarge { .. }
            | Self::Records { .. }
            | Self::EmptyQuestion => ErrorKind::Input,
            #[cfg(feature = "serve")]
            Self::Metadata { .. } => ErrorKind::Input,
            Self::Read { source, .. } => of_system(source),
            Self::Attribute { .. } => ErrorKind::Damaged,
            #[cfg(feature = "encoder")]
            error => of_models(error),
        }
    }
}

fn of_system(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::NotPermitted,
        io::ErrorKind::AlreadyExists => ErrorKind::Input,
        _ => ErrorKind::System,
    }
}

/// The kind of an error of a build with models.
#[cfg(feature = "encoder")]
fn of_models(error: &Error) -> ErrorKind {
    use crate::chunk::ChunkError;
    use crate::extract::JsonlError;
    match error {
        Error::Chunking { .. }
        | Error::NoTokens
        | Error::WordsWeight { .. }
        | Error::Extract { .. }
        | Error::Replaced { .. }
        | Error::Exchange { .. }
        | Error::Occupied { .. }
        | Error::SeveralQuestions { .. }
        | Error::QuestionTooLong { .. }
        | Error::Chunk { source: ChunkError::NoRoom { .. }, .. } => ErrorKind::Input,
        Error::Record { source: JsonlError::Read { source, .. }, .. } => of_system(source),
        Error::Record { .. } => ErrorKind::Input,
        Error::BeingWritten { .. } => ErrorKind::InUse,
        Error::NoParquet { .. } => ErrorKind::Unsupported,
        Error::EncoderNotFound { .. } | Error::ModelMissing { .. } => ErrorKind::NotFound,
        Error::OffsetMap { .. } => ErrorKind::Damaged,
        Error::Encoder(error) => of_encoder(error),
        Error::Encode(error) | Error::Chunk { source: ChunkError::Tokenizer(error), .. } => {
            of_encoding(error)
        }
        #[cfg(feature = "generator")]
        Error::UnknownGenerator { .. } | Error::NoLanguageModel => ErrorKind::NotFound,
        #[cfg(feature = "generator")]
        Error::NothingToKeep { .. } => ErrorKind::Input,
        #[cfg(feature = "generator")]
        Error::Generator(error) => of_loading(error),
        #[cfg(feature = "generator")]
        Error::Generate(error) => of_generating(error),
        _ => ErrorKind::System,
    }
}

#[cfg(feature = "encoder")]
fn of_encoder(error: &postil_encoder::EncoderError) -> ErrorKind {
    use postil_encoder::EncoderError;
    match error {
        EncoderError::Checkpoint(error) => of_checkpoint(error),
        EncoderError::Unsupported { .. } => ErrorKind::Unsupported,
        EncoderError::Config { .. } => ErrorKind::Damaged,
        EncoderError::Pair { .. } | EncoderError::Input { .. } => ErrorKind::Input,
        _ => ErrorKind::System,
    }
}

#[cfg(feature = "encoder")]
fn of_checkpoint(error: &postil_checkpoint::CheckpointError) -> ErrorKind {
    use postil_checkpoint::CheckpointError;
    match error {
        CheckpointError::Missing { .. } | CheckpointError::NoHome | CheckpointError::NotInstalled { .. } => {
            ErrorKind::NotFound
        }
        CheckpointError::Io { source, .. } => of_system(source),
        CheckpointError::Corrupt { .. }
        | CheckpointError::NoTensor { .. }
        | CheckpointError::TensorShape { .. } => ErrorKind::Damaged,
        CheckpointError::TensorType { .. } | CheckpointError::Unsupported { .. } => ErrorKind::Unsupported,
        _ => ErrorKind::System,
    }
}

#[cfg(feature = "encoder")]
fn of_encoding(error: &postil_contract::EncodeError) -> ErrorKind {
    match error {
        postil_contract::EncodeError::TooLong { .. } => ErrorKind::Input,
        _ => ErrorKind::System,
    }
}

#[cfg(feature = "generator")]
fn of_loading(error: &postil_generator::LoadError) -> ErrorKind {
    use postil_generator::LoadError;
    match error {
        LoadError::At { error, .. } => of_loading(error),
        LoadError::Checkpoint(error) => of_checkpoint(error),
        LoadError::Template { .. } => ErrorKind::Input,
        LoadError::Unsupported { .. } => ErrorKind::Unsupported,
        _ => ErrorKind::Damaged,
    }
}

#[cfg(feature = "generator")]
fn of_generating(error: &postil_contract::GenerateError) -> ErrorKind {
    use postil_contract::GenerateError;
    match error {
        GenerateError::NoPassages
        | GenerateError::EmptyQuestion
        | GenerateError::QuestionTooLong { .. }
        | GenerateError::TooLong { .. }
        | GenerateError::Value { .. } => ErrorKind::Input,
        GenerateError::Encode(error) => of_encoding(error),
        GenerateError::Keep { source, .. } => of_system(source),
        _ => ErrorKind::System,
    }
}

#[cfg(all(test, feature = "generator"))]
mod tests {
    use postil_checkpoint::CheckpointError;
    use postil_contract::{EncodeError, GenerateError};
    use postil_encoder::EncoderError;
    use postil_generator::LoadError;
    use postil_storage::StorageError;

    use super::*;

    #[test]
    fn each_kind_is_reached_through_the_error_that_wraps_it() {
        let path = || "there".into();
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let unsupported =
            || CheckpointError::Unsupported { path: path(), field: "f", got: "g".into(), supported: "s" };
        let read = |source| Error::Read { path: path(), source };
        let too_long = || EncodeError::TooLong { index: 0, got_tokens: 9, max_tokens: 8 };
        let at = LoadError::At { path: path(), error: Box::new(LoadError::Checkpoint(unsupported())) };
        let damaged = LoadError::MissingTensor { name: "w".into() };
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let exists = StorageError::Exists { path: path() };
        for (error, kind) in [
            (StorageError::Locked { path: path(), pid: 7 }.into(), ErrorKind::InUse),
            (StorageError::Corrupt { path: path(), what: "w".into() }.into(), ErrorKind::Damaged),
            (exists.into(), ErrorKind::Input),
            (StorageError::Cancelled.into(), ErrorKind::Cancelled),
            (read(missing()), ErrorKind::NotFound),
            (read(denied), ErrorKind::NotPermitted),
            (read(io::Error::other("broken")), ErrorKind::System),
            (EncoderError::Checkpoint(unsupported()).into(), ErrorKind::Unsupported),
            (EncoderError::Checkpoint(CheckpointError::NoHome).into(), ErrorKind::NotFound),
            (too_long().into(), ErrorKind::Input),
            (EncodeError::Model { model: "m".into(), reason: "r".into() }.into(), ErrorKind::System),
            (Error::Chunk { key: "k".into(), source: too_long().into() }, ErrorKind::Input),
            (at.into(), ErrorKind::Unsupported),
            (damaged.into(), ErrorKind::Damaged),
            (GenerateError::Encode(too_long()).into(), ErrorKind::Input),
            (GenerateError::NotFinite { passage: 0, token: 0 }.into(), ErrorKind::System),
        ] {
            let error: Error = error;
            assert_eq!(error.kind(), kind, "{error}");
        }
    }
}
