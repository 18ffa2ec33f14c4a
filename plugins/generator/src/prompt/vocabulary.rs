use std::collections::HashMap;
use std::ops::Range;

use postil_checkpoint::{Tokenizer, TokenizerError};
use postil_contract::TokenId;

use super::defuse::defuse;
use crate::LoadError;

/// A tokenizer, and a second view of it that reads all text as plain text.
pub(crate) struct Vocabulary {
    tokenizer: Tokenizer,
    /// The tokenizer without added tokens, so that text which looks like a control token stays
    /// text.
    plain: Tokenizer,
    /// As `plain`, for text that is not the first of a prompt; `None` when that makes no
    /// difference.
    plain_later: Option<Tokenizer>,
    /// Tokens that no text may become, with their contents.
    controls: HashMap<TokenId, String>,
    before: Vec<TokenId>,
    after: Vec<TokenId>,
    size: usize,
}

impl Vocabulary {
    /// Takes the tokens that the tokenizer puts around a text from the tokenizer itself.
    pub(crate) fn new(tokenizer: Tokenizer) -> Result<Self, LoadError> {
        let broken = |error: TokenizerError| LoadError::Config { reason: format!("tokenizer: {error}") };
        let bare = tokenizer.bare_ids("a").map_err(broken)?;
        let whole = tokenizer.ids("a").map_err(broken)?;
        let at = whole.windows(bare.len().max(1)).position(|window| window == bare).unwrap_or(whole.len());
        let (before, rest) = whole.split_at(at);
        let after = rest.get(bare.len()..).unwrap_or_default().to_vec();
        Ok(Self::with_around(tokenizer, before.to_vec(), after))
    }

    /// Uses the tokens `before` and `after` around every text.
    pub(crate) fn with_around(tokenizer: Tokenizer, before: Vec<TokenId>, after: Vec<TokenId>) -> Self {
        let controls = tokenizer.controls();
        let plain = tokenizer.without_added();
        let plain_later = plain.continuing();
        let size = tokenizer.size();
        Self { tokenizer, plain, plain_later, controls, before, after, size }
    }

    /// One more than the highest id.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The tokens that the tokenizer puts before and after every text.
    pub(crate) fn around(&self) -> (&[TokenId], &[TokenId]) {
        (&self.before, &self.after)
    }

    /// The tokens of a text, none of them a control token. `is_first` is true when no text comes
    /// before it.
    ///
    /// A vocabulary may have its control tokens among the pieces of ordinary text (as T5's has);
    /// text that looks like one then gets a space in it.
    pub(crate) fn plain(&self, text: &str, is_first: bool) -> Result<Vec<TokenId>, TokenizerError> {
        let tokenizer = self.plain_later.as_ref().filter(|_| !is_first).unwrap_or(&self.plain);
        let found = tokenizer.bare_ids(text)?;
        if !found.iter().any(|id| self.controls.contains_key(id)) {
            return Ok(found);
        }
        let mut contents: Vec<String> = self.controls.values().cloned().collect();
        contents.sort();
        let mut found = tokenizer.bare_ids(&defuse(text, &contents))?;
        // A control token remains when normalization first forms one from the text (from full-width
        // letters, for example).
        found.retain(|id| !self.controls.contains_key(id));
        Ok(found)
    }

    /// The control tokens in a template's text, with their byte ranges.
    pub(crate) fn controls_in(&self, text: &str) -> Result<Vec<(TokenId, Range<usize>)>, TokenizerError> {
        let tokens = self.tokenizer.tokens(text)?;
        let placed = tokens.ids.into_iter().zip(tokens.ranges);
        Ok(placed.filter(|(id, _)| self.controls.contains_key(id)).collect())
    }

    /// Byte range of each token of a text.
    pub(crate) fn ranges(&self, text: &str) -> Result<Vec<Range<usize>>, TokenizerError> {
        Ok(self.plain.tokens(text)?.ranges)
    }

    /// The text of tokens up to the last complete character: a character of several tokens appears
    /// with its last token. So the text of more tokens begins with the text of fewer.
    pub(crate) fn text(&self, tokens: &[TokenId]) -> String {
        let mut text = self.tokenizer.text(tokens);
        text.truncate(text.trim_end_matches(char::REPLACEMENT_CHARACTER).len());
        text
    }
}
