use candle_core::{Device, Result, Tensor};

use super::attention::KeyValues;

/// Keys and values of every layer's self-attention for the tokens of the hypotheses so far.
///
/// Rows are `hypothesis * passages + passage`.
#[derive(Default)]
pub(super) struct Cache {
    layers: Vec<KeyValues>,
    length: usize,
}

impl Cache {
    /// Number of tokens in the cache.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Appends the next tokens' keys and values to a layer, and returns all keys and values of that
    /// layer. Layers come in order, each once per pass.
    pub(super) fn extend(&mut self, layer: usize, keys: Tensor, values: Tensor) -> Result<KeyValues> {
        match self.layers.get_mut(layer) {
            Some(before) => {
                before.keys = Tensor::cat(&[&before.keys, &keys], 2)?;
                before.values = Tensor::cat(&[&before.values, &values], 2)?;
            }
            None => self.layers.push(KeyValues { keys, values }),
        }
        Ok(self.layers[layer].clone())
    }

    /// Ends a pass over `tokens` tokens.
    pub(super) fn finish_pass(&mut self, tokens: usize) {
        self.length += tokens;
    }

    /// Reorders the rows: new row i continues old row `rows[i]`.
    pub(super) fn reorder(&mut self, rows: &[usize]) -> Result<()> {
        let index: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
        let unchanged = self.layers.first().is_some_and(|layer| layer.keys.dims()[0] == rows.len())
            && rows.iter().enumerate().all(|(i, row)| i == *row);
        if unchanged {
            return Ok(());
        }
        let index = Tensor::new(index, &Device::Cpu)?;
        for layer in &mut self.layers {
            layer.keys = layer.keys.index_select(&index, 0)?;
            layer.values = layer.values.index_select(&index, 0)?;
        }
        Ok(())
    }
}
