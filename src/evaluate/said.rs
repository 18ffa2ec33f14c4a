use super::agreement::{exact_match, f1, holds};
use super::question::Question;
use super::scores::Outcome;
use crate::{Answer, Citation, PassagePosterior};

/// The answer that is scored: the one given, or the likeliest one that was withheld; of several
/// parts, those given, joined, or when none was given all that were withheld.
pub(super) struct Said {
    /// True when no part was given.
    pub(super) abstained: bool,
    /// Texts of the parts, joined by blanks.
    pub(super) text: String,
    /// Probability that all parts are right, 0 to 1; 0 when nothing was said.
    pub(super) probability: f64,
    /// Citations of the parts, one part after the other.
    pub(super) citations: Vec<Citation>,
    /// Number of the first citations of each part in `citations`.
    firsts: Vec<usize>,
}

impl Said {
    pub(super) fn of(answers: &[Answer]) -> Self {
        let abstained = answers.iter().all(|answer| answer.no_answer);
        let chosen = answers.iter().filter(|answer| abstained || !answer.no_answer);
        let mut said = Self {
            abstained,
            text: String::new(),
            probability: 0.0,
            citations: Vec::new(),
            firsts: Vec::new(),
        };
        for (number, (text, probability, citations)) in chosen.filter_map(best).enumerate() {
            if number > 0 {
                said.text.push(' ');
            }
            said.text += text;
            said.probability = if number == 0 { probability } else { said.probability * probability };
            if !citations.is_empty() {
                said.firsts.push(said.citations.len());
            }
            said.citations.extend_from_slice(citations);
        }
        said
    }

    pub(super) fn outcome(&self, question: &Question, answers: &[Answer], ms: f64) -> Outcome {
        let gold = &question.answers;
        let abstention = answers.iter().map(|answer| answer.abstention_score);
        let given: Vec<&Answer> = answers.iter().filter(|answer| !answer.no_answer).collect();
        let firsts: Vec<bool> =
            self.firsts.iter().map(|first| holds(&self.citations[*first].quote, gold)).collect();
        Outcome {
            is_answerable: !gold.is_empty(),
            abstained: self.abstained,
            abstention_score: abstention.fold(1.0, f64::min),
            probability: self.probability,
            exact_match: exact_match(&self.text, gold),
            f1: f1(&self.text, gold),
            top_citation_holds: (!firsts.is_empty()).then(|| firsts.contains(&true)),
            gold_posterior: question
                .pid
                .as_ref()
                .filter(|_| !given.is_empty())
                .map(|pid| given.iter().map(|answer| posterior_on(answer, pid)).fold(0.0, f64::max)),
            ms,
        }
    }
}

/// The answer given, or the best one withheld, with its probability and citations.
fn best(answer: &Answer) -> Option<(&str, f64, &[Citation])> {
    match answer.alternatives.first() {
        Some(nearest) if answer.no_answer => {
            Some((&nearest.text, nearest.confidence.unwrap_or(nearest.probability), &nearest.citations))
        }
        _ if answer.no_answer => None,
        _ => Some((&answer.text, answer.confidence.unwrap_or(answer.probability), &answer.citations)),
    }
}

/// Posterior mass of an answer on the passages of a document.
fn posterior_on(answer: &Answer, pid: &str) -> f64 {
    let is_gold = |passage: &&PassagePosterior| {
        passage.document == pid || passage.copies.iter().any(|copy| copy.document == pid)
    };
    answer.passages.iter().filter(is_gold).map(|passage| passage.posterior).sum()
}
