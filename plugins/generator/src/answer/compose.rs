use std::ops::Range;

use postil_contract::{ConfidenceFit, Decoding, GenerateError, Passage, Signs, TokenId};

use super::evidence::{about_answer, evidence};
use super::names::name_weights;
use super::null::Null;
use super::search::Found;
use super::spans::{Stretch, clauses, words};
use super::support::{sentence_around, supporting_sentence};
use super::{
    Answer, AnswerOptions, AnswerToken, Basis, Candidate, Citation, Credit, Evidence, Retrieved, Span,
    Withheld,
};
use crate::decode::growth::Growth;
use crate::marginalize::{Groups, Marginal, abstention_score, evidence_log_ratio, marginal};
use crate::{Hypothesis, Mode, Step};

/// Converts hypotheses, found over distinct passages, into answers about the passages given.
pub(super) struct Composer<'a> {
    pub(super) generator: &'a str,
    pub(super) question: &'a str,
    pub(super) decoding: &'a dyn Decoding,
    pub(super) passages: &'a [Retrieved<'a>],
    pub(super) groups: &'a Groups,
    pub(super) log_prior: &'a [f64],
    pub(super) null: Null<'a>,
    /// True when an answer is a part of a passage, and so its own quote.
    pub(super) is_quoting: bool,
    /// Abstention score above which an answer is withheld; `None` withholds an answer when "no
    /// answer" is more probable.
    pub(super) threshold: Option<f64>,
    /// Least probability of being right of an answer that is given, in [0, 1].
    pub(super) min_probability: f64,
    /// Fit of the share of the generator's answers that are right; `None` when nothing was fitted.
    pub(super) fit: Option<ConfidenceFit>,
    pub(super) options: &'a AnswerOptions,
}

/// A hypothesis scored over the passages given.
struct Spoken<'a> {
    hypothesis: &'a Hypothesis,
    /// Log-probabilities, `[tokens][passages]`, with an entry for every copy of a passage.
    scores: Vec<Vec<Option<f32>>>,
    /// Log-probabilities under the null passage, `[tokens]`.
    null: Vec<f64>,
    marginal: Marginal,
    text: String,
}

impl Spoken<'_> {
    /// The signs of how right the answer is; `score` is the abstention score.
    fn signs(&self, score: f64) -> Signs {
        let Marginal { log_prob, posterior, log_likelihoods, .. } = &self.marginal;
        let read = by_posterior(posterior).first().map_or(f64::NEG_INFINITY, |z| log_likelihoods[*z]);
        Signs {
            probability: probability(*log_prob),
            read_probability: probability(read),
            abstention_score: score,
        }
    }
}

