//! Inner products of quantized components: 8 bits by 8, and 8 bits by 4. All are exact.

use super::portable;
#[cfg(target_arch = "x86_64")]
use crate::cpu::Avx2;
#[cfg(target_arch = "aarch64")]
use crate::cpu::Neon;

/// Inner product of codes. No code is -128, and there are at most 133,000: then the sum fits.
#[inline]
pub fn dot_codes(a: &[i8], b: &[i8]) -> i32 {
    debug_assert_eq!(a.len(), b.len());
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::detect() {
        return match avx2.vnni() {
            Some(vnni) => vnni.dot_codes(a, b),
            None => avx2.dot_codes(a, b),
        };
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(neon) = Neon::detect() {
        return neon.dot_codes(a, b);
    }
    portable::dot_codes(a, b)
}

/// Inner product of components of 8 bits and of 4 bits, the latter from 0 to 15: 128 in a line of
/// 64 bytes, with the second half in the upper bits. No component of the query is -128, and there
/// are at most a million.
#[inline]
pub fn dot_nibbles(query: &[i8], nibbles: &[u8]) -> i32 {
    debug_assert!(query.len() == 2 * nibbles.len() && nibbles.len().is_multiple_of(64));
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::detect() {
        return match avx2.vnni() {
            Some(vnni) => vnni.dot_nibbles(query, nibbles),
            None => avx2.dot_nibbles(query, nibbles),
        };
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(neon) = Neon::detect() {
        return neon.dot_nibbles(query, nibbles);
    }
    portable::dot_nibbles(query, nibbles)
}

/// As [`dot_codes`], with each of four rows.
#[inline]
pub fn dot_codes_of_four(query: &[i8], rows: [&[i8]; 4]) -> [i32; 4] {
    debug_assert!(rows.iter().all(|row| row.len() == query.len()));
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::detect() {
        return match avx2.vnni() {
            Some(vnni) => vnni.dot_codes_of_four(query, rows),
            None => avx2.dot_codes_of_four(query, rows),
        };
    }
    rows.map(|row| dot_codes(query, row))
}

/// As [`dot_nibbles`], with each of four rows.
#[inline]
pub fn dot_nibbles_of_four(query: &[i8], rows: [&[u8]; 4]) -> [i32; 4] {
    debug_assert!(rows.iter().all(|row| query.len() == 2 * row.len() && row.len().is_multiple_of(64)));
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::detect() {
        return match avx2.vnni() {
            Some(vnni) => vnni.dot_nibbles_of_four(query, rows),
            None => avx2.dot_nibbles_of_four(query, rows),
        };
    }
    rows.map(|row| dot_nibbles(query, row))
}
