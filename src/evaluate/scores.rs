use super::statistics::{mean, percentile, roc_area};

/// Ranks that recall is measured at.
pub const RECALL_AT: [usize; 3] = [1, 5, 10];

/// Bins of the reliability curve.
const BINS: usize = 10;

/// The outcome of one question.
pub(super) struct Outcome {
    pub(super) is_answerable: bool,
    pub(super) abstained: bool,
    pub(super) abstention_score: f64,
    /// Probability that the best answer, given or withheld, is right.
    pub(super) probability: f64,
    /// Exact match of the best answer, given or withheld: 0 or 1.
    pub(super) exact_match: f64,
    pub(super) f1: f64,
    /// True when its first quote, or that of one of its parts, holds a gold answer; `None` without a
    /// citation.
    pub(super) top_citation_holds: Option<bool>,
    /// Posterior mass on the passages of the gold document; `None` when that document is not known,
    /// or no answer was given.
    pub(super) gold_posterior: Option<f64>,
    pub(super) ms: f64,
}

impl Outcome {
    /// The score of the best answer, adjusted for abstaining: right where there is no answer, wrong
    /// elsewhere.
    pub(super) fn scored(&self, score: f64) -> f64 {
        if self.abstained { f64::from(!self.is_answerable) } else { score }
    }
}

/// Share of questions whose gold document is among the first k hits, per k of [`RECALL_AT`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recall {
    /// Number of questions that name their document.
    pub questions: usize,
    /// Shares, 0 to 1, in the order of [`RECALL_AT`].
    pub at: [f64; RECALL_AT.len()],
}

#[cfg(feature = "serde")]
impl serde::Serialize for Recall {
    /// Serializes the shares by rank.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(RECALL_AT.iter().map(ToString::to_string).zip(self.at))
    }
}

impl Recall {
    pub(super) fn of(ranks: &[Option<usize>]) -> Self {
        let within = |k: usize| ranks.iter().filter(|rank| rank.is_some_and(|rank| rank < k)).count() as f64;
        let questions = ranks.len();
        Self {
            questions,
            at: RECALL_AT.map(|k| if questions == 0 { 0.0 } else { within(k) / questions as f64 }),
        }
    }
}

/// Scores of a question set; shares and means are 0 to 1. The numbers of questions are not
/// serialized.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Scores {
    /// Number of questions asked.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub questions: usize,
    /// Number of them that have an answer.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub answerable: usize,
    /// Exact match; abstaining is right where there is no answer, and wrong elsewhere.
    #[cfg_attr(feature = "serde", serde(rename = "em"))]
    pub exact_match: f64,
    /// F1 over words, abstaining counted likewise.
    pub f1: f64,
    /// F1 of the best answers, given or withheld: as if it always answered.
    pub f1_always: f64,
    /// Exact match of the best answers, given or withheld.
    #[cfg_attr(feature = "serde", serde(rename = "em_always"))]
    pub exact_match_always: f64,
    /// Share of questions not answered.
    pub abstained: f64,
    /// Area under the ROC curve of the abstention score as a sign that there is no answer; `None`
    /// unless questions with and without an answer were asked.
    #[cfg_attr(feature = "serde", serde(rename = "auroc"))]
    pub abstention_auroc: Option<f64>,
    /// F1 of abstaining as a decision: harmonic mean of its precision and recall; `None` as for
    /// `abstention_auroc`.
    pub abstention_f1: Option<f64>,
    /// Share of the exactly right answers whose first quote holds a gold answer.
    pub citation_precision: f64,
    /// Mean posterior mass on the gold document, over answerable questions that name it and were
    /// answered.
    pub gold_posterior: f64,
    /// Mean distance between the probability that an answer is right and how often such answers are
    /// exactly right, over the answers given, to unanswerable questions too: expected calibration
    /// error, 10 bins (Guo et al. 2017).
    pub calibration_error: f64,
    /// The reliability curve; empty bins left out.
    pub reliability: Vec<Bin>,
    /// Median time of a question in milliseconds, search included.
    pub p50_ms: f64,
    /// 95th percentile of that time, in milliseconds.
    pub p95_ms: f64,
    /// The kinds that questions have, in the order of their first questions.
    pub kinds: Vec<KindScores>,
}

