use candle_core::{Module, Result, Tensor};
use candle_transformers::quantized_nn;

use super::matrix::Matrix;
use super::parameters::{LoadError, Parameters};
use super::product::by_rows;

/// A matrix, and a bias where the checkpoint has one.
pub(super) enum Linear {
    Dense {
        /// `[output, input]`.
        weight: Tensor,
        bias: Option<Tensor>,
    },
    Quantized {
        map: quantized_nn::Linear,
        output: usize,
    },
}

impl Linear {
    pub(super) fn load(
        from: &Parameters<'_>,
        input: usize,
        output: usize,
    ) -> std::result::Result<Self, LoadError> {
        let bias = from.contains("bias").then(|| from.tensor("bias", &[output])).transpose()?;
        let failed = |source| LoadError::Tensor { name: from.name("weight"), source };
        Self::of_matrix(from.matrix("weight", output, input)?, bias).map_err(failed)
    }

    /// As [`Linear::load`], for architectures that always have a bias.
    pub(super) fn load_biased(
        from: &Parameters<'_>,
        input: usize,
        output: usize,
    ) -> std::result::Result<Self, LoadError> {
        Ok(Self::of(from.tensor("weight", &[output, input])?, Some(from.tensor("bias", &[output])?)))
    }

    /// `weight`: `[output, input]`.
    pub(super) fn of(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self::Dense { weight, bias }
    }

    pub(super) fn of_matrix(weight: Matrix, bias: Option<Tensor>) -> Result<Self> {
        Ok(match weight {
            Matrix::Dense(weight) => Self::of(weight, bias),
            Matrix::Quantized(blocks) => {
                let output = blocks.shape().dims2()?.0;
                Self::Quantized { map: quantized_nn::Linear::from_arc(blocks, bias)?, output }
            }
        })
    }

    /// `[.., input]` to `[.., output]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut shape = x.dims().to_vec();
        let input = shape.pop().unwrap_or_default();
        let lines = x.reshape(((), input))?;
        let (y, output) = match self {
            Self::Quantized { map, output } => (map.forward(&lines)?, *output),
            Self::Dense { weight, bias } => {
                let y = by_rows(&lines, weight)?;
                (bias.as_ref().map_or_else(|| Ok(y.clone()), |bias| y.broadcast_add(bias))?, weight.dim(0)?)
            }
        };
        shape.push(output);
        y.reshape(shape)
    }
}

/// A feed-forward layer's non-linearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
    /// With the exact error function.
    Gelu,
    /// With a tanh in its place.
    GeluTanh,
    Relu,
    Silu,
}

impl Activation {
    /// By the name configurations use.
    pub(super) fn named(name: &str) -> std::result::Result<Self, LoadError> {
        match name {
            "gelu" => Ok(Self::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Self::GeluTanh),
            "relu" => Ok(Self::Relu),
            "silu" | "swish" => Ok(Self::Silu),
            _ => Err(LoadError::Unsupported { what: "activation", value: name.to_owned() }),
        }
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
