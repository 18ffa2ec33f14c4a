#![expect(unsafe_code, reason = "loads go through pointers, and calls need proof of the CPU")]
//! The product with AVX-512 and VNNI: codes are widened in registers, so that a matrix of 4 bits is
//! read as such.

use std::arch::x86_64::{
    __m512, __m512i, _MM_HINT_T0, _mm_prefetch, _mm256_load_si256, _mm512_add_ps, _mm512_and_si512,
    _mm512_castps512_ps256, _mm512_cvtepi8_epi16, _mm512_cvtepi32_ps, _mm512_dpwssd_epi32,
    _mm512_extractf32x8_ps, _mm512_fmadd_ps, _mm512_load_si512, _mm512_loadu_ps, _mm512_mul_ps,
    _mm512_set1_epi16, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512,
    _mm512_srli_epi16,
};

use super::super::cpu::Vnni;
use super::super::lanes::store_part;
use super::super::panels::PANEL;
use super::format::BLOCK;
use super::panels::{BYTE_LINES, BlockColumns, Line, NIBBLE_LINES, Panel};
use super::rows::BlockRows;

/// Rows of a full tile: twelve registers of exact sums and twelve of f32 sums, out of thirty-two.
const TILE_ROWS: usize = 12;
/// Bytes of codes to prefetch ahead: with few rows they come from memory.
const AHEAD: usize = 2048;
/// Pairs of codes in a block.
const PAIRS: usize = BLOCK / 2;

impl Vnni {
    pub(super) fn block_product(
        self,
        a: &BlockRows,
        b: BlockColumns<'_>,
        bias: &[f32],
        out: &mut [f32],
        out_stride: usize,
    ) {
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

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni,avx2,fma")]
fn product<const NIBBLES: bool, const HALVES: bool>(
    a: &BlockRows,
    b: BlockColumns<'_>,
    bias: &[f32],
    out: &mut [f32],
    out_stride: usize,
) {
    for panel in b.each() {
        let bias = bias.get(panel.first..panel.first + PANEL);
        let mut row = 0;
        while row < a.rows() {
            let target = &mut out[row * out_stride + panel.first..];
            row += match a.rows() - row {
                1 => tile::<1, NIBBLES, HALVES>(a, row, panel, bias, target, out_stride),
                2 => tile::<2, NIBBLES, HALVES>(a, row, panel, bias, target, out_stride),
                3 => tile::<3, NIBBLES, HALVES>(a, row, panel, bias, target, out_stride),
                4 => tile::<4, NIBBLES, HALVES>(a, row, panel, bias, target, out_stride),
                5 => tile::<5, NIBBLES, HALVES>(a, row, panel, bias, target, out_stride),
                6 | 7 => tile::<6, NIBBLES, HALVES>(a, row, panel, bias, target, out_stride),
                8 | 9 => tile::<8, NIBBLES, HALVES>(a, row, panel, bias, target, out_stride),
                10 | 11 => tile::<10, NIBBLES, HALVES>(a, row, panel, bias, target, out_stride),
                _ => tile::<TILE_ROWS, NIBBLES, HALVES>(a, row, panel, bias, target, out_stride),
            };
        }
    }
}

/// Computes `ROWS` rows, from `row` on, times one panel; returns the number of rows.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni,avx2,fma")]
#[inline]
fn tile<const ROWS: usize, const NIBBLES: bool, const HALVES: bool>(
    a: &BlockRows,
    row: usize,
    panel: Panel<'_>,
    bias: Option<&[f32]>,
    target: &mut [f32],
    target_stride: usize,
) -> usize {
    let (stride, blocks) = (a.pairs(), a.blocks());
    let left = &a.pairs[row * stride..(row + ROWS) * stride];
    let row_steps = &a.steps[row * blocks..(row + ROWS) * blocks];
    let row_sums = &a.sums[row * blocks..(row + ROWS) * blocks];
    let lines = if NIBBLES { NIBBLE_LINES } else { BYTE_LINES };
    let halves = if HALVES { 2 } else { 1 };
    assert!(
        panel.lines.len() == blocks * lines && panel.steps.len() == blocks * halves * PANEL,
        "whole panels"
    );
    let mut sums = [_mm512_setzero_ps(); ROWS];
    for block in 0..blocks {
        let mut exact = [_mm512_setzero_si512(); ROWS];
        for (line, codes) in panel.lines[block * lines..][..lines].iter().enumerate() {
            // SAFETY: a hint, which may be past the end.
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(codes).wrapping_byte_add(AHEAD).cast());
            let per_line = PAIRS / lines;
            let widened: [__m512i; 4] = if NIBBLES { nibbles(codes) } else { bytes(codes) };
            for (i, codes) in widened.into_iter().take(per_line).enumerate() {
                for (row, sum) in exact.iter_mut().enumerate() {
                    let at = row * stride + block * PAIRS + line * per_line + i;
                    // SAFETY: row < ROWS, block < blocks and line * per_line + i < PAIRS, so `at` is
                    // below ROWS * stride, the length of `left`.
                    let x = _mm512_set1_epi32(*unsafe { left.get_unchecked(at) });
                    *sum = _mm512_dpwssd_epi32(*sum, x, codes);
                }
            }
            if HALVES && line + 1 == lines / 2 {
                add(&mut sums, &mut exact, &panel.steps[2 * block * PANEL..], &row_steps[block..], blocks);
            }
        }
        let steps = &panel.steps[(halves * block + halves - 1) * PANEL..];
        add(&mut sums, &mut exact, steps, &row_steps[block..], blocks);
        if let Some(mins) = panel.mins.get(block * PANEL..(block + 1) * PANEL) {
            let mins = load(mins);
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = _mm512_fmadd_ps(mins, _mm512_set1_ps(row_sums[i * blocks + block]), *sum);
            }
        }
    }
    for (i, mut sum) in sums.into_iter().enumerate() {
        if let Some(bias) = bias {
            sum = _mm512_add_ps(sum, load(bias));
        }
        let halves = [_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps::<1>(sum)];
        store_part(&mut target[i * target_stride..][..panel.width], halves);
    }
    ROWS
}

