//! Attention of one query per row and head, as in every decoding step: its products are too small
//! for a general product to pay off.

use std::ops::Deref;

use candle_core::{CpuStorage, Device, Layout, Result, Storage, Tensor};
use postil_kernel::Kernel;
use rayon::prelude::*;

use super::keys::{KeyValues, Shared};

/// Number of rows and heads in one task.
const TASK_HEADS: usize = 4;

/// A tensor's storage, locked for reading, and its layout.
struct Values<'a, S>(S, &'a Layout);

/// Locks a tensor's storage for reading.
fn values(tensor: &Tensor) -> Values<'_, impl Deref<Target = Storage>> {
    let (storage, layout) = tensor.storage_and_layout();
    Values(storage, layout)
}

impl<S: Deref<Target = Storage>> Values<'_, S> {
    fn get(&self) -> Result<&[f32]> {
        match (&*self.0, self.1.contiguous_offsets()) {
            (Storage::Cpu(CpuStorage::F32(all)), Some((from, to))) => Ok(&all[from..to]),
            _ => candle_core::bail!("attention to scattered values"),
        }
    }
}

/// Keys and values, `[rows, groups, length, head]` each, and the number of groups.
struct Keys<'a> {
    keys: &'a [f32],
    values: &'a [f32],
    groups: usize,
    length: usize,
}

impl Keys<'_> {
    /// The first `count` keys and values of a row, for one of the groups.
    fn part(&self, row: usize, group: usize, head: usize, count: usize) -> (&[f32], &[f32]) {
        let from = (row * self.groups + group) * self.length * head;
        (&self.keys[from..from + count * head], &self.values[from..from + count * head])
    }
}

/// Computes the attention of [`super::attend`] for one query: `queries` is `[n, heads, 1, head]`,
/// the result `[n, 1, heads * head]`.
pub(super) fn attend(
    queries: &Tensor,
    own: Option<(&KeyValues, Option<&Tensor>)>,
    shared: Option<&Shared>,
) -> Result<Tensor> {
    let (n, heads, _, head) = queries.dims4()?;
    let queries = queries.contiguous()?;
    let held = [own.map(|(own, _)| own), shared.map(|shared| &shared.held)];
    let read = held.map(|held| held.map(|held| (values(&held.keys), values(&held.values))));
    let mut parts: [Option<Keys<'_>>; 2] = [None, None];
    for ((part, held), read) in parts.iter_mut().zip(held).zip(&read) {
        if let (Some(held), Some((keys, values))) = (held, read) {
            let (_, groups, length, _) = held.keys.dims4()?;
            *part = Some(Keys { keys: keys.get()?, values: values.get()?, groups, length });
        }
    }
    let [own_keys, shared_keys] = parts;
    // Bias of the row's own scores, `[heads or 1, length]`.
    let bias = match own.and_then(|(_, bias)| bias) {
        None => Vec::new(),
        Some(bias) => bias.flatten_all()?.to_vec1::<f32>()?,
    };
    let queries = values(&queries);
    let (queries, kernel) = (queries.get()?, Kernel::detect());
    let mut out = vec![0f32; n * heads * head];
    let one = |scores: &mut Vec<f32>, i: usize, out: &mut [f32]| {
        let (row, at, query) = (i / heads, i % heads, &queries[i * head..][..head]);
        let group = |keys: &Keys<'_>| at / (heads / keys.groups);
        let there = shared_keys.as_ref().zip(shared).map(|(keys, shared)| {
            let z = row % shared.lengths.len();
            keys.part(z, group(keys), head, shared.lengths[z])
        });
        let here = own_keys.as_ref().map(|keys| keys.part(row, group(keys), head, keys.length));
        scores.clear();
        for (keys, _) in [there, here].into_iter().flatten() {
            let from = scores.len();
            scores.resize(from + keys.len() / head, 0.0);
            kernel.dots(query, keys, &mut scores[from..]);
        }
        if let (Some((keys, _)), false) = (here, bias.is_empty()) {
            let own = keys.len() / head;
            let from = scores.len() - own;
            let bias = &bias[if bias.len() > own { at * own } else { 0 }..][..own];
            scores[from..].iter_mut().zip(bias).for_each(|(score, bias)| *score += bias);
        }
        // Checked before the softmax, which could hide values that are not finite.
        if !scores.iter().fold(true, |all, score| all & score.is_finite()) {
            return out.fill(f32::NAN);
        }
        kernel.softmax(scores, 1.0);
        let mut weights = scores.as_slice();
        for (_, values) in [there, here].into_iter().flatten() {
            let (now, later) = weights.split_at(values.len() / head);
            kernel.add_weighted(now, values, out);
            weights = later;
        }
    };
    out.par_chunks_mut(TASK_HEADS * head).enumerate().for_each_init(Vec::new, |scores, (task, out)| {
        for (i, out) in out.chunks_exact_mut(head).enumerate() {
            one(scores, task * TASK_HEADS + i, out);
        }
    });
    Tensor::from_vec(out, (n, 1, heads * head), &Device::Cpu)
}
