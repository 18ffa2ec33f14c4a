//! Questions that a phrase does not answer.

/// First words of questions, in lower case, that ask for an explanation, a comparison or a summary.
const OPENINGS: [&str; 12] = [
    "why ",
    "explain ",
    "describe ",
    "summarize ",
    "summarise ",
    "compare ",
    "outline ",
    "tell me about ",
    "give an overview ",
    "give me an overview ",
    "what is the difference ",
    "what are the differences ",
];

/// True when the question asks for sentences: an explanation, a comparison, a summary, steps.
pub(super) fn wants_sentences(question: &str) -> bool {
    let words: Vec<String> = question.split_whitespace().map(str::to_lowercase).collect();
    let asked = words.join(" ").trim_start_matches("please ").to_owned() + " ";
    OPENINGS.iter().any(|opening| asked.starts_with(opening))
        || ["in detail", "step by step", "in your own words"].iter().any(|asks| asked.contains(asks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanations_and_comparisons_want_sentences_and_facts_do_not() {
        for question in [
            "Why was the trip cancelled?",
            "Please  explain the notice period",
            "What is the difference between the two plans?",
            "Tell me step by step what to do.",
        ] {
            assert!(wants_sentences(question), "{question}");
        }
        for question in [
            "How many days of leave?",
            "Who books trains?",
            "Whyte's first name?",
            "",
            "How long?",
            "How do I book a train?",
        ] {
            assert!(!wants_sentences(question), "{question}");
        }
    }
}
