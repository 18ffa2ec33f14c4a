//! The reader's network with gradients, as `plugins/generator/training/model.py` defines it: a BERT
//! over question and passage, and a pointer-generator whose copies are a hidden Markov chain.
//!
//! The embeddings are constants, as in the reader's own training.

use candle_core::{D, DType, Device, Result, Tensor};
use postil_checkpoint::Weights;
use postil_encoder::BertConfig;

use crate::loss::{log_softmax, log_sum_exp};
use crate::{Batch, Bert, Parameters, TrainError, ops};

/// Order of the gate's outputs.
const END: usize = 0;
const NO_ANSWER: usize = 1;
const GENERATE: usize = 2;
const POINT: usize = 3;
const CONTINUE: usize = 4;

/// Stand-in for minus infinity, as in `model.py`.
const MASKED: f64 = -1e4;
/// The smallest probability.
const SMALLEST: f64 = 1e-30;
const WORDS: &str = "embeddings.word_embeddings";

/// The tokens with a meaning of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderTokens {
    /// The token before the first piece of an answer.
    pub start: u32,
    /// The token that ends an answer.
    pub end: u32,
    /// The token that says that the passage does not answer.
    pub no_answer: u32,
}

/// A question with one passage, as word pieces: `[CLS] question [SEP] title: passage [SEP]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Word pieces.
    pub ids: Vec<u32>,
    /// Index of the first piece of title and passage; all from there to the last `[SEP]` can be
    /// copied.
    pub body: usize,
}

/// A reader whose tensors are among some [`Parameters`], with `prefix` before their names.
pub struct Reader {
    bert: Bert,
    tokens: ReaderTokens,
    prefix: String,
}

/// The encoder's states of several passages, padded to the longest, `[passages, pieces, width]`.
struct Memory {
    states: Tensor,
    /// Word pieces of each row, 0 after the last.
    ids: Vec<Vec<u32>>,
    /// 1 at the pieces that can be copied, `[passages, pieces]`.
    copyable: Tensor,
    /// Terms of the pointer's scores: 0 at the pieces that can be copied, less at the others of the
    /// passage's own, least at the padding.
    closed: Tensor,
    /// 1 for a passage with any such piece, `[passages]`.
    any: Tensor,
}

impl Reader {
    /// The reader of these sizes.
    pub fn new(config: BertConfig, tokens: ReaderTokens, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        Self { bert: Bert::new(config, prefix.clone()), tokens, prefix }
    }

    /// The tensors of a reader's folder: embeddings fixed, the others to train.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when one is missing.
    pub fn load(weights: &Weights, config: &BertConfig) -> std::result::Result<Parameters, TrainError> {
        let mut parameters = Parameters::load(weights, |name| !name.starts_with(WORDS))?;
        let shape = [config.vocab_size, config.hidden_size];
        let codes = weights.codes(&format!("{WORDS}.codes"), &shape)?;
        let scales = weights.values(&format!("{WORDS}.scale"), &shape[..1])?;
        let rows = codes.chunks_exact(shape[1]).zip(&scales);
        let words: Vec<f32> =
            rows.flat_map(|(row, scale)| row.iter().map(move |code| f32::from(*code) * scale)).collect();
        let words = Tensor::from_vec(words, (shape[0], shape[1]), &Device::Cpu)?;
        parameters.insert_fixed(&format!("{WORDS}.weight"), &words);
        parameters.freeze(|name| name.starts_with("embeddings."));
        Ok(parameters)
    }

    fn tensor(&self, parameters: &Parameters, name: &str) -> Result<Tensor> {
        parameters.tensor(&format!("{}decoder.{name}", self.prefix))
    }

    fn linear(&self, parameters: &Parameters, name: &str, x: &Tensor) -> Result<Tensor> {
        let of = |kind: &str| self.tensor(parameters, &format!("{name}.{kind}"));
        ops::linear(x, &of("weight")?, &of("bias")?)
    }

