use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use postil_checkpoint::CheckpointError;

/// Tensors by the names a checkpoint gives them.
pub trait TensorSource {
    /// Whether there is one of this name.
    fn contains(&self, name: &str) -> bool;

    /// The tensor of this name, as f32.
    ///
    /// # Errors
    /// [`LoadError::MissingTensor`], [`LoadError::Tensor`].
    fn tensor(&self, name: &str) -> Result<Tensor, LoadError>;
}

impl TensorSource for HashMap<String, Tensor> {
    fn contains(&self, name: &str) -> bool {
        self.contains_key(name)
    }

    fn tensor(&self, name: &str) -> Result<Tensor, LoadError> {
        let tensor = self.get(name).ok_or_else(|| LoadError::MissingTensor { name: name.to_owned() })?;
        let converted = tensor.to_dtype(DType::F32).and_then(|t| t.to_device(&Device::Cpu));
        converted.map_err(|source| LoadError::Tensor { name: name.to_owned(), source })
    }
}

/// Why a checkpoint gave no model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The checkpoint is incomplete, or of another architecture.
    #[error("the checkpoint has no tensor {name}")]
    MissingTensor {
        /// The name looked for.
        name: String,
    },
    /// The weights are not those of the configuration.
    #[error("tensor {name} has shape {got:?}, the configuration says {expected:?}")]
    TensorShape {
        /// Which tensor.
        name: String,
        /// Its shape.
        got: Vec<usize>,
        /// What it has to be.
        expected: Vec<usize>,
    },
    /// A tensor cannot be read.
    #[error("tensor {name} cannot be read: {source}")]
    Tensor {
        /// Which tensor.
        name: String,
        /// What the tensor library said.
        #[source]
        source: candle_core::Error,
    },
    /// The files cannot be read, or are damaged.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The configuration is no JSON, or lacks something, or contradicts itself.
    #[error("the configuration cannot be used: {reason}")]
    Config {
        /// What is wrong.
        reason: String,
    },
    /// A model this crate has no code for.
    #[error("{what} {value:?} is not supported")]
    Unsupported {
        /// What it is: `architecture`, `activation`.
        what: &'static str,
        /// Its name.
        value: String,
    },
}

/// The tensors under one prefix of a source.
#[derive(Clone)]
pub(super) struct Parameters<'a> {
    source: &'a dyn TensorSource,
    prefix: String,
}

impl<'a> Parameters<'a> {
    pub(super) fn new(source: &'a dyn TensorSource, prefix: &str) -> Self {
        Self { source, prefix: prefix.to_owned() }
    }

    /// The tensors whose names go on with `name` and a full stop.
    pub(super) fn under(&self, name: impl std::fmt::Display) -> Self {
        Self { source: self.source, prefix: format!("{}{name}.", self.prefix) }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.source.contains(&format!("{}{name}", self.prefix))
    }

    /// The tensor `name`, which must have this shape.
    pub(super) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let name = format!("{}{name}", self.prefix);
        let tensor = self.source.tensor(&name)?;
        if tensor.dims() != shape {
            return Err(LoadError::TensorShape {
                name,
                got: tensor.dims().to_vec(),
                expected: shape.to_vec(),
            });
        }
        Ok(tensor)
    }

    /// The values of the vector `name`.
    pub(super) fn values(&self, name: &str, length: usize) -> Result<Vec<f32>, LoadError> {
        let tensor = self.tensor(name, &[length])?;
        tensor
            .to_vec1()
            .map_err(|source| LoadError::Tensor { name: format!("{}{name}", self.prefix), source })
    }
}
