#![expect(
    unsafe_code,
    reason = "vector loads and stores go through pointers, and calls need proof of the CPU"
)]
//! Rounding and product with AVX2.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps, _mm256_castsi256_ps, _mm256_cvtepi32_ps,
    _mm256_cvtps_epi32, _mm256_fmadd_ps, _mm256_load_si256, _mm256_madd_epi16, _mm256_max_ps, _mm256_mul_ps,
    _mm256_packs_epi32, _mm256_permute4x64_epi64, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_setzero_si256, _mm256_storeu_si256,
};

use super::super::cache::BLOCK_PAIRS;
use super::super::cpu::Avx2;
use super::super::lanes::{finished, greatest, load, store_part, total};
use super::super::operands::Finish;
use super::super::panels::PANEL;
use super::codes::{BLOCK, CodeRow, Int16Columns, Int16Rows, Panel, scale};
use super::portable;

/// Number of values, or pairs of codes, in a register.
const LANES: usize = 8;
/// Rows of a full tile: with two registers each, twelve of the sixteen registers.
const TILE_ROWS: usize = 6;

impl Avx2 {
    pub(in super::super) fn round(self, values: &[f32], pairs: &mut [i32]) -> f32 {
        // SAFETY: `self` proves the CPU features.
        unsafe { round(values, pairs) }
    }

    pub(in super::super) fn int16_product(
        self,
        a: &Int16Rows,
        b: Int16Columns<'_>,
        finish: Finish<'_>,
        out: &mut [f32],
        out_stride: usize,
    ) {
        if let Some(vnni) = self.vnni() {
            return vnni.product(a, b, finish, out, out_stride);
        }
        // SAFETY: `self` proves the CPU features.
        unsafe { product(a, b, finish, out, out_stride) }
    }
}

#[target_feature(enable = "avx2,fma")]
fn round(values: &[f32], pairs: &mut [i32]) -> f32 {
    let magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(i32::MAX));
    let (mut greatest_lanes, mut sums) = (_mm256_setzero_ps(), _mm256_setzero_ps());
    let lanes = values.chunks_exact(LANES);
    let rest = lanes.remainder();
    for lanes in lanes {
        let x = load(lanes);
        greatest_lanes = _mm256_max_ps(greatest_lanes, _mm256_and_ps(x, magnitude));
        sums = _mm256_fmadd_ps(x, x, sums);
    }
    let most = rest.iter().fold(greatest(greatest_lanes), |most, value| most.max(value.abs()));
    let (scale, step) = scale(most, rest.iter().fold(total(sums), |sum, value| sum + value * value));
    let scales = _mm256_set1_ps(scale);
    let whole = values.len() / (2 * LANES) * (2 * LANES);
    for (sixteen, pairs) in values[..whole].chunks_exact(2 * LANES).zip(pairs.chunks_exact_mut(LANES)) {
        let code = |lanes: &[f32]| _mm256_cvtps_epi32(_mm256_mul_ps(load(lanes), scales));
        let packed = _mm256_packs_epi32(code(&sixteen[..LANES]), code(&sixteen[LANES..]));
        let ordered = _mm256_permute4x64_epi64::<0b11_01_10_00>(packed);
        // SAFETY: `pairs` has the register's size, and the store needs no alignment.
        unsafe { _mm256_storeu_si256(pairs.as_mut_ptr().cast(), ordered) };
    }
    portable::round_by(scale, &values[whole..], &mut pairs[whole / 2..]);
    step
}

#[target_feature(enable = "avx2,fma")]
fn product(a: &Int16Rows, b: Int16Columns<'_>, finish: Finish<'_>, out: &mut [f32], out_stride: usize) {
    let block = (BLOCK_PAIRS / a.stride.max(1)).max(TILE_ROWS) / TILE_ROWS * TILE_ROWS;
    for from in (0..a.rows()).step_by(block) {
        let to = a.rows().min(from + block);
        for panel in b.each() {
            for row in (from..to).step_by(TILE_ROWS) {
                let target = &mut out[row * out_stride + panel.first..];
                match to - row {
                    1 => tile::<1>(a, row, panel, finish, target, out_stride),
                    2 => tile::<2>(a, row, panel, finish, target, out_stride),
                    3 => tile::<3>(a, row, panel, finish, target, out_stride),
                    4 => tile::<4>(a, row, panel, finish, target, out_stride),
                    5 => tile::<5>(a, row, panel, finish, target, out_stride),
                    _ => tile::<TILE_ROWS>(a, row, panel, finish, target, out_stride),
                }
            }
        }
    }
}

/// Computes `ROWS` rows, from `row` on, times one panel.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn tile<const ROWS: usize>(
    a: &Int16Rows,
    row: usize,
    panel: Panel<'_>,
    finish: Finish<'_>,
    target: &mut [f32],
    target_stride: usize,
) {
    let left = &a.pairs[row * a.stride..];
    assert!(left.len() >= (ROWS - 1) * a.stride + panel.rows.len(), "left side too short");
    let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
    for (index, weights) in panel.rows.chunks(BLOCK / 2).enumerate() {
        let mut exact = [[_mm256_setzero_si256(); 2]; ROWS];
        for (i, weights) in weights.iter().enumerate() {
            let (low, high) = load_code_row(weights);
            for (row, sum) in exact.iter_mut().enumerate() {
                let at = row * a.stride + index * (BLOCK / 2) + i;
                // SAFETY: row < ROWS and the rest is below panel.rows.len(), so `at` is below the
                // length asserted above.
                let x = _mm256_set1_epi32(*unsafe { left.get_unchecked(at) });
                sum[0] = _mm256_add_epi32(sum[0], _mm256_madd_epi16(x, low));
                sum[1] = _mm256_add_epi32(sum[1], _mm256_madd_epi16(x, high));
            }
        }
        let steps = &panel.steps[index * PANEL..][..PANEL];
        let steps = [load(&steps[..LANES]), load(&steps[LANES..])];
        for (i, (sum, exact)) in sums.iter_mut().zip(exact).enumerate() {
            let row_step = _mm256_set1_ps(a.steps[(row + i) * a.blocks() + index]);
            for ((sum, exact), step) in sum.iter_mut().zip(exact).zip(steps) {
                let values = _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(exact), step), row_step);
                *sum = _mm256_add_ps(*sum, values);
            }
        }
    }
    for (i, sum) in sums.into_iter().enumerate() {
        let values = finished(sum, finish.bias.get(panel.first..panel.first + PANEL), finish.gelu);
        store_part(&mut target[i * target_stride..][..panel.width], values);
    }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn load_code_row(row: &CodeRow) -> (__m256i, __m256i) {
    // SAFETY: a row is 64 bytes at a multiple of 64.
    unsafe {
        let start: *const __m256i = row.0.as_ptr().cast();
        (_mm256_load_si256(start), _mm256_load_si256(start.add(1)))
    }
}
