use postil_contract::{Decoding, GenerateError};

use super::walk::{Watch, walk};
use super::{Constraints, Hypothesis};
use crate::Mode;

/// Takes the most probable token of the mixture at each step, the lowest id among equals. Consumes
/// the decoding's rows.
///
/// Under RAG-Sequence, passages stop being decoded once their posteriors sum to `undecoded` or less,
/// over the whole answer: until the answer is complete, p(y_1..i|x) is too low by at most this share,
/// which may change the choice of a token. The answer's scores are exact: in the end it is scored
/// under those passages too. 0 decodes all.
///
/// # Errors
/// [`GenerateError::Value`] when the longest answer has no token, or `undecoded` is no share; [`GenerateError::Shape`] when
/// there is not one prior per passage; the decoding's errors.
pub fn greedy(
    decoding: &mut dyn Decoding,
    mode: Mode,
    log_prior: &[f64],
    constraints: &Constraints,
    undecoded: f64,
    watch: Watch<'_>,
) -> Result<Hypothesis, GenerateError> {
    walk(decoding, mode, log_prior, constraints, undecoded, watch, |mixed| {
        mixed.iter().enumerate().fold(0, |best, (v, p)| if *p > mixed[best] { v } else { best })
    })
}
