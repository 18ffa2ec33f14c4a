//! Question and passages in, answer with posterior citations out.
//!
//! Numbers only, no rendering, and no identities: passages are positions in the slice given, ranges are
//! bytes of their texts.
//!
//! file | responsibility
//! ---|---
//! `options.rs` | what the caller decides
//! `search.rs` | candidates, by the search that was asked for
//! `compose.rs` | hypotheses to answer, tokens and citations

mod compose;
mod options;
mod search;

use std::ops::{ControlFlow, Range};

use postil_contract::{GenerateError, Generator, Passage};

use crate::marginalize::{Groups, prior};
use crate::{Mode, Said};
use compose::Composer;
use search::search;

pub use options::{
    AnswerOptions, DEFAULT_BEAMS, DEFAULT_MAX_ALTERNATIVES, DEFAULT_MAX_CITATIONS, DEFAULT_MAX_TOKENS,
};
pub use search::Search;

/// A passage as retrieval found it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retrieved<'a> {
    /// What the generator reads.
    pub passage: Passage<'a>,
    /// Its exact similarity to the question, not yet scaled.
    pub score: f32,
}

/// An answer, and who said it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The answer; empty when there is none.
    pub text: String,
    /// The model it was marginalized under.
    pub mode: Mode,
    /// Whether "no answer" was more probable than any answer. Then there are no citations, and what came
    /// closest stands first in `alternatives`.
    pub no_answer: bool,
    /// Probability of "no answer"; 0 from a generator that cannot say it.
    pub no_answer_probability: f64,
    /// log p(y|x) of what was chosen, be it an answer or "no answer".
    pub log_probability: f64,
    /// p(y|x) of what was chosen.
    pub probability: f64,
    /// Its tokens, end token included; their log-probabilities sum to `log_probability`.
    pub tokens: Vec<AnswerToken>,
    /// p(z|x,y) of every passage given, see [`crate::Marginal::posterior`]; sums to 1.
    pub posteriors: Vec<f64>,
    /// The passages it came from, highest posterior first, no more than were asked for.
    pub citations: Vec<Citation>,
    /// The other answers considered, most probable first, no more than were asked for.
    pub alternatives: Vec<Candidate>,
    /// Probability of the answers considered but not listed: with `alternatives`, `probability`, and
    /// `no_answer_probability` unless that was chosen, it adds up to 1 when the generator's answers can
    /// be counted.
    pub other_probability: f64,
}

/// A token of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerToken {
    /// What it adds to the text; empty for an end token.
    pub text: String,
    /// log p(y_i|x,y_<i), marginalized.
    pub log_prob: f64,
    /// Who says it, `[passages]`, sums to 1: see [`crate::Step::posterior`].
    pub posterior: Vec<f64>,
}

/// A passage that an answer came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Citation {
    /// Position among the passages given. Copies of one passage are cited each, with the posterior
    /// divided as their priors are.
    pub passage: usize,
    /// The part that supports the answer, in bytes of the passage's text; all of it when the generator
    /// wrote freely.
    pub range: Range<usize>,
    /// That part, verbatim.
    pub quote: String,
    /// How probable it is that the answer came from here.
    pub posterior: f64,
    /// p(z|x), before the answer was known.
    pub prior: f64,
    /// The score given.
    pub score: f32,
    /// log p(y|x) lost without this passage; +inf when no other can say it.
    pub leave_one_out: f64,
}

/// An answer that was not chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The answer.
    pub text: String,
    /// p(y|x).
    pub probability: f64,
    /// The passages it came from.
    pub citations: Vec<Citation>,
}

/// Answers `question` from `passages`: the prior from their scores, every candidate answer (or, from a
/// generator that writes freely, those a search finds) marginalized over them, the most probable chosen.
///
/// Copies of a passage are read once. One passage alone (k = 1) is the baseline "best sentence of the top
/// passage": the prior is then 1 and nothing is marginalized. A passage without text is allowed, and can
/// support no answer.
///
/// # Errors
/// [`GenerateError::NoPassages`] for an empty slice; [`GenerateError::Value`] for a score or an option
/// that cannot be computed with; what the generator says.
pub fn answer(
    generator: &dyn Generator,
    question: &str,
    passages: &[Retrieved<'_>],
    options: &AnswerOptions,
) -> Result<Answer, GenerateError> {
    answer_watched(generator, question, passages, options, &mut |_| ControlFlow::Continue(()))
}

/// As [`answer`], telling `watch` each token of it: as it is chosen where the search goes token by token,
/// all at the end where it looks ahead. Breaking ends a search that goes token by token.
///
/// # Errors
/// As [`answer`].
pub fn answer_watched(
    generator: &dyn Generator,
    question: &str,
    passages: &[Retrieved<'_>],
    options: &AnswerOptions,
    watch: &mut dyn FnMut(&AnswerToken) -> ControlFlow<()>,
) -> Result<Answer, GenerateError> {
    options.check()?;
    if passages.is_empty() {
        return Err(GenerateError::NoPassages);
    }
    let scores: Vec<f32> = passages.iter().map(|p| p.score).collect();
    if let Some(score) = scores.iter().find(|s| !s.is_finite()) {
        let got = f64::from(*score);
        return Err(GenerateError::Value { what: "score of a passage", got, expected: "finite" });
    }
    let log_prior = prior(&scores, f64::from(options.score_scale));
    let texts: Vec<Passage<'_>> = passages.iter().map(|p| p.passage).collect();
    let groups = Groups::of(&texts);
    let distinct: Vec<Passage<'_>> = groups.first().iter().map(|first| texts[*first]).collect();
    let group_prior = groups.sum_priors(&log_prior);

    let mut decoding = generator.start(question, &distinct)?;
    let shares: Vec<f64> = groups
        .group_of()
        .iter()
        .zip(&log_prior)
        .map(|(group, prior)| (prior - group_prior[*group]).exp())
        .collect();
    let as_chosen = &mut |said: Said<'_>| {
        let of_groups = groups.spread(&said.step.posterior);
        let posterior = of_groups.iter().zip(&shares).map(|(group, share)| group * share).collect();
        watch(&AnswerToken { text: said.text.to_owned(), log_prob: said.step.log_prob, posterior })
    };
    let found = search(decoding.as_mut(), &group_prior, options, as_chosen)?;
    let composer = Composer {
        generator: generator.name(),
        decoding: decoding.as_ref(),
        passages,
        groups: &groups,
        log_prior: &log_prior,
        options,
    };
    let answer = composer.answer(&found.hypotheses, found.silence)?;
    if !found.watched {
        let _ = answer.tokens.iter().try_for_each(watch);
    }
    Ok(answer)
}
