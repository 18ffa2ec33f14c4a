use postil_contract::TokenId;

/// A prompt's tokens, and how much of its beginning does not depend on the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub(crate) tokens: Vec<TokenId>,
    /// Number of tokens before the passage.
    pub(crate) prefix: usize,
    /// Number of tokens before the question, those of the passage among them when it comes first.
    pub(crate) shared: usize,
}

impl From<Vec<TokenId>> for Prompt {
    /// A prompt of which nothing is known.
    fn from(tokens: Vec<TokenId>) -> Self {
        Self { tokens, prefix: 0, shared: 0 }
    }
}
