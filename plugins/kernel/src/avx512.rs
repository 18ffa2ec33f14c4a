#![expect(unsafe_code, reason = "loads go through pointers, and calls need proof of the CPU")]
//! The product with AVX-512: a panel's row is one register, so a tile is twelve rows high.

use std::arch::x86_64::{
    _MM_HINT_T0, _mm_prefetch, _mm512_castps512_ps256, _mm512_extractf32x8_ps, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps,
};

use super::cache::{AHEAD, BLOCK_VALUES};
use super::cpu::Avx512;
use super::lanes::{finished, store_part};
use super::operands::{Finish, Rows};
use super::panels::{Columns, PANEL, PanelRow};

/// Rows of a full tile. Two products start per cycle and take four cycles, so eight sums keep the
/// units busy; with more rows, each panel row is loaded less often.
const TILE_ROWS: usize = 12;

impl Avx512 {
    pub(super) fn product(
        self,
        a: Rows<'_>,
        b: Columns<'_>,
        finish: Finish<'_>,
        out: &mut [f32],
        out_stride: usize,
    ) {
        // SAFETY: `self` proves the CPU features.
        unsafe { product(a, b, finish, out, out_stride) }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx2,fma")]
fn product(a: Rows<'_>, b: Columns<'_>, finish: Finish<'_>, out: &mut [f32], out_stride: usize) {
    let block = (BLOCK_VALUES / b.inner.max(1)).max(TILE_ROWS) / TILE_ROWS * TILE_ROWS;
    for from in (0..a.rows).step_by(block) {
        let to = a.rows.min(from + block);
        for (index, panel) in b.panels.chunks_exact(b.inner).take(b.columns.div_ceil(PANEL)).enumerate() {
            let first = index * PANEL;
            let width = PANEL.min(b.columns - first);
            let finish = Finish { bias: finish.bias.get(first..first + PANEL).unwrap_or(&[]), ..finish };
            let mut row = from;
            while row < to {
                let left = &a.values[row * a.stride..];
                let target = &mut out[row * out_stride + first..];
                let strides = (a.stride, out_stride);
                row += match to - row {
                    1 => tile::<1>(left, panel, finish, target, strides, width),
                    2 => tile::<2>(left, panel, finish, target, strides, width),
                    3 => tile::<3>(left, panel, finish, target, strides, width),
                    4 | 5 => tile::<4>(left, panel, finish, target, strides, width),
                    6 | 7 => tile::<6>(left, panel, finish, target, strides, width),
                    8 | 9 => tile::<8>(left, panel, finish, target, strides, width),
                    10 | 11 => tile::<10>(left, panel, finish, target, strides, width),
                    _ => tile::<TILE_ROWS>(left, panel, finish, target, strides, width),
                };
            }
        }
    }
}

/// Computes `ROWS` rows times one panel, and stores the first `width` of the panel's columns;
/// returns the number of rows. `finish.bias` holds the panel's part only.
#[target_feature(enable = "avx512f,avx512dq,avx2,fma")]
#[inline]
fn tile<const ROWS: usize>(
    left: &[f32],
    panel: &[PanelRow],
    finish: Finish<'_>,
    target: &mut [f32],
    (left_stride, target_stride): (usize, usize),
    width: usize,
) -> usize {
    assert!(left.len() >= (ROWS - 1) * left_stride + panel.len(), "left side too short");
    assert!(width <= PANEL && target.len() >= (ROWS - 1) * target_stride + width, "target too short");
    let mut sums = [_mm512_setzero_ps(); ROWS];
    for (i, weights) in panel.iter().enumerate() {
        _mm_prefetch::<_MM_HINT_T0>(panel.as_ptr().wrapping_add(i + AHEAD).cast());
        // SAFETY: a panel's row has as many values as the register, and the load needs no
        // alignment.
        let weights = unsafe { _mm512_loadu_ps(weights.0.as_ptr()) };
        for (row, sum) in sums.iter_mut().enumerate() {
            // SAFETY: row < ROWS and i < panel.len(), so the index is below the length asserted
            // above.
            let x = _mm512_set1_ps(*unsafe { left.get_unchecked(row * left_stride + i) });
            *sum = _mm512_fmadd_ps(x, weights, *sum);
        }
    }
    let bias = (!finish.bias.is_empty()).then_some(finish.bias);
    for (row, sum) in sums.into_iter().enumerate() {
        let halves = [_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps::<1>(sum)];
        store_part(&mut target[row * target_stride..][..width], finished(halves, bias, finish.gelu));
    }
    ROWS
}
