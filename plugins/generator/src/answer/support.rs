use std::collections::{HashMap, HashSet};
use std::ops::Range;

use postil_text::{Sentence, each_word, sentences};

/// The sentence of `text` that overlaps most with `inside`, which was copied from it; `inside`
/// itself when no sentence overlaps.
pub(super) fn sentence_around(text: &str, inside: Range<usize>) -> Range<usize> {
    let shared = |s: &Sentence| s.range.end.min(inside.end).saturating_sub(s.range.start.max(inside.start));
    let best = sentences(text).into_iter().rev().max_by_key(shared).filter(|s| shared(s) > 0);
    best.map_or(inside, |s| s.range)
}

/// The sentence of `text` that best supports `said`, by shared words; all of `text` when no
/// sentence shares a word with `said` or `question`.
///
/// A word has weight ln(1 + n / f), for n sentences of which f have it: words of every sentence,
/// such as articles, decide little, so that no stop list is needed for any language. Ties go to the
/// sentence that shares more with the question, then to the shorter, then to the earlier one.
pub(super) fn supporting_sentence(text: &str, said: &str, question: &str) -> Range<usize> {
    let found = sentences(text);
    let of_sentences: Vec<HashSet<String>> = found.iter().map(|s| words(&text[s.range.clone()])).collect();
    let mut in_sentences: HashMap<&str, usize> = HashMap::new();
    for word in of_sentences.iter().flatten() {
        *in_sentences.entry(word).or_default() += 1;
    }
    let weight = |word: &str| (1.0 + found.len() as f64 / in_sentences[word] as f64).ln();
    // Summed in a fixed order: a sum of floats depends on its order, and sets have none.
    let shared = |sentence: &HashSet<String>, with: &HashSet<String>| -> f64 {
        let mut weights: Vec<f64> = sentence.intersection(with).map(|word| weight(word)).collect();
        weights.sort_by(f64::total_cmp);
        weights.iter().sum()
    };
    let (said, asked) = (words(said), words(question));
    let rated = found
        .iter()
        .zip(&of_sentences)
        .map(|(sentence, words)| (shared(words, &said), shared(words, &asked), sentence.range.clone()));
    let best = rated.filter(|(said, asked, _)| said + asked > 0.0).reduce(|best, next| {
        let order = next.0.total_cmp(&best.0).then(next.1.total_cmp(&best.1));
        if order.then(best.2.len().cmp(&next.2.len())).is_gt() { next } else { best }
    });
    best.map_or(0..text.len(), |(.., range)| range)
}

/// Words in normal form, as retrieval compares them.
fn words(text: &str) -> HashSet<String> {
    let mut words = HashSet::new();
    each_word(text, |word| {
        words.insert(word.to_owned());
    });
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "The office is in the old town. The leave of the staff is twenty days, the pay is \
                        full. The leave is paid. 休暇は二十日です。";

    #[test]
    fn the_sentence_with_the_rarest_shared_words_supports() {
        let supporting = |said, question| &TEXT[supporting_sentence(TEXT, said, question)];
        assert!(supporting("It is twenty days in the year", "").starts_with("The leave of"));
        assert_eq!(supporting("leave", ""), "The leave is paid.", "the shorter of two");
        assert!(supporting("leave", "full pay?").starts_with("The leave of"), "the question breaks a tie");
        assert_eq!(supporting("二十日", ""), "休暇は二十日です。");
        assert_eq!(supporting("zeppelin", "who"), TEXT);
        let text = "A café is near. The re\u{301}sume\u{301} is NEWTON’S.";
        for said in ["r\u{e9}sum\u{e9}", "newton", "ＲÉＳＵＭÉ"] {
            assert!(text[supporting_sentence(text, said, "")].ends_with("NEWTON’S."), "{said}");
        }
        assert_eq!(supporting_sentence("", "a", "b"), 0..0);
    }

    #[test]
    fn what_was_copied_is_shown_with_its_sentence() {
        let at = TEXT.find("twenty days").unwrap_or_default();
        assert!(TEXT[sentence_around(TEXT, at..at + 11)].starts_with("The leave of"));
        assert_eq!(sentence_around("# \n\na", 0..1), 0..1, "a mark is in no sentence");
    }
}
