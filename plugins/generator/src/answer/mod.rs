//! Computes an answer with posterior citations from a question and its passages.
//!
//! The result holds numbers only, without rendering or identities: passages are positions in the
//! slice given, ranges are bytes of their texts.
//!
//! file | responsibility
//! ---|---
//! `retrieved.rs` | a passage with its relevance, the input
//! `options.rs` | the caller's options
//! `decode.rs` | the choice of a search
//! `search.rs` | candidates found by that search
//! `names.rs` | names in a question that a passage should have
//! `null.rs` | log-probabilities of candidates without a passage
//! `evidence.rs` | the evidence for and against the answer
//! `spans.rs` | tokens to words and clauses
//! `support.rs` | the sentence of a passage to show
//! `parts.rs` | an answer and its parts
//! `withheld.rs` | the reason that an answer was withheld
//! `compose.rs` | hypotheses to answer, spans and citations

mod compose;
mod decode;
mod evidence;
mod names;
mod null;
mod options;
mod parts;
mod retrieved;
mod search;
mod spans;
mod support;
mod withheld;

use std::ops::ControlFlow;

use postil_contract::{GenerateError, Generator, Passage, ReadWatch};

use crate::Said;
use crate::marginalize::{Groups, prior, worth_reading};
use compose::Composer;
use null::{NULL, Null};
use search::search;

pub use decode::{DEFAULT_BEAMS, Decode, DecodeError};
pub use names::name_weights;
pub use options::{
    AnswerOptions, DEFAULT_CREDIT_LOG_RATIO, DEFAULT_CREDIT_POSTERIOR, DEFAULT_MAX_ALTERNATIVES,
    DEFAULT_MAX_CITATIONS, DEFAULT_MAX_TOKENS, DEFAULT_MIN_EVIDENCE, DEFAULT_UNDECODED_POSTERIOR,
    DEFAULT_UNREAD_PRIOR,
};
pub use parts::{Answer, AnswerToken, Basis, Candidate, Citation, Credit, Evidence, Span};
pub use retrieved::Retrieved;
pub use withheld::Withheld;

/// Answers `question` from `passages`. The prior comes from their relevance; every candidate answer
/// (or, from a generator that writes freely, each that a search finds) is marginalized over them,
/// and the most probable is chosen.
///
/// Copies of a passage are read once, and the last passages not at all when their share of the
/// prior is negligible: see [`AnswerOptions::unread_prior`]. A single passage (k = 1) is the
/// baseline "best sentence of the top passage": its prior is 1 and nothing is marginalized. A
/// passage without text is allowed, but cannot support an answer.
///
/// # Errors
/// [`GenerateError::NoPassages`] for an empty slice; [`GenerateError::Value`] for an invalid score
/// or option; the generator's errors.
pub fn answer(
    generator: &dyn Generator,
    question: &str,
    passages: &[Retrieved<'_>],
    options: &AnswerOptions,
) -> Result<Answer, GenerateError> {
    answer_watched(generator, question, passages, options, &|_, _| ControlFlow::Continue(()), &mut |_| {
        ControlFlow::Continue(())
    })
}

/// As [`answer`], passing each of its tokens to `watch`: as it is chosen, in a search that goes
/// token by token, or all at the end, in one that looks ahead. Breaking ends a search that goes
/// token by token. While passages are read, `reading` receives the progress.
///
/// The evidence is computed for the whole answer, so an answer may be withheld after its tokens
/// were passed on.
///
/// # Errors
/// As [`answer`]; [`GenerateError::Cancelled`] when `reading` breaks.
pub fn answer_watched(
    generator: &dyn Generator,
    question: &str,
    passages: &[Retrieved<'_>],
    options: &AnswerOptions,
    reading: ReadWatch<'_>,
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
        answer_from(generator, question, &passages[..read], &log_prior, options, reading, &mut |token| {
            let mut token = token.clone();
            token.posterior.resize(passages.len(), 0.0);
            watch(&token)
        })?;
    answer.make_room(passages.len());
    Ok(answer)
}

/// Computes the answer from passages that are all read.
fn answer_from(
    generator: &dyn Generator,
    question: &str,
    passages: &[Retrieved<'_>],
    log_prior: &[f64],
    options: &AnswerOptions,
    reading: ReadWatch<'_>,
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
    let mut decoding = generator.start_watched(question, &read, reading)?;
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
    let any_end = matches!(options.search_by(generator), Decode::Union(_));
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
        min_probability: options.min_probability.unwrap_or(match options.no_answer_threshold {
            Some(_) => 0.0,
            None => calibration.min_confidence,
        }),
        fit: calibration.confidence,
        options,
    };
    let answer = composer.answer(&found)?;
    if !found.watched {
        let _ = answer.tokens.iter().try_for_each(watch);
    }
    Ok(answer)
}
