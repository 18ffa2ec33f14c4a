//! Products of a few lines with a large matrix, as decoding makes at every step.
//!
//! Such a product is bound by reading the matrix once. A general one first copies it into panels, which
//! pays for many lines and costs twice the time for few. Here every row of the matrix is read where it
//! lies, against all lines; sums run in eight lanes, in an order that does not depend on how many lines there
//! are, so that a hypothesis scores the same beside others as alone.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

#[cfg(target_arch = "x86_64")]
mod avx2;

/// Most lines for which this is the faster way.
const MAX_LINES: usize = 32;
const LANES: usize = 8;
/// Rows of the matrix taken together, so that a line's values are loaded once for them.
const ROWS: usize = 2;
/// Lines taken together.
const LINES: usize = 5;
/// Rows of one task: enough work to be worth handing out.
const TASK_ROWS: usize = 64;

/// `[n, input]` by `[output, input]` to `[n, output]`: the lines by the rows.
pub(super) fn by_rows(lines: &Tensor, matrix: &Tensor) -> Result<Tensor> {
    match lines.dim(0)? <= MAX_LINES && matrix.is_contiguous() {
        true => lines.contiguous()?.apply_op2_no_bwd(matrix, &ByRows),
        false => lines.matmul(&matrix.t()?),
    }
}

struct ByRows;

impl CustomOp2 for ByRows {
    fn name(&self) -> &'static str {
        "lines by rows"
    }

    fn cpu_fwd(
        &self,
        lines: &CpuStorage,
        lines_at: &Layout,
        matrix: &CpuStorage,
        matrix_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((n, input), (output, width)) = (lines_at.shape().dims2()?, matrix_at.shape().dims2()?);
        let (Some(from), Some(at)) = (lines_at.contiguous_offsets(), matrix_at.contiguous_offsets()) else {
            candle_core::bail!("product of scattered values")
        };
        if input != width || input == 0 {
            candle_core::bail!("lines of {input} by rows of {width}");
        }
        let (lines, matrix) =
            (&lines.as_slice::<f32>()?[from.0..from.1], &matrix.as_slice::<f32>()?[at.0..at.1]);
        // By rows first, so that each task writes a part of its own.
        let mut by_rows = vec![0f32; output * n];
        by_rows.par_chunks_mut(TASK_ROWS * n).zip(matrix.par_chunks(TASK_ROWS * input)).for_each(
            |(out, rows)| {
                multiply(lines, rows, input, out);
            },
        );
        let mut out = vec![0f32; n * output];
        for (row, products) in by_rows.chunks_exact(n).enumerate() {
            products.iter().enumerate().for_each(|(line, product)| out[line * output + row] = *product);
        }
        Ok((CpuStorage::F32(out), Shape::from((n, output))))
    }
}

/// `out`: `[rows, lines]`. `tile` gives the sums over whole lanes of up to `LINES` lines with two rows.
#[inline(always)]
fn multiply_by(
    lines: &[f32],
    rows: &[f32],
    input: usize,
    out: &mut [f32],
    tile: impl Fn(&[f32], [&[f32]; ROWS], &mut [[f32; ROWS]]),
) {
    let (n, whole) = (lines.len() / input, input - input % LANES);
    for (rows, out) in rows.chunks(ROWS * input).zip(out.chunks_mut(ROWS * n)) {
        // A last row without a partner is its own.
        let rows = [&rows[..input], &rows[rows.len() - input..]];
        for (group, lines) in lines.chunks(LINES * input).enumerate() {
            let mut sums = [[0f32; ROWS]; LINES];
            let sums = &mut sums[..lines.len() / input];
            tile(lines, rows, sums);
            for (i, (line, sums)) in lines.chunks_exact(input).zip(sums).enumerate() {
                for (row, products) in out.chunks_exact_mut(n).enumerate() {
                    let rest = line[whole..].iter().zip(&rows[row][whole..]).map(|(x, w)| x * w);
                    products[group * LINES + i] = sums[row] + rest.sum::<f32>();
                }
            }
        }
    }
}

fn multiply(lines: &[f32], rows: &[f32], input: usize, out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = avx2::Avx2::detect() {
        return avx2.multiply(lines, rows, input, out);
    }
    multiply_portable(lines, rows, input, out);
}

fn multiply_portable(lines: &[f32], rows: &[f32], input: usize, out: &mut [f32]) {
    multiply_by(lines, rows, input, out, |lines, rows, sums| {
        for (line, sums) in lines.chunks_exact(input).zip(sums) {
            *sums = rows.map(|row| {
                let mut lanes = [0f32; LANES];
                for (x, w) in line.chunks_exact(LANES).zip(row.chunks_exact(LANES)) {
                    (0..LANES).for_each(|lane| lanes[lane] += x[lane] * w[lane]);
                }
                lanes.iter().sum()
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn values(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 31 + seed * 17 + i * i % 7) % 23) as f32 / 23.0 - 0.5).collect()
    }

    #[test]
    fn every_size_gives_what_a_sum_in_f64_gives() {
        for (n, output, input) in
            [(1, 1, 1), (5, 3, 8), (7, 130, 33), (20, 65, 100), (32, 64, 7), (33, 5, 16), (11, 2, 257)]
        {
            let (lines, matrix) = (values(n * input, 1), values(output * input, 2));
            let tensor =
                |values: &[f32], rows| Tensor::from_slice(values, (rows, input), &Device::Cpu).unwrap();
            let found =
                by_rows(&tensor(&lines, n), &tensor(&matrix, output)).unwrap().to_vec2::<f32>().unwrap();
            for (line, found) in lines.chunks_exact(input).zip(&found) {
                for (row, found) in matrix.chunks_exact(input).zip(found) {
                    let expected: f64 =
                        line.iter().zip(row).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                    assert!((f64::from(*found) - expected).abs() < 1e-5, "{n} {output} {input}");
                }
            }
        }
    }

    #[test]
    fn the_kernel_of_this_cpu_agrees_with_the_portable_one() {
        for (n, rows, input) in
            (1..8).flat_map(|n| (1..4).flat_map(move |rows| (1..40).map(move |i| (n, rows, i))))
        {
            let (lines, matrix) = (values(n * input + 1, 5), values(rows * input + 3, 6));
            // Not aligned to anything.
            let (lines, matrix) = (&lines[1..], &matrix[3..]);
            let (mut found, mut expected) = (vec![0.0; n * rows], vec![0.0; n * rows]);
            multiply(lines, matrix, input, &mut found);
            multiply_portable(lines, matrix, input, &mut expected);
            assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "{n} {rows} {input}");
        }
    }

    #[test]
    fn a_line_gives_the_same_beside_others_as_alone() {
        let (lines, matrix) = (values(17 * 50, 3), values(9 * 50, 4));
        let tensor = |values: &[f32], rows| Tensor::from_slice(values, (rows, 50), &Device::Cpu).unwrap();
        let together = by_rows(&tensor(&lines, 17), &tensor(&matrix, 9)).unwrap().to_vec2::<f32>().unwrap();
        for (line, together) in lines.chunks_exact(50).zip(together) {
            let alone = by_rows(&tensor(line, 1), &tensor(&matrix, 9)).unwrap().to_vec2::<f32>().unwrap();
            assert_eq!(alone[0], together);
        }
    }
}
