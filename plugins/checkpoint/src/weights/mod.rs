//! Tensors by name, as f32 or int8 codes, from one or several safetensors files or from memory.
//!
//! Invariant: every tensor of a [`Weights`] was checked to lie inside its file.
//!
//! file | responsibility
//! ---|---
//! `header.rs` | parses and checks the header of one file
//! `map.rs` | maps checked files

mod header;
mod map;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::safetensors::{BufferedSafetensors, MmapedSafetensors};
use candle_core::{DType, Device, Tensor};

use crate::{CheckpointError, Damage};

/// One tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorEntry {
    /// The type as the file spells it, such as `F32`.
    pub dtype: String,
    /// The tensor's dimensions.
    pub shape: Vec<usize>,
    file: usize,
}

impl TensorEntry {
    fn new(stored: header::Stored, file: usize) -> Self {
        Self { dtype: stored.dtype, shape: stored.shape, file }
    }
}

/// The tensors' storage.
enum Source {
    Mapped(MmapedSafetensors),
    Held(BufferedSafetensors),
}

/// The tensors of a model, mapped or held in memory and not yet read.
pub struct Weights {
    root: PathBuf,
    files: Vec<PathBuf>,
    entries: BTreeMap<String, TensorEntry>,
    source: Source,
}

impl Weights {
    /// Checks the headers of `files` and maps them; `root` is named in errors.
    ///
    /// # Errors
    /// [`CheckpointError::Corrupt`] naming the file and the damage, [`CheckpointError::Io`].
    pub fn open(root: &Path, files: &[PathBuf]) -> Result<Self, CheckpointError> {
        let mut entries = BTreeMap::new();
        for (file, path) in files.iter().enumerate() {
            for (name, stored) in header::read(path)? {
                if entries.insert(name.clone(), TensorEntry::new(stored, file)).is_some() {
                    let damage = Damage::Tensor { name, reason: "stored in two files" };
                    return Err(CheckpointError::corrupt(path, damage));
                }
            }
        }
        let mapped = map::map(files).map_err(|source| unreadable(root, &source))?;
        Ok(Self { root: root.to_owned(), files: files.to_vec(), entries, source: Source::Mapped(mapped) })
    }

    /// Checks one file held in memory; `name` stands for its path in errors.
    ///
    /// # Errors
    /// [`CheckpointError::Corrupt`] with the damage.
    pub fn from_bytes(name: &Path, bytes: Vec<u8>) -> Result<Self, CheckpointError> {
        let stored = header::read_bytes(name, &bytes)?.into_iter();
        let entries = stored.map(|(name, stored)| (name, TensorEntry::new(stored, 0))).collect();
        let held = BufferedSafetensors::new(bytes).map_err(|source| unreadable(name, &source))?;
        Ok(Self { root: name.to_owned(), files: vec![name.to_owned()], entries, source: Source::Held(held) })
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The header's entry for a tensor; `None` when there is none.
    pub fn entry(&self, name: &str) -> Option<&TensorEntry> {
        self.entries.get(name)
    }

    /// A tensor's values in row-major order, converted to f32.
    ///
    /// # Errors
    /// [`CheckpointError::NoTensor`], [`CheckpointError::TensorShape`] when it is not of this
    /// shape, [`CheckpointError::TensorType`] when it is not of a floating type.
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let entry = self.shaped(name, shape)?;
        let tensor = self.tensor(name, DType::F32, &Device::Cpu)?;
        tensor
            .flatten_all()
            .and_then(|flat| flat.to_vec1())
            .map_err(|source| unreadable(&self.files[entry.file], &source))
    }

    /// The codes of a tensor of 8-bit integers, in row-major order; the caller knows their meaning.
    ///
    /// # Errors
    /// [`CheckpointError::NoTensor`], [`CheckpointError::TensorShape`] when it is not of this
    /// shape, [`CheckpointError::TensorType`] when it is not stored as `I8`.
    pub fn codes(&self, name: &str, shape: &[usize]) -> Result<Vec<i8>, CheckpointError> {
        let entry = self.shaped(name, shape)?;
        if entry.dtype != "I8" {
            return Err(self.other_type(name, entry, "I8"));
        }
        let view = match &self.source {
            Source::Mapped(mapped) => mapped.get(name),
            Source::Held(held) => held.get(name),
        };
        let view = view.map_err(|source| unreadable(&self.files[entry.file], &source))?;
        Ok(view.data().iter().map(|code| code.cast_signed()).collect())
    }

