//! The loops with AVX2 and FMA.
#![expect(unsafe_code, reason = "vector intrinsics load from raw pointers")]

use crate::cpu::Avx2;
use std::arch::x86_64::{
    __m256, __m256i, _mm_add_epi32, _mm_add_ps, _mm_add_ss, _mm_cvtsi128_si32, _mm_cvtss_f32,
    _mm_extract_epi32, _mm_movehdup_ps, _mm_movehl_ps, _mm_shuffle_epi32, _mm256_abs_epi8, _mm256_add_epi16,
    _mm256_add_epi32, _mm256_add_ps, _mm256_and_si256, _mm256_castps256_ps128, _mm256_castsi256_si128,
    _mm256_extractf128_ps, _mm256_extracti128_si256, _mm256_hadd_epi32, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_setzero_ps,
    _mm256_setzero_si256, _mm256_sign_epi8, _mm256_srli_epi16,
};

impl Avx2 {
    #[inline]
    pub(super) fn dot_codes(self, a: &[i8], b: &[i8]) -> i32 {
        // SAFETY: `self` proves that the CPU has the features the function is compiled for.
        unsafe { dot_codes(a, b) }
    }

    #[inline]
    pub(super) fn dot_nibbles(self, query: &[i8], nibbles: &[u8]) -> i32 {
        // SAFETY: as above.
        unsafe { dot_nibbles(query, nibbles) }
    }

    #[inline]
    pub(super) fn dot_codes_of_four(self, query: &[i8], rows: [&[i8]; 4]) -> [i32; 4] {
        // SAFETY: as above.
        unsafe { dot_codes_of_four(query, rows) }
    }

    #[inline]
    pub(super) fn dot_nibbles_of_four(self, query: &[i8], rows: [&[u8]; 4]) -> [i32; 4] {
        // SAFETY: as above.
        unsafe { dot_nibbles_of_four(query, rows) }
    }
}

/// Sums up the terms of two vectors: four sums of eight lanes, so that four multiply-adds are in
/// flight; the tail is scalar.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn fold(
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

/// Inner product of codes, with the absolute value of a as unsigned and its sign moved to b. Two
/// products of at most 127 * 127 do not saturate 16 bits.
#[target_feature(enable = "avx2,fma")]
fn dot_codes(a: &[i8], b: &[i8]) -> i32 {
    let n = a.len().min(b.len());
    let ones = _mm256_set1_epi16(1);
    let mut sums = [_mm256_setzero_si256(); 2];
    let mut at = 0;
    let product = |at: usize| {
        let (x, y) = (load_codes(a, at), load_codes(b, at));
        _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(y, x)), ones)
    };
    while at + 64 <= n {
        sums[0] = _mm256_add_epi32(sums[0], product(at));
        sums[1] = _mm256_add_epi32(sums[1], product(at + 32));
        at += 64;
    }
    while at + 32 <= n {
        sums[0] = _mm256_add_epi32(sums[0], product(at));
        at += 32;
    }
    sum_of_lanes(_mm256_add_epi32(sums[0], sums[1])) + super::portable::dot_codes(&a[at..n], &b[at..n])
}

/// Two products of at most 15 * 127 do not saturate 16 bits, nor do two such pairs.
#[target_feature(enable = "avx2,fma")]
fn dot_nibbles(query: &[i8], nibbles: &[u8]) -> i32 {
    let mask = _mm256_set1_epi8(15);
    let ones = _mm256_set1_epi16(1);
    let mut sums = [_mm256_setzero_si256(); 2];
    for (query, line) in query.as_chunks::<128>().0.iter().zip(nibbles.as_chunks::<64>().0) {
        for (at, sum) in [0, 32].into_iter().zip(&mut sums) {
            // SAFETY: `at + 32` is within the array; the load needs no alignment.
            let pairs = unsafe { _mm256_loadu_si256(line.as_ptr().add(at).cast()) };
            let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(pairs), mask);
            let low = _mm256_maddubs_epi16(_mm256_and_si256(pairs, mask), load_codes(query, at));
            let high = _mm256_maddubs_epi16(upper, load_codes(query, 64 + at));
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_add_epi16(low, high), ones));
        }
    }
    sum_of_lanes(_mm256_add_epi32(sums[0], sums[1]))
}

