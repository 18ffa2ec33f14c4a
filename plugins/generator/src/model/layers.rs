use std::sync::Arc;

use candle_core::{Device, Module, Result, Tensor};
use candle_transformers::quantized_nn;
use postil_kernel::{BlockPanels, BlockRows, Finish, Kernel, PANEL, Panels, Rows, panels_of};
use rayon::prelude::*;

use super::matrix::Matrix;
use super::parameters::{LoadError, Parameters};
use super::product::{Product, TASK_PANELS};

/// A linear map: a matrix, and a bias where the checkpoint has one.
pub(super) enum Linear {
    Dense {
        weight: Arc<Panels>,
        /// Bias padded to whole panels, or empty.
        bias: Vec<f32>,
    },
    Blocks {
        weight: Arc<BlockPanels>,
        /// Bias padded to whole panels, or empty.
        bias: Vec<f32>,
    },
    /// Blocks of a format that only the tensor library computes with.
    Quantized { map: quantized_nn::Linear, input: usize, output: usize },
}

/// Lines to map, all threads' or one's.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a> {
    /// `[lines, input]`.
    pub(super) values: &'a [f32],
    /// The same lines in codes, for weights in blocks; empty when no map needs them.
    pub(super) codes: &'a BlockRows,
}

impl Linear {
    /// Loads a map, with a bias if the checkpoint has one.
    pub(super) fn load(
        from: &Parameters<'_>,
        input: usize,
        output: usize,
    ) -> std::result::Result<Self, LoadError> {
        let bias = from.contains("bias").then(|| from.values("bias", output)).transpose()?;
        Self::of(from.matrix("weight", output, input)?, bias.unwrap_or_default())
            .map_err(|source| LoadError::Tensor { name: from.name("weight"), source })
    }

    /// As [`Linear::load`], for architectures that always have a bias.
    pub(super) fn load_biased(
        from: &Parameters<'_>,
        input: usize,
        output: usize,
    ) -> std::result::Result<Self, LoadError> {
        Self::of(from.matrix("weight", output, input)?, from.values("bias", output)?)
            .map_err(|source| LoadError::Tensor { name: from.name("weight"), source })
    }