/// Scores of the questions of one kind; shares and means are 0 to 1.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct KindScores {
    /// Name of the kind, from the question set.
    pub kind: String,
    /// Number of its questions.
    pub questions: usize,
    /// As [`Scores::exact_match`].
    #[cfg_attr(feature = "serde", serde(rename = "em"))]
    pub exact_match: f64,
    /// As [`Scores::f1`].
    pub f1: f64,
    /// Share of them not answered.
    pub abstained: f64,
}

/// Answers of similar probability.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Bin {
    /// Number of answers.
    pub answers: usize,
    /// Mean probability that they are right.
    pub probability: f64,
    /// Share of them that is exactly right.
    pub right: f64,
}

impl Scores {
    pub(super) fn of(outcomes: &[Outcome]) -> Self {
        let scored = |score: fn(&Outcome) -> f64| mean(outcomes.iter().map(|o| o.scored(score(o))));
        let answerable: Vec<&Outcome> = outcomes.iter().filter(|o| o.is_answerable).collect();
        let both_kinds = !answerable.is_empty() && answerable.len() < outcomes.len();
        let no_answer: Vec<_> = outcomes.iter().map(|o| (o.abstention_score, !o.is_answerable)).collect();
        let right: Vec<bool> = answerable
            .iter()
            .filter(|o| o.exact_match == 1.0)
            .map(|o| o.top_citation_holds == Some(true))
            .collect();
        let gold: Vec<f64> = answerable.iter().filter_map(|o| o.gold_posterior).collect();
        let given: Vec<&Outcome> = outcomes.iter().filter(|o| !o.abstained).collect();
        let reliability = reliability(&given);
        let off = reliability.iter().map(|bin| bin.answers as f64 * (bin.probability - bin.right).abs());
        let times: Vec<f64> = outcomes.iter().map(|o| o.ms).collect();
        Self {
            questions: outcomes.len(),
            answerable: answerable.len(),
            exact_match: scored(|o| o.exact_match),
            f1: scored(|o| o.f1),
            exact_match_always: mean(outcomes.iter().map(|o| o.exact_match)),
            f1_always: mean(outcomes.iter().map(|o| o.f1)),
            abstained: mean(outcomes.iter().map(|o| f64::from(o.abstained))),
            abstention_auroc: roc_area(&no_answer),
            abstention_f1: both_kinds.then(|| decision_f1(outcomes)),
            citation_precision: mean(right.iter().map(|holds| f64::from(*holds))),
            gold_posterior: mean(gold.into_iter()),
            calibration_error: off.sum::<f64>() / given.len().max(1) as f64,
            reliability,
            p50_ms: percentile(&times, 0.5),
            p95_ms: percentile(&times, 0.95),
            kinds: Vec::new(),
        }
    }

    /// Adds the scores of each kind of question.
    pub(super) fn with_kinds(mut self, outcomes: &[(Option<&str>, &Outcome)]) -> Self {
        for kind in outcomes.iter().filter_map(|(kind, _)| *kind) {
            if self.kinds.iter().any(|known| known.kind == kind) {
                continue;
            }
            let all = outcomes.iter().filter(|(other, _)| *other == Some(kind));
            let of: Vec<&Outcome> = all.map(|(_, outcome)| *outcome).collect();
            self.kinds.push(KindScores {
                kind: kind.to_owned(),
                questions: of.len(),
                exact_match: mean(of.iter().map(|o| o.scored(o.exact_match))),
                f1: mean(of.iter().map(|o| o.scored(o.f1))),
                abstained: mean(of.iter().map(|o| f64::from(o.abstained))),
            });
        }
        self
    }
}

