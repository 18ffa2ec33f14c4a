use postil_contract::{AnswerScores, Decoding, GenerateError, TokenId};
use rayon::prelude::*;

use super::{Constraints, Hypothesis, check_prior, column, end_tokens};
use crate::{Mixture, Mode};

/// The conditions that end a beam search before the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlyStopping {
    /// As soon as there are as many finished answers as beams.
    Full,
    /// When the best running answer, at its current length, would not be among the finished ones.
    Hopeless,
    /// When the best running answer could not be among the finished ones at any length.
    Never,
}

/// Default of [`BeamOptions::margin`], a factor of 1,100. Over 300 questions of squad2.heldout, in
/// either mode, it changed no score of `reader` that `postil eval` prints.
pub const DEFAULT_MARGIN: f64 = 7.0;

/// Options of a beam search.
#[derive(Clone, Debug, PartialEq)]
pub struct BeamOptions {
    /// Number of hypotheses kept, at least 1.
    pub beams: usize,
    /// Exponent of the length penalty: answers compare by log-probability / tokens^penalty. 0
    /// compares by log-probability alone, as in the paper; above 0 favors longer answers.
    pub length_penalty: f64,
    /// The condition that ends the search.
    pub early_stopping: EarlyStopping,
    /// Nats by which an answer, complete or not, may be less probable than the likeliest so far
    /// before it is dropped, at least 0: relative threshold pruning (Freitag and Al-Onaizan 2017).
    /// Beside other searches, one under passage z alone compares by log p(z|x) + log p(y|x,z).
    /// Infinity drops none.
    pub margin: f64,
}

impl BeamOptions {
    /// Options for exact comparison: no length penalty, no early stop, no margin.
    pub fn new(beams: usize) -> Self {
        Self { beams, length_penalty: 0.0, early_stopping: EarlyStopping::Never, margin: f64::INFINITY }
    }

    /// As [`BeamOptions::new`], with a margin of [`DEFAULT_MARGIN`].
    pub fn quick(beams: usize) -> Self {
        Self { margin: DEFAULT_MARGIN, ..Self::new(beams) }
    }

    pub(crate) fn check(&self) -> Result<(), GenerateError> {
        if self.beams == 0 {
            return Err(GenerateError::Value { what: "number of beams", got: 0.0, expected: "at least 1" });
        }
        if self.margin.is_nan() || self.margin < 0.0 {
            let (what, got) = ("margin of a beam search", self.margin);
            return Err(GenerateError::Value { what, got, expected: "at least 0" });
        }
        Ok(())
    }
}

/// An answer as a beam search ranks it.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// Log-probability in the search (forced tokens cost nothing) / tokens^penalty.
    pub score: f64,
    /// The answer.
    pub hypothesis: Hypothesis,
}

/// A running hypothesis with one more token: their joint log-probability, the hypothesis's row, and
/// the token.
pub(super) type Continuation = (f64, usize, usize);

#[derive(Clone)]
struct Running {
    log_prob: f64,
    tokens: Vec<TokenId>,
    values: Vec<Option<f32>>,
    mixture: Mixture,
}

/// Beam search over the mixture; returns at most `beams` answers, best first. Consumes the
/// decoding's rows.
///
/// The search equals that of transformers (4.50 and later): of `max(2, 1 + ends) * beams`
/// continuations, those among the first `beams` that end are finished; ties go to the lower beam,
/// then to the lower token.
///
/// # Errors
/// [`GenerateError::Value`] when there is no beam, or the longest answer has no token;
/// [`GenerateError::Shape`] when there is not one prior per passage; the decoding's errors.
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
        let found = search.continuations(|row| log_probs.row(row));
        let bar = search.best(&found) - options.margin;
        let next = search.step(decoding, found, bar, |row| log_probs.row(row));
        if next.is_empty() {
            return search.finish(decoding);
        }
        let (parents, tokens): (Vec<usize>, Vec<TokenId>) = next.into_iter().unzip();
        decoding.advance(&parents, &tokens)?;
    }
}

/// A beam search between two steps. Its caller owns the decoding, passes in the distributions of
/// its rows and receives the rows to continue with, so that several searches can share one
/// decoding.
pub(super) struct BeamSearch<'a> {
    mode: Mode,
    log_prior: &'a [f64],
    constraints: &'a Constraints,
    options: &'a BeamOptions,
    keep: usize,
    /// Running hypotheses, all of the same length; empty when the search is over.
    running: Vec<Running>,
    finished: Vec<(f64, Running)>,
}

