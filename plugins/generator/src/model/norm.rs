use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::parameters::{LoadError, Parameters};

/// Normalization over the last dimension, its statistics in f64 and in two passes. The tensor library's own
/// takes the variance as a difference of f32 sums, which a large mean drowns.
pub(super) struct Norm {
    weight: Vec<f32>,
    /// With a bias it is LayerNorm, over mean and variance; without, RMSNorm, over the mean square.
    bias: Option<Vec<f32>>,
    eps: f64,
}

impl Norm {
    pub(super) fn layer(
        from: &Parameters<'_>,
        width: usize,
        eps: f64,
    ) -> std::result::Result<Self, LoadError> {
        Ok(Self { weight: from.values("weight", width)?, bias: Some(from.values("bias", width)?), eps })
    }

    pub(super) fn rms(from: &Parameters<'_>, width: usize, eps: f64) -> std::result::Result<Self, LoadError> {
        Ok(Self { weight: from.values("weight", width)?, bias: None, eps })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.contiguous()?.apply_op1_no_bwd(self)
    }

    fn line(&self, x: &[f32], out: &mut [f32]) {
        let mean_of = |sum: f64| sum / x.len() as f64;
        match &self.bias {
            Some(bias) => {
                let mean = mean_of(x.iter().map(|v| f64::from(*v)).sum());
                let square = |v: &f32| (f64::from(*v) - mean).powi(2);
                let scale = (mean_of(x.iter().map(square).sum()) + self.eps).sqrt().recip();
                for (((out, v), weight), bias) in out.iter_mut().zip(x).zip(&self.weight).zip(bias) {
                    *out = ((f64::from(*v) - mean) * scale) as f32 * weight + bias;
                }
            }
            None => {
                let scale =
                    (mean_of(x.iter().map(|v| f64::from(*v).powi(2)).sum()) + self.eps).sqrt().recip();
                for ((out, v), weight) in out.iter_mut().zip(x).zip(&self.weight) {
                    *out = (f64::from(*v) * scale) as f32 * weight;
                }
            }
        }
    }
}

impl CustomOp1 for Norm {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (all, width) = (storage.as_slice::<f32>()?, self.weight.len());
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("norm of scattered values")
        };
        if layout.dims().last() != Some(&width) {
            candle_core::bail!("norm of width {width} over {:?}", layout.dims());
        }
        let mut out = vec![0f32; end - start];
        let lines = all[start..end].chunks_exact(width).zip(out.chunks_exact_mut(width));
        lines.for_each(|(x, out)| self.line(x, out));
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_mean_does_not_drown_the_variance() {
        let norm = Norm { weight: vec![1.0; 4], bias: Some(vec![0.0; 4]), eps: 0.0 };
        let mut out = [0f32; 4];
        norm.line(&[10_000.0, 10_001.0, 10_000.0, 10_001.0], &mut out);
        assert_eq!(out, [-1.0, 1.0, -1.0, 1.0]);
        let norm = Norm { weight: vec![2.0; 4], bias: None, eps: 0.0 };
        norm.line(&[3.0, -3.0, 3.0, 3.0], &mut out);
        assert_eq!(out, [2.0, -2.0, 2.0, 2.0]);
    }
}
