use postil_checkpoint::{CheckpointError, Weights};
use postil_contract::TokenId;
use postil_encoder::{BertModel, Linear};
use postil_kernel::Kernel;

use super::config::ReaderConfig;
use super::input::Input;
use super::memory::{Memory, Prefix, Step};
use super::vocabulary::Vocabulary;

/// Indices of the gate's outputs.
pub(super) const END: usize = 0;
pub(super) const NO_ANSWER: usize = 1;
pub(super) const GENERATE: usize = 2;
pub(super) const POINT: usize = 3;
pub(super) const CONTINUE: usize = 4;

/// Stand-in for minus infinity; added in f32, as in `model.py`.
const MASKED: f32 = -1e4;
/// The smallest probability.
const SMALLEST: f32 = 1e-30;

/// The weights of encoder and decoder.
pub(super) struct Network {
    pub(super) config: ReaderConfig,
    pub(super) threads: usize,
    pub(super) encoder: BertModel,
    pub(super) vocabulary: Vocabulary,
    initial: Linear,
    /// The cell's gates reset, update and new, side by side, as maps of its input `[2 * width]` and
    /// of its state `[width]`.
    cell_input: Linear,
    cell_hidden: Linear,
    point: Linear,
    /// The part of the pointing key that does not depend on the cell's state: `[width]`.
    start: Vec<f32>,
    gate_hidden: Linear,
    gate: Linear,
    generate: Linear,
}

/// The cell's input for the step after a prefix.
pub(super) struct Before {
    /// True for the empty prefix.
    first: bool,
    token: TokenId,
    hidden: Vec<f32>,
    /// The encoder's states, averaged over the origin of the last piece and over the positions
    /// after it.
    at_origin: Vec<f32>,
    after_origin: Vec<f32>,
    /// Mass of the origin that can continue.
    movable: f32,
}

impl Network {
    pub(super) fn load(
        config: ReaderConfig,
        weights: &Weights,
        threads: usize,
    ) -> Result<Self, CheckpointError> {
        let encoder = BertModel::load(config.bert.clone(), weights)?;
        let (width, words) = (config.bert.hidden_size, config.bert.vocab_size);
        let linear =
            |name: &str, outputs, inputs| Linear::load(weights, &format!("decoder.{name}"), outputs, inputs);
        let cell = |kind: &str, inputs| -> Result<Linear, CheckpointError> {
            let weight = weights.values(&format!("decoder.cell.weight_{kind}"), &[3 * width, inputs])?;
            let bias = weights.values(&format!("decoder.cell.bias_{kind}"), &[3 * width])?;
            Ok(Linear::new(&weight, bias, inputs))
        };
        let bias = weights.values("decoder.generate_bias", &[words])?;
        Ok(Self {
            threads,
            initial: linear("initial", width, width)?,
            cell_input: cell("ih", 2 * width)?,
            cell_hidden: cell("hh", width)?,
            point: linear("point", width, width)?,
            start: weights.values("decoder.start", &[width])?,
            gate_hidden: linear("gate_hidden", config.gate_size, 5 * width)?,
            gate: linear("gate", 5, config.gate_size)?,
            generate: linear("generate", width, 2 * width)?,
            vocabulary: Vocabulary::new(encoder.words(), width, &bias),
            encoder,
            config,
        })
    }

    fn width(&self) -> usize {
        self.config.bert.hidden_size
    }

    /// The memory of a passage before the first piece. `states`: the encoder's states,
    /// `[pieces, width]`.
    pub(super) fn begin(&self, input: &Input, states: Vec<f32>) -> Memory {
        let initial = self.initial.apply(&states[..self.width()]).into_iter().map(f32::tanh).collect();
        Memory::new(input, states, initial, self.config.start)
    }

    /// The input of the step after `prefix`; `hidden` is the cell's state so far, `None` at the
    /// start.
    pub(super) fn before(&self, memory: &Memory, prefix: &Prefix, hidden: Option<&[f32]>) -> Before {
        let average = |mass: &mut dyn Iterator<Item = (usize, f32)>| {
            let mut sum = vec![0.0; self.width()];
            mass.for_each(|(position, share)| add(&mut sum, share, memory.state(position)));
            sum
        };
        let last = memory.pieces() - 1;
        let next = prefix.origin.iter().map(|(position, mass)| (position + 1, *mass));
        Before {
            first: prefix.parent.is_none(),
            token: prefix.token,
            hidden: hidden.unwrap_or(&memory.initial).to_vec(),
            at_origin: average(&mut prefix.origin.iter().copied()),
            after_origin: average(&mut next.filter(|(position, _)| *position <= last)),
            movable: prefix.moved(memory).map(|(_, mass)| mass).sum(),
        }
    }

