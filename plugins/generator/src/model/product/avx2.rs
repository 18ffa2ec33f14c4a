#![expect(unsafe_code, reason = "AVX2 and FMA intrinsics that read through pointers")]

use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps};

use super::{LANES, LINES, ROWS, multiply_by};

/// Proof that this CPU has AVX2 and FMA; `detect` is the only way to get one.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    pub(super) fn multiply(self, lines: &[f32], rows: &[f32], input: usize, out: &mut [f32]) {
        // SAFETY: `self` proves that the CPU has what the function is compiled to.
        unsafe { multiply(lines, rows, input, out) }
    }
}

#[target_feature(enable = "avx2,fma")]
fn multiply(lines: &[f32], rows: &[f32], input: usize, out: &mut [f32]) {
    multiply_by(lines, rows, input, out, |lines, rows, sums| {
        // The closure is compiled for the same instructions as the function around it.
        match sums.len() {
            LINES => tile::<LINES>(lines, rows, input, sums),
            4 => tile::<4>(lines, rows, input, sums),
            3 => tile::<3>(lines, rows, input, sums),
            2 => tile::<2>(lines, rows, input, sums),
            _ => tile::<1>(lines, rows, input, sums),
        }
    });
}

/// Sums over whole lanes of the products of `N` lines with two rows.
#[target_feature(enable = "avx2,fma")]
fn tile<const N: usize>(lines: &[f32], rows: [&[f32]; ROWS], input: usize, sums: &mut [[f32; ROWS]]) {
    assert!(lines.len() >= N * input && rows.iter().all(|row| row.len() >= input));
    let mut lanes = [[_mm256_setzero_ps(); ROWS]; N];
    for at in (0..input - input % LANES).step_by(LANES) {
        // SAFETY: `at + LANES <= input`, and every row and line has `input` values, as asserted above.
        unsafe {
            let weights =
                [_mm256_loadu_ps(rows[0].as_ptr().add(at)), _mm256_loadu_ps(rows[1].as_ptr().add(at))];
            for (i, lanes) in lanes.iter_mut().enumerate() {
                let x = _mm256_loadu_ps(lines.as_ptr().add(i * input + at));
                lanes[0] = _mm256_fmadd_ps(x, weights[0], lanes[0]);
                lanes[1] = _mm256_fmadd_ps(x, weights[1], lanes[1]);
            }
        }
    }
    for (sums, lanes) in sums.iter_mut().zip(lanes) {
        *sums = lanes.map(|lanes| {
            let mut values = [0f32; LANES];
            // SAFETY: the array holds eight values.
            unsafe { _mm256_storeu_ps(values.as_mut_ptr(), lanes) };
            values.iter().sum()
        });
    }
}
