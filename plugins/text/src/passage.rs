//! The sentences of a passage, by byte range.
//!
//! Blocks first (a heading, a table row or a fenced block never shares a sentence with prose), then
//! the sentences of each paragraph. Ranges are ascending, disjoint, on character boundaries,
//! without surrounding whitespace or markers; a range without a letter or digit is not a sentence.

use std::ops::Range;

use crate::block::{Block, SentenceKind, blocks};
use crate::sentence::sentences_beside;

/// A sentence, or a block that counts as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Byte range in the text.
    pub range: Range<usize>,
    /// The sentence's kind.
    pub kind: SentenceKind,
}

/// The sentences of a passage, in order. The passage may be plain text or any part of a Markdown
/// document, such as table rows without their header.
///
/// ```
/// use postil_text::{SentenceKind, sentences};
///
/// let text = "## Leave\n\n- Twenty days. More for parents.";
/// let found: Vec<_> = sentences(text).into_iter().map(|s| (s.kind, &text[s.range])).collect();
/// assert_eq!(
///     found,
///     [
///         (SentenceKind::Heading, "Leave"),
///         (SentenceKind::Prose, "Twenty days."),
///         (SentenceKind::Prose, "More for parents."),
///     ]
/// );
/// ```
pub fn sentences(text: &str) -> Vec<Sentence> {
    let mut found = Vec::new();
    for block in blocks(text) {
        match block {
            Block::Whole { range, kind } => found.push(Sentence { range, kind }),
            Block::Paragraph { range, markers } => {
                let prose = |range| Sentence { range, kind: SentenceKind::Prose };
                found.extend(sentences_beside(text, range, &markers).map(prose));
            }
        }
    }
    found.retain(|sentence| text[sentence.range.clone()].contains(char::is_alphanumeric));
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|s| &text[s.range]).collect()
    }

    #[test]
    fn abbreviations_initials_and_decimals_do_not_end_a_sentence() {
        for one in [
            "Dr. Smith met J. R. R. Tolkien in the U.S. Army.",
            "It costs 3.50 euros, i.e. Nothing at all.",
            "See Fig. 3 and No. 12 of vol. 4 for details.",
            "\"Really?\" he asked.",
            "Prof. Müller et al. Showed this in 2.5 hours.",
        ] {
            assert_eq!(texts(one), [one]);
        }
    }

    #[test]
    fn ordinary_sentences_end_where_a_reader_ends_them() {
        assert_eq!(
            texts("He left. She stayed! Why? 今日は。明日は。"),
            ["He left.", "She stayed!", "Why?", "今日は。", "明日は。"]
        );
        assert_eq!(
            texts("She moved to the U.S. The weather was fine."),
            ["She moved to the U.S.", "The weather was fine."]
        );
        assert_eq!(
            texts("So do I. We agree on plan B. It works."),
            ["So do I.", "We agree on plan B.", "It works."]
        );
    }

    #[test]
    fn a_wrapped_line_goes_on_and_a_blank_line_ends_the_sentence() {
        assert_eq!(texts("one two\r\nthree.\n\nfour"), ["one two\r\nthree.", "four"]);
        assert_eq!(texts("> quoted\n> text. More\n"), ["quoted\n> text.", "More"]);
    }

    #[test]
    fn blocks_of_markdown_keep_to_themselves() {
        let text = "# Leave ##\nTwenty days.\n- [x] one. Two\n  more\n12) three\n\n| a | b |\n|---|---|\n\
                    | 1. x | 2 |\n\
                    ```rust\nlet a = 1. ;\n\nlet b;\n```\nTitle\n=====\n***\nend";
        let found = sentences(text);
        let kinds: Vec<_> = found.iter().map(|s| (s.kind, &text[s.range.clone()])).collect();
        use SentenceKind::*;
        assert_eq!(
            kinds,
            [
                (Heading, "Leave"),
                (Prose, "Twenty days."),
                (Prose, "one."),
                (Prose, "Two\n  more"),
                (Prose, "three"),
                (Row, "a | b"),
                (Row, "1. x | 2"),
                (Code, "let a = 1. ;\n\nlet b;"),
                (Heading, "Title"),
                (Prose, "end"),
            ]
        );
    }

    #[test]
    fn nothing_but_marks_is_no_sentence() {
        for text in ["", " \n", "---", "...", "> >", "|--|", "#", "```\n```"] {
            assert!(sentences(text).is_empty(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn ranges_ascend_and_lie_on_character_boundaries(
            text in "[ \\n\\r.?!|#>`~a-zA-Zéß語\u{0}\u{85}\u{2028}0-9*=-]{0,80}",
        ) {
            let mut end = 0;
            for sentence in sentences(&text) {
                prop_assert!(sentence.range.start >= end && sentence.range.start < sentence.range.end);
                prop_assert!(text.get(sentence.range.clone()).is_some());
                end = sentence.range.end;
            }
        }

        #[test]
        fn no_letter_is_lost_outside_of_fences(text in "[ \\n.?!A-Zaé語]{0,80}") {
            let kept: String = sentences(&text).into_iter().map(|s| &text[s.range]).collect();
            let letters = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            prop_assert_eq!(letters(&kept), letters(&text));
        }
    }
}
