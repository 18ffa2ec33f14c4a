//! The squared Euclidean distance.
#![cfg_attr(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    expect(unsafe_code, reason = "calls need proof of the CPU")
)]

use super::portable;
#[cfg(target_arch = "x86_64")]
use {
    super::avx2,
    crate::cpu::Avx2,
    std::arch::x86_64::{_mm256_fmadd_ps, _mm256_sub_ps},
};
#[cfg(target_arch = "aarch64")]
use {
    super::neon,
    crate::cpu::Neon,
    std::arch::aarch64::{vfmaq_f32, vsubq_f32},
};

/// Squared Euclidean distance of two vectors of one length.
#[inline]
pub fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    #[cfg(target_arch = "x86_64")]
    if Avx2::detect().is_some() {
        // SAFETY: the CPU has AVX2 and FMA.
        return unsafe { by_avx2(a, b) };
    }
    #[cfg(target_arch = "aarch64")]
    if Neon::detect().is_some() {
        // SAFETY: the CPU has NEON.
        return unsafe { by_neon(a, b) };
    }
    portable(a, b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn by_avx2(a: &[f32], b: &[f32]) -> f32 {
    avx2::fold(
        a,
        b,
        |x, y, sum| {
            let difference = _mm256_sub_ps(x, y);
            _mm256_fmadd_ps(difference, difference, sum)
        },
        |x, y| (x - y) * (x - y),
    )
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn by_neon(a: &[f32], b: &[f32]) -> f32 {
    neon::fold(
        a,
        b,
        |x, y, sum| {
            let difference = vsubq_f32(x, y);
            vfmaq_f32(sum, difference, difference)
        },
        |x, y| (x - y) * (x - y),
    )
}

fn portable(a: &[f32], b: &[f32]) -> f32 {
    portable::fold(a, b, |x, y| (x - y) * (x - y))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_fastest_agrees_with_the_portable_one() {
        super::super::tests::agree(super::squared_l2, super::portable, |x, y| (x - y) * (x - y));
    }
}
