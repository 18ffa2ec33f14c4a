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

impl Prompt {
    /// The tokens that do not depend on the question, without the prompt's last token, which is read
    /// with the answer.
    pub(crate) fn beginning(&self) -> &[TokenId] {
        &self.tokens[..self.shared.min(self.tokens.len().saturating_sub(1))]
    }
}

impl From<Vec<TokenId>> for Prompt {
    /// A prompt of which nothing is known.
    fn from(tokens: Vec<TokenId>) -> Self {
        Self { tokens, prefix: 0, shared: 0 }
    }
}
