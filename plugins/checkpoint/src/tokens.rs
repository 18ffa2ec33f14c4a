//! Text to tokens and back: the one place that names the `tokenizers` crate.

use std::collections::HashMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokenizers::normalizers::{Lowercase, Sequence};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::metaspace::PrependScheme;
use tokenizers::{AddedVocabulary, EncodeInput, PaddingParams, TruncationParams};

/// Largest `tokenizer.json` read; the largest published ones have some 30 MB.
pub(crate) const MAX_TOKENIZER_BYTES: u64 = 256 << 20;

/// A text in tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The tokens, in the order of the text.
    pub ids: Vec<u32>,
    /// Byte range of each token, on character boundaries: tokens that share a character share its bytes.
    pub ranges: Vec<Range<usize>>,
    /// The word each token belongs to, counted from 0; `None` for one that is of no word.
    pub words: Vec<Option<u32>>,
}

/// A tokenizer that neither truncates nor pads. An error of its methods is the library's own message.
#[derive(Clone, Debug)]
pub struct Tokenizer(tokenizers::Tokenizer);

impl Tokenizer {
    /// Reads the content of a `tokenizer.json`.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        // Some of the library's readers (decoders) expect that what passed one of their parsers passes the
        // next, and panic where it does not. Nothing outlives such a panic but the bytes.
        let read = catch_unwind(AssertUnwindSafe(|| tokenizers::Tokenizer::from_bytes(json)));
        let mut tokenizer = read
            .map_err(|_| "its parts do not fit together".to_owned())?
            .map_err(|error| error.to_string())?;
        // Published files carry both (all-MiniLM-L6-v2: cut and pad to 128), as traces of how they were made,
        // not of what the model can read: cutting would be silent and padding is never needed here.
        tokenizer.with_padding(None::<PaddingParams>);
        tokenizer.with_truncation(None::<TruncationParams>).map_err(|error| error.to_string())?;
        Ok(Self(tokenizer))
    }

    /// The content of a `tokenizer.json` that describes this tokenizer.
    pub fn to_json(&self) -> String {
        self.0.to_string(false).unwrap_or_default()
    }

    /// The tokens of a text between those that the tokenizer puts around it.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, String> {
        self.encoded(text, true)
    }

    /// The tokens of two texts between those that the tokenizer puts around a pair.
    pub fn pair_ids(&self, first: &str, second: &str) -> Result<Vec<u32>, String> {
        self.encoded((first, second), true)
    }

    /// The tokens of a text alone.
    pub fn bare_ids(&self, text: &str) -> Result<Vec<u32>, String> {
        self.encoded(text, false)
    }

    /// The tokens of a text alone, with their places.
    pub fn tokens(&self, text: &str) -> Result<Tokens, String> {
        // `encode`, not `encode_char_offsets`: its offsets count bytes.
        let encoding = self.0.encode(text, false).map_err(|error| error.to_string())?;
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

    /// The token with this content.
    pub fn id(&self, content: &str) -> Option<u32> {
        self.0.token_to_id(content)
    }

    /// The content of a token.
    pub fn content(&self, id: u32) -> Option<String> {
        self.0.id_to_token(id)
    }

    /// One more than the highest id.
    pub fn size(&self) -> usize {
        self.0.get_vocab(true).values().max().map_or(0, |last| *last as usize + 1)
    }

    /// Content of each token that it has beside its model's, but for white space that stands for itself.
    pub fn controls(&self) -> HashMap<u32, String> {
        let added = self.0.get_added_tokens_decoder().into_iter();
        let controls = added.filter(|(_, token)| token.special || !token.content.trim().is_empty());
        controls.map(|(id, token)| (id, token.content)).collect()
    }

    /// This tokenizer without added tokens: text never becomes a special token by looking like one.
    #[must_use]
    pub fn without_added(&self) -> Self {
        let mut plain = self.clone();
        plain.0.with_added_vocabulary(AddedVocabulary::new());
        plain
    }

    /// This tokenizer for text that follows other text; `None` where that makes no difference.
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

    /// Reads text in lower case, before any step of its own.
    #[must_use]
    pub fn lower_cased(mut self) -> Self {
        let own = self.0.get_normalizer().cloned();
        let steps = std::iter::once(Lowercase.into()).chain(own).collect();
        self.0.with_normalizer(Some(Sequence::new(steps)));
        self
    }

    /// Reads what looks like a special token as text.
    #[must_use]
    pub fn without_special(mut self) -> Self {
        self.0.set_encode_special_tokens(true);
        self
    }

    fn encoded<'s>(&self, input: impl Into<EncodeInput<'s>>, around: bool) -> Result<Vec<u32>, String> {
        let encoding = self.0.encode_fast(input, around).map_err(|error| error.to_string())?;
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
        // Byte-level: one token a byte, so that the three bytes of a character are three tokens.
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
