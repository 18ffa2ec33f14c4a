use postil_generator::{Basis, Evidence, Withheld};

use super::{Answer, Citation, PassagePosterior};

/// Words for a probability of being right, by the least that each needs.
const WORDS: [(f64, &str); 3] = [(0.9, "Very likely right"), (0.6, "Likely right"), (0.4, "Unsure")];
/// Words for anything less.
const LEAST: &str = "Doubtful, more likely wrong than right";

impl Answer {
    /// The certainty of the answer, in words and as a number: the fitted [confidence] that it is right, or
    /// for a generator without one the probability that the passages answer the question.
    ///
    /// [confidence]: crate::Conclusion::confidence
    #[must_use]
    pub fn certainty(&self) -> String {
        match self.confidence {
            Some(confidence) => format!("{} (probability {}).", words(confidence), number(confidence)),
            None => {
                let answered = 1.0 - self.no_answer_probability;
                let how = match answered {
                    0.6.. => "not measured for this generator",
                    _ => "doubtful",
                };
                format!("How sure: {how} (probability {} that the documents answer this).", number(answered))
            }
        }
    }

    /// The first line of an answer that was not given, with the one number that decided.
    pub(super) fn refusal(&self) -> String {
        let none = self.no_answer_probability;
        match (self.withheld, self.alternatives.first()) {
            (Some(Withheld::MinProbability { probability, min_probability }), Some(likeliest)) => format!(
                "No answer found: the likeliest, {:?}, is right with probability {}, and {} is the least \
                 that is given.",
                likeliest.text,
                number(probability),
                number(min_probability)
            ),
            _ if none >= 0.5 => format!("No answer found (probability {} that there is none).", number(none)),
            _ => "No answer found.".to_owned(),
        }
    }

    /// The passage that the answer was most likely to be in, for an answer that was not given; `None`
    /// when there is no passage.
    pub(super) fn nearest(&self) -> Option<Nearest<'_>> {
        let cited = self.alternatives.iter().flat_map(|other| &other.citations);
        let nearest = cited.min_by_key(|citation| citation.passage);
        let quoted = |citation| Nearest::Quoted(citation);
        nearest.map(quoted).or_else(|| self.passages.first().map(Nearest::Whole))
    }
}

/// A passage to show instead of an answer.
pub(super) enum Nearest<'a> {
    /// The words in it that a candidate was read from.
    Quoted(&'a Citation),
    /// All of it, when there was no candidate.
    Whole(&'a PassagePosterior),
}

fn words(probability: f64) -> &'static str {
    WORDS.iter().find(|(least, _)| probability >= *least).map_or(LEAST, |(_, words)| words)
}

/// A probability with two digits, never rounded to certainty.
fn number(probability: f64) -> String {
    match probability {
        0.995.. if probability < 1.0 => "over 0.99".to_owned(),
        _ => format!("{probability:.2}"),
    }
}

/// The basis of the probability of "no answer", in one line.
pub(super) fn basis(evidence: &Evidence) -> &'static str {
    match evidence.basis {
        Basis::NoAnswerToken => ", by the generator's own \"no answer\"",
        Basis::NullPassage => ", by the evidence",
    }
}

#[cfg(test)]
mod tests {
    use super::{number, words};

    #[test]
    fn a_probability_has_one_word_and_is_never_rounded_to_certainty() {
        let said = [0.95, 0.7, 0.5, 0.15].map(words);
        assert!(said.windows(2).all(|pair| pair[0] != pair[1]), "{said:?}");
        assert!(said[3].starts_with("Doubtful"));
        assert_eq!(
            (number(0.999), number(0.5), number(1.0)),
            ("over 0.99".into(), "0.50".into(), "1.00".into())
        );
    }
}
