//! Question and passages in, answer with posterior citations out.
//!
//! Numbers only, no rendering, and no identities: passages are positions in the slice given, ranges are
//! bytes of their texts.
//!
//! file | responsibility
//! ---|---
//! `options.rs` | what the caller decides
//! `search.rs` | candidates, by the search that was asked for
//! `names.rs` | names in a question that a passage should have
//! `null.rs` | what candidates would be without a passage
//! `evidence.rs` | what speaks for the answer and against it
//! `spans.rs` | tokens to words and clauses
//! `support.rs` | the sentence of a passage to show
//! `parts.rs` | what an answer consists of
//! `compose.rs` | hypotheses to answer, spans and citations

mod compose;
mod evidence;
mod names;
mod null;
mod options;
mod parts;
mod search;
mod spans;
mod support;

use std::ops::ControlFlow;

use postil_contract::{GenerateError, Generator, Passage};

use crate::marginalize::{Groups, prior, worth_reading};
use crate::{Mode, Said};
use compose::Composer;
use null::{NULL, Null};
use search::search;

pub use names::name_weights;
pub use options::{
    AnswerOptions, DEFAULT_BEAMS, DEFAULT_CREDIT_LOG_RATIO, DEFAULT_CREDIT_POSTERIOR,
    DEFAULT_MAX_ALTERNATIVES, DEFAULT_MAX_CITATIONS, DEFAULT_MAX_TOKENS, DEFAULT_MIN_EVIDENCE,
    DEFAULT_UNREAD_PRIOR,
};
pub use parts::{AnswerToken, Basis, Candidate, Citation, Evidence, Span};
pub use search::Search;

/// A passage as retrieval found it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retrieved<'a> {
    /// What the generator reads.
    pub passage: Passage<'a>,
    /// The score its prior is made of, not yet scaled: its similarity to the question, plus whatever else it
    /// was ranked by.
    pub relevance: f32,
}

/// An answer, and who said it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The answer; empty when there is none.
    pub text: String,
    /// The model it was marginalized under.
    pub mode: Mode,
    /// Whether there is no answer: `abstention_score` was above the threshold (see
    /// [`AnswerOptions::no_answer_threshold`]), or, from a generator that cannot say it, the likeliest answer
    /// has too little [`Evidence`]. Then there are no citations, and what
    /// came closest stands first in `alternatives`.
    pub no_answer: bool,
    /// Probability of "no answer"; what it rests on is in `evidence`.
    pub no_answer_probability: f64,
    /// What abstaining is decided by, 0 to 1: [`crate::abstention_score`] of the passages; from a generator that cannot say
    /// "no answer", the same as `no_answer_probability`.
    pub abstention_score: f64,
    /// Whether it came to its end; one that did not was cut at the limit or by its watcher.
    pub finished: bool,
    /// log p(y|x) of what was chosen, be it an answer or "no answer".
    pub log_probability: f64,
    /// p(y|x) of what was chosen.
    pub probability: f64,
    /// The share of answers like this one that are right, 0 to 1, as it was fitted on questions with known
    /// answers: see [`postil_contract::ConfidenceFit`]. `None` when nothing was fitted for the generator,
    /// or no answer was given.
    pub confidence: Option<f64>,
    /// Its tokens, end token included; their log-probabilities sum to `log_probability`. None when an
    /// answer was withheld.
    pub tokens: Vec<AnswerToken>,
    /// Its words, a partition of `text`.
    pub words: Vec<Span>,
    /// Its clauses, a partition of `words`: these are what passages are credited with.
    pub spans: Vec<Span>,
    /// p(z|x) of every passage given, 0 for one that was left unread; sums to 1.
    pub priors: Vec<f64>,
    /// p(z|x,y) of every passage given, see [`crate::Marginal::posterior`]; sums to 1. p(z|x) when an
    /// answer was withheld.
    pub posteriors: Vec<f64>,
    /// Positions of the passages that were cut to fit the generator's window, ascending.
    pub shortened: Vec<usize>,
    /// The passages it came from, highest posterior first, no more than were asked for: those that say it
    /// word for word, and those credited with one of `spans`.
    pub citations: Vec<Citation>,
    /// What speaks for the likeliest answer; `None` when there was none to choose.
    pub evidence: Option<Evidence>,
    /// The other answers considered, most probable first, no more than were asked for.
    pub alternatives: Vec<Candidate>,
    /// Probability of the answers considered but not listed: with `alternatives`, `probability`, and
    /// `no_answer_probability` unless that was chosen, it adds up to 1 when the generator's answers can
    /// be counted.
    pub other_probability: f64,
}

