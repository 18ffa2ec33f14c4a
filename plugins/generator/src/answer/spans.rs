use std::ops::Range;

use postil_text::{ends_clause, sentences};
use unicode_segmentation::UnicodeSegmentation;

/// A part of an answer: a byte range of its text, and the range of its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) range: Range<usize>,
    pub(super) tokens: Range<usize>,
}

/// Merges tokens to words: they partition the text, and no word begins inside a token.
///
/// A word ends at the next white space and includes the punctuation and the space after it (in any
/// token), or, in scripts without spaces, ends at the next word bound of UAX #29. A token that adds
/// half a character belongs to the word it is completed in.
///
/// `tokens` holds the text that each token adds; `None` for one that has no text, such as an end
/// token, and belongs to no word. `text` is their concatenation, trimmed; any other text becomes
/// one word.
pub(super) fn words(text: &str, tokens: &[Option<&str>]) -> Vec<Stretch> {
    let Some(first) = tokens.iter().position(Option::is_some).filter(|_| !text.is_empty()) else {
        return Vec::new();
    };
    let last = tokens.iter().rposition(Option::is_some).unwrap_or(first);
    let sum: String = tokens.iter().flatten().copied().collect();
    if sum.trim() != text {
        return vec![Stretch { range: 0..text.len(), tokens: first..last + 1 }];
    }
    let bounds: Vec<usize> = sum.split_word_bound_indices().map(|(at, _)| at).collect();
    let begins_word = |at: usize| {
        let (before, after) = (sum[..at].chars().next_back(), sum[at..].chars().next());
        let (Some(before), Some(after)) = (before, after) else { return false };
        let in_one_run = before.is_alphanumeric() && after.is_alphanumeric();
        before.is_whitespace() || after.is_whitespace() || in_one_run && bounds.binary_search(&at).is_ok()
    };
    let (mut found, mut at): (Vec<Stretch>, _) = (Vec::new(), 0);
    let mut word = Stretch { range: 0..0, tokens: first..first };
    // First of the tokens that add nothing so far, which may still belong to the word.
    let mut waiting = first;
    for (i, added) in tokens.iter().enumerate().take(last + 1).skip(first) {
        let added = added.unwrap_or_default();
        let is_said = !sum[word.range.clone()].trim().is_empty();
        if is_said && !added.trim().is_empty() && begins_word(at) {
            found.push(word.clone());
            word = Stretch { range: at..at, tokens: waiting..waiting };
        }
        at += added.len();
        word.range.end = at;
        if !added.is_empty() {
            word.tokens.end = i + 1;
            waiting = i + 1;
        }
    }
    word.tokens.end = last + 1;
    found.push(word);
    let (lead, mut end) = (sum.len() - sum.trim_start().len(), text.len());
    for Stretch { range, .. } in found.iter_mut().rev() {
        let written = &sum[range.clone()];
        let start = range.start + (written.len() - written.trim_start().len()) - lead;
        (*range, end) = (start..end, start);
    }
    found
}

/// Merges words to clauses: a clause ends at a comma, a colon or the like at the end of a word, or
/// at the end of a sentence.
pub(super) fn clauses(text: &str, words: &[Stretch]) -> Vec<Stretch> {
    let begins: Vec<usize> = sentences(text).into_iter().map(|s| s.range.start).collect();
    let mut found: Vec<Stretch> = Vec::new();
    let mut is_closed = true;
    for word in words {
        let written = &text[word.range.clone()];
        let is_begin = begins.iter().any(|begin| word.range.contains(begin));
        match found.last_mut() {
            Some(last) if !is_closed && !is_begin => {
                last.range.end = word.range.end;
                last.tokens.end = word.tokens.end;
            }
            _ => found.push(word.clone()),
        }
        is_closed = written.trim_end().ends_with(|c| ends_clause(c, None));
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts<'a>(text: &'a str, stretches: &[Stretch]) -> Vec<&'a str> {
        stretches.iter().map(|s| &text[s.range.clone()]).collect()
    }

    fn split(tokens: &[&'static str]) -> (String, Vec<Stretch>) {
        let text = tokens.concat().trim().to_owned();
        let words = words(&text, &tokens.iter().map(|t| Some(*t)).collect::<Vec<_>>());
        (text, words)
    }

    #[test]
    fn words_begin_at_spaces_whichever_token_has_them() {
        for tokens in [
            [" par", "ents", " get", " twenty", "-", "one", " days", "."].as_slice(),
            &["par", "ents ", "get ", "twenty", "-", "one ", "days", "."],
            &["par", "ents", " ", "get", " ", "twenty-one", "  days.", "\n"],
        ] {
            let (text, words) = split(tokens);
            let trimmed: Vec<&str> = texts(&text, &words).into_iter().map(str::trim).collect();
            assert_eq!(trimmed, ["parents", "get", "twenty-one", "days."]);
        }
        let (text, words) = split(&["休", "暇", "は", "二十", "日", "です", "。"]);
        assert_eq!(texts(&text, &words), ["休", "暇", "は", "二十", "日", "です。"]);
    }

    #[test]
    fn what_is_no_text_belongs_to_no_word_and_half_a_character_to_its_own() {
        let tokens = [None, Some("a"), Some(""), Some(" é"), None];
        let words = words("a é", &tokens);
        assert_eq!(words.iter().map(|w| w.tokens.clone()).collect::<Vec<_>>(), [1..2, 2..4]);
        assert_eq!(super::words("", &[None, Some("")]), []);
        assert_eq!(super::words("other", &tokens), [Stretch { range: 0..5, tokens: 1..4 }]);
    }

    #[test]
    fn clauses_end_at_commas_and_sentences_and_not_inside_numbers() {
        let (text, words) =
            split(&["It ", "costs ", "3,000 ", "euros, ", "i.e. ", "much. ", "Pay: ", "Dr. ", "No"]);
        assert_eq!(
            texts(&text, &clauses(&text, &words)),
            ["It costs 3,000 euros, ", "i.e. much. ", "Pay: ", "Dr. No"]
        );
    }

    proptest! {
        #[test]
        fn words_and_clauses_partition_text_and_tokens(tokens in prop::collection::vec(
            prop_oneof![Just(None), "[ ab,.\\n語é-]{0,3}".prop_map(Some)], 0..12,
        )) {
            let tokens: Vec<Option<&str>> = tokens.iter().map(|t| t.as_deref()).collect();
            let sum: String = tokens.iter().flatten().copied().collect();
            let text = sum.trim();
            let words = words(text, &tokens);
            for stretches in [&words, &clauses(text, &words)] {
                prop_assert_eq!(texts(text, stretches).concat(), text);
                prop_assert!(stretches.is_sorted_by(|a, b| a.tokens.end == b.tokens.start));
                prop_assert!(stretches.iter().all(|s| !s.range.is_empty() && !s.tokens.is_empty()));
            }
            if let (Some(first), Some(last)) = (words.first(), words.last()) {
                prop_assert_eq!(Some(first.tokens.start), tokens.iter().position(Option::is_some));
                prop_assert_eq!(Some(last.tokens.end - 1), tokens.iter().rposition(Option::is_some));
            }
        }
    }
}
