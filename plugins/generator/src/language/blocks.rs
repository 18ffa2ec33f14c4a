use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{Device, Result, Tensor};
use postil_checkpoint::{CheckpointError, Damage, GgufFile, GgufTensor};
use postil_kernel::{BlockFormat, BlockPanels};
use rayon::prelude::*;

use crate::model::Matrix;
use crate::{LoadError, TensorSource};

/// The tensors of a GGUF file, with the names and the row order of published checkpoints.
pub(super) struct Blocks<'a> {
    file: &'a GgufFile,
    /// Heads of queries and of keys, for models such as Llama whose GGUF rows (i, i + head/2) are
    /// stored side by side; `None` when rows are stored as published.
    paired: Option<(usize, usize)>,
    /// Parts of a layer with other names than those of [`PARTS`].
    parts: &'static [(&'static str, &'static str)],
    /// The bytes of the tensor that is read, in a buffer used again for the next: fresh memory costs
    /// more than reading into it.
    buffer: Mutex<Vec<u8>>,
}

/// Parts of a layer: published name and GGUF name.
const PARTS: [(&str, &str); 11] = [
    ("input_layernorm", "attn_norm"),
    ("post_attention_layernorm", "ffn_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
];

impl<'a> Blocks<'a> {
    /// The weights of a file whose header was checked; each is read when it is asked for.
    pub(super) fn new(
        file: &'a GgufFile,
        paired: Option<(usize, usize)>,
        parts: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { file, paired, parts, buffer: Mutex::default() }
    }

    /// The tensor of a published name; `None` when there is none.
    fn stored(&self, name: &str) -> Option<(String, &GgufTensor)> {
        let stored = stored_name(name, self.parts)?;
        let tensor = self.file.tensors().get(&stored)?;
        Some((stored, tensor))
    }

    fn bytes(&self, stored: &str) -> std::result::Result<Vec<u8>, LoadError> {
        let missing = || LoadError::MissingTensor { name: stored.to_owned() };
        self.file.bytes(stored)?.ok_or_else(missing)
    }

    /// The tensor as the tensor library has it, its rows as they are stored.
    fn library(&self, stored: &str, tensor: &GgufTensor) -> std::result::Result<QTensor, LoadError> {
        let bytes = self.bytes(stored)?;
        let read = || {
            let dtype = dtype(tensor.dtype)?;
            QTensor::new(
                QStorage::from_data(Cow::Owned(bytes), &Device::Cpu, dtype)?,
                tensor.shape.as_slice(),
            )
        };
        read().map_err(|error| {
            let damage = Damage::Unreadable { reason: error.to_string() };
            CheckpointError::Corrupt { path: self.file.path().to_owned(), damage }.into()
        })
    }

    /// Number of heads whose rows must be reordered; `None` when the rows are in published order.
    fn heads(&self, name: &str) -> Option<usize> {
        let (queries, keys) = self.paired?;
        match name {
            _ if name.contains(".self_attn.q_proj.") => Some(queries),
            _ if name.contains(".self_attn.k_proj.") => Some(keys),
            _ => None,
        }
    }
}

/// The library's type of this name.
fn dtype(name: &str) -> Result<GgmlDType> {
    Ok(match name {
        "F32" => GgmlDType::F32,
        "F16" => GgmlDType::F16,
        "BF16" => GgmlDType::BF16,
        "Q4_0" => GgmlDType::Q4_0,
        "Q4_1" => GgmlDType::Q4_1,
        "Q5_0" => GgmlDType::Q5_0,
        "Q5_1" => GgmlDType::Q5_1,
        "Q8_0" => GgmlDType::Q8_0,
        "Q8_1" => GgmlDType::Q8_1,
        "Q2_K" => GgmlDType::Q2K,
        "Q3_K" => GgmlDType::Q3K,
        "Q4_K" => GgmlDType::Q4K,
        "Q5_K" => GgmlDType::Q5K,
        "Q6_K" => GgmlDType::Q6K,
        "Q8_K" => GgmlDType::Q8K,
        other => candle_core::bail!("type {other}"),
    })
}

fn stored_name(name: &str, parts: &[(&str, &str)]) -> Option<String> {
    let name = name.strip_prefix("model.").unwrap_or(name);
    let (path, kind) = name.rsplit_once('.')?;
    let stored = match path {
        "embed_tokens" => "token_embd".to_owned(),
        "norm" => "output_norm".to_owned(),
        "lm_head" => "output".to_owned(),
        "rope_freqs" | "rope_factors_short" => path.to_owned(),
        _ => {
            let (layer, part) = path.strip_prefix("layers.")?.split_once('.')?;
            let (_, stored) = parts.iter().chain(&PARTS).find(|(published, _)| *published == part)?;
            format!("blk.{layer}.{stored}")
        }
    };
    Some(format!("{stored}.{kind}"))
}

impl TensorSource for Blocks<'_> {
    fn contains(&self, name: &str) -> bool {
        self.stored(name).is_some()
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.stored(name).map(|(_, tensor)| tensor.shape.clone())
    }

    fn tensor(&self, name: &str) -> std::result::Result<Tensor, LoadError> {
        let (stored, tensor) =
            self.stored(name).ok_or_else(|| LoadError::MissingTensor { name: name.to_owned() })?;
        let tensor = self.library(&stored, tensor)?.dequantize(&Device::Cpu);
        let tensor = tensor.and_then(|tensor| match self.heads(name) {
            Some(heads) => in_order(&tensor, heads),
            None => Ok(tensor),
        });
        tensor.map_err(|source| LoadError::Tensor { name: name.to_owned(), source })
    }

    fn blocks(
        &self,
        name: &str,
        rows: Option<Range<usize>>,
    ) -> std::result::Result<Option<Matrix>, LoadError> {
        let Some((stored, tensor)) = self.stored(name) else { return Ok(None) };
        let &[all, columns] = tensor.shape.as_slice() else { return Ok(None) };
        if matches!(tensor.dtype, "F32" | "F16" | "BF16") {
            return Ok(None);
        }
        let failed = |source| LoadError::Tensor { name: name.to_owned(), source };
        let rows = rows.unwrap_or(0..all);
        if rows.is_empty() || rows.end > all {
            return Err(failed(candle_core::Error::Msg(format!("rows {rows:?} of {all}"))));
        }
        let half = self.heads(name).map(|heads| half_a_head(all, heads)).transpose().map_err(failed)?;
        let from = |row: usize| half.map_or(rows.start + row, |half| place(rows.start + row, half));
        let Some(format) = BlockFormat::named(tensor.dtype) else {
            let blocks = chosen_rows(&self.library(&stored, tensor)?, rows.len(), from).map_err(failed)?;
            return Ok(Some(Matrix::Quantized(Arc::new(blocks))));
        };
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.file.read_into(&stored, &mut buffer)? {
            return Err(LoadError::MissingTensor { name: stored });
        }
        let bytes = buffer.as_slice();
        let row_bytes = columns / format.values() * format.bytes();
        let mut matrix = BlockPanels::zeros(format, rows.len(), columns);
        matrix.panels_mut().into_par_iter().for_each(|mut panel| {
            let first = panel.first();
            panel.fill(|column| &bytes[from(first + column) * row_bytes..][..row_bytes]);
        });
        Ok(Some(Matrix::Blocks(Arc::new(matrix))))
    }
}

