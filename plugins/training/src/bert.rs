//! BERT with gradients: the forward pass of the encoder on candle's autograd, over packed sequences.
//!
//! candle-transformers' `BertModel` cannot be trained: the layer norm of candle 0.11 has no backward
//! pass and cuts the graph. The tests compare this one with it, and with the encoder's.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor};
use postil_encoder::{BertConfig, Pooling};

use crate::{Parameters, ops};

/// Sequences of tokens, packed end to end.
#[derive(Clone)]
pub struct Batch {
    ids: Tensor,
    kinds: Tensor,
    positions: Tensor,
    lengths: Arc<[usize]>,
}

impl Batch {
    /// Packs sequences of token ids; `kinds` has the kind of each token, `None` for all of kind 0.
    /// Empty sequences are not allowed.
    ///
    /// # Errors
    /// candle's; also for an empty sequence, or kinds that do not fit the ids.
    pub fn new(sequences: &[&[u32]], kinds: Option<&[&[u32]]>) -> Result<Self> {
        let lengths: Arc<[usize]> = sequences.iter().map(|ids| ids.len()).collect();
        if lengths.contains(&0) {
            candle_core::bail!("a sequence of a batch is empty");
        }
        let ids = sequences.concat();
        let kinds = kinds.map_or_else(|| vec![0u32; ids.len()], <[_]>::concat);
        if kinds.len() != ids.len() {
            candle_core::bail!("{} kinds for {} tokens", kinds.len(), ids.len());
        }
        let positions: Vec<u32> = lengths.iter().flat_map(|length| 0..*length as u32).collect();
        let tensor = |values: Vec<u32>| {
            let count = values.len();
            Tensor::from_vec(values, count, &Device::Cpu)
        };
        Ok(Self { ids: tensor(ids)?, kinds: tensor(kinds)?, positions: tensor(positions)?, lengths })
    }

    /// Length of each sequence, in tokens.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Index of the first token of each sequence.
    pub fn starts(&self) -> Vec<u32> {
        let mut next = 0;
        let mut starts = Vec::with_capacity(self.lengths.len());
        for length in &*self.lengths {
            starts.push(next);
            next += *length as u32;
        }
        starts
    }
}

/// A BERT whose tensors are among some [`Parameters`].
pub struct Bert {
    config: BertConfig,
    prefix: String,
}

impl Bert {
    /// The BERT of this configuration; `prefix` is before the names of its tensors.
    pub fn new(config: BertConfig, prefix: impl Into<String>) -> Self {
        Self { config, prefix: prefix.into() }
    }

    /// Sizes of the model.
    pub fn config(&self) -> &BertConfig {
        &self.config
    }

    /// Word embeddings, `[vocab_size, hidden_size]`.
    ///
    /// # Errors
    /// candle's, when there are none.
    pub fn words(&self, parameters: &Parameters) -> Result<Tensor> {
        parameters.tensor(&format!("{}embeddings.word_embeddings.weight", self.prefix))
    }

    /// True for a tensor that [`Bert::forward`] reads, by its name.
    pub fn reads(&self, name: &str) -> bool {
        let part = name.strip_prefix(&*self.prefix).unwrap_or_default();
        !part.ends_with("position_ids")
            && (part.starts_with("embeddings.") || part.starts_with("encoder.layer."))
    }

    fn linear(&self, parameters: &Parameters, name: &str, x: &Tensor) -> Result<Tensor> {
        let of = |kind: &str| parameters.tensor(&format!("{}{name}.{kind}", self.prefix));
        ops::linear(x, &of("weight")?, &of("bias")?)
    }

    fn norm(&self, parameters: &Parameters, name: &str, x: &Tensor) -> Result<Tensor> {
        let of = |new: &str, old: &str| {
            let (new, old) = (format!("{}{name}.{new}", self.prefix), format!("{}{name}.{old}", self.prefix));
            parameters.tensor(if parameters.has(&old) { &old } else { &new })
        };
        ops::norm(x, &of("weight", "gamma")?, &of("bias", "beta")?, self.config.layer_norm_eps)
    }

