use postil_contract::{AnswerScores, Decoding, GenerateError, TokenId};
use rayon::prelude::*;

use super::{Constraints, Hypothesis, check_prior, column, end_tokens};
use crate::{Mixture, Mode};

/// When a beam search is over before the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlyStopping {
    /// As soon as there are as many finished answers as beams.
    Full,
    /// When the best running one, at its present length, would not be among the finished.
    Hopeless,
    /// When it could not be at any length.
    Never,
}

/// How to search with several hypotheses at once.
#[derive(Clone, Debug, PartialEq)]
pub struct BeamOptions {
    /// Hypotheses kept, at least 1.
    pub beams: usize,
    /// Answers compare by log-probability / tokens^penalty: 0 by log-probability alone, which is the
    /// paper's; above 0 favours longer ones.
    pub length_penalty: f64,
    /// When to stop.
    pub early_stopping: EarlyStopping,
}

impl BeamOptions {
    /// Exact comparison: no length penalty, no early stop.
    pub fn new(beams: usize) -> Self {
        Self { beams, length_penalty: 0.0, early_stopping: EarlyStopping::Never }
    }
}

/// An answer as a beam search ranks it.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// Log-probability as searched (forced tokens free) / tokens^penalty.
    pub score: f64,
    /// The answer.
    pub hypothesis: Hypothesis,
}

#[derive(Clone)]
struct Running {
    log_prob: f64,
    tokens: Vec<TokenId>,
    values: Vec<Option<f32>>,
    mixture: Mixture,
}

/// Beam search over the mixture, the best first; at most `beams` answers. Uses up the decoding's rows.
///
/// The search is transformers' (4.50 and later): of `max(2, 1 + ends) * beams` continuations, ends among the
/// first `beams` finish; ties go to the lower beam, then the lower token.
///
/// # Errors
/// [`GenerateError::Value`] when there is no beam, or the longest answer has no token;
/// [`GenerateError::Shape`] when there is not one prior per passage; what the decoding says.
pub fn beam(
    decoding: &mut dyn Decoding,
    mode: Mode,
    log_prior: &[f64],
    constraints: &Constraints,
    options: &BeamOptions,
) -> Result<Vec<Ranked>, GenerateError> {
    check_prior(decoding.passages(), log_prior)?;
    let mut search = BeamSearch::new(decoding, mode, log_prior, constraints, options)?;
    loop {
        let log_probs = decoding.log_probs()?;
        let next = search.step(decoding, |row| log_probs.row(row));
        if next.is_empty() {
            return search.finish(decoding);
        }
        let (parents, tokens): (Vec<usize>, Vec<TokenId>) = next.into_iter().unzip();
        decoding.advance(&parents, &tokens)?;
    }
}

/// A beam search between two steps. Whoever has the decoding tells it the distributions of its rows and is
/// told which rows it goes on with, so that several can share one decoding.
pub(super) struct BeamSearch<'a> {
    mode: Mode,
    log_prior: &'a [f64],
    constraints: &'a Constraints,
    options: &'a BeamOptions,
    keep: usize,
    /// As many tokens in each; none when the search is over.
    running: Vec<Running>,
    finished: Vec<(f64, Running)>,
}

impl<'a> BeamSearch<'a> {
    /// Before the first token, with one row. `log_prior` has an entry per passage of the search.
    pub(super) fn new(
        decoding: &dyn Decoding,
        mode: Mode,
        log_prior: &'a [f64],
        constraints: &'a Constraints,
        options: &'a BeamOptions,
    ) -> Result<Self, GenerateError> {
        constraints.check()?;
        if options.beams == 0 {
            return Err(GenerateError::Value { what: "number of beams", got: 0.0, expected: "at least 1" });
        }
        let keep = options.beams.saturating_mul((1 + end_tokens(decoding).len()).max(2));
        let mixture = Mixture::new(mode, log_prior);
        let running = vec![Running { log_prob: 0.0, tokens: Vec::new(), values: Vec::new(), mixture }];
        Ok(Self { mode, log_prior, constraints, options, keep, running, finished: Vec::new() })
    }

