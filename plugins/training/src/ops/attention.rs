use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use postil_kernel::{Attention, Finish, Heads, Kernel, Panels, Rows};
use rayon::prelude::*;

use super::slices::{read, slice, tensor, transposed};

/// Bidirectional scaled dot-product attention of `heads` heads within every sequence. `projected`:
/// query, key and value of every token, `[tokens, 3 * width]`, sequences of `lengths` packed end to
/// end. Returns `[tokens, width]`.
///
/// # Errors
/// candle's; also when the lengths do not add up to the tokens.
pub fn attention(projected: &Tensor, lengths: &Arc<[usize]>, heads: usize) -> Result<Tensor> {
    let (tokens, width) = projected.dims2()?;
    if lengths.iter().sum::<usize>() != tokens || heads == 0 || !width.is_multiple_of(3 * heads) {
        candle_core::bail!("attention: {tokens} tokens of {width} in {lengths:?}, {heads} heads");
    }
    let heads = Heads { count: heads, width: width / (3 * heads) };
    projected.contiguous()?.apply_op1(SelfAttention { lengths: Arc::clone(lengths), heads })
}

struct SelfAttention {
    lengths: Arc<[usize]>,
    heads: Heads,
}

/// Divides packed rows of `width` values into those of each sequence.
fn sequences<'a>(mut rows: &'a mut [f32], lengths: &[usize], width: usize) -> Vec<&'a mut [f32]> {
    let mut parts = Vec::with_capacity(lengths.len());
    for length in lengths {
        let (part, rest) = std::mem::take(&mut rows).split_at_mut(length * width);
        parts.push(part);
        rows = rest;
    }
    parts
}

/// Index of the first token of each sequence.
fn starts(lengths: &[usize]) -> Vec<usize> {
    let mut next = 0;
    let start = |length: &usize| {
        let start = next;
        next += length;
        start
    };
    lengths.iter().map(start).collect()
}

/// Rows of `width` values, one after the other.
fn packed(values: &[f32], width: usize) -> Rows<'_> {
    Rows { values, stride: width, rows: values.len() / width }
}

/// Some columns of packed rows: `[length, width]`, from rows `stride` apart.
fn columns(rows: &[f32], stride: usize, at: usize, width: usize) -> Vec<f32> {
    rows.chunks_exact(stride).flat_map(|row| &row[at..at + width]).copied().collect()
}

impl SelfAttention {
    /// The gradient with respect to the projections of one sequence, `[length, 3 * hidden]`.
    /// `given`: the projections. `grad`: the gradient of the result, `[length, hidden]`.
    fn backward(&self, given: &[f32], grad: &[f32], out: &mut [f32]) {
        let kernel = Kernel::detect();
        let Heads { count, width } = self.heads;
        let hidden = count * width;
        let (stride, length) = (3 * hidden, grad.len() / hidden);
        let scale = 1.0 / (width as f32).sqrt();
        for at in (0..hidden).step_by(width) {
            let [query, key, value] =
                [0, hidden, 2 * hidden].map(|part| columns(given, stride, part + at, width));
            let grad = columns(grad, hidden, at, width);
            let by_rows = |values: &[f32]| Panels::from_rows(values, length, width);
            let (mut weights, mut slopes) = (vec![0.0; length * length], vec![0.0; length * length]);
            let keys = Panels::from_linear(&key, length, width);
            kernel.product(packed(&query, width), keys.all(), Finish::PLAIN, &mut weights, length);
            weights.chunks_exact_mut(length).for_each(|row| kernel.softmax(row, scale));
            let turned = transposed(&weights, length, length);
            let grads = by_rows(&grad);
            kernel.product(
                packed(&turned, length),
                grads.all(),
                Finish::PLAIN,
                &mut out[2 * hidden + at..],
                stride,
            );
            let values = Panels::from_linear(&value, length, width);
            kernel.product(packed(&grad, width), values.all(), Finish::PLAIN, &mut slopes, length);
            for (slopes, weights) in slopes.chunks_exact_mut(length).zip(weights.chunks_exact(length)) {
                let mean: f32 = slopes.iter().zip(weights).map(|(slope, weight)| slope * weight).sum();
                for (slope, weight) in slopes.iter_mut().zip(weights) {
                    *slope = (*slope - mean) * weight * scale;
                }
            }
            kernel.product(
                packed(&slopes, length),
                by_rows(&key).all(),
                Finish::PLAIN,
                &mut out[at..],
                stride,
            );
            let turned = transposed(&slopes, length, length);
            let queries = by_rows(&query);
            kernel.product(
                packed(&turned, length),
                queries.all(),
                Finish::PLAIN,
                &mut out[hidden + at..],
                stride,
            );
        }
    }
}

impl CustomOp1 for SelfAttention {
    fn name(&self) -> &'static str {
        "self-attention"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let projected = slice(storage, layout)?;
        let hidden = self.heads.count * self.heads.width;
        let tokens = projected.len() / (3 * hidden);
        let mut out = vec![0.0; tokens * hidden];
        let parts = sequences(&mut out, &self.lengths, hidden).into_iter().zip(starts(&self.lengths));
        parts.collect::<Vec<_>>().into_par_iter().for_each_init(Attention::default, |space, (out, start)| {
            let length = out.len() / hidden;
            let given = &projected[start * 3 * hidden..][..length * 3 * hidden];
            space.run(Kernel::detect(), self.heads, given, &[length], out);
        });
        Ok((CpuStorage::F32(out), (tokens, hidden).into()))
    }

    fn bwd(&self, projected: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let hidden = self.heads.count * self.heads.width;
        let mut out = vec![0.0; projected.elem_count()];
        read(projected, |projected| {
            read(grad, |grad| {
                let parts =
                    sequences(&mut out, &self.lengths, 3 * hidden).into_iter().zip(starts(&self.lengths));
                parts.collect::<Vec<_>>().into_par_iter().for_each(|(out, start)| {
                    let length = out.len() / (3 * hidden);
                    let given = &projected[start * 3 * hidden..][..length * 3 * hidden];
                    self.backward(given, &grad[start * hidden..][..length * hidden], out);
                });
                Ok(())
            })
        })?;
        tensor(out, projected).map(Some)
    }
}
