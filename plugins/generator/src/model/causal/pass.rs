use std::sync::Arc;

use candle_core::Result;
use postil_contract::TokenId;
use postil_kernel::Kernel;
use rayon::prelude::*;

use super::super::rotary::Rotary;
use super::super::tree::Tree;
use super::Causal;
use super::attention::{Group, Seen, attend};
use super::keys::Keys;

/// Tokens that continue what was read.
pub(super) struct Sequence<'a> {
    /// The parts before, which others share.
    pub(super) shared: &'a [Arc<Keys>],
    /// The part that the tokens are added to.
    pub(super) own: &'a mut Keys,
    pub(super) tokens: &'a [TokenId],
}

impl Sequence<'_> {
    /// Number of tokens before.
    fn before(&self) -> usize {
        self.shared.iter().map(|part| part.len()).sum::<usize>() + self.own.len()
    }
}

impl Causal {
    /// Reads the tokens of all sequences in one pass, as lines of one matrix; only attention knows
    /// their bounds. The tokens of each follow one another, or form the `tree`.
    ///
    /// Returns the states after them, `[lines, width]`, unless `wants_states` is false: then the
    /// last layer computes keys and values only. `told` receives the share of the pass that is done,
    /// and ends it by an error.
    pub(super) fn pass(
        &self,
        sequences: &mut [Sequence<'_>],
        tree: Option<&Tree>,
        wants_states: bool,
        told: &dyn Fn(f64) -> Result<()>,
    ) -> Result<Vec<f32>> {
        let kernel = Kernel::detect();
        let ids = sequences.iter().map(|sequence| sequence.tokens).collect::<Vec<_>>().concat();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let angles = self.angles(&self.rotary, sequences, tree);
        let local = self.local.as_ref().map(|local| (local, self.angles(local, sequences, tree)));
        let mask = tree.filter(|tree| !tree.is_chain()).map(mask);
        let mut states = self.embedding.rows_of(&ids)?;
        if let Some(scale) = self.embedding_scale {
            states.iter_mut().for_each(|state| *state *= scale);
        }
        for (index, layer) in self.layers.iter().enumerate() {
            let share = |part: f64| (index as f64 + part) / self.layers.len() as f64;
            told(share(0.0))?;
            let (rotary, angles) = match &local {
                Some((rotary, angles)) if layer.is_local => (*rotary, angles),
                _ => (&self.rotary, &angles),
            };
            let projected = layer.project(kernel, &states, rotary, angles)?;
            self.keep(index, sequences, &projected.keys, &projected.values);
            if index + 1 == self.layers.len() && !wants_states {
                break;
            }
            let context = self.attend(kernel, index, sequences, &projected.queries, mask.as_deref());
            told(share(0.5))?;
            layer.update(kernel, &mut states, &context)?;
        }
        sequences.iter_mut().for_each(|sequence| sequence.own.finish(sequence.tokens.len()));
        if !wants_states {
            return Ok(Vec::new());
        }
        self.norm.each(kernel, &mut states);
        Ok(states)
    }

    /// The angles of each line's position, `[lines, 2 * pairs]`.
    fn angles(&self, rotary: &Rotary, sequences: &[Sequence<'_>], tree: Option<&Tree>) -> Vec<f32> {
        let position =
            |sequence: &Sequence<'_>, i: usize| sequence.before() + tree.map_or(i, |tree| tree.depths()[i]);
        let positions =
            sequences.iter().flat_map(|sequence| (0..sequence.tokens.len()).map(|i| position(sequence, i)));
        let positions: Vec<usize> = positions.collect();
        let pairs = 2 * rotary.pairs();
        let mut angles = vec![0f32; positions.len() * pairs];
        let lines = angles.par_chunks_mut(pairs).zip(positions);
        lines.for_each(|(line, position)| rotary.at(position, line));
        angles
    }

    /// Appends the lines' keys and values, `[lines, groups * head]`, to their sequences.
    fn keep(&self, layer: usize, sequences: &mut [Sequence<'_>], keys: &[f32], values: &[f32]) {
        let (head, width) = (self.head, self.groups * self.head);
        let mut from = 0;
        for Sequence { own, tokens, .. } in sequences {
            let lines = from..from + tokens.len();
            for group in 0..self.groups {
                let line = |line: usize| {
                    let at = line * width + group * head..line * width + (group + 1) * head;
                    (&keys[at.clone()], &values[at])
                };
                own.push(layer * self.groups + group, lines.clone().map(line));
            }
            from = lines.end;
        }
    }

    /// Attention of every line, `[lines, heads * head]`.
    fn attend(
        &self,
        kernel: Kernel,
        layer: usize,
        sequences: &[Sequence<'_>],
        queries: &[f32],
        mask: Option<&[bool]>,
    ) -> Vec<f32> {
        let group = Group { count: self.heads / self.groups, width: self.head, cap: self.score_cap };
        let (width, part_width) = (self.heads * self.head, group.count * group.width);
        let starts = sequences
            .iter()
            .scan(0, |from, sequence| Some(std::mem::replace(from, *from + sequence.tokens.len())));
        let starts: Vec<usize> = starts.collect();
        let tasks: Vec<(usize, usize)> =
            (0..sequences.len()).flat_map(|s| (0..self.groups).map(move |group| (s, group))).collect();
        let found: Vec<Vec<f32>> = tasks
            .par_iter()
            .map(|&(s, index)| {
                let Sequence { shared, own, tokens } = &sequences[s];
                let lines = queries[starts[s] * width..][..tokens.len() * width].chunks_exact(width);
                let queries: Vec<f32> =
                    lines.flat_map(|line| &line[index * part_width..][..part_width]).copied().collect();
                let part = layer * self.groups + index;
                let parts = shared.iter().map(|keys| keys.part(part)).chain([own.part(part)]);
                let parts: Vec<(&[f32], &[f32])> = parts.collect();
                attend(kernel, group, &queries, &parts, mask.map_or(Seen::Chain, Seen::Mask))
            })
            .collect();
        let mut context = vec![0f32; queries.len()];
        for ((s, index), found) in tasks.into_iter().zip(found) {
            let lines = context[starts[s] * width..].chunks_exact_mut(width);
            for (line, found) in lines.zip(found.chunks_exact(part_width)) {
                line[index * part_width..][..part_width].copy_from_slice(found);
            }
        }
        context
    }
}

/// For each token of a tree, the tokens of it that it attends to, `[tokens, tokens]`.
fn mask(tree: &Tree) -> Vec<bool> {
    (0..tree.len()).flat_map(|i| (0..tree.len()).map(move |other| tree.sees(i, other))).collect()
}
