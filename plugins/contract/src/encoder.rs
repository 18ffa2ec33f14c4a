use std::ops::Range;

use crate::{Embeddings, Passage};

/// The measure by which two vectors of an encoder are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Similarity {
    /// Dot product of unit vectors, in [-1, 1].
    Cosine,
    /// Dot product of vectors that are not normalized, as for DPR.
    Dot,
}

/// The facts about an encoder that its vectors' users need.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderProfile {
    /// Name of the model, such as `all-MiniLM-L6-v2`.
    pub name: String,
    /// Hexadecimal digest of everything that decides the vectors. Two encoders with the same
    /// fingerprint give the same vectors, and a database accepts one fingerprint only.
    pub fingerprint: String,
    /// Number of components in each vector.
    pub dimension: usize,
    /// Longest input in tokens, special tokens included.
    pub max_tokens: usize,
    /// The measure by which the vectors are compared.
    pub similarity: Similarity,
    /// The scale s in p(z|x) = softmax_z(s * similarity): 1 for DPR, whose raw products were
    /// trained as logits; 20 for models trained with cosine times 20.
    pub score_scale: f32,
}

/// An encoder of text to vectors, with separate sides for questions and passages (Karpukhin et al.
/// 2020, section 3.1).
///
/// A model with one side gives the same vector on both.
pub trait Encoder: Send + Sync {
    /// The facts about the model.
    fn profile(&self) -> &EncoderProfile;

    /// The byte range of each token of `text` as the passage side reads it, in order, without
    /// special tokens and without a limit on length. Ranges lie on character boundaries and may
    /// share bytes when one character becomes several tokens.
    ///
    /// # Errors
    /// [`EncodeError::Model`] when the tokenizer fails.
    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError>;

    /// Number of tokens left in the window for the text of a passage with this title: `max_tokens`
    /// minus the title, its separator, and special tokens. 0 when the title alone fills the window.
    ///
    /// # Errors
    /// [`EncodeError::Model`] when the tokenizer fails.
    fn room(&self, title: &str) -> Result<usize, EncodeError>;

    /// Vectors of questions, in the order given, `[questions.len(), dimension]`.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for a text longer than the window: text is never cut silently.
    fn encode_questions(&self, questions: &[&str]) -> Result<Embeddings, EncodeError>;

    /// Vectors of passages, in the order given, `[passages.len(), dimension]`.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for a passage that, with its title, is longer than the window.
    fn encode_passages(&self, passages: &[Passage<'_>]) -> Result<Embeddings, EncodeError>;
}

/// Reasons that a text has no vector.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The text is longer than the window. Shorten it, or split it.
    #[error("text {index} has {got_tokens} tokens, the model reads at most {max_tokens}")]
    TooLong {
        /// Position in the batch given.
        index: usize,
        /// Length of the text in tokens, special tokens included.
        got_tokens: usize,
        /// The model's window in tokens, special tokens included.
        max_tokens: usize,
    },
    /// The model itself failed: a damaged file, an unsupported layer, no memory.
    #[error("model {model} failed: {reason}")]
    Model {
        /// The model's name.
        model: String,
        /// The model's error message.
        reason: String,
    },
}
