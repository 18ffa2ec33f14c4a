use postil_checkpoint::{ModelFolder, TokenizerError};
use postil_contract::Passage;

use crate::bert::prefixes;
use crate::side::Side;
use crate::{BertConfig, EncoderError, Pooling};

/// The parts of an encoder's folder that training needs, beside the weights: sizes, names, pooling,
/// and texts as token ids.
pub struct Parts {
    side: Side,
    prefix: String,
}

impl Parts {
    /// Reads the folder of an encoder with one side.
    ///
    /// # Errors
    /// As [`BertEncoder::open`](crate::BertEncoder::open).
    pub fn open(folder: &ModelFolder) -> Result<Self, EncoderError> {
        let side = Side::open(folder)?;
        let prefix = prefixes(&folder.weights()?).0.to_owned();
        Ok(Self { side, prefix })
    }

    /// Sizes of the BERT.
    pub fn config(&self) -> &BertConfig {
        self.side.model.config()
    }

    /// Text before the names of the BERT's tensors.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Pooling of the states to one vector.
    pub fn pooling(&self) -> Pooling {
        self.side.recipe.pooling
    }

    /// True when vectors are divided by their length.
    pub fn normalizes(&self) -> bool {
        self.side.recipe.normalize
    }

    /// The scale s in p(z|x).
    pub fn score_scale(&self) -> f32 {
        self.side.recipe.score_scale
    }

    /// Longest text, in tokens.
    pub fn max_tokens(&self) -> usize {
        self.side.recipe.max_tokens
    }

    /// Token ids of a question, special tokens included.
    ///
    /// # Errors
    /// The tokenizer's.
    pub fn question_ids(&self, question: &str) -> Result<Vec<u32>, TokenizerError> {
        self.side.question_ids(question)
    }

    /// Token ids of a passage, special tokens included.
    ///
    /// # Errors
    /// The tokenizer's.
    pub fn passage_ids(&self, passage: Passage<'_>) -> Result<Vec<u32>, TokenizerError> {
        self.side.passage_ids(passage)
    }

    /// Id of a token, such as `[MASK]`; `None` when the vocabulary lacks it.
    pub fn token(&self, content: &str) -> Option<u32> {
        self.side.token(content)
    }

    /// Text of a token; `None` when no token has this id.
    pub fn content(&self, id: u32) -> Option<String> {
        self.side.content(id)
    }
}
