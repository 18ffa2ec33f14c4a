//! The distance kernels, chosen once for the CPU at hand.
//!
//! Lengths must agree; the extra components of a longer slice are ignored.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(test)]
mod tests;

/// Inner product.
#[inline]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    #[cfg(target_arch = "x86_64")]
    if let Some(cpu) = avx2::Avx2::detect() {
        return cpu.dot(a, b);
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(cpu) = neon::Neon::detect() {
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
    #[cfg(target_arch = "aarch64")]
    if let Some(cpu) = neon::Neon::detect() {
        return cpu.squared_l2(a, b);
    }
    scalar::squared_l2(a, b)
}

/// Inner product of codes, exact. No code is -128, and there are at most 133,000: then the sum
/// fits.
#[inline]
pub(crate) fn dot_codes(a: &[i8], b: &[i8]) -> i32 {
    debug_assert_eq!(a.len(), b.len());
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(cpu) = avx512::Avx512::detect() {
            return cpu.dot_codes(a, b);
        }
        if let Some(cpu) = avx2::Avx2::detect() {
            return cpu.dot_codes(a, b);
        }
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(cpu) = neon::Neon::detect() {
        return cpu.dot_codes(a, b);
    }
    scalar::dot_codes(a, b)
}

/// Inner product of components of 8 bits and of 4 bits, the latter from 0 to 15: 128 in a line of
/// 64 bytes, with the second half in the upper bits. No component of the query is -128, and there
/// are at most a million.
#[inline]
pub(crate) fn dot_nibbles(query: &[i8], nibbles: &[u8]) -> i32 {
    debug_assert!(query.len() == 2 * nibbles.len() && nibbles.len().is_multiple_of(64));
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(cpu) = avx512::Avx512::detect() {
            return cpu.dot_nibbles(query, nibbles);
        }
        if let Some(cpu) = avx2::Avx2::detect() {
            return cpu.dot_nibbles(query, nibbles);
        }
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(cpu) = neon::Neon::detect() {
        return cpu.dot_nibbles(query, nibbles);
    }
    scalar::dot_nibbles(query, nibbles)
}

/// As [`dot_codes`], with each of four rows.
#[inline]
pub(crate) fn dot_codes_of_four(query: &[i8], rows: [&[i8]; 4]) -> [i32; 4] {
    debug_assert!(rows.iter().all(|row| row.len() == query.len()));
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(cpu) = avx512::Avx512::detect() {
            return cpu.dot_codes_of_four(query, rows);
        }
        if let Some(cpu) = avx2::Avx2::detect() {
            return cpu.dot_codes_of_four(query, rows);
        }
    }
    rows.map(|row| dot_codes(query, row))
}

/// As [`dot_nibbles`], with each of four rows.
#[inline]
pub(crate) fn dot_nibbles_of_four(query: &[i8], rows: [&[u8]; 4]) -> [i32; 4] {
    debug_assert!(rows.iter().all(|row| query.len() == 2 * row.len() && row.len().is_multiple_of(64)));
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(cpu) = avx512::Avx512::detect() {
            return cpu.dot_nibbles_of_four(query, rows);
        }
        if let Some(cpu) = avx2::Avx2::detect() {
            return cpu.dot_nibbles_of_four(query, rows);
        }
    }
    rows.map(|row| dot_nibbles(query, row))
}

/// Prefetches a row of codes.
#[inline]
pub(crate) fn prefetch<T>(row: &[T]) {
    #[cfg(target_arch = "x86_64")]
    avx2::prefetch(row);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}
