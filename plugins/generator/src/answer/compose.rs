use std::ops::Range;

use postil_contract::{Decoding, GenerateError, TokenId};

use super::{Answer, AnswerOptions, AnswerToken, Candidate, Citation, Retrieved};
use crate::marginalize::{Groups, Marginal, marginal};
use crate::{Hypothesis, Step, sentences};

/// Everything needed to put hypotheses, found over distinct passages, in terms of the passages given.
pub(super) struct Composer<'a> {
    pub(super) generator: &'a str,
    pub(super) decoding: &'a dyn Decoding,
    pub(super) passages: &'a [Retrieved<'a>],
    pub(super) groups: &'a Groups,
    pub(super) log_prior: &'a [f64],
    pub(super) options: &'a AnswerOptions,
}

impl Composer<'_> {
    /// `found`: at least one hypothesis, best first. `silence`: probability of "no answer".
    pub(super) fn answer(&self, found: &[Hypothesis], silence: f64) -> Result<Answer, GenerateError> {
        let Some((chosen, others)) = found.split_first() else {
            let reason = "it has no candidate, not even \"no answer\"".to_owned();
            return Err(GenerateError::Model { model: self.generator.to_owned(), reason });
        };
        let no_answer = self.is_silence(chosen);
        let answers = || others.iter().filter(|h| !self.is_silence(h));
        let (listed, unlisted) =
            (answers().take(self.options.max_alternatives), answers().skip(self.options.max_alternatives));
        let marginal = self.over_given_passages(chosen);
        Ok(Answer {
            text: if no_answer { String::new() } else { self.text(&chosen.tokens) },
            mode: self.options.mode,
            no_answer,
            no_answer_probability: silence.min(1.0),
            log_probability: marginal.log_prob,
            probability: probability(marginal.log_prob),
            tokens: self.tokens(&chosen.tokens, &marginal.steps),
            citations: if no_answer { Vec::new() } else { self.citations(chosen, &marginal)? },
            posteriors: marginal.posterior,
            alternatives: listed.map(|h| self.candidate(h)).collect::<Result<_, _>>()?,
            other_probability: unlisted.map(|h| probability(h.marginal.log_prob)).sum(),
        })
    }

    fn is_silence(&self, hypothesis: &Hypothesis) -> bool {
        let silence = self.decoding.no_answer();
        silence.is_some() && hypothesis.tokens.first().copied() == silence
    }

    fn text(&self, tokens: &[TokenId]) -> String {
        self.decoding.text(tokens).trim().to_owned()
    }

    /// The marginal again, with a place for every copy of a passage.
    fn over_given_passages(&self, hypothesis: &Hypothesis) -> Marginal {
        let spread: Vec<Vec<Option<f32>>> =
            hypothesis.scores.tokens().map(|t| self.groups.spread(t)).collect();
        marginal(self.options.mode, self.log_prior, spread.iter().map(Vec::as_slice))
    }

    /// Each token's text is what it adds to the text so far: alone it may be half a character.
    fn tokens(&self, tokens: &[TokenId], steps: &[Step]) -> Vec<AnswerToken> {
        let mut before = String::new();
        let mut split = Vec::with_capacity(tokens.len());
        for (i, step) in steps.iter().enumerate() {
            let text = self.decoding.text(&tokens[..=i]);
            let added = text.strip_prefix(before.as_str()).unwrap_or_default().to_owned();
            split.push(AnswerToken {
                text: added,
                log_prob: step.log_prob,
                posterior: step.posterior.clone(),
            });
            before = text;
        }
        split
    }

    fn candidate(&self, hypothesis: &Hypothesis) -> Result<Candidate, GenerateError> {
        let marginal = self.over_given_passages(hypothesis);
        Ok(Candidate {
            text: self.text(&hypothesis.tokens),
            probability: probability(marginal.log_prob),
            citations: self.citations(hypothesis, &marginal)?,
        })
    }

    fn citations(
        &self,
        hypothesis: &Hypothesis,
        marginal: &Marginal,
    ) -> Result<Vec<Citation>, GenerateError> {
        let mut sources: Vec<usize> =
            (0..self.passages.len()).filter(|z| marginal.posterior[*z] > 0.0).collect();
        sources.sort_by(|a, b| marginal.posterior[*b].total_cmp(&marginal.posterior[*a]));
        sources.truncate(self.options.max_citations);
        sources.into_iter().map(|z| self.citation(z, hypothesis, marginal)).collect()
    }

    fn citation(
        &self,
        z: usize,
        hypothesis: &Hypothesis,
        marginal: &Marginal,
    ) -> Result<Citation, GenerateError> {
        let Retrieved { passage, score } = self.passages[z];
        let origin = self.decoding.origin(self.groups.group_of()[z], &hypothesis.tokens);
        let is_free = self.decoding.candidates().is_none();
        let (range, quote) = match origin {
            Some(words) if is_free => {
                let range = sentences_around(passage.text, words);
                (range.clone(), passage.text.get(range))
            }
            Some(range) => {
                let said = passage.text.get(range.clone());
                (range, said.filter(|quote| *quote == self.text(&hypothesis.tokens)))
            }
            None => (0..passage.text.len(), Some(passage.text)),
        };
        let Some(quote) = quote else {
            let reason = format!("the quote it gives from passage {z} is not there");
            return Err(GenerateError::Model { model: self.generator.to_owned(), reason });
        };
        Ok(Citation {
            passage: z,
            range,
            quote: quote.to_owned(),
            posterior: marginal.posterior[z],
            prior: self.log_prior[z].exp(),
            score,
            leave_one_out: marginal.leave_one_out[z],
        })
    }
}

/// From the start of the first sentence that `words` touch to the end of the last.
fn sentences_around(text: &str, words: Range<usize>) -> Range<usize> {
    let touched = sentences(text).into_iter().map(|sentence| sentence.range);
    let touched = touched.filter(|range| range.start < words.end && words.start < range.end);
    touched.fold(words.clone(), |all, range| all.start.min(range.start)..all.end.max(range.end))
}

/// Rounding may carry a sum of log-probabilities above 0.
fn probability(log_prob: f64) -> f64 {
    log_prob.exp().min(1.0)
}
