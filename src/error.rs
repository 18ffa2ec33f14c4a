use std::path::PathBuf;

/// Why the database could not do what it was asked; each message says what to do next where it can.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store refused or failed.
    #[error(transparent)]
    Storage(#[from] postil_storage::StorageError),
    /// Work was cancelled before it began.
    #[error("cancelled before it began")]
    Cancelled,
    /// Creating a database for text needs an encoder, or a dimension for bare vectors.
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
    /// Open it with the encoder it was made with, or make another database.
    #[error(
        "the database was made with encoder {database} ({database_fingerprint}), not with {given} ({given_fingerprint})"
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
    /// Leave the option out, or make another database.
    #[cfg(feature = "encoder")]
    #[error(
        "this database splits documents into passages of {} tokens with {} sentences of overlap, not of {} with {}",
        recorded.max_tokens, recorded.overlap_sentences, given.max_tokens, given.overlap_sentences
    )]
    Chunking {
        /// What the database was made with.
        recorded: crate::chunk::ChunkOptions,
        /// What was asked for.
        given: crate::chunk::ChunkOptions,
    },
    /// The database keeps vectors in another precision than the one asked for: make a new one to have it.
    #[error(
        "this database keeps vectors in {recorded} precision, not in {given}; the precision of a database is chosen when it is made"
    )]
    Precision {
        /// What the database was made with.
        recorded: postil_storage::Precision,
        /// What was asked for.
        given: postil_storage::Precision,
    },
    /// Give passages at least one token.
    #[cfg(feature = "encoder")]
    #[error("a passage of at most 0 tokens holds nothing")]
    NoTokens,
    /// Weigh words by a number from 0.
    #[cfg(feature = "encoder")]
    #[error("the weight of words is {got}, expected a finite number from 0")]
    WordsWeight {
        /// What was given.
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
        "the database's encoder {name}, fingerprint {fingerprint}, is at none of these places: {}; put its folder at one of \
         them, or under any name into {}{}",
        crate::tried::list(tried),
        home.as_ref().map_or_else(|| NO_HOME.to_owned(), |home| home.display().to_string()),
        if is_path(name) { String::new() } else { format!(", or fetch it with: postil model add {name}") },
    )]
    EncoderNotFound {
        /// Its name, or where its folder was.
        name: String,
        /// Its fingerprint: another model is not taken for it.
        fingerprint: String,
        /// Where it was looked for.
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
        /// Where it was looked for.
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
        /// What was wrong.
        source: crate::chunk::ChunkError,
    },
    /// A document's bytes are not the text they claim to be.
    #[cfg(feature = "encoder")]
    #[error("{key}: {source}")]
    Extract {
        /// The document's key.
        key: String,
        /// What was wrong.
        source: crate::extract::ExtractError,
    },
    /// There is nothing to embed. To take out what the database has under the key, remove it.
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
        /// What was wrong, with the line.
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
    /// A file has a document on each line: ingest it with [`Database::ingest_from`](crate::Database::ingest_from).
    #[error("{path} has a document on each line; ingest it with Database::ingest_from, which takes them all", path = path.display())]
    Records {
        /// The file.
        path: PathBuf,
    },
    /// A file or folder cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What was a file when its folder was walked is none any more; reading it might have led out of the folder.
    #[cfg(feature = "encoder")]
    #[error(
        "{path} was replaced since its folder was walked: it is a link now, lies under one, or is no regular file",
        path = path.display()
    )]
    Replaced {
        /// Where it was.
        path: PathBuf,
    },
    /// A file of an export is not what it has to be.
    #[cfg(feature = "encoder")]
    #[error("{path}: {what}", path = path.display())]
    Exchange {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A folder cannot be walked to its end.
    #[cfg(feature = "encoder")]
    #[error("{0}")]
    Walk(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What the database records of itself cannot be read.
    #[error("the database records {name} as {value:?}, which is not a number")]
    Attribute {
        /// Which record.
        name: &'static str,
        /// What it holds.
        value: String,
    },
    /// What is stored of a document does not fit its text.
    #[cfg(feature = "encoder")]
    #[error("{key}: {source}; ingest the document again")]
    OffsetMap {
        /// The document's key.
        key: String,
        /// What was wrong.
        source: crate::extract::OffsetMapError,
    },
    /// Ask something.
    #[error("the question is empty")]
    EmptyQuestion,
    /// Ask one at a time, or all with [`Database::ask_each`](crate::Database::ask_each): one answer would
    /// be to one of them.
    #[cfg(feature = "encoder")]
    #[error("this asks {} things, ask one at a time: {}", questions.len(), questions.join(" | "))]
    SeveralQuestions {
        /// Each of them.
        questions: Vec<String>,
    },
    /// Ask in fewer words.
    #[cfg(feature = "encoder")]
    #[error("the question has {got_bytes} bytes, the limit is {max_bytes}")]
    QuestionTooLong {
        /// Bytes of the question.
        got_bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// Name another generator.
    #[cfg(feature = "generator")]
    #[error(
        "there is no generator {name:?}; there are: {known}, and any language model by its folder or GGUF file"
    )]
    UnknownGenerator {
        /// What was named.
        name: String,
        /// What could have been.
        known: String,
    },
    /// A language model is damaged, incomplete, or of a kind there is no code for.
    #[cfg(feature = "generator")]
    #[error(transparent)]
    Generator(Box<postil_generator::LoadError>),
    /// The generator could not answer, which is not the same as the answer "no answer".
    #[cfg(feature = "generator")]
    #[error(transparent)]
    Generate(#[from] postil_contract::GenerateError),
}

/// An error and all its causes, in one line.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // A transparent error repeats its cause word for word, others have it in the middle of what they say.
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// Where models go when the environment names no place for them.
#[cfg(feature = "encoder")]
const NO_HOME: &str = "the model home, once POSTIL_MODELS names it";

/// Tells whether a model is named by its place; `organization/name` is a name.
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
impl From<postil_generator::LoadError> for Error {
    /// Boxed, so that every other result stays small.
    fn from(error: postil_generator::LoadError) -> Self {
        Self::Generator(Box::new(error))
    }
}