impl Composer<'_> {
    pub(super) fn answer(&self, found: &Found) -> Result<Answer, GenerateError> {
        let answers = &found.hypotheses;
        if answers.is_empty() && found.silence.is_none() {
            let reason = "it has no candidate, not even \"no answer\"".to_owned();
            return Err(GenerateError::Model { model: self.generator.to_owned(), reason });
        }
        let shown = answers.len().min(1 + self.options.max_alternatives);
        let null = self.null.log_probs(&answers[..shown])?;
        let spoken: Vec<Spoken<'_>> =
            answers.iter().zip(null).map(|(answer, null)| self.speak(answer, null)).collect();
        let evidence = spoken.first().map(|best| self.evidence(best, found));
        let (withheld, no_answer_probability, score) = match (&found.silence, evidence) {
            (None, None) => (None, 1.0, 1.0),
            (None, Some(evidence)) => {
                let ungrounded = 1.0 - evidence.grounded_probability;
                (self.withheld_by_evidence(&evidence), ungrounded, ungrounded)
            }
            (Some(silence), _) => {
                let silent = probability(silence.marginal.log_prob);
                let score = self.abstention_score(silence);
                let best = spoken.first().map_or(0.0, |best| probability(best.marginal.log_prob));
                (self.withheld_by_silence(silent, best, score), silent, score)
            }
        };
        let withheld = match spoken.first() {
            None => Some(Withheld::NoCandidate),
            Some(best) => withheld.or_else(|| self.withheld_by_doubt(best.signs(score))),
        };
        let others = if withheld.is_some() { 0 } else { 1 };
        let listed = spoken.iter().skip(others).take(self.options.max_alternatives);
        let unlisted = answers.iter().skip(others + self.options.max_alternatives);
        let mut answer = match spoken.first() {
            Some(best) if withheld.is_none() => self.given(best, score)?,
            _ => self.silent(found.silence.as_ref(), no_answer_probability),
        };
        answer.withheld = withheld;
        answer.no_answer_probability = no_answer_probability;
        answer.abstention_score = score;
        answer.priors = self.log_prior.iter().map(|p| p.exp()).collect();
        let shortened = self.decoding.shortened();
        let is_shortened = |z: &usize| shortened.contains(&self.groups.group_of()[*z]);
        answer.shortened = (0..self.passages.len()).filter(is_shortened).collect();
        answer.evidence = evidence;
        answer.alternatives = listed.map(|other| self.candidate(other, score)).collect::<Result<_, _>>()?;
        answer.other_probability = unlisted.map(|h| probability(h.marginal.log_prob)).sum();
        Ok(answer)
    }

    /// Spreads a hypothesis over the passages given. `null` may be empty when only the answer's
    /// probability is needed.
    fn speak<'h>(&self, hypothesis: &'h Hypothesis, null: Vec<f64>) -> Spoken<'h> {
        let scores: Vec<Vec<Option<f32>>> =
            hypothesis.scores.tokens().map(|token| self.groups.spread(token)).collect();
        let marginal = marginal(self.options.mode, self.log_prior, scores.iter().map(Vec::as_slice));
        let text = self.decoding.text(&hypothesis.tokens).trim().to_owned();
        Spoken { hypothesis, scores, null, marginal, text }
    }

    fn evidence(&self, best: &Spoken<'_>, found: &Found) -> Evidence {
        let basis = match self.decoding.no_answer() {
            Some(_) => Basis::NoAnswerToken,
            None => Basis::NullPassage,
        };
        let considered: Vec<&Hypothesis> = found.hypotheses.iter().chain(&found.silence).collect();
        let disagreement = about_answer(&considered, found.are_all, &self.groups.sum_priors(self.log_prior));
        evidence(basis, best.marginal.log_prob, &best.null, disagreement, self.options)
    }

    fn abstention_score(&self, silence: &Hypothesis) -> f64 {
        // The null passage, if it was read with the others, is the last one and is left out.
        let passages = self.groups.len();
        let distinct: Vec<Passage<'_>> =
            self.groups.first().iter().map(|&at| self.passages[at].passage).collect();
        let weights = name_weights(self.question, &distinct);
        abstention_score(&silence.marginal.log_likelihoods[..passages], &weights)
    }

    /// Share of answers like this one that are right; `None` when nothing was fitted.
    fn confidence(&self, signs: Signs) -> Option<f64> {
        self.fit.map(|fit| fit.confidence(&signs))
    }

    fn given(&self, best: &Spoken<'_>, score: f64) -> Result<Answer, GenerateError> {
        let tokens = self.tokens(&best.hypothesis.tokens, &best.marginal.steps);
        // Computed only for tokens that added nothing: a decoding may have to compute the text of a
        // token by itself.
        let is_text = |token: &TokenId| !self.decoding.text(&[*token]).is_empty();
        let added: Vec<Option<&str>> = tokens
            .iter()
            .zip(&best.hypothesis.tokens)
            .map(|(added, token)| (!added.text.is_empty() || is_text(token)).then_some(added.text.as_str()))
            .collect();
        let words = words(&best.text, &added);
        let spans = clauses(&best.text, &words).into_iter().map(|s| self.span(best, s)).collect::<Vec<_>>();
        Ok(Answer {
            text: best.text.clone(),
            mode: self.options.mode,
            finished: best.hypothesis.finished,
            log_probability: best.marginal.log_prob,
            probability: probability(best.marginal.log_prob),
            confidence: self.confidence(best.signs(score)),
            signs: Some(best.signs(score)),
            words: words.into_iter().map(|s| self.span(best, s)).collect(),
            citations: self.citations(best, &spans)?,
            spans,
            tokens,
            posteriors: best.marginal.posterior.clone(),
            ..Answer::silent(self.options.mode)
        })
    }

    fn withheld_by_evidence(&self, evidence: &Evidence) -> Option<Withheld> {
        let (log_ratio, min_evidence) = (evidence.log_ratio, self.options.min_evidence);
        (log_ratio < min_evidence).then_some(Withheld::MinEvidence { log_ratio, min_evidence })
    }

    fn withheld_by_silence(&self, silent: f64, best: f64, score: f64) -> Option<Withheld> {
        match self.threshold {
            Some(threshold) => {
                (score > threshold).then_some(Withheld::NoAnswerThreshold { score, threshold })
            }
            None => (silent > best)
                .then_some(Withheld::NoAnswerLikelier { no_answer_probability: silent, probability: best }),
        }
    }

    fn withheld_by_doubt(&self, best: Signs) -> Option<Withheld> {
        let min_probability = self.min_probability;
        let probability = self.confidence(best).unwrap_or(best.probability);
        (probability < min_probability).then_some(Withheld::MinProbability { probability, min_probability })
    }

    /// The answer that is given when one is withheld. `said` is the "no answer" hypothesis of a
    /// generator that has one.
    fn silent(&self, said: Option<&Hypothesis>, no_answer_probability: f64) -> Answer {
        let silent = Answer { no_answer: true, finished: true, ..Answer::silent(self.options.mode) };
        match said.map(|said| self.speak(said, Vec::new())) {
            Some(Spoken { hypothesis, marginal, .. }) => Answer {
                log_probability: marginal.log_prob,
                probability: probability(marginal.log_prob),
                tokens: self.tokens(&hypothesis.tokens, &marginal.steps),
                posteriors: marginal.posterior,
                ..silent
            },
            None => Answer {
                log_probability: no_answer_probability.ln(),
                probability: no_answer_probability,
                posteriors: self.log_prior.iter().map(|p| p.exp()).collect(),
                ..silent
            },
        }
    }

    /// The tokens of an answer. A token's text is what it adds to the text so far: alone it may be
    /// half a character.
    fn tokens(&self, tokens: &[TokenId], steps: &[Step]) -> Vec<AnswerToken> {
        let texts = self.decoding.texts(tokens);
        let mut growth = Growth::default();
        let token = |(i, step): (usize, &Step)| AnswerToken {
            text: growth.added(&texts[i]),
            log_prob: step.log_prob,
            posterior: step.posterior.clone(),
        };
        steps.iter().enumerate().map(token).collect()
    }

    /// Computes the posterior, log-ratios and sources of a part of an answer.
    fn span(&self, of: &Spoken<'_>, Stretch { range, tokens }: Stretch) -> Span {
        let scores = &of.scores[tokens.clone()];
        // One passage explains the whole span, in either mode: see `Marginal::posterior`.
        let marginal = marginal(Mode::Token, self.log_prior, scores.iter().map(Vec::as_slice));
        let null: f64 = of.null[tokens.clone()].iter().sum();
        let log_ratio: Vec<f64> =
            marginal.log_likelihoods.iter().map(|said| evidence_log_ratio(*said, null)).collect();
        let mut of_groups = vec![0.0; self.groups.len()];
        for (group, posterior) in self.groups.group_of().iter().zip(&marginal.posterior) {
            of_groups[*group] += posterior;
        }
        let reaches = |z: &usize| {
            of_groups[self.groups.group_of()[*z]] >= self.options.credit_posterior
                && log_ratio[*z] >= self.options.credit_log_ratio
        };
        let sources = by_posterior(&marginal.posterior).into_iter().filter(reaches).collect();
        let text = of.text[range.clone()].to_owned();
        Span { text, range, tokens, posterior: marginal.posterior, log_ratio, sources }
    }

    fn candidate(&self, other: &Spoken<'_>, score: f64) -> Result<Candidate, GenerateError> {
        let probability = probability(other.marginal.log_prob);
        let whole = self.span(other, whole(other));
        let citations = self.citations(other, &[whole])?;
        let confidence = self.confidence(other.signs(score));
        Ok(Candidate { text: other.text.clone(), probability, confidence, citations })
    }

    /// The passages that any of `spans` credits, and those that say the answer word for word; if
    /// there are none, those that the answer as a whole credits. Highest posterior first. A
    /// verbatim copy by a generator that writes freely also needs the posterior of a credit:
    /// otherwise any passage that has the words would count as the source.
    fn citations(&self, of: &Spoken<'_>, spans: &[Span]) -> Result<Vec<Citation>, GenerateError> {
        let origin = |z: usize| self.decoding.origin(self.groups.group_of()[z], &of.hypothesis.tokens);
        let is_credited = |z: usize| spans.iter().any(|span| span.sources.contains(&z));
        let mut sources = by_posterior(&of.marginal.posterior);
        let least = if self.is_quoting { 0.0 } else { self.options.credit_posterior };
        let is_copied = |z: usize| of.marginal.posterior[z] >= least && origin(z).is_some();
        sources.retain(|z| of.marginal.posterior[*z] > 0.0 && (is_credited(*z) || is_copied(*z)));
        if sources.is_empty() {
            sources = self.span(of, whole(of)).sources;
        }
        sources.truncate(self.options.max_citations);
        let cite = |z| {
            let credited = spans.iter().filter(|span| span.sources.contains(&z));
            let mut said: Vec<&str> = credited.map(|span| &of.text[span.range.clone()]).collect();
            if said.is_empty() {
                said.push(&of.text);
            }
            self.citation(z, of, origin(z), &said.concat())
        };
        sources.into_iter().map(cite).collect()
    }

    fn citation(
        &self,
        z: usize,
        of: &Spoken<'_>,
        origin: Option<Range<usize>>,
        said: &str,
    ) -> Result<Citation, GenerateError> {
        let passage = self.passages[z].passage;
        let is_there = |range: &Range<usize>| match passage.text.get(range.clone()) {
            Some(part) => !self.is_quoting || part == of.text,
            None => false,
        };
        let range = match origin.clone() {
            Some(range) if !is_there(&range) => {
                let reason = format!("the quote it gives from passage {z} is not there");
                return Err(GenerateError::Model { model: self.generator.to_owned(), reason });
            }
            Some(range) if self.is_quoting => range,
            Some(range) => sentence_around(passage.text, range),
            None => supporting_sentence(passage.text, said, self.question),
        };
        let credit = Credit {
            passage: z,
            posterior: of.marginal.posterior[z],
            prior: self.log_prior[z].exp(),
            leave_one_out: of.marginal.leave_one_out[z],
        };
        Ok(Citation { credit, quote: passage.text[range.clone()].to_owned(), range, copied: origin })
    }
}

/// The whole answer as one span.
fn whole(of: &Spoken<'_>) -> Stretch {
    Stretch { range: 0..of.text.len(), tokens: 0..of.scores.len() }
}

/// Positions of the passages, highest posterior first; equal ones keep their order.
fn by_posterior(posterior: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..posterior.len()).collect();
    order.sort_by(|a, b| posterior[*b].total_cmp(&posterior[*a]));
    order
}

/// The probability, at most 1: rounding may carry a sum of log-probabilities above 0.
fn probability(log_prob: f64) -> f64 {
    log_prob.exp().min(1.0)
}
