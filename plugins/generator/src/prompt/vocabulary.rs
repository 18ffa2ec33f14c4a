use std::collections::HashMap;
use std::ops::Range;

use postil_checkpoint::Tokenizer;
use postil_contract::TokenId;
use tokenizers::AddedVocabulary;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::metaspace::PrependScheme;

use super::defuse::defuse;
use crate::LoadError;

/// A tokenizer, and a second view of it that reads text as nothing but text.
pub(crate) struct Vocabulary {
    tokenizer: Tokenizer,
    /// Without added tokens: text never becomes a control token by looking like one.
    plain: Tokenizer,
    /// The same for text that is not the first of a prompt, where that makes a difference.
    plain_later: Option<Tokenizer>,
    /// Tokens that no text may become, by content.
    controls: HashMap<TokenId, String>,
    before: Vec<TokenId>,
    after: Vec<TokenId>,
    size: usize,
}

impl Vocabulary {
    /// Takes what the tokenizer puts around a text from the tokenizer itself.
    pub(crate) fn new(tokenizer: Tokenizer) -> Result<Self, LoadError> {
        let broken = |reason: String| LoadError::Config { reason: format!("tokenizer: {reason}") };
        let ids = |special| tokenizer.encode("a", special).map(|encoding| encoding.get_ids().to_vec());
        let (bare, whole) = (ids(false), ids(true));
        let (bare, whole) =
            (bare.map_err(|e| broken(e.to_string()))?, whole.map_err(|e| broken(e.to_string()))?);
        let at = whole.windows(bare.len().max(1)).position(|window| window == bare).unwrap_or(whole.len());
        let (before, rest) = whole.split_at(at);
        let after = rest.get(bare.len()..).unwrap_or_default().to_vec();
        Ok(Self::with_around(tokenizer, before.to_vec(), after))
    }

    /// With `before` and `after` around every text.
    pub(crate) fn with_around(tokenizer: Tokenizer, before: Vec<TokenId>, after: Vec<TokenId>) -> Self {
        let visible = |content: &str| !content.trim().is_empty();
        let added = tokenizer.get_added_tokens_decoder();
        let controls: HashMap<_, _> = added
            .into_iter()
            .filter(|(_, token)| token.special || visible(&token.content))
            .map(|(id, token)| (id, token.content))
            .collect();
        let mut plain = tokenizer.clone();
        plain.with_added_vocabulary(AddedVocabulary::new());
        let plain_later = match plain.get_pre_tokenizer() {
            Some(PreTokenizerWrapper::Metaspace(space)) if space.prepend_scheme == PrependScheme::First => {
                let mut space = space.clone();
                space.set_prepend_scheme(PrependScheme::Never);
                let mut later = plain.clone();
                later.with_pre_tokenizer(Some(space));
                Some(later)
            }
            _ => None,
        };
        let ids = tokenizer.get_vocab(true);
        let size = ids.values().max().map_or(0, |last| *last as usize + 1);
        Self { tokenizer, plain, plain_later, controls, before, after, size }
    }

    /// One more than the highest id.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// What the tokenizer puts before and after every text.
    pub(crate) fn around(&self) -> (&[TokenId], &[TokenId]) {
        (&self.before, &self.after)
    }

    /// The token with this content.
    pub(crate) fn id(&self, content: &str) -> Option<TokenId> {
        self.tokenizer.token_to_id(content)
    }

    /// The tokens of a text, none of them a control token. `is_first`: nothing stands before it.
    ///
    /// A vocabulary may have its control tokens among the pieces that text is made of (T5's has); what
    /// looks like one is then spelled with a space in it.
    pub(crate) fn plain(&self, text: &str, is_first: bool) -> Result<Vec<TokenId>, String> {
        let tokenizer = self.plain_later.as_ref().filter(|_| !is_first).unwrap_or(&self.plain);
        let ids = |text: &str| {
            let encoding = tokenizer.encode_fast(text, false).map_err(|error| error.to_string())?;
            Ok::<_, String>(encoding.get_ids().to_vec())
        };
        let found = ids(text)?;
        if !found.iter().any(|id| self.controls.contains_key(id)) {
            return Ok(found);
        }
        let mut contents: Vec<String> = self.controls.values().cloned().collect();
        contents.sort();
        let mut found = ids(&defuse(text, &contents))?;
        // Left over where normalization first makes a control token of a text (of full-width letters, say).
        found.retain(|id| !self.controls.contains_key(id));
        Ok(found)
    }

    /// The control tokens in a text of our own, with their places.
    pub(crate) fn controls_in(&self, text: &str) -> Result<Vec<(TokenId, Range<usize>)>, String> {
        let encoding = self.tokenizer.encode(text, false).map_err(|error| error.to_string())?;
        let tokens = encoding.get_ids().iter().zip(encoding.get_offsets());
        let controls = tokens.filter(|(id, _)| self.controls.contains_key(id));
        Ok(controls.map(|(id, &(from, to))| (*id, bounds(text, from, to))).collect())
    }

    /// Byte range of each token of a text.
    pub(crate) fn ranges(&self, text: &str) -> Result<Vec<Range<usize>>, String> {
        let encoding = self.plain.encode(text, false).map_err(|error| error.to_string())?;
        Ok(encoding.get_offsets().iter().map(|&(from, to)| bounds(text, from, to)).collect())
    }

    /// The text of tokens, as far as its characters are complete: of a character of several tokens, nothing
    /// before the last. So the text of more tokens begins with the text of fewer.
    pub(crate) fn text(&self, tokens: &[TokenId]) -> String {
        let mut text = self.tokenizer.decode(tokens, true).unwrap_or_default();
        text.truncate(text.trim_end_matches(char::REPLACEMENT_CHARACTER).len());
        text
    }
}

fn bounds(text: &str, from: usize, to: usize) -> Range<usize> {
    text.floor_char_boundary(from)..text.ceil_char_boundary(to)
}