fn decision_f1(outcomes: &[Outcome]) -> f64 {
    let right = outcomes.iter().filter(|o| o.abstained && !o.is_answerable).count() as f64;
    let said = outcomes.iter().filter(|o| o.abstained).count() as f64;
    let there = outcomes.iter().filter(|o| !o.is_answerable).count() as f64;
    2.0 * right / (said + there)
}

fn reliability(answers: &[&Outcome]) -> Vec<Bin> {
    let bin_of = |outcome: &Outcome| ((outcome.probability * BINS as f64) as usize).min(BINS - 1);
    let bin = |number: usize| {
        let inside: Vec<_> = answers.iter().filter(|outcome| bin_of(outcome) == number).collect();
        (!inside.is_empty()).then(|| Bin {
            answers: inside.len(),
            probability: mean(inside.iter().map(|o| o.probability)),
            right: mean(inside.iter().map(|o| o.scored(o.exact_match))),
        })
    };
    (0..BINS).filter_map(bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(is_answerable: bool, abstained: bool, probability: f64, right: bool) -> Outcome {
        Outcome {
            is_answerable,
            abstained,
            abstention_score: 1.0 - probability,
            probability,
            exact_match: f64::from(right),
            f1: f64::from(right),
            top_citation_holds: Some(right),
            gold_posterior: Some(0.5),
            ms: probability,
        }
    }

    #[test]
    fn abstaining_is_right_only_where_there_is_no_answer() {
        let scores = Scores::of(&[
            outcome(true, false, 0.9, true),
            outcome(true, true, 0.2, true),
            outcome(false, true, 0.1, false),
            outcome(false, false, 0.6, false),
        ]);
        assert_eq!((scores.questions, scores.answerable), (4, 2));
        assert_eq!((scores.f1, scores.f1_always), (0.5, 0.5));
        assert_eq!(scores.abstained, 0.5);
        assert_eq!(scores.abstention_f1, Some(0.5));
        // 0.1 and 0.4 of no answer against 0.9 and 0.4... by pairs: unanswerable 0.9, 0.4;
        // answerable 0.1, 0.8.
        assert_eq!(scores.abstention_auroc, Some(0.75));
        assert_eq!(scores.citation_precision, 1.0);
    }

    #[test]
    fn calibration_error_is_the_mean_gap_of_the_bins() {
        let scores = Scores::of(&[
            outcome(true, false, 0.95, true),
            outcome(true, false, 0.95, false),
            outcome(true, false, 0.05, false),
            outcome(true, false, 1.0, true),
        ]);
        assert_eq!(scores.reliability.len(), 2);
        let expected = (1.0 * 0.05 + 3.0 * (2.9 / 3.0 - 2.0 / 3.0)) / 4.0;
        assert!((scores.calibration_error - expected).abs() < 1e-9, "{scores:?}");
    }

    #[test]
    fn kinds_are_scored_by_themselves_and_questions_without_one_in_none() {
        let (right, wrong) = (outcome(true, false, 0.9, true), outcome(true, false, 0.9, false));
        let silent = outcome(false, true, 0.1, false);
        let kinds =
            [(Some("table"), &right), (None, &wrong), (Some("list"), &wrong), (Some("table"), &wrong)];
        let kinds = [kinds.as_slice(), &[(Some("table"), &silent)]].concat();
        let scores = Scores::of(&[]).with_kinds(&kinds).kinds;
        let found: Vec<_> = scores.iter().map(|of| (of.kind.as_str(), of.questions, of.f1)).collect();
        assert_eq!(found, [("table", 3, 2.0 / 3.0), ("list", 1, 0.0)]);
        assert_eq!(scores[0].abstained, 1.0 / 3.0);
    }

    #[test]
    fn no_questions_have_no_scores_but_no_nan_either() {
        let scores = Scores::of(&[]);
        assert_eq!((scores.f1, scores.calibration_error, scores.p95_ms), (0.0, 0.0, 0.0));
        assert_eq!(scores.abstention_auroc, None);
        assert_eq!(Recall::of(&[]).at, [0.0; 3]);
    }
}
