use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use postil_kernel::Kernel;

use super::parameters::{LoadError, Parameters};

/// Normalization over the last dimension, its statistics computed in two passes. The tensor library
/// computes the variance as a difference of f32 sums, which loses precision when the mean is large.
pub(super) enum Norm {
    /// LayerNorm: by mean and variance.
    Layer(postil_kernel::Norm),
    /// RMSNorm: by the mean square, which is summed in f64.
    Rms { weight: Vec<f32>, eps: f64 },
}

impl Norm {
    pub(super) fn layer(
        from: &Parameters<'_>,
        width: usize,
        eps: f64,
    ) -> std::result::Result<Self, LoadError> {
        let (weight, bias) = (from.values("weight", width)?, from.values("bias", width)?);
        Ok(Self::Layer(postil_kernel::Norm { weight, bias, epsilon: eps as f32 }))
    }

    /// RMSNorm by `offset` + weight.
    pub(super) fn rms(
        from: &Parameters<'_>,
        width: usize,
        eps: f64,
        offset: f32,
    ) -> std::result::Result<Self, LoadError> {
        let mut weight = from.values("weight", width)?;
        weight.iter_mut().for_each(|weight| *weight += offset);
        Ok(Self::Rms { weight, eps })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.contiguous()?.apply_op1_no_bwd(self)
    }

    /// Adds `more` to `lines`, then normalizes each line.
    pub(super) fn add(&self, kernel: Kernel, lines: &mut [f32], more: &[f32]) {
        let width = self.width();
        for (line, more) in lines.chunks_exact_mut(width).zip(more.chunks_exact(width)) {
            match self {
                Self::Layer(norm) => kernel.add_norm(line, more, norm),
                Self::Rms { weight, eps } => {
                    line.iter_mut().zip(more).for_each(|(v, more)| *v += more);
                    let sum: f64 = line.iter().map(|v| f64::from(*v).powi(2)).sum();
                    let scale = (sum / width as f64 + eps).sqrt().recip();
                    for (v, weight) in line.iter_mut().zip(weight) {
                        *v = (f64::from(*v) * scale) as f32 * weight;
                    }
                }
            }
        }
    }

    /// Writes the normalized lines to `out`, `[lines, width]` each.
    pub(super) fn lines(&self, kernel: Kernel, lines: &[f32], out: &mut [f32]) {
        out.copy_from_slice(lines);
        self.each(kernel, out);
    }

    /// Normalizes each line in place.
    pub(super) fn each(&self, kernel: Kernel, lines: &mut [f32]) {
        let nothing = vec![0f32; self.width()];
        lines.chunks_exact_mut(nothing.len()).for_each(|line| self.add(kernel, line, &nothing));
    }

    fn width(&self) -> usize {
        match self {
            Self::Layer(norm) => norm.weight.len(),
            Self::Rms { weight, .. } => weight.len(),
        }
    }
}

impl CustomOp1 for Norm {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (all, width) = (storage.as_slice::<f32>()?, self.width());
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("norm of scattered values")
        };
        if layout.dims().last() != Some(&width) {
            candle_core::bail!("norm of width {width} over {:?}", layout.dims());
        }
        let mut out = all[start..end].to_vec();
        self.each(Kernel::detect(), &mut out);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_mean_does_not_drown_the_variance() {
        let norm =
            Norm::Layer(postil_kernel::Norm { weight: vec![1.0; 4], bias: vec![0.0; 4], epsilon: 0.0 });
        let mut line = [10_000.0, 10_001.0, 10_000.0, 10_001.0];
        norm.add(Kernel::detect(), &mut line, &[0.0; 4]);
        assert_eq!(line, [-1.0, 1.0, -1.0, 1.0]);
        let norm = Norm::Rms { weight: vec![2.0; 4], eps: 0.0 };
        let mut line = [2.0, -3.0, 3.0, 3.0];
        norm.add(Kernel::detect(), &mut line, &[1.0, 0.0, 0.0, 0.0]);
        assert_eq!(line, [2.0, -2.0, 2.0, 2.0]);
    }
}
