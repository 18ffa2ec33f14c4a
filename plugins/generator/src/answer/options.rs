use postil_contract::GenerateError;

use super::decode::Decode;
use crate::{Constraints, Mode};

/// Citations listed unless told otherwise.
pub const DEFAULT_MAX_CITATIONS: usize = 5;
/// Alternatives listed unless told otherwise.
pub const DEFAULT_MAX_ALTERNATIVES: usize = 4;
/// Longest answer unless told otherwise, for generators that write freely.
pub const DEFAULT_MAX_TOKENS: usize = 128;

/// The posterior a passage needs to be credited with a span: half of what each of five passages has when
/// none says it better than another. A choice, not a measurement: the ratio below tells support from
/// chance, this only spares a reader passages that are ten times less likely than others.
pub const DEFAULT_CREDIT_POSTERIOR: f64 = 0.1;

/// The nats by which a passage must make a span likelier than the empty passage does: 2, a factor of 7.4,
/// as the project's notes on semantics suggest to start with. Not calibrated.
pub const DEFAULT_CREDIT_LOG_RATIO: f64 = 2.0;

/// The nats by which the passages must make an answer likelier than the empty passage does, for generators
/// that cannot say "no answer": no less than for a single span ([`DEFAULT_CREDIT_LOG_RATIO`]), since an
/// answer of which no part could be credited is a guess. Not calibrated.
pub const DEFAULT_MIN_EVIDENCE: f64 = DEFAULT_CREDIT_LOG_RATIO;

/// The share of the prior that is left unread unless told otherwise: a thousandth, as hypotheses a thousand times less
/// probable than the likeliest are left by the search ([`crate::DEFAULT_MARGIN`]).
pub const DEFAULT_UNREAD_PRIOR: f64 = 0.001;

/// How to answer.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerOptions {
    /// The model to marginalize under. Default [`Mode::Sequence`].
    pub mode: Mode,
    /// The s of p(z|x) = softmax_z(s * score), finite, at least 0: the encoder's score scale. No default,
    /// since a wrong one makes the prior flat or one-sided.
    pub score_scale: f32,
    /// The share of the prior, in [0, 1], that may be left unread: the last passages given are not read when together they
    /// have no more, see [`crate::worth_reading`]. 0 reads all. Default [`DEFAULT_UNREAD_PRIOR`].
    pub unread_prior: f64,
    /// Most citations to list. Default [`DEFAULT_MAX_CITATIONS`].
    pub max_citations: usize,
    /// Most alternatives to list. Default [`DEFAULT_MAX_ALTERNATIVES`].
    pub max_alternatives: usize,
    /// How to search the answers of a generator that writes freely; one whose answers can be counted is
    /// searched exhaustively. Default [`Decode::Union`] with [`DEFAULT_BEAMS`].
    pub search: Decode,
    /// What such answers may look like. Default: at most [`DEFAULT_MAX_TOKENS`].
    pub constraints: Constraints,
    /// Least posterior of a passage that a span is credited to, copies of it taken together, in [0, 1].
    /// Default [`DEFAULT_CREDIT_POSTERIOR`].
    pub credit_posterior: f64,
    /// Least log-ratio against the empty passage of a passage that a span is credited to. -inf credits by
    /// posterior alone. Default [`DEFAULT_CREDIT_LOG_RATIO`].
    pub credit_log_ratio: f64,
    /// Least evidence log-ratio of an answer, for generators that cannot say "no answer": see
    /// [`super::Evidence`]. -inf never withholds one. Default [`DEFAULT_MIN_EVIDENCE`].
    pub min_evidence: f64,
    /// [`super::Answer::abstention_score`] above which an answer is withheld, in [0, 1], for generators that can say "no
    /// answer"; 1 gives every answer. Default `None`: the generator's calibrated one; without that, an answer is withheld
    /// where "no answer" is more probable.
    pub no_answer_threshold: Option<f64>,
    /// Least probability that an answer is right, in [0, 1], for it to be given: its
    /// [confidence](super::Answer::confidence), or p(y|x) where that is not known. Default 0.
    pub min_probability: f64,
}

impl AnswerOptions {
    /// The defaults, for scores of an encoder with this scale.
    pub fn new(score_scale: f32) -> Self {
        Self {
            mode: Mode::default(),
            score_scale,
            unread_prior: DEFAULT_UNREAD_PRIOR,
            max_citations: DEFAULT_MAX_CITATIONS,
            max_alternatives: DEFAULT_MAX_ALTERNATIVES,
            search: Decode::default(),
            constraints: Constraints::new(DEFAULT_MAX_TOKENS),
            credit_posterior: DEFAULT_CREDIT_POSTERIOR,
            credit_log_ratio: DEFAULT_CREDIT_LOG_RATIO,
            min_evidence: DEFAULT_MIN_EVIDENCE,
            no_answer_threshold: None,
            min_probability: 0.0,
        }
    }

    /// Refuses numbers that cannot be computed with, as [`answer`](super::answer) does.
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
                (0.0..=1.0).contains(&self.min_probability),
                "least probability of an answer",
                self.min_probability,
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
        self.constraints.check()
    }
}
