use std::path::PathBuf;

use postil_storage::StorageError;

/// Errors of the database; each message says what to do next where it can.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store refused or failed.
    #[error(transparent)]
    Storage(StorageError),
    /// Work was cancelled before its end; nothing is lost.
    #[error("cancelled; nothing is lost")]
    Cancelled,
    /// The folder of an open database has another one now. Open it anew.
    #[error("{path}: another database was made here; open it anew", path = path.display())]
    AnotherDatabase {
        /// Folder of the database.
        path: PathBuf,
    },
    /// Returned when a new database is given neither an encoder nor a dimension.
    #[error("{path} does not exist; to create it, give an encoder or a dimension", path = path.display())]
    NothingToCreateWith {
        /// The database that was to be opened.
        path: PathBuf,
    },
    /// Text was given to a database of bare vectors.
    #[error("this database holds bare vectors of {dimension} components: give vectors, not text")]
    NoEncoder {
        /// Components of its vectors.
        dimension: usize,
    },
    /// Returned for another encoder than the recorded one. Open the database with that, or make
    /// another.
    #[error(
        "the database was made with encoder {database} ({database_fingerprint}), not with {given} \
         ({given_fingerprint})"
    )]
    EncoderMismatch {
        /// Name of the encoder the database was made with.
        database: String,
        /// Its fingerprint.
        database_fingerprint: String,
        /// Name of the encoder given.
        given: String,
        /// Its fingerprint.
        given_fingerprint: String,
    },
    /// Returned for other chunking options than the recorded ones. Leave them out, or make another
    /// database.
    #[cfg(feature = "encoder")]
    #[error(
        "this database splits documents into passages of {} tokens with {} sentences of \
         overlap, not of {} with {}",
        recorded.max_tokens, recorded.overlap_sentences, given.max_tokens, given.overlap_sentences
    )]
    Chunking {
        /// The value that the database was made with.
        recorded: crate::chunk::ChunkOptions,
        /// The value that was asked for.
        given: crate::chunk::ChunkOptions,
    },
    /// Returned for another precision than the recorded one. Make a new database to change it.
    #[error(
        "this database keeps vectors in {recorded} precision, not in {given}; the precision of a database is \
         chosen when it is made"
    )]
    Precision {
        /// The value that the database was made with.
        recorded: postil_storage::Precision,
        /// The value that was asked for.
        given: postil_storage::Precision,
    },
    /// Returned when passages may have 0 tokens. Give at least one.
    #[cfg(feature = "encoder")]
    #[error("a passage of at most 0 tokens holds nothing")]
    NoTokens,
    /// Returned when the weight of words is negative or not finite.
    #[cfg(feature = "encoder")]
    #[error("the weight of words is {got}, expected a finite number from 0")]
    WordsWeight {
        /// The value given.
        got: f32,
    },
    /// An encoder returned fewer or more vectors than it was given texts.
    #[cfg(feature = "encoder")]
    #[error("the encoder gave {got} vectors for {expected} passages")]
    VectorCount {
        /// Vectors received.
        got: usize,
        /// Passages sent.
        expected: usize,
    },
    /// The database's encoder is at none of the places where it may be.
    #[cfg(feature = "encoder")]
    #[error(
        "the database's encoder {name}, fingerprint {fingerprint}, is at none of these places: {}; put its \
         folder at one of them, or under any name into {}{}",
        crate::tried::list(tried),
        home.as_ref().map_or_else(|| NO_HOME.to_owned(), |home| home.display().to_string()),
        if is_path(name) { String::new() } else { format!(", or fetch it with: postil model add {name}") },
    )]
    EncoderNotFound {
        /// Its name, or the path of its folder.
        name: String,
        /// Its fingerprint; a model with another one is not used.
        fingerprint: String,
        /// The places where it was looked for.
        tried: Vec<crate::tried::Tried>,
        /// The model home; `None` when the environment names none.
        home: Option<PathBuf>,
    },
    /// The model is not on this machine.
    #[cfg(feature = "encoder")]
    #[error("{}", not_installed(name))]
    ModelMissing {
        /// Its name.
        name: String,
        /// The places where it was looked for.
        #[source]
        source: postil_checkpoint::CheckpointError,
    },
    /// The model's folder is damaged or of an unsupported kind.
    #[cfg(feature = "encoder")]
    #[error(transparent)]
    Encoder(#[from] postil_encoder::EncoderError),
    /// The encoder could not read a text.
    #[cfg(feature = "encoder")]
    #[error(transparent)]
    Encode(#[from] postil_contract::EncodeError),
    /// A document could not be split into passages.
    #[cfg(feature = "encoder")]
    #[error("{key}: {source}")]
    Chunk {
        /// The document's key.
        key: String,
        /// The reason.
        source: crate::chunk::ChunkError,
    },
    /// A document's bytes are not the text they claim to be.
    #[cfg(feature = "encoder")]
    #[error("{key}: {source}")]
    Extract {
        /// The document's key.
        key: String,
        /// The reason.
        source: crate::extract::ExtractError,
    },
    /// A document's metadata is no JSON object.
    #[cfg(feature = "serve")]
    #[error("{key}: the metadata: {what}")]
    Metadata {
        /// The document's key.
        key: String,
        /// The reason.
        what: String,
    },
    /// A document has no text to embed. To delete the stored one with its key, remove that.
    #[error("{key}: the document is empty")]
    EmptyDocument {
        /// The document's key.
        key: String,
    },
    /// The same key came twice in one ingest; the first was kept.
    #[error("{key}: this key came twice in one ingest, the first was kept")]
    RepeatedKey {
        /// The document's key.
        key: String,
    },
    /// A line of a JSONL file is no document.
    #[cfg(feature = "encoder")]
    #[error("{file}: {source}")]
    Record {
        /// The file.
        file: String,
        /// The reason, with the line.
        source: crate::extract::JsonlError,
    },
    /// A file is larger than a document may be.
    #[error("{path} has {got_bytes} bytes, a document may have {max_bytes}; split it", path = path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        got_bytes: u64,
        /// The limit.
        max_bytes: u64,
    },
    /// A file has a document on each line: ingest it with
    /// [`Database::ingest_from`](crate::Database::ingest_from).
    #[error(
        "{path} has a document on each line; ingest it with Database::ingest_from, which takes them all",
        path = path.display()
    )]
    Records {
        /// The file.
        path: PathBuf,
    },
    /// A file or folder cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file was replaced after its folder was walked; reading it might have led out of the
    /// folder.
    #[cfg(feature = "encoder")]
    #[error(
        "{path} was replaced since its folder was walked: it is a link now, lies under one, \
         or is no regular file",
        path = path.display()
    )]
    Replaced {
        /// Path of the file.
        path: PathBuf,
    },
    /// Something else is where an export is to be written. Move it, or name another place.
    #[cfg(feature = "encoder")]
    #[error(
        "{path}: something else is in the way; move it, or export to another place",
        path = path.display()
    )]
    Occupied {
        /// The file or folder in the way.
        path: PathBuf,
    },
    /// Another export is writing the file. Wait for it, or name another place.
    #[cfg(feature = "encoder")]
    #[error("{path}: another export is writing it", path = path.display())]
    BeingWritten {
        /// The unfinished file.
        path: PathBuf,
    },
    /// Returned by a build without the feature `parquet` for a Parquet file. Use a folder or lines.
    #[cfg(feature = "encoder")]
    #[error(
        "{path}: this build knows no Parquet: it was made without the feature \"parquet\"",
        path = path.display()
    )]
    NoParquet {
        /// The file.
        path: PathBuf,
    },
    /// A file of an export is invalid.
    #[cfg(feature = "encoder")]
    #[error("{path}: {what}", path = path.display())]
    Exchange {
        /// The file.
        path: PathBuf,
        /// The reason.
        what: String,
    },
    /// A folder cannot be walked to its end.
    #[cfg(feature = "encoder")]
    #[error("{0}")]
    Walk(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An attribute that the database records cannot be parsed.
    #[error("the database records {name} as {value:?}, which is not a number")]
    Attribute {
        /// Name of the attribute.
        name: &'static str,
        /// Value of the attribute.
        value: String,
    },
    /// A document's stored offset map does not fit its text.
    #[cfg(feature = "encoder")]
    #[error("{key}: {source}; ingest the document again")]
    OffsetMap {
        /// The document's key.
        key: String,
        /// The reason.
        source: crate::extract::OffsetMapError,
    },
    /// Returned when the question is blank.
    #[error("the question is empty")]
    EmptyQuestion,
    /// Returned when a text asks several questions, since one answer would be to one of them. Ask
    /// one at a time, or all with [`Database::ask_each`](crate::ReadOnlyDatabase::ask_each).
    #[cfg(feature = "encoder")]
    #[error("this asks {} things, ask one at a time: {}", questions.len(), questions.join(" | "))]
    SeveralQuestions {
        /// The questions.
        questions: Vec<String>,
    },
    /// Returned when the question is longer than the limit.
    #[cfg(feature = "encoder")]
    #[error("the question has {got_bytes} bytes, the limit is {max_bytes}")]
    QuestionTooLong {
        /// Bytes of the question.
        got_bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// Returned when no generator has the name. Name another.
    #[cfg(feature = "generator")]
    #[error(
        "there is no generator {name:?}; there are: {known}, and any language model by its folder, its GGUF file \
         or its name in the list of models"
    )]
    UnknownGenerator {
        /// The name given.
        name: String,
        /// The known names.
        known: String,
    },
    /// The language model is not on this machine, or its name is that of several.
    #[cfg(feature = "generator")]
    #[error("{}", missing_generator(name, source))]
    GeneratorMissing {
        /// The name given.
        name: String,
        /// The reason that the model home has none.
        #[source]
        source: Box<postil_checkpoint::CheckpointError>,
    },
    /// Training failed; the database is unchanged.
    #[cfg(feature = "train")]
    #[error(transparent)]
    Train(Box<postil_training::TrainError>),
    /// A language model is damaged, incomplete, or of a kind there is no code for.
    #[cfg(feature = "generator")]
    #[error(transparent)]
    Generator(Box<postil_generator::LoadError>),
    /// The generator could not answer, which is not the same as the answer "no answer".
    #[cfg(feature = "generator")]
    #[error(transparent)]
    Generate(postil_contract::GenerateError),
    /// Returned for `auto` when no language model is installed. Add one, or name it.
    #[cfg(feature = "generator")]
    #[error("no language model is installed; add one with: postil model add smollm2-135m-instruct")]
    NoLanguageModel,
    /// The generator keeps nothing of what it reads. Name a language model.
    #[cfg(feature = "generator")]
    #[error("{generator} keeps nothing of what it reads; name a decoder-only language model")]
    NothingToKeep {
        /// Name of the generator.
        generator: String,
    },
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Cancelled => Self::Cancelled,
            error => Self::Storage(error),
        }
    }
}

