use postil_contract::GenerateError;

use super::Search;
use crate::{BeamOptions, Constraints, Mode};

/// Citations listed unless told otherwise.
pub const DEFAULT_MAX_CITATIONS: usize = 5;
/// Alternatives listed unless told otherwise.
pub const DEFAULT_MAX_ALTERNATIVES: usize = 4;
/// Longest answer unless told otherwise, for generators that write freely.
pub const DEFAULT_MAX_TOKENS: usize = 128;

/// Beams of the default search.
pub const DEFAULT_BEAMS: usize = 4;

/// How to answer.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerOptions {
    /// The model to marginalize under. Default [`Mode::Sequence`].
    pub mode: Mode,
    /// The s of p(z|x) = softmax_z(s * score), finite, at least 0: the encoder's score scale. No default,
    /// since a wrong one makes the prior flat or one-sided.
    pub score_scale: f32,
    /// Most citations to list. Default [`DEFAULT_MAX_CITATIONS`].
    pub max_citations: usize,
    /// Most alternatives to list. Default [`DEFAULT_MAX_ALTERNATIVES`].
    pub max_alternatives: usize,
    /// How to search the answers of a generator that writes freely; one whose answers can be counted is
    /// searched exhaustively. Default [`Search::Union`] with [`DEFAULT_BEAMS`].
    pub search: Search,
    /// What such answers may look like. Default: at most [`DEFAULT_MAX_TOKENS`].
    pub constraints: Constraints,
}

impl AnswerOptions {
    /// The defaults, for scores of an encoder with this scale.
    pub fn new(score_scale: f32) -> Self {
        Self {
            mode: Mode::default(),
            score_scale,
            max_citations: DEFAULT_MAX_CITATIONS,
            max_alternatives: DEFAULT_MAX_ALTERNATIVES,
            search: Search::Union(BeamOptions::new(DEFAULT_BEAMS)),
            constraints: Constraints::new(DEFAULT_MAX_TOKENS),
        }
    }

    pub(super) fn check(&self) -> Result<(), GenerateError> {
        if !self.score_scale.is_finite() || self.score_scale < 0.0 {
            let got = f64::from(self.score_scale);
            return Err(GenerateError::Value { what: "score scale", got, expected: "finite and at least 0" });
        }
        self.constraints.check()
    }
}
