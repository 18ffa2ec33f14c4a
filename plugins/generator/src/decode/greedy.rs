use postil_contract::{Decoding, GenerateError};

use super::walk::{Watch, walk};
use super::{Constraints, Hypothesis};
use crate::Mode;

/// Takes the most probable token of the mixture at each step, the lowest id among equals. Consumes
/// the decoding's rows.
///
/// # Errors
/// [`GenerateError::Value`] when the longest answer has no token; [`GenerateError::Shape`] when
/// there is not one prior per passage; the decoding's errors.
pub fn greedy(
    decoding: &mut dyn Decoding,
    mode: Mode,
    log_prior: &[f64],
    constraints: &Constraints,
    watch: Watch<'_>,
) -> Result<Hypothesis, GenerateError> {
    walk(decoding, mode, log_prior, constraints, watch, |mixed| {
        mixed.iter().enumerate().fold(0, |best, (v, p)| if *p > mixed[best] { v } else { best })
    })
}
