/// Reasons that there is no answer, as opposed to the answer "no answer".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// There are no passages. Retrieve at least one first.
    #[error("an answer needs at least one passage, k is 0")]
    NoPassages,
    /// The question is blank. Ask something.
    #[error("the question is empty")]
    EmptyQuestion,
    /// The question is too long. Shorten it.
    #[error("the question has {got_tokens} tokens, the model reads at most {max_tokens}")]
    QuestionTooLong {
        /// Length of the question in tokens.
        got_tokens: usize,
        /// Maximum that the model was trained to read, in tokens.
        max_tokens: usize,
    },
    /// A prompt does not fit the window. Shorten the question or the passage.
    #[error("the prompt for passage {passage} has {got_tokens} tokens, the model reads at most {max_tokens}")]
    TooLong {
        /// Position among the passages given.
        passage: usize,
        /// Length of the prompt in tokens.
        got_tokens: usize,
        /// The model's window in tokens.
        max_tokens: usize,
    },
    /// Two lengths that must agree do not.
    #[error("{what}: got {got}, expected {expected}")]
    Shape {
        /// The quantity whose length is wrong.
        what: &'static str,
        /// The length given.
        got: usize,
        /// The required length, or the number it must be a multiple of.
        expected: usize,
    },
    /// The model's output is not a distribution.
    #[error("the model gave no number for token {token} under passage {passage}")]
    NotFinite {
        /// Position among the passages given.
        passage: usize,
        /// Token id, or the token's position in an answer.
        token: usize,
    },
    /// A number given by the caller is invalid.
    #[error("{what} is {got}, it must be {expected}")]
    Value {
        /// The number's name.
        what: &'static str,
        /// The value given.
        got: f64,
        /// The requirement.
        expected: &'static str,
    },
    /// Reading was cancelled by its watch.
    #[error("reading was cancelled")]
    Cancelled,
    /// A file of what was read could not be written. Free the disk, or choose another folder.
    #[error("{path}: {source}", path = path.display())]
    Keep {
        /// The file.
        path: std::path::PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The generator's encoder failed.
    #[error(transparent)]
    Encode(#[from] crate::EncodeError),
    /// The model itself failed.
    #[error("model {model} failed: {reason}")]
    Model {
        /// The model's name.
        model: String,
        /// The model's error message.
        reason: String,
    },
}
