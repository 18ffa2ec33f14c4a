use postil_checkpoint::{CheckpointError, Weights};

use super::BertConfig;
use postil_kernel::{Finish, Kernel, Norm, PANEL, Panels, Rows, panels_of};

/// A linear layer: `outputs = weight * inputs + bias`.
pub(super) struct Linear {
    weight: Panels,
    /// Rounded up to whole panels.
    bias: Vec<f32>,
    outputs: usize,
    inputs: usize,
}

impl Linear {
    pub(super) fn load(
        weights: &Weights,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, CheckpointError> {
        Self::stacked(weights, &[name.to_owned()], outputs, inputs)
    }

    /// Several layers of the same inputs as one: their outputs side by side.
    pub(super) fn stacked(
        weights: &Weights,
        names: &[String],
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, CheckpointError> {
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            weight.extend(weights.values(&format!("{name}.weight"), &[outputs, inputs])?);
            bias.extend(weights.values(&format!("{name}.bias"), &[outputs])?);
        }
        let outputs = outputs * names.len();
        bias.resize(panels_of(outputs) * PANEL, 0.0);
        Ok(Self { weight: Panels::from_linear(&weight, outputs, inputs), bias, outputs, inputs })
    }

    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// `input`: `[rows, inputs]`. Writes `[rows, outputs]`, through GELU if asked.
    pub(super) fn run(&self, kernel: Kernel, input: &[f32], gelu: bool, output: &mut [f32]) {
        let rows = Rows { values: input, stride: self.inputs, rows: input.len() / self.inputs };
        let finish = Finish { bias: &self.bias, gelu };
        kernel.product(rows, self.weight.all(), finish, output, self.outputs);
    }

    /// [`Linear::run`] of one row.
    pub(super) fn apply(&self, kernel: Kernel, input: &[f32]) -> Vec<f32> {
        let mut output = vec![0.0; self.outputs];
        self.run(kernel, input, false, &mut output);
        output
    }
}

/// One transformer layer: attention, then feed-forward, each with a residual sum and a norm after it.
pub(super) struct Layer {
    /// Query, key and value side by side.
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
}

pub(super) fn norm(weights: &Weights, name: &str, config: &BertConfig) -> Result<Norm, CheckpointError> {
    Ok(Norm {
        weight: weights.values(&format!("{name}.weight"), &[config.hidden_size])?,
        bias: weights.values(&format!("{name}.bias"), &[config.hidden_size])?,
        epsilon: config.layer_norm_eps as f32,
    })
}
