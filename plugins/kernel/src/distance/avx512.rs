//! The loops over codes with AVX-512 and VNNI.
#![expect(unsafe_code, reason = "vector intrinsics load from raw pointers")]

use crate::cpu::Vnni;
use std::arch::x86_64::{
    __m512i, _mm_add_epi32, _mm_extract_epi32, _mm256_add_epi32, _mm256_castsi256_si128,
    _mm256_extracti128_si256, _mm256_hadd_epi32, _mm512_add_epi32, _mm512_and_si512, _mm512_castsi512_si256,
    _mm512_dpbusd_epi32, _mm512_extracti64x4_epi64, _mm512_loadu_si512, _mm512_maskz_loadu_epi8,
    _mm512_reduce_add_epi32, _mm512_set1_epi8, _mm512_setzero_si512, _mm512_srli_epi16, _mm512_sub_epi32,
    _mm512_xor_si512,
};

impl Vnni {
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

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_nibbles(query: &[i8], nibbles: &[u8]) -> i32 {
    let mask = _mm512_set1_epi8(15);
    // Two sums, so that the products need not wait for each other.
    let (mut lows, mut highs) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    for (query, line) in query.as_chunks::<128>().0.iter().zip(nibbles.as_chunks::<64>().0) {
        // SAFETY: both arrays are as long as the loads; loads need no alignment.
        let (pairs, low, high) = unsafe {
            let start = query.as_ptr();
            (
                _mm512_loadu_si512(line.as_ptr().cast()),
                _mm512_loadu_si512(start.cast()),
                _mm512_loadu_si512(start.add(64).cast()),
            )
        };
        lows = _mm512_dpbusd_epi32(lows, _mm512_and_si512(pairs, mask), low);
        highs = _mm512_dpbusd_epi32(highs, _mm512_and_si512(_mm512_srli_epi16::<4>(pairs), mask), high);
    }
    _mm512_reduce_add_epi32(_mm512_add_epi32(lows, highs))
}

/// As [`dot_nibbles`], for four rows, which share the loads of the query and most of the additions.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_nibbles_of_four(query: &[i8], rows: [&[u8]; 4]) -> [i32; 4] {
    let mask = _mm512_set1_epi8(15);
    let mut sums = [_mm512_setzero_si512(); 4];
    let [a, b, c, d] = rows;
    let (a, b) = (a.as_chunks::<64>().0, b.as_chunks::<64>().0);
    let (c, d) = (c.as_chunks::<64>().0, d.as_chunks::<64>().0);
    let lines = a.iter().zip(b).zip(c).zip(d);
    for (query, (((a, b), c), d)) in query.as_chunks::<128>().0.iter().zip(lines) {
        // SAFETY: the array is as long as the loads; loads need no alignment.
        let (low, high) = unsafe {
            let start = query.as_ptr();
            (_mm512_loadu_si512(start.cast()), _mm512_loadu_si512(start.add(64).cast()))
        };
        for (sum, line) in sums.iter_mut().zip([a, b, c, d]) {
            // SAFETY: as above.
            let pairs = unsafe { _mm512_loadu_si512(line.as_ptr().cast()) };
            *sum = _mm512_dpbusd_epi32(*sum, _mm512_and_si512(pairs, mask), low);
            *sum = _mm512_dpbusd_epi32(*sum, _mm512_and_si512(_mm512_srli_epi16::<4>(pairs), mask), high);
        }
    }
    sums_of_lanes(sums)
}

/// Returns the sum of the lanes of each vector.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn sums_of_lanes(four: [__m512i; 4]) -> [i32; 4] {
    let half = |sum| _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64::<1>(sum));
    let [a, b, c, d] = four;
    let (a, b, c, d) = (half(a), half(b), half(c), half(d));
    let sums = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    let sums = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
    [
        _mm_extract_epi32::<0>(sums),
        _mm_extract_epi32::<1>(sums),
        _mm_extract_epi32::<2>(sums),
        _mm_extract_epi32::<3>(sums),
    ]
}

/// Inner product of codes. The instruction multiplies unsigned by signed: b is shifted up by 128,
/// and 128 times the sum of a is subtracted again.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_codes(a: &[i8], b: &[i8]) -> i32 {
    let n = a.len().min(b.len());
    let shift = _mm512_set1_epi8(-128);
    let (mut products, mut shifts) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    let mut at = 0;
    while at < n {
        let (x, y) = (load(a, at, n), load(b, at, n));
        products = _mm512_dpbusd_epi32(products, _mm512_xor_si512(y, shift), x);
        shifts = _mm512_dpbusd_epi32(shifts, shift, x);
        at += 64;
    }
    _mm512_reduce_add_epi32(_mm512_sub_epi32(products, shifts))
}

/// As [`dot_codes`]. Work on the query is shared by four rows, which are as long as it.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_codes_of_four(query: &[i8], rows: [&[i8]; 4]) -> [i32; 4] {
    let [a, b, c, d] = rows;
    let n = query.len().min(a.len()).min(b.len()).min(c.len()).min(d.len());
    let shift = _mm512_set1_epi8(-128);
    let (mut products, mut shifts) = ([_mm512_setzero_si512(); 4], _mm512_setzero_si512());
    let mut at = 0;
    while at < n {
        let x = load(query, at, n);
        for (product, row) in products.iter_mut().zip([a, b, c, d]) {
            *product = _mm512_dpbusd_epi32(*product, _mm512_xor_si512(load(row, at, n), shift), x);
        }
        shifts = _mm512_dpbusd_epi32(shifts, shift, x);
        at += 64;
    }
    let [a, b, c, d] = products;
    let less = |products| _mm512_sub_epi32(products, shifts);
    sums_of_lanes([less(a), less(b), less(c), less(d)])
}

/// Loads 64 codes from `at`, with zeros from `n` on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn load(x: &[i8], at: usize, n: usize) -> __m512i {
    debug_assert!(at < n && n <= x.len());
    let left = n - at;
    // SAFETY: `n <= x.len()`, and no byte from `n` on is touched: masked lanes are not loaded.
    unsafe {
        let start = x.as_ptr().add(at);
        if left >= 64 {
            _mm512_loadu_si512(start.cast())
        } else {
            _mm512_maskz_loadu_epi8((1u64 << left) - 1, start)
        }
    }
}
