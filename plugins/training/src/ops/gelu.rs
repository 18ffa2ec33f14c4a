use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::slices::{read, rows, slice, tensor};

/// Values that are divided among threads together.
const WIDTH: usize = 64;

/// GELU in its exact form, x * Phi(x), of each value.
///
/// # Errors
/// candle's.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Gelu)
}

struct Gelu;

/// Phi(x), the distribution function of the standard normal distribution, to 1e-7, and its density:
/// Abramowitz and Stegun 7.1.26. Written without branches, so that the compiler makes vectors of it.
#[inline(always)]
fn normal(x: f32) -> (f32, f32) {
    const A: [f32; 5] = [0.254_829_6, -0.284_496_74, 1.421_413_7, -1.453_152, 1.061_405_4];
    let size = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let tail = exp(-size * size);
    let below = 0.5 * tail * t * (A[0] + t * (A[1] + t * (A[2] + t * (A[3] + t * A[4]))));
    let phi = if x < 0.0 { below } else { 1.0 - below };
    (phi, tail * 0.398_942_3)
}

/// exp(x) for x <= 0, to 1e-7 of its value; 0 becomes of what is below 1e-37.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Added to a number below 2^22, its sum has the whole part in its lowest bits.
    const WHOLE: f32 = 12_582_912.0;
    let power = (x * std::f32::consts::LOG2_E).max(-126.0);
    let shifted = power + WHOLE;
    let rest = (power - (shifted - WHOLE)) * std::f32::consts::LN_2;
    let series = 1.0 + rest * (1.0 + rest * (0.5 + rest * (1.0 / 6.0 + rest * (1.0 / 24.0 + rest / 120.0))));
    let whole = shifted.to_bits().wrapping_sub(WHOLE.to_bits());
    f32::from_bits(whole.wrapping_add(127) << 23) * series
}

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut out = slice(storage, layout)?.to_vec();
        rows(&mut out, WIDTH, |_, values| {
            values.iter_mut().for_each(|value| *value *= normal(*value).0);
        });
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let mut out = read(grad, |grad| Ok(grad.to_vec()))?;
        read(x, |x| {
            rows(&mut out, WIDTH, |first, out| {
                for (out, x) in out.iter_mut().zip(&x[first * WIDTH..]) {
                    let (phi, density) = normal(*x);
                    *out *= phi + x * density;
                }
            });
            Ok(())
        })?;
        tensor(out, x).map(Some)
    }
}
