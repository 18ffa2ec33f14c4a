//! Sentence bounds: Unicode Standard Annex #29, with the false ones taken out.
//!
//! A line feed inside a paragraph is a blank here, since text is often wrapped by hand, and
//! [`abbreviation`](super::abbreviation) says which full stops end nothing.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::abbreviation;
use super::meter::{ChunkError, trim};

/// Most bytes that bounds are looked for in at once. Rule SB8 looks ahead from every blank after a full
/// stop and the crate does so anew each time, which is quadratic; a sentence of more bytes is cut in any
/// case.
const VIEW_BYTES: usize = 2048;

/// Punctuation or blanks in a row after which more of them say nothing about sentences.
const MAX_RUN: usize = 16;

/// Gives the sentences of the paragraph `range` to `sink`, in order and without blank edges.
///
/// A sentence longer than 2 KiB comes in parts.
pub(super) fn sentences(
    text: &str,
    range: Range<usize>,
    sink: &mut dyn FnMut(Range<usize>) -> Result<(), ChunkError>,
) -> Result<(), ChunkError> {
    let mut at = range.start;
    while at < range.end {
        let stop = text.floor_char_boundary(range.end.min(at + VIEW_BYTES));
        let mut ends = bounds(&text[at..stop]);
        if stop < range.end {
            // The last one may go on after the view.
            ends.pop();
            if ends.is_empty() {
                ends.push(last_blank(&text[at..stop]).unwrap_or(stop - at));
            }
        }
        let view = at;
        for end in ends {
            if let Some(sentence) = trim(text, at..view + end) {
                sink(sentence)?;
            }
            at = view + end;
        }
    }
    Ok(())
}

/// Where the sentences of `view` end, its own end included.
fn bounds(view: &str) -> Vec<usize> {
    let flat = flatten(view);
    let mut ends = Vec::new();
    let mut start = 0;
    let mut end = 0;
    for part in flat.split_sentence_bounds() {
        if end > start && abbreviation::ends_sentence(&flat[start..end], part) {
            ends.push(end);
            start = end;
        }
        end += part.len();
    }
    if end > start {
        ends.push(end);
    }
    ends
}

/// `view` with every byte where it was, line feeds as blanks and long runs of punctuation as letters.
fn flatten(view: &str) -> String {
    let mut run = 0;
    view.chars()
        .map(|c| {
            run = if c.is_alphanumeric() { 0 } else { run + 1 };
            match c {
                '\n' | '\r' => ' ',
                // A lower-case letter ends the search of rule SB8 at once.
                c if c.is_ascii() && run > MAX_RUN => 'a',
                c => c,
            }
        })
        .collect()
}

/// The end of the last run of blanks, unless that is no cut.
fn last_blank(view: &str) -> Option<usize> {
    let (at, blank) = view.char_indices().rev().find(|(_, c)| c.is_whitespace())?;
    Some(at + blank.len_utf8()).filter(|&end| end > view.len() / 2)
}
