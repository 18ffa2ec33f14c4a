use std::collections::BTreeMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use postil_checkpoint::Weights;

use crate::TrainError;

/// The trained tensors of a model by name, in f32. A name is the one that the model's folder has.
#[derive(Clone, Default)]
pub struct Parameters {
    vars: BTreeMap<String, Var>,
}

impl Parameters {
    /// Takes all floating tensors of a model whose name `is_wanted`.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when one cannot be read.
    pub fn load(weights: &Weights, is_wanted: impl Fn(&str) -> bool) -> std::result::Result<Self, TrainError> {
        let mut parameters = Self::default();
        for name in weights.names().filter(|name| is_wanted(name)) {
            let is_floating =
                weights.entry(name).is_some_and(|entry| matches!(&*entry.dtype, "F32" | "F16" | "BF16"));
            if is_floating {
                let tensor = weights.tensor(name, DType::F32, &Device::Cpu)?;
                parameters.insert(name, &tensor)?;
            }
        }
        Ok(parameters)
    }

    /// Adds a tensor to train, or replaces one.
    ///
    /// # Errors
    /// candle's.
    pub fn insert(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        self.vars.insert(name.to_owned(), Var::from_tensor(&tensor.contiguous()?)?);
        Ok(())
    }

    /// The tensor with this name.
    ///
    /// # Errors
    /// candle's error of a missing tensor.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        let missing = || candle_core::Error::CannotFindTensor { path: name.to_owned() }.bt();
        self.vars.get(name).map(|var| var.as_tensor().clone()).ok_or_else(missing)
    }

    /// True when there is a tensor with this name.
    pub fn has(&self, name: &str) -> bool {
        self.vars.contains_key(name)
    }

    /// All tensors, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.vars.iter().map(|(name, var)| (name.as_str(), var))
    }

    /// Adds those of another part of the same model.
    pub fn extend(&mut self, other: Self) {
        self.vars.extend(other.vars);
    }

    /// Number of numbers in all tensors.
    pub fn count(&self) -> usize {
        self.vars.values().map(|var| var.elem_count()).sum()
    }

    /// Copies of all values, in the order of the names.
    ///
    /// # Errors
    /// candle's.
    pub fn values(&self) -> Result<Vec<Vec<f32>>> {
        self.vars.values().map(|var| var.flatten_all()?.to_vec1()).collect()
    }

    /// Sets all values; the opposite of [`Parameters::values`].
    ///
    /// # Errors
    /// candle's, when the lengths are others.
    pub fn set(&self, values: &[Vec<f32>]) -> Result<()> {
        if values.len() != self.vars.len() {
            candle_core::bail!("{} tensors for {}", values.len(), self.vars.len());
        }
        for (var, values) in self.vars.values().zip(values) {
            var.set(&Tensor::from_slice(values, var.shape(), &Device::Cpu)?)?;
        }
        Ok(())
    }
}
