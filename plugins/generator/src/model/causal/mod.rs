//! Decoder-only models: Llama (and SmolLM, which is one), Qwen2, Qwen3.
//!
//! Pre-norm with RMSNorm, rotary positions on pairs (i, i + head/2), grouped keys, gated
//! feed-forward. Qwen2 has biases on queries, keys and values; Qwen3 normalizes queries and keys
//! per head before rotation. Each passage has its own prompt at positions from 0; only the tokens
//! after it are per hypothesis.
//!
//! Tokens of all prompts or hypotheses are lines of one matrix, without padding. A prompt is kept in
//! parts: what all prompts begin with, the passage, the question. The first two do not depend on the
//! question and are remembered.
//!
//! file | responsibility
//! ---|---
//! `config.rs` | the configuration
//! `layer.rs` | one layer: products, norms, activation
//! `attention.rs` | attention to keys in several parts
//! `keys.rs` | keys and values of consecutive tokens
//! `memory.rs` | beginnings of prompts that were read
//! `pass.rs` | one pass over tokens of many sequences
//! `rows.rs` | prompts read, and the hypotheses after them

mod attention;
mod config;
mod keys;
mod layer;
mod memory;
mod pass;
mod rows;

use candle_core::Result;

use super::Prompt;
use super::backbone::{Backbone, Rows};
use super::layers::Linear;
use super::matrix::Matrix;
use super::norm::Norm;
use super::parameters::{LoadError, Parameters, TensorSource};
use super::rotary::Rotary;
pub(super) use config::CausalConfig;
use layer::Layer;
use memory::Memory;

/// Default size of the memory of passages: with Qwen2.5-0.5B, some fifty passages of 200 tokens.
pub(super) const DEFAULT_MEMORY_BYTES: usize = 256 << 20;

pub(super) struct Causal {
    embedding: Matrix,
    layers: Vec<Layer>,
    norm: Norm,
    output: Linear,
    rotary: Rotary,
    vocabulary: usize,
    heads: usize,
    groups: usize,
    /// Width of a head.
    head: usize,
    memory: Memory,
}

impl Causal {
    pub(super) fn load(
        config: &CausalConfig,
        source: &dyn TensorSource,
    ) -> std::result::Result<Self, LoadError> {
        let other = config.layer_types.iter().flatten().find(|kind| *kind != "full_attention");
        if let Some(kind) = other {
            return Err(LoadError::Unsupported { what: "layer_types", value: kind.clone() });
        }
        if config.use_sliding_window == Some(true) {
            return Err(LoadError::Unsupported { what: "use_sliding_window", value: "true".to_owned() });
        }
        let (width, vocabulary) = (config.hidden_size, config.vocab_size);
        let bare = !source.contains("model.embed_tokens.weight") && source.contains("embed_tokens.weight");
        let from = Parameters::new(source, if bare { "" } else { "model." });
        let whole = Parameters::new(source, "");
        let embedding = from.matrix("embed_tokens.weight", vocabulary, width)?;
        let output = match whole.contains("lm_head.weight") {
            true => whole.matrix("lm_head.weight", vocabulary, width)?,
            false if config.tie_word_embeddings == Some(false) => {
                return Err(LoadError::MissingTensor { name: whole.name("lm_head.weight") });
            }
            false => embedding.clone(),
        };
        let layer = |i: usize| Layer::load(&from.under("layers").under(i), config);
        Ok(Self {
            layers: (0..config.num_hidden_layers)
                .map(layer)
                .collect::<std::result::Result<_, LoadError>>()?,
            norm: Norm::rms(&from.under("norm"), width, config.rms_norm_eps)?,
            output: Linear::of(output, Vec::new())
                .map_err(|source| LoadError::Tensor { name: whole.name("lm_head.weight"), source })?,
            rotary: config.rotary.build(config.head_width()?)?,
            embedding,
            vocabulary,
            heads: config.num_attention_heads,
            groups: config.groups(),
            head: config.head_width()?,
            memory: Memory::new(DEFAULT_MEMORY_BYTES),
        })
    }
}

impl Backbone for Causal {
    fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    fn read(&self, prompts: &[Prompt]) -> Result<Box<dyn Rows<'_> + '_>> {
        Ok(Box::new(self.prompts(prompts)?))
    }

    fn logits(&self, states: &[f32]) -> Result<Vec<f32>> {
        self.output.map_all(states)
    }

    fn set_memory(&self, bytes: usize) {
        self.memory.set_limit(bytes);
    }
}
