//! Sentence bounds in a paragraph: those of Unicode Standard Annex #29, without the false ones.
//!
//! A line feed inside a paragraph counts as a blank, since text is often wrapped by hand;
//! [`abbreviation`](super::abbreviation) decides which bounds are false.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::abbreviation;
use crate::span::trim;

/// Maximum bytes in which bounds are searched at once. Rule SB8 looks ahead from every blank after
/// a full stop, and the crate repeats that search each time, which is quadratic; a longer sentence
/// is cut in any case.
const VIEW_BYTES: usize = 2048;

/// Number of punctuation marks or blanks in a row after which more of them do not affect sentences.
const MAX_RUN: usize = 32;

/// The sentences of the paragraph `range`, in order and without blank edges.
///
/// A sentence longer than 2 KiB is returned in parts.
///
/// ```
/// let text = "Ask Dr. Who.\nHe knows.";
/// let found: Vec<&str> =
///     postil_text::paragraph_sentences(text, 0..text.len()).map(|range| &text[range]).collect();
/// assert_eq!(found, ["Ask Dr. Who.", "He knows."]);
/// ```
pub fn paragraph_sentences(text: &str, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    sentences_beside(text, range, &[])
}

/// As [`paragraph_sentences`], for a paragraph in which `markers`, ascending, count as blanks.
pub(crate) fn sentences_beside(
    text: &str,
    range: Range<usize>,
    markers: &[Range<usize>],
) -> impl Iterator<Item = Range<usize>> {
    let mut at = range.start;
    let mut ends = Vec::new().into_iter();
    std::iter::from_fn(move || {
        while at < range.end {
            let Some(end) = ends.next() else {
                ends = ends_of_view(text, at..range.end, markers).into_iter();
                continue;
            };
            let sentence = trim_beside(text, at..end, markers);
            at = end;
            if sentence.is_some() {
                return sentence;
            }
        }
        None
    })
}

/// Ends of the sentences at the beginning of `range`; at least one, unless the range is empty.
fn ends_of_view(text: &str, range: Range<usize>, markers: &[Range<usize>]) -> Vec<usize> {
    let stop = text.floor_char_boundary(range.end.min(range.start + VIEW_BYTES));
    let view = range.start..stop;
    let flat = flatten(text, view.clone(), markers);
    let mut ends = Vec::new();
    let (mut start, mut end) = (0, 0);
    for part in flat.split_sentence_bounds() {
        if end > start && abbreviation::ends_sentence(&flat[start..end], part) {
            ends.push(view.start + end);
            start = end;
        }
        end += part.len();
    }
    // The last sentence may continue after the view.
    if stop == range.end {
        ends.push(stop);
    } else if ends.is_empty() {
        ends.push(last_blank(&text[view.clone()]).map_or(stop, |end| view.start + end));
    }
    ends
}

/// The view with every byte at its old position, line feeds and markers as blanks, and long runs of
/// punctuation as letters.
fn flatten(text: &str, view: Range<usize>, markers: &[Range<usize>]) -> String {
    let first = markers.partition_point(|marker| marker.end <= view.start);
    let mut markers = markers[first..].iter().peekable();
    let mut run = 0;
    let plain = |(at, c): (usize, char)| {
        let at = view.start + at;
        while markers.next_if(|marker| marker.end <= at).is_some() {}
        run = if c.is_alphanumeric() { 0 } else { run + 1 };
        match c {
            '\n' | '\r' => ' ',
            // A lower-case letter ends the search of rule SB8 at once.
            c if c.is_ascii() && run > MAX_RUN => 'a',
            c if c.is_ascii() && markers.peek().is_some_and(|marker| marker.start <= at) => ' ',
            c => c,
        }
    };
    text[view.clone()].char_indices().map(plain).collect()
}

/// `range` without blanks and markers at its edges.
fn trim_beside(text: &str, range: Range<usize>, markers: &[Range<usize>]) -> Option<Range<usize>> {
    let over = |at: usize| {
        let next = markers.partition_point(|marker| marker.end <= at);
        markers.get(next).filter(|marker| marker.start <= at)
    };
    let mut range = trim(text, range)?;
    while let Some(marker) = over(range.end - 1) {
        range = trim(text, range.start..marker.start.max(range.start))?;
    }
    while let Some(marker) = over(range.start) {
        range = trim(text, marker.end.min(range.end)..range.end)?;
    }
    Some(range)
}

/// The end of the last run of blanks; `None` unless it lies in the second half of the view.
fn last_blank(view: &str) -> Option<usize> {
    let (at, blank) = view.char_indices().rev().find(|(_, c)| c.is_whitespace())?;
    Some(at + blank.len_utf8()).filter(|&end| end > view.len() / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences<'t>(text: &'t str, markers: &[Range<usize>]) -> Vec<&'t str> {
        sentences_beside(text, 0..text.len(), markers).map(|range| &text[range]).collect()
    }

    #[test]
    fn abbreviations_and_decimals_end_no_sentence() {
        let text = "Mr. Smith met Dr. J. Jones, e.g. in the U.S. Senate, at 3.5 km. \
                    See Fig. 3 there. Then No. 7 came.";
        let expected = [
            "Mr. Smith met Dr. J. Jones, e.g. in the U.S. Senate, at 3.5 km.",
            "See Fig. 3 there.",
            "Then No. 7 came.",
        ];
        assert_eq!(sentences(text, &[]), expected);
    }

    #[test]
    fn sentences_end_at_ideographic_stops() {
        let text = "今日は晴れです。明日は雨ですか？はい！";
        assert_eq!(sentences(text, &[]), ["今日は晴れです。", "明日は雨ですか？", "はい！"]);
    }

    #[test]
    fn markers_are_blanks_inside_a_sentence_and_at_its_edges() {
        let text = "One\n> two.\n> Three.\n>";
        assert_eq!(sentences(text, &[4..6, 11..13, 20..21]), ["One\n> two.", "Three."]);
    }

    #[test]
    fn a_sentence_without_end_comes_in_parts() {
        let text = "word, ".repeat(2000);
        let found = sentences(&text, &[]);
        assert!(found.iter().all(|part| part.len() <= VIEW_BYTES && part.ends_with("word,")), "{found:?}");
        assert_eq!(found.iter().map(|part| part.len() + 1).sum::<usize>(), text.len());
    }
}
