use candle_core::{Result, Tensor};

use super::parameters::{LoadError, Parameters};

/// A matrix, and a bias where the checkpoint has one.
pub(super) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    pub(super) fn load(
        from: &Parameters<'_>,
        input: usize,
        output: usize,
    ) -> std::result::Result<Self, LoadError> {
        let bias = from.contains("bias").then(|| from.tensor("bias", &[output])).transpose()?;
        Ok(Self { weight: from.tensor("weight", &[output, input])?, bias })
    }

    /// As [`Linear::load`], for architectures that always have a bias.
    pub(super) fn load_biased(
        from: &Parameters<'_>,
        input: usize,
        output: usize,
    ) -> std::result::Result<Self, LoadError> {
        Ok(Self {
            weight: from.tensor("weight", &[output, input])?,
            bias: Some(from.tensor("bias", &[output])?),
        })
    }

    /// `weight`: `[output, input]`.
    pub(super) fn of(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    /// `[.., input]` to `[.., output]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut shape = x.dims().to_vec();
        let input = shape.pop().unwrap_or_default();
        shape.push(self.weight.dim(0)?);
        let y = x.reshape(((), input))?.matmul(&self.weight.t()?)?;
        let y = match &self.bias {
            Some(bias) => y.broadcast_add(bias)?,
            None => y,
        };
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