    /// Combines several maps of one input into one, their outputs side by side, each with a bias.
    pub(super) fn stacked(
        from: &Parameters<'_>,
        names: &[&str],
        input: usize,
        output: usize,
    ) -> std::result::Result<Self, LoadError> {
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            let from = from.under(name);
            weights.push(from.tensor("weight", &[output, input])?);
            bias.extend(from.values("bias", output)?);
        }
        let weight = Tensor::cat(&weights, 0).and_then(|weight| Matrix::pack(&weight));
        weight
            .and_then(|weight| Self::of(weight, bias))
            .map_err(|source| LoadError::Tensor { name: from.name(names[0]), source })
    }

    /// Takes a matrix and its `bias`: one value per row of the matrix, or empty.
    pub(super) fn of(weight: Matrix, mut bias: Vec<f32>) -> Result<Self> {
        Ok(match weight {
            Matrix::Dense(weight) => {
                if !bias.is_empty() {
                    bias.resize(panels_of(weight.columns()) * PANEL, 0.0);
                }
                Self::Dense { weight, bias }
            }
            Matrix::Blocks(weight) => {
                if !bias.is_empty() {
                    bias.resize(panels_of(weight.columns()) * PANEL, 0.0);
                }
                Self::Blocks { weight, bias }
            }
            Matrix::Quantized(blocks) => {
                let (output, input) = blocks.shape().dims2()?;
                let bias = (!bias.is_empty()).then(|| Tensor::new(bias, &blocks.device())).transpose()?;
                Self::Quantized { map: quantized_nn::Linear::from_arc(blocks, bias)?, input, output }
            }
        })
    }

    /// Maps `[.., input]` to `[.., output]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.run(x, false)
    }

    /// Applies the map as [`Linear::forward`] does, then an activation.
    pub(super) fn activated(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        match self {
            Self::Dense { .. } if activation == Activation::Gelu => self.run(x, true),
            _ => activation.forward(&self.run(x, false)?),
        }
    }

    /// The product with packed weights; `None` when the weights are not packed.
    pub(super) fn product(&self, gelu: bool) -> Option<Product<'_>> {
        match self {
            Self::Dense { weight, bias } => Some(Product { weight, bias, gelu }),
            Self::Blocks { .. } | Self::Quantized { .. } => None,
        }
    }

    /// Number of values in a line that the map takes.
    fn input(&self) -> usize {
        match self {
            Self::Dense { weight, .. } => weight.inner(),
            Self::Blocks { weight, .. } => weight.inner(),
            Self::Quantized { input, .. } => *input,
        }
    }

    /// Number of values in a line that the map gives.
    pub(super) fn output(&self) -> usize {
        match self {
            Self::Dense { weight, .. } => weight.columns(),
            Self::Blocks { weight, .. } => weight.columns(),
            Self::Quantized { output, .. } => *output,
        }
    }

    /// Rounds `values`, `[lines, width]`, to codes if a map of `maps` needs them.
    pub(super) fn round(maps: &[&Self], kernel: Kernel, values: &[f32], width: usize, codes: &mut BlockRows) {
        if maps.iter().any(|map| matches!(map, Self::Blocks { .. })) {
            let rows = Rows { values, stride: width, rows: values.len() / width };
            kernel.round_blocks(rows, width, codes);
        }
    }

    /// Maps lines on this thread: `out` is `[lines, output]`.
    pub(super) fn map(&self, kernel: Kernel, lines: Lines<'_>, out: &mut [f32]) -> Result<()> {
        match self {
            Self::Dense { weight, bias } => {
                Product { weight, bias, gelu: false }.run(kernel, lines.values, out);
            }
            Self::Blocks { weight, bias } => {
                kernel.block_product(lines.codes, weight.all(), bias, out, weight.columns());
            }
            Self::Quantized { map, output, .. } => {
                let values = Tensor::from_slice(lines.values, (out.len() / output, ()), &Device::Cpu)?;
                out.copy_from_slice(&map.forward(&values)?.flatten_all()?.to_vec1::<f32>()?);
            }
        }
        Ok(())
    }

    /// Maps the same few lines by several maps, whose columns all threads divide: what is read is
    /// then mostly the weights. `outs` has a place of `[lines, output]` for each map.
    pub(super) fn map_few(
        maps: &[&Self],
        kernel: Kernel,
        lines: Lines<'_>,
        outs: &mut [&mut [f32]],
    ) -> Result<()> {
        if maps.iter().any(|map| matches!(map, Self::Quantized { .. })) {
            return maps.iter().zip(outs).try_for_each(|(map, out)| map.map(kernel, lines, out));
        }
        let panels = |map: &Self| panels_of(map.output()).div_ceil(TASK_PANELS);
        let tasks: Vec<(usize, usize)> = maps
            .iter()
            .enumerate()
            .flat_map(|(index, map)| (0..panels(map)).map(move |task| (index, task * TASK_PANELS)))
            .collect();
        let part = |&(index, first): &(usize, usize)| maps[index].part(kernel, lines, first);
        let parts: Vec<(usize, Vec<f32>)> = tasks.par_iter().map(part).collect();
        for ((index, first), (width, part)) in tasks.into_iter().zip(parts) {
            let output = maps[index].output();
            for (out, part) in outs[index].chunks_exact_mut(output).zip(part.chunks_exact(width)) {
                out[first * PANEL..][..width].copy_from_slice(part);
            }
        }
        Ok(())
    }

    /// The product with some panels from `first` on: its width, and `[lines, width]`.
    fn part(&self, kernel: Kernel, lines: Lines<'_>, first: usize) -> (usize, Vec<f32>) {
        let count = TASK_PANELS.min(panels_of(self.output()) - first);
        let width = (self.output() - first * PANEL).min(count * PANEL);
        let n = lines.values.len() / self.input();
        let mut out = vec![0f32; n * width];
        match self {
            Self::Dense { weight, bias } => {
                let rows = Rows { values: lines.values, stride: weight.inner(), rows: n };
                let finish = Finish { bias: bias.get(first * PANEL..).unwrap_or_default(), gelu: false };
                kernel.product(rows, weight.part(first, count), finish, &mut out, width);
            }
            Self::Blocks { weight, bias } => {
                let bias = bias.get(first * PANEL..).unwrap_or_default();
                kernel.block_product(lines.codes, weight.part(first, count), bias, &mut out, width);
            }
            Self::Quantized { .. } => {}
        }
        (width, out)
    }

    /// Maps lines on all threads: `[lines, input]` to `[lines, output]`.
    pub(super) fn map_all(&self, values: &[f32]) -> Result<Vec<f32>> {
        let (kernel, mut codes) = (Kernel::detect(), BlockRows::default());
        let width = self.input();
        let n = values.len() / width;
        let mut out = vec![0f32; n * self.output()];
        Self::round(&[self], kernel, values, width, &mut codes);
        Self::map_few(&[self], kernel, Lines { values, codes: &codes }, &mut [&mut out])?;
        Ok(out)
    }

    fn run(&self, x: &Tensor, gelu: bool) -> Result<Tensor> {
        match self {
            Self::Quantized { map, output, .. } => {
                let mut shape = x.dims().to_vec();
                let input = shape.pop().unwrap_or_default();
                let y = map.forward(&x.reshape(((), input))?)?;
                shape.push(*output);
                let y = y.reshape(shape)?;
                if gelu { y.gelu_erf() } else { Ok(y) }
            }
            Self::Dense { weight, bias } => x.contiguous()?.apply_op1_no_bwd(&Product { weight, bias, gelu }),
            Self::Blocks { .. } => candle_core::bail!("an encoder's weights in blocks"),
        }
    }
}

