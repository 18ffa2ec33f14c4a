use std::collections::HashMap;

use postil_text::each_word;

/// BM25's term saturation k1 and length normalization b (Robertson and Zaragoza 2009, "The
/// Probabilistic Relevance Framework: BM25 and Beyond").
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// BM25 of each passage, given as its parts, for the words of `question`, divided by that of the
/// best: in [0, 1], all 0 where no passage has any of them.
///
/// The passages are the whole collection: a word that most of them have weighs little, whether a
/// common word or the word of their shared topic.
pub(super) fn match_words<'a>(
    question: &str,
    passages: impl ExactSizeIterator<Item = [&'a str; 2]>,
) -> Vec<f32> {
    let mut asked: HashMap<String, usize> = HashMap::new();
    each_word(question, |word| {
        let next = asked.len();
        if !asked.contains_key(word) {
            asked.insert(word.to_owned(), next);
        }
    });
    let (total, words) = (passages.len(), asked.len());
    let mut counts = vec![0u32; total * words];
    let mut lengths = Vec::with_capacity(total);
    for (at, parts) in passages.enumerate() {
        let mut length = 0u32;
        for part in parts {
            each_word(part, |word| {
                length += 1;
                if let Some(column) = asked.get(word) {
                    counts[at * words + column] += 1;
                }
            });
        }
        lengths.push(length as f32);
    }
    let having = |column| (0..total).filter(|at| counts[at * words + column] > 0).count() as f32;
    let weight = |having: f32| (1.0 + (total as f32 - having + 0.5) / (having + 0.5)).ln();
    let weights: Vec<f32> = (0..words).map(|column| weight(having(column))).collect();
    let mean_length = (lengths.iter().sum::<f32>() / total as f32).max(1.0);
    let score = |(at, length): (usize, &f32)| -> f32 {
        let slack = K1 * (1.0 - B + B * length / mean_length);
        let counts = &counts[at * words..][..words];
        counts
            .iter()
            .zip(&weights)
            .map(|(&count, weight)| weight * count as f32 / (count as f32 + slack))
            .sum()
    };
    let scores: Vec<f32> = lengths.iter().enumerate().map(score).collect();
    let best = scores.iter().copied().fold(0.0, f32::max);
    scores.into_iter().map(|score| if best > 0.0 { score / best } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(question: &str, passages: &[&str]) -> Vec<f32> {
        match_words(question, passages.iter().map(|text| ["", *text]))
    }

    #[test]
    fn the_word_that_few_passages_have_decides() {
        let passages =
            ["the river Rhine flows north", "the river Elbe flows north", "the river Oder flows north"];
        let found = matches("Where does the river Elbe flow?", &passages);
        assert_eq!(found[1], 1.0);
        assert!(found[0] < 0.5 && found[0] == found[2], "{found:?}");
    }

    #[test]
    fn case_possessives_and_the_title_count_as_words() {
        let found = match_words(
            "NEWTON’S laws",
            [["Newton", "three"], ["", "newton's"], ["", "gravity"]].into_iter(),
        );
        assert!(found[0] > 0.0 && found[1] > 0.0 && found[2] == 0.0, "{found:?}");
    }

    #[test]
    fn a_language_without_spaces_has_words_too() {
        let found = matches("東京の人口", &["東京は首都である", "パリ"]);
        assert_eq!(found, [1.0, 0.0]);
    }

    #[test]
    fn a_word_is_found_however_it_is_written() {
        for (asked, written) in [
            ("r\u{e9}sum\u{e9}", "re\u{301}sume\u{301}"),
            ("테스트", "\u{1110}\u{1166}\u{1109}\u{1173}\u{1110}\u{1173}"),
            ("donaudampfschiff", "Donau\u{ad}dampf\u{2060}schiff"),
            ("ＡＢＣ１２", "abc12"),
            ("office", "o\u{fb03}ce"),
            ("STRASSE", "straße"),
            ("ΟΔΟΣ", "οδος"),
            ("می\u{200c}خواهم", "میخواهم"),
            ("x\u{302}y", "X\u{302}Y"),
        ] {
            for (question, passage) in [(asked, written), (written, asked)] {
                assert_eq!(matches(question, &[passage, "else"]), [1.0, 0.0], "{question:?} in {passage:?}");
            }
        }
        assert_eq!(matches("ab", &["a\u{200b}b", "ab"]), [0.0, 1.0], "this one divides words");
    }

    #[test]
    fn nothing_in_common_is_no_match_and_no_passage_no_answer() {
        assert_eq!(matches("left", &["right", ""]), [0.0, 0.0]);
        assert_eq!(matches("?!", &["right"]), [0.0]);
        assert!(matches("left", &[]).is_empty());
    }

    #[test]
    fn agrees_with_bm25_computed_by_hand() {
        // N = 2, lengths 2 and 4, mean 3; "a" in both, "b" in the second.
        let found = matches("a b", &["a c", "a b b d"]);
        let weight = |having: f32| (1.0 + (2.0 - having + 0.5) / (having + 0.5)).ln();
        let share = |count: f32, length: f32| count / (count + 1.2 * (0.25 + 0.75 * length / 3.0));
        let first = weight(2.0) * share(1.0, 2.0);
        let second = weight(2.0) * share(1.0, 4.0) + weight(1.0) * share(2.0, 4.0);
        assert!((found[0] - first / second).abs() < 1e-6 && found[1] == 1.0, "{found:?}");
    }
}
