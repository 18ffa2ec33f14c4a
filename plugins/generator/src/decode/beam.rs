use postil_contract::{AnswerScores, Decoding, GenerateError, TokenId};

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
    constraints.check()?;
    if options.beams == 0 {
        return Err(GenerateError::Value { what: "number of beams", got: 0.0, expected: "at least 1" });
    }
    let keep = options.beams.saturating_mul((1 + end_tokens(decoding).len()).max(2));
    let mixture = Mixture::new(mode, log_prior);
    let mut running = vec![Running { log_prob: 0.0, tokens: Vec::new(), values: Vec::new(), mixture }];
    let mut finished: Vec<(f64, Running)> = Vec::new();
    for length in 1..=constraints.max_tokens {
        let log_probs = decoding.log_probs()?;
        let vocabulary = log_probs.vocabulary();
        let mut found: Vec<(f64, usize, usize)> = Vec::new();
        let mut mixed = vec![0.0; vocabulary];
        for (row, hypothesis) in running.iter().enumerate() {
            hypothesis.mixture.next_token(log_probs.row(row), &mut mixed);
            constraints.apply(&hypothesis.tokens, &mut mixed);
            found.extend(highest(&mixed, keep).into_iter().map(|v| (hypothesis.log_prob + mixed[v], row, v)));
        }
        found.retain(|(score, ..)| *score > f64::NEG_INFINITY);
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        found.truncate(keep);
        let stops = |&(_, row, v): &(f64, usize, usize)| {
            length == constraints.max_tokens
                || decoding.is_finished(&[running[row].tokens.as_slice(), &[v as TokenId]].concat())
        };
        let grow = |&(log_prob, row, v): &(f64, usize, usize)| {
            let mut grown = running[row].clone();
            let chosen = column(log_probs.row(row), vocabulary, v as TokenId);
            grown.mixture.observe(&chosen);
            grown.values.extend(chosen);
            grown.tokens.push(v as TokenId);
            grown.log_prob = log_prob;
            grown
        };
        for candidate in found.iter().take(options.beams).filter(|found| stops(found)) {
            finished.push((candidate.0 / (length as f64).powf(options.length_penalty), grow(candidate)));
        }
        finished.sort_by(|a, b| b.0.total_cmp(&a.0));
        finished.truncate(options.beams);
        let next: Vec<_> = found.iter().filter(|found| !stops(found)).take(options.beams).copied().collect();
        if next.is_empty() || is_over(&finished, next[0].0, length, constraints, options) {
            break;
        }
        let grown = next.iter().map(grow).collect();
        let (parents, tokens): (Vec<usize>, Vec<TokenId>) =
            next.iter().map(|(_, row, v)| (*row, *v as TokenId)).unzip();
        running = grown;
        decoding.advance(&parents, &tokens)?;
    }
    let rank = |(score, found): (f64, Running)| {
        let ends = decoding.is_finished(&found.tokens);
        let scores = AnswerScores::new(decoding.passages(), found.values)?;
        Ok(Ranked { score, hypothesis: Hypothesis::new(found.tokens, ends, scores, mode, log_prior)? })
    };
    finished.into_iter().map(rank).collect()
}

/// Whether no running hypothesis, the best of which has log-probability `best` after `length` tokens, is
/// to be followed further.
fn is_over(
    finished: &[(f64, Running)],
    best: f64,
    length: usize,
    constraints: &Constraints,
    options: &BeamOptions,
) -> bool {
    if finished.len() < options.beams {
        return false;
    }
    let length = match options.early_stopping {
        EarlyStopping::Full => return true,
        EarlyStopping::Never if options.length_penalty > 0.0 => constraints.max_tokens,
        EarlyStopping::Never | EarlyStopping::Hopeless => length,
    };
    let worst = finished.last().map_or(f64::NEG_INFINITY, |(score, _)| *score);
    best / (length as f64).powf(options.length_penalty) <= worst
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
