use postil_contract::{GenerateError, Generator};

use super::decode::Decode;
use crate::{Constraints, Mode};

/// Default maximum number of citations.
pub const DEFAULT_MAX_CITATIONS: usize = 5;
/// Default maximum number of alternatives.
pub const DEFAULT_MAX_ALTERNATIVES: usize = 4;
/// Default length of the longest answer in tokens, for generators that write freely.
pub const DEFAULT_MAX_TOKENS: usize = 128;

/// Least posterior at which a passage is credited with a span: half the posterior of each of five
/// equally likely passages. It is a choice, not a measurement: the ratio below tells support from
/// chance, and this bound only hides passages that are ten times less likely than others.
pub const DEFAULT_CREDIT_POSTERIOR: f64 = 0.1;

/// Least log-ratio, in nats, of a span's probability under a passage to that under the empty
/// passage: 2, a factor of 7.4, the starting value suggested in the project's notes on semantics.
/// Not calibrated.
pub const DEFAULT_CREDIT_LOG_RATIO: f64 = 2.0;

/// Least log-ratio, in nats, of an answer's probability with the passages to that with the empty
/// passage, for generators that cannot say "no answer": the same as for a single span
/// ([`DEFAULT_CREDIT_LOG_RATIO`]), since an answer with no part that could be credited is a guess.
/// Not calibrated.
pub const DEFAULT_MIN_EVIDENCE: f64 = DEFAULT_CREDIT_LOG_RATIO;

/// Default share of the prior that is left unread: a thousandth, as the search drops hypotheses a
/// thousand times less probable than the likeliest ([`crate::DEFAULT_MARGIN`]).
pub const DEFAULT_UNREAD_PRIOR: f64 = 0.001;

/// Default share of the posterior that is not decoded: the same thousandth.
pub const DEFAULT_UNDECODED_POSTERIOR: f64 = DEFAULT_UNREAD_PRIOR;

/// Options of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerOptions {
    /// The model to marginalize under. Default [`Mode::Sequence`].
    pub mode: Mode,
    /// The scale s in p(z|x) = softmax_z(s * score), finite, at least 0: the encoder's score scale.
    /// No default, since a wrong one makes the prior flat or one-sided.
    pub score_scale: f32,
    /// Share of the prior, in [0, 1], that may be left unread: the last passages given are not read
    /// when their priors together do not exceed it, see [`crate::worth_reading`]. 0 reads all.
    /// Default [`DEFAULT_UNREAD_PRIOR`].
    pub unread_prior: f64,
    /// Share of the posterior, in [0, 1], of passages that stop being decoded while an answer is
    /// written token by token under RAG-Sequence, see [`crate::greedy`]; the answer's probability
    /// and posteriors stay exact. 0 decodes all. Default [`DEFAULT_UNDECODED_POSTERIOR`].
    pub undecoded_posterior: f64,
    /// Maximum number of citations. Default [`DEFAULT_MAX_CITATIONS`].
    pub max_citations: usize,
    /// Maximum number of alternatives. Default [`DEFAULT_MAX_ALTERNATIVES`].
    pub max_alternatives: usize,
    /// Search for the answers of a generator that writes freely; one with finitely many answers is
    /// searched exhaustively. `None`, the default, is [`Decode::Greedy`] for a generator that
    /// [prefers](Generator::prefers_greedy) it, else [`Decode::Union`] with
    /// [`DEFAULT_BEAMS`](super::DEFAULT_BEAMS).
    pub search: Option<Decode>,
    /// Constraints on freely written answers. Default: at most [`DEFAULT_MAX_TOKENS`].
    pub constraints: Constraints,
    /// Least posterior, in [0, 1], at which a passage, together with its copies, is credited with a
    /// span. Default [`DEFAULT_CREDIT_POSTERIOR`].
    pub credit_posterior: f64,
    /// Least log-ratio to the empty passage, in nats, at which a passage is credited with a span.
    /// -inf credits by posterior alone. Default [`DEFAULT_CREDIT_LOG_RATIO`].
    pub credit_log_ratio: f64,
    /// Least evidence log-ratio of an answer, in nats, for generators that cannot say "no answer":
    /// see [`super::Evidence`]. -inf never withholds an answer. Default [`DEFAULT_MIN_EVIDENCE`].
    pub min_evidence: f64,
    /// [`super::Answer::abstention_score`] above which an answer is withheld, in [0, 1], for
    /// generators that can say "no answer"; 1 gives every answer. Default `None`: the generator's
    /// calibrated threshold; if it has none, an answer is withheld when "no answer" is more
    /// probable.
    pub no_answer_threshold: Option<f64>,
    /// Least probability that an answer is right, in [0, 1], at which it is given: its
    /// [confidence](super::Answer::confidence), or p(y|x) when that is `None`; 0 withholds none.
    /// Default `None`: the generator's calibrated least confidence, or 0 where
    /// `no_answer_threshold` is set.
    pub min_probability: Option<f64>,
}