impl Answer {
    /// Nothing said, nothing weighed.
    fn silent(mode: Mode) -> Self {
        Self {
            text: String::new(),
            mode,
            no_answer: false,
            no_answer_probability: 0.0,
            abstention_score: 0.0,
            finished: false,
            log_probability: 0.0,
            probability: 1.0,
            confidence: None,
            tokens: Vec::new(),
            words: Vec::new(),
            spans: Vec::new(),
            priors: Vec::new(),
            posteriors: Vec::new(),
            shortened: Vec::new(),
            citations: Vec::new(),
            evidence: None,
            alternatives: Vec::new(),
            other_probability: 0.0,
        }
    }

    /// Gives so many passages a place, of which the last were not read.
    fn make_room(&mut self, passages: usize) {
        let spans = self.words.iter_mut().chain(&mut self.spans);
        let of_spans = spans.flat_map(|span| [&mut span.posterior, &mut span.log_ratio]);
        let of_tokens = self.tokens.iter_mut().map(|token| &mut token.posterior);
        for line in of_spans.chain(of_tokens).chain([&mut self.priors, &mut self.posteriors]) {
            line.resize(passages, 0.0);
        }
    }
}

/// Answers `question` from `passages`: the prior from their relevance, every candidate answer (or, from a
/// generator that writes freely, those a search finds) marginalized over them, the most probable chosen.
///
/// Copies of a passage are read once, and the last passages not at all when they have next to nothing of the prior: see
/// [`AnswerOptions::unread_prior`]. One passage alone (k = 1) is the baseline "best sentence of the top
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
/// The evidence is weighed when the answer is whole, so one that was told may still be withheld.
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
    let scores: Vec<f32> = passages.iter().map(|p| p.relevance).collect();
    if let Some(score) = scores.iter().find(|s| !s.is_finite()) {
        let got = f64::from(*score);
        return Err(GenerateError::Value { what: "relevance of a passage", got, expected: "finite" });
    }
    let scale = f64::from(options.score_scale);
    let read = worth_reading(&prior(&scores, scale), options.unread_prior);
    let log_prior = prior(&scores[..read], scale);
    let mut answer =
        answer_from(generator, question, &passages[..read], &log_prior, options, &mut |token| {
            let mut token = token.clone();
            token.posterior.resize(passages.len(), 0.0);
            watch(&token)
        })?;
    answer.make_room(passages.len());
    Ok(answer)
}

/// The answer from passages that are all read.
fn answer_from(
    generator: &dyn Generator,
    question: &str,
    passages: &[Retrieved<'_>],
    log_prior: &[f64],
    options: &AnswerOptions,
    watch: &mut dyn FnMut(&AnswerToken) -> ControlFlow<()>,
) -> Result<Answer, GenerateError> {
    let texts: Vec<Passage<'_>> = passages.iter().map(|p| p.passage).collect();
    let groups = Groups::of(&texts);
    let distinct: Vec<Passage<'_>> = groups.first().iter().map(|first| texts[*first]).collect();
    let group_prior = groups.sum_priors(log_prior);

    let (mut read, mut read_prior) = (distinct, group_prior.clone());
    let is_fixed = generator.vocabulary_is_fixed();
    if !is_fixed {
        read.push(NULL);
        read_prior.push(f64::NEG_INFINITY);
    }
    let mut decoding = generator.start(question, &read)?;
    let shares: Vec<f64> = groups
        .group_of()
        .iter()
        .zip(log_prior)
        .map(|(group, prior)| (prior - group_prior[*group]).exp())
        .collect();
    let as_chosen = &mut |said: Said<'_>| {
        let of_groups = groups.spread(&said.step.posterior);
        let posterior = of_groups.iter().zip(&shares).map(|(group, share)| group * share).collect();
        watch(&AnswerToken { text: said.text.to_owned(), log_prob: said.step.log_prob, posterior })
    };
    let found = search(generator, decoding.as_mut(), &read_prior, options, as_chosen)?;
    let calibration = generator.calibration();
    let any_end = matches!(options.search, Search::Union(_));
    let composer = Composer {
        generator: generator.name(),
        question,
        decoding: decoding.as_ref(),
        passages,
        groups: &groups,
        log_prior,
        null: if is_fixed { Null::Apart { generator, question, any_end } } else { Null::Along },
        is_quoting: found.are_all,
        threshold: options.no_answer_threshold.or(calibration.no_answer_threshold),
        fit: calibration.confidence,
        options,
    };
    let answer = composer.answer(&found)?;
    if !found.watched {
        let _ = answer.tokens.iter().try_for_each(watch);
    }
    Ok(answer)
}
