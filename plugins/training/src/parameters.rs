use std::collections::BTreeMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use postil_checkpoint::Weights;

use crate::TrainError;

/// The tensors of a model by name, in f32: those that are trained, and fixed ones. A name is the one that the model's folder has.
#[derive(Clone, Default)]
pub struct Parameters {
    vars: BTreeMap<String, Var>,
    fixed: BTreeMap<String, Tensor>,
}

impl Parameters {
    /// Takes all floating tensors of a model whose name `is_wanted`.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when one cannot be read.
    pub fn load(
        weights: &Weights,
        is_wanted: impl Fn(&str) -> bool,
    ) -> std::result::Result<Self, TrainError> {
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

    /// Adds a tensor that is read and not trained.
    pub fn insert_fixed(&mut self, name: &str, tensor: &Tensor) {
        self.vars.remove(name);
        self.fixed.insert(name.to_owned(), tensor.detach());
    }

    /// Ends the training of the tensors with such names.
    pub fn freeze(&mut self, is_frozen: impl Fn(&str) -> bool) {
        let names: Vec<String> = self.vars.keys().filter(|name| is_frozen(name)).cloned().collect();
        for name in names {
            if let Some(var) = self.vars.remove(&name) {
                self.fixed.insert(name, var.as_tensor().detach());
            }
        }
    }

    /// The tensor with this name.
    ///
    /// # Errors
    /// candle's error of a missing tensor.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        let missing = || candle_core::Error::CannotFindTensor { path: name.to_owned() }.bt();
        let var = self.vars.get(name).map(|var| var.as_tensor().clone());
        var.or_else(|| self.fixed.get(name).cloned()).ok_or_else(missing)
    }

    /// True when there is a tensor with this name.
    pub fn has(&self, name: &str) -> bool {
        self.vars.contains_key(name) || self.fixed.contains_key(name)
    }

    /// All trained tensors, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.vars.iter().map(|(name, var)| (name.as_str(), var))
    }

    /// Adds those of another model, with `prefix` before their names.
    pub fn extend(&mut self, prefix: &str, other: Self) {
        let named = |name: String| format!("{prefix}{name}");
        self.vars.extend(other.vars.into_iter().map(|(name, var)| (named(name), var)));
        self.fixed.extend(other.fixed.into_iter().map(|(name, tensor)| (named(name), tensor)));
    }

    /// Number of numbers that are trained.
    pub fn count(&self) -> usize {
        self.vars.values().map(|var| var.elem_count()).sum()
    }

    /// Copies of all trained values, in the order of the names.
    ///
    /// # Errors
    /// candle's.
    pub fn values(&self) -> Result<Vec<Vec<f32>>> {
        self.vars.values().map(|var| var.flatten_all()?.to_vec1()).collect()
    }

    /// Sets all trained values; the opposite of [`Parameters::values`].
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
