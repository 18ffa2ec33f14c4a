use std::ops::Range;

use postil_checkpoint::{ModelFolder, Tokenizer, load_question_tokenizer};
use postil_contract::Passage;
use tokenizers::normalizers::{Lowercase, Sequence};

use crate::recipe::{Recipe, Titles};
use crate::{BertConfig, BertModel, EncoderError};

/// One side of a bi-encoder: a BERT, its tokenizer, and how its states become a vector.
pub(crate) struct Side {
    pub(crate) model: BertModel,
    pub(crate) recipe: Recipe,
    tokenizer: Tokenizer,
}

impl Side {
    pub(crate) fn open(folder: &ModelFolder) -> Result<Self, EncoderError> {
        let model = BertModel::open(folder)?.with_int16_products();
        let recipe = Recipe::open(folder, model.config())?;
        let mut tokenizer = match BertConfig::is_part(folder)? {
            true => load_question_tokenizer(folder)?,
            false => folder.tokenizer()?,
        };
        if recipe.lower_case {
            let own = tokenizer.get_normalizer().cloned();
            let steps = std::iter::once(Lowercase.into()).chain(own).collect();
            tokenizer.with_normalizer(Some(Sequence::new(steps)));
        }
        Ok(Self { model, recipe, tokenizer })
    }

    /// The tokenizer as `tokenizer.json` would have it.
    pub(crate) fn tokenizer_json(&self) -> String {
        self.tokenizer.to_string(false).unwrap_or_default()
    }

    pub(crate) fn question_ids(&self, question: &str) -> Result<Vec<u32>, String> {
        self.ids(&format!("{}{question}", self.recipe.question_prompt))
    }

    pub(crate) fn passage_ids(&self, passage: Passage<'_>) -> Result<Vec<u32>, String> {
        let Passage { title, text } = passage;
        let prompt = &self.recipe.passage_prompt;
        match self.recipe.titles {
            _ if title.is_empty() => self.ids(&format!("{prompt}{text}")),
            Titles::Joined => self.ids(&format!("{prompt}{title}\n{text}")),
            Titles::Pair => self.encoded((title, text)),
        }
    }

    fn ids(&self, text: &str) -> Result<Vec<u32>, String> {
        self.encoded(text)
    }

    fn encoded<'s>(&self, input: impl Into<tokenizers::EncodeInput<'s>>) -> Result<Vec<u32>, String> {
        let encoding = self.tokenizer.encode_fast(input, true).map_err(|error| error.to_string())?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Byte range of each token, see [`postil_contract::Encoder::tokens`].
    pub(crate) fn ranges(&self, text: &str) -> Result<Vec<Range<usize>>, String> {
        // `encode`, not `encode_char_offsets`: its offsets count bytes.
        let encoding = self.tokenizer.encode(text, false).map_err(|error| error.to_string())?;
        let offsets = encoding.get_offsets().iter();
        Ok(offsets.map(|&(from, to)| text.floor_char_boundary(from)..text.ceil_char_boundary(to)).collect())
    }
}