#[cfg(feature = "generator")]
impl From<postil_contract::GenerateError> for Error {
    fn from(error: postil_contract::GenerateError) -> Self {
        match error {
            postil_contract::GenerateError::Cancelled => Self::Cancelled,
            error => Self::Generate(error),
        }
    }
}

/// Text for the model home when the environment names none.
#[cfg(feature = "encoder")]
const NO_HOME: &str = "the model home, once POSTIL_MODELS names it";

/// True when a model is named by its path; `organization/name` is a name.
#[cfg(feature = "encoder")]
fn is_path(model: &str) -> bool {
    let path = std::path::Path::new(model);
    path.is_absolute() || model.starts_with('.') || path.components().count() > 2
}

#[cfg(feature = "encoder")]
fn not_installed(model: &str) -> String {
    match is_path(model) {
        true => format!("there is no model folder at {model}"),
        false => format!("model {model} is not installed; fetch it with: postil model add {model}"),
    }
}

#[cfg(feature = "generator")]
fn missing_generator(name: &str, source: &postil_checkpoint::CheckpointError) -> String {
    match source {
        postil_checkpoint::CheckpointError::NotInstalled { .. } => format!(
            "nothing is at {name}, and no model of that name is installed; fetch it with: postil model add {name}"
        ),
        other => other.to_string(),
    }
}

#[cfg(feature = "generator")]
impl From<postil_generator::LoadError> for Error {
    /// Boxed, so that every other result stays small.
    fn from(error: postil_generator::LoadError) -> Self {
        Self::Generator(Box::new(error))
    }
}
