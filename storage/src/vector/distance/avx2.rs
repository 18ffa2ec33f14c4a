//! The kernels for CPUs with AVX2 and FMA.
#![expect(unsafe_code, reason = "vector intrinsics load from raw pointers")]

use std::arch::x86_64::{
    __m256, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps, _mm_movehl_ps, _mm256_add_ps,
    _mm256_castps256_ps128, _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps,
    _mm256_sub_ps,
};

/// Proof that this CPU has AVX2 and FMA; `detect` is the only way to get one.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        // The answer is cached by the standard library: a load and a test.
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    #[inline]
    pub(super) fn dot(self, a: &[f32], b: &[f32]) -> f32 {
        // SAFETY: `self` proves that the CPU has the features the function is compiled for.
        unsafe { dot(a, b) }
    }

    #[inline]
    pub(super) fn squared_l2(self, a: &[f32], b: &[f32]) -> f32 {
        // SAFETY: as above.
        unsafe { squared_l2(a, b) }
    }
}

#[target_feature(enable = "avx2,fma")]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    fold(a, b, |x, y, sum| _mm256_fmadd_ps(x, y, sum), |x, y| x * y)
}

#[target_feature(enable = "avx2,fma")]
fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
    fold(
        a,
        b,
        |x, y, sum| {
            let d = _mm256_sub_ps(x, y);
            _mm256_fmadd_ps(d, d, sum)
        },
        |x, y| (x - y) * (x - y),
    )
}

/// Four sums of eight lanes, so that four multiply-adds are in flight; the tail is scalar.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn fold(
    a: &[f32],
    b: &[f32],
    step: impl Fn(__m256, __m256, __m256) -> __m256,
    tail: impl Fn(f32, f32) -> f32,
) -> f32 {
    let n = a.len().min(b.len());
    let mut sums = [_mm256_setzero_ps(); 4];
    let mut at = 0;
    while at + 32 <= n {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum = step(load(a, at + 8 * lane), load(b, at + 8 * lane), *sum);
        }
        at += 32;
    }
    while at + 8 <= n {
        sums[0] = step(load(a, at), load(b, at), sums[0]);
        at += 8;
    }
    let sum = _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3]));
    let half = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps::<1>(sum));
    let pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
    let total = _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
    total + a[at..n].iter().zip(&b[at..n]).map(|(&x, &y)| tail(x, y)).sum::<f32>()
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn load(x: &[f32], at: usize) -> __m256 {
    debug_assert!(at + 8 <= x.len());
    // SAFETY: every caller has checked `at + 8 <= n` and `n <= x.len()`; the load needs no alignment.
    unsafe { _mm256_loadu_ps(x.as_ptr().add(at)) }
}

#[cfg(test)]
mod tests {
    use super::super::scalar;
    use super::*;
    use proptest::prelude::*;

    fn agree(a: &[f32], b: &[f32]) {
        let Some(cpu) = Avx2::detect() else { return };
        let magnitude: f32 = a.iter().zip(b).map(|(x, y)| (x * y).abs() + (x - y) * (x - y)).sum();
        let tolerance = 1e-5 * magnitude + f32::MIN_POSITIVE;
        let close = |got: f32, want: f32| {
            assert!((got - want).abs() <= tolerance, "{got} against {want}, {} long", a.len());
        };
        close(cpu.dot(a, b), scalar::dot(a, b));
        close(cpu.squared_l2(a, b), scalar::squared_l2(a, b));
    }

    proptest! {
        #[test]
        fn every_length_and_start_agrees_with_the_scalar_kernel(
            values in proptest::collection::vec((-1e3f32..1e3, -1e3f32..1e3), 265), start in 0usize..8,
        ) {
            let (a, b): (Vec<f32>, Vec<f32>) = values.into_iter().unzip();
            for n in 0..=257 {
                agree(&a[start..start + n], &b[7 - start..7 - start + n]);
            }
        }

        #[test]
        fn extremes_agree_with_the_scalar_kernel(
            picks in proptest::collection::vec((0usize..7, 0usize..7), 0..=257),
        ) {
            let extremes = [0.0, -0.0, 1e15, -1e15, f32::MIN_POSITIVE, 1e-45, 1.0];
            let (a, b): (Vec<f32>, Vec<f32>) = picks.into_iter().map(|(i, j)| (extremes[i], extremes[j])).unzip();
            agree(&a, &b);
        }
    }
}
