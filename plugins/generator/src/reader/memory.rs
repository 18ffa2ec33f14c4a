use std::sync::{Mutex, MutexGuard, PoisonError};

use postil_contract::TokenId;

use super::input::Input;

/// The encoder's states of a passage read with the question, and the prefixes of answers read under
/// it so far.
///
/// A prefix's values depend on nothing else, so every decoding of this passage shares them: the
/// joint search, the search under the passage alone, and the scoring of the answers of both.
pub(super) struct Memory {
    pub(super) ids: Vec<TokenId>,
    /// Index of the first piece that can be copied; the last piece, `[SEP]`, cannot.
    pub(super) body: usize,
    /// The encoder's states, `[pieces, width]`.
    pub(super) states: Vec<f32>,
    /// The decoder's state before the first piece, `[width]`.
    pub(super) initial: Vec<f32>,
    prefixes: Mutex<Prefixes>,
}

/// Positions of pieces, ascending, each with its share of the probability.
pub(super) type Origin = Vec<(usize, f32)>;

/// The prefixes read, as a trie. Nodes are never removed.
pub(super) struct Prefixes {
    nodes: Vec<Prefix>,
}

/// The empty prefix.
pub(super) const ROOT: usize = 0;

/// A prefix of an answer under one passage.
pub(super) struct Prefix {
    /// Last piece of the prefix; the start token for the empty prefix.
    pub(super) token: TokenId,
    pub(super) parent: Option<usize>,
    children: Vec<(TokenId, usize)>,
    /// log p of the last piece given those before it.
    pub(super) log_prob: f32,
    /// log p of the whole prefix.
    pub(super) total: f64,
    /// Posterior over the positions that the last piece was copied from; sums to less than 1 if it
    /// may have been generated.
    pub(super) origin: Origin,
    /// Distribution of the next piece; `None` until it is computed.
    pub(super) step: Option<Step>,
}

/// The distribution of the piece after a prefix, in factors; the same as in `model.py`.
#[derive(Clone)]
pub(super) struct Step {
    /// The cell's state, `[width]`.
    pub(super) hidden: Vec<f32>,
    /// log p of each action, `[5]`. *continue* has only the share that can move; the rest is added
    /// to *generate*.
    pub(super) gates: [f32; 5],
    /// Probabilities of *point*, *continue* and *generate* before that correction.
    pub(super) point: f32,
    pub(super) go_on: f32,
    pub(super) generate: f32,
    /// Attention over the pieces when pointing, `[pieces]`.
    pub(super) attention: Vec<f32>,
    /// The generator's query, `[width]`.
    pub(super) query: Vec<f32>,
    /// Log of the sum of exponentials of the generator's logits; `None` until it is computed.
    pub(super) log_total: Option<f32>,
}

impl Memory {
    pub(super) fn new(input: &Input, states: Vec<f32>, initial: Vec<f32>, start: TokenId) -> Self {
        let root = Prefix {
            token: start,
            parent: None,
            children: Vec::new(),
            log_prob: 0.0,
            total: 0.0,
            origin: Vec::new(),
            step: None,
        };
        let prefixes = Mutex::new(Prefixes { nodes: vec![root] });
        Self { ids: input.ids.clone(), body: input.body, states, initial, prefixes }
    }

    pub(super) fn is_of(&self, input: &Input) -> bool {
        self.body == input.body && self.ids == input.ids
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.body == other.body && self.ids == other.ids
    }

    pub(super) fn pieces(&self) -> usize {
        self.ids.len()
    }

    /// Size of the memory: its pieces and prefixes, which take about the same space each.
    pub(super) fn size(&self) -> usize {
        self.pieces() + self.prefixes().nodes.len()
    }

    /// True when the piece at `position` can be copied.
    pub(super) fn is_copyable(&self, position: usize) -> bool {
        (self.body..self.ids.len() - 1).contains(&position)
    }

    /// True when there is nothing to copy: the passage has neither title nor text.
    pub(super) fn is_empty(&self) -> bool {
        self.body == self.ids.len() - 1
    }

    /// Positions of `token` that can be copied.
    pub(super) fn positions(&self, token: TokenId) -> impl Iterator<Item = usize> {
        (self.body..self.ids.len() - 1).filter(move |position| self.ids[*position] == token)
    }

    pub(super) fn state(&self, position: usize) -> &[f32] {
        let width = self.initial.len();
        &self.states[position * width..][..width]
    }

    pub(super) fn prefixes(&self) -> MutexGuard<'_, Prefixes> {
        // A poisoned lock is safe to use: nodes are pushed complete.
        self.prefixes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Prefixes {
    pub(super) fn at(&self, node: usize) -> &Prefix {
        &self.nodes[node]
    }

    pub(super) fn at_mut(&mut self, node: usize) -> &mut Prefix {
        &mut self.nodes[node]
    }

    /// The cell's state before the step of `node`; `None` for the empty prefix.
    pub(super) fn hidden_before(&self, node: usize) -> Option<&[f32]> {
        let step = self.nodes[self.nodes[node].parent?].step.as_ref()?;
        Some(&step.hidden)
    }

    pub(super) fn child(&self, node: usize, token: TokenId) -> Option<usize> {
        self.nodes[node].children.iter().find(|(known, _)| *known == token).map(|(_, child)| *child)
    }

    /// Adds the prefix that continues `node` with `token`; returns its node.
    pub(super) fn grow(&mut self, node: usize, token: TokenId, log_prob: f32, origin: Origin) -> usize {
        let child = self.nodes.len();
        let total = self.nodes[node].total + f64::from(log_prob);
        self.nodes.push(Prefix {
            token,
            parent: Some(node),
            children: Vec::new(),
            log_prob,
            total,
            origin,
            step: None,
        });
        self.nodes[node].children.push((token, child));
        child
    }
}

impl Prefix {
    /// The mass that *continue* would move to each position: `(position, mass)`.
    pub(super) fn moved<'a>(&'a self, memory: &'a Memory) -> impl Iterator<Item = (usize, f32)> + 'a {
        let next = self.origin.iter().map(|(position, mass)| (position + 1, *mass));
        next.filter(|(position, _)| memory.is_copyable(*position))
    }
}
