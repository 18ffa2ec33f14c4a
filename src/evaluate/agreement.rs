//! Comparison of an answer with the known ones, as in SQuAD's evaluation.

use std::collections::HashMap;

/// Lower case, without ASCII punctuation and the articles a, an and the, blanks collapsed: the
/// normalization of SQuAD's evaluation script (Rajpurkar et al. 2016).
pub fn normalize(text: &str) -> String {
    let letters: String = text.to_lowercase().chars().filter(|c| !c.is_ascii_punctuation()).collect();
    let is_word = |word: &&str| !matches!(*word, "a" | "an" | "the");
    letters.split_whitespace().filter(is_word).collect::<Vec<_>>().join(" ")
}

/// 1 when the normalized answer is one of the gold ones, else 0; without gold answers, 1 for an
/// empty answer.
pub fn exact_match(answer: &str, gold: &[String]) -> f64 {
    let answer = normalize(answer);
    let is_same = |gold: &String| normalize(gold) == answer;
    f64::from(if gold.is_empty() { answer.is_empty() } else { gold.iter().any(is_same) })
}

/// Harmonic mean of precision and recall over words, the best over the gold answers, 0 to 1;
/// without gold answers, 1 for an empty answer.
pub fn f1(answer: &str, gold: &[String]) -> f64 {
    if gold.is_empty() {
        return exact_match(answer, gold);
    }
    let answer = normalize(answer);
    gold.iter().map(|gold| word_f1(&answer, &normalize(gold))).fold(0.0, f64::max)
}

fn word_f1(answer: &str, gold: &str) -> f64 {
    if answer.is_empty() || gold.is_empty() {
        return f64::from(answer == gold);
    }
    let mut left: HashMap<&str, usize> = HashMap::new();
    gold.split(' ').for_each(|word| *left.entry(word).or_default() += 1);
    let shared = answer.split(' ').filter(|word| match left.get_mut(word) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    });
    let words = |text: &str| text.split(' ').count() as f64;
    2.0 * shared.count() as f64 / (words(answer) + words(gold))
}

/// True when a text holds a gold answer at word bounds, both normalized.
pub(super) fn holds(text: &str, gold: &[String]) -> bool {
    let text = format!(" {} ", normalize(text));
    gold.iter().any(|gold| text.contains(&format!(" {} ", normalize(gold))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gold(answers: &[&str]) -> Vec<String> {
        answers.iter().map(|answer| (*answer).to_owned()).collect()
    }

    #[test]
    fn articles_case_and_punctuation_do_not_count() {
        assert_eq!(normalize("The  Norman-French, an Army!"), "normanfrench army");
        assert_eq!(exact_match("the Seine.", &gold(&["Loire", "Seine"])), 1.0);
        assert_eq!(exact_match("Seine river", &gold(&["Seine"])), 0.0);
    }

    #[test]
    fn f1_counts_each_shared_word_as_often_as_both_have_it() {
        // 2 shared of 3 and 2 words: 2 * 2 / 5.
        assert!((f1("very very tall", &gold(&["very tall"])) - 0.8).abs() < 1e-12);
        assert_eq!(f1("x", &gold(&["y", "x"])), 1.0);
        assert_eq!(f1("", &gold(&["y"])), 0.0);
    }

    #[test]
    fn silence_is_right_where_nothing_is() {
        assert_eq!((f1("", &[]), exact_match("", &[])), (1.0, 1.0));
        assert_eq!((f1("x", &[]), exact_match("x", &[])), (0.0, 0.0));
    }

    #[test]
    fn a_quote_holds_an_answer_at_word_bounds_only() {
        assert!(holds("It rained in the Paris of old.", &gold(&["Paris"])));
        assert!(!holds("Parisians", &gold(&["Paris"])));
    }
}
