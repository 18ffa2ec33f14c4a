use postil_checkpoint::{CheckpointError, Weights};

use super::BertConfig;
use crate::linear::Linear;
use postil_kernel::Norm;

/// One transformer layer: attention, then feed-forward, each with a residual sum and a norm after
/// it.
pub(super) struct Layer {
    /// Query, key and value maps side by side.
    pub(super) query_key_value: Linear,
    pub(super) attention_output: Linear,
    pub(super) attention_norm: Norm,
    pub(super) intermediate: Linear,
    pub(super) output: Linear,
    pub(super) output_norm: Norm,
}

impl Layer {
    pub(super) fn load(
        weights: &Weights,
        prefix: &str,
        config: &BertConfig,
    ) -> Result<Self, CheckpointError> {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let parts = ["query", "key", "value"].map(|part| format!("{prefix}attention.self.{part}"));
        let named = |name: &str| format!("{prefix}{name}");
        Ok(Self {
            query_key_value: Linear::stacked(weights, &parts, hidden, hidden)?,
            attention_output: Linear::load(weights, &named("attention.output.dense"), hidden, hidden)?,
            attention_norm: norm(weights, &named("attention.output.LayerNorm"), config)?,
            intermediate: Linear::load(weights, &named("intermediate.dense"), inner, hidden)?,
            output: Linear::load(weights, &named("output.dense"), hidden, inner)?,
            output_norm: norm(weights, &named("output.LayerNorm"), config)?,
        })
    }

    /// The same layer with the weights of its products rounded to 16 bits.
    pub(super) fn rounded(self) -> Self {
        Self {
            query_key_value: self.query_key_value.rounded(),
            attention_output: self.attention_output.rounded(),
            intermediate: self.intermediate.rounded(),
            output: self.output.rounded(),
            ..self
        }
    }
}

/// Loads a norm. Older checkpoints, bert-base-uncased among them, have TensorFlow's names: `gamma`
/// and `beta`.
pub(super) fn norm(weights: &Weights, name: &str, config: &BertConfig) -> Result<Norm, CheckpointError> {
    let values = |new: &str, old: &str| {
        let (new, old) = (format!("{name}.{new}"), format!("{name}.{old}"));
        let is_old = weights.entry(&new).is_none() && weights.entry(&old).is_some();
        weights.values(if is_old { &old } else { &new }, &[config.hidden_size])
    };
    Ok(Norm {
        weight: values("weight", "gamma")?,
        bias: values("bias", "beta")?,
        epsilon: config.layer_norm_eps as f32,
    })
}