impl AnswerOptions {
    /// The default options, for scores of an encoder with this scale.
    pub fn new(score_scale: f32) -> Self {
        Self {
            mode: Mode::default(),
            score_scale,
            unread_prior: DEFAULT_UNREAD_PRIOR,
            undecoded_posterior: DEFAULT_UNDECODED_POSTERIOR,
            max_citations: DEFAULT_MAX_CITATIONS,
            max_alternatives: DEFAULT_MAX_ALTERNATIVES,
            search: None,
            constraints: Constraints::new(DEFAULT_MAX_TOKENS),
            credit_posterior: DEFAULT_CREDIT_POSTERIOR,
            credit_log_ratio: DEFAULT_CREDIT_LOG_RATIO,
            min_evidence: DEFAULT_MIN_EVIDENCE,
            no_answer_threshold: None,
            min_probability: None,
        }
    }

    /// The search by which `generator` looks for an answer.
    pub(super) fn search_by(&self, generator: &dyn Generator) -> Decode {
        self.search.clone().unwrap_or_else(|| match generator.prefers_greedy() {
            true => Decode::Greedy,
            false => Decode::default(),
        })
    }

    /// Refuses invalid numbers, as [`answer`](super::answer) does.
    ///
    /// # Errors
    /// [`GenerateError::Value`] for the first of them.
    pub fn check(&self) -> Result<(), GenerateError> {
        let scale = f64::from(self.score_scale);
        let below_infinity = |v: f64| v < f64::INFINITY;
        for (is_good, what, got, expected) in [
            (scale.is_finite() && scale >= 0.0, "score scale", scale, "finite and at least 0"),
            (
                (0.0..=1.0).contains(&self.unread_prior),
                "share of the prior left unread",
                self.unread_prior,
                "between 0 and 1",
            ),
            (
                (0.0..=1.0).contains(&self.undecoded_posterior),
                "share of the posterior not decoded",
                self.undecoded_posterior,
                "between 0 and 1",
            ),
            (
                (0.0..=1.0).contains(&self.credit_posterior),
                "least posterior of a source",
                self.credit_posterior,
                "between 0 and 1",
            ),
            (
                below_infinity(self.credit_log_ratio),
                "least log-ratio of a source",
                self.credit_log_ratio,
                "a number below infinity",
            ),
            (
                (0.0..=1.0).contains(&self.no_answer_threshold.unwrap_or(0.0)),
                "highest probability of \"no answer\"",
                self.no_answer_threshold.unwrap_or(0.0),
                "between 0 and 1",
            ),
            (
                (0.0..=1.0).contains(&self.min_probability.unwrap_or(0.0)),
                "least probability of an answer",
                self.min_probability.unwrap_or(0.0),
                "between 0 and 1",
            ),
            (
                below_infinity(self.min_evidence),
                "least evidence of an answer",
                self.min_evidence,
                "a number below infinity",
            ),
        ] {
            if !is_good {
                return Err(GenerateError::Value { what, got, expected });
            }
        }
        match &self.search {
            None | Some(Decode::Greedy) => {}
            Some(Decode::Sample(sampling)) => sampling.check()?,
            Some(
                Decode::Beam(beams) | Decode::Thorough(beams) | Decode::Fast(beams) | Decode::Union(beams),
            ) => beams.check()?,
        }
        self.constraints.check()
    }
}