    /// A tensor on `device`, converted to `dtype`.
    ///
    /// # Errors
    /// [`CheckpointError::NoTensor`], [`CheckpointError::TensorType`] when it is not of a floating
    /// type.
    pub fn tensor(&self, name: &str, dtype: DType, device: &Device) -> Result<Tensor, CheckpointError> {
        let entry = self.expect(name)?;
        if !matches!(entry.dtype.as_str(), "F32" | "F16" | "BF16") {
            return Err(self.other_type(name, entry, "F32, F16 or BF16"));
        }
        let loaded = match &self.source {
            Source::Mapped(mapped) => mapped.load(name, device),
            Source::Held(held) => held.load(name, device),
        };
        loaded
            .and_then(|tensor| tensor.to_dtype(dtype))
            .map_err(|source| unreadable(&self.files[entry.file], &source))
    }

    /// The checked, mapped files as candle has them, for a `VarBuilder`; `None` when held in
    /// memory.
    pub fn into_mapped(self) -> Option<MmapedSafetensors> {
        match self.source {
            Source::Mapped(mapped) => Some(mapped),
            Source::Held(_) => None,
        }
    }

    fn shaped(&self, name: &str, shape: &[usize]) -> Result<&TensorEntry, CheckpointError> {
        let entry = self.expect(name)?;
        if entry.shape != shape {
            return Err(CheckpointError::TensorShape {
                path: self.files[entry.file].clone(),
                name: name.to_owned(),
                got: entry.shape.clone(),
                expected: shape.to_vec(),
            });
        }
        Ok(entry)
    }

    fn other_type(&self, name: &str, entry: &TensorEntry, expected: &'static str) -> CheckpointError {
        CheckpointError::TensorType {
            path: self.files[entry.file].clone(),
            name: name.to_owned(),
            dtype: entry.dtype.clone(),
            expected,
        }
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

    /// A file of one tensor of int8 codes.
    fn coded() -> Vec<u8> {
        let json = r#"{"w":{"dtype":"I8","shape":[2,2],"data_offsets":[0,4]}}"#;
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(json.as_bytes());
        bytes.extend([1, 0x80, 0x7f, 0xff]);
        bytes
    }

    #[test]
    fn codes_are_read_from_a_file_and_from_memory_and_nothing_else_is_read_as_codes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        std::fs::write(&path, coded()).unwrap();
        let float = saved(folder.path(), "f.safetensors", "float", DType::F32);
        let mapped = Weights::open(folder.path(), &[path, float]).unwrap();
        let held = Weights::from_bytes(Path::new("built in"), coded()).unwrap();
        for weights in [&mapped, &held] {
            assert_eq!(weights.codes("w", &[2, 2]).unwrap(), [1, -128, 127, -1]);
            let error = weights.codes("w", &[4]).unwrap_err();
            assert!(matches!(error, CheckpointError::TensorShape { .. }), "{error}");
            let error = weights.values("w", &[2, 2]).unwrap_err();
            assert!(matches!(error, CheckpointError::TensorType { dtype, .. } if dtype == "I8"));
        }
        let error = mapped.codes("float", &[2, 3]).unwrap_err();
        assert!(matches!(error, CheckpointError::TensorType { expected: "I8", .. }), "{error}");
    }

    #[test]
    fn bytes_cut_anywhere_are_damage_named_after_them() {
        let whole = coded();
        for length in 0..whole.len() {
            let error = Weights::from_bytes(Path::new("built in"), whole[..length].to_vec()).err().unwrap();
            assert!(error.to_string().starts_with("built in: truncated"), "{length}: {error}");
        }
    }

    #[test]
    fn a_tensor_stored_in_two_files_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let one = saved(folder.path(), "a.safetensors", "w", DType::F32);
        let two = saved(folder.path(), "b.safetensors", "w", DType::F32);
        assert!(matches!(Weights::open(folder.path(), &[one, two]), Err(CheckpointError::Corrupt { .. })));
    }
}
