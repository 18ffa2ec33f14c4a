//! The kernel for codes on CPUs with AVX-512 and VNNI.
#![expect(unsafe_code, reason = "vector intrinsics load from raw pointers")]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_and_si512, _mm512_dpbusd_epi32, _mm512_loadu_si512,
    _mm512_maskz_loadu_epi8, _mm512_reduce_add_epi32, _mm512_set1_epi8, _mm512_setzero_si512,
    _mm512_srli_epi16, _mm512_sub_epi32, _mm512_xor_si512,
};

/// Proof that this CPU has what the kernel is compiled for; `detect` is the only way to get one.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vnni");
        has.then_some(Self(()))
    }

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
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_nibbles(query: &[i8], nibbles: &[u8]) -> i32 {
    let mask = _mm512_set1_epi8(15);
    // Two sums, so that one product need not wait for the other.
    let (mut lows, mut highs) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    for (query, line) in query.as_chunks::<128>().0.iter().zip(nibbles.as_chunks::<64>().0) {
        // SAFETY: both arrays are as long as what is loaded of them; loads need no alignment.
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

/// The instruction multiplies unsigned by signed: b is shifted up by 128, and 128 times the sum of a taken off again.
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

/// 64 codes from `at`, zeros from `n` on.
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
