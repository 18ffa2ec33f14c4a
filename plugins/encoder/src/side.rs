use std::ops::Range;

use postil_checkpoint::{ModelFolder, Tokenizer, TokenizerError, load_question_tokenizer};
use postil_contract::Passage;

use crate::recipe::{Recipe, Titles};
use crate::{BertConfig, BertModel, EncoderError};

/// One side of a bi-encoder: a BERT, its tokenizer, and its pooling.
pub(crate) struct Side {
    pub(crate) model: BertModel,
    pub(crate) recipe: Recipe,
    tokenizer: Tokenizer,
}

impl Side {
    pub(crate) fn open(folder: &ModelFolder) -> Result<Self, EncoderError> {
        let model = BertModel::open(folder)?.with_int16_products();
        let recipe = Recipe::open(folder, model.config())?;
        let tokenizer = match BertConfig::is_part(folder)? {
            true => load_question_tokenizer(folder)?,
            false => folder.tokenizer()?,
        };
        let tokenizer = if recipe.lower_case { tokenizer.lower_cased() } else { tokenizer };
        Ok(Self { model, recipe, tokenizer })
    }

    /// The tokenizer in the format of `tokenizer.json`.
    pub(crate) fn tokenizer_json(&self) -> String {
        self.tokenizer.to_json()
    }

    pub(crate) fn question_ids(&self, question: &str) -> Result<Vec<u32>, TokenizerError> {
        self.tokenizer.ids(&format!("{}{question}", self.recipe.question_prompt))
    }

    pub(crate) fn passage_ids(&self, passage: Passage<'_>) -> Result<Vec<u32>, TokenizerError> {
        let Passage { title, text } = passage;
        let prompt = &self.recipe.passage_prompt;
        match self.recipe.titles {
            _ if title.is_empty() => self.tokenizer.ids(&format!("{prompt}{text}")),
            Titles::Joined => self.tokenizer.ids(&format!("{prompt}{title}\n{text}")),
            Titles::Pair => self.tokenizer.pair_ids(title, text),
        }
    }

    pub(crate) fn token(&self, content: &str) -> Option<u32> {
        self.tokenizer.id(content)
    }

    pub(crate) fn content(&self, id: u32) -> Option<String> {
        self.tokenizer.content(id)
    }

    /// Byte range of each token, see [`postil_contract::Encoder::tokens`].
    pub(crate) fn ranges(&self, text: &str) -> Result<Vec<Range<usize>>, TokenizerError> {
        Ok(self.tokenizer.tokens(text)?.ranges)
    }
}
