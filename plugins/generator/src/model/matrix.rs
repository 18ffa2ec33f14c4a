use std::sync::Arc;

use candle_core::quantized::QTensor;
use candle_core::{Result, Tensor};

/// A weight matrix as the checkpoint has it: f32, or blocks of few bits with a scale each.
#[derive(Clone)]
pub(super) enum Matrix {
    Dense(Tensor),
    Quantized(Arc<QTensor>),
}

impl Matrix {
    /// The lines of a table of embeddings: `[n, length]` ids to `[n, length, width]`.
    pub(super) fn embed(&self, ids: &Tensor) -> Result<Tensor> {
        match self {
            Self::Dense(table) => {
                let (n, length) = ids.dims2()?;
                table.index_select(&ids.flatten_all()?, 0)?.reshape((n, length, ()))
            }
            Self::Quantized(table) => table.embedding(ids),
        }
    }
}