    /// The steps of several prefixes, each with its passage's memory.
    pub(super) fn steps(&self, rows: &[(&Memory, Before)]) -> Vec<Step> {
        let width = self.width();
        let words = self.encoder.words();
        let (mut read, mut hidden) = (Vec::new(), Vec::new());
        for (_, before) in rows {
            read.extend(words.row(before.token as usize));
            read.extend_from_slice(&before.at_origin);
            hidden.extend_from_slice(&before.hidden);
        }
        let hidden = self.cell(&read, &hidden);

        let mut keys = self.point.apply(&hidden);
        let scale = 1.0 / (width as f32).sqrt();
        for key in keys.chunks_exact_mut(width) {
            key.iter_mut().zip(&self.start).for_each(|(key, start)| *key = *key * scale + start);
        }
        let attend = |((memory, _), key): (&(&Memory, Before), &[f32])| attention(memory, key);
        let attended: Vec<(Vec<f32>, Vec<f32>)> =
            rows.iter().zip(keys.chunks_exact(width)).map(attend).collect();

        let (mut features, mut queries) = (Vec::new(), Vec::new());
        for (((memory, before), hidden), (_, seen)) in
            rows.iter().zip(hidden.chunks_exact(width)).zip(&attended)
        {
            for part in [hidden, &before.at_origin, &before.after_origin, seen, memory.state(0)] {
                features.extend_from_slice(part);
            }
            queries.extend_from_slice(hidden);
            queries.extend_from_slice(seen);
        }
        let logits = self.gate.apply(&self.gate_hidden.apply_gelu(&features));
        let queries = self.generate.apply(&queries);

        let step = |(index, ((memory, before), (attention, _))): (usize, (&(&Memory, Before), _))| {
            let row = |values: &[f32]| values[index * width..][..width].to_vec();
            let actions = gates(&logits[index * 5..][..5], before.first, memory.is_empty());
            gated(actions, before.movable, attention, row(&hidden), row(&queries))
        };
        rows.iter().zip(attended).enumerate().map(step).collect()
    }

    /// A gated recurrent unit (Cho et al. 2014, as PyTorch computes it): `read` is
    /// `[rows, 2 * width]`, `hidden` is `[rows, width]`.
    fn cell(&self, read: &[f32], hidden: &[f32]) -> Vec<f32> {
        let width = self.width();
        let (input, state) = (self.cell_input.apply(read), self.cell_hidden.apply(hidden));
        let mut next = Vec::with_capacity(hidden.len());
        let rows = input.chunks_exact(3 * width).zip(state.chunks_exact(3 * width));
        for ((input, state), hidden) in rows.zip(hidden.chunks_exact(width)) {
            next.extend((0..width).map(|i| {
                let reset = sigmoid(input[i] + state[i]);
                let update = sigmoid(input[width + i] + state[width + i]);
                let new = (input[2 * width + i] + reset * state[2 * width + i]).tanh();
                (1.0 - update) * new + update * hidden[i]
            }));
        }
        next
    }

    /// log p of `token` when the step generates; the step's `log_total` must be known.
    pub(super) fn generated(&self, step: &Step, token: TokenId) -> f32 {
        let total = step.log_total.expect("computed before words are scored");
        self.vocabulary.logit(&step.query, token) - total
    }
}

/// Attention of `key` over a passage's pieces, `[pieces]`, and the states averaged by it,
/// `[width]`.
fn attention(memory: &Memory, key: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let kernel = Kernel::detect();
    let mut weights = vec![0.0; memory.pieces()];
    kernel.dots(key, &memory.states, &mut weights);
    for (position, weight) in weights.iter_mut().enumerate() {
        if !memory.is_copyable(position) {
            *weight += MASKED;
        }
    }
    softmax(&mut weights);
    let mut seen = vec![0.0; key.len()];
    kernel.add_weighted(&weights, &memory.states, &mut seen);
    (weights, seen)
}

/// Probability of each action, before the part of *continue* that cannot move is given to
/// *generate*.
fn gates(logits: &[f32], first: bool, empty: bool) -> [f32; 5] {
    let mut gates = [0.0; 5];
    gates.copy_from_slice(logits);
    for closed in if first { &[CONTINUE, END][..] } else { &[NO_ANSWER] } {
        gates[*closed] += MASKED;
    }
    if empty {
        gates[POINT] += MASKED;
    }
    softmax(&mut gates);
    gates
}

/// The step with these action probabilities: mass of *continue* that cannot move is given to
/// *generate*.
fn gated(p: [f32; 5], movable: f32, attention: Vec<f32>, hidden: Vec<f32>, query: Vec<f32>) -> Step {
    let mut taken = p;
    taken[GENERATE] += p[CONTINUE] * (1.0 - movable).max(0.0);
    taken[CONTINUE] *= movable;
    Step {
        hidden,
        gates: taken.map(log),
        point: p[POINT],
        go_on: p[CONTINUE],
        generate: p[GENERATE],
        attention,
        query,
        log_total: None,
    }
}

/// The logarithm of a probability, not below that of [`SMALLEST`]; NaN stays NaN.
pub(super) fn log(p: f32) -> f32 {
    if p < SMALLEST { SMALLEST.ln() } else { p.ln() }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn softmax(row: &mut [f32]) {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = (*value - top).exp();
        sum += *value;
    }
    row.iter_mut().for_each(|value| *value /= sum);
}

fn add(sum: &mut [f32], share: f32, state: &[f32]) {
    sum.iter_mut().zip(state).for_each(|(sum, value)| *sum += share * value);
}