    /// One token further. `lines` gives a row's distributions, `[passages of the search, vocabulary]`. Returns
    /// parent and token of each new row; of none when the search is over.
    pub(super) fn step<'l>(
        &mut self,
        decoding: &dyn Decoding,
        lines: impl Fn(usize) -> &'l [f32] + Sync,
    ) -> Vec<(usize, TokenId)> {
        let (constraints, options, running) = (self.constraints, self.options, &self.running);
        let Some(length) = running.first().map(|hypothesis| hypothesis.tokens.len() + 1) else {
            return Vec::new();
        };
        let vocabulary = decoding.vocabulary();
        let continuations = |(row, hypothesis): (usize, &Running)| {
            let mut mixed = vec![0.0; vocabulary];
            hypothesis.mixture.next_token(lines(row), &mut mixed);
            constraints.apply(&hypothesis.tokens, &mut mixed);
            let best = highest(&mixed, self.keep).into_iter();
            best.map(|v| (hypothesis.log_prob + mixed[v], row, v)).collect::<Vec<_>>()
        };
        let mut found: Vec<(f64, usize, usize)> =
            running.par_iter().enumerate().flat_map_iter(continuations).collect();
        found.retain(|(score, ..)| *score > f64::NEG_INFINITY);
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        found.truncate(self.keep);
        let stops = |&(_, row, v): &(f64, usize, usize)| {
            length == constraints.max_tokens
                || decoding.is_finished(&[running[row].tokens.as_slice(), &[v as TokenId]].concat())
        };
        let grow = |&(log_prob, row, v): &(f64, usize, usize)| {
            let mut grown = running[row].clone();
            let chosen = column(lines(row), vocabulary, v as TokenId);
            grown.mixture.observe(&chosen);
            grown.values.extend(chosen);
            grown.tokens.push(v as TokenId);
            grown.log_prob = log_prob;
            grown
        };
        for candidate in found.iter().take(options.beams).filter(|found| stops(found)) {
            let score = candidate.0 / (length as f64).powf(options.length_penalty);
            self.finished.push((score, grow(candidate)));
        }
        self.finished.sort_by(|a, b| b.0.total_cmp(&a.0));
        self.finished.truncate(options.beams);
        let mut next: Vec<_> =
            found.iter().filter(|found| !stops(found)).take(options.beams).copied().collect();
        if next.first().is_some_and(|best| self.is_over(best.0, length)) {
            next.clear();
        }
        self.running = next.iter().map(grow).collect();
        next.into_iter().map(|(_, row, v)| (row, v as TokenId)).collect()
    }

    /// What was found, the best first.
    pub(super) fn finish(self, decoding: &dyn Decoding) -> Result<Vec<Ranked>, GenerateError> {
        let rank = |(score, found): (f64, Running)| {
            let ends = decoding.is_finished(&found.tokens);
            let scores = AnswerScores::new(self.log_prior.len(), found.values)?;
            let hypothesis = Hypothesis::new(found.tokens, ends, scores, self.mode, self.log_prior)?;
            Ok(Ranked { score, hypothesis })
        };
        self.finished.into_iter().map(rank).collect()
    }

    /// Whether no running hypothesis, the best of which has log-probability `best` after `length` tokens, is
    /// to be followed further.
    fn is_over(&self, best: f64, length: usize) -> bool {
        let options = self.options;
        if self.finished.len() < options.beams {
            return false;
        }
        let length = match options.early_stopping {
            EarlyStopping::Full => return true,
            EarlyStopping::Never if options.length_penalty > 0.0 => self.constraints.max_tokens,
            EarlyStopping::Never | EarlyStopping::Hopeless => length,
        };
        let worst = self.finished.last().map_or(f64::NEG_INFINITY, |(score, _)| *score);
        best / (length as f64).powf(options.length_penalty) <= worst
    }
}

/// The `keep` tokens with the highest log-probabilities, the lower id among equals; in no order.
fn highest(log_probs: &[f64], keep: usize) -> Vec<usize> {
    let mut tokens: Vec<usize> = (0..log_probs.len()).collect();
    if keep < tokens.len() {
        tokens.select_nth_unstable_by(keep, |a, b| log_probs[*b].total_cmp(&log_probs[*a]).then(a.cmp(b)));
        tokens.truncate(keep);
    }
    tokens
}
