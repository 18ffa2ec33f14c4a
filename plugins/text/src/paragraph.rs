use std::ops::Range;

use crate::span::trim;

/// The parts of `range` between blank lines, without blank edges.
///
/// ```
/// let text = "One\nline.\n\n\nTwo.";
/// let found: Vec<&str> = postil_text::paragraphs(text, 0..text.len()).map(|range| &text[range]).collect();
/// assert_eq!(found, ["One\nline.", "Two."]);
/// ```
pub fn paragraphs(text: &str, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        let mut start = at;
        // Blank lines before a paragraph are skipped; the first one after it ends it.
        let mut filled = false;
        for line in text[at..range.end].split_inclusive('\n') {
            let blank = line.trim().is_empty();
            if blank && filled {
                break;
            }
            at += line.len();
            if blank {
                start = at;
            }
            filled |= !blank;
        }
        if filled { trim(text, start..at) } else { None }
    })
}
