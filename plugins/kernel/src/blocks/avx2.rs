#![expect(
    unsafe_code,
    reason = "vector loads and stores go through pointers, and calls need proof of the CPU"
)]
//! Rounding and product with AVX2.

use std::arch::x86_64::{
    __m256, __m256i, _mm_load_si128, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps, _mm256_and_si256,
    _mm256_castsi256_ps, _mm256_cvtepi8_epi16, _mm256_cvtepi32_ps, _mm256_cvtps_epi32, _mm256_fmadd_ps,
    _mm256_load_si256, _mm256_madd_epi16, _mm256_max_ps, _mm256_mul_ps, _mm256_packs_epi32,
    _mm256_permute4x64_epi64, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_setzero_si256, _mm256_srli_epi16, _mm256_storeu_si256,
};

use super::super::cpu::Avx2;
use super::super::lanes::{LANES, greatest, load, store_part};
use super::super::panels::PANEL;
use super::format::BLOCK;
use super::panels::{BYTE_LINES, BlockColumns, Line, NIBBLE_LINES, Panel};
use super::rows::{BlockRows, scale};

/// Rows of a full tile: with four registers each, twelve of the sixteen registers.
const TILE_ROWS: usize = 3;
/// Pairs of codes in a block.
const PAIRS: usize = BLOCK / 2;

impl Avx2 {
    pub(super) fn round_block(self, values: &[f32], pairs: &mut [i32]) -> (f32, i32) {
        // SAFETY: `self` proves the CPU features.
        unsafe { round(values, pairs) }
    }

    pub(super) fn block_product(
        self,
        a: &BlockRows,
        b: BlockColumns<'_>,
        bias: &[f32],
        out: &mut [f32],
        out_stride: usize,
    ) {
        if let Some(vnni) = self.vnni() {
            return vnni.block_product(a, b, bias, out, out_stride);
        }
        // SAFETY: `self` proves the CPU features.
        unsafe {
            match (b.format.has_nibbles(), b.format.has_halves()) {
                (true, _) => product::<true, false>(a, b, bias, out, out_stride),
                (false, true) => product::<false, true>(a, b, bias, out, out_stride),
                (false, false) => product::<false, false>(a, b, bias, out, out_stride),
            }
        }
    }
}

#[target_feature(enable = "avx2,fma")]
fn round(values: &[f32], pairs: &mut [i32]) -> (f32, i32) {
    let magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(i32::MAX));
    let mut most = _mm256_setzero_ps();
    // A value that is not a number survives no maximum, but it does a sum of differences.
    let mut check = 0.0;
    for lanes in values.chunks_exact(LANES) {
        most = _mm256_max_ps(most, _mm256_and_ps(load(lanes), magnitude));
    }
    for value in values {
        check += value * 0.0;
    }
    let (scale, step) = scale(greatest(most) + check);
    if scale == 0.0 {
        pairs.fill(0);
        return (step, 0);
    }
    let scales = _mm256_set1_ps(scale);
    let mut sum = _mm256_setzero_si256();
    for (sixteen, pairs) in values.chunks_exact(2 * LANES).zip(pairs.chunks_exact_mut(LANES)) {
        let code = |lanes: &[f32]| _mm256_cvtps_epi32(_mm256_mul_ps(load(lanes), scales));
        let (low, high) = (code(&sixteen[..LANES]), code(&sixteen[LANES..]));
        sum = _mm256_add_epi32(sum, _mm256_add_epi32(low, high));
        let ordered = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(low, high));
        // SAFETY: `pairs` has the register's size, and the store needs no alignment.
        unsafe { _mm256_storeu_si256(pairs.as_mut_ptr().cast(), ordered) };
    }
    let mut lanes = [0i32; LANES];
    // SAFETY: `lanes` has the register's size, and the store needs no alignment.
    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sum) };
    (step, lanes.iter().sum())
}

#[target_feature(enable = "avx2,fma")]
fn product<const NIBBLES: bool, const HALVES: bool>(
    a: &BlockRows,
    b: BlockColumns<'_>,
    bias: &[f32],
    out: &mut [f32],
    out_stride: usize,
) {
    for panel in b.each() {
        let bias = bias.get(panel.first..panel.first + PANEL);
        for row in (0..a.rows()).step_by(TILE_ROWS) {
            let target = &mut out[row * out_stride + panel.first..];
            match a.rows() - row {
                1 => tile::<1, NIBBLES, HALVES>(a, row, panel, bias, target, out_stride),
                2 => tile::<2, NIBBLES, HALVES>(a, row, panel, bias, target, out_stride),
                _ => tile::<TILE_ROWS, NIBBLES, HALVES>(a, row, panel, bias, target, out_stride),
            }
        }
    }
}

