use candle_core::{Result, Tensor};
use postil_contract::TokenId;

use super::attention::Shared;
use super::cache::Cache;
use super::tree::Tree;

/// An architecture: it reads prompts into a state that all hypotheses share, then maps tokens to
/// logits.
pub(super) trait Backbone: Send + Sync {
    fn vocabulary(&self) -> usize;

    /// Reads one prompt per passage. No prompt is empty, and all ids are in the vocabulary.
    fn read(&self, prompts: &[Vec<TokenId>]) -> Result<Memory>;

    /// States after each of `ids`, `[hypotheses * passages, tree.len()]`, which continue the cache:
    /// `[hypotheses * passages, tree.len(), width]`. A tree that is not a chain leaves a cache that
    /// cannot be continued.
    fn forward(&self, memory: &Memory, cache: &mut Cache, ids: &Tensor, tree: &Tree) -> Result<Tensor>;

    /// Logits of the next token: maps states `[.., width]` to `[.., vocabulary]`.
    fn logits(&self, states: &Tensor) -> Result<Tensor>;
}

/// State that all hypotheses share: one entry per layer, and for each passage its first token and
/// that token's position.
pub(super) struct Memory {
    pub(super) shared: Vec<Shared>,
    pub(super) start: Vec<TokenId>,
    pub(super) positions: Vec<usize>,
}
