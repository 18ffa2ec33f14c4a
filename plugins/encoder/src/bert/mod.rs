//! BERT (Devlin et al. 2018) as published encoders use it: token ids in, a state for every token
//! out.
//!
//! Sequences are packed end to end, without padding: every product runs over all tokens of a batch,
//! and only attention uses the bounds of sequences.
//!
//! file | responsibility
//! ---|---
//! `config.rs` | the sizes
//! `words.rs` | word embeddings, f32 or int8
//! `layers.rs` | the weights, packed for the kernels
//! `forward.rs` | the forward pass over one packed batch

mod config;
mod forward;
mod layers;
mod words;

use postil_checkpoint::{CheckpointError, ModelFolder, Weights};

pub use config::BertConfig;
pub(crate) use forward::{HeadsSpace, Workspace};
use layers::Layer;
pub use words::Words;

use crate::EncoderError;
use crate::linear::Linear;
use postil_kernel::{Kernel, Norm};

/// Sequences of token ids, packed end to end.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a> {
    /// Token ids of all sequences.
    pub ids: &'a [u32],
    /// The kind of each token, as long as `ids`; empty when all are of kind 0.
    pub type_ids: &'a [u32],
    /// The length of each sequence; they add up to the length of `ids`.
    pub lengths: &'a [usize],
}

/// One sequence of token ids.
#[derive(Clone, Copy, Debug)]
pub struct Sequence<'a> {
    /// Token ids of the sequence.
    pub ids: &'a [u32],
    /// The kind of each token, as long as `ids`; empty when all are of kind 0.
    pub type_ids: &'a [u32],
}

/// A BERT model with its weights.
pub struct BertModel {
    config: BertConfig,
    kernel: Kernel,
    words: Words,
    /// Position embeddings, `[max_position_embeddings, hidden_size]`.
    positions: Vec<f32>,
    /// Kind embeddings, `[type_vocab_size, hidden_size]`.
    types: Vec<f32>,
    embedding_norm: Norm,
    layers: Vec<Layer>,
    pooler: Option<Linear>,
    projection: Option<Linear>,
}

/// Prefixes under which published checkpoints store a BERT, each with the prefix of its other
/// tensors.
const PREFIXES: [(&str, &str); 6] = [
    ("", ""),
    ("bert.", ""),
    ("question_encoder.bert_model.", "question_encoder."),
    ("ctx_encoder.bert_model.", "ctx_encoder."),
    ("rag.question_encoder.question_encoder.bert_model.", "rag.question_encoder.question_encoder."),
    ("model.", ""),
];

/// Name of the table by which a BERT is found among other tensors.
const WORDS: &str = "embeddings.word_embeddings.";

/// The prefix of the BERT's tensors, and that of its other tensors: one of the published ones, or
/// else the text before the only word embeddings (`0.auto_model.`, `module.bert.`).
pub(crate) fn prefixes(weights: &Weights) -> (&str, &str) {
    let stored = |prefix: &str, kind: &str| weights.entry(&format!("{prefix}{WORDS}{kind}")).is_some();
    let known = PREFIXES.iter().find(|(prefix, _)| stored(prefix, "weight") || stored(prefix, "codes"));
    let mut others = weights.names().filter_map(|name| name.strip_suffix("weight")?.strip_suffix(WORDS));
    match (known, others.next(), others.next()) {
        (Some(known), ..) => *known,
        (None, Some(only), None) if only.ends_with('.') => (only, ""),
        _ => ("", ""),
    }
}

impl BertModel {
    /// Loads the weights of a BERT or of one side of DPR.
    ///
    /// # Errors
    /// [`EncoderError::Unsupported`], [`EncoderError::Config`], or [`EncoderError::Checkpoint`]
    /// naming the file, the tensor and what is wrong with it.
    pub fn open(folder: &ModelFolder) -> Result<Self, EncoderError> {
        let config = BertConfig::open(folder)?;
        Ok(Self::load(config, &folder.weights()?)?)
    }

    /// Loads the BERT among `weights`, under any of the prefixes that published checkpoints have.
    /// Word embeddings may be stored as `codes`, int8, and `scale`, one per row, in place of
    /// `weight`.
    ///
    /// # Errors
    /// [`CheckpointError`] naming the tensor and what is wrong with it. The sizes in `config` are
    /// trusted: see [`BertConfig::check`].
    pub fn load(config: BertConfig, weights: &Weights) -> Result<Self, CheckpointError> {
        let (prefix, outer) = prefixes(weights);
        let hidden = config.hidden_size;
        let table =
            |name: &str, rows| weights.values(&format!("{prefix}embeddings.{name}.weight"), &[rows, hidden]);
        let words = Words::load(weights, &format!("{prefix}{WORDS}"), config.vocab_size, hidden)?;
        let positions = table("position_embeddings", config.max_position_embeddings)?;
        let types = table("token_type_embeddings", config.type_vocab_size)?;
        let embedding_norm = layers::norm(weights, &format!("{prefix}embeddings.LayerNorm"), &config)?;
        let layers = (0..config.num_hidden_layers)
            .map(|index| Layer::load(weights, &format!("{prefix}encoder.layer.{index}."), &config))
            .collect::<Result<_, _>>()?;
        let optional = |name: String, out: usize| {
            let there = weights.entry(&format!("{name}.weight")).is_some();
            there.then(|| Linear::load(weights, &name, out, hidden)).transpose()
        };
        let pooler = optional(format!("{prefix}pooler.dense"), hidden)?;
        let projection = match config.projection_dim {
            0 => None,
            out => Some(Linear::load(weights, &format!("{outer}encode_proj"), out, hidden)?),
        };
        let kernel = Kernel::detect();
        Ok(Self { config, kernel, words, positions, types, embedding_norm, layers, pooler, projection })
    }

    /// The same model with the products of its layers computed in 16-bit integers, about twice as
    /// fast and in half the memory: see `postil_kernel::Int16Panels` for the error of a product.
    /// Attention, norms and sums stay f32.
    #[must_use]
    pub fn with_int16_products(mut self) -> Self {
        self.layers = self.layers.into_iter().map(Layer::rounded).collect();
        self
    }

    /// The sizes of the model.
    pub fn config(&self) -> &BertConfig {
        &self.config
    }

    /// Number of components of [`BertModel::project`]'s result.
    pub fn dimension(&self) -> usize {
        self.projection.as_ref().map_or(self.config.hidden_size, Linear::outputs)
    }

    /// The word embeddings, which a decoder may share.
    pub fn words(&self) -> &Words {
        &self.words
    }

    /// BERT's pooler, tanh(dense(state)), for one token's state; `None` when the model has none.
    pub fn pooler_output(&self, state: &[f32]) -> Option<Vec<f32>> {
        let pooled = self.pooler.as_ref()?.apply(state);
        Some(pooled.into_iter().map(f32::tanh).collect())
    }

    /// DPR's vector for the state of `[CLS]`: the state itself, or its projection if the model has
    /// one.
    pub fn project(&self, state: &[f32]) -> Vec<f32> {
        match &self.projection {
            Some(projection) => projection.apply(state),
            None => state.to_vec(),
        }
    }
}
