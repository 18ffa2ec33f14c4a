use postil_contract::{AnswerScores, Decoding, GenerateError, TokenId};

use super::beam::BeamSearch;
use super::together::propose;
use super::{BeamOptions, Constraints, Hypothesis, check_prior, end_tokens, exhaustive};
use crate::{Mode, log_sum_exp};

/// The candidates of joint beam search and of thorough decoding together, scored exactly: each may
/// find answers that the other misses.
///
/// All end tokens count as one event: candidates that differ only in their end token are merged,
/// and the ends' probabilities summed. Answers cut at the limit rank after all complete ones, since
/// they lack the cost of an end.
///
/// # Errors
/// As [`super::thorough`].
pub fn union(
    decoding: &mut dyn Decoding,
    mode: Mode,
    log_prior: &[f64],
    constraints: &Constraints,
    options: &BeamOptions,
) -> Result<Vec<Hypothesis>, GenerateError> {
    check_prior(decoding.passages(), log_prior)?;
    let joint = BeamSearch::new(decoding, mode, log_prior, constraints, options)?;
    let found = propose(decoding, log_prior, Some(joint), constraints, options)?;
    let ends = end_tokens(decoding);
    let body = |tokens: &[TokenId]| match tokens.split_last() {
        Some((last, body)) if ends.contains(last) => (true, body.len()),
        _ => (false, tokens.len()),
    };
    let mut distinct: Vec<Vec<TokenId>> = Vec::new();
    let joint = found.joint.into_iter().map(|ranked| ranked.hypothesis.tokens);
    for tokens in joint.chain(found.alone.into_iter().map(|proposal| proposal.tokens)) {
        let (ended, length) = body(&tokens);
        if distinct.iter().all(|known| body(known) != (ended, length) || known[..length] != tokens[..length])
        {
            distinct.push(tokens);
        }
    }
    let mut scored = Vec::with_capacity(distinct.len());
    for found in exhaustive(decoding, distinct, mode, log_prior)? {
        scored.push(match body(&found.tokens).0 && ends.len() > 1 {
            true => with_any_end(decoding, &found, &ends, mode, log_prior)?,
            false => found,
        });
    }
    let order = |a: &Hypothesis, b: &Hypothesis| {
        b.finished.cmp(&a.finished).then(b.marginal.log_prob.total_cmp(&a.marginal.log_prob))
    };
    scored.sort_by(order);
    Ok(scored)
}

/// The hypothesis with its end token's probability replaced by that of all end tokens.
fn with_any_end(
    decoding: &mut dyn Decoding,
    found: &Hypothesis,
    ends: &[TokenId],
    mode: Mode,
    log_prior: &[f64],
) -> Result<Hypothesis, GenerateError> {
    let body = &found.tokens[..found.tokens.len() - 1];
    let endings: Vec<Vec<TokenId>> = ends.iter().map(|end| [body, &[*end]].concat()).collect();
    let scores = decoding.score(&endings)?;
    let passages = found.scores.passages();
    let ending = |scores: &AnswerScores, z: usize| scores.tokens().next_back().and_then(|token| token[z]);
    let any = |z: usize| {
        let said: Option<Vec<f64>> = scores.iter().map(|s| ending(s, z).map(f64::from)).collect();
        said.map(|said| log_sum_exp(said).min(0.0) as f32)
    };
    let said = found.scores.tokens().take(body.len()).flatten().copied();
    let values = said.chain((0..passages).map(any)).collect();
    let scores = AnswerScores::new(passages, values)?;
    Hypothesis::new(found.tokens.clone(), true, scores, mode, log_prior)
}
