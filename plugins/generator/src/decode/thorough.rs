use postil_contract::{Decoding, GenerateError, TokenId};

use super::beam::BeamSearch;
use super::{BeamOptions, Constraints, Hypothesis, exhaustive};
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
/// From the decoding's start, whatever rows it has; uses them up. Lengths are not evened out, and an answer
/// cut at the limit competes without an end token.
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
    let proposals = propose(decoding, constraints, options)?;
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
///
/// The searches go side by side through one decoding, so that each step reads the model once for all of them.
/// One with fewer rows than the widest repeats its last; one that is over goes nowhere with its first.
pub(super) fn propose(
    decoding: &mut dyn Decoding,
    constraints: &Constraints,
    options: &BeamOptions,
) -> Result<Vec<Proposal>, GenerateError> {
    let alone = || BeamSearch::new(decoding, Mode::Sequence, &[0.0], constraints, options);
    let mut searches = (0..decoding.passages()).map(|_| alone()).collect::<Result<Vec<_>, _>>()?;
    decoding.restart();
    loop {
        let log_probs = decoding.log_probs()?;
        let step =
            |(z, search): (usize, &mut BeamSearch<'_>)| search.step(decoding, |row| log_probs.line(row, z));
        let next: Vec<Vec<(usize, TokenId)>> = searches.iter_mut().enumerate().map(step).collect();
        let rows = next.iter().map(Vec::len).max().unwrap_or(0);
        if rows == 0 {
            break;
        }
        let row = |r: usize| next.iter().map(move |next| next.get(r).or(next.last()).copied());
        let (parents, tokens): (Vec<usize>, Vec<TokenId>) =
            (0..rows).flat_map(row).map(Option::unwrap_or_default).unzip();
        decoding.advance_each(&parents, &tokens)?;
    }
    let mut proposals: Vec<Proposal> = Vec::new();
    for (z, search) in searches.into_iter().enumerate() {
        for hypothesis in search.finish(decoding)?.into_iter().map(|ranked| ranked.hypothesis) {
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
