use candle_core::{CpuStorage, Device, Layout, Result, Storage, Tensor};
use rayon::prelude::*;

/// Least number of values that are worth a thread's work.
const LEAST: usize = 16 * 1024;

/// The values of a contiguous tensor on the CPU.
pub(super) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        candle_core::bail!("the operand is not contiguous")
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// Calls `read` with the values of a tensor, in row-major order.
pub(crate) fn read<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => read(slice(storage, layout)?),
        _ => candle_core::bail!("the operand is not on the CPU"),
    }
}

pub(super) fn tensor(values: Vec<f32>, like: &Tensor) -> Result<Tensor> {
    Tensor::from_vec(values, like.shape(), &Device::Cpu)
}

/// Divides rows of `width` values among threads: calls `work` with the number of the first row and
/// some rows of `out`.
pub(super) fn rows(out: &mut [f32], width: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    let count = out.len() / width.max(1);
    // Twice as many parts as threads, since other programs may take one of them away.
    let parts = (2 * rayon::current_num_threads()).min(out.len().div_ceil(LEAST)).max(1);
    let each = count.div_ceil(parts).max(1);
    out.par_chunks_mut(each * width).enumerate().for_each(|(part, rows)| work(part * each, rows));
}

/// Transposes `[rows, columns]`.
pub(super) fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const BLOCK: usize = 32;
    let mut out = vec![0.0; values.len()];
    if values.is_empty() {
        return out;
    }
    out.par_chunks_mut(BLOCK * rows).enumerate().for_each(|(block, out)| {
        let first = block * BLOCK;
        for from in (0..rows).step_by(BLOCK) {
            for (column, out) in out.chunks_exact_mut(rows).enumerate() {
                for row in from..rows.min(from + BLOCK) {
                    out[row] = values[row * columns + first + column];
                }
            }
        }
    });
    out
}

/// Sums of the columns of `[rows, columns]`.
pub(super) fn column_sums(values: &[f32], columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; columns];
    for row in values.chunks_exact(columns) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    sums
}
