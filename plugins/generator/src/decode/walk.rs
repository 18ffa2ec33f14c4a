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
/// `choose` picks from the mixture's log-probabilities. Passages stop being decoded as
/// [`greedy`](super::greedy) says; the answer is then scored under them in one pass.
pub(super) fn walk(
    decoding: &mut dyn Decoding,
    mode: Mode,
    log_prior: &[f64],
    constraints: &Constraints,
    undecoded: f64,
    watch: Watch<'_>,
    mut choose: impl FnMut(&[f64]) -> usize,
) -> Result<Hypothesis, GenerateError> {
    check_prior(decoding.passages(), log_prior)?;
    constraints.check()?;
    let mut mixture = Mixture::new(mode, log_prior);
    let mut mixed = vec![0.0; decoding.vocabulary()];
    let (mut tokens, mut values) = (Vec::new(), Vec::new());
    let mut growth = Growth::default();
    let mut lesser = Lesser::new(mode, decoding.passages(), undecoded)?;
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
        if let Some(decoded) = lesser.without(&step.posterior) {
            if decoding.restrict(&decoded) {
                lesser.decoded = decoded;
            } else {
                lesser.share = 0.0;
            }
        }
    };
    let left: Vec<usize> = (0..decoding.passages()).filter(|z| !lesser.decoded.contains(z)).collect();
    if !left.is_empty() {
        let scores = decoding.score_under(&[tokens.clone()], &left)?;
        let passages = decoding.passages();
        for (i, token) in scores.iter().flat_map(AnswerScores::tokens).enumerate() {
            left.iter().for_each(|z| values[i * passages + z] = token[*z]);
        }
    }
    let scores = AnswerScores::new(decoding.passages(), values)?;
    Hypothesis::new(tokens, finished, scores, mode, log_prior)
}

/// The passages that are still decoded.
struct Lesser {
    decoded: Vec<usize>,
    /// Share of the posterior that may still be left.
    share: f64,
}

impl Lesser {
    fn new(mode: Mode, passages: usize, share: f64) -> Result<Self, GenerateError> {
        if !(0.0..=1.0).contains(&share) {
            let (what, expected) = ("share of the posterior not decoded", "between 0 and 1");
            return Err(GenerateError::Value { what, got: share, expected });
        }
        // Under RAG-Token a passage has its prior again at every token.
        let share = if mode == Mode::Sequence { share } else { 0.0 };
        Ok(Self { decoded: (0..passages).collect(), share })
    }

    /// The passages to decode from here on, given the posterior of each, `[passages]`; `None` when
    /// they remain the same. The share of those left is spent.
    fn without(&mut self, posterior: &[f64]) -> Option<Vec<usize>> {
        if self.share == 0.0 {
            return None;
        }
        let mut kept = self.decoded.clone();
        kept.sort_by(|a, b| posterior[*b].total_cmp(&posterior[*a]).then(a.cmp(b)));
        while let [_, .., least] = kept[..] {
            if posterior[least] > self.share {
                break;
            }
            self.share -= posterior[least];
            kept.pop();
        }
        kept.sort_unstable();
        (kept.len() < self.decoded.len()).then_some(kept)
    }
}