impl<'a> BeamSearch<'a> {
    /// Starts before the first token, with one row. `log_prior` has an entry per passage of the
    /// search.
    pub(super) fn new(
        decoding: &dyn Decoding,
        mode: Mode,
        log_prior: &'a [f64],
        constraints: &'a Constraints,
        options: &'a BeamOptions,
    ) -> Result<Self, GenerateError> {
        constraints.check()?;
        options.check()?;
        let keep = options.beams.saturating_mul((1 + end_tokens(decoding).len()).max(2));
        let mixture = Mixture::new(mode, log_prior);
        let running = vec![Running { log_prob: 0.0, tokens: Vec::new(), values: Vec::new(), mixture }];
        Ok(Self { mode, log_prior, constraints, options, keep, running, finished: Vec::new() })
    }

    /// The best continuations of each row. `lines` gives a row's distributions,
    /// `[passages of the search, vocabulary]`.
    pub(super) fn continuations<'l>(&self, lines: impl Fn(usize) -> &'l [f32] + Sync) -> Vec<Continuation> {
        let of_row = |(row, hypothesis): (usize, &Running)| {
            let (said, constraints) = (&hypothesis.tokens, self.constraints);
            let found = match constraints.forced(said) {
                Some(free) => vec![(free as usize, 0.0)],
                None => {
                    let allow = |log_probs: &mut [f64]| constraints.apply(said, log_probs);
                    hypothesis.mixture.likeliest(lines(row), self.keep, allow)
                }
            };
            let so_far = hypothesis.log_prob;
            found.into_iter().map(move |(v, log_prob)| (so_far + log_prob, row, v)).collect::<Vec<_>>()
        };
        self.running.par_iter().enumerate().flat_map_iter(of_row).collect()
    }

    /// The highest log-probability of a finished answer or of a continuation in `found`.
    pub(super) fn best(&self, found: &[Continuation]) -> f64 {
        let finished = self.finished.iter().map(|(_, finished)| finished.log_prob);
        finished.chain(found.iter().map(|(log_prob, ..)| *log_prob)).fold(f64::NEG_INFINITY, f64::max)
    }

    /// Extends the search by one token, given [`BeamSearch::continuations`] of the same `lines`;
    /// drops hypotheses with a log-probability below `bar`. Returns parent and token of each new
    /// row; none when the search is over.
    pub(super) fn step<'l>(
        &mut self,
        decoding: &dyn Decoding,
        mut found: Vec<Continuation>,
        bar: f64,
        lines: impl Fn(usize) -> &'l [f32],
    ) -> Vec<(usize, TokenId)> {
        self.finished.retain(|(_, finished)| finished.log_prob >= bar);
        let (constraints, options, running) = (self.constraints, self.options, &self.running);
        let Some(length) = running.first().map(|hypothesis| hypothesis.tokens.len() + 1) else {
            return Vec::new();
        };
        let vocabulary = decoding.vocabulary();
        found.retain(|(score, _, v)| *score > f64::NEG_INFINITY && *score >= bar && *v < vocabulary);
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
        if options.early_stopping == EarlyStopping::Never {
            // Drops hypotheses that cannot be among the finished ones at any length; neither can
            // their continuations.
            next.retain(|one| !self.is_over(one.0, length));
        }
        self.running = next.iter().map(grow).collect();
        next.into_iter().map(|(_, row, v)| (row, v as TokenId)).collect()
    }

    /// The answers found, best first.
    pub(super) fn finish(self, decoding: &dyn Decoding) -> Result<Vec<Ranked>, GenerateError> {
        let rank = |(score, found): (f64, Running)| {
            let ends = decoding.is_finished(&found.tokens);
            let scores = AnswerScores::new(self.log_prior.len(), found.values)?;
            let hypothesis = Hypothesis::new(found.tokens, ends, scores, self.mode, self.log_prior)?;
            Ok(Ranked { score, hypothesis })
        };
        self.finished.into_iter().map(rank).collect()
    }

    /// True when no running hypothesis is worth following further; the best one has log-probability
    /// `best` after `length` tokens.
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
