//! Converts text to tokens and back: the only file that names the `tokenizers` crate.

use std::collections::HashMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokenizers::normalizers::{Lowercase, Sequence};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::metaspace::PrependScheme;
use tokenizers::{AddedVocabulary, EncodeInput, PaddingParams, TruncationParams};

/// Largest `tokenizer.json` that is read, in bytes; the largest published ones have some 30 MB.
pub(crate) const MAX_TOKENIZER_BYTES: u64 = 256 << 20;

/// A text as tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Ids of the tokens, in the order of the text.
    pub ids: Vec<u32>,
    /// Byte range of each token, on character boundaries: tokens that share a character share its
    /// bytes.
    pub ranges: Vec<Range<usize>>,
    /// Number of the word each token belongs to, from 0; `None` for a token that belongs to no
    /// word.
    pub words: Vec<Option<u32>>,
}

/// The tokenizer's library failed, or cannot use a `tokenizer.json`: in the library's own words.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TokenizerError(Box<dyn std::error::Error + Send + Sync>);

/// A tokenizer that neither truncates nor pads.
#[derive(Clone, Debug)]
pub struct Tokenizer(tokenizers::Tokenizer);

impl Tokenizer {
    /// Reads the content of a `tokenizer.json`.
    pub fn from_json(json: &[u8]) -> Result<Self, TokenizerError> {
        // Some of the library's decoders expect that what passed one of their parsers passes the
        // next, and panic otherwise. Only the bytes outlive such a panic.
        let read = catch_unwind(AssertUnwindSafe(|| tokenizers::Tokenizer::from_bytes(json)));
        let mut tokenizer = read
            .map_err(|_| TokenizerError("its parts do not fit together".into()))?
            .map_err(TokenizerError)?;
        // Published files often set both (all-MiniLM-L6-v2: truncate and pad to 128), which is left
        // over from training and not a limit of the model. Truncation would be silent, and padding
        // is never needed here.
        tokenizer.with_padding(None::<PaddingParams>);
        tokenizer.with_truncation(None::<TruncationParams>).map_err(TokenizerError)?;
        Ok(Self(tokenizer))
    }

    /// The content of a `tokenizer.json` that describes this tokenizer.
    pub fn to_json(&self) -> String {
        self.0.to_string(false).unwrap_or_default()
    }

    /// The tokens of a text, with the special tokens that the tokenizer adds around it.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        self.encoded(text, true)
    }

    /// The tokens of two texts, with the special tokens that the tokenizer adds around a pair.
    pub fn pair_ids(&self, first: &str, second: &str) -> Result<Vec<u32>, TokenizerError> {
        self.encoded((first, second), true)
    }

    /// The tokens of a text, without special tokens.
    pub fn bare_ids(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        self.encoded(text, false)
    }

    /// The tokens of a text with their byte ranges, without special tokens.
    pub fn tokens(&self, text: &str) -> Result<Tokens, TokenizerError> {
        // `encode`, not `encode_char_offsets`: its offsets count bytes.
        let encoding = self.0.encode(text, false).map_err(TokenizerError)?;
        let range =
            |&(from, to): &(usize, usize)| text.floor_char_boundary(from)..text.ceil_char_boundary(to);
        Ok(Tokens {
            ids: encoding.get_ids().to_vec(),
            ranges: encoding.get_offsets().iter().map(range).collect(),
            words: encoding.get_word_ids().to_vec(),
        })
    }

    /// The text of tokens without the special ones; empty when the library fails.
    pub fn text(&self, ids: &[u32]) -> String {
        self.0.decode(ids, true).unwrap_or_default()
    }

    /// Id of the token with this content; `None` when there is none.
    pub fn id(&self, content: &str) -> Option<u32> {
        self.0.token_to_id(content)
    }

    /// Content of a token; `None` when the id is unknown.
    pub fn content(&self, id: u32) -> Option<String> {
        self.0.id_to_token(id)
    }

    /// One more than the highest id.
    pub fn size(&self) -> usize {
        self.0.get_vocab(true).values().max().map_or(0, |last| *last as usize + 1)
    }

    /// Content of each token added beside the model's own, by id. White space that stands for
    /// itself is left out.
    pub fn controls(&self) -> HashMap<u32, String> {
        let added = self.0.get_added_tokens_decoder().into_iter();
        let controls = added.filter(|(_, token)| token.special || !token.content.trim().is_empty());
        controls.map(|(id, token)| (id, token.content)).collect()
    }

    /// A copy of this tokenizer without added tokens, so that text which looks like a special token
    /// stays text.
    #[must_use]
    pub fn without_added(&self) -> Self {
        let mut plain = self.clone();
        plain.0.with_added_vocabulary(AddedVocabulary::new());
        plain
    }

    /// A copy of this tokenizer for text that follows other text; `None` when that makes no
    /// difference.
    #[must_use]
    pub fn continuing(&self) -> Option<Self> {
        match self.0.get_pre_tokenizer() {
            Some(PreTokenizerWrapper::Metaspace(space)) if space.prepend_scheme == PrependScheme::First => {
                let mut space = space.clone();
                space.set_prepend_scheme(PrependScheme::Never);
                let mut continuing = self.clone();
                continuing.0.with_pre_tokenizer(Some(space));
                Some(continuing)
            }
            _ => None,
        }
    }

    /// Makes the tokenizer lower-case all text before its own steps.
    #[must_use]
    pub fn lower_cased(mut self) -> Self {
        let own = self.0.get_normalizer().cloned();
        let steps = std::iter::once(Lowercase.into()).chain(own).collect();
        self.0.with_normalizer(Some(Sequence::new(steps)));
        self
    }

    /// Makes the tokenizer read text that looks like a special token as plain text.
    #[must_use]
    pub fn without_special(mut self) -> Self {
        self.0.set_encode_special_tokens(true);
        self
    }

    fn encoded<'s>(
        &self,
        input: impl Into<EncodeInput<'s>>,
        around: bool,
    ) -> Result<Vec<u32>, TokenizerError> {
        let encoding = self.0.encode_fast(input, around).map_err(TokenizerError)?;
        Ok(encoding.get_ids().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_makes_the_crate_panic_is_an_error() {
        let json = include_bytes!("../../../tests/fuzz/found/tokenizer/a-decoder-with-half-a-character.json");
        assert!(Tokenizer::from_json(json).is_err());
    }

    #[test]
    fn tokens_that_share_a_character_share_its_bytes() {
        // Byte-level: one token per byte, so that a character of three bytes is three tokens.
        let json = r#"{
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
            "pre_tokenizer": {
                "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false
            },
            "post_processor": null, "decoder": null,
            "model": {"type": "BPE", "vocab": {"a": 0, "â": 1, "Ĥ": 2, "¬": 3}, "merges": []}
        }"#;
        let tokens = Tokenizer::from_json(json.as_bytes()).unwrap().tokens("a€a").unwrap();
        assert_eq!(tokens.ids, [0, 1, 2, 3, 0]);
        assert_eq!(tokens.ranges, [0..1, 1..4, 1..4, 1..4, 4..5]);
    }
}
