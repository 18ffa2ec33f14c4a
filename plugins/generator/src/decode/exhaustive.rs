use postil_contract::{Decoding, GenerateError, TokenId};

use super::Hypothesis;
use crate::Mode;

/// Scores each of `candidates` under every passage and ranks them by marginal log-probability,
/// highest first; equal ones keep their order.
///
/// With [`Decoding::candidates`] the search is exact: nothing is pruned, and the probabilities of
/// all hypotheses sum to 1.
///
/// # Errors
/// [`GenerateError::Shape`] when there is not one prior per passage; the errors of
/// [`Decoding::score`].
pub fn exhaustive(
    decoding: &mut dyn Decoding,
    candidates: Vec<Vec<TokenId>>,
    mode: Mode,
    log_prior: &[f64],
) -> Result<Vec<Hypothesis>, GenerateError> {
    let scores = decoding.score(&candidates)?;
    let mut ranked = Vec::with_capacity(candidates.len());
    for (tokens, scores) in candidates.into_iter().zip(scores) {
        let finished = decoding.is_finished(&tokens);
        ranked.push(Hypothesis::new(tokens, finished, scores, mode, log_prior)?);
    }
    ranked.sort_by(|a, b| b.marginal.log_prob.total_cmp(&a.marginal.log_prob));
    Ok(ranked)
}