/// Adds the exact sums, times the scales of columns and rows, and sets them to 0.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni,avx2,fma")]
#[inline]
fn add<const ROWS: usize>(
    sums: &mut [__m512; ROWS],
    exact: &mut [__m512i; ROWS],
    steps: &[f32],
    row_steps: &[f32],
    blocks: usize,
) {
    let steps = load(&steps[..PANEL]);
    for (i, (sum, exact)) in sums.iter_mut().zip(exact).enumerate() {
        let scales = _mm512_mul_ps(steps, _mm512_set1_ps(row_steps[i * blocks]));
        *sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(*exact), scales, *sum);
        *exact = _mm512_setzero_si512();
    }
}

/// The four pairs of a line of 4-bit codes, each for 16 columns.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni,avx2,fma")]
#[inline]
fn nibbles(line: &Line) -> [__m512i; 4] {
    // SAFETY: a line is 64 bytes at a multiple of 64.
    let all = unsafe { _mm512_load_si512(line.0.as_ptr().cast()) };
    let low = _mm512_set1_epi16(15);
    [
        _mm512_and_si512(all, low),
        _mm512_and_si512(_mm512_srli_epi16::<4>(all), low),
        _mm512_and_si512(_mm512_srli_epi16::<8>(all), low),
        _mm512_srli_epi16::<12>(all),
    ]
}

/// The two pairs of a line of codes of a byte, each for 16 columns; the others are not used.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni,avx2,fma")]
#[inline]
fn bytes(line: &Line) -> [__m512i; 4] {
    // SAFETY: each half of a line is 32 bytes at a multiple of 32.
    let half = |half: usize| unsafe { _mm256_load_si256(line.0[half].as_ptr().cast()) };
    let (first, second) = (_mm512_cvtepi8_epi16(half(0)), _mm512_cvtepi8_epi16(half(1)));
    [first, second, first, second]
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni,avx2,fma")]
#[inline]
fn load(values: &[f32]) -> __m512 {
    assert!(values.len() >= PANEL, "a panel's values");
    // SAFETY: the slice has at least as many values as the register; the load needs no alignment.
    unsafe { _mm512_loadu_ps(values.as_ptr()) }
}