/// Computes `ROWS` rows, from `row` on, times one panel.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn tile<const ROWS: usize, const NIBBLES: bool, const HALVES: bool>(
    a: &BlockRows,
    row: usize,
    panel: Panel<'_>,
    bias: Option<&[f32]>,
    target: &mut [f32],
    target_stride: usize,
) {
    let (stride, blocks) = (a.pairs(), a.blocks());
    let left = &a.pairs[row * stride..(row + ROWS) * stride];
    let lines = if NIBBLES { NIBBLE_LINES } else { BYTE_LINES };
    let halves = if HALVES { 2 } else { 1 };
    let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
    for block in 0..blocks {
        let mut exact = [[_mm256_setzero_si256(); 2]; ROWS];
        for (line, codes) in panel.lines[block * lines..][..lines].iter().enumerate() {
            let per_line = PAIRS / lines;
            for i in 0..per_line {
                let codes = if NIBBLES { nibbles(codes, i) } else { bytes(codes, i) };
                for (row, sum) in exact.iter_mut().enumerate() {
                    let x = _mm256_set1_epi32(left[row * stride + block * PAIRS + line * per_line + i]);
                    for (sum, codes) in sum.iter_mut().zip(codes) {
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(x, codes));
                    }
                }
            }
            if HALVES && line + 1 == lines / 2 {
                let steps = &panel.steps[2 * block * PANEL..];
                add(&mut sums, &mut exact, steps, &a.steps[row * blocks + block..], blocks);
            }
        }
        let steps = &panel.steps[(halves * block + halves - 1) * PANEL..];
        add(&mut sums, &mut exact, steps, &a.steps[row * blocks + block..], blocks);
        if let Some(mins) = panel.mins.get(block * PANEL..(block + 1) * PANEL) {
            let mins = [load(&mins[..LANES]), load(&mins[LANES..])];
            for (i, sums) in sums.iter_mut().enumerate() {
                let whole = _mm256_set1_ps(a.sums[(row + i) * blocks + block]);
                for (sum, min) in sums.iter_mut().zip(mins) {
                    *sum = _mm256_fmadd_ps(min, whole, *sum);
                }
            }
        }
    }
    for (i, mut sum) in sums.into_iter().enumerate() {
        if let Some(bias) = bias {
            sum = [_mm256_add_ps(sum[0], load(&bias[..LANES])), _mm256_add_ps(sum[1], load(&bias[LANES..]))];
        }
        store_part(&mut target[i * target_stride..][..panel.width], sum);
    }
}

/// Adds the exact sums, times the scales of columns and rows, and sets them to 0.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn add<const ROWS: usize>(
    sums: &mut [[__m256; 2]; ROWS],
    exact: &mut [[__m256i; 2]; ROWS],
    steps: &[f32],
    row_steps: &[f32],
    blocks: usize,
) {
    let steps = [load(&steps[..LANES]), load(&steps[LANES..PANEL])];
    for (i, (sums, exact)) in sums.iter_mut().zip(exact).enumerate() {
        let row_step = _mm256_set1_ps(row_steps[i * blocks]);
        for ((sum, exact), step) in sums.iter_mut().zip(exact).zip(steps) {
            *sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(*exact), _mm256_mul_ps(step, row_step), *sum);
            *exact = _mm256_setzero_si256();
        }
    }
}

/// Pair `i` of the four of a line of 4-bit codes, for 16 columns.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn nibbles(line: &Line, i: usize) -> [__m256i; 2] {
    let low = _mm256_set1_epi16(15);
    [0, 1].map(|half| {
        // SAFETY: each half of a line is 32 bytes at a multiple of 32.
        let all = unsafe { _mm256_load_si256(line.0[half].as_ptr().cast()) };
        let moved = match i {
            0 => all,
            1 => _mm256_srli_epi16::<4>(all),
            2 => _mm256_srli_epi16::<8>(all),
            _ => _mm256_srli_epi16::<12>(all),
        };
        _mm256_and_si256(moved, low)
    })
}

/// Pair `i` of the two of a line of codes of a byte, for 16 columns.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn bytes(line: &Line, i: usize) -> [__m256i; 2] {
    [0, 1].map(|half| {
        // SAFETY: each quarter of a line is 16 bytes at a multiple of 16.
        let quarter = unsafe { _mm_load_si128(line.0[i][8 * half..].as_ptr().cast()) };
        _mm256_cvtepi8_epi16(quarter)
    })
}
