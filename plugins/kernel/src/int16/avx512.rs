#![expect(unsafe_code, reason = "loads go through pointers, and calls need proof of the CPU")]
//! The product with AVX-512 and VNNI: multiplies, adds each pair and adds to the sum in one
//! instruction.

use std::arch::x86_64::{
    _MM_HINT_T0, _mm_prefetch, _mm512_add_ps, _mm512_castps512_ps256, _mm512_cvtepi32_ps,
    _mm512_dpwssd_epi32, _mm512_extractf32x8_ps, _mm512_load_si512, _mm512_loadu_ps, _mm512_mul_ps,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512,
};

use super::super::cache::BLOCK_PAIRS;
use super::super::cpu::Vnni;
use super::super::lanes::{finished, store_part};
use super::super::operands::Finish;
use super::super::panels::PANEL;
use super::codes::{BLOCK, Int16Columns, Int16Rows, Panel};

/// Rows of a full tile: twelve registers of exact sums and twelve of f32 sums, out of thirty-two.
const TILE_ROWS: usize = 12;
/// Bytes of weights to prefetch ahead. They come from the third-level cache or from memory once per
/// block of rows, and a short text has only one block.
const AHEAD: usize = 2048;

impl Vnni {
    pub(in super::super) fn product(
        self,
        a: &Int16Rows,
        b: Int16Columns<'_>,
        finish: Finish<'_>,
        out: &mut [f32],
        out_stride: usize,
    ) {
        // SAFETY: `self` proves the CPU features.
        unsafe { product(a, b, finish, out, out_stride) }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512vnni,avx2,fma")]
fn product(a: &Int16Rows, b: Int16Columns<'_>, finish: Finish<'_>, out: &mut [f32], out_stride: usize) {
    let block = (BLOCK_PAIRS / a.stride.max(1)).max(TILE_ROWS) / TILE_ROWS * TILE_ROWS;
    for from in (0..a.rows()).step_by(block) {
        let to = a.rows().min(from + block);
        for panel in b.each() {
            let mut row = from;
            while row < to {
                let target = &mut out[row * out_stride + panel.first..];
                row += match to - row {
                    1 => tile::<1>(a, row, panel, finish, target, out_stride),
                    2 => tile::<2>(a, row, panel, finish, target, out_stride),
                    3 => tile::<3>(a, row, panel, finish, target, out_stride),
                    4 | 5 => tile::<4>(a, row, panel, finish, target, out_stride),
                    6 | 7 => tile::<6>(a, row, panel, finish, target, out_stride),
                    8 | 9 => tile::<8>(a, row, panel, finish, target, out_stride),
                    10 | 11 => tile::<10>(a, row, panel, finish, target, out_stride),
                    _ => tile::<TILE_ROWS>(a, row, panel, finish, target, out_stride),
                };
            }
        }
    }
}

/// Computes `ROWS` rows, from `row` on, times one panel; returns the number of rows.
#[target_feature(enable = "avx512f,avx512dq,avx512vnni,avx2,fma")]
#[inline]
fn tile<const ROWS: usize>(
    a: &Int16Rows,
    row: usize,
    panel: Panel<'_>,
    finish: Finish<'_>,
    target: &mut [f32],
    target_stride: usize,
) -> usize {
    let left = &a.pairs[row * a.stride..];
    assert!(left.len() >= (ROWS - 1) * a.stride + panel.rows.len(), "left side too short");
    let mut sums = [_mm512_setzero_ps(); ROWS];
    for (index, weights) in panel.rows.chunks(BLOCK / 2).enumerate() {
        let mut exact = [_mm512_setzero_si512(); ROWS];
        for (i, weights) in weights.iter().enumerate() {
            // SAFETY: a row is 64 bytes at a multiple of 64.
            let at = weights.0.as_ptr().cast();
            let weights = unsafe { _mm512_load_si512(at) };
            // SAFETY: a hint, which may be past the end.
            _mm_prefetch::<_MM_HINT_T0>(at.wrapping_byte_add(AHEAD).cast());
            for (row, sum) in exact.iter_mut().enumerate() {
                let at = row * a.stride + index * (BLOCK / 2) + i;
                // SAFETY: row < ROWS and the rest is below panel.rows.len(), so `at` is below the
                // length asserted above.
                let x = _mm512_set1_epi32(*unsafe { left.get_unchecked(at) });
                *sum = _mm512_dpwssd_epi32(*sum, x, weights);
            }
        }
        let steps = &panel.steps[index * PANEL..][..PANEL];
        // SAFETY: the slice has as many values as the register, and the load needs no alignment.
        let steps = unsafe { _mm512_loadu_ps(steps.as_ptr()) };
        for (i, (sum, exact)) in sums.iter_mut().zip(exact).enumerate() {
            let row_step = _mm512_set1_ps(a.steps[(row + i) * a.blocks() + index]);
            let values = _mm512_mul_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(exact), steps), row_step);
            *sum = _mm512_add_ps(*sum, values);
        }
    }
    for (i, sum) in sums.into_iter().enumerate() {
        let halves = [_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps::<1>(sum)];
        let values = finished(halves, finish.bias.get(panel.first..panel.first + PANEL), finish.gelu);
        store_part(&mut target[i * target_stride..][..panel.width], values);
    }
    ROWS
}
