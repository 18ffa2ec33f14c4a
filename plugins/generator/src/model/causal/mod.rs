//! Decoder-only models of all [families](super::family).
//!
//! Pre-norm with RMSNorm, rotary positions on pairs (i, i + head/2), grouped keys, gated
//! feed-forward. A family's differences are fields of [`CausalConfig`], or tensors that are there or
//! not: biases, norms of queries and keys per head before rotation. Each passage has its own prompt
//! at positions from 0; only the tokens after it are per hypothesis.
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
//! `files.rs` | the same in files
//! `kept.rs` | where a beginning is kept, and reading ahead
//! `pass.rs` | one pass over tokens of many sequences
//! `rows.rs` | prompts read, and the hypotheses after them

mod attention;
mod config;
mod files;
mod kept;
mod keys;
mod layer;
mod memory;
mod pass;
mod rows;

use std::sync::{Arc, Mutex};

use candle_core::Result;

use super::backbone::{Backbone, Kept, Rows, Told};
use super::family::Fused;
use super::layers::Linear;
use super::matrix::Matrix;
use super::norm::Norm;
use super::parameters::{LoadError, Parameters, TensorSource};
use super::prompt::Prompt;
use super::rotary::Rotary;
pub(super) use config::CausalConfig;
use files::KeyFiles;
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
    /// Rotary positions of the layers that have their own.
    local: Option<Rotary>,
    embedding_scale: Option<f32>,
    logit_cap: Option<f32>,
    score_cap: Option<f32>,
    vocabulary: usize,
    heads: usize,
    groups: usize,
    /// Width of a head.
    head: usize,
    memory: Memory,
    files: Mutex<Option<Arc<KeyFiles>>>,
}

impl Causal {
    pub(super) fn load(
        config: &CausalConfig,
        source: &dyn TensorSource,
    ) -> std::result::Result<Self, LoadError> {
        let is_known =
            |kind: &str| kind == "full_attention" || (kind == "sliding_attention" && config.window.is_some());
        if let Some(kind) = config.layer_types.iter().flatten().find(|kind| !is_known(kind)) {
            return Err(LoadError::Unsupported { what: "layer_types", value: kind.clone() });
        }
        for (what, flag) in [
            ("use_sliding_window", config.use_sliding_window),
            ("use_bidirectional_attention", config.use_bidirectional_attention),
        ] {
            if flag == Some(true) {
                return Err(LoadError::Unsupported { what, value: "true".to_owned() });
            }
        }
        let (width, vocabulary, head) = (config.hidden_size, config.vocab_size, config.head_width()?);
        let fused = Fused {
            source,
            queries: config.num_attention_heads.saturating_mul(head),
            keys: config.groups().saturating_mul(head),
            inner: config.intermediate_size,
        };
        let source: &dyn TensorSource = if config.fused { &fused } else { source };
        let local = config.rotary.build_local(head);
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
        let layer = |i: usize| {
            let kind = config.layer_types.as_ref().and_then(|kinds| kinds.get(i));
            let is_local = local.is_some() && kind.is_some_and(|kind| kind == "sliding_attention");
            Layer::load(&from.under("layers").under(i), config, is_local)
        };
        Ok(Self {
            layers: (0..config.num_hidden_layers)
                .map(layer)
                .collect::<std::result::Result<_, LoadError>>()?,
            norm: Norm::rms(&from.under("norm"), width, config.rms_norm_eps, config.norm_offset)?,
            output: Linear::of(output, Vec::new())
                .map_err(|source| LoadError::Tensor { name: whole.name("lm_head.weight"), source })?,
            rotary: config.rotary.build(head)?,
            local,
            embedding_scale: config.embedding_scale.map(|scale| scale as f32),
            logit_cap: config.final_logit_softcapping.map(|cap| cap as f32),
            score_cap: config.attn_logit_softcapping.map(|cap| cap as f32),
            embedding,
            vocabulary,
            heads: config.num_attention_heads,
            groups: config.groups(),
            head,
            memory: Memory::new(DEFAULT_MEMORY_BYTES),
            files: Mutex::default(),
        })
    }
}

impl Backbone for Causal {
    fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    fn read(&self, prompts: &[Prompt], told: Told<'_>) -> Result<Box<dyn Rows<'_> + '_>> {
        Ok(Box::new(self.prompts(prompts, told)?))
    }

    fn logits(&self, states: &[f32]) -> Result<Vec<f32>> {
        let mut logits = self.output.map_all(states)?;
        self.logit_cap.iter().for_each(|cap| soften(&mut logits, *cap));
        Ok(logits)
    }

    fn set_memory(&self, bytes: usize) {
        self.memory.set_limit(bytes);
    }

    fn kept(&self) -> Option<&dyn Kept> {
        Some(self)
    }
}

/// Caps values softly: c tanh(value / c).
fn soften(values: &mut [f32], cap: f32) {
    values.iter_mut().for_each(|value| *value = cap * (*value / cap).tanh());
}
