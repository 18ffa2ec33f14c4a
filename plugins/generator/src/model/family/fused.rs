use std::ops::Range;

use candle_core::Tensor;

use crate::{LoadError, Matrix, TensorSource};

/// The tensors of a checkpoint that stores queries, keys and values as one matrix, and gate and
/// expansion of the feed-forward layer as another, by the names that others give the parts.
pub(in crate::model) struct Fused<'a> {
    pub(in crate::model) source: &'a dyn TensorSource,
    /// Rows of the queries' matrix.
    pub(in crate::model) queries: usize,
    /// Rows of the keys' matrix, and of the values'.
    pub(in crate::model) keys: usize,
    /// Rows of the gate's matrix, and of the expansion's.
    pub(in crate::model) inner: usize,
}

impl Fused<'_> {
    /// The matrix that holds the part `name`, and its rows there; `None` for any other tensor.
    fn place(&self, name: &str) -> Option<(String, Range<usize>)> {
        let path = name.strip_suffix(".weight")?;
        let (before, part) = path.rsplit_once('.')?;
        let after = |from: usize, rows: usize| Some(from..from.checked_add(rows)?);
        let (whole, rows) = match part {
            "q_proj" => ("qkv_proj", 0..self.queries),
            "k_proj" => ("qkv_proj", after(self.queries, self.keys)?),
            "v_proj" => ("qkv_proj", after(self.queries.checked_add(self.keys)?, self.keys)?),
            "gate_proj" => ("gate_up_proj", 0..self.inner),
            "up_proj" => ("gate_up_proj", after(self.inner, self.inner)?),
            _ => return None,
        };
        Some((format!("{before}.{whole}.weight"), rows))
    }
}

impl TensorSource for Fused<'_> {
    fn contains(&self, name: &str) -> bool {
        match self.place(name) {
            Some((whole, _)) => self.source.contains(&whole),
            None => self.source.contains(name),
        }
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        let Some((whole, rows)) = self.place(name) else { return self.source.shape(name) };
        let [all, columns] = self.source.shape(&whole)?[..] else { return None };
        Some(vec![rows.len().min(all.saturating_sub(rows.start)), columns])
    }

    fn tensor(&self, name: &str) -> std::result::Result<Tensor, LoadError> {
        let Some((whole, rows)) = self.place(name) else { return self.source.tensor(name) };
        let part = self.source.tensor(&whole)?.narrow(0, rows.start, rows.len()).and_then(|t| t.contiguous());
        part.map_err(|source| LoadError::Tensor { name: whole, source })
    }

    fn blocks(
        &self,
        name: &str,
        rows: Option<Range<usize>>,
    ) -> std::result::Result<Option<Matrix>, LoadError> {
        match self.place(name) {
            Some((whole, rows)) => self.source.blocks(&whole, Some(rows)),
            None => self.source.blocks(name, rows),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use candle_core::Device;

    use super::*;

    #[test]
    fn the_parts_of_a_matrix_are_its_rows_in_order() {
        let values: Vec<f32> = (0..8 * 32).map(|i| i as f32).collect();
        let matrix = Tensor::from_vec(values, (8, 32), &Device::Cpu).unwrap();
        let source: HashMap<String, Tensor> = [
            ("l.qkv_proj.weight".to_owned(), matrix.clone()),
            ("l.gate_up_proj.weight".to_owned(), matrix.clone()),
        ]
        .into();
        let fused = Fused { source: &source, queries: 4, keys: 2, inner: 4 };
        let rows = |name: &str| fused.tensor(name).unwrap().to_vec2::<f32>().unwrap();
        let all = matrix.to_vec2::<f32>().unwrap();
        for (part, expected) in
            [("q_proj", 0..4), ("k_proj", 4..6), ("v_proj", 6..8), ("gate_proj", 0..4), ("up_proj", 4..8)]
        {
            assert!(
                fused.contains(&format!("l.{part}.weight")) && !fused.contains(&format!("l.{part}.bias"))
            );
            assert_eq!(rows(&format!("l.{part}.weight")), all[expected], "{part}");
        }
        let short = Fused { source: &source, queries: 8, keys: 2, inner: 4 };
        assert!(matches!(short.tensor("l.k_proj.weight"), Err(LoadError::Tensor { .. })));
    }
}
