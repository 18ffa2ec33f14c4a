use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::quantized::QTensor;
use candle_core::{DType, Device, Tensor};
use postil_checkpoint::{CheckpointError, Weights};

use super::matrix::Matrix;

/// Tensors by the names a checkpoint gives them.
pub trait TensorSource {
    /// Whether there is one of this name.
    fn contains(&self, name: &str) -> bool;

    /// The tensor of this name, as f32.
    ///
    /// # Errors
    /// [`LoadError::MissingTensor`], [`LoadError::Tensor`].
    fn tensor(&self, name: &str) -> Result<Tensor, LoadError>;

    /// The matrix of this name as it is stored, where that is in blocks a product can be computed from;
    /// `None` where it is not, or is not there.
    ///
    /// # Errors
    /// [`LoadError::Tensor`].
    fn quantized(&self, _name: &str) -> Result<Option<Arc<QTensor>>, LoadError> {
        Ok(None)
    }
}

/// The tensors of a model folder, of any floating type and in any number of files.
impl TensorSource for Weights {
    fn contains(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    fn tensor(&self, name: &str) -> Result<Tensor, LoadError> {
        if !self.contains(name) {
            return Err(LoadError::MissingTensor { name: name.to_owned() });
        }
        Ok(Weights::tensor(self, name, DType::F32, &Device::Cpu)?)
    }
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
    /// The tokenizer belongs to another model.
    #[error("the tokenizer has {tokenizer} tokens, the model {model}")]
    Vocabulary {
        /// Tokens of the tokenizer.
        tokenizer: usize,
        /// Tokens of the model.
        model: usize,
    },
    /// A prompt template that is none, or that loses what it is given.
    #[error("the prompt template cannot be used: {reason}")]
    Template {
        /// What is wrong.
        reason: String,
    },
    /// The configuration is no JSON, or lacks something, or contradicts itself.
    #[error("the configuration cannot be used: {reason}")]
    Config {
        /// What is wrong.
        reason: String,
    },
    /// A model this crate has no code for.
    #[error("{what} {value:?} is not supported")]
    Unsupported {
        /// What it is: `architecture`, or the field of the configuration that asks for it.
        what: &'static str,
        /// Its value.
        value: String,
    },
    /// What is wrong, and with what file or folder.
    #[error("{path}: {error}", path = path.display())]
    At {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<LoadError>,
    },
}

impl LoadError {
    /// The same with the model's folder, or the file in it that is at fault, unless it names one.
    pub(crate) fn at(self, model: &Path) -> Self {
        let is_of_config = matches!(self, Self::Config { .. } | Self::Unsupported { .. });
        let config = model.join("config.json");
        match self {
            Self::Checkpoint(_) | Self::At { .. } => self,
            error => Self::At {
                path: if is_of_config && config.is_file() { config } else { model.to_owned() },
                error: Box::new(error),
            },
        }
    }
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
        self.source.contains(&self.name(name))
    }

    /// The full name of `name`.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The tensor `name`, which must have this shape.
    pub(super) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let name = self.name(name);
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

    /// The matrix `name`, `[rows, columns]`.
    pub(super) fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Matrix, LoadError> {
        let full = self.name(name);
        match self.source.quantized(&full)? {
            None => Matrix::pack(&self.tensor(name, &[rows, columns])?)
                .map_err(|source| LoadError::Tensor { name: full, source }),
            Some(blocks) if blocks.shape().dims() == [rows, columns] => Ok(Matrix::Quantized(blocks)),
            Some(blocks) => Err(LoadError::TensorShape {
                name: full,
                got: blocks.shape().dims().to_vec(),
                expected: vec![rows, columns],
            }),
        }
    }

    /// The values of the small table `name`, `[rows, columns]`, row-major.
    pub(super) fn table(&self, name: &str, rows: usize, columns: usize) -> Result<Vec<f32>, LoadError> {
        let values = self.tensor(name, &[rows, columns])?.flatten_all().and_then(|tensor| tensor.to_vec1());
        values.map_err(|source| LoadError::Tensor { name: self.name(name), source })
    }

    /// The values of the vector `name`.
    pub(super) fn values(&self, name: &str, length: usize) -> Result<Vec<f32>, LoadError> {
        let tensor = self.tensor(name, &[length])?;
        tensor.to_vec1().map_err(|source| LoadError::Tensor { name: self.name(name), source })
    }
}
