//! Detection of several questions in one text. A generator that answers with a few words of a
//! passage would answer only one of them.

/// Words that ask. "whose" and "whom" after "and" mostly go on with a relative clause.
const ASKING: [&str; 7] = ["who", "what", "when", "where", "which", "why", "how"];
/// Verbs that a question begins with.
const VERBS: [&str; 20] = [
    "is", "are", "was", "were", "do", "does", "did", "can", "could", "may", "must", "should", "will",
    "would", "has", "have", "had", "am", "whose", "whom",
];
/// Words that stand for something said before.
const POINTING: [&str; 19] = [
    "it", "its", "they", "them", "their", "he", "him", "his", "she", "her", "this", "that", "these", "those",
    "one", "ones", "there", "so", "then",
];
const MARKS: [char; 4] = ['?', '？', '؟', '⁇'];

/// One of several questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The question, completed to be understood alone as far as possible.
    pub(super) question: String,
    /// The text to search passages with: the whole text when the question refers to the rest.
    pub(super) about: String,
}

/// The questions of a text, in their order: those that end with a question mark and a word, or are
/// joined by "and" before a word that asks ("What is the fee and when is it due?"). Sentences that
/// ask nothing are joined to the question after them. A text that asks one thing is returned
/// unchanged.
pub fn questions_in(text: &str) -> Vec<String> {
    asked_in(text).into_iter().map(|asked| asked.question).collect()
}

pub(super) fn asked_in(text: &str) -> Vec<Asked> {
    let questions: Vec<String> = marked(text).into_iter().flat_map(joined).collect();
    if questions.len() < 2 {
        return vec![Asked { question: text.to_owned(), about: text.to_owned() }];
    }
    let about = |at: usize, question: &str| {
        let points_back = at > 0 && words(question).any(|word| POINTING.contains(&word.as_str()));
        if points_back { text.to_owned() } else { question.to_owned() }
    };
    questions
        .into_iter()
        .enumerate()
        .map(|(at, question)| Asked { about: about(at, &question), question })
        .collect()
}

/// The text, split after question marks that end a question.
fn marked(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, mark) in text.char_indices().filter(|(_, c)| MARKS.contains(c)) {
        let end = at + mark.len_utf8();
        let (part, rest) = (&text[start..end], text[end..].trim_start());
        let is_end = rest.len() < text[end..].len() || mark != '?';
        let goes_on = rest.contains(MARKS) && says_something(rest) && !rest.starts_with(char::is_lowercase);
        if is_end && goes_on && says_something(part) {
            parts.push(part.trim());
            start = end;
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// The one or two questions of a sentence, which "and" may join.
fn joined(part: &str) -> Vec<String> {
    let whole = || vec![part.to_owned()];
    let start = part.rfind(". ").map_or(0, |end| end + 2);
    let (before, question) = part.split_at(start);
    let first_word = words(question).next().unwrap_or_default();
    if !ASKING.contains(&first_word.as_str()) && !VERBS.contains(&first_word.as_str()) {
        return whole();
    }
    let lower = question.to_ascii_lowercase();
    let cut = lower.match_indices(" and ").find_map(|(at, and)| {
        let rest = &question[at + and.len()..];
        let rest = rest.strip_prefix("also ").unwrap_or(rest);
        let asks = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        // The World Health Organization asks nothing.
        let is_word = ASKING.contains(&asks.to_lowercase().as_str()) && asks != "WHO";
        let is_apart =
            !lower[..at].ends_with(',') || !["who", "which"].contains(&asks.to_lowercase().as_str());
        (is_word && is_apart && asks_anew(rest) && !lower[..at].contains("between "))
            .then_some((&question[..at], rest))
    });
    let Some((first, second)) = cut else { return whole() };
    let (first, second) = (first.trim_end_matches([',', ' ']), second.trim());
    let without_first_word = |question: &str| {
        question.split_once(' ').map_or(String::new(), |(_, rest)| rest.trim_end_matches(MARKS).to_owned())
    };
    // "When and where was it made?", "When was it made and why?"
    let (first, second) = match (words(first).count(), words(second).count()) {
        (1, _) => (format!("{first} {}?", without_first_word(second)), second.to_owned()),
        (_, 1) => {
            let why = second.trim_end_matches(MARKS);
            (format!("{first}?"), format!("{why} {}?", without_first_word(first)))
        }
        _ => (format!("{first}?"), second.to_owned()),
    };
    vec![format!("{before}{first}"), second]
}

/// True of a question, false of a clause that another question goes on with: "what to wear and how
/// to behave", "what is bought and when it is paid".
fn asks_anew(rest: &str) -> bool {
    let mut words = words(rest);
    match (words.next().as_deref(), words.next().as_deref()) {
        (_, Some("to")) => false,
        (Some("when" | "where" | "why"), Some(next)) => VERBS.contains(&next),
        _ => true,
    }
}

/// True of two words, or one of a script that is written without spaces.
fn says_something(text: &str) -> bool {
    let is_run = |word: String| word.chars().filter(|c| !c.is_ascii() && !c.is_lowercase()).count() > 1;
    words(text).count() > 1 || words(text).any(is_run)
}

/// The words of a text in lower case.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_several_questions_is_told_apart() {
        for (text, questions) in [
            ("What is the fee? Who is the treasurer?", ["What is the fee?", "Who is the treasurer?"]),
            ("What is the fee and when is it due?", ["What is the fee?", "when is it due?"]),
            ("When and where was it founded?", ["When was it founded?", "where was it founded?"]),
            ("Who is Kim and where does she sit?", ["Who is Kim?", "where does she sit?"]),
            ("When was it founded and why?", ["When was it founded?", "why was it founded?"]),
            (
                "I am new here. Do I pay a fee, and how much is it?",
                ["I am new here. Do I pay a fee?", "how much is it?"],
            ),
            ("费用是多少？谁是主席？", ["费用是多少？", "谁是主席？"]),
            ("I moved. Who do I tell? Is there a fee?", ["I moved. Who do I tell?", "Is there a fee?"]),
        ] {
            assert_eq!(questions_in(text), questions, "{text}");
        }
    }

    #[test]
    fn a_text_that_asks_one_thing_comes_back_as_it_is() {
        for text in [
            "What is the fee?",
            "What is the fee",
            "",
            "???",
            "opening times and fees",
            "Wetten, dass..? was hosted by whom?",
            "What did the ECDC and WHO ask the countries?",
            "What is the time between when it rains and when the river rises?",
            "Who was the woman, who was shown in the hall, and whose family visited?",
            "Who founded the club, and which was the first?",
            "What are bread and butter made of?",
            "What does `a?b` mean?",
            "Is it open? I have a key.",
            "How long does it take to learn how to read and how to write?",
            "Who decides what is bought and when it is paid?",
            "What is the mine called that closed in 1942? A?",
        ] {
            assert_eq!(questions_in(text), [text]);
        }
    }

    #[test]
    fn a_question_that_points_at_another_is_looked_for_with_all_of_the_text() {
        let text = "What is the fee and when is it due?";
        let asked = asked_in(text);
        assert_eq!((asked[0].about.as_str(), asked[1].about.as_str()), ("What is the fee?", text));
        let apart = asked_in("What is the fee? Who is the treasurer?");
        assert_eq!(apart[1].about, "Who is the treasurer?");
    }
}
