use std::sync::Arc;

use candle_core::{Module, Result, Tensor};
use candle_transformers::quantized_nn;
use postil_kernel::{PANEL, Panels, panels_of};

use super::matrix::Matrix;
use super::parameters::{LoadError, Parameters};
use super::product::Product;

/// A linear map: a matrix, and a bias where the checkpoint has one.
pub(super) enum Linear {
    Dense {
        weight: Arc<Panels>,
        /// Bias padded to whole panels, or empty.
        bias: Vec<f32>,
    },
    Quantized {
        map: quantized_nn::Linear,
        output: usize,
    },
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
            Matrix::Quantized(blocks) => {
                let output = blocks.shape().dims2()?.0;
                let bias = (!bias.is_empty()).then(|| Tensor::new(bias, &blocks.device())).transpose()?;
                Self::Quantized { map: quantized_nn::Linear::from_arc(blocks, bias)?, output }
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
            Self::Quantized { .. } => None,
        }
    }

    fn run(&self, x: &Tensor, gelu: bool) -> Result<Tensor> {
        match self {
            Self::Quantized { map, output } => {
                let mut shape = x.dims().to_vec();
                let input = shape.pop().unwrap_or_default();
                let y = map.forward(&x.reshape(((), input))?)?;
                shape.push(*output);
                let y = y.reshape(shape)?;
                if gelu { y.gelu_erf() } else { Ok(y) }
            }
            Self::Dense { weight, bias } => x.contiguous()?.apply_op1_no_bwd(&Product { weight, bias, gelu }),
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

    pub(super) fn forward(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Gelu => x.gelu_erf(),
            Self::GeluTanh => x.gelu(),
            Self::Relu => x.relu(),
            Self::Silu => x.silu(),
        }
    }
}
