use std::borrow::Cow;
use std::sync::Arc;

use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{Device, Result, Tensor};
use candle_transformers::quantized_var_builder::VarBuilder;
use postil_checkpoint::{CheckpointError, Damage, GgufFile};

use crate::{LoadError, TensorSource};

/// The tensors of a GGUF file, with the names and the row order of published checkpoints.
pub(super) struct Blocks {
    tensors: VarBuilder,
    /// Heads of queries and of keys, for models such as Llama whose GGUF rows (i, i + head/2) are
    /// stored side by side; `None` when rows are stored as published.
    paired: Option<(usize, usize)>,
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

impl Blocks {
    /// Reads the weights of a file whose header was checked.
    pub(super) fn read(
        file: &GgufFile,
        paired: Option<(usize, usize)>,
    ) -> std::result::Result<Self, LoadError> {
        let tensors = VarBuilder::from_gguf(file.path(), &Device::Cpu).map_err(|error| {
            let damage = Damage::Unreadable { reason: error.to_string() };
            CheckpointError::Corrupt { path: file.path().to_owned(), damage }
        })?;
        Ok(Self { tensors, paired })
    }

    fn stored(&self, name: &str) -> Option<Arc<QTensor>> {
        self.tensors.get_no_shape(&stored_name(name)?).ok()
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

fn stored_name(name: &str) -> Option<String> {
    let name = name.strip_prefix("model.").unwrap_or(name);
    let (path, kind) = name.rsplit_once('.')?;
    let stored = match path {
        "embed_tokens" => "token_embd".to_owned(),
        "norm" => "output_norm".to_owned(),
        "lm_head" => "output".to_owned(),
        "rope_freqs" => "rope_freqs".to_owned(),
        _ => {
            let (layer, part) = path.strip_prefix("layers.")?.split_once('.')?;
            let (_, stored) = PARTS.iter().find(|(published, _)| *published == part)?;
            format!("blk.{layer}.{stored}")
        }
    };
    Some(format!("{stored}.{kind}"))
}

impl TensorSource for Blocks {
    fn contains(&self, name: &str) -> bool {
        stored_name(name).is_some_and(|stored| self.tensors.contains_key(&stored))
    }

    fn tensor(&self, name: &str) -> std::result::Result<Tensor, LoadError> {
        let stored = self.stored(name).ok_or_else(|| LoadError::MissingTensor { name: name.to_owned() })?;
        let tensor = stored.dequantize(&Device::Cpu).and_then(|tensor| match self.heads(name) {
            Some(heads) => in_order(&tensor, heads),
            None => Ok(tensor),
        });
        tensor.map_err(|source| LoadError::Tensor { name: name.to_owned(), source })
    }

    fn quantized(&self, name: &str) -> std::result::Result<Option<Arc<QTensor>>, LoadError> {
        let whole = |stored: &Arc<QTensor>| {
            stored.rank() != 2 || matches!(stored.dtype(), GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16)
        };
        let Some(stored) = self.stored(name).filter(|stored| !whole(stored)) else { return Ok(None) };
        let Some(heads) = self.heads(name) else { return Ok(Some(stored)) };
        let ordered = blocks_in_order(&stored, heads);
        ordered
            .map(|blocks| Some(Arc::new(blocks)))
            .map_err(|source| LoadError::Tensor { name: name.to_owned(), source })
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

/// As [`in_order`], for quantized rows, each of which is a whole number of blocks.
fn blocks_in_order(stored: &QTensor, heads: usize) -> Result<QTensor> {
    let rows = stored.shape().dims()[0];
    let half = half_a_head(rows, heads)?;
    let bytes = stored.data()?;
    let row_bytes = bytes.len() / rows;
    let mut ordered = Vec::with_capacity(bytes.len());
    for row in 0..rows {
        let (head, at) = (row / (2 * half), row % (2 * half));
        let from = head * 2 * half + 2 * (at % half) + at / half;
        ordered.extend_from_slice(&bytes[from * row_bytes..(from + 1) * row_bytes]);
    }
    let storage = QStorage::from_data(Cow::Owned(ordered), &Device::Cpu, stored.dtype())?;
    QTensor::new(storage, stored.shape().clone())
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

    #[test]
    fn quantized_rows_are_put_in_order_as_plain_ones() {
        let values: Vec<f32> = (0..12 * 64).map(|i| ((i * 37) % 101) as f32 - 50.0).collect();
        let tensor = Tensor::from_vec(values, (12, 64), &Device::Cpu).unwrap();
        for dtype in [GgmlDType::Q8_0, GgmlDType::Q4_0] {
            let stored = QTensor::quantize(&tensor, dtype).unwrap();
            let expected = in_order(&stored.dequantize(&Device::Cpu).unwrap(), 3).unwrap();
            let found = blocks_in_order(&stored, 3).unwrap().dequantize(&Device::Cpu).unwrap();
            assert_eq!(found.to_vec2::<f32>().unwrap(), expected.to_vec2::<f32>().unwrap(), "{dtype:?}");
        }
        let rows: Vec<f32> = [0, 2, 1, 3, 4, 6, 5, 7].map(|row| row as f32).to_vec();
        let found =
            in_order(&Tensor::from_vec((0..8).map(|row| row as f32).collect(), 8, &Device::Cpu).unwrap(), 2);
        assert_eq!(found.unwrap().to_vec1::<f32>().unwrap(), rows);
        assert!(half_a_head(12, 0).is_err() && half_a_head(12, 4).is_err() && half_a_head(0, 1).is_err());
    }
}
