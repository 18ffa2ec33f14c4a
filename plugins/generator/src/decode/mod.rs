//! Searching for answers, written once over [`postil_contract::Decoding`].
//!
//! Every decoder works on the mixture, under either [`crate::Mode`]: RAG-Sequence is decoded jointly, by
//! the chain rule.
//!
//! file | responsibility
//! ---|---
//! `exhaustive.rs` | every answer there is, for a generator with finitely many
//! `greedy.rs` | the most probable token at each step

mod exhaustive;
mod greedy;

use postil_contract::{AnswerScores, GenerateError, TokenId};

use crate::{Marginal, Mode, marginal};

pub use exhaustive::exhaustive;
pub use greedy::greedy;

/// An answer found, with all that its passages said of it.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// The answer, its end token included when it came to one.
    pub tokens: Vec<TokenId>,
    /// log p(y_i|x,z,y_<i).
    pub scores: AnswerScores,
    /// The passage marginalized out.
    pub marginal: Marginal,
    /// Whether it ends in an end token; one that does not was cut at the limit.
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