/// Reorders the rows of each head from (0, h, 1, h+1, ..) to (0, 1, .., h, h+1, ..), with h half a
/// head.
fn in_order(tensor: &Tensor, heads: usize) -> Result<Tensor> {
    let dims = tensor.dims();
    let half = half_a_head(dims[0], heads)?;
    let ordered = tensor.reshape((heads, half, 2, ()))?.transpose(1, 2)?.contiguous()?;
    ordered.reshape(dims)
}

/// A matrix of `count` rows of a quantized one, each a whole number of blocks; `from` gives the row
/// that each is taken from.
fn chosen_rows(stored: &QTensor, count: usize, from: impl Fn(usize) -> usize) -> Result<QTensor> {
    let (all, columns) = stored.shape().dims2()?;
    let bytes = stored.data()?;
    let row_bytes = bytes.len() / all;
    let rows = (0..count).flat_map(|row| &bytes[from(row) * row_bytes..][..row_bytes]);
    let storage = QStorage::from_data(Cow::Owned(rows.copied().collect()), &Device::Cpu, stored.dtype())?;
    QTensor::new(storage, (count, columns))
}

/// The place in the file of a row of the published order.
fn place(row: usize, half: usize) -> usize {
    let (head, at) = (row / (2 * half), row % (2 * half));
    head * 2 * half + 2 * (at % half) + at / half
}

