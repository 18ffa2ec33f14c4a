use postil_contract::TokenId;
use rayon::prelude::*;

use super::memory::{Memory, Origin, Prefix, ROOT, Step};
use super::network::{Before, END, GENERATE, NO_ANSWER, Network, log};

/// A prefix under a passage: the passage's position, and the node in its trie.
pub(super) type At = (usize, usize);

/// Computes many prefixes under several passages at once, so that the weights are read once for all
/// of them.
pub(super) struct Walk<'a> {
    pub(super) network: &'a Network,
    pub(super) memories: Vec<&'a Memory>,
}

impl Walk<'_> {
    /// Computes the steps of those prefixes that have none.
    pub(super) fn expand(&self, at: &[At]) {
        let missing = self.lacking(at, |prefix| prefix.step.is_none());
        let before = |&(z, node): &At| -> (&Memory, Before) {
            let memory = self.memories[z];
            let prefixes = memory.prefixes();
            let hidden = prefixes.hidden_before(node);
            (memory, self.network.before(memory, prefixes.at(node), hidden))
        };
        let rows: Vec<(&Memory, Before)> = missing.iter().map(before).collect();
        let share = rows.len().div_ceil(self.network.threads).max(1);
        let steps: Vec<Step> =
            rows.par_chunks(share).flat_map_iter(|rows| self.network.steps(rows)).collect();
        for ((z, node), step) in missing.into_iter().zip(steps) {
            // Another decoding may have computed this step already and continued from it; then its
            // step stays.
            self.memories[z].prefixes().at_mut(node).step.get_or_insert(step);
        }
    }

    /// log p of every token after each prefix, `[at.len(), words]`; a repeated prefix is computed
    /// once.
    pub(super) fn log_probs(&self, at: &[At]) -> Vec<f32> {
        self.expand(at);
        let distinct = self.lacking(at, |_| true);
        let vocabulary = &self.network.vocabulary;
        let logits = vocabulary.logits(&self.queries(&distinct), distinct.len(), self.network.threads);
        for (&(z, node), total) in distinct.iter().zip(&logits.totals) {
            if let Some(step) = &mut self.memories[z].prefixes().at_mut(node).step {
                step.log_total = Some(*total);
            }
        }
        let words = vocabulary.len();
        let mut values = vec![0.0; at.len() * words];
        let lines = values.par_chunks_exact_mut(words).zip(at);
        lines.for_each_init(
            || vec![0.0; words],
            |copied, (line, at)| {
                let row = distinct.binary_search(at).expect("these are all there are");
                self.fill(line, *at, (logits.row(row), logits.totals[row]), copied);
            },
        );
        values
    }

    /// Fills in the `line` of a prefix, from the generator's logits and their total. `copied` is
    /// all zeros, `[words]`, before and after.
    fn fill<'l>(
        &self,
        line: &mut [f32],
        (z, node): At,
        (logits, total): (impl Iterator<Item = &'l [f32]>, f32),
        copied: &mut [f32],
    ) {
        let memory = self.memories[z];
        let (gates, copies) = {
            let prefixes = memory.prefixes();
            let prefix = prefixes.at(node);
            (gates(prefix), copies(memory, prefix))
        };
        let (base, least) = (gates[GENERATE] - total, log(0.0));
        let mut rest = &mut *line;
        for logits in logits {
            let (filled, after) = rest.split_at_mut(logits.len());
            filled.iter_mut().zip(logits).for_each(|(value, logit)| *value = floor(logit + base, least));
            rest = after;
        }
        for (position, mass) in copies {
            copied[memory.ids[position] as usize] += mass;
        }
        for position in memory.body..memory.pieces() - 1 {
            let token = memory.ids[position] as usize;
            let mass = std::mem::take(&mut copied[token]);
            if mass != 0.0 {
                line[token] = log(line[token].exp() + mass);
            }
        }
        line[self.network.config.end as usize] = gates[END];
        line[self.network.config.no_answer as usize] = gates[NO_ANSWER];
    }

    /// The prefixes that extend the given ones, each by its token.
    pub(super) fn advance(&self, steps: &[(At, TokenId)]) -> Vec<At> {
        let at: Vec<At> = steps.iter().map(|(at, _)| *at).collect();
        self.expand(&at);
        let is_new = |&&((z, node), token): &&(At, TokenId)| {
            self.is_word(token) && self.memories[z].prefixes().child(node, token).is_none()
        };
        self.total(&steps.iter().filter(is_new).map(|(at, _)| *at).collect::<Vec<_>>());
        steps.iter().map(|&((z, node), token)| (z, self.child(z, node, token))).collect()
    }

    /// The nodes of each answer under each passage, `[answers][passages][tokens + 1]`, from the
    /// empty prefix. Prefixes that answers share are computed once.
    pub(super) fn follow(&self, answers: &[Vec<TokenId>]) -> Vec<Vec<Vec<usize>>> {
        let mut paths = vec![vec![vec![ROOT]; self.memories.len()]; answers.len()];
        for depth in 0..answers.iter().map(Vec::len).max().unwrap_or(0) {
            let mut steps = Vec::new();
            for (answer, paths) in answers.iter().zip(&paths) {
                let Some(token) = answer.get(depth) else { continue };
                steps.extend(paths.iter().enumerate().map(|(z, path)| ((z, path[depth]), *token)));
            }
            let mut next = self.advance(&steps).into_iter();
            for (_, paths) in answers.iter().zip(&mut paths).filter(|(answer, _)| depth < answer.len()) {
                paths.iter_mut().zip(&mut next).for_each(|(path, (_, node))| path.push(node));
            }
        }
        paths
    }

    /// True when `token` stands for a word piece and nothing else.
    fn is_word(&self, token: TokenId) -> bool {
        ![self.network.config.end, self.network.config.no_answer].contains(&token)
    }

    /// Computes the generator's totals for the prefixes that have none; their steps must have been
    /// computed.
    fn total(&self, at: &[At]) {
        let missing = self.lacking(at, |prefix| prefix.step.as_ref().is_some_and(|s| s.log_total.is_none()));
        if missing.is_empty() {
            return;
        }
        let network = self.network;
        let logits = network.vocabulary.logits(&self.queries(&missing), missing.len(), network.threads);
        for ((z, node), total) in missing.into_iter().zip(logits.totals) {
            if let Some(step) = &mut self.memories[z].prefixes().at_mut(node).step {
                step.log_total = Some(total);
            }
        }
    }

    fn lacking(&self, at: &[At], lacks: impl Fn(&Prefix) -> bool) -> Vec<At> {
        let is_lacking = |&&(z, node): &&At| lacks(self.memories[z].prefixes().at(node));
        let mut found: Vec<At> = at.iter().filter(is_lacking).copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn queries(&self, at: &[At]) -> Vec<f32> {
        let mut queries = Vec::new();
        for &(z, node) in at {
            queries.extend_from_slice(&step(self.memories[z].prefixes().at(node)).query);
        }
        queries
    }

    fn child(&self, z: usize, node: usize, token: TokenId) -> usize {
        let memory = self.memories[z];
        let mut prefixes = memory.prefixes();
        if let Some(child) = prefixes.child(node, token) {
            return child;
        }
        let prefix = prefixes.at(node);
        let mut origin: Origin = copies(memory, prefix)
            .into_iter()
            .filter(|(position, mass)| memory.ids[*position] == token && *mass != 0.0)
            .collect();
        let log_prob = if token == self.network.config.end {
            gates(prefix)[END]
        } else if token == self.network.config.no_answer {
            gates(prefix)[NO_ANSWER]
        } else {
            let generated = gates(prefix)[GENERATE] + self.network.generated(step(prefix), token);
            log(generated.exp() + origin.iter().map(|(_, mass)| mass).sum::<f32>())
        };
        let p = log_prob.exp();
        origin.iter_mut().for_each(|(_, mass)| *mass /= p);
        prefixes.grow(node, token, log_prob, origin)
    }
}

/// Probability that the piece after `prefix` is the one at each position that can be copied.
pub(super) fn copies(memory: &Memory, prefix: &Prefix) -> Vec<(usize, f32)> {
    let step = step(prefix);
    let pointed = memory.body..memory.pieces() - 1;
    let mut mass: Vec<(usize, f32)> = pointed.map(|p| (p, step.point * step.attention[p])).collect();
    for (position, moved) in prefix.moved(memory) {
        mass[position - memory.body].1 += step.go_on * moved;
    }
    mass
}

pub(super) fn step(prefix: &Prefix) -> &Step {
    prefix.step.as_ref().expect("prefixes are expanded before they are read")
}

fn gates(prefix: &Prefix) -> [f32; 5] {
    step(prefix).gates
}

/// The value, but at least `least`; NaN stays NaN, so that it is detected.
fn floor(value: f32, least: f32) -> f32 {
    if value < least { least } else { value }
}
