use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Result, Tensor};
use postil_contract::{GenerateError, KeptFile, TokenId};

use super::attention::Shared;
use super::cache::Cache;
use super::layers::Linear;
use super::prompt::Prompt;
use super::tree::Tree;

/// Receives the tokens read so far and all that are to be read; an error ends the reading.
pub(super) type Told<'a> = &'a (dyn Fn(usize, usize) -> Result<()> + Sync);

/// Prompts whose beginnings are kept in files.
pub(super) trait Kept: Send + Sync {
    /// See [`postil_contract::ReadAhead::use_folder`].
    fn use_folder(&self, folder: &Path) -> Result<()>;

    /// The files of what all prompts begin with and of each prompt's beginning.
    fn files(&self, prompts: &[Prompt]) -> Result<Vec<KeptFile>>;

    /// Reads the beginnings that are in no file and writes them; returns how many prompts were read.
    fn read_ahead(&self, prompts: &[Prompt], told: Told<'_>) -> std::result::Result<usize, KeepError>;
}

/// Reasons that a beginning could not be kept.
pub(super) enum KeepError {
    Model(candle_core::Error),
    File(GenerateError),
}

impl From<candle_core::Error> for KeepError {
    fn from(error: candle_core::Error) -> Self {
        Self::Model(error)
    }
}

/// An architecture: it reads prompts into a state that all hypotheses share, then maps tokens to
/// logits.
pub(super) trait Backbone: Send + Sync {
    fn vocabulary(&self) -> usize;

    /// Reads one prompt per passage. No prompt is empty, and all ids are in the vocabulary.
    fn read(&self, prompts: &[Prompt], told: Told<'_>) -> Result<Box<dyn Rows<'_> + '_>>;

    /// Logits of the next token: maps states `[lines, width]` to `[lines, vocabulary]`.
    fn logits(&self, states: &[f32]) -> Result<Vec<f32>>;

    /// Sets the size of the memory of passages that were read. By default there is none.
    fn set_memory(&self, _bytes: usize) {}

    /// Files of beginnings; `None` when nothing is kept.
    fn kept(&self) -> Option<&dyn Kept> {
        None
    }
}

/// Hypotheses under every passage, after prompts that were read. Rows are
/// `hypothesis * passages + passage`; at first, there is one hypothesis without a token.
pub(super) trait Rows<'a>: Send {
    /// The token that continues each prompt first, `[passages]`.
    fn start(&self) -> &[TokenId];

    /// Position of that token, `[passages]`.
    fn positions(&self) -> &[usize];

    /// Number of tokens in each row.
    fn len(&self) -> usize;

    /// The prompts again, with one hypothesis without a token.
    fn fresh(&self) -> Box<dyn Rows<'a> + 'a>;

    /// Reorders the rows: new row i continues old row `rows[i]`.
    fn reorder(&mut self, rows: &[usize]) -> Result<()>;

    /// Computes the rows of the passages of `wanted` only, ascending: [`Rows::forward`] takes and
    /// returns those. False, and nothing is changed, where that would save nothing.
    fn restrict(&mut self, wanted: &[usize]) -> bool {
        let _ = wanted;
        false
    }

    /// States after each of `ids`, `[rows, tree.len()]`, which continue the rows:
    /// `[rows, tree.len(), width]`. After a tree that is not a chain, the rows cannot be continued.
    fn forward(&mut self, ids: &[TokenId], tree: &Tree) -> Result<Vec<f32>>;
}

/// An architecture with an encoder, on tensors.
pub(super) trait EncoderDecoder: Send + Sync {
    fn vocabulary(&self) -> usize;

    fn read(&self, prompts: &[Vec<TokenId>]) -> Result<Memory>;

    /// As [`Rows::forward`], from `[rows, tree.len()]` to `[rows, tree.len(), width]`.
    fn forward(&self, memory: &Memory, cache: &mut Cache, ids: &Tensor, tree: &Tree) -> Result<Tensor>;

    /// The map from states to logits.
    fn output(&self) -> &Linear;
}

/// State that all hypotheses share: one entry per layer, and for each passage its first token and
/// that token's position.
pub(super) struct Memory {
    pub(super) shared: Vec<Shared>,
    pub(super) start: Vec<TokenId>,
    pub(super) positions: Vec<usize>,
}

/// The rows of an [`EncoderDecoder`].
struct TensorRows<'a, M> {
    model: &'a M,
    memory: Arc<Memory>,
    cache: Cache,
}

impl<M: EncoderDecoder> Backbone for M {
    fn vocabulary(&self) -> usize {
        EncoderDecoder::vocabulary(self)
    }

    fn read(&self, prompts: &[Prompt], told: Told<'_>) -> Result<Box<dyn Rows<'_> + '_>> {
        let total = prompts.iter().map(|prompt| prompt.tokens.len()).sum();
        told(0, total)?;
        let prompts: Vec<Vec<TokenId>> = prompts.iter().map(|prompt| prompt.tokens.clone()).collect();
        let memory = Arc::new(EncoderDecoder::read(self, &prompts)?);
        Ok(Box::new(TensorRows { model: self, memory, cache: Cache::default() }))
    }

    fn logits(&self, states: &[f32]) -> Result<Vec<f32>> {
        self.output().map_all(states)
    }
}

impl<'a, M: EncoderDecoder> Rows<'a> for TensorRows<'a, M> {
    fn start(&self) -> &[TokenId] {
        &self.memory.start
    }

    fn positions(&self) -> &[usize] {
        &self.memory.positions
    }

    fn len(&self) -> usize {
        self.cache.len()
    }

    fn fresh(&self) -> Box<dyn Rows<'a> + 'a> {
        let (model, memory) = (self.model, Arc::clone(&self.memory));
        Box::new(Self { model, memory, cache: Cache::default() })
    }

    fn reorder(&mut self, rows: &[usize]) -> Result<()> {
        self.cache.reorder(rows)
    }

    fn forward(&mut self, ids: &[TokenId], tree: &Tree) -> Result<Vec<f32>> {
        let ids = Tensor::from_slice(ids, (ids.len() / tree.len(), tree.len()), &Device::Cpu)?;
        self.model.forward(&self.memory, &mut self.cache, &ids, tree)?.flatten_all()?.to_vec1()
    }
}
