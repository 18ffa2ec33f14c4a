//! Products of many or few lines with a packed matrix, on all threads.
//!
//! Decoding multiplies a few lines at every step and is bound by reading the matrix, so tasks
//! divide the matrix by columns; with many lines, tasks divide the lines. The order of a sum's
//! terms does not depend on the division, so that a hypothesis scores the same beside others as
//! alone.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape};
use postil_kernel::{Finish, Kernel, PANEL, Panels, Rows, panels_of};
use rayon::prelude::*;

/// Maximum number of lines for which every task computes all lines.
const FEW_LINES: usize = 128;
/// Number of panels per task with few lines: enough work to pay for the handover to a thread.
pub(super) const TASK_PANELS: usize = 8;
/// Number of lines per task with many lines: eight tiles of the kernel.
pub(super) const TASK_LINES: usize = 48;

/// A product with a packed matrix: `[.., input]` to `[.., output]`.
pub(super) struct Product<'a> {
    pub(super) weight: &'a Panels,
    /// Bias padded to whole panels, or empty.
    pub(super) bias: &'a [f32],
    /// True when each sum x becomes x * Phi(x), the exact GELU.
    pub(super) gelu: bool,
}

impl Product<'_> {
    /// Computes one task's lines on one thread.
    pub(super) fn run(&self, kernel: Kernel, lines: &[f32], out: &mut [f32]) {
        let input = self.weight.inner();
        let rows = Rows { values: lines, stride: input, rows: lines.len() / input };
        let finish = Finish { bias: self.bias, gelu: self.gelu };
        kernel.product(rows, self.weight.all(), finish, out, self.weight.columns());
    }

    fn run_all(&self, lines: &[f32]) -> Vec<f32> {
        let (kernel, input, output) = (Kernel::detect(), self.weight.inner(), self.weight.columns());
        let n = lines.len() / input;
        let mut out = vec![0f32; n * output];
        if n > FEW_LINES {
            out.par_chunks_mut(TASK_LINES * output)
                .zip(lines.par_chunks(TASK_LINES * input))
                .for_each(|(out, lines)| self.run(kernel, lines, out));
            return out;
        }
        let rows = Rows { values: lines, stride: input, rows: n };
        let part = |task: usize| {
            let first = task * TASK_PANELS;
            let columns = self.weight.part(first, TASK_PANELS);
            let bias = self.bias.get(first * PANEL..).unwrap_or_default();
            let width = columns.columns;
            let mut out = vec![0f32; n * width];
            kernel.product(rows, columns, Finish { bias, gelu: self.gelu }, &mut out, width);
            out
        };
        let tasks = panels_of(output).div_ceil(TASK_PANELS);
        let parts: Vec<Vec<f32>> = (0..tasks).into_par_iter().map(part).collect();
        for (task, part) in parts.iter().enumerate() {
            let (first, width) = (task * TASK_PANELS * PANEL, part.len() / n);
            for (out, part) in out.chunks_exact_mut(output).zip(part.chunks_exact(width)) {
                out[first..first + width].copy_from_slice(part);
            }
        }
        out
    }
}

impl CustomOp1 for Product<'_> {
    fn name(&self) -> &'static str {
        "product"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("product of scattered values")
        };
        let mut shape = layout.dims().to_vec();
        if shape.pop() != Some(self.weight.inner()) {
            candle_core::bail!("lines of {:?} by rows of {}", layout.dims(), self.weight.inner());
        }
        shape.push(self.weight.columns());
        let out = self.run_all(&storage.as_slice::<f32>()?[start..end]);
        Ok((CpuStorage::F32(out), Shape::from(shape)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 31 + seed * 17 + i * i % 7) % 23) as f32 / 23.0 - 0.5).collect()
    }

    #[test]
    fn every_size_gives_what_a_sum_in_f64_gives() {
        for (n, output, input) in
            [(1, 1, 1), (5, 3, 8), (7, 130, 33), (20, 265, 100), (32, 64, 7), (33, 5, 16), (171, 130, 257)]
        {
            let (lines, matrix, bias) = (values(n * input, 1), values(output * input, 2), values(output, 3));
            let weight = Panels::from_linear(&matrix, output, input);
            let mut padded = bias.clone();
            padded.resize(panels_of(output) * PANEL, 0.0);
            let found = Product { weight: &weight, bias: &padded, gelu: false }.run_all(&lines);
            for (line, found) in lines.chunks_exact(input).zip(found.chunks_exact(output)) {
                for ((row, found), bias) in matrix.chunks_exact(input).zip(found).zip(&bias) {
                    let sum: f64 = line.iter().zip(row).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                    assert!(
                        (f64::from(*found) - sum - f64::from(*bias)).abs() < 5e-5,
                        "{n} {output} {input}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_line_gives_the_same_beside_others_as_alone() {
        let (lines, matrix) = (values(177 * 50, 3), values(200 * 50, 4));
        let weight = Panels::from_linear(&matrix, 200, 50);
        let product = Product { weight: &weight, bias: &[], gelu: true };
        for n in [3, 32, 128, 177] {
            let together = product.run_all(&lines[..n * 50]);
            for (line, together) in lines.chunks_exact(50).zip(together.chunks_exact(200)) {
                assert_eq!(product.run_all(line), together);
            }
        }
    }
}