/// As [`dot_codes`]. Work on the query is shared by four rows, which are as long as it.
#[target_feature(enable = "avx2,fma")]
fn dot_codes_of_four(query: &[i8], rows: [&[i8]; 4]) -> [i32; 4] {
    let n = rows.iter().fold(query.len(), |n, row| n.min(row.len()));
    let ones = _mm256_set1_epi16(1);
    let mut sums = [_mm256_setzero_si256(); 4];
    let mut at = 0;
    while at + 32 <= n {
        let x = load_codes(query, at);
        let sizes = _mm256_abs_epi8(x);
        for (sum, row) in sums.iter_mut().zip(rows) {
            let products = _mm256_maddubs_epi16(sizes, _mm256_sign_epi8(load_codes(row, at), x));
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(products, ones));
        }
        at += 32;
    }
    let mut totals = sums_of_lanes(sums);
    if at < n {
        for (total, row) in totals.iter_mut().zip(rows) {
            *total += super::portable::dot_codes(&query[at..n], &row[at..n]);
        }
    }
    totals
}

/// As [`dot_nibbles`], for four rows.
#[target_feature(enable = "avx2,fma")]
fn dot_nibbles_of_four(query: &[i8], rows: [&[u8]; 4]) -> [i32; 4] {
    let mask = _mm256_set1_epi8(15);
    let ones = _mm256_set1_epi16(1);
    let mut sums = [_mm256_setzero_si256(); 4];
    let rows = rows.map(|row| row.as_chunks::<64>().0);
    for (number, query) in query.as_chunks::<128>().0.iter().enumerate() {
        for at in [0, 32] {
            let (lower, upper) = (load_codes(query, at), load_codes(query, 64 + at));
            for (sum, row) in sums.iter_mut().zip(rows) {
                // SAFETY: `at + 32` is within the line; the load needs no alignment.
                let pairs = unsafe { _mm256_loadu_si256(row[number].as_ptr().add(at).cast()) };
                let low = _mm256_maddubs_epi16(_mm256_and_si256(pairs, mask), lower);
                let high = _mm256_and_si256(_mm256_srli_epi16::<4>(pairs), mask);
                let high = _mm256_maddubs_epi16(high, upper);
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_add_epi16(low, high), ones));
            }
        }
    }
    sums_of_lanes(sums)
}

/// Returns the sum of the lanes of each vector.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn sums_of_lanes(four: [__m256i; 4]) -> [i32; 4] {
    let [a, b, c, d] = four;
    let sums = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    let sums = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
    [
        _mm_extract_epi32::<0>(sums),
        _mm_extract_epi32::<1>(sums),
        _mm_extract_epi32::<2>(sums),
        _mm_extract_epi32::<3>(sums),
    ]
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn sum_of_lanes(sum: __m256i) -> i32 {
    let half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let pair = _mm_add_epi32(half, _mm_shuffle_epi32::<0b01_00_11_10>(half));
    _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32::<0b10_11_00_01>(pair)))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn load_codes(x: &[i8], at: usize) -> __m256i {
    debug_assert!(at + 32 <= x.len());
    // SAFETY: every caller has checked `at + 32 <= n` and `n <= x.len()`; the load needs no
    // alignment.
    unsafe { _mm256_loadu_si256(x.as_ptr().add(at).cast()) }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn load(x: &[f32], at: usize) -> __m256 {
    debug_assert!(at + 8 <= x.len());
    // SAFETY: every caller has checked `at + 8 <= n` and `n <= x.len()`; the load needs no
    // alignment.
    unsafe { _mm256_loadu_ps(x.as_ptr().add(at)) }
}
