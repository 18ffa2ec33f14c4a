use std::fmt;

use serde::Serialize;

/// Reason that an answer was withheld, with the numbers that decided.
///
/// It displays as the rest of a sentence: "the abstention score, 0.93, is above 0.78, the no-answer
/// threshold".
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Withheld {
    /// There was nothing to choose from: no passage, no word in the question, or no answer
    /// proposed.
    NoCandidate,
    /// The abstention score is above the threshold, see
    /// [`AnswerOptions::no_answer_threshold`](super::AnswerOptions::no_answer_threshold).
    NoAnswerThreshold {
        /// The abstention score, in [0, 1].
        score: f64,
        /// The threshold, in [0, 1].
        threshold: f64,
    },
    /// "No answer" is more probable than the likeliest answer, and the generator has no threshold.
    NoAnswerLikelier {
        /// p(no answer|x).
        no_answer_probability: f64,
        /// p(y|x) of the likeliest answer.
        probability: f64,
    },
    /// The generator cannot say "no answer", and the evidence is too little, see
    /// [`AnswerOptions::min_evidence`](super::AnswerOptions::min_evidence).
    MinEvidence {
        /// Log-ratio of the evidence, in nats.
        log_ratio: f64,
        /// The least that suffices, in nats.
        min_evidence: f64,
    },
    /// The answer is less probably right than was asked for, see
    /// [`AnswerOptions::min_probability`](super::AnswerOptions::min_probability).
    MinProbability {
        /// Probability that the answer is right, in [0, 1]: its confidence, or p(y|x) where nothing
        /// was fitted.
        probability: f64,
        /// The least that suffices, in [0, 1].
        min_probability: f64,
    },
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCandidate => f.write_str("nothing was found to answer from"),
            Self::NoAnswerThreshold { score, threshold } => {
                write!(
                    f,
                    "the abstention score, {score:.2}, is above {threshold:.2}, the no-answer threshold"
                )
            }
            Self::NoAnswerLikelier { no_answer_probability, probability } => {
                write!(
                    f,
                    "\"no answer\" has probability {no_answer_probability:.2}, this one {probability:.2}"
                )
            }
            Self::MinEvidence { log_ratio, min_evidence } => {
                write!(
                    f,
                    "the evidence, {log_ratio:+.2} nats, is below {min_evidence:+.2}, the least evidence"
                )
            }
            Self::MinProbability { probability, min_probability } => {
                let (got, least) = (probability, min_probability);
                write!(
                    f,
                    "the probability that it is right, {got:.2}, is below {least:.2}, the least asked for"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_which_bound_and_both_numbers() {
        let by_score = Withheld::NoAnswerThreshold { score: 0.93, threshold: 0.78 };
        assert_eq!(
            by_score.to_string(),
            "the abstention score, 0.93, is above 0.78, the no-answer threshold"
        );
        let json = serde_json::to_value(by_score).unwrap();
        assert_eq!(
            json,
            serde_json::json!({ "by": "no_answer_threshold", "score": 0.93, "threshold": 0.78 })
        );
        let doubtful = Withheld::MinProbability { probability: 0.25, min_probability: 0.5 };
        assert!(doubtful.to_string().contains("0.25, is below 0.50"), "{doubtful}");
    }
}
