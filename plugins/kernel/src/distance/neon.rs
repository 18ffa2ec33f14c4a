//! The loops for 64-bit ARM.
#![expect(unsafe_code, reason = "vector intrinsics load from raw pointers")]

use crate::cpu::Neon;
use std::arch::aarch64::{
    float32x4_t, int8x16_t, vaddq_f32, vaddq_s32, vaddvq_f32, vaddvq_s32, vandq_u8, vdupq_n_f32, vdupq_n_s32,
    vdupq_n_u8, vget_low_s8, vld1q_f32, vld1q_s8, vld1q_u8, vmlal_high_s8, vmull_high_s8, vmull_s8,
    vpadalq_s16, vreinterpretq_s8_u8, vshrq_n_u8,
};

impl Neon {
    #[inline]
    pub(super) fn dot_codes(self, a: &[i8], b: &[i8]) -> i32 {
        // SAFETY: `self` proves that the CPU has the feature the function is compiled for.
        unsafe { dot_codes(a, b) }
    }

    #[inline]
    pub(super) fn dot_nibbles(self, query: &[i8], nibbles: &[u8]) -> i32 {
        // SAFETY: as above.
        unsafe { dot_nibbles(query, nibbles) }
    }
}

/// Sums up the terms of two vectors. Four sums hide the latency of the multiply-add.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn fold(
    a: &[f32],
    b: &[f32],
    step: impl Fn(float32x4_t, float32x4_t, float32x4_t) -> float32x4_t,
    tail: impl Fn(f32, f32) -> f32,
) -> f32 {
    let n = a.len().min(b.len());
    let mut sums = [vdupq_n_f32(0.0); 4];
    let mut at = 0;
    while at + 16 <= n {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum = step(load(a, at + 4 * lane), load(b, at + 4 * lane), *sum);
        }
        at += 16;
    }
    while at + 4 <= n {
        sums[0] = step(load(a, at), load(b, at), sums[0]);
        at += 4;
    }
    let sum = vaddq_f32(vaddq_f32(sums[0], sums[1]), vaddq_f32(sums[2], sums[3]));
    vaddvq_f32(sum) + a[at..n].iter().zip(&b[at..n]).map(|(&x, &y)| tail(x, y)).sum::<f32>()
}

/// A product of at most 127 * 127 fits 16 bits; pairs of products are added up in 32.
#[target_feature(enable = "neon")]
fn dot_codes(a: &[i8], b: &[i8]) -> i32 {
    let n = a.len().min(b.len());
    let mut sums = [vdupq_n_s32(0); 2];
    let mut at = 0;
    while at + 16 <= n {
        let (x, y) = (load_codes(a, at), load_codes(b, at));
        sums[0] = vpadalq_s16(sums[0], vmull_s8(vget_low_s8(x), vget_low_s8(y)));
        sums[1] = vpadalq_s16(sums[1], vmull_high_s8(x, y));
        at += 16;
    }
    vaddvq_s32(vaddq_s32(sums[0], sums[1])) + super::portable::dot_codes(&a[at..n], &b[at..n])
}

/// Two products of at most 15 * 127 fit 16 bits.
#[target_feature(enable = "neon")]
fn dot_nibbles(query: &[i8], nibbles: &[u8]) -> i32 {
    let mut sum = vdupq_n_s32(0);
    for (query, line) in query.as_chunks::<128>().0.iter().zip(nibbles.as_chunks::<64>().0) {
        for at in [0, 16, 32, 48] {
            // SAFETY: `at + 16` is within the array; the load needs no alignment.
            let pairs = unsafe { vld1q_u8(line.as_ptr().add(at)) };
            let low = vreinterpretq_s8_u8(vandq_u8(pairs, vdupq_n_u8(15)));
            let high = vreinterpretq_s8_u8(vshrq_n_u8::<4>(pairs));
            for (x, y) in [(low, load_codes(query, at)), (high, load_codes(query, 64 + at))] {
                let products = vmull_s8(vget_low_s8(x), vget_low_s8(y));
                sum = vpadalq_s16(sum, vmlal_high_s8(products, x, y));
            }
        }
    }
    vaddvq_s32(sum)
}

#[inline]
#[target_feature(enable = "neon")]
fn load_codes(x: &[i8], at: usize) -> int8x16_t {
    debug_assert!(at + 16 <= x.len());
    // SAFETY: every caller has checked `at + 16 <= n` and `n <= x.len()`; the load needs no
    // alignment.
    unsafe { vld1q_s8(x.as_ptr().add(at)) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load(x: &[f32], at: usize) -> float32x4_t {
    debug_assert!(at + 4 <= x.len());
    // SAFETY: every caller has checked `at + 4 <= n` and `n <= x.len()`; the load needs no
    // alignment.
    unsafe { vld1q_f32(x.as_ptr().add(at)) }
}
