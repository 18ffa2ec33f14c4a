#![expect(unsafe_code, reason = "vector loads and stores go through pointers")]
//! Operations on AVX2 registers that all x86 kernels share.

use std::arch::x86_64::{
    __m256, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_max_ps,
    _mm_max_ss, _mm_movehl_ps, _mm_shuffle_ps, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps,
    _mm256_castps256_ps128, _mm256_castsi256_ps, _mm256_cvtps_epi32, _mm256_extractf128_ps, _mm256_fmadd_ps,
    _mm256_fnmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_round_ps,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_slli_epi32, _mm256_storeu_ps, _mm256_sub_ps,
};

use super::coefficients::{EXP2, EXP2_MIN, NEG_LOG2_PHI, PHI_MAX};
use super::panels::{PANEL, PanelRow};

/// Number of values in a register.
pub(super) const LANES: usize = 8;

/// Adds the bias, if there is one, to the sums, and applies GELU if requested.
#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn finished([low, high]: [__m256; 2], bias: Option<&[f32]>, gelu_after: bool) -> [__m256; 2] {
    let (mut low, mut high) = (low, high);
    if let Some(bias) = bias {
        low = _mm256_add_ps(low, load(&bias[..LANES]));
        high = _mm256_add_ps(high, load(&bias[LANES..PANEL]));
    }
    if gelu_after { [gelu(low), gelu(high)] } else { [low, high] }
}

/// Stores the first of a panel's values, as many as `target` has room for.
#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn store_part(target: &mut [f32], [low, high]: [__m256; 2]) {
    if target.len() == PANEL {
        store(&mut target[..LANES], low);
        store(&mut target[LANES..], high);
    } else {
        let mut whole = [0.0; PANEL];
        store(&mut whole[..LANES], low);
        store(&mut whole[LANES..], high);
        target.copy_from_slice(&whole[..target.len()]);
    }
}

/// Computes x * Phi(x), see `coefficients.rs`.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn gelu(x: __m256) -> __m256 {
    let magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(i32::MAX));
    // If an operand is NaN, these instructions return the second one, so that a NaN propagates.
    let a = _mm256_min_ps(_mm256_set1_ps(PHI_MAX), _mm256_and_ps(x, magnitude));
    let power = polynomial(&NEG_LOG2_PHI, a);
    let tail = exp2(_mm256_sub_ps(_mm256_setzero_ps(), power));
    _mm256_fnmadd_ps(a, tail, _mm256_max_ps(_mm256_setzero_ps(), x))
}

/// Computes 2 to the power x, for x <= 0; NaN for NaN.
#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn exp2(x: __m256) -> __m256 {
    let x = _mm256_max_ps(_mm256_set1_ps(EXP2_MIN), x);
    let whole = _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x);
    let mantissa = polynomial(&EXP2, _mm256_sub_ps(x, whole));
    let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(whole), _mm256_set1_epi32(127));
    _mm256_mul_ps(mantissa, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent)))
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn polynomial(coefficients: &[f32], x: __m256) -> __m256 {
    let mut sum = _mm256_setzero_ps();
    for c in coefficients.iter().rev() {
        sum = _mm256_fmadd_ps(sum, x, _mm256_set1_ps(*c));
    }
    sum
}

#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn load_panel_row(row: &PanelRow) -> (__m256, __m256) {
    (load(&row.0[..LANES]), load(&row.0[LANES..]))
}

#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn load(lanes: &[f32]) -> __m256 {
    assert!(lanes.len() == LANES);
    // SAFETY: the slice has as many values as the register, and the load needs no alignment.
    unsafe { _mm256_loadu_ps(lanes.as_ptr()) }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn store(lanes: &mut [f32], value: __m256) {
    assert!(lanes.len() == LANES);
    // SAFETY: the slice has as many values as the register, and the store needs no alignment.
    unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), value) }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn total(lanes: __m256) -> f32 {
    let four = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
}

#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn greatest(lanes: __m256) -> f32 {
    let four = _mm_max_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
    let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
}
