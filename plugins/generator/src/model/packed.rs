//! Prompts packed end to end, without padding: a linear map handles the tokens of all prompts as
//! lines of one matrix, and only attention uses the bounds of prompts. Threads divide the lines;
//! each takes its own through several maps, so that the wide values between them stay in its cache.

use candle_core::{Device, Result, Tensor};
use postil_kernel::{Attention, Heads, Kernel, QUERY_ROWS};
use rayon::prelude::*;

use super::attention::Shared;
use super::layers::{Activation, Linear};
use super::norm::Norm;
use super::product::{Product, TASK_LINES};

/// The states of all tokens, `[tokens, width]`.
pub(super) struct Packed {
    kernel: Kernel,
    lengths: Vec<usize>,
    width: usize,
    states: Vec<f32>,
}

impl Packed {
    /// Computes the states of all tokens; `state` writes the state of one, given its position in
    /// its prompt.
    pub(super) fn new<T: Sync>(
        prompts: &[Vec<T>],
        width: usize,
        state: impl Fn(usize, &T, &mut [f32]) + Sync,
    ) -> Self {
        let tokens: Vec<(usize, &T)> = prompts.iter().flat_map(|prompt| prompt.iter().enumerate()).collect();
        let mut states = vec![0f32; tokens.len() * width];
        states.par_chunks_mut(width).zip(&tokens).for_each(|(line, (at, token))| state(*at, token, line));
        let lengths = prompts.iter().map(Vec::len).collect();
        Self { kernel: Kernel::detect(), lengths, width, states }
    }

    /// Every token's state, mapped by `linear`.
    fn map(&self, linear: &Linear) -> Result<Vec<f32>> {
        let product = packed(linear, false)?;
        let output = product.weight.columns();
        let mut out = vec![0f32; self.states.len() / self.width * output];
        out.par_chunks_mut(TASK_LINES * output)
            .zip(self.states.par_chunks(TASK_LINES * self.width))
            .for_each(|(out, lines)| product.run(self.kernel, lines, out));
        Ok(out)
    }

    /// Self-attention within each prompt: `projection` maps states to query, key and value side by
    /// side, each as wide as a state. NaN throughout when a projected value is not finite, which a
    /// softmax could hide.
    pub(super) fn attend(&self, projection: &Linear, heads: usize) -> Result<Vec<f32>> {
        let projected = self.map(projection)?;
        let heads = Heads { count: heads, width: self.width / heads };
        let mut context = vec![0f32; self.states.len()];
        let is_number = |line: &[f32]| line.iter().fold(true, |all, v| all & v.is_finite());
        if !projected.par_chunks(3 * self.width).all(is_number) {
            context.fill(f32::NAN);
            return Ok(context);
        }
        let (mut tasks, mut from, mut rest) = (Vec::new(), 0, context.as_mut_slice());
        for length in &self.lengths {
            let prompt = &projected[from * 3 * self.width..][..length * 3 * self.width];
            for first in (0..*length).step_by(QUERY_ROWS) {
                let queries = first..(first + QUERY_ROWS).min(*length);
                let (part, after) = rest.split_at_mut(queries.len() * self.width);
                tasks.push((prompt, queries, part));
                rest = after;
            }
            from += length;
        }
        tasks.into_par_iter().for_each_init(Attention::default, |attention, (prompt, queries, part)| {
            attention.run_part(self.kernel, heads, prompt, queries, part);
        });
        Ok(context)
    }

    /// Maps attention's result, `context`, by the output map and adds it to the states, then does
    /// the same for the feed-forward layer; each sum is normalized.
    pub(super) fn update(
        &mut self,
        context: &[f32],
        (output, output_norm): (&Linear, &Norm),
        (expand, activation, contract, norm): (&Linear, Activation, &Linear, &Norm),
    ) -> Result<()> {
        let is_gelu = activation == Activation::Gelu;
        let (output, expand, contract) =
            (packed(output, false)?, packed(expand, is_gelu)?, packed(contract, false)?);
        let (kernel, size) = (self.kernel, TASK_LINES * self.width);
        let buffers = || (vec![0f32; size], vec![0f32; TASK_LINES * expand.weight.columns()]);
        self.states.par_chunks_mut(size).zip(context.par_chunks(size)).for_each_init(
            buffers,
            |(update, inner), (states, context)| {
                let update = &mut update[..states.len()];
                let inner = &mut inner[..states.len() / self.width * expand.weight.columns()];
                output.run(kernel, context, update);
                output_norm.add(kernel, states, update);
                expand.run(kernel, states, inner);
                if !is_gelu {
                    activation.apply(inner);
                }
                contract.run(kernel, inner, update);
                norm.add(kernel, states, update);
            },
        );
        Ok(())
    }

    /// Keys and values that a decoder attends to: `projection` maps states to both, side by side.
    pub(super) fn shared(&self, projection: &Linear, heads: usize) -> Result<Shared> {
        let projected = self.map(projection)?;
        let (passages, longest) = (self.lengths.len(), self.lengths.iter().copied().max().unwrap_or(0));
        let (double, head) = (2 * self.width, self.width / heads);
        let starts: Vec<usize> = self
            .lengths
            .iter()
            .scan(0, |from, length| Some(std::mem::replace(from, *from + length)))
            .collect();
        let part = |at: usize| {
            let mut values = vec![0f32; passages * self.width * longest];
            values.par_chunks_mut(longest * head).enumerate().for_each(|(i, lines)| {
                let (z, from) = (i / heads, at + i % heads * head);
                let prompt = projected[starts[z] * double..].chunks_exact(double).take(self.lengths[z]);
                for (line, token) in lines.chunks_exact_mut(head).zip(prompt) {
                    line.copy_from_slice(&token[from..from + head]);
                }
            });
            Tensor::from_vec(values, (passages, heads, longest, head), &Device::Cpu)
        };
        Shared::new(part(0)?, part(self.width)?, &self.lengths)
    }
}

fn packed(linear: &Linear, gelu: bool) -> Result<Product<'_>> {
    linear
        .product(gelu)
        .ok_or_else(|| candle_core::Error::Msg("these weights cannot be quantized".to_owned()))
}
