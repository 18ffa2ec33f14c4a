//! Question and passages in, answer with posterior citations out.
//!
//! Numbers only, no rendering, and no identities: passages are positions in the slice given, ranges are
//! bytes of their texts.
//!
//! file | responsibility
//! ---|---
//! `retrieved.rs` | what it is made from
//! `options.rs` | what the caller decides
//! `decode.rs` | the search that is asked for
//! `search.rs` | candidates, by that search
//! `names.rs` | names in a question that a passage should have
//! `null.rs` | what candidates would be without a passage
//! `evidence.rs` | what speaks for the answer and against it
//! `spans.rs` | tokens to words and clauses
//! `support.rs` | the sentence of a passage to show
//! `parts.rs` | an answer, and what it consists of
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

use std::ops::ControlFlow;

use postil_contract::{GenerateError, Generator, Passage};

use crate::Said;
use crate::marginalize::{Groups, prior, worth_reading};
use compose::Composer;
use null::{NULL, Null};
use search::search;

pub use decode::{DEFAULT_BEAMS, Decode, DecodeError};
pub use names::name_weights;
pub use options::{
    AnswerOptions, DEFAULT_CREDIT_LOG_RATIO, DEFAULT_CREDIT_POSTERIOR, DEFAULT_MAX_ALTERNATIVES,
    DEFAULT_MAX_CITATIONS, DEFAULT_MAX_TOKENS, DEFAULT_MIN_EVIDENCE, DEFAULT_UNREAD_PRIOR,
};
pub use parts::{Answer, AnswerToken, Basis, Candidate, Citation, Credit, Evidence, Span};
pub use retrieved::Retrieved;

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
    let any_end = matches!(options.search, Decode::Union(_));
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