/// The activation function of a feed-forward layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
    /// GELU with the exact error function.
    Gelu,
    /// GELU with a tanh approximation.
    GeluTanh,
    Relu,
    Silu,
}

impl Activation {
    /// The activation called `name` in the field `field` of a configuration.
    pub(super) fn named(field: &'static str, name: &str) -> std::result::Result<Self, LoadError> {
        match name {
            "gelu" | "gelu_python" => Ok(Self::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Self::GeluTanh),
            "relu" => Ok(Self::Relu),
            "silu" | "swish" => Ok(Self::Silu),
            _ => Err(LoadError::Unsupported { what: field, value: name.to_owned() }),
        }
    }

    /// Applies the activation to `values` in place.
    pub(super) fn apply(self, values: &mut [f32]) {
        let one = |x: f32| match self {
            Self::Gelu => {
                candle_core::cpu::erf::erf_f32(x * std::f32::consts::FRAC_1_SQRT_2).mul_add(x / 2.0, x / 2.0)
            }
            Self::GeluTanh => {
                let inner = (2.0 / std::f32::consts::PI).sqrt() * x * (1.0 + 0.044715 * x * x);
                0.5 * x * (1.0 + inner.tanh())
            }
            Self::Relu => x.max(0.0),
            Self::Silu => x / (1.0 + (-x).exp()),
        };
        values.iter_mut().for_each(|v| *v = one(*v));
    }

    /// Applies the activation to `gate` in place, then multiplies by `values`.
    pub(super) fn gate(self, kernel: Kernel, gate: &mut [f32], values: &[f32]) {
        if self == Self::Silu {
            return kernel.silu_gate(gate, values);
        }
        self.apply(gate);
        gate.iter_mut().zip(values).for_each(|(gate, value)| *gate *= value);
    }

    pub(super) fn forward(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Gelu => x.gelu_erf(),
            Self::GeluTanh => x.gelu(),
            Self::Relu => x.relu(),
            Self::Silu => x.silu(),
        }
    }
}