    /// log p(y_i | x, z, y_<i) of every token of one answer under every passage,
    /// `[passages, tokens]`. `answer` ends with the token that ends it, or is only the one that says
    /// that there is none.
    ///
    /// # Errors
    /// candle's; also without a passage or a token.
    pub fn token_log_likelihoods(
        &self,
        parameters: &Parameters,
        readings: &[Reading],
        answer: &[u32],
    ) -> Result<Tensor> {
        if readings.is_empty() || answer.is_empty() {
            candle_core::bail!("{} passages, an answer of {} tokens", readings.len(), answer.len());
        }
        let memory = self.remember(parameters, readings)?;
        let (rows, _, _) = memory.states.dims3()?;
        let mut hidden =
            self.linear(parameters, "initial", &memory.states.narrow(1, 0, 1)?.squeeze(1)?)?.tanh()?;
        let mut origin = memory.copyable.zeros_like()?;
        let mut before = self.tokens.start;
        let mut all = Vec::with_capacity(answer.len());
        for (index, token) in answer.iter().enumerate() {
            let step = Step { token: before, origin: &origin, hidden: &hidden, first: index == 0 };
            let (log_p, next_hidden, next_origin) = self.step(parameters, &memory, &step, *token, rows)?;
            all.push(log_p);
            (hidden, origin, before) = (next_hidden, next_origin, *token);
        }
        Tensor::stack(&all, 1)
    }

    fn remember(&self, parameters: &Parameters, readings: &[Reading]) -> Result<Memory> {
        let kinds: Vec<Vec<u32>> = readings
            .iter()
            .map(|reading| (0..reading.ids.len()).map(|at| u32::from(at >= reading.body)).collect())
            .collect();
        let ids: Vec<&[u32]> = readings.iter().map(|reading| &*reading.ids).collect();
        let kinds: Vec<&[u32]> = kinds.iter().map(|kinds| &**kinds).collect();
        let batch = Batch::new(&ids, Some(&kinds))?;
        let packed = self.bert.forward(parameters, &batch)?;
        let (tokens, width) = packed.dims2()?;
        let pieces = batch.lengths().iter().copied().max().unwrap_or_default();
        // Row `tokens` is zeros, for the padding.
        let packed = Tensor::cat(&[&packed, &Tensor::zeros((1, width), DType::F32, &Device::Cpu)?], 0)?;
        let (mut places, mut copyable, mut closed) = (Vec::new(), Vec::new(), Vec::new());
        let mut padded = Vec::new();
        for (reading, start) in readings.iter().zip(batch.starts()) {
            let length = reading.ids.len();
            for at in 0..pieces {
                places.push(if at < length { start + at as u32 } else { tokens as u32 });
                let (can_be_copied, is_padding) = ((reading.body..length - 1).contains(&at), at >= length);
                copyable.push(if can_be_copied { 1f32 } else { 0.0 });
                let steps = u8::from(!can_be_copied) + u8::from(is_padding);
                closed.push((f64::from(steps) * MASKED) as f32);
            }
            let mut ids = reading.ids.clone();
            ids.resize(pieces, 0);
            padded.push(ids);
        }
        let rows = readings.len();
        let any =
            readings.iter().map(|reading| if reading.body + 1 < reading.ids.len() { 1f32 } else { 0.0 });
        let places = Tensor::from_vec(places, rows * pieces, &Device::Cpu)?;
        Ok(Memory {
            states: packed.index_select(&places, 0)?.reshape((rows, pieces, width))?,
            ids: padded,
            copyable: Tensor::from_vec(copyable, (rows, pieces), &Device::Cpu)?,
            closed: Tensor::from_vec(closed, (rows, pieces), &Device::Cpu)?,
            any: Tensor::from_vec(any.collect(), rows, &Device::Cpu)?,
        })
    }

