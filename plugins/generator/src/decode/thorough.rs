use postil_contract::{Decoding, GenerateError};

use super::together::propose;
use super::{BeamOptions, Constraints, Hypothesis, check_prior, exhaustive};
use crate::{Mode, log_sum_exp};

/// An answer that the search under some single passage proposed.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// The answer, scored under every passage.
    pub hypothesis: Hypothesis,
    /// The passages whose own beams hold it, ascending.
    pub found_in: Vec<usize>,
    /// RAG-Sequence log-probability of the answer if passages that did not propose it gave it none.
    pub fast_log_prob: f64,
}

/// Thorough decoding (Lewis et al. 2020, section 2.5): runs a beam search under each passage alone,
/// scores every candidate under every passage, and ranks by exact log-probability.
///
/// Restarts the decoding and consumes its rows. There is no length penalty, and an answer cut at
/// the limit competes without an end token.
///
/// # Errors
/// As [`super::beam`].
pub fn thorough(
    decoding: &mut dyn Decoding,
    mode: Mode,
    log_prior: &[f64],
    constraints: &Constraints,
    options: &BeamOptions,
) -> Result<Vec<Proposed>, GenerateError> {
    check_prior(decoding.passages(), log_prior)?;
    let proposals = propose(decoding, log_prior, None, constraints, options)?.alone;
    let answers = proposals.iter().map(|p| p.tokens.clone()).collect();
    let scored = exhaustive(decoding, answers, mode, log_prior)?;
    let propose = |hypothesis: Hypothesis| {
        let at = proposals.iter().position(|p| p.tokens == hypothesis.tokens);
        let found_in = proposals[at.expect("scores are of the proposals")].found_in.clone();
        let joint = |z: &usize| log_prior[*z] + hypothesis.marginal.log_likelihoods[*z];
        let fast_log_prob = log_sum_exp(found_in.iter().map(joint));
        Proposed { hypothesis, found_in, fast_log_prob }
    };
    Ok(scored.into_iter().map(propose).collect())
}

/// Fast decoding: ranks the same candidates as if a passage that did not propose one gave it
/// probability 0. This saves the scoring, unless it is done for another reason; the value never
/// exceeds the exact one.
pub fn fast(mut proposed: Vec<Proposed>) -> Vec<Proposed> {
    proposed.sort_by(|a, b| b.fast_log_prob.total_cmp(&a.fast_log_prob));
    proposed
}
