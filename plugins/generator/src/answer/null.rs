use postil_contract::{AnswerScores, GenerateError, Generator, Passage, TokenId};

use crate::decode::end_tokens;
use crate::{Hypothesis, log_sum_exp};

/// The empty passage.
pub(super) const NULL: Passage<'static> = Passage { title: "", text: "" };

/// Source of the log-probabilities of answers without a passage to read: log p(y_i|x,null,y_<i).
pub(super) enum Null<'a> {
    /// The null passage was read with the others, as the last of them and with prior 0, for a
    /// generator whose token ids hold for one decoding only.
    Along,
    /// The null passage is read by itself, only when there are answers to score, so that the search
    /// need not carry it.
    Apart {
        generator: &'a dyn Generator,
        question: &'a str,
        /// True when each answer's end token stands for all end tokens, as [`crate::union`] leaves
        /// them.
        any_end: bool,
    },
}

impl Null<'_> {
    /// One line per answer, one entry per token; -inf where the null passage cannot say the token
    /// or one before it.
    pub(super) fn log_probs(&self, answers: &[Hypothesis]) -> Result<Vec<Vec<f64>>, GenerateError> {
        let (generator, question, any_end) = match self {
            Self::Along => {
                let last = |h: &Hypothesis| column(&h.scores, h.scores.passages() - 1);
                return Ok(answers.iter().map(last).collect());
            }
            Self::Apart { .. } if answers.is_empty() => return Ok(Vec::new()),
            Self::Apart { generator, question, any_end } => (generator, question, *any_end),
        };
        let mut decoding = generator.start(question, &[NULL])?;
        let ends = if any_end { end_tokens(decoding.as_ref()) } else { Vec::new() };
        let variants: Vec<Vec<Vec<TokenId>>> = answers.iter().map(|h| variants(h, &ends)).collect();
        let mut scores = decoding.score(&variants.concat())?.into_iter();
        let line = |variants: &Vec<_>| {
            let lines: Vec<Vec<f64>> =
                scores.by_ref().take(variants.len()).map(|scores| column(&scores, 0)).collect();
            let mut line = lines.first().cloned().unwrap_or_default();
            if let Some(last) = line.last_mut() {
                *last = log_sum_exp(lines.iter().filter_map(|line| line.last().copied()));
            }
            line
        };
        Ok(variants.iter().map(line).collect())
    }
}

/// An answer with each of the end tokens it stands for.
fn variants(answer: &Hypothesis, ends: &[TokenId]) -> Vec<Vec<TokenId>> {
    match answer.tokens.split_last() {
        Some((_, body)) if answer.finished && ends.len() > 1 => {
            ends.iter().map(|end| [body, &[*end]].concat()).collect()
        }
        _ => vec![answer.tokens.clone()],
    }
}

fn column(scores: &AnswerScores, passage: usize) -> Vec<f64> {
    scores.tokens().map(|token| token[passage].map_or(f64::NEG_INFINITY, f64::from)).collect()
}
