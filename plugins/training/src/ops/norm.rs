use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::slices::{column_sums, read, rows, slice, tensor};

/// Layer norm of each row of `x`, `[rows, width]`, with `weight` and `bias`, `[width]`.
///
/// # Errors
/// candle's, when the shapes disagree.
pub fn norm(x: &Tensor, weight: &Tensor, bias: &Tensor, epsilon: f64) -> Result<Tensor> {
    x.contiguous()?.apply_op3(weight, bias, Norm { epsilon: epsilon as f32 })
}

struct Norm {
    epsilon: f32,
}

impl Norm {
    /// Mean and reciprocal of the standard deviation of a row.
    fn moments(&self, row: &[f32]) -> (f32, f32) {
        let count = row.len() as f32;
        let mean = row.iter().sum::<f32>() / count;
        let variance = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / count;
        (mean, 1.0 / (variance + self.epsilon).sqrt())
    }
}

impl CustomOp3 for Norm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, weight, bias) = (slice(s1, l1)?, slice(s2, l2)?, slice(s3, l3)?);
        let (_, width) = l1.shape().dims2()?;
        if weight.len() != width || bias.len() != width {
            candle_core::bail!("norm: rows of {width}, {} and {}", weight.len(), bias.len());
        }
        let mut out = x.to_vec();
        rows(&mut out, width, |_, rows| {
            for row in rows.chunks_exact_mut(width) {
                let (mean, inverse) = self.moments(row);
                for ((value, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
                    *value = (*value - mean) * inverse * weight + bias;
                }
            }
        });
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (count, width) = x.dims2()?;
        let (mut of_x, mut normal) = (vec![0.0; count * width], Vec::new());
        let (of_weight, of_bias) = read(grad, |grad| {
            normal = read(x, |x| Ok(x.to_vec()))?;
            rows(&mut normal, width, |_, rows| {
                for row in rows.chunks_exact_mut(width) {
                    let (mean, inverse) = self.moments(row);
                    row.iter_mut().for_each(|value| *value = (*value - mean) * inverse);
                }
            });
            let product: Vec<f32> = normal.iter().zip(grad).map(|(normal, grad)| normal * grad).collect();
            Ok((column_sums(&product, width), column_sums(grad, width)))
        })?;
        read(grad, |grad| {
            read(x, |x| {
                read(weight, |weight| {
                    rows(&mut of_x, width, |first, out| {
                        let from = first * width;
                        for (index, out) in out.chunks_exact_mut(width).enumerate() {
                            let at = from + index * width..from + (index + 1) * width;
                            let (grad, normal) = (&grad[at.clone()], &normal[at.clone()]);
                            let (_, inverse) = self.moments(&x[at]);
                            let (mut sum, mut along) = (0.0, 0.0);
                            for (((out, grad), weight), normal) in
                                out.iter_mut().zip(grad).zip(weight).zip(normal)
                            {
                                *out = grad * weight;
                                sum += *out;
                                along += *out * normal;
                            }
                            let (sum, along) = (sum / width as f32, along / width as f32);
                            for (out, normal) in out.iter_mut().zip(normal) {
                                *out = inverse * (*out - sum - normal * along);
                            }
                        }
                    });
                    Ok(())
                })
            })
        })?;
        Ok((Some(tensor(of_x, x)?), Some(tensor(of_weight, weight)?), Some(tensor(of_bias, bias)?)))
    }
}