    /// The state of every token after the last layer, `[tokens, hidden_size]`.
    ///
    /// # Errors
    /// candle's, when a tensor is missing or of another shape, or an id is out of range.
    pub fn forward(&self, parameters: &Parameters, batch: &Batch) -> Result<Tensor> {
        let rows = |name: &str, ids: &Tensor| {
            parameters.tensor(&format!("{}embeddings.{name}.weight", self.prefix))?.index_select(ids, 0)
        };
        let words = rows("word_embeddings", &batch.ids)?;
        let sum = (words + rows("position_embeddings", &batch.positions)?)?;
        let sum = (sum + rows("token_type_embeddings", &batch.kinds)?)?;
        let mut states = self.norm(parameters, "embeddings.LayerNorm", &sum)?;
        for layer in 0..self.config.num_hidden_layers {
            states = self.layer(parameters, &format!("encoder.layer.{layer}."), &states, batch)?;
        }
        Ok(states)
    }

    fn layer(&self, parameters: &Parameters, layer: &str, states: &Tensor, batch: &Batch) -> Result<Tensor> {
        let stacked = |kind: &str| {
            let part =
                |part| parameters.tensor(&format!("{}{layer}attention.self.{part}.{kind}", self.prefix));
            Tensor::cat(&[part("query")?, part("key")?, part("value")?], 0)
        };
        let projected = ops::linear(states, &stacked("weight")?, &stacked("bias")?)?;
        let context = ops::attention(&projected, &batch.lengths, self.config.num_attention_heads)?;
        let named = |name: &str| format!("{layer}{name}");
        let update = self.linear(parameters, &named("attention.output.dense"), &context)?;
        let states = self.norm(parameters, &named("attention.output.LayerNorm"), &(update + states)?)?;
        let wide = ops::gelu(&self.linear(parameters, &named("intermediate.dense"), &states)?)?;
        let update = self.linear(parameters, &named("output.dense"), &wide)?;
        self.norm(parameters, &named("output.LayerNorm"), &(update + states)?)
    }

    /// One vector for each sequence, `[sequences, hidden_size]`, of length 1 if `normalized`.
    ///
    /// # Errors
    /// As [`Bert::forward`]; also for pooling by maximum, which has no gradient here.
    pub fn embed(
        &self,
        parameters: &Parameters,
        batch: &Batch,
        pooling: Pooling,
        normalized: bool,
    ) -> Result<Tensor> {
        let states = self.forward(parameters, batch)?;
        let pooled = match pooling {
            Pooling::Cls => {
                let starts = batch.starts();
                let count = starts.len();
                states.index_select(&Tensor::from_vec(starts, count, &Device::Cpu)?, 0)?
            }
            Pooling::Mean => mean(&states, batch)?,
            Pooling::Max => candle_core::bail!("pooling by maximum cannot be trained"),
        };
        if !normalized {
            return Ok(pooled);
        }
        // Least divisor in sentence-transformers (torch's normalize), squared.
        let length = (pooled.sqr()?.sum_keepdim(1)? + 1e-24)?.sqrt()?;
        pooled.broadcast_div(&length)
    }
}

/// Mean of the states of each sequence: a product with the matrix that averages.
fn mean(states: &Tensor, batch: &Batch) -> Result<Tensor> {
    let (count, tokens) = (batch.lengths.len(), states.dim(0)?);
    let mut shares = vec![0f32; count * tokens];
    let mut at = 0;
    for (row, length) in batch.lengths.iter().enumerate() {
        shares[row * tokens + at..][..*length].fill(1.0 / *length as f32);
        at += length;
    }
    Tensor::from_vec(shares, (count, tokens), &Device::Cpu)?.matmul(states)
}
