//! Encodes many sequences on several threads: sorts them by length, divides them into packed
//! batches, and restores their order.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use postil_kernel::threads;

use crate::EncoderError;
use crate::bert::{BertModel, HeadsSpace, Packed, Sequence, Workspace};
use crate::pooling::{Pooling, normalize};
use crate::team::Team;

/// Number of tokens in a packed batch. Fewer would read the weights more often than the products
/// need; more would not fit the cache, and leave threads idle at the end.
const BATCH_TOKENS: usize = 384;
/// Maximum number of threads that share a batch: with more, the synchronization at the end of a
/// step would cost more than the smaller shares save.
const MOST_MEMBERS: usize = 4;

impl BertModel {
    /// The states of several sequences, each `[tokens, hidden_size]`, in the order given, computed
    /// on `threads` threads.
    ///
    /// # Errors
    /// As [`BertModel::forward`].
    pub fn forward_many(
        &self,
        sequences: &[Sequence<'_>],
        threads: usize,
    ) -> Result<Vec<Vec<f32>>, EncoderError> {
        let states = Mutex::new(vec![Vec::new(); sequences.len()]);
        run(self, sequences, threads, |index, own| {
            states.lock().expect("no thread panics holding the lock")[index] = own.to_vec();
        })?;
        Ok(states.into_inner().expect("no thread panics holding the lock"))
    }
}

/// Encodes sequences of token ids in parallel; returns `[sequences, dimension]` in the order given.
pub(crate) fn encode(
    model: &BertModel,
    pooling: Pooling,
    unit: bool,
    sequences: &[Vec<u32>],
    threads: usize,
) -> Result<Vec<f32>, EncoderError> {
    let (dimension, width) = (model.dimension(), model.config().hidden_size);
    let vectors = Mutex::new(vec![0.0; sequences.len() * dimension]);
    let sequences: Vec<Sequence<'_>> = sequences.iter().map(|ids| Sequence { ids, type_ids: &[] }).collect();
    run(model, &sequences, threads, |sequence, states| {
        let mut pooled = Vec::new();
        pooling.pool(states, width, &mut pooled);
        let mut vector = model.project(&pooled);
        if unit {
            normalize(&mut vector);
        }
        let mut vectors = vectors.lock().expect("no thread panics holding the lock");
        vectors[sequence * dimension..][..dimension].copy_from_slice(&vector);
    })?;
    Ok(vectors.into_inner().expect("no thread panics holding the lock"))
}

/// Runs the model over all sequences in parallel. `each` is called with a sequence's position and
/// its states, `[tokens, hidden_size]`, on the thread that computed them. The result does not
/// depend on the number of threads.
pub(crate) fn run(
    model: &BertModel,
    sequences: &[Sequence<'_>],
    threads: usize,
    each: impl Fn(usize, &[f32]) + Sync,
) -> Result<(), EncoderError> {
    let batches = batches(&sequences.iter().map(|sequence| sequence.ids.len()).collect::<Vec<_>>());
    let teams: Vec<Team<'_, HeadsSpace>> = batches.iter().map(|_| Team::new()).collect();
    let most = if model.divides() { MOST_MEMBERS } else { 1 };
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), EncoderError> {
        let (mut space, mut ids, mut kinds) = (Workspace::default(), Vec::new(), Vec::new());
        let mut lengths = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (Some(batch), Some(team)) = (batches.get(index), teams.get(index)) else {
                // All batches are taken: a thread without one helps with the others' batches.
                help(&teams, most);
                return Ok(());
            };
            ids.clear();
            kinds.clear();
            lengths.clear();
            for &sequence in batch {
                let Sequence { ids: own, type_ids } = sequences[sequence];
                ids.extend_from_slice(own);
                kinds.extend_from_slice(type_ids);
                // Missing kinds are 0, also next to a sequence that has them.
                kinds.resize(kinds.len().max(ids.len()), 0);
                lengths.push(own.len());
            }
            let given = Packed { ids: &ids, type_ids: &kinds, lengths: &lengths };
            model.run(given, &mut team.lead(), &mut space)?;
            let width = model.config().hidden_size;
            let mut states = space.states();
            for (&sequence, length) in batch.iter().zip(&lengths) {
                let (own, rest) = states.split_at(length * width);
                states = rest;
                each(sequence, own);
            }
        }
    };
    threads::on_each(threads.min(batches.len() * most), |_| work()).into_iter().collect()
}

/// Helps the unfinished teams, always the smallest, while one has fewer than `most` members.
fn help(teams: &[Team<'_, HeadsSpace>], most: usize) {
    let smallest =
        || teams.iter().filter_map(|team| Some((team.helpers()?, team))).min_by_key(|(helpers, _)| *helpers);
    while let Some((_, team)) = smallest().filter(|(helpers, _)| helpers + 1 < most) {
        team.help(&mut HeadsSpace::default());
    }
}

/// Positions of sequences in batches of similar length, longest first, so that no thread is left
/// with a long one at the end.
fn batches(lengths: &[usize]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(lengths[index]));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut tokens = 0;
    for index in order {
        let length = lengths[index];
        match batches.last_mut() {
            Some(batch) if tokens + length <= BATCH_TOKENS => {
                batch.push(index);
                tokens += length;
            }
            _ => {
                batches.push(vec![index]);
                tokens = length;
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_sequence_is_in_one_batch_and_only_a_lone_one_exceeds_the_limit(
            lengths in prop::collection::vec(1usize..600, 0..200),
        ) {
            let batches = batches(&lengths);
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for batch in batches {
                let tokens: usize = batch.iter().map(|index| lengths[*index]).sum();
                prop_assert!(tokens <= BATCH_TOKENS || batch.len() == 1);
            }
        }
    }
}
