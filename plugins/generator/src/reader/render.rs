use std::ops::Range;

use postil_checkpoint::Tokenizer;
use postil_contract::TokenId;

use super::input::Input;

/// Mark of a piece that continues a word.
const CONTINUES: &str = "##";

/// Pieces of an answer that belong together: copied from one stretch of the input, or one generated
/// piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Range of pieces in the answer.
    pub(super) pieces: Range<usize>,
    /// Origin of copied pieces: `true` for the title, and the byte range; `None` when generated.
    pub(super) copied: Option<(bool, Range<usize>)>,
}

/// The runs of an answer; `path` has the position of the input that each piece was copied from.
pub(super) fn runs(input: &Input, path: &[Option<usize>]) -> Vec<Run> {
    let place = |position: usize| &input.places[position - input.body];
    let mut runs: Vec<Run> = Vec::new();
    for (piece, position) in path.iter().enumerate() {
        let follows = piece > 0
            && position.is_some_and(|position| {
                path[piece - 1].is_some_and(|before| {
                    before + 1 == position && place(before).in_title == place(position).in_title
                })
            });
        let copied = position.map(|position| (place(position).in_title, place(position).range.clone()));
        match (runs.last_mut(), copied) {
            (Some(Run { pieces, copied: Some((_, range)) }), Some((_, own))) if follows => {
                pieces.end = piece + 1;
                range.end = own.end;
            }
            (_, copied) => runs.push(Run { pieces: piece..piece + 1, copied }),
        }
    }
    runs
}

/// The text of an answer: copied parts are spelled and spaced as in the passage, on one line, the
/// rest as in the vocabulary.
pub(super) fn text(tokenizer: &Tokenizer, input: &Input, tokens: &[TokenId], runs: &[Run]) -> String {
    let mut text = String::new();
    for Run { pieces, copied } in runs {
        let token = tokenizer.content(tokens[pieces.start]).unwrap_or_default();
        let goes_on = token.starts_with(CONTINUES);
        if !text.is_empty() && !goes_on {
            text.push(' ');
        }
        match copied {
            Some((in_title, range)) => {
                text.push_str(&input.said(*in_title, range.clone()).replace(['\n', '\r'], " "));
            }
            None => text.push_str(token.strip_prefix(CONTINUES).unwrap_or(&token)),
        }
    }
    text
}

/// Byte range of the longest run that was copied from the shown passage, if it has at least half of
/// the answer's pieces. A run copied from the title does not count.
pub(super) fn longest_in_passage(runs: &[Run], pieces: usize) -> Option<Range<usize>> {
    let in_text = runs.iter().filter(|run| matches!(run.copied, Some((false, _))));
    // The first of equal runs: `max_by_key` returns the last.
    let longest = in_text.rev().max_by_key(|run| run.pieces.len())?;
    let (_, range) = longest.copied.clone()?;
    (2 * longest.pieces.len() >= pieces && !range.is_empty()).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::input::Place;
    use crate::reader::shown::Shown;

    fn input() -> Input {
        let title = "Leave:".to_owned();
        let passage = Shown::of("Up to 1,000 days");
        let place = |in_title, range| Place { in_title, range };
        let places = [(true, 0..5), (true, 5..6), (false, 0..2), (false, 3..5), (false, 6..7), (false, 7..8)]
            .into_iter()
            .chain([(false, 8..11), (false, 12..16)])
            .map(|(in_title, range)| place(in_title, range));
        Input { ids: vec![0; 13], body: 4, places: places.collect(), title, passage, shortened: false }
    }

    #[test]
    fn lines_of_a_passage_are_one_in_an_answer() {
        let mut input = input();
        input.passage = Shown::of("Up to 1,000\ndays");
        let json = r###"{
            "version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null,
            "post_processor": null, "decoder": null,
            "model": {
                "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": {"[UNK]": 0}
            }
        }"###;
        let tokenizer = Tokenizer::from_json(json.as_bytes()).unwrap();
        let path = [Some(8), Some(9), Some(10), Some(11)];
        assert_eq!(text(&tokenizer, &input, &[0; 4], &runs(&input, &path)), "1,000 days");
    }

    #[test]
    fn a_stretch_of_pieces_is_one_run_and_title_and_text_are_two() {
        let input = input();
        let copied = |path: &[Option<usize>]| -> Vec<(bool, Range<usize>)> {
            runs(&input, path).into_iter().filter_map(|run| run.copied).collect()
        };
        assert_eq!(copied(&[Some(8), Some(9), Some(10)]), [(false, 6..11)]);
        assert_eq!(copied(&[Some(5), Some(6)]), [(true, 5..6), (false, 0..2)]);
        assert_eq!(copied(&[Some(6), Some(8), None, Some(9)]), [(false, 0..2), (false, 6..7), (false, 7..8)]);
    }

    #[test]
    fn the_origin_is_the_longest_run_in_the_text_and_at_least_half_of_the_answer() {
        let input = input();
        let of = |path: &[Option<usize>]| longest_in_passage(&runs(&input, path), path.len());
        assert_eq!(of(&[Some(8), Some(9), Some(10)]), Some(6..11));
        assert_eq!(of(&[Some(6), None, Some(8), Some(9)]), Some(6..8));
        assert_eq!(of(&[Some(6), Some(8)]), Some(0..2));
        assert_eq!(of(&[Some(8), None, None]), None);
        assert_eq!(of(&[Some(4), Some(5)]), None);
        assert_eq!(of(&[]), None);
    }
}
