//! Tensors by name, as f32, from one or several safetensors files.
//!
//! Invariant: by the time a [`Weights`] exists, every tensor's place was checked to lie in its file.
//!
//! file | responsibility
//! ---|---
//! `header.rs` | parses and checks the header of one file
//! `map.rs` | maps checked files

mod header;
mod map;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device, Tensor};

use crate::{CheckpointError, Damage};

/// One tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorEntry {
    /// As the file spells it: `F32`.
    pub dtype: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
    file: usize,
}

/// The tensors of a model, mapped and not yet read.
pub struct Weights {
    root: PathBuf,
    files: Vec<PathBuf>,
    entries: BTreeMap<String, TensorEntry>,
    mapped: MmapedSafetensors,
}

impl Weights {
    /// Checks the headers of `files` and maps them; `root` is named in errors.
    ///
    /// # Errors
    /// [`CheckpointError::Corrupt`] naming the file and the damage, [`CheckpointError::Io`].
    pub fn open(root: &Path, files: &[PathBuf]) -> Result<Self, CheckpointError> {
        let mut entries = BTreeMap::new();
        for (file, path) in files.iter().enumerate() {
            for (name, checked) in header::read(path)? {
                let entry = TensorEntry { dtype: checked.dtype, shape: checked.shape, file };
                if entries.insert(name.clone(), entry).is_some() {
                    let damage = Damage::Tensor { name, reason: "stored in two files" };
                    return Err(CheckpointError::corrupt(path, damage));
                }
            }
        }
        let mapped = map::map(files).map_err(|source| unreadable(root, &source))?;
        Ok(Self { root: root.to_owned(), files: files.to_vec(), entries, mapped })
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// What the header says of a tensor.
    pub fn entry(&self, name: &str) -> Option<&TensorEntry> {
        self.entries.get(name)
    }

    /// A tensor's values in row-major order, converted to f32.
    ///
    /// # Errors
    /// [`CheckpointError::NoTensor`], [`CheckpointError::TensorShape`] when it is not of this shape,
    /// [`CheckpointError::TensorType`] when it is not of a floating type.
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let entry = self.expect(name)?;
        if entry.shape != shape {
            return Err(CheckpointError::TensorShape {
                path: self.files[entry.file].clone(),
                name: name.to_owned(),
                got: entry.shape.clone(),
                expected: shape.to_vec(),
            });
        }
        let tensor = self.tensor(name, DType::F32, &Device::Cpu)?;
        tensor
            .flatten_all()
            .and_then(|flat| flat.to_vec1())
            .map_err(|source| unreadable(&self.files[entry.file], &source))
    }

    /// A tensor on `device`, converted to `dtype`.
    ///
    /// # Errors
    /// [`CheckpointError::NoTensor`], [`CheckpointError::TensorType`] when it is not of a floating type.
    pub fn tensor(&self, name: &str, dtype: DType, device: &Device) -> Result<Tensor, CheckpointError> {
        let entry = self.expect(name)?;
        if !matches!(entry.dtype.as_str(), "F32" | "F16" | "BF16") {
            return Err(CheckpointError::TensorType {
                path: self.files[entry.file].clone(),
                name: name.to_owned(),
                dtype: entry.dtype.clone(),
            });
        }
        self.mapped
            .load(name, device)
            .and_then(|tensor| tensor.to_dtype(dtype))
            .map_err(|source| unreadable(&self.files[entry.file], &source))
    }

    /// The checked, mapped files as candle has them, for a `VarBuilder`.
    pub fn into_mapped(self) -> MmapedSafetensors {
        self.mapped
    }

    fn expect(&self, name: &str) -> Result<&TensorEntry, CheckpointError> {
        self.entries
            .get(name)
            .ok_or_else(|| CheckpointError::NoTensor { path: self.root.clone(), name: name.to_owned() })
    }
}

fn unreadable(path: &Path, source: &candle_core::Error) -> CheckpointError {
    CheckpointError::corrupt(path, Damage::Unreadable { reason: source.to_string() })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn saved(folder: &Path, file: &str, name: &str, dtype: DType) -> PathBuf {
        let tensor = Tensor::new(&[[1f32, -2.5, 0.0], [0.5, 65504.0, 3.0]], &Device::Cpu).unwrap();
        let path = folder.join(file);
        let tensors = HashMap::from([(name.to_owned(), tensor.to_dtype(dtype).unwrap())]);
        candle_core::safetensors::save(&tensors, &path).unwrap();
        path
    }

    #[test]
    fn half_precision_tensors_are_read_as_f32() {
        let folder = tempfile::tempdir().unwrap();
        for dtype in [DType::F32, DType::F16] {
            let path = saved(folder.path(), "w.safetensors", "w", dtype);
            let weights = Weights::open(folder.path(), &[path]).unwrap();
            assert_eq!(weights.values("w", &[2, 3]).unwrap(), [1.0, -2.5, 0.0, 0.5, 65504.0, 3.0]);
        }
        let path = saved(folder.path(), "w.safetensors", "w", DType::BF16);
        let weights = Weights::open(folder.path(), &[path]).unwrap();
        assert_eq!(weights.values("w", &[2, 3]).unwrap()[..4], [1.0, -2.5, 0.0, 0.5]);
    }

    #[test]
    fn a_tensor_that_is_missing_or_misshapen_or_an_integer_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let float = saved(folder.path(), "a.safetensors", "float", DType::F32);
        let bytes = saved(folder.path(), "b.safetensors", "bytes", DType::U8);
        let weights = Weights::open(folder.path(), &[float, bytes]).unwrap();
        let error = weights.values("other", &[1]).unwrap_err();
        assert!(matches!(error, CheckpointError::NoTensor { name, .. } if name == "other"));
        let error = weights.values("float", &[3, 2]).unwrap_err();
        assert!(matches!(error, CheckpointError::TensorShape { got, .. } if got == [2, 3]));
        let error = weights.values("bytes", &[2, 3]).unwrap_err();
        assert!(matches!(error, CheckpointError::TensorType { dtype, .. } if dtype == "U8"));
    }

    #[test]
    fn a_tensor_stored_in_two_files_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let one = saved(folder.path(), "a.safetensors", "w", DType::F32);
        let two = saved(folder.path(), "b.safetensors", "w", DType::F32);
        assert!(matches!(Weights::open(folder.path(), &[one, two]), Err(CheckpointError::Corrupt { .. })));
    }
}
