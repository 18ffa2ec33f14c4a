use std::sync::Arc;

use candle_core::quantized::QTensor;
use candle_core::{CpuStorage, Device, Result, Storage, Tensor};
use postil_kernel::{BlockPanels, Panels};

/// A weight matrix: f32, packed for products; a checkpoint's blocks of a few bits per value with a
/// scale each, laid out for products; or blocks of a format that only the tensor library computes
/// with.
#[derive(Clone)]
pub enum Matrix {
    /// f32.
    Dense(Arc<Panels>),
    /// Blocks, laid out for products.
    Blocks(Arc<BlockPanels>),
    /// Blocks as they are stored.
    Quantized(Arc<QTensor>),
}

impl Matrix {
    /// Packs a matrix, `[rows, columns]`, neither of them 0.
    pub(super) fn pack(weight: &Tensor) -> Result<Self> {
        let (rows, columns) = weight.dims2()?;
        if rows == 0 || columns == 0 {
            candle_core::bail!("a matrix of {rows} by {columns}");
        }
        let weight = weight.contiguous()?;
        let (storage, layout) = weight.storage_and_layout();
        let Storage::Cpu(CpuStorage::F32(values)) = &*storage else { candle_core::bail!("no f32 matrix") };
        let values = &values[layout.start_offset()..][..rows * columns];
        Ok(Self::Dense(Arc::new(Panels::from_linear(values, rows, columns))))
    }

    /// Looks up embeddings: maps `[n, length]` ids, all in the table, to `[n, length, width]`.
    pub(super) fn embed(&self, ids: &Tensor) -> Result<Tensor> {
        match self {
            Self::Dense(table) => embed(table, ids),
            Self::Quantized(table) => table.embedding(ids),
            Self::Blocks(_) => {
                let (n, length) = ids.dims2()?;
                let ids = ids.flatten_all()?.to_vec1::<u32>()?;
                Tensor::from_vec(self.rows_of(&ids)?, (n, length, ()), &Device::Cpu)
            }
        }
    }

    /// Looks up embeddings: the rows of `ids`, all in the table, one after another.
    pub(super) fn rows_of(&self, ids: &[u32]) -> Result<Vec<f32>> {
        let (_, width) = self.shape()?;
        let mut lines = vec![0f32; ids.len() * width];
        let each = lines.chunks_exact_mut(width).zip(ids);
        match self {
            Self::Dense(table) => each.for_each(|(line, id)| table.copy_column(*id as usize, line)),
            Self::Blocks(table) => each.for_each(|(line, id)| table.copy_column(*id as usize, line)),
            Self::Quantized(table) => {
                let ids = Tensor::from_slice(ids, ids.len(), &Device::Cpu)?;
                return table.embedding(&ids)?.flatten_all()?.to_vec1();
            }
        }
        Ok(lines)
    }

    /// Number of rows and of columns, as checkpoints count them: `[output, input]`.
    pub(super) fn shape(&self) -> Result<(usize, usize)> {
        match self {
            Self::Dense(matrix) => Ok((matrix.columns(), matrix.inner())),
            Self::Blocks(matrix) => Ok((matrix.columns(), matrix.inner())),
            Self::Quantized(matrix) => matrix.shape().dims2(),
        }
    }
}

/// Looks up embeddings as [`Matrix::embed`] does, in a packed table.
pub(super) fn embed(table: &Panels, ids: &Tensor) -> Result<Tensor> {
    let (n, length) = ids.dims2()?;
    let width = table.inner();
    let mut values = vec![0f32; n * length * width];
    let ids = ids.flatten_all()?.to_vec1::<u32>()?;
    for (id, line) in ids.iter().zip(values.chunks_exact_mut(width)) {
        table.copy_column(*id as usize, line);
    }
    Tensor::from_vec(values, (n, length, width), &Device::Cpu)
}
