use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use postil_kernel::Kernel;

use super::slices::{read, rows, slice, tensor};

/// Mean over the rows of `logits`, `[rows, classes]`, of -log softmax(row) at its target, a scalar.
///
/// # Errors
/// candle's; also when there is no row, or a target is no class.
pub fn cross_entropy(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    let (count, classes) = logits.dims2()?;
    if count == 0 || targets.len() != count || targets.iter().any(|target| *target as usize >= classes) {
        candle_core::bail!("cross-entropy of {count} rows of {classes}, {} targets", targets.len());
    }
    logits.contiguous()?.apply_op1(CrossEntropy { targets: targets.into() })
}

struct CrossEntropy {
    targets: Arc<[u32]>,
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (logits, (count, classes)) = (slice(storage, layout)?, layout.shape().dims2()?);
        let kernel = Kernel::detect();
        let loss = |(row, target): (&[f32], &u32)| kernel.log_sum_exp(row) - f64::from(row[*target as usize]);
        let sum: f64 = logits.chunks_exact(classes).zip(&*self.targets).map(loss).sum();
        Ok((CpuStorage::F32(vec![(sum / count as f64) as f32]), Shape::from(())))
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (count, classes) = logits.dims2()?;
        let scale = grad.to_scalar::<f32>()? / count as f32;
        let mut out = read(logits, |logits| Ok(logits.to_vec()))?;
        let kernel = Kernel::detect();
        rows(&mut out, classes, |first, out| {
            for (row, target) in out.chunks_exact_mut(classes).zip(&self.targets[first..]) {
                kernel.softmax(row, 1.0);
                row[*target as usize] -= 1.0;
                row.iter_mut().for_each(|value| *value *= scale);
            }
        });
        tensor(out, logits).map(Some)
    }
}
