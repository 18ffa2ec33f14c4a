//! The two kernels everything is made of, chosen once for the CPU at hand.
//!
//! Lengths must agree; the extra components of a longer slice are ignored.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod scalar;

/// Inner product.
#[inline]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    #[cfg(target_arch = "x86_64")]
    if let Some(cpu) = avx2::Avx2::detect() {
        return cpu.dot(a, b);
    }
    scalar::dot(a, b)
}

/// Squared Euclidean distance.
#[inline]
pub(crate) fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    #[cfg(target_arch = "x86_64")]
    if let Some(cpu) = avx2::Avx2::detect() {
        return cpu.squared_l2(a, b);
    }
    scalar::squared_l2(a, b)
}