fn half_a_head(rows: usize, heads: usize) -> Result<usize> {
    match heads > 0 && rows > 0 && rows.is_multiple_of(2 * heads) {
        true => Ok(rows / heads / 2),
        false => candle_core::bail!("{rows} rows do not divide into the halves of {heads} heads"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The library's own reading of a format is the oracle of ours.
    #[test]
    fn blocks_laid_out_have_the_values_that_the_tensor_library_reads() {
        let values: Vec<f32> =
            (0..18 * 512).map(|i| ((i * 37 + i * i % 11) % 101) as f32 / 50.0 - 1.0).collect();
        let tensor = Tensor::from_vec(values, (18, 512), &Device::Cpu).unwrap();
        for name in ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"] {
            let (stored, format) = (
                QTensor::quantize(&tensor, dtype(name).unwrap()).unwrap(),
                BlockFormat::named(name).unwrap(),
            );
            let (bytes, row_bytes) = (stored.data().unwrap(), 512 / format.values() * format.bytes());
            let mut laid = BlockPanels::zeros(format, 18, 512);
            for mut panel in laid.panels_mut() {
                let first = panel.first();
                panel.fill(|column| &bytes[(first + column) * row_bytes..][..row_bytes]);
            }
            let expected = stored.dequantize(&Device::Cpu).unwrap().to_vec2::<f32>().unwrap();
            let mut found = vec![0f32; 512];
            for (row, expected) in expected.iter().enumerate() {
                laid.copy_column(row, &mut found);
                for (found, expected) in found.iter().zip(expected) {
                    assert!((found - expected).abs() <= 1e-6, "{name}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn quantized_rows_are_put_in_order_as_plain_ones() {
        let values: Vec<f32> = (0..12 * 64).map(|i| ((i * 37) % 101) as f32 - 50.0).collect();
        let tensor = Tensor::from_vec(values, (12, 64), &Device::Cpu).unwrap();
        for dtype in [GgmlDType::Q8_0, GgmlDType::Q4_0] {
            let stored = QTensor::quantize(&tensor, dtype).unwrap();
            let expected = in_order(&stored.dequantize(&Device::Cpu).unwrap(), 3).unwrap();
            let found =
                chosen_rows(&stored, 12, |row| place(row, 2)).unwrap().dequantize(&Device::Cpu).unwrap();
            assert_eq!(found.to_vec2::<f32>().unwrap(), expected.to_vec2::<f32>().unwrap(), "{dtype:?}");
        }
        let rows: Vec<f32> = [0, 2, 1, 3, 4, 6, 5, 7].map(|row| row as f32).to_vec();
        let found =
            in_order(&Tensor::from_vec((0..8).map(|row| row as f32).collect(), 8, &Device::Cpu).unwrap(), 2);
        assert_eq!(found.unwrap().to_vec1::<f32>().unwrap(), rows);
        assert!(half_a_head(12, 0).is_err() && half_a_head(12, 4).is_err() && half_a_head(0, 1).is_err());
    }
}
