use std::ops::ControlFlow;

use postil_contract::{AnswerScores, Decoding, GenerateError, TokenId};

use super::growth::Growth;
use super::{Constraints, Hypothesis, check_prior, column};
use crate::{Mixture, Mode, Step};

/// A token just chosen.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Id of the token.
    pub token: TokenId,
    /// Text that the token adds; empty while a character is incomplete.
    pub text: &'a str,
    /// Log-probability of the token, and the posterior of its passages.
    pub step: &'a Step,
}

/// Callback for each token as it is chosen; breaking ends the answer there.
pub type Watch<'a> = &'a mut dyn FnMut(Said<'_>) -> ControlFlow<()>;

/// Extends one hypothesis token by token, from the start to a complete answer or the limit;
/// `choose` picks from the mixture's log-probabilities.
pub(super) fn walk(
    decoding: &mut dyn Decoding,
    mode: Mode,
    log_prior: &[f64],
    constraints: &Constraints,
    watch: Watch<'_>,
    mut choose: impl FnMut(&[f64]) -> usize,
) -> Result<Hypothesis, GenerateError> {
    check_prior(decoding.passages(), log_prior)?;
    constraints.check()?;
    let mut mixture = Mixture::new(mode, log_prior);
    let mut mixed = vec![0.0; decoding.vocabulary()];
    let (mut tokens, mut values) = (Vec::new(), Vec::new());
    let mut growth = Growth::default();
    let finished = loop {
        let log_probs = decoding.log_probs()?;
        mixture.next_token(log_probs.row(0), &mut mixed);
        constraints.apply(&tokens, &mut mixed);
        let token = TokenId::try_from(choose(&mixed)).expect("token ids are u32");
        let chosen = column(log_probs.row(0), mixed.len(), token);
        let step = mixture.observe(&chosen);
        values.extend(chosen);
        tokens.push(token);
        let added = growth.added(&decoding.text(&tokens));
        let stopped = watch(Said { token, text: &added, step: &step }).is_break();
        let finished = decoding.is_finished(&tokens);
        if stopped || finished || tokens.len() == constraints.max_tokens {
            break finished;
        }
        decoding.advance(&[0], &[token])?;
    };
    let scores = AnswerScores::new(decoding.passages(), values)?;
    Hypothesis::new(tokens, finished, scores, mode, log_prior)
}
