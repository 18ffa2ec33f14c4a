use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use postil_checkpoint::{CheckpointError, Weights};

use super::matrix::Matrix;

/// Tensors by the names a checkpoint gives them.
pub trait TensorSource {
    /// True when there is a tensor of this name.
    fn contains(&self, name: &str) -> bool;

    /// Shape of the tensor of this name, where it is known before the tensor is read; `None`, the
    /// default, where it is not, or there is no such tensor.
    fn shape(&self, _name: &str) -> Option<Vec<usize>> {
        None
    }

    /// The tensor of this name, as f32.
    ///
    /// # Errors
    /// [`LoadError::MissingTensor`], [`LoadError::Tensor`].
    fn tensor(&self, name: &str) -> Result<Tensor, LoadError>;

    /// The matrix of this name in its blocks, or some `rows` of it, when products can be computed from
    /// them; `None` when they cannot, or there is no such matrix.
    ///
    /// # Errors
    /// [`LoadError::Tensor`], [`LoadError::Checkpoint`].
    fn blocks(&self, _name: &str, _rows: Option<Range<usize>>) -> Result<Option<Matrix>, LoadError> {
        Ok(None)
    }
}

/// The tensors of a model folder, of any floating-point type and in any number of files.
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

/// Reasons that a checkpoint gave no model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A tensor is missing: the checkpoint is incomplete, or of another architecture.
    #[error("the checkpoint has no tensor {name}")]
    MissingTensor {
        /// The name of the missing tensor.
        name: String,
    },
    /// A tensor's shape disagrees with the configuration.
    #[error("tensor {name} has shape {got:?}, the configuration says {expected:?}")]
    TensorShape {
        /// The tensor's name.
        name: String,
        /// The tensor's shape in the file.
        got: Vec<usize>,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
    },
    /// A tensor cannot be read.
    #[error("tensor {name} cannot be read: {source}")]
    Tensor {
        /// The tensor's name.
        name: String,
        /// The tensor library's error.
        #[source]
        source: candle_core::Error,
    },
    /// The files cannot be read, or are damaged.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The tokenizer belongs to another model.
    #[error("the tokenizer has {tokenizer} tokens, the model {model}")]
    Vocabulary {
        /// Number of tokens of the tokenizer.
        tokenizer: usize,
        /// Number of tokens of the model.
        model: usize,
    },
    /// A prompt template is invalid, or loses a part of the question or passage.
    #[error("the prompt template cannot be used: {reason}")]
    Template {
        /// Description of the error.
        reason: String,
    },
    /// The configuration is not JSON, lacks a field, or contradicts itself.
    #[error("the configuration cannot be used: {reason}")]
    Config {
        /// Description of the error.
        reason: String,
    },
    /// The model has a feature that this crate does not support.
    #[error("{what} {value:?} is not supported")]
    Unsupported {
        /// Name of the feature: `architecture`, or the field of the configuration that asks for it.
        what: &'static str,
        /// The feature's value.
        value: String,
    },
    /// An error with the file or folder it occurred in.
    #[error("{path}: {error}", path = path.display())]
    At {
        /// The file or folder.
        path: PathBuf,
        /// The error.
        error: Box<LoadError>,
    },
}

impl LoadError {
    /// Adds the path to an error that has none: the model's folder, or the file in it that caused
    /// the error.
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

/// The tensors of a source that share a prefix.
#[derive(Clone)]
pub(super) struct Parameters<'a> {
    source: &'a dyn TensorSource,
    prefix: String,
}

impl<'a> Parameters<'a> {
    pub(super) fn new(source: &'a dyn TensorSource, prefix: &str) -> Self {
        Self { source, prefix: prefix.to_owned() }
    }

    /// The tensors whose names continue with `name` and a full stop.
    pub(super) fn under(&self, name: impl std::fmt::Display) -> Self {
        Self { source: self.source, prefix: format!("{}{name}.", self.prefix) }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.source.contains(&self.name(name))
    }

    /// The full name of the tensor `name`.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Refuses a tensor of another shape before it is read: laid out for products, one row takes as
    /// much room as sixteen.
    fn check_shape(&self, name: &str, expected: &[usize]) -> Result<(), LoadError> {
        match self.source.shape(name) {
            Some(got) if got != expected => {
                Err(LoadError::TensorShape { name: name.to_owned(), got, expected: expected.to_vec() })
            }
            _ => Ok(()),
        }
    }

    /// The tensor `name`, which must have this shape.
    pub(super) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let name = self.name(name);
        self.check_shape(&name, shape)?;
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
        self.check_shape(&full, &[rows, columns])?;
        let Some(matrix) = self.source.blocks(&full, None)? else {
            return Matrix::pack(&self.tensor(name, &[rows, columns])?)
                .map_err(|source| LoadError::Tensor { name: full, source });
        };
        match matrix.shape().map_err(|source| LoadError::Tensor { name: full.clone(), source })? {
            shape if shape == (rows, columns) => Ok(matrix),
            (got_rows, got_columns) => Err(LoadError::TensorShape {
                name: full,
                got: vec![got_rows, got_columns],
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix of one row that must not be read.
    struct Wide;

    impl TensorSource for Wide {
        fn contains(&self, _: &str) -> bool {
            true
        }

        fn shape(&self, _: &str) -> Option<Vec<usize>> {
            Some(vec![1, 1 << 40])
        }

        fn tensor(&self, _: &str) -> Result<Tensor, LoadError> {
            unreachable!("its shape is wrong")
        }

        fn blocks(&self, _: &str, _: Option<Range<usize>>) -> Result<Option<Matrix>, LoadError> {
            unreachable!("its shape is wrong")
        }
    }

    #[test]
    fn a_tensor_of_another_shape_is_refused_before_it_is_read() {
        let from = Parameters::new(&Wide, "");
        let is_refused =
            |error: LoadError| matches!(error, LoadError::TensorShape { got, .. } if got == [1, 1 << 40]);
        assert!(from.matrix("w", 16, 64).err().is_some_and(is_refused));
        assert!(from.tensor("w", &[16, 64]).err().is_some_and(is_refused));
        let fused = super::super::family::Fused { source: &Wide, queries: 4, keys: 2, inner: 4 };
        let from = Parameters::new(&fused, "l.");
        assert!(matches!(from.matrix("k_proj.weight", 2, 64), Err(LoadError::TensorShape { .. })));
    }
}
