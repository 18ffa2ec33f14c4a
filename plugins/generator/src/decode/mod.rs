//! Searches for answers, written once over [`postil_contract::Decoding`].
//!
//! Every decoder works on the mixture, under either [`crate::Mode`]: RAG-Sequence is decoded
//! jointly, by the chain rule.
//!
//! file | responsibility
//! ---|---
//! `exhaustive.rs` | every possible answer, for a generator with finitely many
//! `constraints.rs` | length, forced tokens, repeated runs
//! `growth.rs` | the text that each token adds
//! `walk.rs` | one hypothesis, token by token, watched and interruptible
//! `greedy.rs` | a walk along the most probable tokens
//! `sample.rs` | a walk along drawn tokens
//! `beam.rs` | several hypotheses at once
//! `together.rs` | beams over the mixture and under each passage alone, side by side
//! `thorough.rs` | beams under each passage alone, scored under all; the paper's thorough and fast decoding
//! `union.rs` | joint and thorough candidates together, scored exactly

mod beam;
mod constraints;
mod exhaustive;
mod greedy;
pub(crate) mod growth;
mod sample;
mod thorough;
mod together;
mod union;
mod walk;

use postil_contract::{AnswerScores, Decoding, GenerateError, TokenId};

use crate::{Marginal, Mode, marginal};

pub use beam::{BeamOptions, DEFAULT_MARGIN, EarlyStopping, Ranked, beam};
pub use constraints::Constraints;
pub use exhaustive::exhaustive;
pub use greedy::greedy;
pub use sample::{Sampling, sample};
pub use thorough::{Proposed, fast, thorough};
pub use union::union;
pub use walk::{Said, Watch};

/// An answer found, with its scores under every passage.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// Tokens of the answer, with its end token if it is complete.
    pub tokens: Vec<TokenId>,
    /// log p(y_i|x,z,y_<i) of each token under each passage.
    pub scores: AnswerScores,
    /// The answer's probabilities with the passage marginalized out.
    pub marginal: Marginal,
    /// True when the answer is complete; false when it was cut at the limit.
    pub finished: bool,
}

impl Hypothesis {
    fn new(
        tokens: Vec<TokenId>,
        finished: bool,
        scores: AnswerScores,
        mode: Mode,
        log_prior: &[f64],
    ) -> Result<Self, GenerateError> {
        check_prior(scores.passages(), log_prior)?;
        let marginal = marginal(mode, log_prior, scores.tokens());
        Ok(Self { tokens, scores, marginal, finished })
    }
}

fn check_prior(passages: usize, log_prior: &[f64]) -> Result<(), GenerateError> {
    match log_prior.len() == passages {
        true => Ok(()),
        false => Err(GenerateError::Shape { what: "priors", got: log_prior.len(), expected: passages }),
    }
}

/// Each passage's log-probability of `token`, from its lines `[passages, vocabulary]`: see
/// [`AnswerScores`].
fn column(lines: &[f32], vocabulary: usize, token: TokenId) -> Vec<Option<f32>> {
    let speaks = |line: &[f32]| line.iter().any(|v| *v > f32::NEG_INFINITY);
    lines.chunks_exact(vocabulary).map(|line| speaks(line).then(|| line[token as usize])).collect()
}

/// The tokens that end an answer.
pub(crate) fn end_tokens(decoding: &dyn Decoding) -> Vec<TokenId> {
    let vocabulary = TokenId::try_from(decoding.vocabulary()).unwrap_or(TokenId::MAX);
    (0..vocabulary).filter(|token| decoding.is_end(*token)).collect()
}
