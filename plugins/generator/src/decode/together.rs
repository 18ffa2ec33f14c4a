use postil_contract::{Decoding, GenerateError, LogProbs, TokenId};
use rayon::prelude::*;

use super::beam::{BeamSearch, Continuation, Ranked};
use super::{BeamOptions, Constraints};
use crate::Mode;

/// An answer and the passages whose beams hold it.
pub(super) struct Proposal {
    pub(super) tokens: Vec<TokenId>,
    pub(super) found_in: Vec<usize>,
}

/// The results of several searches.
pub(super) struct Proposals {
    /// Answers of the search over the mixture, best first.
    pub(super) joint: Vec<Ranked>,
    /// Answers in the beams of each passage alone, in order of first appearance.
    pub(super) alone: Vec<Proposal>,
}

/// Runs a beam search under each passage alone and, if given, one over the mixture.
///
/// All searches share one decoding, so that each step reads the model once for all of them; the
/// decoding computes a prefix shared by several searches once. The first rows belong to the joint
/// search; in the others each passage has its own prefix. A search with fewer rows than the widest
/// repeats its last row; a finished search repeats its first with token 0, unused. `log_prior` is
/// log p(z|x), `[passages]`.
pub(super) fn propose(
    decoding: &mut dyn Decoding,
    log_prior: &[f64],
    mut joint: Option<BeamSearch<'_>>,
    constraints: &Constraints,
    options: &BeamOptions,
) -> Result<Proposals, GenerateError> {
    let passages = decoding.passages();
    let alone = || BeamSearch::new(decoding, Mode::Sequence, &[0.0], constraints, options);
    let mut searches = (0..passages).map(|_| alone()).collect::<Result<Vec<_>, _>>()?;
    decoding.restart();
    // First of the rows in which each passage has its own prefix; at the start, all share one row.
    let mut first = 0;
    loop {
        let log_probs = decoding.log_probs()?;
        let of_joint = joint.as_ref().map(|search| search.continuations(|row| log_probs.row(row)));
        let found = continuations(&searches, &log_probs, first);
        let best_alone = searches.iter().zip(&found).zip(log_prior).map(|((s, found), p)| p + s.best(found));
        let best = joint.iter().zip(&of_joint).map(|(search, found)| search.best(found)).chain(best_alone);
        let bar = best.fold(f64::NEG_INFINITY, f64::max) - options.margin;
        let joint_next = joint.as_mut().zip(of_joint).map_or_else(Vec::new, |(search, found)| {
            search.step(decoding, found, bar, |row| log_probs.row(row))
        });
        let step = |(z, (search, found)): (usize, (&mut BeamSearch<'_>, Vec<Continuation>))| {
            // Relative to a passage's own prior: a passage with prior 0 continues only when there
            // is no bar.
            let bar = if bar > f64::NEG_INFINITY { bar - log_prior[z] } else { bar };
            search.step(decoding, found, bar, |row| log_probs.line(first + row, z))
        };
        let next: Vec<Vec<(usize, TokenId)>> = searches.iter_mut().zip(found).enumerate().map(step).collect();
        let rows = next.iter().map(Vec::len).max().unwrap_or(0);
        if rows == 0 && joint_next.is_empty() {
            break;
        }
        let together = joint_next.iter().flat_map(|next| std::iter::repeat_n(*next, passages));
        let row = |r: usize| next.iter().map(move |next| next.get(r).or(next.last()).copied());
        let apart = (0..rows).flat_map(row).map(Option::unwrap_or_default);
        let apart = apart.map(|(parent, token)| (first + parent, token));
        let (parents, tokens): (Vec<usize>, Vec<TokenId>) = together.chain(apart).unzip();
        decoding.advance_each(&parents, &tokens)?;
        first = joint_next.len();
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
    let joint = joint.map_or_else(|| Ok(Vec::new()), |search| search.finish(decoding))?;
    Ok(Proposals { joint, alone: proposals })
}

/// Continuations of the searches under each passage alone, whose rows begin at `first`.
fn continuations(searches: &[BeamSearch<'_>], log_probs: &LogProbs, first: usize) -> Vec<Vec<Continuation>> {
    let of_search =
        |(z, search): (usize, &BeamSearch<'_>)| search.continuations(|row| log_probs.line(first + row, z));
    searches.par_iter().enumerate().map(of_search).collect()
}
