use postil_contract::{Decoding, GenerateError, TokenId};

use super::{BeamOptions, Constraints, Hypothesis, Ranked, beam, exhaustive};
use crate::{Mode, log_sum_exp};

/// An answer that some passage alone proposed.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// The answer, scored under every passage.
    pub hypothesis: Hypothesis,
    /// The passages whose own beams hold it, ascending.
    pub found_in: Vec<usize>,
    /// Its RAG-Sequence log-probability if passages that did not propose it gave it none.
    pub fast_log_prob: f64,
}

/// Thorough decoding (Lewis et al. 2020, section 2.5): a beam search under each passage alone, then every
/// candidate scored under every passage; ranked by exact log-probability.
///
/// `alone`: one decoding per passage, of that passage only; used up. `decoding`, of all passages, only
/// scores. Lengths are not evened out, and an answer cut at the limit competes without an end token.
///
/// # Errors
/// As [`beam`]; [`GenerateError::Shape`] when there is not one decoding per passage.
pub fn thorough(
    decoding: &mut dyn Decoding,
    alone: &mut [Box<dyn Decoding + '_>],
    mode: Mode,
    log_prior: &[f64],
    constraints: &Constraints,
    options: &BeamOptions,
) -> Result<Vec<Proposed>, GenerateError> {
    let proposals = propose(decoding.passages(), alone, constraints, options)?;
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

/// An answer and the passages whose beams hold it.
pub(super) struct Proposal {
    pub(super) tokens: Vec<TokenId>,
    pub(super) found_in: Vec<usize>,
}

/// Answers in the beams of each passage alone, in order of first appearance.
pub(super) fn propose(
    passages: usize,
    alone: &mut [Box<dyn Decoding + '_>],
    constraints: &Constraints,
    options: &BeamOptions,
) -> Result<Vec<Proposal>, GenerateError> {
    if alone.len() != passages {
        let (got, expected) = (alone.len(), passages);
        return Err(GenerateError::Shape { what: "decodings of one passage", got, expected });
    }
    let mut proposals: Vec<Proposal> = Vec::new();
    for (z, alone) in alone.iter_mut().enumerate() {
        for Ranked { hypothesis, .. } in beam(alone.as_mut(), Mode::Sequence, &[0.0], constraints, options)? {
            match proposals.iter_mut().find(|known| known.tokens == hypothesis.tokens) {
                Some(known) => known.found_in.push(z),
                None => proposals.push(Proposal { tokens: hypothesis.tokens, found_in: vec![z] }),
            }
        }
    }
    Ok(proposals)
}

/// Fast decoding: the same candidates, ranked as if a passage that did not propose one gave it
/// probability 0. Spares the scoring where it was not done for another reason; never above the exact value.
pub fn fast(mut proposed: Vec<Proposed>) -> Vec<Proposed> {
    proposed.sort_by(|a, b| b.fast_log_prob.total_cmp(&a.fast_log_prob));
    proposed
}