    /// log p(target) `[passages]`, the cell's next state, and the posterior of the target's origin,
    /// `[passages, pieces]`.
    fn step(
        &self,
        parameters: &Parameters,
        memory: &Memory,
        step: &Step<'_>,
        target: u32,
        rows: usize,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        let states = &memory.states;
        let width = states.dim(2)?;
        let average = |mass: &Tensor| mass.unsqueeze(1)?.contiguous()?.matmul(states)?.squeeze(1);
        let moved = shift_right(step.origin)?;
        let (at_origin, after_origin) = (average(step.origin)?, average(&moved)?);
        let words = self.bert.words(parameters)?;
        let token = Tensor::from_vec(vec![step.token; rows], rows, &Device::Cpu)?;
        let read = Tensor::cat(&[&words.index_select(&token, 0)?, &at_origin], 1)?;
        let hidden = self.cell(parameters, &read, step.hidden, width)?;

        let key = (self.linear(parameters, "point", &hidden)? / (width as f64).sqrt())?;
        let key = key.broadcast_add(&self.tensor(parameters, "start")?)?.unsqueeze(2)?;
        let attention =
            log_softmax(&(states.matmul(&key.contiguous()?)?.squeeze(2)? + &memory.closed)?)?.exp()?;
        let attended = average(&attention)?;

        let first_states = states.narrow(1, 0, 1)?.squeeze(1)?;
        let features = Tensor::cat(&[&hidden, &at_origin, &after_origin, &attended, &first_states], 1)?;
        let logits = self.linear(
            parameters,
            "gate",
            &ops::gelu(&self.linear(parameters, "gate_hidden", &features)?)?,
        )?;
        let gate = log_softmax(&(logits + self.closed(memory, step.first, rows)?)?)?.exp()?;
        let gate_of = |action: usize| gate.narrow(1, action, 1)?.squeeze(1);
        let movable = (moved * &memory.copyable)?;
        let go_on = gate_of(CONTINUE)?;
        let stuck = (1.0 - movable.sum(1)?)?.relu()?;
        let generated = (gate_of(GENERATE)? + (&go_on * stuck)?)?;
        let copied = (attention.broadcast_mul(&gate_of(POINT)?.unsqueeze(1)?)?
            + movable.broadcast_mul(&go_on.unsqueeze(1)?)?)?;

        let matches = memory.ids.iter().flatten().map(|id| if *id == target { 1f32 } else { 0.0 });
        let matches = Tensor::from_vec(matches.collect(), copied.shape(), &Device::Cpu)?;
        let matching = (copied * matches)?;
        let p = match target {
            token if token == self.tokens.end => gate_of(END)?,
            token if token == self.tokens.no_answer => gate_of(NO_ANSWER)?,
            _ => {
                let query = self.linear(parameters, "generate", &Tensor::cat(&[&hidden, &attended], 1)?)?;
                let bias = self.tensor(parameters, "generate_bias")?;
                let logits = ops::linear_fixed(&query, &words, &bias)?;
                let word = logits.narrow(1, target as usize, 1)?.squeeze(1)?;
                let word = (word - log_sum_exp(&logits)?)?.exp()?;
                ((at_least(&generated)? * word)? + matching.sum(1)?)?
            }
        };
        let p = at_least(&p)?;
        Ok((p.log()?, hidden, matching.broadcast_div(&p.unsqueeze(1)?)?))
    }

    /// Logits added to close actions: continuing and ending at the start, "no answer" after it, and
    /// pointing at an empty passage.
    fn closed(&self, memory: &Memory, first: bool, rows: usize) -> Result<Tensor> {
        let mut closed = vec![0f32; 5 * rows];
        for (row, any) in closed.chunks_exact_mut(5).zip(memory.any.to_vec1::<f32>()?) {
            for action in if first { &[CONTINUE, END][..] } else { &[NO_ANSWER] } {
                row[*action] = MASKED as f32;
            }
            row[POINT] = (1.0 - any) * MASKED as f32;
        }
        Tensor::from_vec(closed, (rows, 5), &Device::Cpu)
    }

    /// A gated recurrent unit, as PyTorch computes it.
    fn cell(&self, parameters: &Parameters, read: &Tensor, hidden: &Tensor, width: usize) -> Result<Tensor> {
        let of = |name: &str| self.tensor(parameters, &format!("cell.{name}"));
        let input = ops::linear(read, &of("weight_ih")?, &of("bias_ih")?)?;
        let state = ops::linear(hidden, &of("weight_hh")?, &of("bias_hh")?)?;
        let part = |of: &Tensor, index: usize| of.narrow(1, index * width, width);
        let sigmoid = |x: Tensor| -> Result<Tensor> { ((x / 2.0)?.tanh()? + 1.0)? / 2.0 };
        let reset = sigmoid((part(&input, 0)? + part(&state, 0)?)?)?;
        let update = sigmoid((part(&input, 1)? + part(&state, 1)?)?)?;
        let new = (part(&input, 2)? + (reset * part(&state, 2)?)?)?.tanh()?;
        &new + (update * (hidden - &new)?)?
    }
}

/// The input of a step of the decoder.
struct Step<'a> {
    token: u32,
    origin: &'a Tensor,
    hidden: &'a Tensor,
    first: bool,
}

/// The mass of each piece moved to the next one; that of the last is lost.
fn shift_right(mass: &Tensor) -> Result<Tensor> {
    let (rows, pieces) = mass.dims2()?;
    let zeros = Tensor::zeros((rows, 1), DType::F32, &Device::Cpu)?;
    Tensor::cat(&[&zeros, &mass.narrow(D::Minus1, 0, pieces - 1)?], 1)
}

/// Probabilities not below the smallest.
fn at_least(p: &Tensor) -> Result<Tensor> {
    p.maximum(SMALLEST)
}
